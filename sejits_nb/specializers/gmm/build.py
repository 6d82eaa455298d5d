"""Short words for building PAST: indices as sums of products, loops, loads, float64 arithmetic."""

from __future__ import annotations

from ...ir import past
from ...ir.dast import Statement
from ...ir.dtypes import F64, DType
from ...ir.node import Span
from ...ir.past import Address, Binary, For, Literal, Load, PExpr, Store, Variable

Index = int | str | PExpr
Terms = Index | tuple[Index, ...]
"""A term of an index: a number, a variable, an expression, or a product of such."""


def index(*terms: Terms) -> PExpr:
    """``index(("k", 16), "d", 3)`` is ``k*16 + d + 3``; zeros and factors of one are left out."""
    total: PExpr | None = None
    for term in terms:
        e = _product(term if isinstance(term, tuple) else (term,))
        if e != Literal(0):
            total = e if total is None else Binary("+", total, e)
    return Literal(0) if total is None else total


def _product(factors: tuple[Index, ...]) -> PExpr:
    number, product = 1, None
    for factor in factors:
        if isinstance(factor, int):
            number *= factor
            continue
        e = Variable(factor) if isinstance(factor, str) else factor
        product = e if product is None else Binary("*", product, e)
    if product is None or number == 0:
        return Literal(number)
    return product if number == 1 else Binary("*", product, Literal(number))


def load(array: str, *terms: Terms, dtype: DType = F64) -> Load:
    """``array[index(*terms)]``."""
    return Load(array, index(*terms), dtype=dtype)


def at(array: str, *terms: Terms) -> Address:
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


def items(
    var: str, stop: int | PExpr, *body: Statement, loc: Span | None, along: int = 0, group: int = 0
) -> For:
    """Work-items *var* in [0, stop) along a dimension of the launch."""
    end = Literal(stop) if isinstance(stop, int) else stop
    return For(var, Literal(0), end, body, independent=True, work_item=along, group=group, loc=loc)


def groups(var: str, stop: int | PExpr, *body: Statement, loc: Span | None, along: int = 0) -> For:
    """Work-groups *var* in [0, stop) along a dimension of the launch."""
    end = Literal(stop) if isinstance(stop, int) else stop
    return For(var, Literal(0), end, body, independent=True, work_group=along, loc=loc)


def store(array: str, place: PExpr, value: PExpr, loc: Span | None) -> Store:
    """``array[place] = value``, at *loc*."""
    return past.Store(array, place, value, loc=loc)


def add_to(array: str, place: PExpr, value: PExpr, loc: Span | None, dtype: DType = F64) -> Store:
    """``array[place] += value``."""
    return store(array, place, op("+", Load(array, place, dtype=dtype), value, dtype), loc)
