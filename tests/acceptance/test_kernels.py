"""The acceptance kernels that the core covers, each against the plain Python and NumPy or SciPy."""

# The kernels are written as users write them: without types, with intrinsics that nothing imports.
# mypy: disable-error-code="no-untyped-def, name-defined"

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

import sejits_nb as sj

Array = np.ndarray[Any, Any]
RTOL = 1e-12
generator = np.random.default_rng(2011)


def agree(kernel: Any, *args: Any, wanted: Any, rtol: float = RTOL) -> None:
    """The kernel's outputs, the plain Python's, and *wanted* (whole arrays, rim included) are equal."""
    native, plain = kernel(*args), kernel.reference(*args)
    for got, reference, want in zip(_tuple(native), _tuple(plain), _tuple(wanted), strict=True):
        scale = float(np.abs(want).max(initial=0.0))
        np.testing.assert_allclose(got, reference, rtol, rtol * scale)
        np.testing.assert_allclose(got, want, rtol, rtol * scale)


def _tuple(result: Any) -> tuple[Array, ...]:
    return result if isinstance(result, tuple) else (result,)


def inside(shape: tuple[int, ...], depth: int, values: Array) -> Array:
    """Zeros of *shape* with *values* inside a rim of *depth* points."""
    whole = np.zeros(shape)
    whole[(slice(depth, -depth),) * len(shape)] = values
    return whole


def moved(u: Array, depth: int, *offset: int) -> Array:
    """The interior of *u* read at a constant offset."""
    return u[tuple(slice(depth + o, n - depth + o) for o, n in zip(offset, u.shape, strict=True))]


def test_sum_of_four() -> None:
    @sj.stencil(fallback=False)
    def sum4(u, out):
        for x in out.interior_points():
            for y in u.neighbors(x, 1):
                out[x] += u[y]

    wanted = np.zeros((5, 5))
    wanted[1:-1, 1:-1] = 4.0
    agree(sum4, np.ones((5, 5)), wanted=wanted)


def test_fourth_order_derivative_of_sine_is_cosine() -> None:
    @sj.stencil(fallback=False)
    def derivative(u, out, h):
        for x in out.interior_points():
            out[x] = (u[x - (2,)] - 8 * u[x - (1,)] + 8 * u[x + (1,)] - u[x + (2,)]) / (12 * h)

    points = np.linspace(0, 2 * np.pi, 400)
    h, u = points[1], np.sin(points)
    formula = (u[:-4] - 8 * u[1:-3] + 8 * u[3:-1] - u[4:]) / (12 * h)
    agree(derivative, u, h, wanted=inside(u.shape, 2, formula), rtol=1e-10)
    np.testing.assert_allclose(derivative(u, h)[2:-2], np.cos(points)[2:-2], atol=1e-8)


def test_laplacian_of_cubes() -> None:
    @sj.stencil(fallback=False)
    def laplacian(u, out):
        for x in out.interior_points():
            acc = -4.0 * u[x]
            for y in u.neighbors(x, 1):
                acc += u[y]
            out[x] = acc

    x, y = np.meshgrid(np.arange(20.0), np.arange(31.0), indexing="ij")
    agree(laplacian, x**3 + y**3, wanted=inside(x.shape, 1, (6 * x + 6 * y)[1:-1, 1:-1]))


def test_seven_points_with_coefficients() -> None:
    @sj.stencil(fallback=False)
    def seven(u, out, alpha, beta):
        for x in out.interior_points():
            acc = 0.0
            for y in u.neighbors(x, 1):
                acc += u[y]
            out[x] = alpha * u[x] + beta * acc

    u = generator.normal(size=(9, 10, 11))
    near = [o for o in itertools.product((-1, 0, 1), repeat=3) if _l1(o) == 1]
    six = np.sum([moved(u, 1, *o) for o in near], axis=0)
    wanted = inside(u.shape, 1, 0.4 * moved(u, 1, 0, 0, 0) + 0.1 * six)
    agree(seven, u, 0.4, 0.1, wanted=wanted)


