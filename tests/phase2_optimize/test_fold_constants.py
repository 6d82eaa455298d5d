"""Constant folding keeps every bit: what is computed here, and what must stay."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "numbers": """
        out[x] = (2 * 3 + 4.0) * u[x]
        ->
        out[x] = 10.0 * u[x]
    """,
    "one": """
        out[x] = 1.0 * u[x] * 1
        ->
        out[x] = u[x]
    """,
    "zero stays": """
        out[x] = 0.0 + u[x]
        ->
        (the same object)
    """,
    "power of two": """
        out[x] = u[x] / 8.0
        ->
        out[x] = u[x] * 0.125
    """,
    "no power of two": """
        out[x] = u[x] / 3.0
        ->
        (the same object)
    """,
    "f32 constant is rounded once": """
        # u: f32, out: f32
        out[x] = 0.1 * u[x]
        ->
        (the same object)
    """,
    "division by zero stays": """
        out[x] = u[x] * (1 // 0)
        ->
        (the same object)
    """,
    "minus minus": """
        out[x] = -(-u[x])
        ->
        out[x] = u[x]
    """,
    "choice known": """
        out[x] = u[x] if 1 < 2 else v[x]
        ->
        out[x] = u[x]
    """,
    "same choice": """
        out[x] = u[x] if v[x] > 0.0 else u[x]
        ->
        out[x] = u[x]
    """,
    "and true": """
        out[x] = 1.0 if u[x] > 0.0 and 1 < 2 else 0.0
        ->
        out[x] = 1.0 if u[x] > 0.0 else 0.0
    """,
    "zero and minus zero differ": """
        out[x] = 0.0 if u[x] > 1.0 else -0.0
        ->
        out[x] = 0.0 if u[x] > 1.0 else -0.0
    """,
    "minus zero": """
        out[x] = u[x] * -0.0 + -(0.0)
        ->
        out[x] = u[x] * -0.0 + -0.0
    """,
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_fold_constants(case: str, check_pass: Callable[[str, str], None]) -> None:
    check_pass("fold constants", case)
