"""What is known of an expression of an exact program: type, range, and how far it reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

_MOST = 2.0**22


@dataclass(frozen=True)
class Value:
    """An expression: its NumPy dtype, or ``int`` or ``float`` where it is Python's; all it yields
    lies between ``lo`` and ``hi`` and is a multiple of 2**-scale; ``reach`` is how far it reads."""

    text: str
    type: Any
    lo: float
    hi: float
    reach: tuple[int, ...]
    scale: int = 0

    @property
    def kind(self) -> str:
        """``f``, ``i`` or ``b``."""
        if isinstance(self.type, np.dtype):
            return self.type.kind.replace("u", "i")
        return "f" if self.type is float else "i"

    @property
    def weak(self) -> bool:
        return not isinstance(self.type, np.dtype)


def fits(value: Value, dtype: np.dtype[Any]) -> bool:
    """Every value of an integer expression is one of *dtype*."""
    if dtype.kind == "b":
        return value.lo >= 0 and value.hi <= 1
    return value.lo >= np.iinfo(dtype).min and value.hi <= np.iinfo(dtype).max


def combined(op: str, a: Value, b: Value) -> Value | None:
    """``a op b``, or ``None`` where it raises or may round."""
    likes = [v.type() if v.weak else v.type for v in (a, b)]
    both_weak = a.weak and b.weak
    made: Any = np.result_type(*likes)
    if both_weak:
        made = float if "f" in (a.kind, b.kind) else int
    if made == np.bool_ and op == "-":
        return None
    ends = [_apply(op, x, y) for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
    scale = a.scale + b.scale if op == "*" else max(a.scale, b.scale)
    reach = tuple(map(max, a.reach, b.reach))
    value = Value(f"({a.text} {op} {b.text})", made, min(ends), max(ends), reach, scale)
    if value.kind == "f":
        return value if "f" in (a.kind, b.kind) and is_exact(a, b, value) else None
    if value.weak:
        return value if abs(value.lo) + abs(value.hi) < 2**40 else None
    if any(v.weak and not fits(v, made) for v in (a, b)):
        return None
    return wrapped(value)


def _apply(op: str, x: float, y: float) -> float:
    return x + y if op == "+" else x - y if op == "-" else x * y


def is_exact(*values: Value) -> bool:
    return all(max(abs(v.lo), abs(v.hi)) * 2.0**v.scale <= _MOST for v in values)


def wrapped(value: Value) -> Value:
    """With the whole range of its dtype where it may leave it."""
    if value.weak or value.kind == "f" or fits(value, value.type):
        return value
    if value.kind == "b":
        return replace(value, lo=0, hi=1)
    limits = np.iinfo(value.type)
    return replace(value, lo=int(limits.min), hi=int(limits.max))


def alike(a: Value, b: Value) -> bool:
    """Whichever of them is taken, the type is the same (floats are exact in any type)."""
    return a.type == b.type or a.kind == b.kind == "f"


def either(text: str, a: Value, b: Value) -> Value:
    made = a.type if a.type == b.type else float
    reach = tuple(map(max, a.reach, b.reach))
    return Value(text, made, min(a.lo, b.lo), max(a.hi, b.hi), reach, max(a.scale, b.scale))


def total_of(term: Value, count: int, none: tuple[int, ...]) -> Value | None:
    """The sum of *count* terms and the Python integer 0."""
    start = combined("+", Value("acc", int, 0, 0, none), term)
    if start is None or count == 0:
        return None
    total = wrapped(replace(start, lo=min(0, term.lo) * count, hi=max(0, term.hi) * count,
                             reach=none))  # fmt: skip
    return total if total.kind != "f" or is_exact(total) else None


def storable(value: Value, dtype: np.dtype[Any]) -> bool:
    if dtype.kind == "b":
        return True
    if dtype.kind == "f":
        return is_exact(value)
    return fits(value, dtype)
