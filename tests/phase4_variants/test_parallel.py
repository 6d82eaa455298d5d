"""Threads go to the outermost independent loops, remainders included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from sejits_nb.ir.past import For, Unit
from sejits_nb.phase4_variants.parallel import parallelize
from sejits_nb.phase4_variants.unroll import unroll_and_jam

Nest = Callable[..., Unit]
Show = Callable[[Unit], str]


def test_the_outermost_loop_is_shared(nest: Nest, show: Show) -> None:
    assert show(parallelize(nest(4, 3), 2)) == (
        "for i in [0, 4)  [parallel, 2 threads]\n"
        "  for j in [0, 3)  [simd]\n"
        "    out[i*3 + j] = u[i*3 + j]"
    )


def test_one_loop_is_parallel_and_vectorised(nest: Nest, show: Show) -> None:
    assert show(parallelize(nest(9), 3)).startswith("for i in [0, 9)  [parallel, 3 threads, simd]")


def test_a_remainder_is_shared_too(nest: Nest, show: Show) -> None:
    shared = show(parallelize(unroll_and_jam(nest(5, 5000), 0, 2), 2))
    assert shared.count("parallel, 2 threads") == 2


def test_one_thread_and_ordered_loops_change_nothing(nest: Nest) -> None:
    unit = nest(4, 3)
    assert parallelize(unit, 1) is unit
    outer = replace(cast(For, unit.function.body[0]), independent=False)
    ordered = replace(unit, function=replace(unit.function, body=(outer,)))
    assert parallelize(ordered, 2) == ordered