def _l1(offset: tuple[int, ...]) -> int:
    return sum(map(abs, offset))


def test_divergence_of_three_grids() -> None:
    @sj.stencil(fallback=False)
    def divergence(u, v, w, out, alpha, beta, gamma):
        for x in out.interior_points():
            out[x] = (
                alpha * (u[x + (1, 0, 0)] - u[x - (1, 0, 0)])
                + beta * (v[x + (0, 1, 0)] - v[x - (0, 1, 0)])
                + gamma * (w[x + (0, 0, 1)] - w[x - (0, 0, 1)])
            )

    u, v, w = generator.normal(size=(3, 8, 9, 10))
    formula = (
        0.5 * (moved(u, 1, 1, 0, 0) - moved(u, 1, -1, 0, 0))
        + 0.25 * (moved(v, 1, 0, 1, 0) - moved(v, 1, 0, -1, 0))
        + 2.0 * (moved(w, 1, 0, 0, 1) - moved(w, 1, 0, 0, -1))
    )
    agree(divergence, u, v, w, 0.5, 0.25, 2.0, wanted=inside(u.shape, 1, formula))


def test_gradient_gives_three_outputs_in_parameter_order() -> None:
    @sj.stencil(fallback=False)
    def gradient(u, gx, gy, gz, h=1.0):
        for x in gx.interior_points():
            gx[x] = (u[x + (1, 0, 0)] - u[x - (1, 0, 0)]) / (2 * h)
            gz[x] = (u[x + (0, 0, 1)] - u[x - (0, 0, 1)]) / (2 * h)
            gy[x] = (u[x + (0, 1, 0)] - u[x - (0, 1, 0)]) / (2 * h)

    u = generator.normal(size=(8, 9, 10))
    slopes: list[Array] = list(np.gradient(u))
    wanted = tuple(inside(u.shape, 1, g[1:-1, 1:-1, 1:-1]) for g in slopes)
    agree(gradient, u, wanted=wanted)


def test_27_points_weighted_by_distance() -> None:
    near = [o for o in itertools.product((-1, 0, 1), repeat=3) if any(o)]
    weight = (1.0, 0.5, 0.25, 0.125)

    @sj.stencil(fallback=False)
    def weighted(u, out):
        for x in out.interior_points():
            out[x] = (
                weight[0] * u[x]
                + weight[1] * (u[x - (1, 0, 0)] + u[x + (1, 0, 0)] + u[x - (0, 1, 0)])
                + weight[1] * (u[x + (0, 1, 0)] + u[x - (0, 0, 1)] + u[x + (0, 0, 1)])
                + weight[2] * (u[x + (1, 1, 0)] + u[x + (1, -1, 0)] + u[x + (-1, 1, 0)])
                + weight[2] * (u[x + (-1, -1, 0)] + u[x + (1, 0, 1)] + u[x + (1, 0, -1)])
                + weight[2] * (u[x + (-1, 0, 1)] + u[x + (-1, 0, -1)] + u[x + (0, 1, 1)])
                + weight[2] * (u[x + (0, 1, -1)] + u[x + (0, -1, 1)] + u[x + (0, -1, -1)])
                + weight[3] * (u[x + (1, 1, 1)] + u[x + (1, 1, -1)] + u[x + (1, -1, 1)])
                + weight[3] * (u[x + (1, -1, -1)] + u[x + (-1, 1, 1)] + u[x + (-1, 1, -1)])
                + weight[3] * (u[x + (-1, -1, 1)] + u[x + (-1, -1, -1)])
            )

    u = generator.normal(size=(7, 8, 9))
    terms = [weight[_l1(o)] * moved(u, 1, *o) for o in near]
    formula = moved(u, 1, 0, 0, 0) + np.sum(terms, axis=0)
    agree(weighted, u, wanted=inside(u.shape, 1, formula))


