"""Searches are pure: what comes next depends on the scores alone, and good values are found soon."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, prod
from typing import Any

import pytest

from sejits_nb.contracts import Constraint, Knob, VariantSpace
from sejits_nb.stages import Config, Variant
from sejits_nb.tune.strategies import (
    EFFORTS,
    Exhaustive,
    InTurn,
    Neighborhood,
    RandomOrder,
    Search,
    SuccessiveHalving,
    restricted,
    size_of,
    starting_at,
)

Time = Callable[[dict[str, Any]], Any]


def space_of(*knobs: Knob) -> VariantSpace:
    """A space without code: only constraints forbid a configuration."""
    constraints = [c for k in knobs for c in k.constraints]

    def why_not(config: Config) -> str:
        return next((c.why for c in constraints if not c.holds(dict(config.items))), "")

    def build(config: Config) -> Variant:
        raise AssertionError("a search builds nothing")

    return VariantSpace(knobs, why_not, build)


NEEDS_LINES = Constraint(lambda v: not v["prefetch"] or v["stream"] == 1, "prefetch needs stream=1")
LARGE = space_of(
    Knob("threads", (1, 2, 4), 4, ""),
    Knob("unroll", (1, 2, 4, 8), 2, ""),
    Knob("tile", (0, 16, 32, 64), 32, ""),
    Knob("stream", (0, 1), 1, ""),
    Knob("prefetch", (0, 1, 256), 1, "", (NEEDS_LINES,)),
    Knob("pad", (0, 64), 0, ""),
)


def explore(
    search: Search, space: VariantSpace, time: Time, room: int, most: int
) -> dict[Config, float]:
    """What is tried, in order, with its score."""
    scores: dict[Config, float] = {}
    while len(scores) < most and (batch := search.batch(space, scores, room)):
        assert len(batch) <= room
        assert not {*batch} & scores.keys()
        assert all(space.allowed(c) for c in batch)
        scores |= {c: time(dict(c.items)) for c in batch}
    return scores


def flat(values: dict[str, Any]) -> float:
    return 1.0


def test_exhaustive_tries_everything_once_the_default_first() -> None:
    found = list(explore(Exhaustive(), LARGE, flat, 7, 1000))
    assert found[0] == LARGE.default
    assert len(found) == 3 * 4 * 4 * 2 * (1 + 3)


def test_random_order_is_the_same_for_the_same_seed() -> None:
    one, same, other = (
        list(explore(RandomOrder(seed), LARGE, flat, 5, 30)) for seed in (1, 1, 2)
    )  # fmt: skip
    assert one == same
    assert one[0] == other[0] == LARGE.default
    assert {*one} != {*other}
    assert len({*explore(RandomOrder(), LARGE, flat, 50, 10**6)}) == 384


def test_random_order_is_lazy() -> None:
    huge = space_of(*(Knob(f"k{n}", tuple(range(100)), 0, "") for n in range(9)))
    assert len(RandomOrder().batch(huge, {}, 5)) == 5


@pytest.mark.parametrize("room", [1, 3, 8])
def test_a_search_goes_on_from_scores_alone(room: int) -> None:
    """An interrupted race resumes: the same scores give the same next batch."""

    def time(v: dict[str, Any]) -> Any:
        return 1.0 + abs(v["unroll"] - 4) + abs(v["tile"] - 16) / 16 + v["pad"]

    for search in (Exhaustive(), RandomOrder(), Neighborhood()):
        whole = explore(search, LARGE, time, room, 24)
        part = dict(list(whole.items())[: 2 * room])
        following = search.batch(LARGE, part, room)
        assert following == tuple(whole)[2 * room :][: len(following)] != ()


def test_the_neighborhood_finds_the_best_of_a_few_hundred_with_two_dozen_tries() -> None:
    """Knobs that work together: tiles gain only with prefetch, padding only with small tiles."""

    def time(v: dict[str, Any]) -> Any:
        tiled = {0: 1.0, 16: 0.8, 32: 0.85, 64: 0.95}[v["tile"]] if v["prefetch"] else 1.1
        padded = 0.95 if v["pad"] and v["tile"] == 16 else 1.0
        ahead = {0: 1.3, 1: 1.0, 256: 0.97}[v["prefetch"]]
        return (
            tiled * padded * ahead * {1: 1.2, 2: 1.05, 4: 1.0, 8: 1.4}[v["unroll"]] / v["threads"]
        )

    assert size_of(LARGE) > 384
    tried = explore(Neighborhood(), LARGE, time, 6, EFFORTS["quick"].most)
    exact = explore(Exhaustive(), LARGE, time, 50, 1000)
    assert min(tried.values()) == min(exact.values())


def test_a_neighbor_that_breaks_a_constraint_is_mended() -> None:
    """stream=0 forbids the default's prefetch=1: both change together."""
    first = explore(Neighborhood(), LARGE, flat, 1, 40)
    assert any(not c["stream"] and not c["prefetch"] for c in first)


