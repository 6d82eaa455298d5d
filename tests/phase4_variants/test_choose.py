"""Choose: what a knob asks for stays, everything else goes; named numbers get their values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from sejits_nb.ir.check import check_past
from sejits_nb.ir.dtypes import F64
from sejits_nb.ir.node import Span
from sejits_nb.ir.past import (
    Buffer,
    Declare,
    For,
    Literal,
    Routine,
    Store,
    Unit,
    Variable,
    When,
)
from sejits_nb.phase4_variants.choose import choose
from sejits_nb.phase5_backend.dialects import C_OPENMP
from sejits_nb.phase5_backend.print_source import print_source
from sejits_nb.stages import Config

Nest = Callable[..., Unit]
Show = Callable[[Unit], str]
HERE = Span(1, 0, 1, 5)


def put(value: float) -> Store:
    return Store("out", Variable("n"), Literal(value, dtype=F64), loc=HERE)


@pytest.fixture
def ways(nest: Nest) -> Unit:
    """A loop over a block with two ways of filling it, one of them with two kinds."""
    kinds = (
        When("kind", ("plain", "twice"), (put(2.0),), loc=HERE),
        When("kind", ("twice",), (put(3.0),), loc=HERE),
    )
    body = (
        When("way", ("one",), (put(1.0),), loc=HERE),
        When("way", ("two",), kinds, loc=HERE),
    )
    unit = nest(4)
    loop = For("n", Literal(0), Variable("BLOCK"), body, loc=HERE)
    room = Buffer("room", F64, 3, heap=True, times=Variable("BLOCK"), loc=HERE)
    used = Declare("last", F64, Literal(0.0, dtype=F64), loc=HERE)
    function = replace(unit.function, body=(room, used, loop))
    routines = (Routine("always"), Routine("slow", only=("way", ("two",))))
    return replace(unit, function=function, routines=routines, constants=(("BLOCK", 64),))


@pytest.mark.parametrize(
    ("config", "stores"),
    [
        ((("way", "one"), ("kind", "twice")), "out[n] = 1.0"),
        ((("way", "two"), ("kind", "plain")), "out[n] = 2.0"),
        ((("way", "two"), ("kind", "twice")), "out[n] = 2.0\n  out[n] = 3.0"),
    ],
)
def test_one_way_stays(
    ways: Unit, show: Show, config: tuple[tuple[str, str], ...], stores: str
) -> None:
    assert not check_past(ways)
    chosen = choose(ways, Config(config))
    assert not check_past(chosen)
    loop = "for n in [0, BLOCK)\n  "
    assert show(chosen) == f"room: f64[3*BLOCK]\nlast: f64 = 0.0\n{loop}{stores}"


def test_routines_of_other_ways_go(ways: Unit) -> None:
    one = choose(ways, Config((("way", "one"), ("kind", "plain"))))
    assert [r.template for r in one.routines] == ["always"]
    two = choose(ways, Config((("way", "two"), ("kind", "plain"))))
    assert [r.template for r in two.routines] == ["always", "slow"]


def test_a_knob_says_what_a_name_stands_for(ways: Unit) -> None:
    chosen = replace(
        choose(ways, Config((("block", 128), ("kind", "plain"), ("way", "one")))), routines=()
    )
    text = print_source(chosen, C_OPENMP).text
    assert "enum { BLOCK = 128 };" in text
    assert "double *const room = aligned_alloc(64, (24 * BLOCK + 63) / 64 * 64);" in text
    assert "n < BLOCK; n++" in text


def test_a_unit_without_ways_stays(nest: Nest) -> None:
    unit = nest(4)
    assert choose(unit, Config((("threads", 2),))) is unit


def test_what_a_way_declares_is_known_in_it_alone(ways: Unit) -> None:
    declared = Declare("mine", F64, Literal(0.0, dtype=F64), loc=HERE)
    use = Store("out", Literal(0), Variable("mine", dtype=F64), loc=HERE)
    body = (When("way", ("one",), (declared,), loc=HERE), use)
    wrong = replace(ways, function=replace(ways.function, body=body))
    assert check_past(wrong) == ("'mine' is used before it is declared",)
