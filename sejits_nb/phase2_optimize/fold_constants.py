"""Constant folding, by rules that keep every bit of the result.

    2 * 3 -> 6      1.0 * a -> a      a / 8.0 -> a * 0.125      -(-a) -> a

``0.0 + a`` stays: it differs from ``a`` for minus zero.
"""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import Finding
from ..ir.dast import Statement
from ..ir.dtypes import PY_INT
from ..ir.expr import Binary, Cast, Compare, Const, Expr, Logic, Lookup, Select, Unary
from ..ir.node import Node, rewrite
from .conversions import cast

_FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "//": operator.floordiv, "%": operator.mod, "**": operator.pow, "&": operator.and_,
    "|": operator.or_, "^": operator.xor, "<": operator.lt, "<=": operator.le, ">": operator.gt,
    ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def fold_constants(body: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """*body* (typed) with constant sub-expressions computed and exact identities applied."""
    folded = tuple(rewrite(s, _rule) for s in body)
    return body if all(a is b for a, b in zip(folded, body, strict=True)) else folded


def folded(e: Expr) -> Expr:
    """*e* (typed) with the same done."""
    return rewrite(e, _rule)


def _rule(n: Node) -> Node | None:
    match n:
        case Binary(op, Const(), Const()) | Compare(op, Const(), Const()):
            return _computed(n, op, n.left, n.right)
        case Binary("*", Const(value), other) | Binary("*", other, Const(value)) if value == 1:
            return other if other.dtype == n.dtype else None
        case Binary("/", other, Const(value)) if _power_of_two(value):
            reciprocal = Const(1.0 / value, dtype=n.right.dtype, loc=n.right.loc)
            return dataclasses.replace(n, op="*", left=other, right=reciprocal)
        case Unary("-", Unary("-", operand)):
            return operand
        case Unary("-", Const(value)) if not isinstance(value, bool):
            return Const(-value, dtype=n.dtype, loc=n.loc)
        case Select(Const(value), then, orelse):
            return then if value else orelse
        case Select(_, then, orelse) if then == orelse:
            return then
        case Logic("and", Const(value), other) | Logic("and", other, Const(value)) if value:
            return other
        case Logic("or", Const(value), other) | Logic("or", other, Const(value)) if not value:
            return other
        case Lookup(_, table, Const(value)) if -len(table) <= value < len(table):
            return dataclasses.replace(table[int(value)], loc=n.loc)
        case Cast(Const() as operand) if n.dtype is not None:
            return cast(operand, n.dtype)
        case _:
            return None


def _computed(n: Binary | Compare, op: str, left: Expr, right: Expr) -> Const | None:
    """The constant that both operands give, or ``None`` where Python itself would raise."""
    assert isinstance(left, Const) and isinstance(right, Const)
    if op not in _FUNCTIONS or n.dtype is None or left.dtype is None or right.dtype is None:
        return None
    a: Any = left.value if left.dtype.weak else left.dtype.numpy.type(left.value)
    b: Any = right.value if right.dtype.weak else right.dtype.numpy.type(right.value)
    try:
        with np.errstate(all="ignore"):
            value = _FUNCTIONS[op](a, b)
    except (ArithmeticError, ValueError, TypeError):
        return None
    plain: Any = value.item() if isinstance(value, np.generic) else value
    wanted: Any = {"b": bool, "i": int, "u": int, "f": float}[n.dtype.kind]
    if n.dtype == PY_INT and not -(2**63) <= plain < 2**63:
        raise Finding("L022", n.loc, value=plain, room="64 bits")
    fits = isinstance(plain, wanted) and (wanted is not int or -(2**63) <= plain < 2**63)
    return Const(plain, dtype=n.dtype, loc=n.loc) if fits else None


def _power_of_two(value: float) -> bool:
    """Whether dividing by *value* equals multiplying by its reciprocal, for f32 too."""
    if isinstance(value, int) or not math.isfinite(value) or value == 0.0:
        return False
    mantissa, exponent = math.frexp(value)
    return abs(mantissa) == 0.5 and -100 < exponent < 100
