"""Which configurations to try next, and how often to time those that are left: pure, no clock.

A search looks at the scores so far (seconds, infinite for what failed) and names the next batch; it
keeps nothing between two calls, so a race that was interrupted goes on from its records.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, combinations, islice
from math import ceil, inf, prod
from typing import Protocol, TypeVar

from ..contracts import VariantSpace
from ..phase4_variants.space import configurations
from ..stages import Config, Value

Scores = Mapping[Config, float]
Item = tuple[str, Value | None]
_Key = TypeVar("_Key")


class Search(Protocol):
    """``batch`` names at most *room* configurations to try next, none when it has finished."""

    def batch(self, space: VariantSpace, scores: Scores, room: int) -> tuple[Config, ...]: ...


@dataclass(frozen=True, slots=True)
class Exhaustive:
    """Every configuration, the default first."""

    def batch(self, space: VariantSpace, scores: Scores, room: int) -> tuple[Config, ...]:
        return tuple(islice((c for c in configurations(space) if c not in scores), room))


@dataclass(frozen=True, slots=True)
class RandomOrder:
    """The default, then configurations drawn without repetition: the same ones for the same seed."""

    seed: int = 1

    def batch(self, space: VariantSpace, scores: Scores, room: int) -> tuple[Config, ...]:
        return _next(space, scores, room, self._drawn(space))

    def _drawn(self, space: VariantSpace) -> Iterator[Config]:
        sizes = [len(k.values) for k in space.knobs]
        for number in _shuffled(prod(sizes), random.Random(self.seed)):
            items = []
            for knob, size in zip(space.knobs, sizes, strict=True):
                number, place = divmod(number, size)
                items.append((knob.name, knob.values[place]))
            yield Config(tuple(items))


@dataclass(frozen=True, slots=True)
class Neighborhood:
    """From the default uphill: what differs from the best in one knob, nearest values first, and the
    best ones crossed; it has finished when no neighbor of the best is left.

    A value is not tried again once it made a pair that differs in nothing else slower by the factor
    ``hopeless``.
    """

    hopeless: float = 1.4
    parents: int = 4

    def batch(self, space: VariantSpace, scores: Scores, room: int) -> tuple[Config, ...]:
        ranking = sorted((c for c in scores if scores[c] < inf), key=lambda c: scores[c])
        best = ranking[0] if ranking else space.default
        bad = _hopeless(scores, self.hopeless)
        neighbors = (c for c, change in _neighbors(space, best) if change not in bad)
        parents = _crossed(space.default, ranking[: self.parents])
        crossed = (c for c in parents if not bad.intersection(c.items))
        return _next(space, scores, room, chain(crossed, neighbors))


@dataclass(frozen=True, slots=True)
class InTurn:
    """One search, and when it has finished the next."""

    searches: tuple[Search, ...]

    def batch(self, space: VariantSpace, scores: Scores, room: int) -> tuple[Config, ...]:
        found = (search.batch(space, scores, room) for search in self.searches)
        return next(filter(None, found), ())


@dataclass(frozen=True, slots=True)
class SuccessiveHalving:
    """How often to time contenders: ``rounds`` each, then the faster half as often again in all, and so
    on, ``rungs`` times.  Whoever is ``hopeless`` times as slow as the leader leaves at once.
    """

    rounds: int = 2
    rungs: int = 2
    hopeless: float = 2.0

    def survivors(self, medians: Mapping[_Key, float], rung: int) -> list[_Key]:
        """Who goes on after *rung* (0 is the first), the fastest first."""
        ranking = sorted(medians, key=lambda key: medians[key])
        left = ranking[: ceil(len(ranking) / 2)] if rung + 1 < self.rungs else []
        return [key for key in left if medians[key] <= self.hopeless * medians[ranking[0]]]

    def rounds_of(self, rung: int) -> int:
        """Further rounds in *rung*: what a contender has had before, over again."""
        return self.rounds << max(0, rung - 1)


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to search: with what, how many variants at most, and the seconds of all of it."""

    search: Search
    most: int
    batch: int = 6
    finalists: int = 5
    coarse: SuccessiveHalving = SuccessiveHalving(rounds=3, rungs=2)
    final: SuccessiveHalving = SuccessiveHalving(rounds=4, rungs=3)


