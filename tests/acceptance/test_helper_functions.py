"""Helper functions: inlined as they are called, with Python's own meaning of arguments and names."""

# The kernels are written as users write them: without types, with intrinsics that nothing imports.
# mypy: disable-error-code="no-untyped-def, name-defined, no-untyped-call"

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy import special

import sejits_nb as sj
from sejits_nb.decorate import kernel_of_cell
from sejits_nb.errors import StencilError
from sejits_nb.kernel import SejitsWarning

from .conftest import MakeKernel

U = np.random.default_rng(9).normal(size=(9, 11))
SWEEP = "def k(u, out):\n    for x in out.interior_points():\n        out[x] = "

both = pytest.mark.parametrize(
    "backend", ["c", pytest.param("opencl", marks=pytest.mark.platforms)]
)


def same(kernel: Any, *args: Any) -> Any:
    """The kernel's result, which is the plain Python's."""
    got, plain = kernel(*args), kernel.reference(*args)
    np.testing.assert_allclose(got, plain, 1e-14, 1e-14)
    return got


GAIN = 0.5
WEIGHTS = [1.0, 2.0, 4.0]
STAR = [(0, -1), (0, 1)]


def mean(a, b, weight=0.5):
    """A docstring."""
    total = a + b
    return weight * total


def clipped(a, *, low=-1.0, high=1.0):
    if a < low:
        return low
    elif a > high:
        return high
    return a


def laplacian(u, x):
    total = -4.0 * u[x]
    for y in u.neighbors(x, 1):
        total += u[y]
    return GAIN * total


def across(u, p, offset):
    total = 0.0
    for y in u.neighbors(p, STAR):
        total += u[y + offset]
    return total


def size(a):
    return sqrt(abs(mean(a, WEIGHTS[1], weight=np.pi)))  # noqa: F821  # an intrinsic


@both
def test_values_points_grids_defaults_and_early_returns(backend: str) -> None:
    @sj.stencil(fallback=False, check="strict", backend=backend)
    def k(u, v, out, alpha):
        for x in out.interior_points():
            a = mean(u[x], u[x + (0, 1)]) + mean(b=u[x], a=2.0)
            if clipped(a) > 0.0:
                a = clipped(alpha * a, high=clipped(v[x], low=0.0))
            out[x] = a + laplacian(u, x) + laplacian(v, x - (0, 1)) + size(v[x])
            out[x] += across(v, x + (0, 1), (1, 0)) if u[x] > 0.0 else mean(alpha, 1)

    got = same(k, U, U[::-1], 0.25)
    u, v = U, U[::-1]
    a = 0.5 * (u[3, 4] + u[3, 5]) + 0.5 * (2.0 + u[3, 4])
    if np.clip(a, -1.0, 1.0) > 0.0:
        a = np.clip(0.25 * a, -1.0, np.clip(v[3, 4], 0.0, 1.0))
    lap = 0.5 * (u[2, 4] + u[4, 4] + u[3, 3] + u[3, 5] - 4 * u[3, 4])
    lap += 0.5 * (v[2, 3] + v[4, 3] + v[3, 2] + v[3, 4] - 4 * v[3, 3])
    rest = v[4, 4] + v[4, 6] if u[3, 4] > 0.0 else 0.625
    wanted = a + lap + np.sqrt(abs(np.pi * (v[3, 4] + 2.0))) + rest
    assert got[3, 4] == pytest.approx(wanted, rel=1e-13)


def test_a_helper_named_like_an_intrinsic_wins() -> None:
    def floor(a):
        return a + 100.0

    def tanh(a):
        return floor(a)

    @sj.stencil(fallback=False)
    def k(u, out):
        for x in out.interior_points():
            out[x] = floor(u[x]) - tanh(0.0)

    np.testing.assert_allclose(same(k, U)[1:-1, 1:-1], U[1:-1, 1:-1])


def test_locals_of_kernel_and_helper_are_apart(make: MakeKernel) -> None:
    text = """
def half(a, t=3.0):
    mean_a = a + t
    a = 0.5 * mean_a
    return a

def k(u, out, half_a):
    for x in out.interior_points():
        a, t = 1.0, 2.0
        half_value = 7.0
        b = half(u[x]) + half(a) + half(half(half_a, a), half_value)
        out[x] = a + 10.0 * half_value + half_a + b
"""
    kernel, _ = make(text.replace("a, t = 1.0, 2.0", "a = 1.0"), check="strict")
    got = same(kernel, U, 5.0)
    b = (U[4, 4] + 3.0) / 2 + 2.0 + ((5.0 + 1.0) / 2 + 7.0) / 2
    assert got[4, 4] == pytest.approx(76.0 + b)


