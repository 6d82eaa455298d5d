"""Where C and Python part ways: expressions equal what NumPy's scalars and Python's numbers give.

An expression is written in ``a`` and ``b``, values of two grids; the test evaluates it by ``eval`` on
the same scalars, independently of the package, and asks for every bit unless rounding is meant.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sejits_nb.errors import StencilError

from .conftest import MakeKernel, body

Array = np.ndarray[Any, Any]
VALUES = {
    "float64": [0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 3.0, 7.0, -7.0, 0.1, 1e10, -1e10, 1e300, -1e300,
                5e-324, np.inf, -np.inf, np.nan, 0.5, 2.0],
    "float32": [0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 3.0, 7.0, -7.0, 0.1, 1e10, -1e10, 3e38, -3e38,
                1e-45, np.inf, -np.inf, np.nan, 0.5, 2.0],
}  # fmt: skip


def _intrinsic(name: str) -> Callable[[Any], Any]:
    """Of a Python number a Python number, of a NumPy scalar one of its type."""
    ufunc: Any = getattr(np, name)
    return lambda v: ufunc(v) if isinstance(v, np.generic) else float(ufunc(float(v)))


NAMED = ("sqrt", "exp", "log", "sin", "cos", "tan", "tanh", "floor")
INTRINSICS = {name: _intrinsic(name) for name in NAMED}

EXACT = {
    "floor division": ["a // b", "a // 3", "a // -0.3", "3 // a", "-7 // 2 + a", "7 // -2 * a"],
    "remainder": ["a % b", "a % 3", "a % -3", "3 % a", "-3.5 % b", "-7 % 3 + a", "7 % -3 + a"],
    "minimum and maximum": [
        "min(a, b)", "max(a, b)", "min(b, a)", "min(a, b, 0.0)", "max(a, 1)", "min(True, a)",
        "np.minimum(a, b)", "np.maximum(a, b)", "np.minimum(a, 0.1)", "np.maximum(0.1, a) * 0.1",
    ],
    "comparisons": [
        "a < b", "a <= b", "a == b", "a != b", "a < b < 2.0", "-1 < a <= b < 3", "a != 0 != b",
        "(a > 0) == (b > 0)", "1 < 2 < a", "a < 1 == 1", "a == 0.1", "a > b > a",
    ],
    "logic": [
        "not a", "a < b or a > 3", "1.0 if a or b else 2.0", "1.0 if a and b else 2.0",
        "1.0 if not (a and not b) else 2.0", "(a > 0 and b > 0) * 1.0",
        "1.0 if a > 0 and b or a else 2.0",
    ],
    "truth values in arithmetic": [
        "(a > 0) + (b > 0)", "(a > 0) * 2", "(a > 0) * b", "True + a", "(a > 0) & (b > 0)",
        "(a > 0) ^ (b > 0)", "~(a > 0)", "(a > 0) | (b > 0)", "(a > 0) / 3", "(a > 0) * 0.1",
        "(1 > 0) + (2 > 1) + a", "max(a > 0, 0.5)", "abs(a > 0)",
    ],
    "conditional expressions": [
        "1 if a > b else 2.5", "a if a else b", "a if True else b", "a if 0 else b",
        "(7 if a > 0 else 2.5) // 2", "(7 if a > 0 else -7) % (3 if b > 0 else -3)",
        "(7 if a > 0 else -7) // (3 if b > 0 else -3)", "(2 if a > 0 else -3) / 2",
        "(1 if a > 0 else 2) / (3 if b > 0 else 4) * a", "0.1 if a > 0 else a",
    ],
    "signs and precedence": [
        "-a ** 2", "(-a) ** 2", "- -a", "-+-a", "a - -b", "a - (b - a)", "a - (b + 1) - 2", "-a % 3",
        "-(a % 3)", "-a // 2", "2 * -a", "(a if a > b else b) + 1", "1 + (a if a > b else b)",
        "-(a if a > b else b)", "not a == b", "a - b * (a - b)",
    ],
    "zeros": [
        "0 + a", "0.0 + a", "-0.0 + a", "0 * a", "0 - a", "0.0 - a", "a - 0", "a * 1", "a * -1",
        "a / 1", "-0.0 * a", "a + -0.0", "0 / a", "1 / a", "a ** 0", "a ** 1", "0.0 if a > b else -0.0",
    ],
    "weak numbers": [
        "a * 0.1", "a + 0.1 * 3", "0.1 * 3 * a", "a / 3", "a / 4.0", "float(a) * 0.1",
        "np.float32(a) * 0.1", "np.float64(a) * 0.1", "np.float32(0.1) * a", "a * 1e-50",
        "a * 1e50", "a * 100000000000", "np.sqrt(2.0) * a", "sqrt(2.0) * a", "math.pi * a",
        "float(a) * float(b) * 0.1", "a * 16777217", "a * 1e400",
    ],
    "integers": [
        "(5 & 3 | 5 ^ 1) * a", "(~5) * a", "(-7 >> 1) + a", "(1 << 40) * a", "2 ** 10 * a",
        "2 ** -1 * a", "(-2) ** 3 * a", "7 / 2 * a", "(7 if a > 0 else 3) ** 2 * b",
        "abs(-3) * a", "pow(2, 5) * a", "floor(3) * a", "(2 ** 53 + 1) * a",
        "(70000 if a > 0 else 3) * (70000 if b > 0 else 2) * a", "(1 << (33 if a > 0 else 2)) * b",
    ],
    "functions": [
        "abs(a)", "sqrt(a)", "floor(a)", "np.floor(a)", "np.abs(a)", "np.sqrt(a)", "math.fabs(a)",
        "math.sqrt(abs(a)) * 0.1", "floor(a * 0.1)", "abs(-a)", "sqrt(a * a)",
    ],
}  # fmt: skip
ROUNDED = {
    "numbers of two types by branch": ["min(0.1, a) * 0.1", "(0.1 if a > 0 else b) * 0.7"],
    "contraction": ["a * b + 1.0", "0.1 * a + 0.2 * b", "a * a - b * b", "a * 0.1 - a * 0.1 + 1.0"],
    "powers": ["a ** 2", "a ** 3", "a ** 4", "a ** -1", "a ** 0.5", "abs(a) ** 0.3", "abs(a) ** -0.5",
               "2 ** a", "a ** 5", "pow(abs(a), 1.5)", "np.power(a, 2)", "abs(a) ** b"],
    "elementary": ["exp(a)", "log(a)", "sin(a)", "cos(a)", "tanh(a)", "np.exp(a)", "log(abs(a) + 0.5)",
                   "math.exp(min(a, 9.0))", "tan(a)"],
}  # fmt: skip


def _evaluate(expressions: list[str], a: Array, b: Array) -> list[Array]:
    scope: dict[str, Any] = {"np": np, "math": math} | INTRINSICS
    found = [np.zeros_like(a) for _ in expressions]
    with np.errstate(all="ignore"):
        for code, out in zip([compile(e, e, "eval") for e in expressions], found, strict=True):
            for i in range(len(a)):
                out[i] = eval(code, scope | {"a": a[i], "b": b[i]})
    return found


def _run(make: MakeKernel, expressions: list[str], a: Array, b: Array) -> list[Array]:
    outs = [f"o{i}" for i in range(len(expressions))]
    lines = [f"{o}[x] = {e}" for o, e in zip(outs, expressions, strict=True)]
    text = body("a = A[x]", "b = B[x]", *lines, params=f"A, B, {', '.join(outs)}")
    kernel, _ = make(text.replace("out.interior", "A.interior"))
    found = kernel(a, b)
    return list(found) if isinstance(found, tuple) else [found]


def _grids(dtype: str) -> tuple[Array, Array]:
    a, b = np.meshgrid(np.array(VALUES[dtype], dtype), np.array(VALUES[dtype], dtype))
    return a.ravel().copy(), b.ravel().copy()


@pytest.mark.parametrize("dtype", VALUES)
@pytest.mark.parametrize("topic", EXACT)
def test_expressions_to_the_bit(make: MakeKernel, topic: str, dtype: str) -> None:
    a, b = _grids(dtype)
    found, wanted = _run(make, EXACT[topic], a, b), _evaluate(EXACT[topic], a, b)
    bits = f"u{a.itemsize}"
    for expression, got, want in zip(EXACT[topic], found, wanted, strict=True):
        same = (got.view(bits) == want.view(bits)) | (np.isnan(got) & np.isnan(want))
        assert same.all(), _first(expression, ~same, a, b, got, want)


@pytest.mark.parametrize("dtype", VALUES)
@pytest.mark.parametrize("topic", ROUNDED)
def test_expressions_within_rounding(make: MakeKernel, topic: str, dtype: str) -> None:
    """Few units in the last place of the largest intermediate value; the same infinities and NaN."""
    a, b = _grids(dtype)
    if topic == "contraction":
        ordinary = (np.abs(a) < 1e9) & (np.abs(b) < 1e9)
        a, b = a[ordinary].copy(), b[ordinary].copy()
    found, wanted = _run(make, ROUNDED[topic], a, b), _evaluate(ROUNDED[topic], a, b)
    eps = float(np.finfo(dtype).eps)
    for expression, got, want in zip(ROUNDED[topic], found, wanted, strict=True):
        size = np.abs(want.astype(float))
        if topic == "contraction":
            size = np.maximum(size, np.maximum(1.0, a.astype(float) ** 2 + b.astype(float) ** 2))
        with np.errstate(invalid="ignore"):
            near = np.abs(got.astype(float) - want) <= 16 * eps * size + np.finfo(dtype).tiny
        same = (got == want) | (np.isnan(got) & np.isnan(want)) | (np.isfinite(want) & near)
        assert same.all(), _first(expression, ~same, a, b, got, want)


def _first(expression: str, wrong: Array, a: Array, b: Array, got: Array, want: Array) -> str:
    i = int(np.argmax(wrong))
    return f"{expression}: a={a[i]!r} b={b[i]!r} gives {got[i]!r}, Python gives {want[i]!r}"


STATEMENTS = {
    "accumulation in f32 from a weak start": (
        "acc = 0.1", "for y in u.neighbors(x, 1):\n    acc += u[y]", "out[x] = acc",
    ),
    "integer start": ("acc = 0", "for y in u.neighbors(x, 1):\n    acc += u[y]", "out[x] = acc / 3"),
    "counting": (
        "n = 0", "for y in u.neighbors(x, 1):\n    if u[y] > u[x]:\n        n += 1",
        "out[x] = (n * 7 - 10) // 3 + (n - 2) % 3 + (n - 2) // -2",
    ),
    "guarded integer division": (
        "n = 0", "for y in u.neighbors(x, 1):\n    if u[y] > u[x]:\n        n += 1",
        "out[x] = 5 // n if n else -1",
    ),
    "guarded square root": ("out[x] = math.sqrt(u[x]) if u[x] > 0 else 0.0",),
    "store in one branch": ("if u[x] > 0:\n    out[x] = 1.0",),
    "stores in nested branches": (
        "if u[x] > 0:\n    out[x] = 1.0\n    if u[x] > 1:\n        out[x] += 2\n    elif u[x] > 0.5:\n"
        "        out[x] *= 3\nelse:\n    pass",
    ),
    "number as a test that merges two names": (
        "p = 0.0", "q = 0.0", "if u[x] % 2:\n    p = 1.0\n    q = 2.0", "out[x] = p + q",
    ),
    "test of truth values and numbers": (
        "p = 1.0", "if u[x] > 0 or u[x + (0, 1)]:\n    p = 2.0", "out[x] = p",
    ),
    "int or float by branch": (
        "if u[x] > 0:\n    p = 7\nelse:\n    p = 2.5", "out[x] = p // 2 + p % 3 + p / 4",
    ),
    "read back and accumulate": (
        "out[x] = u[x]", "out[x] += out[x] * 2", "p = out[x]", "out[x] = p - u[x]",
    ),
    "neighbors of neighbors": (
        "acc = 0.0",
        "for y in u.neighbors(x, 1):\n    for z in u.neighbors(y, 1):\n        acc += u[z]",
        "out[x] = acc",
    ),
    "one neighbor variable twice": (
        "acc = 0.0", "for y in u.neighbors(x, 1):\n    acc += u[y]",
        "for y in u.neighbors(x, 2):\n    acc += u[y]", "out[x] = acc",
    ),
    "radius zero": ("for y in u.neighbors(x, 0):\n    out[x] = u[y] + 1",),
    "offsets of several spellings": (
        "out[x] = u[x - (1, 0)] + u[x + (0, 2)] + u[x + (1, 1) - (0, 2)] + u[x + [0, 1]]",
    ),
    "sums of a name and literals": ("t = u[x] * 1.0", "out[x] = t + 0.1 - 0.25", "out[x] += t + 1 + 2"),
    "long conditional in a long sum": (
        "out[x] = (min(u[x + (0, 1)], 3.0, 0.5) if u[x] - u[x] > u[x + (0, 1)] >= u[x] "
        "else u[x + (1, 0)] * 6) + ((6 - 1) % (u[x + (-1, 0)] + 0.5)) + u[x + (0, -1)]",
    ),
    "names that generated code uses": (
        "b = u[x] % 3", "b__1 = u[x] // 2", "t1 = b * b__1 + b * b__1", "mod_f64 = t1 % 2",
        "min_f32 = min(t1, 3.0)", "out_x = mod_f64 + min_f32 % 2", "i = out_x", "j = i", "ii = j",
        "out[x] = ii + i", "out[x] += out_x", "test = out[x]", "if test > 1:\n    test = 1.0",
        "out[x] = test",
    ),
}  # fmt: skip


@pytest.mark.parametrize("pins", ["unroll=1,threads=1", "unroll=2,threads=2"])
@pytest.mark.parametrize("dtype", VALUES)
@pytest.mark.parametrize("title", STATEMENTS)
def test_statements_to_rounding(make: MakeKernel, title: str, dtype: str, pins: str) -> None:
    kernel, _ = make(body(*STATEMENTS[title]), set=pins)
    u = np.random.default_rng(1).normal(size=(8, 9)).astype(dtype)
    u[2, 3], u[4, 4], u[5, 6] = 0.0, -0.0, 2.0
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(kernel(u), kernel.reference(u), 16 * eps, 16 * eps)


NAMES = (
    "double register int exp min max sqrt i j t1 test acc_1 out_x kernel main M_PI HUGE_VAL "
    "INT8_MIN _Bool restrict floordiv_f64 α ñ __a _ k_kernel struct u3b1 errno NULL y1 typeof"
).split()  # fmt: skip


@pytest.mark.parametrize("turn", range(len(NAMES)))
def test_any_python_name_in_any_role(make: MakeKernel, turn: int) -> None:
    """Each name is once a kernel, a grid, an output, a parameter, a local, a point, a neighbor."""
    names = (NAMES + NAMES)[turn : turn + 7]
    kernel, grid, out, number, local, point, neighbor = names
    text = (
        f"def {kernel}({grid}, {out}, {number}=2.0):\n"
        f"    for {point} in {out}.interior_points():\n"
        f"        {local} = 1.0\n"
        f"        if {grid}[{point}] > 0:\n"
        f"            {local} += {number}\n"
        f"        for {neighbor} in {grid}.neighbors({point}, 1):\n"
        f"            {local} += {grid}[{neighbor}] % 3\n"
        f"        {out}[{point}] = {local} // 0.7\n"
    )
    made, _ = make(text)
    u = np.random.default_rng(turn).normal(size=(6, 7))
    np.testing.assert_array_equal(made(u), made.reference(u))
    np.testing.assert_array_equal(made(u, **{number: 1.0}), made.reference(u, **{number: 1.0}))


@pytest.mark.parametrize("name", ["exp", "min", "i", "math", "float", "abs"])
def test_a_parameter_hides_what_it_is_called_like(make: MakeKernel, name: str) -> None:
    kernel, _ = make(body(f"out[x] = u[x] * {name}", params=f"u, out, {name}=2.0"))
    np.testing.assert_array_equal(kernel(np.ones((4, 4))), np.full((4, 4), 2.0))


def test_a_name_of_the_module_hides_an_intrinsic(make: MakeKernel) -> None:
    text = body("out[x] = exp(u[x]) + max(u[x], 0.0)")
    kernel, _ = make(text, {"exp": np.sqrt, "max": np.minimum})
    np.testing.assert_array_equal(kernel(np.full((4, 4), 4.0)), np.full((4, 4), 2.0))


@pytest.mark.parametrize(
    "lines",
    [
        ("for y in u.neighbors(x, 1):\n    for y in u.neighbors(y, 1):\n        out[x] += u[y]",),
        ("for x in u.neighbors(x, 1):\n    out[x] += u[x]",),
        ("for y in u.neighbors(x, 1):\n    out[x] += u[y]", "out[x] += u[y]"),
    ],
)
def test_reused_points_mean_what_python_means_or_are_refused(
    make: MakeKernel, lines: tuple[str, ...]
) -> None:
    kernel, _ = make(body(*lines))
    u = np.random.default_rng(2).normal(size=(7, 8))
    try:
        found = kernel(u)
    except StencilError:
        return
    np.testing.assert_allclose(found, kernel.reference(u), 1e-12)


@pytest.mark.parametrize(
    "text",
    [
        body("out[x] = sqrt(u[x] * u[x] - v[x] * v[x])", params="u, v, out"),
        body("out[x] = log(u[x] * u[x] - v[x] * v[x])", params="u, v, out"),
        body("out[x] = 1.0 / (u[x] * u[x] - v[x] * v[x])", params="u, v, out"),
        body("out[x] = math.sqrt(u[x] - v[x])", params="u, v, out"),
        body("out[x] = math.exp(1.0 / (u[x] - v[x] + 0.01))", params="u, v, out"),
    ],
)
def test_the_check_accepts_what_only_the_users_data_make_legal(make: MakeKernel, text: str) -> None:
    """Contraction may leave a function's domain, and made-up data may: neither is the user's fault."""
    v = np.random.default_rng(3).uniform(1, 2, size=(80, 80))
    kernel, _ = make(text)
    found, plain = kernel(v, v), kernel.reference(v, v)
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(plain))


@pytest.mark.parametrize(
    "text",
    [
        body("acc = u[x]", "for y in u.neighbors(x, 1, metric='moore'):\n    acc += 0.5 * u[y]",
             "out[x] = acc"),
        body("acc = u[x]", "for y in u.neighbors(x, 2, metric='moore'):\n    if u[y] > 0:\n"
             "        acc += u[y]\n    else:\n        acc *= 0.9", "out[x] = acc"),
        body("acc = u[x]", *["acc = 0.5 * acc + 1"] * 400, "out[x] = acc"),
        body("acc = u[x]", *[f"{'    ' * i}if acc > {0.1 * i - 2}:\n{'    ' * (i + 1)}acc += {i}"
                             for i in range(15)], "out[x] = acc"),
        body("out[x] = " + " + ".join(f"{i} * u[x]" for i in range(300))),
        body("out[x] = " + "(" * 60 + "u[x]" + " + 1)" * 60),
    ],
    ids=["27 points", "125 points", "400 lines", "15 levels", "300 terms", "60 parentheses"],
)  # fmt: skip
def test_large_kernels(make: MakeKernel, text: str) -> None:
    kernel, _ = make(text)
    u = np.random.default_rng(4).normal(size=(6, 7, 8))
    np.testing.assert_allclose(kernel(u), kernel.reference(u), 1e-12, 1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "def outer():\n  def k(u, out):\n# at column 0\n    for x in out.interior_points():\n"
        "      out[x] = u[x]\n  return k\nk = outer()\n",
        "def outer():\n  def k(u, out):\n    '''Doc\n\nat column 0\n    '''\n"
        "    for x in out.interior_points():\n      out[x] = u[x]\n  return k\nk = outer()\n",
        "def k(u, out):\n\tfor x in out.interior_points():\n\t\ta = u[x]; out[x] = a\n",
        "def k(\n    u: 'Grid',\n    out=None,\n) -> None:\n    for x in out.interior_points():\n"
        "        a: float = (\n            u[x]  # as it is\n        )\n"
        "        out[x] = \\\n            a\n",
        "def k(u, out):\n    for ξ in out.interior_points():\n        名 = u[ξ]\n        out[ξ] = 名\n",
        "def k(u, out):\n    for x in out.interior_points(): out[x] = u[x]\n",
    ],
    ids=["comment", "docstring", "tabs", "annotations", "unicode", "one line"],
)
def test_layouts_of_source_text(make: MakeKernel, text: str) -> None:
    kernel, _ = make(text)
    u = np.random.default_rng(5).normal(size=(4, 5))
    np.testing.assert_array_equal(kernel(u), u)
