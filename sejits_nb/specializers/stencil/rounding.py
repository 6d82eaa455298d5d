"""How far compiled code may differ from the plain Python by rounding alone: a running error bound.

The optimised DAST is evaluated at some points with NumPy, in the kernel's own dtypes; beside each
value runs a first-order bound of the error (Higham, *Accuracy and Stability of Numerical
Algorithms*, 3.3).  Arithmetic that compiled code repeats to the bit adds nothing in exact code; a
fused multiply-add saves one rounding, so an operation adds half a unit in the last place elsewhere;
an elementary function may be off by a few units.  Where a comparison lies within its error, both
branches are allowed for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...ir.dast import Let
from ...ir.dtypes import DType
from ...ir.expr import Binary, Call, Cast, Compare, Const, Expr, Logic, Lookup, Name, Select, Unary
from .boundaries import mapped
from .dast import Coordinate, Point, Read, Stencil, StorePoint

Array = np.ndarray[Any, Any]
Pair = tuple[Any, Any]
_ELEMENTARY_ULPS = 8.0
_SAFETY = 4.0
_EXACT = ("min", "max", "npmin", "npmax", "abs", "sqrt", "floor")


def rounding_bounds(
    stencil: Stencil, values: Mapping[str, Any], index: tuple[Array, ...], exact: bool
) -> dict[str, Array]:
    """Output name -> largest legitimate difference (f64) at the points *index* (one array an axis)."""
    run = _Evaluation(stencil, values, index, exact)
    bounds: dict[str, Array] = {}
    with np.errstate(all="ignore"):
        for s in stencil.sweep.body:
            if isinstance(s, Let):
                run.names[s.name] = run.pair(s.value)
            elif isinstance(s, StorePoint):
                value, error = run.pair(s.value)
                finite = np.isfinite(value) & ~np.isnan(error)
                tiny = np.finfo(value.dtype).tiny if value.dtype.kind == "f" else 0
                bounds[s.grid] = np.where(finite, _SAFETY * error + tiny, 0.0)
    return bounds


@dataclass(slots=True)
class _Evaluation:
    stencil: Stencil
    values: Mapping[str, Any]
    index: tuple[Array, ...]
    exact: bool
    names: dict[str, Pair] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, dtype in self.stencil.scalars.items():
            self.names[name] = self.constant(self.values[name], dtype)

    def constant(self, value: Any, dtype: DType) -> Pair:
        return np.asarray(value, dtype.numpy), np.float64(0.0)

    def pair(self, e: Expr) -> Pair:
        """Value and error bound of *e* at all points."""
        assert e.dtype is not None
        kind = e.dtype.numpy
        match e:
            case Const():
                return self.constant(e.value, e.dtype)
            case Name(id):
                value, error = self.names[id]
                return value.astype(kind), error
            case Read(grid, point):
                return self.read(grid, point), np.float64(0.0)
            case Coordinate(point, axis):
                return self.index[axis] + point.offset[axis], np.float64(0.0)
            case Lookup(_, table, index):
                return self.lookup(table, self.pair(index))
            case Unary("not", operand):
                return ~self.pair(operand)[0].astype(bool), self.pair(operand)[1]
            case Unary(op, operand):
                value, error = self.pair(operand)
                return (-value if op == "-" else ~value), error
            case Binary(op, left, right):
                return self.binary(op, self.pair(left), self.pair(right), kind)
            case Compare(op, left, right):
                a, b = self.pair(left), self.pair(right)
                unsure = np.abs(_wide(a[0]) - b[0]) <= a[1] + b[1]
                surely_same = (a[1] == 0) & (b[1] == 0)
                return _COMPARE[op](a[0], b[0]), np.where(unsure & ~surely_same, 1.0, 0.0)
            case Logic(op, left, right):
                both = self.pair(left), self.pair(right)
                truth = np.logical_and if op == "and" else np.logical_or
                return truth(both[0][0], both[1][0]), np.maximum(both[0][1], both[1][1])
            case Select(test, then, orelse):
                (t, et), a, b = self.pair(test), self.pair(then), self.pair(orelse)
                chosen = np.where(t, a[1], b[1])
                either = np.abs(_wide(a[0]) - b[0]) + np.maximum(a[1], b[1])
                return np.where(t, a[0], b[0]), np.where(et > 0, either, chosen)
            case Call(func, args):
                return self.call(func, [self.pair(a) for a in args], kind)
            case Cast(operand):
                return self.cast(self.pair(operand), kind)
            case _:
                raise TypeError(f"{type(e).__name__} has no rounding rule")

    def lookup(self, table: tuple[Const, ...], index: Pair) -> Pair:
        """An entry; where the index is unsure, any entry is allowed for."""
        entries = np.array([entry.value for entry in table])
        place = np.clip(np.where(index[0] < 0, index[0] + len(table), index[0]), 0, len(table) - 1)
        width = float(entries.max() - entries.min()) if entries.dtype.kind != "b" else 1.0
        kind = table[0].dtype.numpy if table[0].dtype else entries.dtype
        return entries.astype(kind)[place], np.where(index[1] > 0, width, 0.0)

    def read(self, name: str, point: Point) -> Any:
        """The grid's values at all points moved by the offset, under its boundary modes."""
        grid, array = self.stencil.grids[name], self.values[name]
        at = [i + o for i, o in zip(self.index, point.offset, strict=True)]
        axes = list(zip(at, grid.shape, grid.boundary, strict=True))
        values = array[tuple(mapped(i, n, b.mode) for i, n, b in axes)]
        for i, n, b in reversed(axes):
            if b.mode == "constant":
                values = np.where((i < 0) | (i >= n), array.dtype.type(b.value), values)
        return values

    def unit(self, value: Any, ulps: float = 0.5, operands: Any = 1.0) -> Any:
        """*ulps* units in the last place of *value*.

        Exact code repeats the bits of an operation (*ulps* below 1), unless its operands' errors
        *operands* are not zero: then the two results may round apart.
        """
        if value.dtype.kind != "f":
            return np.float64(0.0)
        size = _size(value) * np.finfo(value.dtype).eps
        if not self.exact or ulps >= 1.0:
            return size * max(ulps, 0.5)
        return np.where(np.asarray(operands) > 0, size, 0.0)

    def cast(self, operand: Pair, kind: np.dtype[Any]) -> Pair:
        """Compiled code converts as NumPy does: only the two sides of a step come out different."""
        value, error = operand
        new = value.astype(kind)
        low, high = ((_wide(value) + side * _SAFETY * error).astype(kind) for side in (-1, 1))
        apart = np.maximum(np.abs(_wide(high) - new), np.abs(_wide(low) - new))
        if kind.kind == "f":
            apart = np.minimum(apart, error + self.unit(new, 1.0))
        return new, np.where(error > 0, apart, 0.0)

    def binary(self, op: str, left: Pair, right: Pair, kind: np.dtype[Any]) -> Pair:
        (a, ea), (b, eb) = left, right
        value = np.asarray(_BINARY[op](a, b)).astype(kind)
        size_a, size_b = _size(a), _size(b)
        if op in ("+", "-"):
            return value, ea + eb + self.unit(value, 0.5, ea + eb)
        if op == "*":  # a power expanded to products rounds once more than the C library's pow
            return value, size_a * eb + size_b * ea + ea * eb + self.unit(value, 1.0)
        if op == "/":
            room = np.maximum(size_b - eb, np.finfo(np.float64).tiny)
            return value, (ea + _size(value) * eb) / room + self.unit(value, 0.5, ea + eb)
        if op == "**":
            slope = _size(value) * (size_b * ea / np.maximum(size_a, 1e-300))
            log = np.where(size_a > 0, np.abs(np.log(np.maximum(size_a, 1e-300))), 0.0)
            spread = slope + _size(value) * log * eb
            return value, spread + self.unit(value, _ELEMENTARY_ULPS)
        if op in ("//", "%"):
            return value, self.division(op, left, right, value)
        return value, ea + eb

    def division(self, op: str, left: Pair, right: Pair, value: Any) -> Any:
        """The error of a floored quotient or remainder: a whole step only where it may be taken."""
        (a, ea), (b, eb) = left, right
        size_b, quotient = _size(b), _wide(a) / _wide(b)
        spread = (ea + np.abs(quotient) * eb) / size_b
        sure = np.abs(quotient - np.round(quotient)) > 2.0 * spread + np.abs(quotient) * 1e-12
        step = np.ones_like(size_b) if op == "//" else size_b
        smooth = 0.0 if op == "//" else ea + (np.abs(quotient) + 1.0) * eb
        bound = np.where(sure, smooth, step + ea + eb) + self.unit(value, 0.5, ea + eb)
        return np.where((ea == 0) & (eb == 0), self.unit(value, 0.5, 0.0), bound)

    def call(self, func: str, args: list[Pair], kind: np.dtype[Any]) -> Pair:
        a, ea = args[0]
        if func in ("min", "max", "npmin", "npmax"):
            b, eb = args[1]
            take_b = {"min": b < a, "npmin": ~(a < b), "max": b > a, "npmax": ~(a > b)}[func]
            if func in ("npmin", "npmax"):
                take_b &= ~np.isnan(a)
            close = np.abs(_wide(a) - b) <= ea + eb
            taken = np.where(take_b, eb, ea)
            return np.where(take_b, b, a), np.where(close, np.fmax(ea, eb), taken)
        if func == "floor":
            low, high = np.floor(a - ea), np.floor(a + ea)
            return np.floor(a).astype(kind), high - low
        value = np.asarray(getattr(np, func)(a)).astype(kind)
        spread = np.where(ea > 0, _slope(func, a, value) * ea, 0.0)
        ulps = 0.5 if func in _EXACT else _ELEMENTARY_ULPS
        return value, spread + self.unit(value, ulps, ea)


def _wide(value: Any) -> Any:
    return np.asarray(value).astype(np.float64)


def _size(value: Any) -> Any:
    """Magnitude, in f64: a bound of an f32 computation must not underflow."""
    return np.abs(_wide(value))


def _slope(func: str, a: Array, value: Array) -> Any:
    """The derivative's size near *a*."""
    tiny = 1e-300
    match func:
        case "abs":
            return np.ones_like(_wide(a))
        case "sqrt":
            return 0.5 / np.maximum(_size(value), tiny)
        case "exp":
            return _size(value) * 1.01
        case "log":
            return 1.0 / np.maximum(_size(a), tiny)
        case "tan":
            return 1.0 + np.square(_wide(value))
        case _:  # sin, cos, tanh
            return np.ones_like(_wide(a))


_COMPARE = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
            "==": np.equal, "!=": np.not_equal}  # fmt: skip
_BINARY = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "//": np.floor_divide,
    "%": np.mod, "**": np.power, "&": np.bitwise_and, "|": np.bitwise_or, "^": np.bitwise_xor,
    "<<": np.left_shift, ">>": np.right_shift,
}  # fmt: skip
