"""The same sweeps as others write them: NumPy slices and scipy.ndimage; Numba is in its own file.

A peer is given a call's arrays once and returns what is timed, so that views and buffers cost nothing.
All leave the rim of the output alone or compute it too; only the interior is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from .kernels import weights

Array = np.ndarray[Any, Any]
Run = Callable[[], object]


def numpy_slices(kernel: str, grids: Sequence[Array], out: Array) -> Run:
    """Slices with ``out=``: points of equal weight are summed first, then scaled."""
    inner = (slice(1, -1),) * out.ndim
    into, part = out[inner], np.empty_like(out[inner])
    sums = [
        (out.dtype.type(weight), terms)
        for grid, table in zip(grids, weights(kernel), strict=True)
        for weight, terms in _terms(grid, table)
    ]

    def run() -> None:
        for number, (weight, terms) in enumerate(sums):
            place = part if number else into
            _add_up(terms, place)
            np.multiply(terms[0][1] if len(terms) == 1 else place, weight, out=place)
            if number:
                np.add(into, part, out=into)

    return run


def scipy_ndimage(kernel: str, grids: Sequence[Array], out: Array) -> Run:
    """``laplace`` where it is that, else ``correlate``, which skips weights of zero."""
    from scipy import ndimage

    if kernel == "laplacian":
        return partial(ndimage.laplace, grids[0], output=out)
    tables = weights(kernel)
    part = np.empty_like(out)

    def run() -> None:
        ndimage.correlate(grids[0], tables[0], output=out)
        for grid, table in zip(grids[1:], tables[1:], strict=True):
            ndimage.correlate(grid, table, output=part)
            np.add(out, part, out=out)

    return run


def _terms(grid: Array, table: Array) -> Iterator[tuple[float, list[tuple[bool, Array]]]]:
    """Each weight, and the interior of *grid* moved to its points, added (``True``) or subtracted;
    the first is added.
    """
    places = [at for at in product(range(3), repeat=grid.ndim) if table[at]]
    for size in sorted({abs(table[at]) for at in places}):
        alike = sorted((at for at in places if abs(table[at]) == size), key=lambda at: -table[at])
        weight = table[alike[0]]
        yield weight, [(table[at] == weight, _moved(grid, at)) for at in alike]


def _moved(grid: Array, at: tuple[int, ...]) -> Array:
    return grid[tuple(slice(k, n - 2 + k) for k, n in zip(at, grid.shape, strict=True))]


def _add_up(terms: list[tuple[bool, Array]], into: Array) -> None:
    (_, before), *rest = terms
    for added, view in rest:
        (np.add if added else np.subtract)(before, view, out=into)
        before = into
