"""Every transformation of large grids, alone and together, computes what the plain Python does.

Rows end inside a cache line, outputs start anywhere in one, and one output is wider than the next:
what streaming has to get right.  Compared is the whole grid, with NumPy.
"""

# The kernels are written as users write them: without types.
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

import sejits_nb as sj

Array = np.ndarray[Any, Any]
ALL = [
    f"threads={threads},unroll={unroll},stream={stream},prefetch={prefetch}"
    for threads, unroll, (stream, prefetch) in product(
        (1, 2), (1, 2), ((0, 0), (1, 0), (1, 1), (1, 256))
    )
]


def kernel_of(fn: Callable[..., None], settings: str) -> Any:
    return sj.stencil(fn, backend="openmp", set=settings, fallback=False)


def at_phase(array: Array, elements: int) -> Array:
    """*array* copied to a place that many elements behind the start of a cache line."""
    size = array.nbytes + 128
    raw = np.zeros(size, np.uint8)
    start = -raw.ctypes.data % 64 + elements * array.itemsize
    placed = np.ndarray(array.shape, array.dtype, raw, start)
    placed[...] = array
    return placed


@pytest.mark.parametrize("settings", ALL)
@pytest.mark.parametrize(
    ("dtype", "shape"),
    [(np.float64, (300, 131)), (np.float32, (280, 144)), (np.int16, (260, 200))],
)
def test_five_points(settings: str, dtype: type, shape: tuple[int, ...]) -> None:
    def five(u, out):
        for x in out.interior_points():
            out[x] = u[x + (-1, 0)] + u[x + (1, 0)] + u[x + (0, -1)] + u[x + (0, 1)] - 4 * u[x]

    rng = np.random.default_rng(1)
    u: Array = rng.integers(-1000, 1000, shape).astype(dtype)
    expected: Array = np.full(shape, 7, dtype)
    expected[1:-1, 1:-1] = (
        u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4 * u[1:-1, 1:-1]
    )
    kernel = kernel_of(five, settings)
    for phase in (0, 1, 7):
        out = at_phase(np.full(shape, 7, dtype), phase)
        kernel(u, out)
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("tile", [0, 16])
@pytest.mark.parametrize("settings", ALL[::3])
def test_gradient_of_planes(settings: str, tile: int) -> None:
    """Three outputs, each at a phase of its own, and tiles whose last is short."""

    def gradient(u, gx, gy, gz):
        for x in gx.interior_points():
            gx[x] = u[x + (1, 0, 0)] - u[x + (-1, 0, 0)]
            gy[x] = u[x + (0, 1, 0)] - u[x + (0, -1, 0)]
            gz[x] = u[x + (0, 0, 1)] - u[x + (0, 0, -1)]

    u = np.random.default_rng(2).integers(-99, 99, (21, 37, 83)).astype(np.float64)
    outs = [at_phase(np.zeros_like(u), phase) for phase in (0, 3, 5)]
    kernel_of(gradient, f"{settings},tile={tile}")(u, *outs)
    for axis, out in enumerate(outs):
        inside = (slice(1, -1),) * 3
        difference = np.roll(u, -1, axis) - np.roll(u, 1, axis)
        np.testing.assert_array_equal(out[inside], difference[inside])
        out[inside] = 0
        assert not out.any()


def test_outputs_of_two_widths_keep_the_plain_loop() -> None:
    def both(u, out, small):
        for x in out.all_points():
            out[x] = 2.0 * u[x]
            small[x] = u[x] > 0.5

    u = np.random.default_rng(3).random((300, 130))
    out, small = np.zeros_like(u), np.zeros(u.shape, np.bool_)
    kernel = kernel_of(both, "stream=1,prefetch=1")
    kernel(u, out, small)
    np.testing.assert_array_equal(out, 2 * u)
    np.testing.assert_array_equal(small, u > 0.5)
    assert "stream_f64" not in str(kernel.source)


def test_boundaries_and_streaming() -> None:
    def blur(u, out):
        for x in out.interior_points():
            out[x] = u[x + (0, -1)] + u[x + (0, 1)] + u[x + (-1, 0)] + u[x + (1, 0)]

    u = np.random.default_rng(4).integers(0, 99, (280, 133)).astype(np.float64)
    expected = sum(np.roll(u, shift, axis) for axis in (0, 1) for shift in (-1, 1))
    wrapped = sj.stencil(
        blur, backend="openmp", boundary="wrap", set="stream=1,prefetch=1,unroll=4"
    )
    np.testing.assert_array_equal(wrapped(u), expected)
    assert "stream_f64" in str(wrapped.source)


def test_fortran_order_streams_along_its_own_rows() -> None:
    def shifted(u, out):
        for x in out.interior_points():
            out[x] = u[x + (1, 0)]

    u = np.asfortranarray(np.random.default_rng(5).random((200, 210)))
    kernel = kernel_of(shifted, "stream=1,prefetch=1")
    out = np.zeros_like(u)
    kernel(u, out)
    np.testing.assert_array_equal(out[1:-1, 1:-1], u[2:, 1:-1])
    assert "stream_f64" in str(kernel.source)
