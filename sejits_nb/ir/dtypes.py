"""Scalar types of both trees, and how they combine (NumPy >= 2, NEP 50).

A *weak* type is that of a Python number (``2``, ``0.5``, a parameter called with ``0.1``): it adopts
the type of the array element it meets, and is computed as a C ``double`` or ``int64_t`` until then.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class DType:
    """A scalar type: ``kind`` is NumPy's (``b`` bool, ``i`` signed, ``u`` unsigned, ``f`` float)."""

    name: str
    kind: str
    bits: int
    weak: bool = False

    def __str__(self) -> str:
        return self.name.removeprefix("py_")

    @property
    def size_bytes(self) -> int:
        """Bytes of one element in memory."""
        return max(1, self.bits // 8)

    @property
    def numpy(self) -> np.dtype[Any]:
        """The NumPy dtype whose values it holds (for a weak type: of its C carrier)."""
        return np.dtype({"b": "?", "i": f"i{self.bits // 8}", "u": f"u{self.bits // 8}"}.get(
            self.kind, f"f{self.bits // 8}"))  # fmt: skip

    @property
    def strong(self) -> DType:
        """The type that carries this one in compiled code: the same, no longer weak."""
        return _STRONG[self.name] if self.weak else self


F32, F64 = DType("f32", "f", 32), DType("f64", "f", 64)
I8, I16, I32, I64 = (DType(f"i{b}", "i", b) for b in (8, 16, 32, 64))
U8, U16, U32, U64 = (DType(f"u{b}", "u", b) for b in (8, 16, 32, 64))
BOOL = DType("bool", "b", 8)
PY_BOOL = DType("py_bool", "b", 8, weak=True)
PY_INT = DType("py_int", "i", 64, weak=True)
PY_FLOAT = DType("py_float", "f", 64, weak=True)

_STRONG = {"py_bool": BOOL, "py_int": I64, "py_float": F64}
_BY_NUMPY = {d.numpy: d for d in (F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, BOOL)}


def from_numpy(dtype: np.dtype[Any]) -> DType | None:
    """Our type for a NumPy dtype, or ``None`` where the languages have none (objects, complex)."""
    return _BY_NUMPY.get(dtype.newbyteorder("=")) if dtype.isnative else None


def of_value(value: object) -> DType | None:
    """The type of a Python or NumPy scalar; ``None`` if it is not one the languages know."""
    if isinstance(value, np.generic):
        return from_numpy(value.dtype)
    if isinstance(value, bool):
        return PY_BOOL
    if isinstance(value, int):
        return PY_INT
    return PY_FLOAT if isinstance(value, float) else None


@cache
def promote(a: DType, b: DType) -> DType:
    """The type of ``a + b`` under NEP 50.

    >>> promote(F32, PY_FLOAT).name, promote(I32, PY_FLOAT).name, promote(PY_INT, PY_FLOAT).name
    ('f32', 'f64', 'py_float')
    """
    if a.weak and b.weak:
        return max(a, b, key=lambda t: "bif".index(t.kind))
    return _BY_NUMPY[np.dtype(np.result_type(_sample(a), _sample(b)))]


def join(a: DType, b: DType) -> DType:
    """The type that holds a value that is one of two: the branches of an ``if``."""
    return a if a == b else promote(a, b)


def _sample(t: DType) -> Any:
    """What ``np.result_type`` takes for a type: the dtype, or a Python number for a weak one."""
    return {"py_bool": True, "py_int": 1, "py_float": 1.0}.get(t.name, t.numpy)
