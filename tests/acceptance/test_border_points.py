"""``border_points()`` as a sweep: the points that ``interior_points()`` leaves out, and no other."""

# The kernels are written as users write them: without types.
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sejits_nb as sj

from .conftest import MakeKernel

TEXT = """
def k(u, out):
    for x in out.border_points():
        out[x] = u[x + (0, 2)] - 2.0 * u[x - (1, 0)] + 0.5 * u[x]
"""
SHAPES: dict[int, list[tuple[int, ...]]] = {
    1: [(5,), (1,), (0,)],
    2: [(9, 12), (2, 7), (0, 4), (3, 900)],
    3: [(4, 5, 6)],
    4: [(3, 4, 3, 5)],
}
OPENCL = pytest.mark.platforms


def field(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(len(shape)).normal(size=shape)


def same(kernel: Any, u: Any, out: Any) -> None:
    """The kernel leaves in *out* what the plain Python leaves in it."""
    plain = out.copy()
    kernel(u, out)
    kernel.reference(u, plain)
    np.testing.assert_allclose(out, plain, 1e-13, 1e-13)


@pytest.mark.parametrize(
    ("ndim", "backend"),
    [(1, "c"), (2, "c"), (3, "c"), (4, "c"), pytest.param(2, "opencl", marks=OPENCL)],
)
def test_the_rim_is_one_point_deep_where_no_read_leaves_the_point(ndim: int, backend: str) -> None:
    @sj.stencil(fallback=False, backend=backend)
    def k(u, out):
        for x in out.border_points():
            out[x] = 2.0 * u[x] + x[0]

    for shape in SHAPES[ndim] if backend != "opencl" else [(9, 12)]:
        u, out = field(shape), np.full(shape, 9.0)
        same(k, u, out)
        wanted = 2.0 * u + np.arange(shape[0]).reshape(-1, *(1,) * (ndim - 1))
        inside = (slice(1, -1),) * ndim
        wanted[inside] = 9.0
        np.testing.assert_array_equal(out, wanted)


@pytest.mark.parametrize(
    ("mode", "backend"),
    [
        ("clamp", "c"), ("wrap", "c"), (("constant", 2.5), "c"), ("mirror,reflect", "openmp"),
        pytest.param("wrap,constant:3", "opencl", marks=OPENCL),
    ],
)  # fmt: skip
def test_border_and_interior_make_the_whole(make: MakeKernel, backend: str, mode: Any) -> None:
    """The rim under a mode, and the inside that needs none, are the sweep under that mode."""
    inner = TEXT.replace("border", "interior")
    border, _ = make(TEXT, backend=backend, boundary=mode)
    whole, _ = make(inner, backend=backend, boundary=mode)
    inside, _ = make(inner, backend=backend)
    for shape in [(70, 80), (2, 4), (1, 1)] if backend != "opencl" else [(9, 12)]:
        u, out = field(shape), np.full(shape, np.nan)
        same(border, u, out)
        inside(u, out)
        np.testing.assert_allclose(out, whole(u), 1e-13, 1e-13)


def test_layouts_with_another_order_of_axes(make: MakeKernel) -> None:
    kernel, _ = make(TEXT, boundary="reflect")
    u, out = np.asfortranarray(field((20, 30))), np.zeros((20, 30), order="F")
    same(kernel, u, out)
    same(kernel, u[::2, ::-3], out[1::2, 1::3])


def test_a_class_kernel_takes_the_depth_of_its_grids() -> None:
    class Rim(sj.StencilKernel):
        def kernel(self, in_grid, out_grid):
            for x in out_grid.border_points():
                out_grid[x] = in_grid[x]

    grids = [sj.StencilGrid([8, 9]) for _ in range(2)]
    grids[0].data = np.ones((8, 9))
    Rim(fallback=False).kernel(*grids)
    assert grids[1].data.sum() == 72 - 6 * 7
    grids[1].ghost_depth = 2
    Rim(fallback=False).kernel(*grids)
    assert grids[1].data.sum() == 72 - 4 * 5
    assert sum(grids[1][x] for x in grids[1].border_points()) == 72 - 4 * 5


def test_a_wrong_variant_of_the_rim_is_caught(make: MakeKernel) -> None:
    """The checks look at the rim, and at the inside, which must stay as it is."""
    kernel, _ = make(TEXT, boundary="wrap", check="strict", tune="quick", budget=0.05)
    u = field((64, 65))
    kernel.measure(u)
    assert {m.verdict for m in kernel.report.measurements} == {"correct"}
    (case,) = kernel._specializer.cases(
        kernel._source, kernel._lookup, lambda s: kernel._front(s).last(2).tree,
        kernel._specializer.signature(kernel.interface, {"u": u, "out": u.copy()}),
        {"u": u, "out": u.copy()}, True,
    )  # fmt: skip
    points = sum(np.asarray(case.values["u"][e.where]).size for e in case.expectations)
    assert points == u.size
