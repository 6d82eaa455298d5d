"""Types under NEP 50, every conversion written out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "f32 adopts": """
        # u: f32, out: f32
        out[x] = 4.0 * u[x] + a * 2
        ->
        out[x] = 4.0 * u[x] + f32(a * 2.0)
    """,
    "f32 meets f64": """
        # u: f32
        b = u[x] * 0.5
        out[x] = b + v[x]
        ->
        let b: f32 = u[x] * 0.5
        out[x] = f64(b) + v[x]
    """,
    "store narrows": """
        # out: f32
        out[x] = u[x] * v[x]
        ->
        out[x] = f32(u[x] * v[x])
    """,
    "int parameter": """
        # a: int
        out[x] = a / 2 + a // 2 * u[x]
        ->
        out[x] = float(a) / 2.0 + f64(a // 2) * u[x]
    """,
    "strong scalar": """
        # a: f64, u: f32, out: f32
        out[x] = a * u[x]
        ->
        out[x] = f32(a * f64(u[x]))
    """,
    "truth": """
        out[x] = 1.0 if u[x] else a
        ->
        out[x] = 1.0 if u[x] != 0.0 else a
    """,
    "intrinsics": """
        # u: f32
        out[x] = sqrt(a) + abs(u[x]) + min(u[x], 1)
        ->
        out[x] = f64(f32(sqrt(a)) + abs(u[x]) + min(u[x], 1.0))
    """,
    "bool arithmetic": """
        out[x] = (u[x] > 0.0) + (v[x] > 0.0)
        ->
        out[x] = f64((u[x] > 0.0) | (v[x] > 0.0))
    """,
    "logic": """
        b = u[x] > 0.0 and not v[x] < 1
        out[x] = 1 if b else 2
        ->
        let b: bool = u[x] > 0.0 and not v[x] < 1.0
        out[x] = f64(1 if b else 2)
    """,
    "an integer that fits": """
        # u: u8
        out[x] = 1.0 if -1 + 6 < u[x] else 0.0
        ->
        out[x] = 1.0 if u[x] > 5 else 0.0
    """,
    "an integer that does not": """
        # u: u8
        out[x] = 1.0 if u[x] == -1 else 2.0 if 256 > u[x] else 0.0
        ->
        out[x] = 1.0 if False else 2.0 if True else 0.0
    """,
    "an integer known at the call": """
        # u: u8, a: int
        out[x] = 1.0 if u[x] < a else 2.0 if a != u[x] else 3.0
        ->
        out[x] = 1.0 if (u[x] < u8(a) if a >= 0 and a <= 255 else a > 0) else 2.0 if\
 (u[x] != u8(a) if a >= 0 and a <= 255 else True) else 3.0
    """,
    "64 bits hold it": """
        # u: u64, v: i32, a: int
        out[x] = 1.0 if u[x] > v[x] else 2.0 if u[x] <= a else 3.0
        ->
        out[x] = 1.0 if (u[x] > u64(v[x]) if v[x] >= 0 else True) else 2.0 if\
 (u[x] <= u64(a) if a >= 0 else False) else 3.0
    """,
    "min and max of integers": """
        # u: u8, a: int
        out[x] = min(u[x], 300) + max(u[x], 7) + max(u[x], a)
        ->
        out[x] = f64(u[x] + max(u[x], 7) + (u8(a) if\
 (u[x] < u8(a) if a >= 0 and a <= 255 else a > 0) else u[x]))
    """,
    "chain": """
        out[x] = 1.0 if 0.0 < u[x] < 1.0 else 0.0
        ->
        out[x] = 1.0 if 0.0 < u[x] and u[x] < 1.0 else 0.0
    """,
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_infer_types(case: str, check_pass: Callable[[str, str], None]) -> None:
    check_pass("infer types", case)
