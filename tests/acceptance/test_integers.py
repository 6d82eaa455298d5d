"""Integers as NumPy >= 2 has them: compared by value, and every overflow wraps; on both platforms."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from .conftest import MakeKernel, body

DTYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
OPERATORS = ("<", "<=", ">", ">=", "==", "!=")


def extremes(dtype: str) -> np.ndarray[Any, Any]:
    """The ends of the range of *dtype*, and some between."""
    limits = np.iinfo(dtype)
    between = np.random.default_rng(4).integers(limits.min, limits.max, 20, dtype, endpoint=True)
    ends = [limits.min, limits.min + 1, 0, 1, 5, limits.max // 2, limits.max - 1, limits.max]
    return np.concatenate([np.array(ends, dtype), between])


def equal(kernel: Any, *args: Any) -> None:
    """Natively and in plain Python the same, in a wide output."""
    got, wanted = np.zeros(args[0].shape, "i8"), np.zeros(args[0].shape, "i8")
    kernel(args[0], got, *args[1:])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy scalars warn of overflow
        kernel.reference(args[0], wanted, *args[1:])
    np.testing.assert_array_equal(got, wanted)
    assert kernel.build is not None


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_that_do_not_fit_are_compared_by_value(dtype: str, make: MakeKernel) -> None:
    tests = [f"u[x] {op} n" for op in OPERATORS] + [f"n {op} u[x]" for op in OPERATORS]
    tests += [f"u[x] {op} {n}" for op in OPERATORS for n in ("-1", "300", "2**40")]
    lines = ["out[x] = 0"] + [f"out[x] = 2 * out[x] + (1 if {t} else 0)" for t in tests]
    kernel, _ = make(body(*lines, params="u, out, n"), check="off")
    for n in (-(2**63), -129, -1, 5, 300, 70_000, 2**63 - 1):
        equal(kernel, extremes(dtype), n)


@pytest.mark.parametrize("other", ["int8", "int32", "int64"])
def test_signed_and_unsigned_of_64_bits_are_compared_by_value(other: str, make: MakeKernel) -> None:
    tests = [f"u[x] {op} v[x]" for op in OPERATORS] + [f"v[x] {op} u[x]" for op in OPERATORS]
    lines = ["out[x] = 0"] + [f"out[x] = 2 * out[x] + (1 if {t} else 0)" for t in tests]
    kernel, _ = make(body(*lines, params="u, out, v"), check="off")
    large = np.array([2**53 + 1, 2**63 + 1, 0, 2**64 - 1, 2**63 - 1], "u8")
    equal(kernel, large, np.array([2**53, 1, -1, -1, 2**63 - 1]).astype(other))


@pytest.mark.parametrize("dtype", DTYPES)
def test_min_and_max_go_by_value(dtype: str, make: MakeKernel) -> None:
    text = body("out[x] = min(u[x], 2**40) - max(-(2**41), u[x]) % 3 + max(min(u[x], 90), 7)")
    kernel, _ = make(text, check="off")
    equal(kernel, (extremes(dtype) // 4).astype(dtype))
    kernel, _ = make(body("out[x] = max(u[x], n)", params="u, out, n"), check="off")
    low = -1 if "u" in dtype else int(np.iinfo(dtype).min)
    equal(kernel, (extremes(dtype) // 4).astype(dtype), low)


@pytest.mark.parametrize("dtype", DTYPES)
def test_overflow_wraps_and_is_not_optimised_away(dtype: str, make: MakeKernel) -> None:
    """A compiler that may assume that nothing overflows makes other results of each of these."""
    lines = (
        "out[x] = 1 if u[x] + 1 > u[x] else 0",
        "out[x] = 5 * out[x] + (u[x] * 2 // 2) % 7 - u[x] * u[x] // 3 % 5",
        "out[x] = 3 * out[x] + (abs(-u[x]) ^ u[x] ** 3) % 11 + (u[x] - 1 < u[x])",
    )
    kernel, _ = make(body(*lines), check="off")
    equal(kernel, extremes(dtype))
