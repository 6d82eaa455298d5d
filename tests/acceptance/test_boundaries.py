"""Boundary modes against scipy.ndimage and the plain Python; integer grids; tables and weights."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

import sejits_nb as sj
from sejits_nb import OptionError

SCIPY = {
    "clamp": "nearest", "wrap": "wrap", "reflect": "reflect", "mirror": "mirror",
    "constant": "constant",
}  # fmt: skip
W3 = [[0.0, 1.0, 0.5], [-1.0, 4.5, 2.0], [0.25, 1.5, 3.0]]
W5 = np.arange(1.0, 26.0).reshape(5, 5).tolist()
FALLOFF = (1, 0.5, 0.25, 0.125)
LIFE = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
CLOSENESS = np.exp(-np.arange(256) / 20.0)
RNG = np.random.default_rng(7)


def _setting(mode: str) -> Any:
    return ("constant", 1.5) if mode == "constant" else mode


@pytest.mark.parametrize("shape", [(41, 70), (5, 7), (2, 3), (1, 1), (1, 9)], ids=str)
@pytest.mark.parametrize("mode", SCIPY)
def test_convolutions_equal_scipy_in_every_mode(mode: str, shape: tuple[int, int]) -> None:
    @sj.stencil(boundary=_setting(mode), fallback=False)
    def three(u, out):  # type: ignore[no-untyped-def]  # a kernel
        for x in out.interior_points():
            acc = 0.0
            for y, w in u.weighted(x, W3):
                acc += w * u[y]
            out[x] = acc

    @sj.stencil(boundary=_setting(mode), fallback=False)
    def five(u, out):  # type: ignore[no-untyped-def]  # a kernel
        for x in out.interior_points():
            acc = 0.0
            for y, w in u.weighted(x, W5):
                acc += w * u[y]
            out[x] = acc

    u = RNG.random(shape)
    for kernel, weights in ((three, W3), (five, W5)):
        wanted = ndimage.correlate(u, np.array(weights), mode=SCIPY[mode], cval=1.5)
        np.testing.assert_allclose(kernel(u), wanted, rtol=1e-12)
        if u.size < 100:
            np.testing.assert_allclose(kernel.reference(u), wanted, rtol=1e-12)


@pytest.mark.parametrize("ndim", [1, 3])
@pytest.mark.parametrize("mode", SCIPY)
def test_other_dimensions_equal_scipy(mode: str, ndim: int) -> None:
    @sj.stencil(boundary=_setting(mode), fallback=False)
    def around(u, out):  # type: ignore[no-untyped-def]  # a kernel
        for x in out.interior_points():
            acc = 0.0
            for y in u.neighbors(x, 2):
                acc += u[y]
            out[x] = acc

    offsets = np.indices((5,) * ndim) - 2
    reach = np.abs(offsets).sum(axis=0)
    weights = ((reach > 0) & (reach <= 2)).astype(float)
    for shape in ((3,) * ndim, (20, 21, 22)[:ndim]):
        u = RNG.random(shape)
        wanted = ndimage.correlate(u, weights, mode=SCIPY[mode], cval=1.5)
        np.testing.assert_allclose(around(u), wanted, rtol=1e-12)


@pytest.mark.parametrize("layout", ["C", "F", "strided", "reversed"])
@pytest.mark.parametrize("pins", ["threads=1,unroll=1", "threads=2,unroll=4"])
def test_one_mode_an_axis_in_every_layout_and_variant(layout: str, pins: str) -> None:
    @sj.stencil(boundary=("wrap", "clamp"), set=pins, fallback=False)
    def mixed(u, out):  # type: ignore[no-untyped-def]  # a kernel
        for x in out.interior_points():
            out[x] = u[x + (-2, 1)] + 2.0 * u[x + (1, -3)] - u[x]

    u = RNG.random((66, 70))
    u = {"C": u, "F": np.asfortranarray(u), "strided": u[::2, ::3], "reversed": u[::-1, ::-1]}[
        layout
    ]
    rows, columns = np.indices(u.shape)

    def at(i: int, j: int) -> Any:
        return u[(rows + i) % u.shape[0], np.clip(columns + j, 0, u.shape[1] - 1)]

    np.testing.assert_allclose(mixed(u), at(-2, 1) + 2.0 * at(1, -3) - u, rtol=1e-13)


def test_keep_on_one_axis_leaves_that_rim_alone() -> None:
    @sj.stencil(boundary="keep,wrap", fallback=False)
    def sides(u, out):  # type: ignore[no-untyped-def]  # a kernel
        for x in out.interior_points():
            out[x] = u[x + (1, 0)] + u[x + (0, -1)]

    u, out = RNG.random((9, 11)), np.full((9, 11), -7.0)
    sides(u, out)
    assert (out[[0, -1]] == -7.0).all()
    np.testing.assert_allclose(out[1:-1], u[2:] + np.roll(u, 1, axis=1)[1:-1])
    np.testing.assert_allclose(sides(u), sides.reference(u))


def test_one_mode_a_grid() -> None:
    @sj.stencil(boundary={"u": "wrap", "v": ("constant", 2.0)}, fallback=False)
    def two(u, v, out):  # type: ignore[no-untyped-def]  # a kernel
        for x in out.interior_points():
            out[x] = u[x + (1,)] * v[x - (1,)]

    u, v = RNG.random(9), RNG.random(9)
    wanted = np.roll(u, -1) * np.concatenate([[2.0], v[:-1]])
    np.testing.assert_allclose(two(u, v), wanted)
    np.testing.assert_allclose(two.reference(u, v), wanted)


@pytest.mark.parametrize(
    ("dtype", "value", "read"),
    [("u1", 2.7, 2), ("?", 2, True), ("f4", 1e300, np.inf), ("i2", -7, -7), ("u1", 300, None),
     ("u1", -1, None), ("i4", float("nan"), None)],
)  # fmt: skip
def test_a_constant_becomes_one_of_the_grid(dtype: str, value: float, read: Any) -> None:
    @sj.stencil(boundary=("constant", value), fallback=False)
    def k(u, out):  # type: ignore[no-untyped-def]  # a kernel
        for x in out.interior_points():
            out[x] = u[x + (0, 1)]

    u = np.ones((3, 4), dtype)
    for run in (k, k.reference):
        if read is None:
            with pytest.raises(OptionError, match="which 'u' cannot hold"):
                run(u)
        else:
            assert run(u)[1, -1] == read


@pytest.mark.parametrize(
    "wanted", ["wrapp", "clamp:2", 3, ("constant", "x"), "wrap,wrap,wrap", {"w": "wrap"}]
)
def test_a_boundary_that_is_none_is_refused(wanted: Any) -> None:
    def kernel(u, out):  # type: ignore[no-untyped-def]  # a kernel
        for x in out.interior_points():
            out[x] = u[x + (0, 1)]

    def called() -> None:
        sj.stencil(kernel, boundary=wanted, fallback=False)(np.ones((4, 4)))

    with pytest.raises(OptionError):
        called()


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"])
def test_every_integer_dtype_computes_as_numpy_does(dtype: str) -> None:
    @sj.stencil(boundary="wrap", fallback=False)
    def sums(u, out):  # type: ignore[no-untyped-def]  # a kernel
        for x in out.interior_points():
            acc = 0
            for y in u.neighbors(x, 1):
                acc += u[y]
            out[x] = acc

    u = RNG.integers(0, 120, (12, 17)).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        np.testing.assert_array_equal(sums(u), sums.reference(u))


def test_mixed_integers_and_floats() -> None:
    @sj.stencil(fallback=False)
    def blend(u, v, m, out):  # type: ignore[no-untyped-def]  # a kernel
        for x in out.interior_points():
            out[x] = (u[x] // 3 + v[x + (0, 1)] * (u[x] % 7)) if m[x] else -v[x] / 4

    u = RNG.integers(-50, 50, (9, 11)).astype("i4")
    v, m = RNG.random((9, 11)).astype("f4"), RNG.random((9, 11)) < 0.5
    out, plain = np.zeros((9, 11)), np.zeros((9, 11))
    blend(u, v, m, out)
    blend.reference(u, v, m, plain)
    np.testing.assert_allclose(out, plain)


def test_27_points_weighted_by_distance() -> None:
    @sj.stencil(fallback=False)
    def falling(u, out):  # type: ignore[no-untyped-def]  # a kernel
        for x in out.interior_points():
            acc = FALLOFF[0] * u[x]
            for y in u.neighbors(x, 1, metric="moore"):
                acc += FALLOFF[distance(x, y)] * u[y]  # type: ignore[name-defined]  # noqa: F821
            out[x] = acc

    u = RNG.random((12, 13, 14))
    weights = np.array(FALLOFF)[np.abs(np.indices((3, 3, 3)) - 1).sum(axis=0)]
    wanted = ndimage.correlate(u, weights)[1:-1, 1:-1, 1:-1]
    np.testing.assert_allclose(falling(u)[1:-1, 1:-1, 1:-1], wanted, rtol=1e-13)
    np.testing.assert_allclose(falling.reference(u), falling(u), rtol=1e-13)


def test_game_of_life_by_table() -> None:
    @sj.stencil(boundary="wrap", fallback=False)
    def life(u, out):  # type: ignore[no-untyped-def]  # a kernel
        for x in out.all_points():
            alive = 0
            for y in u.neighbors(x, 1, metric="moore"):
                alive += u[y]
            out[x] = LIFE[9 * u[x] + alive]

    board = (RNG.random((40, 50)) < 0.4).astype("i4")
    wanted = board.copy()
    for _ in range(10):
        steps = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
        count = sum(np.roll(wanted, s, (0, 1)) for s in steps)
        wanted = ((count == 3) | ((wanted == 1) & (count == 2))).astype("i4")
    np.testing.assert_array_equal(life.iterate(board, steps=10), wanted)
    np.testing.assert_array_equal(life.reference(board), life(board))


@pytest.mark.parametrize("shape", [(30, 31), (9, 10, 11)], ids=str)
def test_bilateral_filter_by_look_up_table(shape: tuple[int, ...]) -> None:
    @sj.stencil(boundary="mirror", fallback=False)
    def bilateral(u, out):  # type: ignore[no-untyped-def]  # a kernel
        for x in out.interior_points():
            total = u[x]
            weight = 1.0
            for y in u.neighbors(x, 1, metric="moore"):
                w = CLOSENESS[int(abs(u[y] - u[x]))]
                total += w * u[y]
                weight += w
            out[x] = total / weight

    u = RNG.integers(0, 256, shape).astype(float)
    np.testing.assert_allclose(bilateral(u), bilateral.reference(u), rtol=1e-13)


def test_coordinates_are_values() -> None:
    @sj.stencil(boundary="clamp", fallback=False)
    def ramp(u, out):  # type: ignore[no-untyped-def]  # a kernel
        for x in out.interior_points():
            out[x] = u[x + (0, 1)] + 10 * x[0] + x[-1]

    u = RNG.random((7, 8))
    rows, columns = np.indices(u.shape)
    wanted = np.concatenate([u[:, 1:], u[:, -1:]], axis=1) + 10 * rows + columns
    np.testing.assert_allclose(ramp(u), wanted)
    np.testing.assert_allclose(ramp.reference(u), wanted)


def test_a_table_that_changed_makes_another_kernel() -> None:
    scope: dict[str, Any] = {"T": [1.0, 2.0]}

    @sj.stencil(fallback=False)
    def pick(u, out):  # type: ignore[no-untyped-def]  # a kernel
        for x in out.interior_points():
            out[x] = T[int(u[x])]  # type: ignore[name-defined]  # noqa: F821

    globals()["T"] = scope["T"]
    try:
        u = np.array([0.0, 1.0, -1.0, 1.0])
        np.testing.assert_array_equal(pick(u), [1.0, 2.0, 2.0, 2.0])
        globals()["T"] = np.array([5.0, 7.0, 9.0])
        np.testing.assert_array_equal(pick(u), [5.0, 7.0, 9.0, 7.0])
    finally:
        del globals()["T"]
