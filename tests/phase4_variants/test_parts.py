"""Parts: sums of their own for each, a thread for each, and nothing else changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sejits_nb.ir.dtypes import F64, I64
from sejits_nb.ir.node import Span
from sejits_nb.ir.past import (
    Binary,
    Buffer,
    CallC,
    Declare,
    For,
    Literal,
    Load,
    Store,
    Unit,
    Variable,
)
from sejits_nb.phase4_variants.parts import PARTS, divide

Nest = Callable[..., Unit]
Show = Callable[[Unit], str]
HERE = Span(1, 0, 1, 5)


def summed(unit: Unit, independent: bool = True) -> Unit:
    """``partial[part] += u[0]`` in parts."""
    part = Variable("part")
    total = Binary(
        "+", Load("partial", part, dtype=F64), Load("u", Literal(0), dtype=F64), dtype=F64
    )
    put = Store("partial", part, total, loc=HERE)
    body = (
        Declare("parts", I64, CallC("min_i64", (Literal(1), Literal(9))), loc=HERE),
        Buffer("partial", F64, 3, heap=True, by_parts=True, loc=HERE),
        Buffer("other", F64, 3, loc=HERE),
        For("part", Literal(0), PARTS, (put,), independent=independent, loc=HERE),
    )
    return replace(unit, function=replace(unit.function, body=body))


def test_each_part_has_a_thread_and_room_for_its_sums(nest: Nest, show: Show) -> None:
    assert show(divide(summed(nest(4)), 3)) == (
        "parts: i64 = min_i64(3, 9)\n"
        "partial: f64[9]\n"
        "other: f64[3]\n"
        "for part in [0, parts)  [parallel, 3 threads]\n"
        "  partial[part] = partial[part] + u[0]"
    )


def test_one_part_and_units_without_parts_stay(nest: Nest) -> None:
    unit = summed(nest(4))
    assert divide(unit, 1) is unit
    assert divide(nest(4, 5), 8) == nest(4, 5)


def test_a_loop_in_order_gets_no_threads(nest: Nest, show: Show) -> None:
    assert "parallel" not in show(divide(summed(nest(4), independent=False), 2))