@pytest.mark.parametrize(
    "dtypes",
    [("float32", "float32"), ("int16", "float64"), ("uint8", "int64"), ("bool", "float32")],
)
def test_weak_numbers_stay_weak_through_a_call(make: MakeKernel, dtypes: tuple[str, str]) -> None:
    """A literal that a helper returns or is given takes the type that it meets, as in place."""
    text = f"def two():\n    return 2\n\ndef times(a, b):\n    return a * b\n\n{SWEEP}"
    kernel, _ = make(f"{text}times(u[x], two()) + times(3, two())\n", check="strict")
    u, out = (U > 0).astype(dtypes[0]), np.zeros(U.shape, dtypes[1])
    kernel(u, out)
    np.testing.assert_array_equal(out[1:-1, 1:-1], (u * 2 + 6)[1:-1, 1:-1].astype(dtypes[1]))


# -- what a helper captures


def test_a_changed_helper_or_constant_counts_from_the_next_call(make: MakeKernel) -> None:
    text = f"""
SCALE = 2.0

def inner(a):
    return SCALE * a

def scaled(a, plus=SCALE):
    return inner(a) + plus

{SWEEP}scaled(u[x])
"""
    kernel, module = make(text)
    middle = (4, 5)
    assert same(kernel, U)[middle] == 2.0 * U[middle] + 2.0
    module.SCALE = 3.0
    assert same(kernel, U)[middle] == 3.0 * U[middle] + 2.0  # a default keeps its value
    module.inner = mean
    with pytest.raises(StencilError, match=r"mean\(\) takes \(a, b, weight\), not 1 argument"):
        kernel(U)
    module.inner = clipped
    assert same(kernel, U)[middle] == np.clip(U[middle], -1.0, 1.0) + 2.0
    module.scaled = size
    assert same(kernel, U)[middle] == np.sqrt(abs(np.pi * (U[middle] + 2.0)))


def test_two_helpers_of_one_name_see_their_own_modules(make: MakeKernel) -> None:
    _, other = make(f"C = 10.0\ndef part(a):\n    return C * a\n\n{SWEEP}u[x]\n")
    text = f"C = 1.0\ndef part(a):\n    return other.part(a) + C\n\n{SWEEP}part(u[x]) + other.C\n"
    kernel, _ = make(text, {"other": other})
    assert same(kernel, U)[2, 2] == 10.0 * U[2, 2] + 1.0 + 10.0


def test_a_class_kernel_calls_helpers() -> None:
    class Smooth(sj.StencilKernel):
        def kernel(self, in_grid, out_grid):
            for x in out_grid.interior_points():
                out_grid[x] = mean(laplacian(in_grid, x), in_grid[x])

    got = Smooth(fallback=False)(U)
    lap = GAIN * (U[2, 4] + U[4, 4] + U[3, 3] + U[3, 5] - 4 * U[3, 4])
    assert got[3, 4] == pytest.approx(0.5 * (lap + U[3, 4]))


# -- the text of a cell

CELL = """%%stencil
def double(a):
    return gain() * a

def gain():
    return GAIN

def k(u, out):
    for x in out.interior_points():
        out[x] = double(u[x])
"""


def test_the_functions_of_a_cell_come_before_the_notebook_s() -> None:
    names: dict[str, Any] = {"GAIN": 2.0, "gain": None, "double": 7}
    kernel = kernel_of_cell(CELL, "Cell In[3]", "", names.__getitem__, "stencil", {})
    assert same(kernel, U)[2, 2] == 2.0 * U[2, 2]
    names["GAIN"] = 3.0
    assert same(kernel, U)[2, 2] == 3.0 * U[2, 2]
    assert set(names) == {"GAIN", "gain", "double"}


def test_every_line_of_a_helper_links_to_the_helper_s_own_text() -> None:
    kernel = kernel_of_cell(CELL, "Cell In[3]", "", {"GAIN": 2.0}.__getitem__, "stencil", {})
    lines = {span.line for span, step, _ in kernel.links if step.startswith("DAST")}
    assert {3, 6, 10} <= lines


