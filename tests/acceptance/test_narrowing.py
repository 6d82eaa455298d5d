"""A value that is converted to a narrower type and back has lost what NumPy says it has; on both
platforms, in loops that compilers unroll, vectorise and simplify."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import sejits_nb as sj

from .conftest import MakeKernel, body

TYPES = (
    "float32",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "bool_",
)
RANDOM = np.random.default_rng(3)
BOTH = pytest.mark.parametrize(
    "first_platform",
    ["openmp", pytest.param("opencl", marks=pytest.mark.platforms)],
    indirect=True,
)
VALUES = {
    "f8": RANDOM.uniform(0.0, 100.0, 103),
    "f4": RANDOM.uniform(0.0, 100.0, 103).astype("f4"),
    "i8": RANDOM.integers(0, 2**62, 103),
}


def same(kernel: Any, *grids: Any) -> None:
    """Natively the plain Python's bits; zeros with their sign."""
    got = kernel(*grids)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy scalars warn of overflow
        wanted = kernel.reference(*grids)
    assert kernel.build is not None
    got, wanted = (pair if isinstance(pair, tuple) else (pair,) for pair in (got, wanted))
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(np.signbit(one), np.signbit(other))


@BOTH
@pytest.mark.parametrize("dtype", VALUES)
def test_every_type_and_back(dtype: str, make: MakeKernel) -> None:
    outputs = [f"to_{name}" for name in TYPES]
    lines = [f"to_{name}[x] = np.{name}(u[x])" for name in TYPES]
    text = body(*lines, params=f"u, {', '.join(outputs)}").replace("out.", "u.")
    kernel, _ = make(text, check="off")
    same(kernel, VALUES[dtype])


@BOTH
@pytest.mark.parametrize(
    "value",
    [
        "np.float32(u[x])",
        "np.float32(np.float64(a) * u[x]) - u[x]",
        "min(a, np.float32(u[x] * u[x])) + u[x]",
        "(a if u[x] < 50.0 else -a) + u[x]",
    ],
)
def test_a_rounding_through_variables_and_choices(value: str, make: MakeKernel) -> None:
    kernel, _ = make(body("a = np.float32(u[x])", f"out[x] = {value}"), check="off")
    for length in (6, 103):
        same(kernel, VALUES["f8"][:length])


@BOTH
@pytest.mark.parametrize("integer", ["int", "np.int32"])
def test_an_integer_has_no_negative_zero(integer: str, make: MakeKernel) -> None:
    kernel, _ = make(body(f"n = {integer}(u[x])", "out[x] = -0.0 + n"), check="off")
    same(kernel, RANDOM.uniform(-2.0, 2.0, 103))


LOST = "-Dfloat=double"
"""A compiler that rounds to no narrower type."""


@pytest.mark.parametrize("value", ["u[x]", "0.3 * u[x] + 0.1", "sqrt(u[x])"])
def test_a_lost_rounding_is_seen(value: str, make: MakeKernel) -> None:
    text = body(f"out[x] = np.float32({value})")
    same(make(text, backend="c")[0], VALUES["f8"])
    with pytest.raises(sj.WrongResult, match="W001"):
        make(text, backend="c", cflags=LOST)[0](VALUES["f8"])


def test_a_value_near_a_step_may_come_out_on_either_side(make: MakeKernel) -> None:
    """0.1 * 3 + 0.7 is contracted to 1, or not: a whole step, and right."""
    u = np.full(103, 3.0)
    for flags in ("-ffp-contract=fast", "-ffp-contract=off"):
        kernel, _ = make(body("out[x] = int(0.1 * u[x] + 0.7)"), backend="c", cflags=flags)
        assert set(kernel(u)[1:-1]) <= {0.0, 1.0}
