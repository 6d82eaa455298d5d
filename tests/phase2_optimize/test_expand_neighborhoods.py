"""Loops over neighbors, unrolled in the order in which the plain Python runs them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "von Neumann": """
        acc = 0.0
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = acc
        ->
        acc = 0.0
        acc = acc + u[x + (-1, 0)]
        acc = acc + u[x + (0, -1)]
        acc = acc + u[x + (0, 1)]
        acc = acc + u[x + (1, 0)]
        out[x] = acc
    """,
    "Moore, shifted centre": """
        acc = 0.0
        for y in u.neighbors(x + (0, 1), 1, metric='moore'):
            acc += u[y - (1, 0)]
        out[x] = acc
        ->
        acc = 0.0
        acc = acc + u[x + (-2, 0)]
        acc = acc + u[x + (-2, 1)]
        acc = acc + u[x + (-2, 2)]
        acc = acc + u[x + (-1, 0)]
        acc = acc + u[x + (-1, 2)]
        acc = acc + u[x]
        acc = acc + u[x + (0, 1)]
        acc = acc + u[x + (0, 2)]
        out[x] = acc
    """,
    "radius 0": """
        for y in u.neighbors(x, 0):
            out[x] = u[y]
        ->
        out[x] = u[x]
    """,
    "nested": """
        acc = 0.0
        for y in u.neighbors(x, 1):
            for z in v.neighbors(y, 0):
                acc += v[z]
        out[x] = acc
        ->
        acc = 0.0
        acc = acc + v[x + (-1, 0)]
        acc = acc + v[x + (0, -1)]
        acc = acc + v[x + (0, 1)]
        acc = acc + v[x + (1, 0)]
        out[x] = acc
    """,
    "in a branch": """
        acc = 0.0
        if u[x] > 0.0:
            for y in u.neighbors(x, 1):
                acc += u[y]
        out[x] = acc
        ->
        acc = 0.0
        if u[x] > 0.0
          acc = acc + u[x + (-1, 0)]
          acc = acc + u[x + (0, -1)]
          acc = acc + u[x + (0, 1)]
          acc = acc + u[x + (1, 0)]
        out[x] = acc
    """,
    "none": """
        out[x] = u[x]
        ->
        (the same object)
    """,
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_expand_neighborhoods(case: str, check_pass: Callable[[str, str], None]) -> None:
    check_pass("expand neighborhoods", case)
