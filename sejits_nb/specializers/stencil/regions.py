"""The sweep's domain cut into boxes: one where every read is inside the grid, and the shells around.

#########    A read near the rim goes where its boundary mode says.  The core (.) needs none of
#.......#    that and keeps its vector loop.  Shells are cut off the innermost axis first, so that
#.......#    those of the outer axes, which are the long ones, have an innermost loop that stays
#########    inside as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from .dast import Box, Stencil, shells


@dataclass(frozen=True, slots=True)
class Region:
    """A box of the domain; reads may leave the grid along the ``rim`` axes only."""

    box: Box
    rim: frozenset[int]


def regions(stencil: Stencil, order: tuple[int, ...]) -> tuple[Region, ...]:
    """The regions of the sweep, the core first; *order* lists the axes from outermost to innermost."""
    core = _core(stencil)
    if stencil.sweep.border:
        return tuple(Region(box, _leaving(box, core)) for box in stencil.visited)
    shells_ = tuple(Region(*found) for found in shells(stencil.interior, core, order))
    if shells_ and shells_[0].box == stencil.interior:
        return shells_
    return (Region(core, frozenset()), *shells_)


def _leaving(box: Box, core: Box) -> frozenset[int]:
    """The axes along which *box* goes beyond *core*."""
    pairs = enumerate(zip(box, core, strict=True))
    return frozenset(a for a, (b, c) in pairs if b.start < c.start or b.stop > c.stop)


def _core(stencil: Stencil) -> tuple[range, ...]:
    """The points all of whose reads are inside the grid."""
    shape = stencil.grids[stencil.sweep.domain].shape
    whole = tuple(map(range, shape)) if stencil.sweep.border else stencil.interior
    return tuple(
        range(max(r.start, h), max(r.start, h, min(r.stop, n - h)))
        for r, h, n in zip(whole, stencil.sweep.halo, shape, strict=True)
    )
