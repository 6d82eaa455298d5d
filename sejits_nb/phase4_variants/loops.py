"""What the transformations share: finding a loop of a nest and putting something in its place."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from ..ir import past
from ..ir.dast import Statement
from ..ir.node import rewrite, walk
from ..ir.past import For, Literal, PExpr


def loops(unit: past.Unit) -> tuple[For, ...]:
    """The loops of the first nest of *unit*, its core, outermost first."""
    first = next(s for s in unit.function.body if isinstance(s, For))
    return tuple(n for n in walk(first) if isinstance(n, For))


def trip_count(loop: For) -> int | None:
    """How often the body runs, if both bounds are literals."""
    if isinstance(loop.start, Literal) and isinstance(loop.stop, Literal):
        return len(range(int(loop.start.value), int(loop.stop.value), loop.step))
    return None


def replace_outermost(unit: past.Unit, change: Callable[[For], tuple[Statement, ...]]) -> past.Unit:
    """*unit* with each loop that stands directly in the function replaced by what *change* gives."""
    body: list[Statement] = []
    for s in unit.function.body:
        body += change(s) if isinstance(s, For) else (s,)
    function = dataclasses.replace(unit.function, body=tuple(body))
    return dataclasses.replace(unit, function=function)


def substitute(s: Statement, name: str, value: PExpr) -> Statement:
    """*s* with every use of the variable *name* replaced by *value*."""

    def rule(n: object) -> PExpr | None:
        return value if isinstance(n, past.Variable) and n.name == name else None

    return rewrite(s, rule)


def fresh(unit: past.Unit, name: str) -> str:
    """A name like *name* that nothing in *unit* has."""
    taken = {n.name for n in walk(unit) if hasattr(n, "name")}
    taken |= {n.var for n in walk(unit) if isinstance(n, For)}
    while name in taken:
        name += "_"
    return name
