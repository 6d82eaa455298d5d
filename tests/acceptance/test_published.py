"""The published class spellings run as printed, but for the import line; and what stands on them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sejits_nb as sj
from sejits_nb import registry
from sejits_nb.errors import ArgumentError, LanguageError, OptionError, StencilError
from sejits_nb.kernel import SejitsWarning
from sejits_nb.specializers.stencil.dast import ForNeighbors
from sejits_nb.stages import Trace
from sejits_nb.widgets.card_text import card_text

SCIPY_2011 = """\
from sejits_nb.stencil_kernel import *

class ExampleKernel(StencilKernel):
    def kernel(self, in_grid, out_grid):
        for x in out_grid.interior_points():
            for y in in_grid.neighbors(x, 1):
                out_grid[x] = out_grid[x] + in_grid[y]

in_grid = StencilGrid([5,5])
in_grid.data = numpy.ones([5,5])
out_grid = StencilGrid([5,5])
ExampleKernel().kernel(in_grid, out_grid)
"""
SEPYA_2014 = """\
from sejits_nb.stencil_kernel import *

class Jacobi(StencilKernel):
    neighbor_definition = [
        [(0, -1), (0, 1)],
        [(-1, 0), (1, 0)]
    ]
    def kernel(self, in_grid, out_grid):
        for x in self.interior_points(out_grid):
            for y in self.neighbors(x, 0):
                out_grid[x] += .1 * in_grid[y]
            for y in self.neighbors(x, 1):
                out_grid[x] += .3 * in_grid[y]

jacobi_stencil = Jacobi(backend='ocl')
out_img = jacobi_stencil(in_img)
"""
IMG = np.random.default_rng(0).random((33, 47))
FOURS = np.pad(np.full((3, 3), 4.0), 1)
PLATFORMS = (*registry.platform_names(), "python")

Run = Callable[..., dict[str, Any]]


def jacobi(u: np.ndarray[Any, Any], west_east: float = 0.1) -> np.ndarray[Any, Any]:
    out = np.zeros_like(u)
    across = u[1:-1, :-2] + u[1:-1, 2:]
    out[1:-1, 1:-1] = west_east * across + 0.3 * (u[:-2, 1:-1] + u[2:, 1:-1])
    return out


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """``run(text, name=value, ...)``: the names that a file with this text leaves."""

    def run_file(text: str, **names: Any) -> dict[str, Any]:
        path = tmp_path / "published.py"
        path.write_text(text)
        exec(compile(text, str(path), "exec"), names)
        return names

    return run_file


def front(kernel: Any) -> Trace:
    trace = kernel.trace
    assert isinstance(trace, Trace)
    return trace


def outer(kernel: Any) -> list[str]:
    """The headlines of the neighborhood loops, as parsed."""
    tree = front(kernel).steps[0].tree
    return [s.headline() for s in tree.sweep.body if isinstance(s, ForNeighbors)]  # type: ignore[union-attr]


# -- as printed


def test_scipy_2011_figure_2_as_printed(run: Run) -> None:
    names = run(SCIPY_2011)
    assert np.array_equal(names["out_grid"].data, FOURS)
    assert np.array_equal(names["in_grid"].data, np.ones((5, 5)))


def test_sepya_2014_figure_1_as_printed(run: Run) -> None:
    """Where OpenCL is missing, another backend runs, and that is said once."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", SejitsWarning)
        names = run(SEPYA_2014, in_img=IMG)
        again = names["jacobi_stencil"](IMG)
    assert type(names["out_img"]) is np.ndarray
    assert np.allclose(names["out_img"], jacobi(IMG), 1e-13, 0)
    assert np.array_equal(again, names["out_img"])
    usable = [p for p in PLATFORMS[:-1] if "ocl" in p or "opencl" in p]
    missing = not any(registry.platform(p).probe().usable for p in usable)
    assert [str(w.message).startswith("Jacobi runs ") for w in said] == [True] * missing


