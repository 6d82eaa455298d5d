"""What a stencil variant is compared with: the plain Python, on small grids and at chosen points.

Two comparisons.  *small grid*: the same kernel on a grid of a few hundred points, every point
compared, filled with values drawn from the user's own arrays.  *call's own shape*: the user's own
arrays; the plain Python is evaluated at corners, seams and random points only, and the ghost zone
must be untouched.  A small call is compared in full at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ... import config
from ...contracts import Namespace
from ...stages import ArrayType, Case, Expectation, KernelSource, Signature
from .calls import signature_of
from .dast import Box, Stencil
from .dast_passes import must_be_exact
from .interface import read_interface
from .reference import reference
from .rounding import rounding_bounds

Specialize = Callable[[Signature], Stencil]
Index = tuple[np.ndarray[Any, Any], ...]

_SMALL_INTERIOR = {1: (67,), 2: (13, 21), 3: (7, 9, 11), 4: (3, 4, 5, 6)}
_RANDOM_POINTS = 200
_SEAM_STEPS = (16, 64)


def cases(
    source: KernelSource,
    lookup: Namespace,
    optimise: Specialize,
    signature: Signature,
    values: Mapping[str, Any],
    strict: bool,
) -> tuple[Case, ...]:
    """The comparisons that every variant for *signature* must pass.

    ``optimise`` gives the optimised DAST for a signature (the small grid has its own); ``strict``
    asks for equality to the bit instead of equality within rounding.
    """
    stencil = optimise(signature)
    visited = stencil.visited
    if stencil.points <= config.PLAIN_PYTHON_POINTS:
        label = "at the call's own shape"
        return (_case(source, lookup, stencil, signature, values, strict, _all(visited), label),)
    own = _case(
        source,
        lookup,
        stencil,
        signature,
        values,
        strict,
        _chosen(visited),
        "at the call's own shape",
    )
    try:
        small = _small(source, lookup, optimise, stencil, signature, values, strict, shuffled=True)
    except (
        ArithmeticError,
        ValueError,
    ):  # values that no longer fit together: math.sqrt(u[x] - v[x])
        small = _small(source, lookup, optimise, stencil, signature, values, strict, shuffled=False)
    return small, own


def _small(
    source: KernelSource,
    lookup: Namespace,
    optimise: Specialize,
    stencil: Stencil,
    signature: Signature,
    values: Mapping[str, Any],
    strict: bool,
    *,
    shuffled: bool,
) -> Case:
    small = _small_values(source, stencil, signature, values, shuffled)
    signature = signature_of(read_interface(source), small)
    stencil = optimise(signature)
    index = _all(stencil.visited)
    return _case(source, lookup, stencil, signature, small, strict, index, "on a small grid")


def _case(
    source: KernelSource,
    lookup: Namespace,
    stencil: Stencil,
    signature: Signature,
    values: Mapping[str, Any],
    strict: bool,
    index: Index,
    label: str,
) -> Case:
    """Run the plain Python at the points *index* of scratch outputs, and note what it gave."""
    outputs = [g for g in stencil.grids.values() if g.output]
    scratch = dict(values)
    for grid in outputs:
        scratch[grid.name] = np.zeros(grid.shape, grid.dtype.numpy)
        scratch[grid.name][index] = values[grid.name][index]
    bounds = {} if strict else rounding_bounds(stencil, values, index, must_be_exact(stencil))
    points = list(zip(*(axis.tolist() for axis in index), strict=True))
    reference(source, lookup)(scratch, points)
    expected = [
        Expectation(g.name, index, scratch[g.name][index], bounds.get(g.name, 0.0)) for g in outputs
    ]
    for grid in outputs:
        for box in stencil.untouched:
            part = tuple(slice(r.start, r.stop) for r in box)
            expected.append(Expectation(grid.name, part, values[grid.name][part].copy(), 0.0))
    return Case(signature, values, tuple(expected), label)


def _all(boxes: tuple[Box, ...]) -> Index:
    meshes = [np.meshgrid(*map(np.asarray, box), indexing="ij") for box in boxes]
    return tuple(
        np.concatenate([axis.ravel() for axis in axes]).astype(int)
        for axes in zip(*meshes, strict=True)
    )


def _chosen(boxes: tuple[Box, ...]) -> Index:
    """Corners and edges of each box, both sides of likely tile seams, and random points."""
    generator = np.random.default_rng(1)
    chosen: set[tuple[int, ...]] = set()
    for box in (b for b in boxes if all(b)):
        chosen |= {
            *product(*({r[0], r[min(1, len(r) - 1)], r[max(-2, -len(r))], r[-1]} for r in box))
        }
        for axis, r in enumerate(box):
            for step in _SEAM_STEPS:
                for seam in (r.start + step, r.start + len(r) // step * step):
                    for coordinate in (seam - 1, seam):
                        if coordinate in r:
                            point = [int(generator.choice(other)) for other in box]
                            point[axis] = coordinate
                            chosen.add(tuple(point))
        for _ in range(_RANDOM_POINTS // len(boxes)):
            chosen.add(tuple(int(generator.choice(r)) for r in box))
    return tuple(np.array(axis) for axis in zip(*sorted(chosen), strict=True))


def _small_values(
    source: KernelSource,
    stencil: Stencil,
    signature: Signature,
    values: Mapping[str, Any],
    shuffled: bool,
) -> dict[str, Any]:
    """Small grids of the same layout with the user's own values: from random places, the same in
    every grid (smooth data would hide a wrong offset), or one block as it stands."""
    generator = np.random.default_rng(2)
    ghost, shape = stencil.sweep.ghost, stencil.grids[stencil.sweep.domain].shape
    inner = _SMALL_INTERIOR[len(ghost)]
    small_shape = tuple(min(n, i + 2 * g) for n, i, g in zip(shape, inner, ghost, strict=True))
    if shuffled:
        places = tuple(generator.integers(0, n, small_shape) for n in shape)
    else:
        corner = [
            int(generator.integers(0, n - s + 1)) for n, s in zip(shape, small_shape, strict=True)
        ]
        block = (np.arange(c, c + s) for c, s in zip(corner, small_shape, strict=True))
        places = np.ix_(*block)
    outputs = {g.name for g in stencil.grids.values() if g.output}
    inputs = [values[n] for n in read_interface(source).grids if n not in outputs]
    small = dict(values)
    for name, kind in signature.args:
        if isinstance(kind, ArrayType) and name in read_interface(source).grids:
            array = values[name] if name not in outputs or not inputs else inputs[0]
            drawn = np.broadcast_to(array[places], small_shape)
            content = _varied(generator, drawn) if shuffled else drawn
            small[name] = _alike(kind, small_shape, content.astype(kind.dtype.numpy))
    return small


def _varied(generator: np.random.Generator, drawn: Any) -> Any:
    """*drawn* with finite values only; numbers around them where they are all alike."""
    finite = drawn[np.isfinite(drawn)]
    middle = finite.flat[0] if finite.size else 1.0
    if finite.size == 0 or np.all(finite == middle):
        return generator.uniform(0.5, 1.5, drawn.shape) * (middle or 1.0)
    return np.where(np.isfinite(drawn), drawn, middle)


def _alike(kind: ArrayType, shape: tuple[int, ...], content: Any) -> Any:
    """*content* in the memory order of *kind*: its axes nest as that array's do, unit strides stay
    unit, other strides stay a multiple."""
    order = sorted(range(len(shape)), key=lambda a: -abs(kind.strides[a]))
    packed_shape = [shape[a] for a in order]
    inner = order[-1]
    step = min(max(1, abs(kind.strides[inner])), 4)
    packed_shape[-1] *= step
    packed = np.zeros(packed_shape, kind.dtype.numpy)[..., ::step]
    array = packed.transpose(np.argsort(order))
    flips = tuple(slice(None, None, -1 if s < 0 else 1) for s in kind.strides)
    array = array[flips]
    array[...] = content
    return array


def plain_run(
    source: KernelSource, lookup: Namespace, stencil: Stencil, values: Mapping[str, Any]
) -> tuple[Callable[[], None], int]:
    """A run of the plain Python on a compact block of at most ``config.PLAIN_PYTHON_POINTS`` interior
    points, writing to scratch outputs; and the number of points."""
    block = list(max(stencil.visited, key=lambda box: prod(map(len, box))))
    while prod(map(len, block)) > config.PLAIN_PYTHON_POINTS:
        longest = max(range(len(block)), key=lambda a: len(block[a]))
        block[longest] = block[longest][: (len(block[longest]) + 1) // 2]
    scratch = dict(values)
    for grid in stencil.grids.values():
        if grid.output:
            scratch[grid.name] = np.zeros(grid.shape, grid.dtype.numpy)
    points = list(product(*block))
    run = reference(source, lookup)
    return lambda: run(scratch, points), len(points)
