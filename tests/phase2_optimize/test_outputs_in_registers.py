"""An output that is stored to more than once is kept in a local."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "one plain store": """
        out[x] = u[x]
        ->
        (the same object)
    """,
    "accumulates": """
        out[x] = 0.0
        for y in u.neighbors(x, 1):
            out[x] += u[y]
        ->
        out_x = f64(0.0)
        out_x = f64(out_x + u[x + (-1, 0)])
        out_x = f64(out_x + u[x + (0, -1)])
        out_x = f64(out_x + u[x + (0, 1)])
        out_x = f64(out_x + u[x + (1, 0)])
        out[x] = out_x
    """,
    "old value is read": """
        out[x] = out[x] + u[x]
        ->
        out_x = out[x]
        out_x = f64(out_x + u[x])
        out[x] = out_x
    """,
    "store in a branch": """
        if u[x] > 0.0:
            out[x] = u[x]
        ->
        out_x = out[x]
        if u[x] > 0.0
          out_x = f64(u[x])
        out[x] = out_x
    """,
    "set before the branch": """
        out[x] = 1.0
        if u[x] > 0.0:
            out[x] = u[x]
        ->
        out_x = f64(1.0)
        if u[x] > 0.0
          out_x = f64(u[x])
        out[x] = out_x
    """,
    "both branches": """
        if u[x] > 0.0:
            out[x] = u[x]
        else:
            out[x] = v[x]
        ->
        out_x = out[x]
        if u[x] > 0.0
          out_x = f64(u[x])
          else
            out_x = f64(v[x])
        out[x] = out_x
    """,
    "name taken": """
        out_x = 3.0
        out[x] = out_x
        out[x] = out[x] + 1.0
        ->
        out_x = 3.0
        out_x_ = f64(out_x)
        out_x_ = f64(out_x_ + 1.0)
        out[x] = out_x_
    """,
    "rounds to f32 between stores": """
        # out: f32
        out[x] = u[x]
        out[x] += v[x]
        ->
        out_x = f32(u[x])
        out_x = f32(out_x + v[x])
        out[x] = out_x
    """,
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_outputs_in_registers(case: str, check_pass: Callable[[str, str], None]) -> None:
    check_pass("outputs in registers", case)
