"""Types under NEP 50, every conversion written out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sejits_nb.ir.dtypes import DType, F32, F64, PY_INT


@pytest.mark.parametrize(
    ("body", "kinds", "wanted"),
    [
        pytest.param("out[x] = 4.0 * u[x] + a * 2", {"u": F32, "out": F32}, "out[x] = 4.0 * u[x] + f32(a * 2.0)", id='f32 adopts'),
        pytest.param("""\
b = u[x] * 0.5
out[x] = b + v[x]""", {"u": F32}, """\
let b: f32 = u[x] * 0.5
out[x] = f64(b) + v[x]""", id='f32 meets f64'),
        pytest.param("out[x] = u[x] * v[x]", {"out": F32}, "out[x] = f32(u[x] * v[x])", id='store narrows'),
        pytest.param("out[x] = a / 2 + a // 2 * u[x]", {"a": PY_INT}, "out[x] = float(a) / 2.0 + f64(a // 2) * u[x]", id='int parameter'),
        pytest.param("out[x] = a * u[x]", {"a": F64, "u": F32, "out": F32}, "out[x] = f32(a * f64(u[x]))", id='strong scalar'),
        pytest.param("out[x] = 1.0 if u[x] else a", {}, "out[x] = 1.0 if u[x] != 0.0 else a", id='truth'),
        pytest.param("out[x] = sqrt(a) + abs(u[x]) + min(u[x], 1)", {"u": F32}, "out[x] = f64(f32(sqrt(a)) + abs(u[x]) + min(u[x], 1.0))", id='intrinsics'),
        pytest.param("out[x] = (u[x] > 0.0) + (v[x] > 0.0)", {}, "out[x] = f64((u[x] > 0.0) | (v[x] > 0.0))", id='bool arithmetic'),
        pytest.param("""\
b = u[x] > 0.0 and not v[x] < 1
out[x] = 1 if b else 2""", {}, """\
let b: bool = u[x] > 0.0 and not v[x] < 1.0
out[x] = f64(1 if b else 2)""", id='logic'),
        pytest.param("out[x] = 1.0 if 0.0 < u[x] < 1.0 else 0.0", {}, "out[x] = 1.0 if 0.0 < u[x] and u[x] < 1.0 else 0.0", id='chain'),
    ],
)  # fmt: skip
def test_infer_types(
    body: str, kinds: dict[str, DType], wanted: str, run_pass: Callable[..., str]
) -> None:
    assert run_pass("infer types", body, **kinds) == wanted
