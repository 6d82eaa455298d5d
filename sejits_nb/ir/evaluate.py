"""PAST expressions of whole numbers, evaluated: sizes and conditions that a call's scalars decide."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from .past import Binary, Literal, PExpr, Variable

_OPERATORS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.floordiv,
    "%": operator.mod, "&": operator.and_, "==": operator.eq, "!=": operator.ne,
    "<": operator.lt, "&&": lambda a, b: bool(a and b),
}  # fmt: skip


def evaluate(e: PExpr | int, values: Mapping[str, int]) -> int:
    """*e*, of numbers that are not negative, where variables have these *values*.

    >>> evaluate(Binary("/", Binary("+", Variable("count"), Literal(63)), Literal(64)), {"count": 65})
    2

    Raises ``KeyError`` for a variable without a value, ``TypeError`` for what no scalar decides.
    """
    match e:
        case int():
            return e
        case Literal(value):
            return int(value)
        case Variable(name):
            return values[name]
        case Binary(op, left, right):
            return int(_OPERATORS[op](evaluate(left, values), evaluate(right, values)))
        case _:
            raise TypeError(f"{type(e).__name__} is no expression of scalar parameters")
