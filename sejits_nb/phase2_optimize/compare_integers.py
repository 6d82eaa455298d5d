"""Integers are compared by value, as in NumPy >= 2, whatever the dtypes that they come in.

u[x] < 300     ->  True                                                       (u: u8)
u[x] < n       ->  u[x] < u8(n) if 0 <= n and n <= 255 else n > 0             (n: a Python int)
u[x] < v[x]    ->  u[x] < u64(v[x]) if v[x] >= 0 else False                   (u: u64, v: i32)
"""

from __future__ import annotations

import numpy as np

from ..ir.dtypes import BOOL, PY_BOOL, U64, DType, join, promote
from ..ir.expr import Call, Compare, Const, Expr, Logic, Select
from ..ir.node import Span
from .conversions import cast, typed
from .fold_constants import folded

_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def compared(op: str, a: Expr, b: Expr, loc: Span | None) -> Expr:
    """``a op b`` as NumPy >= 2 compares: integers by value, everything else in the common dtype."""
    ours = _integer_pair(a, b)
    if ours is None:
        common = promote(typed(a), typed(b))
        dtype = PY_BOOL if common.weak else BOOL
        return Compare(op, cast(a, common), cast(b, common), dtype=dtype, loc=loc)
    if typed(a) != ours:
        return compared(_TURNED[op], b, a, loc)
    b = folded(b) if typed(b).weak else b
    least, most = _limits(ours)
    above, below = op in ("<", "<=", "!="), op in (">", ">=", "!=")
    if isinstance(b, Const) and not least <= b.value <= most:
        return Const(above if b.value > most else below, dtype=BOOL, loc=loc)
    inside = Compare(op, a, cast(b, ours), dtype=BOOL, loc=loc)
    can = _limits(typed(b))
    tests = [_against(">=", b, least)] if can[0] < least else []
    tests += [_against("<=", b, most)] if can[1] > most else []
    if isinstance(b, Const) or not tests:
        return inside
    fits = tests[0] if len(tests) == 1 else Logic("and", *tests, dtype=BOOL, loc=loc)
    outside: Expr = Const(below, dtype=BOOL, loc=loc)
    if above != below and len(tests) == 2:
        outside = _against(">" if above else "<", b, 0)
    return Select(fits, inside, outside, dtype=BOOL, loc=loc)


def smaller_or_larger(func: str, a: Expr, b: Expr, loc: Span | None) -> Expr:
    """Python's ``min(a, b)`` or ``max(a, b)``: which one it is is decided by value.

    A constant that is the result keeps its own type.
    """
    test = compared("<" if func == "min" else ">", b, a, loc)
    if isinstance(test, Const):  # one of them is out of the other's range
        return b if test.value else a
    dtype = join(typed(a), typed(b))
    if isinstance(test, Select):
        return Select(test, cast(b, dtype), cast(a, dtype), dtype=dtype, loc=loc)
    return Call(func, (cast(a, dtype), cast(b, dtype)), dtype=dtype, loc=loc)


def _integer_pair(a: Expr, b: Expr) -> DType | None:
    """In which operand's dtype two integers are compared; ``None`` where the common one will do."""
    one, other = typed(a), typed(b)
    if one.kind not in "iu" or other.kind not in "iu" or (one.weak and other.weak):
        return None
    if one.weak or other.weak:
        return other if one.weak else one
    return U64 if promote(one, other).kind == "f" else None


def _against(op: str, e: Expr, bound: int) -> Compare:
    return Compare(op, e, Const(bound, dtype=typed(e), loc=e.loc), dtype=BOOL, loc=e.loc)


def _limits(dtype: DType) -> tuple[int, int]:
    limits = np.iinfo(dtype.numpy)
    return int(limits.min), int(limits.max)
