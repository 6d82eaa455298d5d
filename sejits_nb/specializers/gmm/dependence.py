"""What a value of the E-step depends on: on the event, or on the component alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...ir.dast import Let, Statement
from ...ir.expr import Expr, Name
from ...ir.node import walk
from .dast import Event, LogNormal, Mahalanobis, PairValue, Responsibility
from .derived import SquaredDistance

_PAIRS = Event | LogNormal | Mahalanobis | SquaredDistance | PairValue | Responsibility


def depends_on_event(e: Expr, lets: Mapping[str, Expr]) -> bool:
    """Whether the value of *e* differs from event to event; *lets* are the locals in scope."""
    for n in walk(e):
        if isinstance(n, _PAIRS):
            return True
        if isinstance(n, Name) and n.id in lets and depends_on_event(lets[n.id], lets):
            return True
    return False


def locals_of(body: Iterable[Statement]) -> dict[str, Expr]:
    """The values of the ``Let``s of *body* by name."""
    return {s.name: s.value for s in body if isinstance(s, Let)}