def test_links_reach_text_that_stands_elsewhere(make: MakeKernel) -> None:
    kernel, _ = make(f"{SWEEP}laplacian(u, x)\n", {"laplacian": laplacian})
    kernel(U)
    source = kernel.trace.source
    spans = {s for s, step, _ in kernel.links if step == "C" and s.line > 3}
    found = {source.lines[s.line - 1][s.col : s.end_col] for s in spans}
    assert {"-4.0 * u[x]", "total += u[y]", "GAIN * total"} <= found
    assert {source.place(s.line)[0] for s in spans} == {__file__}
    page = kernel.source._repr_html_()
    assert "def laplacian" in page


# -- errors


def test_an_error_inside_of_a_helper_is_shown_at_its_own_line(make: MakeKernel) -> None:
    def odd(a):
        b = a + unknown  # noqa: F821  # the mistake
        return [b, a]

    kernel, _ = make(f"{SWEEP}odd(u[x])\n", {"odd": odd})
    with pytest.raises(StencilError) as caught:
        kernel(U)
    first = odd.__code__.co_firstlineno
    shown = [(d.code, d.where, d.line, d.text[d.col : d.end_col]) for d in caught.value.diagnostics]
    assert shown == [
        ("L013", __file__, first + 1, "unknown"),
        ("L011", __file__, first + 2, "[b, a]"),
    ]


def test_names_in_messages_are_those_of_the_helper() -> None:
    cell = """%%stencil
def pick(u, x, a):
    if a > 0.0:
        b = a
    for y in u.neighbors(x, 1):
        c = y + alhpa + STARS[9]
    x = 1.0
    return b * c

def k(u, out):
    for x in out.interior_points():
        out[x] = pick(u, x, u[x])
"""
    names: dict[str, Any] = {}
    kernel = kernel_of_cell(cell, "In", "", names.__getitem__, "stencil", {"fallback": False})
    with pytest.raises(StencilError) as caught:
        kernel(U)
    said = "\n".join(f"{d.line} {d.message}" for d in caught.value.diagnostics)
    assert "6 'y' is a point, not a number" in said
    assert "6 name 'alhpa' is not defined" in said
    assert "8 'b' may be unset here" in said
    assert "pick_" not in str(caught.value)
    assert "()." not in str(caught.value)


def test_functions_of_installed_packages_are_not_read() -> None:
    @sj.stencil(fallback=False)
    def k(u, out):
        for x in out.interior_points():
            out[x] = special.comb(u[x], 2)

    with pytest.raises(StencilError) as caught:
        k(U)
    (found,) = caught.value.diagnostics
    assert (found.code, found.text[found.col : found.end_col]) == ("L012", "special.comb")


def test_coordinates_and_offsets_pass_through(make: MakeKernel) -> None:
    """A coordinate of a moved point needs no halo: nothing is read there."""
    text = f"def weight(p, n):\n    return p[0] * n + p[1]\n\n{SWEEP}"
    kernel, _ = make(f"{text}weight(x, 10) - weight(x + (1, -2), 100) + u[x] + (x - (3, 0))[0]\n")
    i, j = np.indices(U.shape)
    wanted = i * 10 + j - ((i + 1) * 100 + j - 2) + U + i - 3
    np.testing.assert_allclose(same(kernel, U), wanted, 1e-14)


def test_an_unreadable_function_runs_as_plain_python() -> None:
    scope: dict[str, Any] = {}
    exec("def hidden(a):\n    return a + 1.0", scope)
    hidden = scope["hidden"]

    @sj.stencil
    def k(u, out):
        for x in out.interior_points():
            out[x] = hidden(u[x])

    with pytest.warns(SejitsWarning, match="'hidden' is not a function that the language knows"):
        got = k(U)
    assert got[2, 2] == U[2, 2] + 1.0


def test_a_recursive_helper_runs_as_plain_python() -> None:
    def power(a, n):
        return a * power(a, n - 1) if n > 0 else 1.0

    @sj.stencil
    def k(u, out):
        for x in out.interior_points():
            out[x] = power(u[x], 3)

    with pytest.warns(SejitsWarning, match=r"L027: power\(\) calls itself"):
        got = k(U)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(k(U), got)
    assert got[2, 2] == pytest.approx(U[2, 2] ** 3)
