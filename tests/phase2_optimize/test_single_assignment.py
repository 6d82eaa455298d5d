"""Every name is bound once, and ``if`` becomes a choice between values."""

from __future__ import annotations

from collections.abc import Callable

import pytest

CASES = {
    "rebinding": """
        a1 = u[x]
        a1 = a1 + 1.0
        a1 = a1 * a1
        out[x] = a1
        ->
        let a1 = u[x]
        let a1_1 = a1 + 1.0
        let a1_2 = a1_1 * a1_1
        out[x] = a1_2
    """,
    "if merges": """
        acc = 0.0
        if u[x] > 0.0:
            acc = acc + u[x]
        out[x] = acc
        ->
        let acc: float = 0.0
        let test = u[x] > 0.0
        let acc_1 = acc + u[x]
        let acc_2 = acc_1 if test else acc
        out[x] = acc_2
    """,
    "both branches": """
        if u[x] > 0.0:
            b = 1.0
        else:
            b = 2.0
        out[x] = b
        ->
        let test = u[x] > 0.0
        let b: float = 1.0
        let b_1: float = 2.0
        let b_2 = b if test else b_1
        out[x] = b_2
    """,
    "nested": """
        b = 0.0
        if u[x] > 0.0:
            if v[x] > 0.0:
                b = 1.0
            else:
                b = 2.0
                c = 3.0
        out[x] = b
        ->
        let b: float = 0.0
        let test = u[x] > 0.0
        let test_1 = v[x] > 0.0
        let b_1: float = 1.0
        let b_2: float = 2.0
        let c: float = 3.0
        let b_3 = b_1 if test_1 else b_2
        let b_4 = b_3 if test else b
        out[x] = b_4
    """,
    "taken names": """
        b_1 = 5.0
        b = 1.0
        b = b + b_1
        test = 7.0
        if b > 2.0:
            test = 8.0
        out[x] = b * test
        ->
        let b_1: float = 5.0
        let b: float = 1.0
        let b_2 = b + b_1
        let test: float = 7.0
        let test_1 = b_2 > 2.0
        let test_2: float = 8.0
        let test_3 = test_2 if test_1 else test
        out[x] = b_2 * test_3
    """,
    "two stores": """
        out[x] = 1.0
        if u[x] > 0.0:
            out[x] = 2.0
        ->
        let out_x: f64 = f64(1.0)
        let test = u[x] > 0.0
        let out_x_1: f64 = f64(2.0)
        let out_x_2 = out_x_1 if test else out_x
        out[x] = out_x_2
    """,
    "branch keeps old output": """
        if u[x] > 0.0:
            out[x] = 2.0
        ->
        let out_x = out[x]
        let test = u[x] > 0.0
        let out_x_1: f64 = f64(2.0)
        let out_x_2 = out_x_1 if test else out_x
        out[x] = out_x_2
    """,
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_single_assignment(case: str, check_pass: Callable[[str, str], None]) -> None:
    check_pass("single assignment", case)
