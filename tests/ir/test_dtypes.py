"""The type table against NumPy itself, for all pairs."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from sejits_nb.ir.dtypes import (
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
    DType,
    from_numpy,
    join,
    of_value,
    promote,
)  # fmt: skip

STRONG = (F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, BOOL)
WEAK = {PY_BOOL: True, PY_INT: 1, PY_FLOAT: 1.0}
TYPES = (*STRONG, *WEAK)


def one(dtype: DType) -> Any:
    """A value of that type: a NumPy scalar, or a Python number for a weak one."""
    return WEAK[dtype] if dtype.weak else dtype.numpy.type(1)


@pytest.mark.parametrize(("a", "b"), list(product(TYPES, TYPES)), ids=str)
def test_promotion_is_numpy_s(a: DType, b: DType) -> None:
    if a == b == PY_BOOL:  # True + True is the int 2 in Python: infer_types makes the ints
        assert promote(a, b) == PY_BOOL
    elif a.kind == b.kind == "b":
        assert promote(a, b) == BOOL
    else:
        assert promote(a, b) == of_value(one(a) + one(b))
    assert promote(a, b) == promote(b, a)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_a_type_joined_with_itself_stays(dtype: DType) -> None:
    assert join(dtype, dtype) == dtype
    assert promote(dtype, dtype) == dtype


@pytest.mark.parametrize("dtype", STRONG, ids=str)
def test_numpy_types_and_back(dtype: DType) -> None:
    assert from_numpy(dtype.numpy) == dtype
    assert of_value(dtype.numpy.type(1)) == dtype
    assert dtype.size_bytes == dtype.numpy.itemsize
    assert dtype.strong == dtype


def test_values_have_weak_types_when_python_s() -> None:
    assert [of_value(v) for v in (True, 1, 1.0)] == [PY_BOOL, PY_INT, PY_FLOAT]
    assert [t.strong for t in WEAK] == [BOOL, I64, F64]


@pytest.mark.parametrize("value", ["1", None, 1j, np.complex64(1), np.float16(1), [1.0]])
def test_other_values_have_no_type(value: object) -> None:
    assert of_value(value) is None


@pytest.mark.parametrize("name", [">f8", ">i4", "c16", "O", "U3", "M8[s]", "f2"])
def test_other_arrays_have_no_type(name: str) -> None:
    assert from_numpy(np.dtype(name)) is None
