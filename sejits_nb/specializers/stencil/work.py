"""The least work of a sweep, for rooflines: points, operations, compulsory traffic."""

from __future__ import annotations

from collections import Counter
from math import prod

from ...ir.expr import Binary, Call
from ...ir.node import walk
from ...results import Work
from .dast import Grid, Read, Stencil

LINE_BYTES = 64
"""What one access moves at least: elements further apart cost a line each."""
_STEPS = ("min", "max", "npmin", "npmax", "abs")


def work(stencil: Stencil) -> Work:
    """Each grid read once where the sweep's offsets reach, each output written once; from the
    optimised DAST.  A grid whose elements lie apart moves whole cache lines.
    """
    points = stencil.points
    written = sum(points * _element_bytes(g) for g in stencil.grids.values() if g.output)
    read = sum(_reached(stencil, g) * _element_bytes(g) for g in stencil.grids.values())
    counted = operations(stencil)
    dtype = max(counted, key=lambda name: (counted[name], name), default="f64")
    return Work(points, counted.total(), read + written, written, dtype)


def operations(stencil: Stencil) -> Counter[str]:
    """Floating-point operations a point by dtype: one for each arithmetic operator and intrinsic.

    Comparisons, ``min``, ``max``, ``abs``, changes of sign and integer arithmetic count nothing.
    """
    return Counter(
        n.dtype.strong.name
        for s in stencil.sweep.body
        for n in walk(s)
        if (isinstance(n, Binary) or (isinstance(n, Call) and n.func not in _STEPS))
        and n.dtype is not None
        and n.dtype.kind == "f"
    )


def _reached(stencil: Stencil, grid: Grid) -> int:
    """Elements in the box of *grid* that the sweep reads: its interior, as far as offsets reach."""
    offsets = [n.point.offset for s in stencil.sweep.body for n in walk(s)
               if isinstance(n, Read) and n.grid == grid.name]  # fmt: skip
    if not offsets or not all(map(len, stencil.interior)):
        return 0
    reach = [max(o) - min(o) for o in zip(*offsets, strict=True)]
    return prod(
        min(length, len(inside) + more) if stride else 1
        for length, stride, inside, more in zip(
            grid.shape, grid.strides, stencil.interior, reach, strict=True
        )
    )


def _element_bytes(grid: Grid) -> int:
    """Bytes that one element costs: its size, or those up to its neighbor, at most a cache line."""
    apart = (abs(s) for s, n in zip(grid.strides, grid.shape, strict=True) if s and n > 1)
    return max(
        grid.dtype.size_bytes, min(min(apart, default=1) * grid.dtype.size_bytes, LINE_BYTES)
    )