def test_values_that_proved_hopeless_are_left_alone() -> None:
    def time(v: dict[str, Any]) -> Any:
        return (3.0 if v["threads"] < 4 else 1.0) - 0.01 * v["unroll"]

    tried = explore(Neighborhood(), LARGE, time, 1, 100)
    assert sum(c["threads"] == 1 for c in tried) == sum(c["threads"] == 2 for c in tried) == 1


def test_failures_are_no_parents() -> None:
    def time(v: dict[str, Any]) -> Any:
        return inf if v["unroll"] == 2 else 1.0 / v["unroll"]

    tried = explore(Neighborhood(), LARGE, time, 4, 40)
    assert min(tried.values()) == 1 / 8
    assert explore(Neighborhood(), LARGE, lambda v: inf, 4, 1000).keys() >= {LARGE.default}


def test_in_turn_a_search_follows_when_the_first_has_finished() -> None:
    def time(v: dict[str, Any]) -> Any:
        return 10.0 - sum(v.values()) / 100

    alone = explore(Neighborhood(), LARGE, time, 4, 1000)
    both = explore(InTurn((Neighborhood(), RandomOrder())), LARGE, time, 4, 1000)
    assert list(both)[: len(alone)] == list(alone)
    assert len(both) == 384 > len(alone)


def test_pins_and_other_starts() -> None:
    pinned = restricted(LARGE, {"tile": 48, "threads": 1})
    found = explore(Exhaustive(), pinned, flat, 100, 1000)
    assert {(c["tile"], c["threads"]) for c in found} == {(48, 1)}
    moved = starting_at(LARGE, {"unroll": 8, "tile": 5, "unknown": 3}).default
    assert (moved["unroll"], moved["tile"]) == (8, 32)


def test_halving_keeps_the_faster_half_and_doubles_the_rounds() -> None:
    halving = SuccessiveHalving(rounds=2, rungs=3, hopeless=2.0)
    times = {name: 1.0 + n / 10 for n, name in enumerate("abcdefgh")}
    assert halving.survivors(times, 0) == list("abcd")
    assert halving.survivors({k: times[k] for k in "abcd"}, 1) == list("ab")
    assert halving.survivors({"a": 1.0, "b": 1.1}, 2) == []
    assert [halving.rounds_of(rung) for rung in range(3)] == [2, 2, 4]
    assert halving.survivors({"a": 1.0, "b": 2.5, "c": 9.0}, 0) == ["a"]


def test_constraints_say_why() -> None:
    values = dict(LARGE.default.items) | {"stream": 0}
    assert LARGE.why_not(Config(tuple(values.items()))) == "prefetch needs stream=1"
    assert LARGE.why_not(LARGE.default) == ""
    assert prod(len(k.values) for k in LARGE.knobs) == size_of(LARGE)
