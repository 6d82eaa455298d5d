"""The sweep's domain cut into boxes: one where every read is inside the grid, and the shells around.

#########    A read near the rim goes where its boundary mode says.  The core (.) needs none of
#.......#    that and keeps its vector loop.  Shells are cut off the innermost axis first, so that
#.......#    those of the outer axes, which are the long ones, have an innermost loop that stays
#########    inside as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .dast import Stencil


@dataclass(frozen=True, slots=True)
class Region:
    """A box of the domain; reads may leave the grid along the ``rim`` axes only."""

    box: tuple[range, ...]
    rim: frozenset[int]


def regions(stencil: Stencil, order: tuple[int, ...]) -> tuple[Region, ...]:
    """The regions of the sweep, the core first; *order* lists the axes from outermost to innermost."""
    whole, core = stencil.interior, _core(stencil)
    bounded = frozenset(a for a in order if core[a] != whole[a])
    if not bounded:
        return (Region(whole, frozenset()),)
    if any(len(core[a]) == 0 for a in bounded):
        return (Region(whole, bounded),)
    return (Region(core, frozenset()), *_shells(whole, core, order, bounded))


def _shells(
    whole: tuple[range, ...],
    core: tuple[range, ...],
    order: tuple[int, ...],
    bounded: frozenset[int],
) -> Iterator[Region]:
    box, left = list(whole), set(bounded)
    for axis in reversed(order):
        if axis in bounded:
            low = range(whole[axis].start, core[axis].start)
            high = range(core[axis].stop, whole[axis].stop)
            for slab in (low, high):
                if slab:
                    yield Region((*box[:axis], slab, *box[axis + 1 :]), frozenset(left))
            left.discard(axis)
        box[axis] = core[axis]


def _core(stencil: Stencil) -> tuple[range, ...]:
    """The points all of whose reads are inside the grid."""
    shape = stencil.grids[stencil.sweep.domain].shape
    return tuple(
        range(max(r.start, h), max(r.start, h, min(r.stop, n - h)))
        for r, h, n in zip(stencil.interior, stencil.sweep.halo, shape, strict=True)
    )
