"""The least work of a sweep, for rooflines: points, operations, compulsory traffic."""

from __future__ import annotations

from math import prod

from ...ir.node import walk
from ...results import Work
from .dast import Read, Stencil
from .dast_passes import flops


def work(stencil: Stencil) -> Work:
    """Each input read once with its ghost zone, each output written once; from the optimised DAST."""
    points = prod(map(len, stencil.interior))
    used = {n.grid for s in stencil.sweep.body for n in walk(s) if isinstance(n, Read)}
    inputs = [g for g in stencil.grids.values() if not g.output and g.name in used]
    read = sum(g.dtype.size_bytes * prod(g.shape) for g in inputs)
    written = sum(g.dtype.size_bytes * points for g in stencil.grids.values() if g.output)
    return Work(points, flops(stencil), read + written)
