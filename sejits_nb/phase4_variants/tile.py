"""Tiling: an independent loop in blocks, the loop over the blocks outermost.

for i in [1, 255)                    for jj in [1, 255) step 32
  for j in [1, 255)          ->        for i in [1, 255)
    ...                                  for j in [jj, min(jj + 32, 255))
"""

from __future__ import annotations

import dataclasses

from ..ir.dast import Statement
from ..ir.node import Node, rewrite, walk
from ..ir.past import Binary, CallC, For, Literal, Unit, Variable
from .loops import fresh, loops, replace_outermost, trip_count


def tile(unit: Unit, axis: int, size: int) -> Unit:
    """*unit* with the loop along *axis* in blocks of *size* iterations; itself for ``size`` 0 or a
    size that leaves one block."""
    target = next((f for f in loops(unit) if f.axis == axis), None)
    if size == 0 or target is None or not target.independent or (trip_count(target) or 0) <= size:
        return unit
    block = fresh(unit, target.var * 2)
    end = CallC("min_i64", (Binary("+", Variable(block), Literal(size)), target.stop))
    inner = dataclasses.replace(target, start=Variable(block), stop=end)

    def rule(n: Node) -> Node | None:
        return inner if n is target else None

    def change(loop: For) -> tuple[Statement, ...]:
        if not any(n is target for n in walk(loop)):
            return (loop,)
        return (
            For(block, target.start, target.stop, (rewrite(loop, rule),), step=size, axis=axis,
                independent=True, loc=target.loc),
        )  # fmt: skip

    tiled = replace_outermost(unit, change)
    return dataclasses.replace(tiled, helpers=tuple(sorted({*unit.helpers, "min_i64"})))