@pytest.mark.parametrize(
    "backend", ["python", *(pytest.param(p, marks=pytest.mark.needs(p)) for p in PLATFORMS[:-1])]
)
def test_both_on_every_platform(backend: str, run: Run) -> None:
    names = run(SCIPY_2011.replace("ExampleKernel()", f"ExampleKernel(backend={backend!r})"))
    assert np.array_equal(names["out_grid"].data, FOURS)
    names = run(SEPYA_2014.replace("'ocl'", repr(backend)), in_img=IMG)
    assert np.allclose(names["out_img"], jacobi(IMG), 1e-13, 0)
    ran_native = names["jacobi_stencil"].build is not None
    assert ran_native == (backend != "python")


def test_without_any_compiler_both_run_as_plain_python_and_say_so(tmp_path: Path) -> None:
    (tmp_path / "pyopencl.py").write_text("raise ImportError('none here')\n")
    script = tmp_path / "listings.py"
    image = "import numpy\nin_img = numpy.arange(48.0).reshape(6, 8)\n"
    script.write_text(
        f"{SCIPY_2011}{image}{SEPYA_2014}\nprint(out_grid.data.sum(), out_img.sum())\n"
    )
    ran = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True, timeout=100,
        env={**os.environ, "SEJITS_CC": "/nonexistent", "PATH": "", "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    fours, weighted = map(float, ran.stdout.split())
    assert fours == 36.0
    assert weighted == pytest.approx(jacobi(np.arange(48.0).reshape(6, 8)).sum())
    assert ran.stderr.count("SejitsWarning: ExampleKernel runs as plain Python") == 1
    assert ran.stderr.count("SejitsWarning: Jacobi runs as plain Python") == 1


@pytest.mark.parametrize("way", ["attribute of the class", "of the object", "keyword"])
def test_pure_python_compiles_nothing_and_says_nothing(way: str, run: Run) -> None:
    text = SEPYA_2014.partition("jacobi_stencil =")[0]
    if way == "attribute of the class":
        text = text.replace("    neighbor_def", "    pure_python = True\n    neighbor_def")
    kernel = run(text)["Jacobi"](**({"pure_python": True} if way == "keyword" else {}))
    if way == "of the object":
        kernel.pure_python = True
    assert np.allclose(kernel(IMG[:8, :9]), jacobi(IMG[:8, :9]), 1e-13, 0)
    assert kernel.build is None


# -- calls


@pytest.fixture
def make_jacobi(run: Run) -> Callable[..., Any]:
    text = SEPYA_2014.partition("jacobi_stencil =")[0]

    def make(**options: Any) -> Any:
        return run(text)["Jacobi"](**({"fallback": False} | options))

    return make


def test_every_way_to_pass_grids(make_jacobi: Callable[..., Any]) -> None:
    kernel, wanted = make_jacobi(), jacobi(IMG)
    out = np.zeros_like(IMG)
    assert kernel(IMG, out) is None
    assert np.allclose(out, wanted)
    assert np.allclose(kernel(in_grid=IMG), wanted)
    assert np.allclose(kernel.kernel(IMG), wanted)
    kernel.kernel(IMG, out_grid=out)
    assert np.allclose(out, 2.0 * wanted)  # += goes on from what the output holds
    source, target = sj.StencilGrid(IMG.shape), sj.StencilGrid(IMG.shape)
    source.data = IMG
    kernel(source, target)
    assert np.allclose(target.data, wanted)
    assert np.allclose(kernel(source), wanted)
    assert np.allclose(kernel(IMG.astype(np.float32)), wanted, 1e-5)


def test_iterate_and_the_views_are_the_kernel_s(make_jacobi: Callable[..., Any]) -> None:
    kernel = make_jacobi()
    assert np.allclose(kernel.iterate(IMG, steps=1), IMG + jacobi(IMG))
    assert kernel.check(IMG)
    assert np.allclose(kernel.reference(IMG), jacobi(IMG))
    assert "jacobi" not in str(kernel.source)
    assert "0.3" in str(kernel.source)
    with pytest.raises(AttributeError, match="'Jacobi' object has no attribute 'sourse'"):
        _ = kernel.sourse


def test_several_inputs_and_outputs_and_a_scalar(run: Run) -> None:
    text = """\
from sejits_nb.stencil_kernel import *

class Gradient(StencilKernel):
    def kernel(self, u, v, dy, dx, h=2.0):
        for x in self.interior_points(dy):
            dy[x] = (u[x + (1, 0)] - v[x - (1, 0)]) / h
            dx[x] = (u[x + (0, 1)] - v[x - (0, 1)]) / h
"""
    kernel = run(text)["Gradient"](fallback=False)
    dy, dx = kernel(IMG, 2 * IMG)
    assert np.allclose(dy[1:-1, 1:-1], (IMG[2:, 1:-1] - 2 * IMG[:-2, 1:-1]) / 2.0)
    assert np.allclose(dx[1:-1, 1:-1], (IMG[1:-1, 2:] - 2 * IMG[1:-1, :-2]) / 2.0)
    assert np.allclose(kernel(IMG, IMG, h=1.0)[0], 2.0 * kernel(IMG, IMG)[0])


def test_boundaries_and_other_options(make_jacobi: Callable[..., Any]) -> None:
    padded = np.pad(IMG, 1, mode="wrap")
    assert np.allclose(make_jacobi(boundary="wrap")(IMG), jacobi(padded)[1:-1, 1:-1])
    with pytest.raises(OptionError, match="did you mean 'backend'"):
        make_jacobi(backent="c")


def test_a_wrong_call_is_an_argument_error(make_jacobi: Callable[..., Any]) -> None:
    with pytest.raises(ArgumentError, match=r"kernel takes \(in_grid, out_grid\)"):
        make_jacobi()(IMG, IMG, IMG)
    with pytest.raises(ArgumentError, match="overlaps"):
        make_jacobi().kernel(IMG, IMG)


def test_threads_share_an_object(make_jacobi: Callable[..., Any]) -> None:
    kernel, results = make_jacobi(), []
    threads = [threading.Thread(target=lambda: results.append(kernel(IMG))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(np.allclose(r, jacobi(IMG)) for r in results)


# -- what the object knows

WEIGHTED = """\
from sejits_nb.stencil_kernel import *

class Weighted(StencilKernel):
    table = [0.5, 0.25]

    def __init__(self, alpha):
        super().__init__(fallback=False)
        self.alpha = alpha

    @property
    def beta(self):
        return 2.0 * self.alpha

    def kernel(self, u, out):
        for x in out.interior_points():
            out[x] = self.alpha * u[x] + self.beta + self.table[1] * u[x + (0, 1)]
"""


def test_attributes_are_constants_and_a_changed_one_re_specializes(run: Run) -> None:
    kernel = run(WEIGHTED)["Weighted"](3.0)
    other = run(WEIGHTED)["Weighted"](7.0)

    def wanted(alpha: float, entry: float) -> np.ndarray[Any, Any]:
        return alpha * IMG[:, 1:-1] + 2.0 * alpha + entry * IMG[:, 2:]

    assert np.allclose(kernel(IMG)[:, 1:-1], wanted(3.0, 0.25))
    assert np.allclose(other(IMG)[:, 1:-1], wanted(7.0, 0.25))
    assert "6.0" in str(kernel.source)
    kernel.alpha = 5.0
    assert np.allclose(kernel(IMG)[:, 1:-1], wanted(5.0, 0.25))
    kernel.table = [0.5, 0.75]
    assert np.allclose(kernel(IMG)[:, 1:-1], wanted(5.0, 0.75))
    assert np.allclose(other(IMG)[:, 1:-1], wanted(7.0, 0.25))


def test_a_changed_neighbor_definition_re_specializes(make_jacobi: Callable[..., Any]) -> None:
    kernel = make_jacobi()
    kernel(IMG)
    kernel.neighbor_definition = np.array([[(1, 0), (-1, 0)], [(-1, 0), (1, 0)]])
    out = kernel(IMG)
    assert np.allclose(out[1:-1], 0.4 * (IMG[:-2] + IMG[2:]))
    assert not out[[0, -1]].any()  # and only the rows have a ghost zone
    assert np.allclose(kernel.reference(IMG), out)


def test_a_subclass_inherits_the_kernel(run: Run) -> None:
    diagonal = """
class Diagonal(Jacobi):
    neighbor_definition = [[(-1, -1)], [(1, 1)]]
"""
    names = run(SEPYA_2014.partition("jacobi_stencil =")[0] + diagonal)
    out = names["Diagonal"](fallback=False)(IMG)
    assert np.allclose(out[1:-1, 1:-1], 0.1 * IMG[:-2, :-2] + 0.3 * IMG[2:, 2:])


def test_super_runs_the_method_itself_and_the_base_s_kernel_is_specialized(run: Run) -> None:
    text = """
class Raised(Jacobi):
    def kernel(self, in_grid, out_grid):
        super().kernel(in_grid, out_grid)
        for x in out_grid.interior_points():
            out_grid[x] += 1.0
"""
    names, out = run(SEPYA_2014.partition("jacobi_stencil =")[0] + text), np.zeros_like(IMG)
    with pytest.warns(SejitsWarning, match="Raised runs as plain Python; .*'super'"):
        names["Raised"]()(IMG, out)
    assert np.allclose(out[1:-1, 1:-1], jacobi(IMG)[1:-1, 1:-1] + 1.0)
    with pytest.raises(StencilError, match="outside the sweep"):
        names["Raised"](fallback=False)(IMG, out)


def test_own_neighbors_are_not_taken_for_the_language_s(run: Run) -> None:
    text = """\
from sejits_nb.stencil_kernel import *

class Own(StencilKernel):
    def neighbors(self, x, r):
        return [x + (r, 0)]
    def kernel(self, u, out):
        for x in out.interior_points():
            for y in self.neighbors(x, 1):
                out[x] = u[y]
"""
    kernel = run(text)["Own"]()
    with pytest.warns(SejitsWarning, match="S006: self is not a grid parameter") as said:
        out = kernel(IMG[:6, :7])
    assert len(said) == 1
    assert np.array_equal(out[1:-1, 1:-1], IMG[2:6, 1:6])


# -- ghost zones


@pytest.mark.parametrize("pure_python", [False, True])
@pytest.mark.parametrize(("given", "depth"), [(None, 2), (1, 2), (2, 2), (3, 3), (9, 9)])
def test_the_ghost_depth_is_deduced_and_can_be_deepened(
    given: int | None, depth: int, pure_python: bool, run: Run
) -> None:
    names = run(SCIPY_2011.replace("(x, 1)", "(x, 2)").replace("5,5", "9,10"))
    kernel, out = names["ExampleKernel"](pure_python=pure_python), sj.StencilGrid([9, 10])
    if given is not None:
        out.ghost_depth = given
    kernel.kernel(names["in_grid"], out)
    wanted = np.zeros((9, 10))
    wanted[depth : 9 - depth, depth : 10 - depth] = 12.0
    assert np.array_equal(out.data, wanted if depth < 5 else np.zeros((9, 10)))


# -- outside the language

OUTSIDE = """\
from sejits_nb.stencil_kernel import *

class Outside(StencilKernel):
    offsets = [(0, 2)]
    def kernel(self, u, out):
        for x in out.interior_points():
            for y in u.neighbors(x, self.offsets):
                out[x] = sum([u[x], u[y]])
"""


def test_outside_the_language_the_plain_python_runs_and_says_so_once(run: Run) -> None:
    kernel, u = run(OUTSIDE)["Outside"](), IMG[:8, :9]
    with pytest.warns(SejitsWarning) as said:
        outs = [kernel(u), kernel(u)]
    (message,) = [str(w.message) for w in said]
    assert message.startswith("Outside runs as plain Python; StencilError L0")
    assert "published.py, line 8\n    8 |             out[x] = sum([u[x], u[y]])\n" in message
    for out in outs:
        assert np.array_equal(out[2:-2, 2:-2], (u + np.roll(u, -2, 1))[2:-2, 2:-2])
        assert not out[:, :2].any()


def test_without_a_fallback_the_caret_is_at_the_class_s_own_line(run: Run) -> None:
    kernel = run(OUTSIDE)["Outside"](fallback=False)
    with pytest.raises(StencilError) as caught:
        kernel(IMG)
    found = caught.value.diagnostics[0]
    assert (found.where.endswith("published.py"), found.line) == (True, 8)
    assert found.text[found.col : found.end_col].startswith("sum")


UNREADABLE = """\
from sejits_nb.stencil_kernel import *
class Plain(StencilKernel):
    def kernel(self, u, out):
        for x in out.border_points():
            out[x] = u[x]
"""


@pytest.mark.parametrize("readable", [False, True])
def test_text_that_is_no_stencil_runs_on_grids(readable: bool, run: Run) -> None:
    """No text to read, or none that stores to a parameter: the method itself runs."""
    names: dict[str, Any] = {}
    if readable:
        names = run(UNREADABLE.replace("out[x] = u[x]", "out.data[x] = u.data[x]"))
    else:
        exec(UNREADABLE, names)
    kernel, out = names["Plain"](), np.zeros_like(IMG)
    with pytest.warns(SejitsWarning, match="Plain runs as plain Python; .*Error [LS]00"):
        kernel(IMG, out)
    kernel.kernel(IMG, out)  # a second warning would be an error here
    assert np.array_equal(out[0], IMG[0])
    assert not out[1:-1, 1:-1].any()
    with pytest.raises(LanguageError):
        kernel(IMG)  # nothing says which parameter is to be allocated
    with pytest.raises(LanguageError):
        names["Plain"](fallback=False)(IMG, out)


def test_a_class_without_a_kernel_says_what_to_write() -> None:
    with pytest.raises(StencilError, match="start with: def kernel"):
        sj.StencilKernel()(IMG)


# -- one DAST for three spellings, and named neighborhoods in the third

FUNCTIONS = """\
WEST_EAST, NORTH_SOUTH = [(0, -1), (0, 1)], [(-1, 0), (1, 0)]
@sj.stencil(fallback=False)
def kernel(in_grid, out_grid):
    for x in out_grid.interior_points():
        for y in in_grid.neighbors(x, WEST_EAST):
            out_grid[x] += .1 * in_grid[y]
        for y in in_grid.neighbors(x, NORTH_SOUTH):
            out_grid[x] += .3 * in_grid[y]
"""


def test_three_spellings_reach_the_same_dast(run: Run, make_jacobi: Callable[..., Any]) -> None:
    class_, function = make_jacobi(), run(FUNCTIONS, sj=sj)["kernel"]
    assert np.allclose(function(IMG), class_(IMG), 0, 0)
    assert front(class_).last(2).tree == front(function).last(2).tree
    assert str(class_.source) == str(function.source)
    assert outer(class_) == ["for y in self.neighbors(x, 0)  -- 2 points",
                             "for y in self.neighbors(x, 1)  -- 2 points"]  # fmt: skip
    assert outer(function) == ["for y in in_grid.neighbors(x, WEST_EAST)  -- 2 points",
                               "for y in in_grid.neighbors(x, NORTH_SOUTH)  -- 2 points"]  # fmt: skip

    older = run(SCIPY_2011)["ExampleKernel"](fallback=False)
    plain = run("""\
@sj.stencil(fallback=False)
def kernel(in_grid, out_grid):
    for x in out_grid.interior_points():
        for y in in_grid.neighbors(x, 1):
            out_grid[x] = out_grid[x] + in_grid[y]
""", sj=sj)["kernel"]  # fmt: skip
    assert front(older).steps[0].tree == front(plain).steps[0].tree


def test_a_changed_named_neighborhood_re_specializes(run: Run) -> None:
    names = run(FUNCTIONS, sj=sj)
    kernel = names["kernel"]
    assert np.allclose(kernel(IMG), jacobi(IMG))
    names["WEST_EAST"].append((0, 2))
    out = kernel(IMG)
    assert np.allclose(out[1:-1, 2:-2], (jacobi(IMG) + 0.1 * np.roll(IMG, -2, 1))[1:-1, 2:-2])
    assert not out[:, [0, 1, -2, -1]].any()
    assert np.allclose(kernel.reference(IMG), out)


@pytest.mark.parametrize(
    ("written", "table"),
    [
        ("STAR", ((0, 1), (0, 1), (2, 0))),  # a point may come twice
        ("STAR", np.array([(0, 1), (0, 1), (2, 0)])),
        ("((0, 1), (0, 1), (2, 0))", None),
        ("[(0, 1), (0, 1), (STAR, 0)]", 2),
        ("STAR[1]", [[(5, 5)], [(0, 1), (0, 1), (2, 0)]]),
    ],
    ids=["tuple", "array", "literal", "in part", "entry"],
)
def test_named_neighborhoods_by_any_constant(written: str, table: Any, run: Run) -> None:
    text = f"""\
@sj.stencil(fallback=False)
def kernel(u, out):
    for x in out.interior_points():
        for y in u.neighbors(x, {written}):
            for z in u.neighbors(y, r=0):
                out[x] += u[z]
"""
    out = run(text, sj=sj, STAR=table)["kernel"](IMG)
    assert np.allclose(out[2:-2, 1:-1], 2.0 * IMG[2:-2, 2:] + IMG[4:, 1:-1])


# -- the grid by itself


def test_a_grid_in_plain_python() -> None:
    grid = sj.StencilGrid([4, 5])
    assert (grid.shape, grid.data.dtype, grid.ghost_depth) == ((4, 5), np.float64, 1)
    assert repr(grid) == "StencilGrid([4, 5], float64, ghost_depth=1)"
    assert list(grid.interior_points()) == [(i, j) for i in (1, 2) for j in (1, 2, 3)]
    assert {*grid.interior_points(), *grid.border_points()} == {*np.ndindex(4, 5)}
    assert len(list(grid.border_points())) == 20 - 6
    assert list(grid.all_points()) == list(np.ndindex(4, 5))
    assert list(grid.neighbors((1, 1), 1)) == [(0, 1), (1, 0), (1, 2), (2, 1)]
    assert len(list(grid.neighbors((1, 1), 1, metric="moore"))) == 8
    assert list(grid.neighbors((1, 1), [(0, 2)])) == [(1, 3)]
    for x in grid.interior_points():
        grid[x] = x[0]
        grid[x + (0, 1)] += 1.0
    assert np.asarray(grid).sum() == grid.data.sum() == 11.0
    grid.ghost_depth = 2
    assert list(grid.interior_points()) == []
    grid.ghost_depth = 0
    assert list(grid.border_points()) == []
    with pytest.raises(ValueError, match="it counts points"):
        grid.ghost_depth = -1
    grid.data = [[1, 2, 3]]  # anything that makes an array
    assert grid.shape == (1, 3)


def test_grids_of_other_types_and_ranks() -> None:
    grid = sj.StencilGrid([3, 4, 5], np.float32)
    assert grid.data.dtype == np.float32
    assert list(grid.interior_points()) == [(1, 1, 1 + k) for k in range(3)] + [
        (1, 2, 1 + k) for k in range(3)
    ]
    assert list(sj.StencilGrid([4]).interior_points()) == [(1,), (2,)]


def test_the_base_class_s_points_in_plain_python() -> None:
    kernel, grid = sj.StencilKernel(), sj.StencilGrid([3, 3])
    assert list(kernel.interior_points(grid)) == [(1, 1)]
    assert list(kernel.neighbors((1, 1), 1)) == list(grid.neighbors((1, 1), 1))
    kernel.neighbor_definition = [[(0, 1)]]
    assert list(kernel.neighbors((1, 1), 0)) == [(1, 2)]


@pytest.mark.parametrize("name", ["source", "trace", "nothing"])
def test_an_attribute_that_the_object_lacks_is_not_defined(run: Run, name: str) -> None:
    """Also where a kernel's own object has one of that name, which is not made yet."""
    kernel = run(SCIPY_2011.partition("in_grid =")[0].replace("in_grid[y]", f"self.{name}"))
    with pytest.raises(StencilError, match=f"L013: name 'self.{name}' is not defined"):
        kernel["ExampleKernel"](fallback=False)(np.ones((5, 5)))
    one = kernel["ExampleKernel"](fallback=False)
    setattr(one, name, 0.5)
    assert one(np.ones((5, 5)))[2, 2] == 2.0
    assert one._kernel(one._own_method(), 0).reference(np.ones((5, 5)))[2, 2] == 2.0


def test_a_class_kernel_is_called_by_its_class(run: Run) -> None:
    kernel = run(SCIPY_2011)["ExampleKernel"](fallback=False)
    report = kernel.measure(np.ones((9, 9)))
    assert card_text(report).startswith("ExampleKernel: ")
