"""Which conversions there and back a unit holds, and the flags that make gcc keep them."""

from __future__ import annotations

import pytest

from sejits_nb.ir.dtypes import F32, F64, I32, I64
from sejits_nb.ir.past import (
    Binary,
    Convert,
    Declare,
    Function,
    Literal,
    Load,
    PExpr,
    Store,
    Unit,
    Variable,
)
from sejits_nb.phase5_backend.c_compiler import Compiler, Family, flags
from sejits_nb.phase5_backend.dialects import C_OPENMP
from sejits_nb.phase5_backend.print_source import print_source

U = Load("u", Literal(0), dtype=F64)
SINGLE = Load("v", Literal(0), dtype=F32)
WHOLE = Load("w", Literal(0), dtype=I64)
ROUNDED = Convert(U, dtype=F32)
CUT = Convert(U, dtype=I32)


def of(*body: Declare | Store) -> tuple[str, ...]:
    return print_source(Unit(Function("k", (), body)), C_OPENMP).narrowings


def to_out(value: PExpr) -> Store:
    return Store("out", Literal(0), value)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (Convert(ROUNDED, dtype=F64), ("f",)),
        (Convert(CUT, dtype=F64), ("i",)),
        (Convert(Convert(CUT, dtype=I64), dtype=F32), ("i",)),
        (Binary("+", Convert(ROUNDED, dtype=F64), Convert(CUT, dtype=F64), dtype=F64), ("f", "i")),
        (Convert(Binary("*", ROUNDED, SINGLE, dtype=F32), dtype=F64), ("f",)),
        (ROUNDED, ()),
        (CUT, ()),
        (Convert(SINGLE, dtype=F64), ()),
        (Convert(WHOLE, dtype=F64), ()),
        (Binary("+", Convert(SINGLE, dtype=F64), Convert(WHOLE, dtype=F64), dtype=F64), ()),
    ],
)
def test_what_comes_back(value: PExpr, found: tuple[str, ...]) -> None:
    assert of(to_out(value)) == found


def test_it_comes_back_in_another_expression() -> None:
    back = to_out(Convert(Variable("a", dtype=F32), dtype=F64))
    assert of(Declare("a", F32, ROUNDED), back) == ("f",)
    assert of(Declare("a", F32, SINGLE), Declare("b", F32, ROUNDED), back) == ()
    stored = Store("v", Literal(0), ROUNDED)
    assert of(stored, to_out(Convert(SINGLE, dtype=F64))) == ("f",)


@pytest.mark.parametrize("family", ["gcc", "clang", "zig"])
def test_other_code_is_compiled_as_ever(family: Family) -> None:
    compiler = Compiler(("cc",), "some", family, openmp=True)
    usual, kept = flags(compiler, exact=False), flags(compiler, False, ("f", "i"))
    assert kept[: len(usual)] == usual
    assert set(kept) - set(usual) == (
        {"-fno-tree-slp-vectorize", "-ftrapping-math"} if family == "gcc" else set()
    )
