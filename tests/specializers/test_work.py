"""The compulsory work of a sweep against counts by hand."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from sejits_nb.results import Work
from sejits_nb.specializers.stencil import SPECIALIZER
from sejits_nb.specializers.stencil.boundaries import parse_boundary
from sejits_nb.stages import KernelSource


def work_of(text: str, boundary: str = "keep", **values: Any) -> Work:
    """The work of ``def k(...)`` called with *values*, after all passes of phase 2."""
    settings = (("boundary", parse_boundary(boundary)),)
    source = KernelSource("k", textwrap.dedent(text).strip(), "here", settings=settings)
    interface = SPECIALIZER.interface(source)
    bound = SPECIALIZER.bind(interface, (), values)
    tree: Any = SPECIALIZER.parse(source, SPECIALIZER.signature(interface, bound.values))
    for one in SPECIALIZER.passes:
        tree = one.run(tree)
    return SPECIALIZER.work(tree)


LAPLACIAN = """
def k(u, out):
    for x in out.interior_points():
        out[x] = -6.0 * u[x]
        for y in u.neighbors(x, 1):
            out[x] += u[y]
"""
SHIFT = """
def k(u, out):
    for x in out.interior_points():
        out[x] = u[x + (0, 1)]
"""


def test_a_laplacian_reads_its_grid_once_and_writes_the_interior() -> None:
    u = np.zeros((10, 12, 14))
    found = work_of(LAPLACIAN, u=u)
    inside = 8 * 10 * 12
    assert found == Work(inside, 7, 8 * (10 * 12 * 14 + inside), 8 * inside, "f64")
    assert found.flops == 7 * inside


def test_half_the_precision_is_half_the_traffic() -> None:
    double, single = (work_of(LAPLACIAN, u=np.zeros((9, 9, 9), t)) for t in ("f8", "f4"))
    assert single.bytes_ * 2 == double.bytes_
    assert (single.dtype, single.flops_per_point) == ("f32", 7)


def test_27_points() -> None:
    found = work_of(
        """
        def k(u, out):
            for x in out.interior_points():
                acc = 0.0
                for y in u.neighbors(x, 1, metric="moore"):
                    acc += u[y]
                out[x] = 0.5 * u[x] + 0.25 * acc
        """,
        u=np.zeros((8, 8, 8)),
    )
    # 26 additions of neighbors, the first to zero; two products and their sum
    assert found.flops_per_point == 26 + 3
    assert found.bytes_ == 8 * (8**3 + 6**3)


def test_a_gradient_has_three_outputs() -> None:
    found = work_of(
        """
        def k(u, gx, gy, gz):
            for x in u.interior_points():
                gx[x] = 0.5 * (u[x + (1, 0, 0)] - u[x - (1, 0, 0)])
                gy[x] = 0.5 * (u[x + (0, 1, 0)] - u[x - (0, 1, 0)])
                gz[x] = 0.5 * (u[x + (0, 0, 1)] - u[x - (0, 0, 1)])
        """,
        u=np.zeros((10, 10, 10)),
    )
    assert found == Work(512, 6, 8 * (1000 + 3 * 512), 8 * 3 * 512, "f64")


def test_a_divergence_reads_each_component_where_it_reaches() -> None:
    found = work_of(
        """
        def k(a, b, out):
            for x in out.interior_points():
                out[x] = a[x + (1, 0)] - a[x - (1, 0)] + b[x + (0, 1)] - b[x - (0, 1)]
        """,
        a=np.zeros((10, 20)), b=np.zeros((10, 20)),
    )  # fmt: skip
    assert found.bytes_ == 8 * (10 * 18 + 8 * 20 + 8 * 18)
    assert found.flops_per_point == 3


def test_what_is_read_at_one_offset_is_read_as_often_as_it_is_used() -> None:
    found = work_of(SHIFT, u=np.zeros((10, 20)))
    assert found == Work(10 * 18, 0, 8 * 2 * 10 * 18, 8 * 10 * 18, "f64")


def test_mixed_types_count_each_grid_by_its_own() -> None:
    found = work_of(
        """
        def k(u, mask, out):
            for x in out.all_points():
                out[x] = 2.0 * u[x] if mask[x] else u[x] + 1.0
        """,
        u=np.zeros((8, 8), "f4"), mask=np.zeros((8, 8), bool), out=np.zeros((8, 8)),
    )  # fmt: skip
    assert found.bytes_ == 64 * (4 + 1 + 8)
    assert (found.flops_per_point, found.dtype) == (2, "f32")


def test_the_type_is_that_of_most_operations() -> None:
    text = """
    def k(u, v, out):
        for x in out.all_points():
            out[x] = u[x] * u[x] * u[x] + v[x]
    """
    u, v = np.zeros((4, 4), "f4"), np.zeros((4, 4))
    assert work_of(text, u=u, v=v, out=v.copy()).dtype == "f32"
    assert work_of(text, u=v, v=u, out=v.copy()).dtype == "f64"


def test_integers_compute_no_floating_point() -> None:
    text = """
    def k(u, out):
        for x in out.all_points():
            out[x] = max(u[x] * 3, 5) + 1
    """
    assert work_of(text, u=np.zeros((4, 4), "i4")).flops == 0
    assert work_of(text, u=np.zeros((4, 4))).flops == 16 * 2


def test_elements_that_lie_apart_move_whole_lines() -> None:
    wide = np.zeros((10, 60))
    whole = 10 * 18
    assert work_of(SHIFT, u=wide[:, ::3]).bytes_ == whole * (3 * 8 + 8)
    far = np.zeros((10, 20, 50))
    assert work_of(SHIFT, u=far[:, :, 0]).bytes_ == whole * (64 + 8)
    assert work_of(SHIFT, u=wide[:, :20]).bytes_ == whole * (8 + 8)
    assert work_of(SHIFT, u=np.asfortranarray(np.zeros((10, 20)))).bytes_ == whole * (8 + 8)


def test_an_output_that_is_read_moves_twice() -> None:
    found = work_of(
        """
        def k(u, out):
            for x in out.all_points():
                out[x] = out[x] + u[x]
        """,
        u=np.zeros((4, 4)), out=np.zeros((4, 4)),
    )  # fmt: skip
    assert (found.bytes_, found.written_bytes) == (16 * 8 * 3, 16 * 8)


def test_a_boundary_mode_reads_no_more_than_the_grid() -> None:
    found = work_of(LAPLACIAN, "wrap", u=np.zeros((4, 5, 6)))
    assert found == Work(120, 7, 8 * 2 * 120, 8 * 120, "f64")


def test_a_grid_without_an_interior_has_no_work() -> None:
    assert work_of(LAPLACIAN, u=np.zeros((2, 5, 5))) == Work(0, 7, 0, 0, "f64")
