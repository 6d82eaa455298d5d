"""The printer: exact C for every node, fewest parentheses, and gcc agrees with the tree."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sejits_nb.ir.dtypes import BOOL, F32, F64, I64, U8, DType
from sejits_nb.ir.node import Span
from sejits_nb.ir.past import (
    Binary,
    CallC,
    Convert,
    Declare,
    For,
    Function,
    Literal,
    Load,
    Param,
    PExpr,
    Store,
    Ternary,
    Unary,
    Unit,
    Variable,
)  # fmt: skip
from sejits_nb.phase5_backend.bind_cffi import load
from sejits_nb.phase5_backend.compile_c import compile_source
from sejits_nb.phase5_backend.dialects import C_OPENMP, OPENCL
from sejits_nb.phase5_backend.print_source import expression, print_source
from sejits_nb.stages import Launch

HERE, SWEEP, HEAD = Span(4, 8, 4, 20), Span(3, 13, 3, 30), Span(2, 0, 2, 14)
A, B, C = (Variable(n, dtype=F64) for n in "abc")
I, J = Variable("i"), Variable("j")  # noqa: E741  # the loop variables' own names


def add(a: PExpr, b: PExpr, op: str = "+") -> Binary:
    return Binary(op, a, b, dtype=a.dtype)


def sub(a: PExpr, b: PExpr) -> Binary:
    return add(a, b, "-")


def mul(a: PExpr, b: PExpr) -> Binary:
    return add(a, b, "*")


def literal(value: Any, dtype: DType = F64) -> Literal:
    return Literal(value, dtype=dtype)


@pytest.mark.parametrize(
    ("e", "text"),
    [
        (add(add(A, B), C), "a + b + c"),
        (add(A, add(B, C)), "a + (b + c)"),
        (sub(A, sub(B, C)), "a - (b - c)"),
        (mul(add(A, B), C), "(a + b) * c"),
        (add(mul(A, B), C), "a * b + c"),
        (mul(A, add(B, C, "/")), "a * (b / c)"),
        (add(mul(A, B), C, "/"), "a * b / c"),
        (Unary("-", add(A, B), dtype=F64), "-(a + b)"),
        (Unary("-", Unary("-", A)), "- -a"),
        (Unary("-", literal(-1.0)), "- -1.0"),
        (sub(A, literal(-1.0)), "a - -1.0"),
        (Unary("!", add(A, B, "<")), "!(a < b)"),
        (add(add(A, B, "<"), add(B, C, "<"), "&&"), "(a < b) && (b < c)"),
        (add(add(I, J, "&"), I, "|"), "(i & j) | i"),
        (add(I, add(J, I, "<<")), "i + (j << i)"),
        (Ternary(add(A, B, "<"), A, B, dtype=F64), "a < b ? a : b"),
        (add(Ternary(A, B, C, dtype=F64), C), "(a ? b : c) + c"),
        (Ternary(Ternary(A, B, C), B, Ternary(A, B, C)), "(a ? b : c) ? b : a ? b : c"),
        (Load("u", add(mul(I, literal(8, I64)), J), dtype=F64), "u[i * 8 + j]"),
        (CallC("sqrt", (add(A, B),), dtype=F64), "sqrt(a + b)"),
        (CallC("sqrt", (A,), dtype=F32), "sqrtf(a)"),
        (CallC("abs", (A,), dtype=F32), "fabsf(a)"),
        (CallC("min_f32", (A, B), dtype=F32), "min_f32(a, b)"),
        (Convert(add(A, B), dtype=F32), "(float)(a + b)"),
        (Convert(A, dtype=I64), "(int64_t)a"),
        (mul(Convert(A, dtype=F32), B), "(float)a * b"),
    ],
)  # fmt: skip
def test_expressions_have_the_fewest_parentheses(e: PExpr, text: str) -> None:
    assert expression(e, C_OPENMP) == text


@pytest.mark.parametrize(
    ("value", "dtype", "text"),
    [
        (1.0, F64, "1.0"), (0.1, F64, "0.1"), (1e300, F64, "1e+300"), (5e-324, F64, "5e-324"),
        (0.1, F32, "0.1f"), (16777216.0, F32, "1.6777216e+07f"), (1e20, F32, "1e+20f"),
        (-0.0, F64, "-0.0"), (-2.5, F32, "-2.5f"), (math.inf, F64, "INFINITY"),
        (-math.inf, F64, "-INFINITY"), (math.nan, F64, "NAN"), (3, I64, "3"), (-3, I64, "-3"),
        (-(2**63), I64, "(-9223372036854775807L - 1)"), (200, U8, "200u"), (True, BOOL, "1"),
        (3, F64, "3.0"),
    ],
)  # fmt: skip
def test_literals_read_back_as_the_same_value(value: Any, dtype: DType, text: str) -> None:
    assert expression(literal(value, dtype), C_OPENMP) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_survives(value: float) -> None:
    assert float(expression(literal(value), C_OPENMP)) == value


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_every_float_survives(value: float) -> None:
    text = expression(literal(value, F32), C_OPENMP)
    assert text.endswith("f")
    assert np.float32(text[:-1]) == np.float32(value)


U, OUT = Param("u", F64, True), Param("out", F64, True, const=False)


def unit(*body: Any, helpers: tuple[str, ...] = (), params: tuple[Param, ...] = (U, OUT)) -> Unit:
    return Unit(Function("k", params, body, loc=HEAD), helpers, loc=HEAD)


def loop(*body: Any, **changed: Any) -> For:
    return replace(For("i", Literal(1), Literal(9), body, loc=SWEEP), **changed)


STORE = Store("out", I, Variable("a", dtype=F64), loc=HERE)
DECLARE = Declare("a", F64, Load("u", I, dtype=F64, loc=Span(4, 17, 4, 20)), loc=HERE)


def test_a_whole_file_with_the_span_of_each_line() -> None:
    printed = print_source(unit(loop(DECLARE, STORE, simd=True, parallel=2, step=4)), C_OPENMP)
    assert (printed.language, printed.entry, printed.params) == ("c", "k", (U, OUT))
    assert printed.text == (
        "#include <math.h>\n"
        "#include <stdint.h>\n"
        "\n"
        "void k(const double *restrict u, double *restrict out)\n"
        "{\n"
        "    #pragma omp parallel for simd schedule(static) num_threads(2)\n"
        "    for (int64_t i = 1; i < 9; i += 4) {\n"
        "        const double a = u[i];\n"
        "        out[i] = a;\n"
        "    }\n"
        "}\n"
    )
    spans = [line.loc for line in printed.lines]
    assert spans == [None] * 3 + [HEAD, None, SWEEP, SWEEP, Span(4, 17, 4, 20), HERE, None, None]


def wrapped(first: PExpr) -> list[tuple[str, Span | None]]:
    """The lines of ``out[0] = <first> + <a long product> - <a long product>``, with their spans."""
    one, two = (replace(CallC("sqrt", (mul(A, B),) * 30, dtype=F64), loc=Span(n, 8, n, 30))
                for n in (5, 6))  # fmt: skip
    store = Store("out", Literal(0), sub(add(first, one), two), loc=Span(4, 8, 6, 30))
    lines = print_source(unit(store, params=(OUT,)), C_OPENMP).lines
    start = next(n for n, line in enumerate(lines) if "out[0]" in line.text)
    return [(line.text.split("(a * b,")[0], line.loc) for line in lines[start:-1]]


def test_a_long_sum_has_a_line_and_a_span_for_each_term() -> None:
    first = replace(A, loc=Span(4, 17, 4, 18))
    assert wrapped(first) == [
        ("    out[0] =", Span(4, 8, 6, 30)),
        ("        a", Span(4, 17, 4, 18)),
        ("        + sqrt", Span(5, 8, 5, 30)),
        ("        - sqrt", Span(6, 8, 6, 30)),
    ]


@pytest.mark.parametrize(
    ("first", "text"),
    [
        (Ternary(A, B, C, dtype=F64), "(a ? b : c)"),
        (add(I, J, "<<"), "(i << j)"),
        (add(A, B, "<"), "(a < b)"),
        (mul(A, B), "a * b"),
        (Unary("-", A, dtype=F64), "-a"),
    ],
)
def test_a_wrapped_sum_keeps_its_parentheses(first: PExpr, text: str) -> None:
    assert [line.strip() for line, _ in wrapped(first)][1] == text


def test_pragmas_are_those_of_the_marks() -> None:
    def heads(**marks: Any) -> list[str]:
        lines = print_source(unit(loop(STORE, **marks)), C_OPENMP).text.splitlines()
        return [line.strip() for line in lines if "#pragma" in line]

    assert heads() == []
    assert heads(simd=True) == ["#pragma omp simd"]
    assert heads(parallel=3) == ["#pragma omp parallel for schedule(static) num_threads(3)"]


def test_parameters() -> None:
    params = (U, Param("n", I64), Param("t", F32), Param("flag", BOOL), OUT)
    printed = print_source(unit(params=params), C_OPENMP).text
    assert (
        "void k(const double *restrict u, const int64_t n, const float t, const _Bool flag, "
        "double *restrict out)" in " ".join(printed.split())
    )


def test_helpers_come_before_the_function_in_their_type() -> None:
    text = print_source(unit(helpers=("mod_f32", "min_i64")), C_OPENMP).text
    assert "static inline float mod_f32(float a, float b)" in text
    assert "fmodf(a, b)" in text
    assert "static inline int64_t min_i64(int64_t a, int64_t b)" in text
    assert text.index("mod_f32") < text.index("void k(")
    assert "$" not in text


def test_what_is_no_past_is_refused() -> None:
    with pytest.raises(TypeError, match="Function is no PAST statement"):
        print_source(unit(unit().function), C_OPENMP)


# -- gcc agrees


LEAVES = st.one_of(st.sampled_from([A, B, C]), st.sampled_from([0.5, 2.0, -3.0, 7.25]).map(literal))


def grown(e: st.SearchStrategy[PExpr]) -> st.SearchStrategy[PExpr]:
    number = st.builds(lambda op, a, b: add(a, b, op), st.sampled_from("+-*/"), e, e)
    test = st.builds(
        lambda op, a, b: Binary(op, a, b, dtype=BOOL),
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), e, e,
    )  # fmt: skip
    both = st.builds(
        lambda op, a, b: Binary(op, a, b, dtype=BOOL), st.sampled_from(["&&", "||"]), test, test
    )
    neither = st.builds(lambda a: Unary("!", a, dtype=BOOL), both)
    choice = st.builds(
        lambda t, a, b: Ternary(t, a, b, dtype=F64), st.one_of(test, both, neither), e, e
    )
    return st.one_of(number, choice, st.builds(lambda a: Unary("-", a, dtype=F64), e))


def value_of(e: PExpr, scope: dict[str, float]) -> Any:
    match e:
        case Literal(value):
            return np.float64(value)
        case Variable(name):
            return np.float64(scope[name])
        case Unary("-", operand):
            return -value_of(operand, scope)
        case Unary("!", operand):
            return not value_of(operand, scope)
        case Ternary(test, then, orelse):
            return value_of(then if value_of(test, scope) else orelse, scope)
        case Binary(op, left, right):
            a, b = value_of(left, scope), value_of(right, scope)
            python = {"&&": "a and b", "||": "a or b"}.get(op, f"a {op} b")
            with np.errstate(all="ignore"):
                return eval(python, {"a": a, "b": b})
    raise TypeError(e)


@settings(max_examples=4)
@given(st.lists(st.recursive(LEAVES, grown, max_leaves=10), min_size=40, max_size=40))
def test_gcc_computes_what_the_tree_says(trees: list[PExpr]) -> None:
    """Forty expressions a file, so that few files have to be compiled."""
    stores = [Store("out", Literal(n), e, loc=HERE) for n, e in enumerate(trees)]
    numbers = tuple(Param(n, F64) for n in "abc")
    source = print_source(unit(*stores, params=(OUT, *numbers)), C_OPENMP)
    run: Callable[[Any], None] = load(compile_source(source, True))
    for scope in ({"a": 1.5, "b": -2.0, "c": 0.0}, {"a": 0.1, "b": 0.1, "c": 3.0}):
        out = np.empty(len(trees))
        run({"out": out, **scope})
        wanted = np.array([value_of(e, scope) for e in trees])
        np.testing.assert_array_equal(out, wanted)


# -- the second dialect


@pytest.mark.parametrize(
    ("e", "wanted"),
    [
        (literal(math.inf), "(double)INFINITY"),
        (literal(-math.inf), "-(double)INFINITY"),
        (literal(math.nan, F32), "(float)NAN"),
        (CallC("pow", (A, literal(-math.inf)), dtype=F64), "pow(a, -(double)INFINITY)"),
        (CallC("sqrt", (literal(0.5, F32),), dtype=F32), "sqrt(0.5f)"),
        (CallC("abs", (A,), dtype=F64), "fabs(a)"),
        (Convert(I, dtype=F32), "(float)i"),
    ],
)
def test_opencl_functions_are_overloaded(e: PExpr, wanted: str) -> None:
    assert expression(e, OPENCL) == wanted


def test_opencl_kernels_one_a_nest() -> None:
    def nest(start: int, array: str, *sizes: tuple[int, int]) -> For:
        body: tuple[For | Store, ...] = (Store(array, I, literal(1.0), loc=HERE),)
        for dimension, (count, group) in enumerate(sizes):
            body = (For("ij"[dimension], literal(start, I64), literal(start + count, I64), body,
                        independent=True, work_item=dimension, group=group, loc=SWEEP),)  # fmt: skip
        assert isinstance(body[0], For)
        return body[0]

    flags = Param("flags", BOOL, pointer=True, const=False)
    made = unit(
        nest(1, "out", (6, 3), (4, 2)), nest(0, "flags", (5, 0)), params=(OUT, flags),
        helpers=("mod_f32",),
    )  # fmt: skip
    printed = print_source(made, OPENCL)
    assert printed.launches == (Launch("k", (6, 4), (3, 2)), Launch("k_1", (5,), (1,)))
    assert (
        printed.text.partition("/*")[2].partition("\n\n")[2]
        == """\
__kernel __attribute__((reqd_work_group_size(3, 2, 1)))
void k(__global double *restrict out, __global uchar *restrict flags)
{
    const long j = get_global_id(1) + 1;
    const long i = get_global_id(0) + 1;
    out[i] = 1.0;
}

__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void k_1(__global double *restrict out, __global uchar *restrict flags)
{
    const long i = get_global_id(0);
    flags[i] = 1.0;
}
"""
    )
    assert "fmod(a, b)" in printed.text


def test_opencl_loops_that_are_not_mapped_are_loops_of_one_work_item() -> None:
    loop = For("i", literal(0, I64), literal(9, I64), (Store("out", I, A, loc=HERE),), loc=SWEEP)
    printed = print_source(unit(loop), OPENCL)
    assert printed.launches == (Launch("k", (1,), (1,)),)
    assert "    for (long i = 0; i < 9; i++) {" in printed.text
