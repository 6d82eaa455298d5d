"""Loops become dimensions of a launch, from the innermost out."""

from __future__ import annotations

import dataclasses

import pytest

from sejits_nb.ir.check import check_past
from sejits_nb.ir.dtypes import F64
from sejits_nb.ir.node import Span, walk
from sejits_nb.ir.past import Declare, For, Function, Literal, Param, Store, Unit, Variable
from sejits_nb.phase3_lower.work_items import map_to_work_items

HERE = Span(1, 0, 1, 5)
OUT = Param("out", F64, pointer=True, const=False)


def nest(*names: str, independent: bool = True, step: int = 1) -> For:
    """Loops of those names, outermost first, over a store."""
    body: tuple[For | Store, ...] = (
        Store("out", Variable(names[-1]), Literal(1.0, dtype=F64), loc=HERE),
    )
    for name in reversed(names):
        body = (
            For(name, Literal(1), Literal(9), body, step=step, independent=independent, simd=True,
                loc=HERE),
        )  # fmt: skip
    assert isinstance(body[0], For)
    return body[0]


def mapped(*body: For | Declare) -> dict[str, int | None]:
    """The dimension of every loop of a function with that *body*."""
    unit = map_to_work_items(Unit(Function("k", (OUT,), body, loc=HERE), loc=HERE))
    assert check_past(unit) == ()
    found = [n for n in walk(unit) if isinstance(n, For)]
    assert not any(n.simd for n in found if n.work_item is not None)
    return {n.var: n.work_item for n in found}


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        ("i", {"i": 0}),
        ("ij", {"i": 1, "j": 0}),
        ("ijk", {"i": 2, "j": 1, "k": 0}),
        ("ijkl", {"i": None, "j": 2, "k": 1, "l": 0}),
    ],
)
def test_the_innermost_loop_is_dimension_0(names: str, wanted: dict[str, int | None]) -> None:
    assert mapped(nest(*names)) == wanted


def test_each_nest_is_mapped() -> None:
    assert mapped(nest("i", "j"), nest("k")) == {"i": 1, "j": 0, "k": 0}


def test_loops_that_must_run_in_order_stay_loops() -> None:
    assert mapped(nest("i", "j", independent=False)) == {"i": None, "j": None}
    assert mapped(nest("i", step=2)) == {"i": None}
    inner = nest("j", independent=False)
    assert mapped(dataclasses.replace(nest("i"), body=(inner,))) == {"i": 0, "j": None}


def test_a_loop_over_two_statements_is_the_last_one_mapped() -> None:
    outer = dataclasses.replace(nest("i"), body=(nest("j"), nest("k")))
    assert mapped(outer) == {"i": 0, "j": None, "k": None}


def test_statements_beside_the_nests_leave_all_to_one_work_item() -> None:
    half = Declare("half", F64, Literal(0.5, dtype=F64), loc=HERE)
    assert mapped(half, nest("i")) == {"i": None}
