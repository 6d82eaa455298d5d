"""Tiling: exact listings, remainders, and every point visited once whatever the sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import cast

import pytest

from sejits_nb.ir.past import For, Unit
from sejits_nb.phase4_variants.tile import tile

Nest = Callable[..., Unit]
Show = Callable[[Unit], str]
Stored = Callable[[Unit], list[int]]


def test_blocks_of_the_second_loop(nest: Nest, show: Show) -> None:
    tiled = tile(nest(4, 6, 5), axis=1, size=2)
    assert show(tiled) == (
        "for jj in [0, 6) step 2\n"
        "  for i in [0, 4)\n"
        "    for j in [jj, min_i64(jj + 2, 6))\n"
        "      for k in [0, 5)  [simd]\n"
        "        out[i*30 + j*5 + k] = u[i*30 + j*5 + k]"
    )
    assert tiled.helpers == ("min_i64",)


def test_the_last_block_is_shorter(nest: Nest, stored: Stored) -> None:
    assert sorted(stored(tile(nest(2, 7, 1), axis=1, size=4))) == list(range(14))


def test_the_outermost_loop_too(nest: Nest, show: Show) -> None:
    assert show(tile(nest(5, 3), axis=0, size=2)).splitlines()[:2] == [
        "for ii in [0, 5) step 2",
        "  for i in [ii, min_i64(ii + 2, 5))",
    ]


@pytest.mark.parametrize("size", [0, 6, 7, 1000])
def test_one_block_is_no_tiling(nest: Nest, size: int) -> None:
    unit = nest(4, 6, 5)
    assert tile(unit, axis=1, size=size) is unit


def test_degenerate_grids_and_unknown_axes_stay_as_they_are(nest: Nest) -> None:
    for unit in (nest(4, 0, 5), nest(0, 1, 5)):
        assert tile(unit, axis=1, size=2) is unit
    assert tile(nest(3, 3), axis=2, size=2) == nest(3, 3)


def test_a_loop_whose_order_matters_is_left_alone(nest: Nest) -> None:
    unit = nest(4, 6)
    outer = replace(cast(For, unit.function.body[0]), independent=False)
    ordered = replace(unit, function=replace(unit.function, body=(outer,)))
    assert tile(ordered, axis=0, size=2) is ordered


def test_a_taken_name_is_not_used_for_the_block(nest: Nest, show: Show) -> None:
    unit = nest(4, 6)
    renamed = replace(unit.function.params[0], name="jj")
    taken = replace(
        unit, function=replace(unit.function, params=(renamed, unit.function.params[1]))
    )
    body = replace(cast(For, taken.function.body[0]), body=())
    taken = replace(taken, function=replace(taken.function, body=(body,)))
    assert show(tile(taken, axis=0, size=2)).startswith("for ii in")


@pytest.mark.parametrize("lengths", list(product([0, 1, 2, 5], [0, 1, 3, 8], [1, 2])))
def test_every_point_once(lengths: tuple[int, ...], nest: Nest, stored: Stored) -> None:
    points = sorted(stored(nest(*lengths)))
    for axis, size in product(range(3), (1, 2, 3, 8)):
        assert sorted(stored(tile(nest(*lengths), axis, size))) == points
