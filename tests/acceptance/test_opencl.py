"""The language on OpenCL: each construct once against the plain Python, every element."""

# The kernels are written as users write them: without types, with intrinsics that nothing imports.
# mypy: disable-error-code="no-untyped-def, name-defined"

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import sejits_nb as sj

from .conftest import MakeKernel, body

pytestmark = pytest.mark.needs("opencl")
generator = np.random.default_rng(2011)
BOUNDARIES = ("keep", "constant", "clamp", "wrap", "reflect", "mirror")
STATEMENTS = {
    "mod and floordiv": "out[x] = u[x] % 0.3 + u[x + (0, 1)] // 0.7",
    "mod by a negative": "out[x] = (u[x] - 1.0) % -0.4",
    "min and max": "out[x] = min(u[x], 0.5) + max(u[x], u[x - (1, 0)], 0.25)",
    "np.minimum": "out[x] = np.minimum(u[x], np.maximum(u[x - (1, 0)], 0.25))",
    "powers": "out[x] = u[x] ** 3 + u[x] ** 0.5 + pow(u[x], u[x])",
    "elementary": "out[x] = exp(u[x]) + log(u[x]) + sin(u[x]) + cos(u[x]) + tan(u[x]) + tanh(u[x])",
    "roots": "out[x] = sqrt(u[x]) + abs(u[x] - 0.5) + floor(3.0 * u[x])",
    "infinity": "out[x] = np.inf if u[x] > 0.5 else -pow(np.inf, u[x])",
    "division": "out[x] = 1.0 / u[x] + u[x] / 3.0",
    "branches": "if u[x] > 0.5:\n    out[x] = u[x]\nelif u[x] > 0.25:\n    out[x] = -u[x]",
    "neighbors": "for y in u.neighbors(x, 2):\n    out[x] += u[y]",
}


def equal(kernel: Any, *args: Any, rtol: float = 1e-12) -> None:
    """Both run natively and in plain Python, into outputs that start alike."""
    got, wanted = kernel(*args), kernel.reference(*args)
    np.testing.assert_allclose(got, wanted, rtol, rtol)
    assert kernel._last.platform == "opencl"


@pytest.mark.parametrize("name", STATEMENTS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_statements(name: str, dtype: str, make: MakeKernel) -> None:
    kernel, _ = make(body(STATEMENTS[name]), backend="ocl")
    equal(kernel, generator.uniform(0.1, 1.0, (13, 17)).astype(dtype),
          rtol=1e-12 if dtype == "float64" else 1e-4)  # fmt: skip


@pytest.mark.parametrize("mode", BOUNDARIES)
def test_boundaries(mode: str, make: MakeKernel) -> None:
    kernel, _ = make(
        body("out[x] = u[x + (0, 2)] - 2.0 * u[x - (1, 1)]"), boundary=mode, backend="opencl"
    )
    for shape in ((9, 11), (2, 5), (1, 1)):
        equal(kernel, generator.uniform(0.1, 1.0, shape))


@pytest.mark.parametrize("shape", [(40,), (9, 8), (5, 6, 7), (4, 5, 6, 5)])
def test_one_to_four_axes_in_every_layout(shape: tuple[int, ...], make: MakeKernel) -> None:
    after = ", ".join("1" for _ in shape) + ","
    kernel, _ = make(body(f"out[x] = u[x + ({after})] - u[x - ({after})] / 3"), backend="opencl")
    plain = generator.uniform(0.1, 1.0, shape)
    wide = generator.uniform(0.1, 1.0, [2 * n for n in shape])
    every = (slice(None, None, 2),) * len(shape)
    backward = (slice(None, None, -1),) * len(shape)
    for u in (plain, np.asfortranarray(plain), wide[every], plain[backward], wide[every][backward]):
        out, wanted = wide[every].copy(), wide[every].copy()
        kernel(u, out[backward])
        kernel.reference(u, wanted[backward])
        np.testing.assert_array_equal(out, wanted)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "int64", "uint64"])
def test_integers_wrap_as_numpys_do(dtype: str, make: MakeKernel) -> None:
    text = body("out[x] = (u[x] * 7 + u[x + (1,)] // 3 - u[x - (1,)] % 5) ^ (u[x] >> 2 << 1)")
    kernel, _ = make(text, backend="opencl")
    limits = np.iinfo(dtype)
    u = generator.integers(limits.min, limits.max, 60, dtype, endpoint=True)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # NumPy scalars warn of overflow
        equal(kernel, u)


def test_truth_values(make: MakeKernel) -> None:
    """Conway's rule; the language has no pointers to bool."""
    kernel, _ = make(body("n = 0", "for y in u.neighbors(x, 1, metric='moore'):\n    n += u[y]",
                          "out[x] = n == 3 or (u[x] and n == 2)"), backend="opencl")  # fmt: skip
    equal(kernel, generator.random((12, 9)) < 0.4)


def test_scalars_and_tables(make: MakeKernel) -> None:
    text = body(
        "out[x] = w[1] * u[x] * a + (b if flag else c) * w[2]", params="u, out, a, b, c, flag"
    )
    kernel, _ = make(text, {"w": [0.25, 0.5, 4.0]}, backend="opencl")
    u = generator.uniform(0.1, 1.0, (6, 7))
    for flag in (True, np.bool_(False), 3):
        equal(kernel, u, np.float32(0.1), 3, np.int8(-2), flag)


def test_iterate_and_two_outputs() -> None:
    @sj.stencil(backend="opencl", fallback=False)
    def step(u, v, a, b):
        for x in a.interior_points():
            a[x] = u[x] + 0.1 * v[x]
            b[x] = v[x] + 0.1 * (u[x - (1,)] - 2 * u[x] + u[x + (1,)])

    u, v = generator.random(50), generator.random(50)
    got, wanted = step.iterate(u, v, steps=7), (u, v)
    for _ in range(7):
        a, b = wanted[0].copy(), wanted[1].copy()
        step.reference(*wanted, a, b)
        wanted = a, b
    np.testing.assert_allclose(got, wanted, 1e-12)


def test_a_race_of_work_groups(make: MakeKernel) -> None:
    kernel, _ = make(
        body("out[x] = u[x + (1, 0)] - u[x]"), backend="opencl", tune="quick", budget=0.2
    )
    report = kernel.measure(generator.random((130, 258)))
    assert {m.verdict for m in report.measurements} == {"correct"}
    assert [k for k, _ in report.best.config.items] == ["group", "rows"]
    assert report.generated.name == "OpenCL C"


def test_strict_is_equal_to_the_bit(make: MakeKernel) -> None:
    kernel, _ = make(body("out[x] = u[x] * 0.1 + u[x + (0, 1)] * 0.7 / u[x - (1, 0)]"),
                     backend="opencl", check="strict")  # fmt: skip
    u = generator.uniform(0.1, 1.0, (31, 33))
    np.testing.assert_array_equal(kernel(u), kernel.reference(u))
