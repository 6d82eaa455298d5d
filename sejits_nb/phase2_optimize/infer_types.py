"""Types: every expression gets its dtype under NEP 50, every conversion becomes a ``Cast``.

let acc = 4.0 * u[x]      ->      let acc: f32 = 4.0 * u[x]        (u: f32; 4.0 adopts f32)
out[x] = acc              ->      out[x] = f64(acc)                (out: f64)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np

from ..errors import Finding
from ..ir.dast import Let, Statement
from ..ir.dtypes import BOOL, F64, I64, PY_BOOL, PY_FLOAT, PY_INT, DType, from_numpy, join, promote
from ..ir.expr import Binary, Call, Cast, Compare, Const, Expr, Logic, Lookup, Name, Select, Unary
from .compare_integers import compared, smaller_or_larger
from .conversions import cast, typed

_WHOLE = ("b", "i", "u")


def infer_types(
    body: Iterable[Statement],
    scalars: Mapping[str, DType],
    domain: Callable[[Expr], DType],
    stored: Callable[[Statement], DType | None],
) -> tuple[Statement, ...]:
    """*body* (straight-line) typed.

    ``scalars`` types the parameters, ``domain`` the domain's own expressions, and ``stored`` says to
    what a statement converts its value (``None``: it keeps the value's type).
    """
    typer = _Typer(dict(scalars), domain)
    out: list[Statement] = []
    for s in body:
        value = typer.type(s.value)  # type: ignore[attr-defined]  # straight-line: each has a value
        target = stored(s)
        value = value if target is None else cast(value, target)
        if isinstance(s, Let):
            typer.names[s.name] = typed(value)
        out.append(dataclasses.replace(s, value=value))  # type: ignore[call-arg]
    return tuple(out)


@dataclass(slots=True)
class _Typer:
    names: dict[str, DType]
    domain: Callable[[Expr], DType]

    def type(self, e: Expr) -> Expr:
        """*e* with dtypes throughout."""
        match e:
            case Const(value):
                python = {bool: PY_BOOL, int: PY_INT, float: PY_FLOAT}[type(value)]
                return e if e.dtype else dataclasses.replace(e, dtype=python)
            case Name(id):
                return dataclasses.replace(e, dtype=self.names[id])
            case Unary(op, operand):
                return self._unary(e, op, operand)
            case Binary(op, left, right):
                return self._binary(e, op, self.type(left), self.type(right))
            case Compare(op, left, right):
                return compared(op, self.type(left), self.type(right), e.loc)
            case Logic(op, left, right):
                a, b = self.type(left), self.type(right)
                if typed(a).kind != "b" or typed(b).kind != "b":
                    raise Finding("L021", e.loc, op=op)
                return dataclasses.replace(e, left=a, right=b, dtype=join(typed(a), typed(b)))
            case Select(test, then, orelse):
                a, b = self.type(then), self.type(orelse)
                dtype = join(typed(a), typed(b))
                return dataclasses.replace(
                    e,
                    test=self.truth(test),
                    then=cast(a, dtype),
                    orelse=cast(b, dtype),
                    dtype=dtype,
                )
            case Call(func, args):
                return self._call(e, func, tuple(map(self.type, args)))
            case Lookup(_, table, index):
                return self._lookup(e, table, self.type(index))
            case Cast(operand):
                assert e.dtype is not None
                if e.dtype.kind == "b":
                    return cast(self.truth(operand), e.dtype)
                return cast(self.type(operand), e.dtype)
            case _:
                return dataclasses.replace(e, dtype=self.domain(e))

    def _lookup(self, e: Lookup, table: tuple[Const, ...], index: Expr) -> Expr:
        if typed(index).kind not in "iu":
            raise Finding("L025", index.loc or e.loc, got=typed(index))
        dtype = reduce(join, (typed(entry) for entry in table))
        entries = tuple(cast(entry, dtype) for entry in table)
        assert all(isinstance(entry, Const) for entry in entries)
        return dataclasses.replace(e, table=entries, index=cast(index, I64), dtype=dtype)  # type: ignore[arg-type]

    def truth(self, e: Expr) -> Expr:
        """*e* where Python asks for its truth: numbers are compared with zero."""
        if isinstance(e, Logic):
            return dataclasses.replace(
                e, left=self.truth(e.left), right=self.truth(e.right), dtype=BOOL
            )
        value = self.type(e)
        if typed(value).kind == "b":
            return value
        zero = cast(Const(0, dtype=PY_INT), typed(value))
        return Compare("!=", value, zero, dtype=BOOL, loc=e.loc)

    def _unary(self, e: Unary, op: str, operand: Expr) -> Expr:
        if op == "not":
            return dataclasses.replace(e, operand=self.truth(operand), dtype=PY_BOOL)
        a = self.type(operand)
        dtype = typed(a)
        if dtype == PY_BOOL:
            a, dtype = cast(a, PY_INT), PY_INT
        if (op == "~" and dtype.kind == "f") or (op == "-" and dtype.kind == "b"):
            raise _undefined(e, op, dtype)
        return dataclasses.replace(e, operand=a, dtype=dtype)

    def _binary(self, e: Binary, op: str, a: Expr, b: Expr) -> Expr:
        dtype = promote(typed(a), typed(b))
        if op in ("&", "|", "^", "<<", ">>"):
            if dtype.kind not in _WHOLE:
                raise _undefined(e, op, typed(a), typed(b))
            if dtype.kind == "b" and op in ("<<", ">>"):
                dtype = PY_INT if dtype.weak else I64
        elif op == "/":
            dtype = _quotient(dtype)
        elif dtype == PY_BOOL or (dtype == PY_INT and op == "**" and not _whole_power(b)):
            dtype = PY_INT if op != "**" or _whole_power(b) else PY_FLOAT
        elif dtype == BOOL:
            if op not in ("+", "*"):
                raise _undefined(e, op, BOOL, BOOL)
            op = {"+": "|", "*": "&"}[op]
        return Binary(op, cast(a, dtype), cast(b, dtype), dtype=dtype, loc=e.loc)

    def _call(self, e: Call, func: str, args: tuple[Expr, ...]) -> Expr:
        if func.startswith("numpy."):
            func = func.removeprefix("numpy.")
            func = f"np{func}" if func in ("min", "max") else func
            if all(typed(a).weak for a in args):
                args = tuple(cast(a, typed(a).strong) for a in args)
        if func in ("min", "max"):
            return smaller_or_larger(func, args[0], args[1], e.loc)
        if func in ("npmin", "npmax"):
            dtype = join(typed(args[0]), typed(args[1]))
        elif func in ("abs", "floor"):
            dtype = typed(args[0])
            dtype = PY_INT if dtype == PY_BOOL else dtype
        else:
            dtype = typed(args[0])
            if not dtype.weak and dtype.bits == 8:  # NumPy would compute in half precision
                raise _undefined(e, func, dtype)
            dtype = _quotient(dtype)
        return Call(func, tuple(cast(a, dtype) for a in args), dtype=dtype, loc=e.loc)


def _undefined(e: Expr, op: str, *operands: DType) -> Finding:
    kinds = {d.kind for d in operands}
    logical = "use not" if len(operands) == 1 else "use ^"
    hint = logical if kinds == {"b"} else "use * or a comparison"
    shown = " and ".join(map(str, operands))
    return Finding("L023", e.loc, op=op, operands=shown, hint=hint)


def _quotient(dtype: DType) -> DType:
    """The type of a true division or of ``sqrt``: a float."""
    if dtype.kind == "f":
        return dtype
    if dtype.weak:
        return PY_FLOAT
    return from_numpy(np.true_divide(dtype.numpy.type(1), dtype.numpy.type(1)).dtype) or F64


def _whole_power(exponent: Expr) -> bool:
    """Whether ``int ** exponent`` stays an integer: only for a constant that is not negative."""
    return isinstance(exponent, Const) and exponent.value >= 0
