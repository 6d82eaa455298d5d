"""Typed expressions lowered: Python's meaning in C's operators."""

from __future__ import annotations

from typing import Any

import pytest

from sejits_nb.ir import expr as dast
from sejits_nb.ir import past
from sejits_nb.ir.dtypes import BOOL, F32, F64, I64, PY_BOOL, PY_FLOAT, PY_INT, DType
from sejits_nb.ir.node import Span
from sejits_nb.phase3_lower.expressions import ExpressionLowering

HERE = Span(4, 2, 4, 8)


def name(id: str, dtype: DType = F64) -> dast.Name:
    return dast.Name(id, dtype=dtype)


A, B = name("a"), name("b")
T, S = name("t", BOOL), name("s", BOOL)
N, M = name("n", PY_INT), name("m", PY_INT)


def binary(op: str, a: dast.Expr, b: dast.Expr, dtype: DType = F64) -> dast.Binary:
    return dast.Binary(op, a, b, dtype=dtype)


def lowering() -> ExpressionLowering:
    def read(e: dast.Expr) -> past.PExpr:
        raise AssertionError(e)

    return ExpressionLowering(lambda id: f"c_{id}", read)


@pytest.mark.parametrize(
    ("e", "text", "helpers"),
    [
        (binary("+", A, B), "c_a + c_b", []),
        (binary("/", A, B), "c_a / c_b", []),
        (binary("//", A, B), "floordiv_f64(c_a, c_b)", ["floordiv_f64"]),
        (binary("//", N, M, PY_INT), "floordiv_i64(c_n, c_m)", ["floordiv_i64"]),
        (binary("%", A, B, F32), "mod_f32(c_a, c_b)", ["mod_f32"]),
        (binary("**", A, B), "pow(c_a, c_b)", []),
        (binary("**", N, M, PY_INT), "pow_i64(c_n, c_m)", ["pow_i64"]),
        (binary("&", N, M, PY_INT), "c_n & c_m", []),
        (dast.Unary("-", A, dtype=F64), "-c_a", []),
        (dast.Unary("~", N, dtype=PY_INT), "~c_n", []),
        (dast.Unary("~", T, dtype=BOOL), "!c_t", []),
        (dast.Unary("not", T, dtype=PY_BOOL), "!c_t", []),
        (dast.Compare("<=", A, B, dtype=BOOL), "c_a <= c_b", []),
        (dast.Logic("and", T, S, dtype=BOOL), "c_t && c_s", []),
        (dast.Logic("or", T, S, dtype=BOOL), "c_t || c_s", []),
        (dast.Select(T, A, B, dtype=F64), "c_t ? c_a : c_b", []),
        (dast.Call("min", (A, B), dtype=F64), "min_f64(c_a, c_b)", ["min_f64"]),
        (dast.Call("npmax", (A, B), dtype=F32), "npmax_f32(c_a, c_b)", ["npmax_f32"]),
        (dast.Call("abs", (A,), dtype=F64), "abs(c_a)", []),
        (dast.Call("abs", (N,), dtype=PY_INT), "abs_i64(c_n)", ["abs_i64"]),
        (dast.Call("floor", (A,), dtype=F64), "floor(c_a)", []),
        (dast.Call("floor", (N,), dtype=PY_INT), "c_n", []),
        (dast.Cast(A, dtype=F32), "f32(c_a)", []),
        (dast.Cast(name("a", PY_FLOAT), dtype=F64), "c_a", []),
        (dast.Cast(T, dtype=I64), "i64(c_t)", []),
    ],
)
def test_lowering(e: dast.Expr, text: str, helpers: list[str]) -> None:
    run = lowering()
    lowered = run.lower(e)
    assert past.show(lowered) == text
    assert sorted(run.helpers) == helpers


@pytest.mark.parametrize("e", [A, binary("//", A, B), dast.Select(T, A, B, dtype=F64)])
def test_the_span_is_kept_and_the_type_is_no_longer_weak(e: Any) -> None:
    import dataclasses

    lowered = lowering().lower(dataclasses.replace(e, loc=HERE, dtype=PY_FLOAT))
    assert (lowered.loc, lowered.dtype) == (HERE, F64)
