"""What is read or computed twice is bound once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "read twice": """
        out[x] = u[x] * v[x] + u[x]
        ->
        let t1: f64 = u[x]
        out[x] = t1 * v[x] + t1
    """,
    "computed twice": """
        b = u[x] * v[x] + 1.0
        c = u[x] * v[x] + 2.0
        out[x] = b * c
        ->
        let t1: f64 = u[x] * v[x]
        let b: f64 = t1 + 1.0
        let c: f64 = t1 + 2.0
        out[x] = b * c
    """,
    "copies vanish": """
        b = u[x]
        c = b
        out[x] = c * c
        ->
        let b: f64 = u[x]
        out[x] = b * b
    """,
    "equal lets": """
        b = u[x] + 1.0
        c = u[x] + 1.0
        out[x] = b * c
        ->
        let b: f64 = u[x] + 1.0
        out[x] = b * b
    """,
    "zero and minus zero differ": """
        b = u[x] * 0.0
        c = u[x] * -0.0
        out[x] = min(1.0 / b, 1.0 / c)
        ->
        let t1: f64 = u[x]
        let b: f64 = t1 * 0.0
        let c: f64 = t1 * -0.0
        out[x] = min(1.0 / b, 1.0 / c)
    """,
    "name taken": """
        t1 = u[x] * 2.0
        out[x] = t1 * v[x] + v[x]
        ->
        let t1: f64 = u[x] * 2.0
        let t2: f64 = v[x]
        out[x] = t1 * t2 + t2
    """,
    "order matters": """
        out[x] = u[x] * v[x] + v[x] * u[x]
        ->
        let t1: f64 = u[x]
        let t2: f64 = v[x]
        out[x] = t1 * t2 + t2 * t1
    """,
    "constants and names are not shared": """
        out[x] = a * 2.0 + a * 3.0 + u[x]
        ->
        (the same object)
    """,
    "f32 and f64 read differ": """
        # u: f32
        out[x] = u[x] + 0.5 * u[x]
        ->
        let t1: f32 = u[x]
        out[x] = f64(t1 + 0.5 * t1)
    """,
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_common_subexpressions(case: str, check_pass: Callable[[str, str], None]) -> None:
    check_pass("common subexpressions", case)
