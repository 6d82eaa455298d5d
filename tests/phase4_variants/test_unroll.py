"""Unroll-and-jam: exact listings, remainders, and every point once whatever the sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import cast

import pytest

from sejits_nb.ir.dast import Statement
from sejits_nb.ir.dtypes import F64
from sejits_nb.ir.past import Binary, Declare, For, Literal, Load, Store, Unit, Variable
from sejits_nb.phase4_variants.tile import tile
from sejits_nb.phase4_variants.unroll import unroll_and_jam

Nest = Callable[..., Unit]
Show = Callable[[Unit], str]
Stored = Callable[[Unit], list[int]]


def test_rows_of_the_step_are_jammed_and_the_remainder_follows(nest: Nest, show: Show) -> None:
    assert show(unroll_and_jam(nest(5, 3), axis=0, factor=2)) == (
        "for i in [0, 4) step 2\n"
        "  for j in [0, 3)  [simd]\n"
        "    out[i*3 + j] = u[i*3 + j]\n"
        "    out[(i + 1)*3 + j] = u[(i + 1)*3 + j]\n"
        "for i in [4, 5)\n"
        "  for j in [0, 3)  [simd]\n"
        "    out[i*3 + j] = u[i*3 + j]"
    )


def test_no_remainder_no_second_loop(nest: Nest, show: Show) -> None:
    assert show(unroll_and_jam(nest(4, 3), axis=0, factor=4)).count("for i") == 1


def test_the_second_of_three_loops(nest: Nest, show: Show) -> None:
    rows = show(unroll_and_jam(nest(2, 3, 4), axis=1, factor=2)).splitlines()
    assert [row.strip() for row in rows if "for" in row] == [
        "for i in [0, 2)",
        "for j in [0, 2) step 2",
        "for k in [0, 4)  [simd]",
        "for j in [2, 3)",
        "for k in [0, 4)  [simd]",
    ]


def body_of(unit: Unit, *body: Statement) -> Unit:
    """*unit* (two loops) with another innermost body."""
    outer = cast(For, unit.function.body[0])
    inner = replace(cast(For, outer.body[0]), body=body)
    return replace(unit, function=replace(unit.function, body=(replace(outer, body=(inner,)),)))


def test_locals_get_a_suffix_and_stores_come_last(nest: Nest, show: Show) -> None:
    """Loads that the copies share (row ``i + 1`` here) are then done once."""
    unit = nest(4, 3)
    i, j = Variable("i"), Variable("j")
    here = unit.loc
    row = Binary("+", Binary("*", i, Literal(3)), j)
    above = Binary("+", Binary("*", Binary("-", i, Literal(1)), Literal(3)), j)
    a = Declare("a", F64, Load("u", above, dtype=F64), loc=here)
    b = Declare("b", F64, Variable("a", dtype=F64), loc=here)
    store = Store("out", row, Variable("b", dtype=F64), loc=here)
    assert show(unroll_and_jam(body_of(unit, a, b, store), axis=0, factor=2)) == (
        "for i in [0, 4) step 2\n"
        "  for j in [0, 3)  [simd]\n"
        "    a: f64 = u[(i - 1)*3 + j]\n"
        "    b: f64 = a\n"
        "    a__1: f64 = u[i*3 + j]\n"
        "    b__1: f64 = a__1\n"
        "    out[i*3 + j] = b\n"
        "    out[(i + 1)*3 + j] = b__1"
    )


@pytest.mark.parametrize("factor", [0, 1, 5, 6])
def test_factor_one_or_more_than_there_are_iterations(nest: Nest, factor: int) -> None:
    unit = nest(4, 3)
    assert unroll_and_jam(unit, axis=0, factor=factor) is unit


def test_the_innermost_loop_is_left_to_the_vectoriser(nest: Nest) -> None:
    for unit, axis in ((nest(8), 0), (nest(8, 8), 1)):
        assert unroll_and_jam(unit, axis, factor=2) is unit


def test_degenerate_grids_and_ordered_loops_stay_as_they_are(nest: Nest) -> None:
    for unit in (nest(0, 4), nest(1, 4)):
        assert unroll_and_jam(unit, axis=0, factor=2) is unit
    unit = nest(4, 4)
    outer = replace(cast(For, unit.function.body[0]), independent=False)
    ordered = replace(unit, function=replace(unit.function, body=(outer,)))
    assert unroll_and_jam(ordered, axis=0, factor=2) is ordered


@pytest.mark.parametrize("lengths", list(product([0, 1, 2, 3, 7, 8], [0, 1, 3], [1, 2])))
def test_every_point_once(lengths: tuple[int, ...], nest: Nest, stored: Stored) -> None:
    points = sorted(stored(nest(*lengths)))
    for axis, factor in product((0, 1), (2, 3, 4)):
        assert sorted(stored(unroll_and_jam(nest(*lengths), axis, factor))) == points
        tiled = tile(nest(*lengths), axis=1, size=2)
        assert sorted(stored(unroll_and_jam(tiled, axis, factor))) == points