def test_anisotropic_jacobi() -> None:
    @sj.stencil(fallback=False)
    def jacobi(u, out):
        for x in out.interior_points():
            out[x] = 0.1 * (u[x - (0, 1)] + u[x + (0, 1)]) + 0.3 * (u[x + (1, 0)] + u[x - (1, 0)])

    u = generator.normal(size=(12, 13))
    west_east = moved(u, 1, 0, -1) + moved(u, 1, 0, 1)
    north_south = moved(u, 1, -1, 0) + moved(u, 1, 1, 0)
    agree(jacobi, u, wanted=inside(u.shape, 1, 0.1 * west_east + 0.3 * north_south))


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_directed_weights_keep_the_rim(start: float) -> None:
    @sj.stencil(fallback=False)
    def directed(u, out):
        for x in out.interior_points():
            out[x] = 2 * u[x - (0, 1)] + 4 * u[x + (0, 1)] + 8 * u[x - (1, 0)] + 16 * u[x + (1, 0)]

    out, plain = np.full((2, 6, 7), start)
    directed(np.ones((6, 7)), out)
    directed.reference(np.ones((6, 7)), plain)
    wanted = np.full((6, 7), start)
    wanted[1:-1, 1:-1] = 30.0
    np.testing.assert_array_equal(out, wanted)
    np.testing.assert_array_equal(plain, wanted)


def _mean_kernels() -> dict[str, Any]:
    @sj.stencil(fallback=False)
    def neumann(u, out, count):
        for x in out.interior_points():
            acc = u[x]
            for y in u.neighbors(x, 1):
                acc += u[y]
            out[x] = acc / count

    @sj.stencil(fallback=False)
    def moore(u, out, count):
        for x in out.interior_points():
            acc = u[x]
            for y in u.neighbors(x, 1, metric="moore"):
                acc += u[y]
            out[x] = acc / count

    return {"l1": neumann, "moore": moore}


@pytest.mark.parametrize("metric", ["l1", "moore"])
@pytest.mark.parametrize("ndim", [1, 2, 3, 4])
def test_means_in_any_number_of_axes(ndim: int, metric: str) -> None:
    u = generator.normal(size=(8, 7, 6, 5)[:ndim])
    offsets = [
        o for o in itertools.product((-1, 0, 1), repeat=ndim) if metric == "moore" or _l1(o) <= 1
    ]
    formula = np.mean([moved(u, 1, *o) for o in offsets], axis=0)
    agree(_mean_kernels()[metric], u, len(offsets), wanted=inside(u.shape, 1, formula))


def test_ten_smoothings_are_ten_convolutions() -> None:
    @sj.stencil(fallback=False)
    def smooth(u, out):
        for x in out.interior_points():
            out[x] = 0.25 * u[x - (1,)] + 0.5 * u[x] + 0.25 * u[x + (1,)]

    u = np.zeros(101)
    u[40:61] = generator.normal(size=21)  # far from both ends: the rim takes no part
    wanted = u
    for _ in range(10):
        wanted = np.convolve(wanted, [0.25, 0.5, 0.25], mode="same")
    np.testing.assert_allclose(smooth.iterate(u, steps=10), wanted, atol=1e-14)
    plain = u
    for _ in range(10):
        plain = smooth.reference(plain)
    np.testing.assert_allclose(plain, wanted, atol=1e-14)


