"""What names mean at a place of an EM iteration, and the language's own functions."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...ir.expr import Expr, Name
from ...ir.node import node, walk
from .dast import Event, Kind, Kinded, LogNormal, Mahalanobis, PairValue
from .kinds import KIND_OF_COVARIANCE, kind_of

E, M, AFTER = "E-step", "M-step", "end of the iteration"
PARAMETERS = ("weight", "mean", "covariance")


@node
class Inverse(Kinded):
    """``inverse(C)``: gone once it stands between differences."""

    matrix: Expr


@node
class Solved(Kinded):
    """``solve(C, d)`` or ``inverse(C) @ d``: gone once it is multiplied with ``d``."""

    matrix: Expr
    vector: Expr


@node
class Refused(Kinded):
    """Stands for what was found wrong, so that nothing that follows from it is found as well."""


def sound(e: Expr) -> bool:
    """Whether nothing in *e* was found wrong."""
    return not any(isinstance(n, Refused) for n in walk(e))


@dataclass(slots=True)
class Scope:
    """What names mean where the reader is.  ``numbers`` are parameters, ``known`` stand for their
    value, ``names`` for a local of the DAST (with a number where it is assigned again), ``sums`` are
    over the components; ``stops``: there is a stopping rule."""

    events: str
    mixture: str
    covariance: str
    dimension: int | None
    components: int | None
    numbers: tuple[str, ...]
    stops: bool
    assigned: frozenset[str]
    sums: frozenset[str] = frozenset()
    step: str = ""
    event: str = ""
    component: str = ""
    known: dict[str, Expr] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    dependent: set[str] = field(default_factory=set)

    @property
    def square(self) -> Kind:
        """The kind of a covariance."""
        return KIND_OF_COVARIANCE[self.covariance]

    def is_value(self, id: str) -> bool:
        """Whether the name stands for a value of the cell's own."""
        return id in self.numbers or id in self.known or id in self.names

    def kind(self, e: Expr) -> Kind:
        return kind_of(e, self.kinds)

    def free(self, e: Expr) -> bool:
        """Whether *e* is the same for all events."""
        own = Event | PairValue | LogNormal | Mahalanobis | Solved
        return not any(
            isinstance(n, own) or (isinstance(n, Name) and n.id in self.dependent) for n in walk(e)
        )


def index_form(scope: Scope, index: ast.expr) -> str:
    """An index as ``n``, ``k``, ``n, k``, ``:, k`` or ``:``, whatever the loops call them."""

    def one(e: ast.expr) -> str:
        match e:
            case ast.Name(id) if id and id in (scope.event, scope.component):
                return "n" if id == scope.event else "k"
            case ast.Slice(None, None, None):
                return ":"
            case _:
                return "?"

    return ", ".join(map(one, index.elts)) if isinstance(index, ast.Tuple) else one(index)


def roles(scope: Scope) -> dict[str, dict[str, str]]:
    x, n, mix, k = scope.events, scope.event or "n", scope.mixture, scope.component or "k"
    return {
        scope.component: {
            "kind": "a component",
            "why": "components have no order",
            "hint": f"{mix}.weight[{k}], {mix}.mean[{k}], {mix}.covariance[{k}]",
        },
        scope.event: {
            "kind": "an event",
            "why": "events have no order",
            "hint": f"its coordinates are {x}[{n}]",
        },
        scope.mixture: {
            "kind": "the mixture",
            "why": "it has a value for each component",
            "hint": f"{mix}.weight[{k}], {mix}.mean[{k}], {mix}.covariance[{k}]",
        },
        x: {
            "kind": "the events",
            "why": "a table of numbers",
            "hint": f"{x}[{n}] in the E-step; average({x}, r), scatter({x}, m, r) in the M-step",
        },
    }


_DENSITY = {
    "why": "densities are computed event by event",
    "hint": "keep it in the E-step: mix.name[n, k] = ..., and read mix.name[:, k]",
}
_SUM = {"why": "its sum is over all events", "hint": "use it in the M-step"}
_SOFTMAX = {
    "why": "it ends the E-step of an event",
    "hint": "mix.responsibility[n] = softmax(mix.joint[n]), after the loop over components",
}
PLACES: Mapping[tuple[bool, bool], Mapping[str, str]] = {
    (False, True): _DENSITY,
    (False, False): _SUM,
    (True, False): _SOFTMAX,
}
"""(is it softmax, does it belong to the E-step alone) -> why it has no place elsewhere, what to do."""

FUNCTIONS: dict[str, tuple[tuple[str, ...], int, str]] = {
    "log_normal": ((E,), 3, "log_normal({x}[{n}], {mix}.mean[{k}], {mix}.covariance[{k}])"),
    "mahalanobis": ((E,), 3, "mahalanobis({x}[{n}], {mix}.mean[{k}], {mix}.covariance[{k}])"),
    "log_det": ((E,), 1, "log_det({mix}.covariance[{k}])"),
    "inverse": ((E,), 1, "d @ inverse({mix}.covariance[{k}]) @ d"),
    "solve": ((E,), 2, "d @ solve({mix}.covariance[{k}], d)"),
    "sum": ((E, M, AFTER), 1, "sum(r), with r = {mix}.responsibility[:, {k}]"),
    "mean": ((M,), 1, "mean(r), with r = {mix}.responsibility[:, {k}]"),
    "average": ((M,), 2, "average({x}, r), with r = {mix}.responsibility[:, {k}]"),
    "scatter": ((M,), 3, "scatter({x}, {mix}.mean[{k}], r)"),
    "outer": ((M, AFTER), 2, "outer(d, d)"),
    "trace": ((E, M, AFTER), 1, "trace({mix}.covariance[{k}])"),
    "len": (("", E, M, AFTER), 1, "len({x})"),
    "softmax": ((), 1, "softmax({mix}.joint[{n}])"),
}
"""The language's own functions: the steps that they belong to, their arguments, an example."""
