"""The kernels that the benchmarks run, and the weights that define the same sweeps for others."""

from __future__ import annotations

from typing import Any

import numpy as np

import sejits_nb as sj

CONV = (np.arange(9.0).reshape(3, 3) + 1) / 45
CONV_F32 = CONV.astype(np.float32)
SHELLS = (0.5, 0.05, 0.012, 0.007)
"""Weights of the 27 points: the centre, faces, edges, corners."""


@sj.stencil(fallback=False)
def laplacian(u, out, alpha, beta):
    for x in out.interior_points():
        acc = 0.0
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = alpha * u[x] + beta * acc


@sj.stencil(fallback=False)
def divergence(u, v, w, out, alpha, beta, gamma):
    for x in out.interior_points():
        dx = u[x + (1, 0, 0)] - u[x - (1, 0, 0)]
        dy = v[x + (0, 1, 0)] - v[x - (0, 1, 0)]
        dz = w[x + (0, 0, 1)] - w[x - (0, 0, 1)]
        out[x] = alpha * dx + beta * dy + gamma * dz


@sj.stencil(fallback=False)
def jacobi(u, out, weight):
    for x in out.interior_points():
        acc = 0.0
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = weight * acc


@sj.stencil(fallback=False)
def conv3x3(u, out):
    for x in out.interior_points():
        acc = 0.0
        for y, weight in u.weighted(x, CONV_F32):
            acc += weight * u[y]
        out[x] = acc


@sj.stencil(fallback=False)
def points27(u, out):
    for x in out.interior_points():
        acc = 0.0
        for y in u.neighbors(x, 1, metric="moore"):
            acc += SHELLS[distance(x, y)] * u[y]  # type: ignore[name-defined]  # noqa: F821
        out[x] = SHELLS[0] * u[x] + acc


OURS = {k.__name__: k for k in (laplacian, divergence, jacobi, conv3x3, points27)}
SCALARS: dict[str, tuple[float, ...]] = {
    "laplacian": (-6.0, 1.0), "divergence": (0.5, 0.25, 0.125), "jacobi": (0.25,), "conv3x3": (),
    "points27": (),
}  # fmt: skip
"""Kernel -> what a call passes after the output."""


def weights(kernel: str) -> tuple[np.ndarray[Any, Any], ...]:
    """The sweep as a weighted sum: a float64 table for each input grid, centred, 3 along each axis."""
    scalars = SCALARS[kernel]
    if kernel == "conv3x3":
        return (CONV,)
    if kernel == "divergence":
        return tuple(_difference(axis, factor) for axis, factor in enumerate(scalars))
    axes = 2 if kernel == "jacobi" else 3
    steps = np.abs(np.indices((3,) * axes) - 1).sum(axis=0)
    shells = {
        "laplacian": (*scalars, 0.0, 0.0), "jacobi": (0.0, *scalars, 0.0), "points27": SHELLS
    }  # fmt: skip
    return (np.array(shells[kernel])[steps],)


def _difference(axis: int, factor: float) -> np.ndarray[Any, Any]:
    table = np.zeros((3, 3, 3))
    table[tuple(0 if k == axis else 1 for k in range(3))] = -factor
    table[tuple(2 if k == axis else 1 for k in range(3))] = factor
    return table
