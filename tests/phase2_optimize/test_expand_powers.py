"""Small powers become products."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "square": """
        out[x] = (u[x] + 1.0) ** 2
        ->
        out[x] = (u[x] + 1.0) * (u[x] + 1.0)
    """,
    "fourth": """
        out[x] = u[x] ** 4 + v[x] ** 3.0
        ->
        out[x] = u[x] * u[x] * u[x] * u[x] + v[x] * v[x] * v[x]
    """,
    "too many": """
        out[x] = u[x] ** 5 + u[x] ** 0.5 + u[x] ** -2 + u[x] ** 1
        ->
        (the same object)
    """,
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_expand_powers(case: str, check_pass: Callable[[str, str], None]) -> None:
    check_pass("expand powers", case)
