"""The restricted Python that all languages share: Python expressions -> :mod:`sejits_nb.ir.expr`.

A language's parser calls :class:`ExpressionReader` and gives it a hook for the forms that only the
domain knows (``u[x]``).  Nothing is raised while reading: findings are collected, and an unreadable
expression becomes a zero, so that one run reports several mistakes.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..ir.dtypes import (
    BOOL,
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    PY_BOOL,
    PY_FLOAT,
    PY_INT,
    U8,
    U16,
    U32,
    U64,
    of_value,
)  # fmt: skip
from ..ir.expr import (
    INTRINSICS,
    Binary,
    Call,
    Cast,
    Compare,
    Const,
    Expr,
    Logic,
    Lookup,
    Name,
    Select,
    Unary,
)  # fmt: skip
from ..stages import Captured, Helper, KernelSource
from .diagnose import SCOPE, Findings

_BINARY: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<",
    ast.RShift: ">>",
}  # fmt: skip
_COMPARE: dict[type[ast.AST], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_UNARY: dict[type[ast.AST], str] = {ast.USub: "-", ast.Not: "not", ast.Invert: "~"}
_TYPES = {"python.float": PY_FLOAT, "python.int": PY_INT, "python.bool": PY_BOOL} | {
    f"numpy.{t.numpy.name}{'_' if t == BOOL else ''}": t
    for t in (F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, BOOL)
}
_ZERO = Const(0.0)


@dataclass(slots=True)
class ExpressionReader:
    """Reads expressions of one kernel.

    ``domain`` gets every node first and returns ``None`` for what it does not know; ``locals_`` are
    the names that the kernel binds or takes as scalars; ``functions`` are those that it may call, with
    how many arguments they take, and ``own`` those that ``domain`` knows.
    """

    source: KernelSource
    findings: Findings
    domain: Callable[[ast.expr], Expr | None]
    locals_: Collection[str]
    reserved: Collection[str] = ()
    functions: Mapping[str, int] = field(default_factory=lambda: INTRINSICS)
    own: Collection[str] = ()
    captured: dict[str, Captured] = field(init=False)

    def __post_init__(self) -> None:
        self.captured = dict(self.source.captured)

    def read(self, e: ast.expr) -> Expr:
        """The expression *e*; findings are recorded, never raised."""
        known = self.domain(e)
        if known is not None:
            return known
        at = self.findings.span(e)
        match e:
            case ast.Constant(value):
                return self._constant(e, value)
            case ast.Name(id) if id in self.locals_:
                return Name(id, loc=at)
            case ast.Name() | ast.Attribute():
                return self._free(e)
            case ast.UnaryOp(ast.UAdd(), operand):
                return self.read(operand)
            case ast.UnaryOp(op, operand):
                return Unary(_UNARY[type(op)], self.read(operand), loc=at)
            case ast.BinOp(left, op, right) if type(op) in _BINARY:
                return Binary(_BINARY[type(op)], self.read(left), self.read(right), loc=at)
            case ast.BinOp(_, op, _):
                self.findings.add("L015", e, op="@")
            case ast.Compare(left, ops, comparators):
                return self._compare(e, left, ops, comparators)
            case ast.BoolOp(op, values):
                word = "and" if isinstance(op, ast.And) else "or"
                result = self.read(values[0])
                for operand in values[1:]:
                    result = Logic(word, result, self.read(operand), loc=at)
                return result
            case ast.IfExp(test, then, orelse):
                return Select(self.read(test), self.read(then), self.read(orelse), loc=at)
            case ast.Call(func, args, keywords):
                return self._call(e, func, args, keywords)
            case ast.Subscript(table, index):
                return self._table(e, table, index)
            case _:
                self.findings.add("L011", e, what=describe_node(e))
        return Const(0.0, loc=at)

    def constant(self, e: ast.expr) -> Captured | None:
        """The compile-time value of *e* (numbers, tuples of them), or ``None``; records nothing."""
        match e:
            case ast.Constant(int() | float() as value):
                return value
            case ast.Name() | ast.Attribute() if (dotted := dotted_name(e)) is not None:
                local = dotted.partition(".")[0] in self.locals_
                found = None if local else self.captured.get(dotted)
                return None if isinstance(found, str | Helper) else found
            case ast.UnaryOp(ast.USub(), operand):
                inner = self.constant(operand)
                return -inner if isinstance(inner, int | float | np.number) else None
            case ast.BinOp(left, ast.Add() | ast.Sub() | ast.Mult() as op, right):
                a, b = self.constant(left), self.constant(right)
                if isinstance(a, int | np.integer) and isinstance(b, int | np.integer):
                    return {"Add": a + b, "Sub": a - b, "Mult": a * b}[type(op).__name__]
                return None
            case ast.Tuple(elts) | ast.List(elts):
                items = tuple(self.constant(item) for item in elts)
                return None if any(v is None for v in items) else items
            case ast.Subscript(table, index):
                entry, at = self.constant(table), self.constant(index)
                for i in at if isinstance(at, tuple) else (at,):
                    if not isinstance(entry, tuple) or not isinstance(i, int | np.integer):
                        return None
                    if not -len(entry) <= i < len(entry):
                        return None
                    entry = entry[i]
                return entry
        return None

    def _constant(self, e: ast.expr, value: object) -> Expr:
        if not isinstance(value, bool | int | float):
            self.findings.add("L018", e, what=f"{value!r}"[:30])
            return _ZERO
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            self.findings.add("L022", e, value=value, room="64 bits")
            return _ZERO
        return Const(value, dtype=of_value(value), loc=self.findings.span(e))

    def _free(self, e: ast.expr) -> Expr:
        dotted = dotted_name(e)
        if dotted is None:
            self.findings.add("L011", e, what=describe_node(e))
            return _ZERO
        value = self.captured.get(dotted)
        if dotted in self.reserved or (value is None and dotted.partition(".")[0] in self.reserved):
            self.findings.add("L014", e, name=dotted, kind="grid or point")
        elif value is None:
            self.findings.add("L013", e, name=dotted, hint=self._hint(dotted))
        elif isinstance(value, str | Helper):
            kind = value.removeprefix("object:") if isinstance(value, str) else "function"
            self.findings.add("L014", e, name=dotted, kind=kind)
        elif isinstance(value, tuple):
            self.findings.add("L014", e, name=dotted, kind="table")
        else:
            plain = value.item() if isinstance(value, np.generic) else value
            read = self._constant(e, plain)
            dtype = of_value(value)
            if read is not _ZERO and dtype is not None:
                return Const(plain, dtype=dtype, loc=self.findings.span(e))
            if dtype is None:
                self.findings.add("L014", e, name=dotted, kind=type(value).__name__)
        return _ZERO

    def _hint(self, name: str) -> str:
        name, known = bare_name(name), [*self.locals_, *self.reserved, *INTRINSICS]
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
        return f"did you mean {close[0]!r}?" if close else f"define {name} before this cell"

    def _compare(
        self, e: ast.expr, left: ast.expr, ops: list[ast.cmpop], comparators: list[ast.expr]
    ) -> Expr:
        at = self.findings.span(e)
        result: Expr | None = None
        operand = self.read(left)
        for op, right in zip(ops, comparators, strict=True):
            if type(op) not in _COMPARE:
                word = {"Is": "is", "IsNot": "is not", "In": "in", "NotIn": "not in"}
                self.findings.add("L015", e, op=word[type(op).__name__])
                return _ZERO
            other = self.read(right)
            one = Compare(_COMPARE[type(op)], operand, other, loc=at)
            result = one if result is None else Logic("and", result, one, loc=at)
            operand = other
        return result or _ZERO

    def _call(
        self, e: ast.expr, func: ast.expr, args: list[ast.expr], keywords: list[ast.keyword]
    ) -> Expr:
        dotted = dotted_name(func)
        if dotted is None or dotted in self.locals_:
            self._unknown_function(func, dotted or ast.unparse(func), "runtime call")
            return _ZERO
        target = self.captured.get(dotted, f"intrinsic.{bare_name(dotted)}")
        origin, _, name = str(target).partition(".")
        if origin not in ("math", "numpy", "python", "intrinsic") or (
            name not in self.functions and str(target) not in _TYPES
        ):
            kind = str(target).removeprefix("object:") if dotted in self.captured else "unknown"
            self._unknown_function(func, dotted, kind)
            return _ZERO
        starred = any(isinstance(a, ast.Starred) for a in args)
        want = 1 if str(target) in _TYPES else self.functions[name]
        many = name in ("min", "max") and origin in ("python", "intrinsic")
        if keywords or starred or not (len(args) == want or (many and len(args) > want)):
            got = "keywords" if keywords else "*args" if starred else f"{len(args)}"
            plural = "s" if want > 1 else ""
            wanted = f"{want} or more arguments" if many else f"{want} argument{plural}"
            example = ", ".join("ab"[:want])
            self.findings.add("L016", e, name=dotted, got=got, want=wanted, example=example)
            return _ZERO
        at = self.findings.span(e)
        operands = [self.read(a) for a in args]
        if str(target) in _TYPES:
            return Cast(operands[0], dtype=_TYPES[str(target)], loc=at)
        if name == "pow":
            return Binary("**", operands[0], operands[1], loc=at)
        if origin == "math":
            operands = [Cast(o, dtype=PY_FLOAT, loc=o.loc) for o in operands]
        elif origin == "numpy":
            name = f"numpy.{name}"
        result = operands[0] if many else Call(name, tuple(operands), loc=at)
        for operand in operands[1:] if many else ():
            result = Call(name, (result, operand), loc=at)
        return result

    def _unknown_function(self, at: ast.expr, name: str, kind: str) -> None:
        known = sorted((*self.functions, *self.own))
        close = difflib.get_close_matches(bare_name(name), known, n=1, cutoff=0.75)
        hint = f"did you mean {close[0]!r}?" if close else f"one of {', '.join(known)}"
        self.findings.add("L012", at, name=name, kind=kind, hint=hint)

    def _table(self, e: ast.expr, table: ast.expr, index: ast.expr) -> Expr:
        """An entry of a captured table: a constant, or a look-up where the index is computed."""
        at, value = self.findings.span(e), self.constant(e)
        if of_value(value) is not None:
            return dataclasses.replace(constant_of(value), loc=at)
        entries = self.constant(table)
        if not isinstance(entries, tuple) or any(of_value(v) is None for v in entries):
            self.findings.add("L011", e, what="this subscript")
            return _ZERO
        return Lookup(
            ast.unparse(table), tuple(map(constant_of, entries)), self.read(index), loc=at
        )


def constant_of(value: Any) -> Const:
    """A captured number as a constant of its own type."""
    return Const(value.item() if isinstance(value, np.generic) else value, dtype=of_value(value))


def dotted_name(e: ast.expr) -> str | None:
    """``np.sqrt`` for the attribute chain of that spelling, ``None`` for anything else."""
    if isinstance(e, ast.Name):
        return e.id
    if isinstance(e, ast.Attribute) and (base := dotted_name(e.value)) is not None:
        return f"{base}.{e.attr}"
    return None


def bare_name(name: str) -> str:
    """``alpha`` for ``smooth().alpha``: a captured name as the helper that reads it spells it."""
    return re.sub(SCOPE, "", name)


def describe_node(e: ast.AST) -> str:
    """A Python construct in a word or two: ``a list``, ``a lambda``, ``while``."""
    words = {
        "ListComp": "a comprehension", "SetComp": "a comprehension", "DictComp": "a comprehension",
        "GeneratorExp": "a generator expression", "JoinedStr": "an f-string", "Slice": "a slice",
        "NamedExpr": "':='", "Await": "await", "Yield": "yield", "Starred": "'*'", "Try": "try",
        "Return": "return", "While": "while", "With": "with", "Raise": "raise", "Assert": "assert",
        "Import": "import", "ImportFrom": "import", "Global": "global", "Nonlocal": "nonlocal",
        "Delete": "del", "FunctionDef": "a nested function", "ClassDef": "a class",
        "AsyncFor": "async for", "AsyncWith": "async with", "Match": "match", "Expr": "a bare "
        "expression", "For": "this for loop", "Break": "break", "Continue": "continue",
    }  # fmt: skip
    name = type(e).__name__
    article = "an" if name[0] in "AEIOU" else "a"
    return words.get(name, f"{article} {name.lower()}")
