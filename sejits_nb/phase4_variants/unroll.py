"""Unroll-and-jam: a register tile of several rows (or planes) in each step of the inner loops.

    for i in [1, 511)                 for i in [1, 509) step 4
      for j in [1, 511)                 for j in [1, 511)
        a = u[i*512 + j]       ->         a = u[i*512 + j]
        out[i*512 + j] = a                a_1 = u[(i + 1)*512 + j]  ...
                                          out[i*512 + j] = a        ...
                                      for i in [509, 511)  (the remainder, as it was)

Stores come after all loads of the step: loads that the copies share are then done once.
"""

from __future__ import annotations

import dataclasses

from ..ir.dast import Statement
from ..ir.dtypes import I64
from ..ir.node import Node, rewrite, walk
from ..ir.past import Binary, Declare, For, Literal, Store, Unit, Variable
from .loops import loops, replace_outermost, substitute, trip_count


def unroll_and_jam(unit: Unit, axis: int, factor: int) -> Unit:
    """*unit* with *factor* iterations of the loop along *axis* in one step; itself for factor 1, an
    innermost loop, or fewer iterations than *factor*."""
    target = next((f for f in loops(unit) if f.axis == axis and f.step == 1), None)
    count = trip_count(target) if target else None
    if target is None or count is None or factor < 2 or count < factor:
        return unit
    if not target.independent or not isinstance(target.body[0], For):
        return unit
    assert isinstance(target.start, Literal)
    middle = Literal(int(target.start.value) + count // factor * factor)
    jammed = dataclasses.replace(
        target, stop=middle, step=factor, body=_jam(target.body, target.var, factor)
    )
    rest = (dataclasses.replace(target, start=middle),) if count % factor else ()

    def change(loop: For) -> tuple[Statement, ...]:
        return (jammed, *rest) if loop is target else (_inside(loop, target, (jammed, *rest)),)

    return replace_outermost(unit, change)


def _inside(loop: For, target: For, new: tuple[Statement, ...]) -> For:
    body: list[Statement] = []
    for s in loop.body:
        body += new if s is target else (_inside(s, target, new) if isinstance(s, For) else s,)
    return dataclasses.replace(loop, body=tuple(body))


def _jam(body: tuple[Statement, ...], var: str, factor: int) -> tuple[Statement, ...]:
    if isinstance(body[0], For):
        return tuple(
            dataclasses.replace(s, body=_jam(s.body, var, factor)) if isinstance(s, For) else s
            for s in body
        )
    copies = [_copy(s, var, number, _declared(body)) for number in range(factor) for s in body]
    loads = [s for s in copies if not isinstance(s, Store)]
    return (*loads, *(s for s in copies if isinstance(s, Store)))


def _declared(body: tuple[Statement, ...]) -> frozenset[str]:
    return frozenset(n.name for s in body for n in walk(s) if isinstance(n, Declare))


def _copy(s: Statement, var: str, number: int, declared: frozenset[str]) -> Statement:
    """Copy *number* of *s*: its iteration is ``var + number``, its locals get a suffix."""
    if number == 0:
        return s

    def rename(n: Node) -> Node | None:
        if isinstance(n, Declare | Variable) and n.name in declared:
            return dataclasses.replace(n, name=f"{n.name}__{number}")
        return None

    return _flat(substitute(rewrite(s, rename), var, Binary("+", Variable(var), Literal(number))))


def _flat(s: Statement) -> Statement:
    """Indices ``(i + 1) + 2`` and ``(i + 1) - 1`` as one sum each; floats would round otherwise."""

    def rule(n: Node) -> Node | None:
        match n:
            case Binary("+" | "-" as op, Binary("+", base, Literal(a)), Literal(b)) if (
                isinstance(base, Variable) and n.dtype == I64
            ):
                total = a + b if op == "+" else a - b
                if total == 0:
                    return base
                return Binary("+" if total > 0 else "-", base, Literal(abs(total)))
            case _:
                return None

    return rewrite(s, rule)
