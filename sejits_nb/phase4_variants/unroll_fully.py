"""Full unrolling: a tiny grid as straight-line code, every index a number.

for i in [1, 3)                       a = u[6]
  for j in [1, 3)            ->       out[6] = a * 2.0
    a = u[i*5 + j]                    a__x1 = u[7]
    out[i*5 + j] = a * 2.0            out[7] = a__x1 * 2.0  ...
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import count

from ..ir.dast import Statement
from ..ir.dtypes import I64
from ..ir.node import Node, rewrite
from ..ir.past import Binary, Declare, For, Literal, Unit, Variable
from .loops import substitute, trip_count

_FOLDED = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__}


def unroll_fully(unit: Unit) -> Unit:
    """*unit* without loops; itself if a loop is shared among threads or has no literal bounds."""
    if not all(isinstance(s, For) and _plain(s) for s in unit.function.body):
        return unit
    numbers = count()
    body = [line for s in unit.function.body for line in _iterations(s, numbers)]
    function = dataclasses.replace(unit.function, body=tuple(body))
    return dataclasses.replace(unit, function=function)


def _plain(loop: For) -> bool:
    inner = (s for s in loop.body if isinstance(s, For))
    shared = loop.parallel or loop.work_item is not None
    return trip_count(loop) is not None and not shared and all(map(_plain, inner))


def _iterations(s: Statement, numbers: Iterator[int]) -> Iterator[Statement]:
    if not isinstance(s, For):
        yield s
        return
    assert isinstance(s.start, Literal) and isinstance(s.stop, Literal)
    innermost = not isinstance(s.body[0], For)
    for place in range(int(s.start.value), int(s.stop.value), s.step):
        body = [_folded(substitute(inner, s.var, Literal(place))) for inner in s.body]
        if innermost:
            yield from _named(body, next(numbers))
        else:
            for inner in body:
                yield from _iterations(inner, numbers)


def _named(body: list[Statement], number: int) -> list[Statement]:
    """*body* with locals of its own: a suffix in every iteration but the first."""
    declared = {s.name for s in body if isinstance(s, Declare)} if number else set()

    def rule(n: Node) -> Node | None:
        if isinstance(n, Declare | Variable) and n.name in declared:
            return dataclasses.replace(n, name=f"{n.name}__x{number}")
        return None

    return [rewrite(s, rule) for s in body]


def _folded(s: Statement) -> Statement:
    """Sums and products of index literals as one literal."""

    def rule(n: Node) -> Node | None:
        match n:
            case Binary("+" | "-" | "*" as op, Literal(int() as a), Literal(int() as b)) if (
                n.dtype == I64 and not n.left.wide and not n.right.wide  # type: ignore[attr-defined]
            ):
                return Literal(_FOLDED[op](a, b))
            case _:
                return None

    return rewrite(s, rule)
