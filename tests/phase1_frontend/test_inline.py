"""Helper functions inlined: the Python that results, name by name."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from sejits_nb.phase1_frontend.capture import recapture
from sejits_nb.phase1_frontend.functions import find_function, with_cell_functions
from sejits_nb.phase1_frontend.inline import MOST_CALLS, Inlined, inline
from sejits_nb.stages import KernelSource

NAMES = {"C": 3.0, "T": (1.0, 2.0)}


def inlined(text: str) -> Inlined:
    """The function ``k`` of a cell with the cell's other functions inlined."""
    source = KernelSource("k", dedent(text).lstrip(), "In")
    source = recapture(source, with_cell_functions(source, NAMES.__getitem__))
    function = find_function(ast.parse(source.code), "k")
    assert function is not None
    return inline(source, function)


@pytest.mark.parametrize(
    ("helper", "call", "lines"),
    [
        ("def f(a):\n    return C * a", "f(u[x])",
         ["f_a = u[x]", "f_value = f().C * f_a", "out[x] = f_value"]),
        ("def f(a):\n    return C * a", "1.0 + f(b) + f(2)",
         ["f_value = f().C * b", "f2_value = f().C * 2", "out[x] = 1.0 + f_value + f2_value"]),
        ("def f(u, p, d=(0, 1)):\n    return u[p + d]", "f(v, x - (1, 0))",
         ["f_value = v[x - (1, 0) + f().=d]", "out[x] = f_value"]),
        ("def f(a):\n    a = a + 1\n    return a", "f(b)",
         ["f_a = b", "f_a = f_a + 1", "f_value = f_a", "out[x] = f_value"]),
        ("def f(a):\n    if a > 0:\n        return a\n    return -a", "f(b)",
         ["if b > 0:", "    f_value = b", "else:", "    f_value = -b", "out[x] = f_value"]),
        ("def f(a):\n    if a > 0:\n        if a > 9:\n            return 9\n    b = a\n    return b",
         "f(c)",
         ["if c > 0:", "    if c > 9:", "        f_value = 9", "    else:", "        f_b = c",
          "        f_value = f_b", "else:", "    f_b = c", "    f_value = f_b", "out[x] = f_value"]),
        ("def f(a):\n    return g(g(a))\ndef g(a):\n    return T[0] - sqrt(a)", "f(b)",
         ["g_value = g().T[0] - g().sqrt(b)", "g2_value = g().T[0] - g().sqrt(g_value)",
          "f_value = g2_value", "out[x] = f_value"]),
        ("def f(u, x):\n    s = 0\n    for y in u.neighbors(x, 1):\n        s += u[y]\n    return s",
         "f(v, y)",
         ["f_s = 0", "for f_y in v.neighbors(y, 1):", "    f_s += v[f_y]", "f_value = f_s",
          "out[x] = f_value"]),
    ],
)  # fmt: skip
def test_calls(helper: str, call: str, lines: list[str]) -> None:
    kernel = inlined(
        f"{helper}\ndef k(u, v, out, b, c, y):\n    for x in p():\n        out[x] = {call}\n"
    )
    loop = kernel.function.body[0]
    assert isinstance(loop, ast.For)
    assert ast.unparse(ast.Module(loop.body, [])).splitlines() == lines
    assert kernel.found == ()


def test_what_a_condition_calls_is_computed_before_it() -> None:
    text = """
        def f(a):
            return a + 1
        def k(u):
            if f(1) > 0:
                a = f(2)
            elif f(3):
                a = 4
    """
    assert ast.unparse(inlined(text).function).splitlines()[1:] == [
        "    f_value = 1 + 1",
        "    if f_value > 0:",
        "        f2_value = 2 + 1",
        "        a = f2_value",
        "    else:",
        "        f3_value = 3 + 1",
        "        if f3_value:",
        "            a = 4",
    ]


def test_nodes_keep_the_place_of_their_own_text() -> None:
    text = """
        def f(a):
            b = a
            return b
        def k(u, q):
            c = f(q)
    """
    bound, value, use = inlined(text).function.body
    assert [bound.lineno, value.lineno, use.lineno] == [2, 3, 5]
    assert isinstance(bound, ast.Assign)
    assert (bound.value.lineno, bound.value.col_offset) == (2, 8)  # the argument, where it is read


def test_names_that_a_kernel_has_are_not_taken() -> None:
    text = """
        def f(a):
            t = a
            return t
        def k(f_t, q):
            f_value = f(q)
    """
    kernel = inlined(text)
    assert ast.unparse(kernel.function).splitlines()[1:] == [
        "    f2_t = q", "    f2_value = f2_t", "    f_value = f2_value",
    ]  # fmt: skip
    assert kernel.written == {"f2_t": "t", "f2_value": "f()"}


@pytest.mark.parametrize("doubled", [3, 20])
def test_calls_and_paths_that_double_are_limited(doubled: int) -> None:
    chain = "".join(f"def f{n + 1}(a):\n    return f{n}(f{n}(a))\n" for n in range(doubled))
    kernel = inlined(f"def f0(a):\n    return a\n{chain}def k(u):\n    b = f{doubled}(1)\n")
    assert [d.code for d in kernel.found] == (["L029"] if doubled > 3 else [])
    assert len(kernel.function.body) <= 2 * MOST_CALLS

    paths = "".join(
        f"    if a > {n}:\n        if a > 0.5:\n            return {n}\n" for n in range(doubled)
    )
    kernel = inlined(f"def f(a):\n{paths}    return a\ndef k(u):\n    b = f(1)\n")
    assert [d.code for d in kernel.found] == (["L029"] if doubled > 3 else [])
