"""Streaming by cache lines: every point once wherever the lines start, and only rows that allow it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from sejits_nb.ir.dtypes import F32
from sejits_nb.ir.past import Binary, For, Literal, Load, Store, Unit
from sejits_nb.phase4_variants.parallel import parallelize
from sejits_nb.phase4_variants.prefetch import prefetch
from sejits_nb.phase4_variants.stream import stream
from sejits_nb.phase4_variants.tile import tile
from sejits_nb.phase4_variants.unroll import unroll_and_jam

Nest = Callable[..., Unit]
Show = Callable[[Unit], str]
Stored = Callable[..., list[int]]


def test_a_row_is_cut_at_its_lines(nest: Nest, show: Show) -> None:
    assert show(stream(nest(2, 40))) == (
        "for i in [0, 2)\n"
        "  first: i64 = min_i64(40, 0 + gap_f64(&out[i*40 + 0]))\n"
        "  last: i64 = first + ((40 - first) & -8)\n"
        "  for j in [0, first)\n"
        "    out[i*40 + j] = u[i*40 + j]\n"
        "  for j in [first, last) step 8\n"
        "    out_line: f64[8]\n"
        "    for lane in [0, 8)  [simd]\n"
        "      out_line[lane] = u[i*40 + j + lane]\n"
        "    stream_f64(&out[i*40 + j], out_line)\n"
        "  for j in [last, 40)\n"
        "    out[i*40 + j] = u[i*40 + j]\n"
        "fence_f64()"
    )


@pytest.mark.parametrize("phase", range(8))
@pytest.mark.parametrize("lengths", [(3, 32), (5, 37), (2, 3, 47)])
def test_every_point_once_wherever_the_lines_start(
    nest: Nest, stored: Stored, lengths: tuple[int, ...], phase: int
) -> None:
    unit = nest(*lengths)
    assert sorted(stored(stream(unit), phase)) == sorted(stored(unit))


@pytest.mark.parametrize("distance", [0, 1, 256])
def test_together_with_all_that_comes_before_and_after(
    nest: Nest, stored: Stored, distance: int
) -> None:
    unit = nest(5, 9, 48)
    changed = unroll_and_jam(tile(unit, 1, 4), 0, 2)
    changed = parallelize(prefetch(stream(changed), distance), 2)
    assert sorted(stored(changed, 3)) == sorted(stored(unit))


def test_short_rows_one_dimension_and_ordered_loops_stay(nest: Nest) -> None:
    for unit in (nest(4, 31), nest(400)):
        assert stream(unit) is unit
    outer = cast(For, nest(4, 64).function.body[0])
    ordered = replace(cast(For, outer.body[0]), independent=False)
    unit = nest(4, 64)
    unit = replace(unit, function=replace(unit.function, body=(replace(outer, body=(ordered,)),)))
    assert stream(unit) is unit


def test_strided_stores_stay(nest: Nest) -> None:
    """A row along which the output moves by more than one element has no lines."""
    unit = nest(64, 64)
    outer = cast(For, unit.function.body[0])
    inner = cast(For, outer.body[0])
    turned = replace(outer, body=(replace(inner, var="i"),), var="j")
    unit = replace(unit, function=replace(unit.function, body=(turned,)))
    assert stream(unit) is unit


def test_outputs_of_different_widths_stay(nest: Nest) -> None:
    unit = nest(4, 64)
    outer = cast(For, unit.function.body[0])
    inner = cast(For, outer.body[0])
    store = cast(Store, inner.body[0])
    second = replace(store, array="small")
    inner = replace(inner, body=(store, second))
    function = unit.function
    params = (*function.params, replace(function.params[1], name="small", dtype=F32))
    unit = replace(
        unit, function=replace(function, params=params, body=(replace(outer, body=(inner,)),))
    )
    assert stream(unit) is unit


def test_the_next_step_is_fetched_and_its_partial_lines_are_claimed(nest: Nest, show: Show) -> None:
    text = show(prefetch(stream(unroll_and_jam(nest(4, 5, 40), 0, 2)), 1))
    assert "fetch_f64(&u[(i + 2)*200 + j*40 + k])" in text
    assert "fetch_f64(&u[(i + 3)*200 + j*40 + k])" in text
    assert text.count("fetch_f64") == 2
    assert "claim_f64(&out[(i + 2)*200 + j*40])" in text
    assert "claim_f64(&out[(i + 3)*200 + j*40 + 39])" in text


def test_fetches_run_from_the_farthest_plane_that_is_read(nest: Nest, show: Show) -> None:
    """With a halo of one plane, the next step is the first to read the plane after next."""
    unit = nest(4, 64)
    outer = cast(For, unit.function.body[0])
    inner = cast(For, outer.body[0])
    store = cast(Store, inner.body[0])
    load = cast(Load, store.value)
    below = replace(load, index=Binary("+", load.index, Literal(64 - 1)))
    inner = replace(inner, body=(replace(store, value=Binary("+", load, below, dtype=load.dtype)),))
    unit = replace(unit, function=replace(unit.function, body=(replace(outer, body=(inner,)),)))
    assert "fetch_f64(&u[(i + 2)*64 + j])" in show(prefetch(stream(unit), 1))
    assert "fetch_f64(&u[(i + 1)*64 + j + 256])" in show(prefetch(stream(unit), 256))


def test_without_lines_there_are_no_hints(nest: Nest) -> None:
    unit = nest(4, 40)
    assert prefetch(unit, 1) is unit
    assert prefetch(stream(unit), 0) == stream(unit)


def test_one_team_runs_neighboring_nests_and_the_fence(nest: Nest, show: Show) -> None:
    text = show(parallelize(stream(nest(4, 5000)), 2)).splitlines()
    assert text[0] == "team of 2 threads"
    assert text[1] == "  for i in [0, 4)  [parallel, 2 threads]"
    assert text[-1] == "  fence_f64()"
