"""Signed arithmetic by way of unsigned: overflow wraps in NumPy's arrays, in C it may do anything.

    u[i] + 1      ->  i32(u32(u[i]) + 1u)           -u[i]  ->  i32(-u32(u[i]))

For languages whose compilers have no flag for it (gcc's ``-fwrapv``).  Indices stay as they are: they
lie within arrays.
"""

from __future__ import annotations

import dataclasses

from ..ir.dtypes import U16, U32, U64, DType
from ..ir.node import Node, map_children
from ..ir.past import Binary, Convert, Literal, Load, PExpr, Store, Unary, Unit


def in_unsigned(unit: Unit) -> Unit:
    """*unit* with no ``+``, ``-`` or ``*`` of a value that signed overflow could spoil."""
    tables = {table.name for table in unit.tables}

    def change(n: Node) -> Node:
        if isinstance(n, Load) and n.array not in tables:
            return n
        if isinstance(n, Store):
            value = change(n.value)
            assert isinstance(value, PExpr)
            return n if value is n.value else dataclasses.replace(n, value=value)
        return _rule(map_children(n, change))

    changed = change(unit)
    assert isinstance(changed, Unit)
    return changed


def _rule(n: Node) -> Node:
    match n:
        case Unary("-", operand) if (carrier := _carrier("-", n.dtype)) is not None:
            made: PExpr = Unary("-", _as(carrier, operand), dtype=carrier, loc=n.loc)
        case Binary("+" | "-" | "*" as op, a, b) if (carrier := _carrier(op, n.dtype)) is not None:
            made = Binary(op, _as(carrier, a), _as(carrier, b), dtype=carrier, loc=n.loc)
        case _:
            return n
    return Convert(made, dtype=n.dtype, loc=n.loc)


def _carrier(op: str, dtype: DType) -> DType | None:
    """The unsigned type to compute in; narrow integers become ``int``, which only a product of two
    u16 overflows."""
    if dtype.kind == "i" and dtype.bits >= 32:
        return U64 if dtype.bits == 64 else U32
    return U32 if dtype == U16 and op == "*" else None


def _as(carrier: DType, e: PExpr) -> PExpr:
    """*e* in *carrier*, without going back and forth."""
    if isinstance(e, Convert) and e.operand.dtype == carrier and e.dtype.bits == carrier.bits:
        return e.operand
    if isinstance(e, Literal) and e.value >= 0:
        return dataclasses.replace(e, dtype=carrier)
    return Convert(e, dtype=carrier, loc=e.loc)