@pytest.mark.parametrize("ndim", [1, 2])
def test_heat(ndim: int) -> None:
    @sj.stencil(fallback=False)
    def heat(u, out, alpha=0.1, centre=4.0):
        for x in out.interior_points():
            acc = 0.0
            for y in u.neighbors(x, 1):
                acc += u[y]
            out[x] = u[x] + alpha * (acc - centre * u[x])

    u = generator.normal(size=(20, 21)[:ndim])
    steps = u.copy()
    plain = u.copy()
    within = (slice(1, -1),) * ndim
    for _ in range(25):
        cross = ndimage.generate_binary_structure(ndim, 1).astype(float)
        laplacian = ndimage.convolve(steps, cross) - (2 * ndim + 1) * steps
        steps[within] += 0.1 * laplacian[within]
        swept = plain.copy()
        heat.reference(plain, swept, 0.1, 2.0 * ndim)
        plain = swept
    found = heat.iterate(u, steps=25, centre=2.0 * ndim)
    np.testing.assert_allclose(found, steps, atol=1e-13)
    np.testing.assert_allclose(found, plain, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_convolution_3x3(dtype: str) -> None:
    table = ((1.0, 2.0, -1.0), (0.5, 4.0, 3.0), (-2.0, 0.25, 1.5))

    @sj.stencil(fallback=False)
    def convolve3(u, out):
        for x in out.interior_points():
            acc = table[0][0] * u[x + (-1, -1)]
            acc += table[0][1] * u[x + (-1, 0)] + table[0][2] * u[x + (-1, 1)]
            acc += table[1][0] * u[x + (0, -1)] + table[1][1] * u[x] + table[1][2] * u[x + (0, 1)]
            acc += table[2][0] * u[x + (1, -1)]
            acc += table[2][1] * u[x + (1, 0)] + table[2][2] * u[x + (1, 1)]
            out[x] = acc

    u = generator.normal(size=(17, 19)).astype(dtype)
    wanted = ndimage.correlate(u.astype("float64"), np.array(table))[1:-1, 1:-1]
    rtol = 1e-5 if dtype == "float32" else RTOL
    agree(convolve3, u, wanted=inside(u.shape, 1, wanted), rtol=rtol)


def test_convolution_5x5() -> None:
    outer = (1.0, 4.0, 6.0, 4.0, 1.0)
    kernel = sj.stencil(fallback=False)(_binomial_5x5(outer))
    u = generator.normal(size=(17, 19))
    wanted = ndimage.correlate(u, np.outer(outer, outer) / 256)[2:-2, 2:-2]
    agree(kernel, u, wanted=inside(u.shape, 2, wanted))


def _binomial_5x5(b: tuple[float, ...]) -> Callable[..., None]:
    def five(u, out):
        for x in out.interior_points():
            top = b[0] * u[x + (-2, -2)] + b[1] * u[x + (-2, -1)] + b[2] * u[x + (-2, 0)]
            top += b[3] * u[x + (-2, 1)] + b[4] * u[x + (-2, 2)]
            high = b[0] * u[x + (-1, -2)] + b[1] * u[x + (-1, -1)] + b[2] * u[x + (-1, 0)]
            high += b[3] * u[x + (-1, 1)] + b[4] * u[x + (-1, 2)]
            mid = b[0] * u[x + (0, -2)] + b[1] * u[x + (0, -1)] + b[2] * u[x]
            mid += b[3] * u[x + (0, 1)] + b[4] * u[x + (0, 2)]
            low = b[0] * u[x + (1, -2)] + b[1] * u[x + (1, -1)] + b[2] * u[x + (1, 0)]
            low += b[3] * u[x + (1, 1)] + b[4] * u[x + (1, 2)]
            last = b[0] * u[x + (2, -2)] + b[1] * u[x + (2, -1)] + b[2] * u[x + (2, 0)]
            last += b[3] * u[x + (2, 1)] + b[4] * u[x + (2, 2)]
            out[x] = (b[0] * top + b[1] * high + b[2] * mid + b[3] * low + b[4] * last) / 256

    return five


def test_sobel_energy() -> None:
    @sj.stencil(fallback=False)
    def sobel(u, out):
        for x in out.interior_points():
            east = u[x + (-1, 1)] + 2 * u[x + (0, 1)] + u[x + (1, 1)]
            west = u[x + (-1, -1)] + 2 * u[x + (0, -1)] + u[x + (1, -1)]
            south = u[x + (1, -1)] + 2 * u[x + (1, 0)] + u[x + (1, 1)]
            north = u[x + (-1, -1)] + 2 * u[x + (-1, 0)] + u[x + (-1, 1)]
            out[x] = sqrt((east - west) ** 2 + (south - north) ** 2)  # noqa: F821

    u = generator.normal(size=(17, 19))
    wanted = np.hypot(ndimage.sobel(u, 0), ndimage.sobel(u, 1))[1:-1, 1:-1]
    agree(sobel, u, wanted=inside(u.shape, 1, wanted))
