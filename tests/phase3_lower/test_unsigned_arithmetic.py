"""Signed values are computed as unsigned ones; indices and floats stay as they are."""

from __future__ import annotations

import pytest

from sejits_nb.ir.check import check_past
from sejits_nb.ir.dtypes import F64, I16, I32, I64, U16, U32, DType
from sejits_nb.ir.node import Span
from sejits_nb.ir.past import (
    Binary,
    CallC,
    Convert,
    Function,
    Literal,
    Load,
    Param,
    PExpr,
    Store,
    Table,
    Unary,
    Unit,
    Variable,
    show,
)
from sejits_nb.phase3_lower.unsigned_arithmetic import in_unsigned

HERE = Span(1, 0, 1, 5)


def read(dtype: DType) -> PExpr:
    """``u[i + 1]``."""
    return Load("u", Binary("+", Variable("i"), Literal(1)), dtype=dtype)


def stored(value: PExpr, *tables: Table) -> tuple[str, bool]:
    """What is stored after the pass, and whether the pass changed anything."""
    params = (
        Param("u", value.dtype, True),
        Param("out", value.dtype, True, False),
        Param("i", I64),
    )
    body = (Store("out", Variable("i"), value, loc=HERE),)
    unit = Unit(Function("k", params, body, loc=HERE), tables=tables, loc=HERE)
    changed = in_unsigned(unit)
    assert check_past(changed) == ()
    (store,) = changed.function.body
    assert isinstance(store, Store)
    assert store.index == Variable("i")
    assert store.value.dtype == value.dtype
    return show(store.value), changed is not unit


@pytest.mark.parametrize(
    ("dtype", "op", "wanted"),
    [
        (I32, "+", "i32(u32(u[i + 1]) + u32(u[i + 1]))"),
        (I64, "*", "i64(u64(u[i + 1])*u64(u[i + 1]))"),
        (U16, "*", "u16(u32(u[i + 1])*u32(u[i + 1]))"),
        (U16, "-", "u[i + 1] - u[i + 1]"),
        (I16, "*", "u[i + 1]*u[i + 1]"),
        (U32, "*", "u[i + 1]*u[i + 1]"),
        (I32, "^", "u[i + 1] ^ u[i + 1]"),
        (F64, "+", "u[i + 1] + u[i + 1]"),
    ],
)
def test_binary_operators(dtype: DType, op: str, wanted: str) -> None:
    assert stored(Binary(op, read(dtype), read(dtype), dtype=dtype)) == (wanted, "(u" in wanted)


def test_a_chain_goes_back_once() -> None:
    product = Binary("*", read(I32), Literal(3, dtype=I32), dtype=I32)
    negative = Unary("-", product, dtype=I32)
    shown, _ = stored(Binary("-", negative, Literal(-2, dtype=I32), dtype=I32))
    assert shown == "i32(-(u32(u[i + 1])*3) - u32(-2))"


def test_the_index_of_a_table_is_a_value() -> None:
    table = Table("w", I32, (Literal(4, dtype=I32),))
    place = CallC("index_i64", (Binary("*", Convert(read(I32)), Literal(2)), Literal(1)))
    shown, _ = stored(Load("w", place, dtype=I32), table)
    assert shown == "w[index_i64(i64(u64(i64(u[i + 1]))*2), 1)]"
