"""Phase 3 for OpenCL: the nests of the lowering to C, one work-item a point.

    for i in [1, 511)  [work-item 1]
      for j in [1, 511)  [work-item 0]
        out[i*512 + j] = u[(i - 1)*512 + j]

A buffer begins at the lowest byte of its array.  Where a stride is negative that is not element
[0, ..., 0], and the distance is added to every index.  Integers are computed as unsigned ones: OpenCL
has no ``-fwrapv``.
"""

from __future__ import annotations

import dataclasses

from ...ir import past
from ...ir.node import Node, rewrite
from ...phase3_lower.unsigned_arithmetic import in_unsigned
from ...phase3_lower.work_items import map_to_work_items
from .dast import Grid, Stencil
from .dast_to_c import lower_to_c


def lower_to_opencl(stencil: Stencil) -> past.Unit:
    """The PAST of *stencil*, its loops mapped to work-items."""
    unit = lower_to_c(stencil)
    grids = stencil.grids
    origins = {p.name: _origin(grids[p.key]) for p in unit.function.params if p.key in grids}
    shifted = _shifted(unit, {n: o for n, o in origins.items() if o})
    return map_to_work_items(in_unsigned(shifted))


def _origin(grid: Grid) -> int:
    """How many elements lie between the lowest one in memory and element [0, ..., 0]."""
    axes = zip(grid.shape, grid.strides, strict=True)
    return sum((max(n, 1) - 1) * -stride for n, stride in axes if stride < 0)


def _shifted(unit: past.Unit, origins: dict[str, int]) -> past.Unit:
    def rule(n: Node) -> Node | None:
        if isinstance(n, past.Load | past.Store) and n.array in origins:
            place = past.Binary("+", n.index, past.Literal(origins[n.array]))
            return dataclasses.replace(n, index=place)
        return None

    return rewrite(unit, rule) if origins else unit