EFFORTS = {
    "quick": Effort(Neighborhood(), most=24),
    "full": Effort(InTurn((Neighborhood(), RandomOrder())), most=200, batch=12, finalists=12),
}


def restricted(space: VariantSpace, values: Mapping[str, Value]) -> VariantSpace:
    """*space* with some knobs fixed."""
    knobs = tuple(
        replace(k, values=(values[k.name],), default=values[k.name]) if k.name in values else k
        for k in space.knobs
    )
    return replace(space, knobs=knobs)


def starting_at(space: VariantSpace, values: Mapping[str, Value]) -> VariantSpace:
    """*space* with other defaults, as far as its knobs can take them."""
    knobs = tuple(
        replace(k, default=values[k.name]) if values.get(k.name) in k.values else k
        for k in space.knobs
    )
    return replace(space, knobs=knobs)


def size_of(space: VariantSpace) -> int:
    """Combinations of the knobs' values, allowed or not."""
    return prod(len(k.values) for k in space.knobs)


def _next(
    space: VariantSpace, scores: Scores, room: int, wanted: Iterable[Config]
) -> tuple[Config, ...]:
    """The first *room* new and allowed ones of the default and what is *wanted*."""
    found: dict[Config, None] = {}
    for config in chain((space.default,), wanted):
        if len(found) == room:
            break
        if config not in scores and config not in found and space.allowed(config):
            found[config] = None
    return tuple(found)


def _neighbors(space: VariantSpace, centre: Config) -> Iterator[tuple[Config, Item]]:
    """Configurations that differ from *centre* in one knob, and that knob's value."""
    values = dict(centre.items)
    for knob in space.knobs:
        places = {value: place for place, value in enumerate(knob.values)}
        here = places.get(values[knob.name], 0)
        for value, _ in sorted(places.items(), key=lambda item, h=here: abs(item[1] - h)):  # type: ignore[misc]
            if value != values[knob.name]:
                changed = _mended(space, values | {knob.name: value}, knob.name)
                yield Config(tuple(changed.items())), (knob.name, value)


def _mended(space: VariantSpace, values: dict[str, Value], keep: str) -> dict[str, Value]:
    """*values*, with another knob than *keep* changed as well where they break a constraint."""
    constraints = [c for knob in space.knobs for c in knob.constraints]
    changes = ((k.name, v) for k in space.knobs if k.name != keep for v in k.values)
    tries = chain((values,), ({**values, name: v} for name, v in changes))
    return next((t for t in tries if all(c.holds(t) for c in constraints)), values)


def _crossed(start: Config, parents: list[Config]) -> tuple[Config, ...]:
    """What two good ones changed of *start*, together; the better one wins where they disagree."""
    origin = start.items
    return tuple(
        Config(tuple(a if a != o else b for o, a, b in zip(origin, x.items, y.items, strict=True)))
        for x, y in combinations(parents, 2)
    )


def _hopeless(scores: Scores, factor: float) -> set[Item]:
    """Values that are slower by *factor* than another one of their knob, all else being equal."""
    alike: dict[tuple[Item, ...], list[tuple[float, Item]]] = {}
    for config, score in scores.items():
        for item in config.items:
            rest = tuple((name, None) if name == item[0] else (name, v) for name, v in config.items)
            alike.setdefault(rest, []).append((score, item))
    found = set()
    for group in alike.values():
        least = min(score for score, _ in group)
        found |= {item for score, item in group if score >= factor * least and least < inf}
    return found


def _shuffled(count: int, generator: random.Random) -> Iterator[int]:
    """0 to *count* in random order, without a list of a large *count*."""
    moved: dict[int, int] = {}
    for first in range(count):
        other = generator.randrange(first, count)
        yield moved.get(other, other)
        moved[other] = moved.pop(first, first)
