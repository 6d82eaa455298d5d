"""Short words for building PAST: indices as sums of products, loops, loads, float64 arithmetic."""

from __future__ import annotations

from ...ir import past
from ...ir.dast import Statement
from ...ir.dtypes import F64, DType
from ...ir.node import Span
from ...ir.past import Address, Binary, For, Literal, Load, PExpr, Store, Variable

Index = int | str | PExpr


def index(*terms: Index | tuple[Index, int]) -> PExpr:
    """``index(("k", 16), "d", 3)`` is ``k*16 + d + 3``; zeros are left out."""
    total: PExpr | None = None
    for term in terms:
        what, factor = term if isinstance(term, tuple) else (term, 1)
        e = Variable(what) if isinstance(what, str) else what
        e = Literal(e * factor) if isinstance(e, int) else e
        if not isinstance(e, Literal) and factor != 1:
            e = Binary("*", e, Literal(factor))
        if e == Literal(0):
            continue
        total = e if total is None else Binary("+", total, e)
    return Literal(0) if total is None else total


def load(array: str, *terms: Index | tuple[Index, int], dtype: DType = F64) -> Load:
    """``array[index(*terms)]``."""
    return Load(array, index(*terms), dtype=dtype)


def at(array: str, *terms: Index | tuple[Index, int]) -> Address:
    """``&array[index(*terms)]``."""
    return Address(array, index(*terms))


def op(sign: str, left: PExpr, right: PExpr, dtype: DType = F64) -> PExpr:
    """``left sign right`` in *dtype*."""
    return Binary(sign, left, right, dtype=dtype)


def loop(
    var: str,
    stop: int | PExpr,
    *body: Statement,
    loc: Span | None,
    start: int = 0,
    simd: bool = False,
) -> For:
    """``for var in [start, stop)``; its iterations are not promised to be independent."""
    end = Literal(stop) if isinstance(stop, int) else stop
    return For(var, Literal(start), end, body, simd=simd, loc=loc)


def store(array: str, place: PExpr, value: PExpr, loc: Span | None) -> Store:
    """``array[place] = value``, at *loc*."""
    return past.Store(array, place, value, loc=loc)


def add_to(array: str, place: PExpr, value: PExpr, loc: Span | None, dtype: DType = F64) -> Store:
    """``array[place] += value``."""
    return store(array, place, op("+", Load(array, place, dtype=dtype), value, dtype), loc)
