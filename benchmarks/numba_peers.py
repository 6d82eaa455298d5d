"""The same sweeps as parallel loops of Numba; imported only where Numba is installed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numba
from numba import prange
from numba.np.ufunc.parallel import threading_layer

from .kernels import CONV, SCALARS, SHELLS
from .peers import Array

_compiled = numba.njit(parallel=True, fastmath=True)


@_compiled
def laplacian(u, out, a, b):
    n0, n1, n2 = u.shape
    for i in prange(1, n0 - 1):
        for j in range(1, n1 - 1):
            for k in range(1, n2 - 1):
                out[i, j, k] = a * u[i, j, k] + b * (
                    u[i, j, k - 1] + u[i, j, k + 1] + u[i, j - 1, k] + u[i, j + 1, k]
                    + u[i - 1, j, k] + u[i + 1, j, k]
                )  # fmt: skip


@_compiled
def divergence(u, v, w, out, a, b, c):
    n0, n1, n2 = u.shape
    for i in prange(1, n0 - 1):
        for j in range(1, n1 - 1):
            for k in range(1, n2 - 1):
                out[i, j, k] = (
                    a * (u[i + 1, j, k] - u[i - 1, j, k])
                    + b * (v[i, j + 1, k] - v[i, j - 1, k])
                    + c * (w[i, j, k + 1] - w[i, j, k - 1])
                )


@_compiled
def jacobi(u, out, a):
    n0, n1 = u.shape
    for i in prange(1, n0 - 1):
        for j in range(1, n1 - 1):
            out[i, j] = a * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1])


@_compiled
def conv3x3(u, out, a, b, c, d, e, f, g, h, m):
    n0, n1 = u.shape
    for i in prange(1, n0 - 1):
        for j in range(1, n1 - 1):
            out[i, j] = (
                a * u[i - 1, j - 1] + b * u[i - 1, j] + c * u[i - 1, j + 1]
                + d * u[i, j - 1] + e * u[i, j] + f * u[i, j + 1]
                + g * u[i + 1, j - 1] + h * u[i + 1, j] + m * u[i + 1, j + 1]
            )  # fmt: skip


@_compiled
def points27(u, out, a, b, c, d):
    n0, n1, n2 = u.shape
    for i in prange(1, n0 - 1):
        for j in range(1, n1 - 1):
            for k in range(1, n2 - 1):
                faces = (
                    u[i, j, k - 1] + u[i, j, k + 1] + u[i, j - 1, k] + u[i, j + 1, k]
                    + u[i - 1, j, k] + u[i + 1, j, k]
                )  # fmt: skip
                edges = (
                    u[i - 1, j - 1, k] + u[i - 1, j + 1, k] + u[i + 1, j - 1, k]
                    + u[i + 1, j + 1, k] + u[i - 1, j, k - 1] + u[i - 1, j, k + 1]
                    + u[i + 1, j, k - 1] + u[i + 1, j, k + 1] + u[i, j - 1, k - 1]
                    + u[i, j - 1, k + 1] + u[i, j + 1, k - 1] + u[i, j + 1, k + 1]
                )  # fmt: skip
                corners = (
                    u[i - 1, j - 1, k - 1] + u[i - 1, j - 1, k + 1] + u[i - 1, j + 1, k - 1]
                    + u[i - 1, j + 1, k + 1] + u[i + 1, j - 1, k - 1] + u[i + 1, j - 1, k + 1]
                    + u[i + 1, j + 1, k - 1] + u[i + 1, j + 1, k + 1]
                )  # fmt: skip
                out[i, j, k] = a * u[i, j, k] + b * faces + c * edges + d * corners


_LOOPS: dict[str, Any] = {
    "laplacian": laplacian, "divergence": divergence, "jacobi": jacobi, "conv3x3": conv3x3,
    "points27": points27,
}  # fmt: skip


def numba_loops(kernel: str, grids: Sequence[Array], out: Array) -> partial[object]:
    """Parallel loops over the outermost dimension; coefficients have the grids' type."""
    constants = {"conv3x3": tuple(CONV.flat), "points27": SHELLS}.get(kernel, SCALARS[kernel])
    return partial(_LOOPS[kernel], *grids, out, *map(out.dtype.type, constants))


def threads() -> int:
    """The threads that the loops run on."""
    return int(numba.get_num_threads())


def layer() -> str:
    """Numba's threading layer; known once a loop has run."""
    return str(threading_layer())
