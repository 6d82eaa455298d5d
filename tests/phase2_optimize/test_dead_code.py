"""Values that nothing uses are not computed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "unused": """
        b = u[x]
        c = b * 2.0
        out[x] = v[x]
        ->
        out[x] = v[x]
    """,
    "overwritten": """
        b = u[x] + 1.0
        b = v[x] + 2.0
        out[x] = b * b
        ->
        let b_1: f64 = v[x] + 2.0
        out[x] = b_1 * b_1
    """,
    "nothing dead": """
        b = u[x] + 1.0
        out[x] = b * b
        ->
        (the same object)
    """,
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_dead_code(case: str, check_pass: Callable[[str, str], None]) -> None:
    check_pass("dead code", case)
