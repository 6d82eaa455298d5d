"""The scalar expressions that every domain AST shares.

    Expr ::= Const(value) | Name(id) | Unary(op, operand) | Binary(op, left, right)
           | Compare(op, left, right) | Logic(op, left, right) | Select(test, then, orelse)
           | Call(func, args) | Cast(operand) | Lookup(name, table, index)

Operators are spelled and mean what they do in Python.  ``dtype`` is ``None`` until
``phase2_optimize/infer_types.py`` has run; after it, every conversion is an explicit ``Cast``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .dtypes import DType
from .node import Node, node


@dataclass(frozen=True, slots=True)
class Expr(Node):
    """Base of scalar expressions."""

    dtype: DType | None = field(default=None, kw_only=True)


@node
class Const(Expr):
    """A literal, or a value captured from the notebook's namespace; 0.0 and -0.0 are two values."""

    value: bool | int | float

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Const) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[str, DType | None]:
        return repr(self.value), self.dtype


@node
class Name(Expr):
    """A local variable or a scalar parameter."""

    id: str


@node
class Unary(Expr):
    """``op`` is one of ``- not ~``."""

    op: str
    operand: Expr


@node
class Binary(Expr):
    """``op`` is one of ``+ - * / // % ** & | ^ << >>``."""

    op: str
    left: Expr
    right: Expr


@node
class Compare(Expr):
    """``op`` is one of ``< <= > >= == !=``; a chain is a ``Logic("and", ...)`` of these."""

    op: str
    left: Expr
    right: Expr


@node
class Logic(Expr):
    """``and`` / ``or`` of two truth values."""

    op: str
    left: Expr
    right: Expr


@node
class Select(Expr):
    """``then if test else orelse``; both sides are free of effects."""

    test: Expr
    then: Expr
    orelse: Expr


@node
class Call(Expr):
    """A call of an intrinsic (:data:`INTRINSICS`)."""

    func: str
    args: tuple[Expr, ...]


@node
class Cast(Expr):
    """The operand converted to this node's ``dtype``, as NumPy's ``astype`` does."""

    operand: Expr


@node
class Lookup(Expr):
    """``name[index]`` of a constant table; a negative index counts from the end."""

    name: str
    table: tuple[Const, ...]
    index: Expr


INTRINSICS: dict[str, int] = {
    "abs": 1, "sqrt": 1, "exp": 1, "log": 1, "sin": 1, "cos": 1, "tan": 1, "tanh": 1, "floor": 1,
    "min": 2, "max": 2, "pow": 2,
}  # fmt: skip
"""Intrinsic function -> how many arguments it takes once ``min`` and ``max`` are made binary."""
MORE_INTRINSICS = {"log1p": 1, "expm1": 1, "lgamma": 1, "sinh": 1, "cosh": 1}
"""Further ones, that only some languages have."""

PRECEDENCE = {
    "or": 1, "and": 2, "not": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "==": 4, "!=": 4,
    "|": 5, "^": 6, "&": 7, "<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "//": 10, "%": 10,
    "unary": 11, "**": 12,
}  # fmt: skip


def show(e: Expr) -> str:
    """*e* in Python's spelling, with the fewest parentheses that keep its meaning."""
    return _show(e)[0]


def _show(e: Expr) -> tuple[str, int]:
    match e:
        case Const(value):
            return repr(value), 20 if value >= 0 else PRECEDENCE["unary"]
        case Name(id):
            return id, 20
        case Unary(op, operand):
            level = PRECEDENCE["not" if op == "not" else "unary"]
            return f"{op}{' ' if op == 'not' else ''}{_inside(operand, level)}", level
        case Binary(op, left, right) | Compare(op, left, right) | Logic(op, left, right):
            level = PRECEDENCE[op]
            right_level = PRECEDENCE["unary"] if op == "**" else level + 1
            left_level = level + 1 if op == "**" or isinstance(e, Compare) else level
            return f"{_inside(left, left_level)} {op} {_inside(right, right_level)}", level
        case Select(test, then, orelse):
            return f"{_inside(then, 1)} if {_inside(test, 1)} else {_inside(orelse, 0)}", 0
        case Call(func, args):
            return f"{func}({', '.join(map(show, args))})", 20
        case Cast(operand):
            return f"{e.dtype}({show(operand)})", 20
        case Lookup(name, _, index):
            return f"{name}[{show(index)}]", 20
        case _:
            return str(e), 20


def _inside(e: Expr, least: int) -> str:
    text, level = _show(e)
    return text if level >= least else f"({text})"
