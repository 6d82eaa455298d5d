"""How far a sweep's reads reach, and the ghost zone that it therefore leaves alone."""

from __future__ import annotations

from ...contracts import Interface
from ...ir.dast import Statement
from ...ir.node import walk
from ...stages import KernelSource
from .boundaries import boundaries_of
from .dast import ForNeighbors, Offset, Point, Read


def depths(
    source: KernelSource, interface: Interface, body: tuple[Statement, ...], ndim: int
) -> tuple[Offset, Offset]:
    """The reach of all reads on each axis, and of those of grids that keep their rim."""
    halo = ghost = (0,) * ndim
    for grid, reach in _reaches(body, ndim).items():
        modes = boundaries_of(source, interface, grid, ndim)
        halo = tuple(map(max, halo, reach))
        kept = (r if b.mode == "keep" else 0 for r, b in zip(reach, modes, strict=True))
        ghost = tuple(map(max, ghost, kept))
    return halo, ghost


def _reaches(body: tuple[Statement, ...], ndim: int) -> dict[str, Offset]:
    """Grid -> its farthest read on each axis, neighborhoods included."""
    spread: dict[str, Offset] = {}
    reaches: dict[str, Offset] = {}

    def far(point: Point) -> Offset:
        base = spread.get(point.name, (0,) * ndim)
        return tuple(b + abs(o) for b, o in zip(base, point.offset, strict=True))

    for n in (n for s in body for n in walk(s)):
        if isinstance(n, ForNeighbors):
            wide = tuple(max((abs(o[d]) for o in n.offsets), default=0) for d in range(ndim))
            spread[n.var] = tuple(a + b for a, b in zip(far(n.centre), wide, strict=True))
        elif isinstance(n, Read):
            reaches[n.grid] = tuple(map(max, reaches.get(n.grid, (0,) * ndim), far(n.point)))
    return reaches
