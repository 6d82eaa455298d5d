"""Typed scalar expressions -> PAST expressions: Python's meaning in C's operators.

a // b  ->  floordiv_f64(a, b)        min(a, b)  ->  min_f64(a, b)       a ** b  ->  pow(a, b)
not a   ->  !a                        a if t else b  ->  t ? a : b       a and b  ->  a && b
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..ir import expr as dast
from ..ir import past
from ..ir.dtypes import BOOL, DType

_HELPERS = {"//": "floordiv", "%": "mod", "**": "pow", "<<": "shl", ">>": "shr"}
_LOGIC = {"and": "&&", "or": "||"}


@dataclass(slots=True)
class ExpressionLowering:
    """Lowers expressions of one kernel and remembers which helpers and tables they need.

    ``name`` spells a variable, ``domain`` lowers the domain's own expressions (reads of grids).
    """

    name: Callable[[str], str]
    domain: Callable[[dast.Expr], past.PExpr]
    helpers: set[str] = field(default_factory=set)
    tables: dict[tuple[past.Literal, ...], str] = field(default_factory=dict)

    def lower(self, e: dast.Expr) -> past.PExpr:
        """*e* (typed) as a PAST expression with the same span."""
        assert e.dtype is not None
        dtype = e.dtype.strong
        match e:
            case dast.Const(value):
                wide = dtype.kind in "iu" and dtype.bits == 64
                return past.Literal(value, wide, dtype=dtype, loc=e.loc)
            case dast.Name(id):
                return past.Variable(self.name(id), dtype=dtype, loc=e.loc)
            case dast.Unary("not", operand):
                return past.Unary("!", self.lower(operand), dtype=BOOL, loc=e.loc)
            case dast.Unary("~", operand) if dtype == BOOL:
                return past.Unary("!", self.lower(operand), dtype=BOOL, loc=e.loc)
            case dast.Unary(op, operand):
                return _wrapped(past.Unary(op, self.lower(operand), dtype=dtype, loc=e.loc))
            case dast.Binary("**", left, right) if dtype.kind == "f":
                args = (self.lower(left), self.lower(right))
                return past.CallC("pow", args, dtype=dtype, loc=e.loc)
            case dast.Binary("//" | "%" | "**" | "<<" | ">>" as op, left, right):
                return self._helper(_HELPERS[op], dtype, (left, right), e)
            case dast.Binary(op, left, right) | dast.Compare(op, left, right):
                a, b = self.lower(left), self.lower(right)
                return _wrapped(past.Binary(op, a, b, dtype=dtype, loc=e.loc))
            case dast.Logic(op, left, right):
                a, b = self.lower(left), self.lower(right)
                return past.Binary(_LOGIC[op], a, b, dtype=BOOL, loc=e.loc)
            case dast.Select(test, then, orelse):
                a, b = self.lower(then), self.lower(orelse)
                return past.Ternary(self.lower(test), a, b, dtype=dtype, loc=e.loc)
            case dast.Call("min" | "max" | "npmin" | "npmax" as func, args):
                return self._helper(func, dtype, args, e)
            case dast.Call("abs", args) if dtype.kind != "f":
                return self._helper("abs", dtype, args, e)
            case dast.Call("floor", (operand,)) if dtype.kind != "f":
                return self.lower(operand)
            case dast.Call(func, args):
                lowered = tuple(map(self.lower, args))
                return past.CallC(func, lowered, dtype=dtype, loc=e.loc)
            case dast.Lookup(name, table, index):
                literals = tuple(past.Literal(c.value, dtype=dtype) for c in table)
                known = self.tables.setdefault(literals, self.name(f"{name} table"))
                place = past.CallC("index_i64", (self.lower(index), past.Literal(len(table))))
                self.helpers.add("index_i64")
                return past.Load(known, place, dtype=dtype, loc=e.loc)
            case dast.Cast(operand):
                inner = self.lower(operand)
                return (
                    inner if inner.dtype == dtype else past.Convert(inner, dtype=dtype, loc=e.loc)
                )
            case _:
                return self.domain(e)

    def _helper(
        self, name: str, dtype: DType, args: tuple[dast.Expr, ...], e: dast.Expr
    ) -> past.PExpr:
        helper = f"{name}_{dtype.name}"
        self.helpers.add(helper)
        return past.CallC(helper, tuple(map(self.lower, args)), dtype=dtype, loc=e.loc)


def _wrapped(e: past.PExpr) -> past.PExpr:
    """*e* cut to its own width: C computes narrow integers as ``int``, NumPy wraps them."""
    narrow = e.dtype.kind in "iu" and e.dtype.bits < 32
    return past.Convert(e, dtype=e.dtype, loc=e.loc) if narrow else e
