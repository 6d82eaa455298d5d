"""The timing protocol: warm-up, then rounds in which every contender runs once.

A slow spell of the machine meets all contenders of a round, so two of them are compared by the median
of their ratios, round by round.  Short runs are repeated inside a sample until it is long enough for
the clock.  Threads stay on CPUs of their own during a sample.  Caches are left as the runs leave them,
or swept before each (``SEJITS_FLUSH``); :func:`cache_state` says what that means for a working set.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from math import ceil
from typing import Any, TypeVar

import numpy as np

from .. import config
from ..machine.caches import assumed, data_caches
from .strategies import SuccessiveHalving

_SAMPLE_S = 1e-3
_LONG_S = 0.02
_PAGE = 4096
_Key = TypeVar("_Key", bound=Hashable)
Rounds = list[list[tuple[_Key, float]]]
"""The samples of each round, with whose they are."""
Call = Callable[[], None]
Hold = Callable[[int], AbstractContextManager[None]]


@dataclass
class Contender:
    """A loaded variant on its arrays; ``samples`` are seconds of one run each.

    ``hold`` keeps its ``threads`` in place.
    """

    call: Call
    hold: Hold
    threads: int = 1
    samples: list[float] = field(default_factory=list)
    repeats: int = 0

    def warm_up(self) -> None:
        """Run until nothing is done for the first time; choose how often a sample runs."""
        once = self.seconds(1)
        if once < _LONG_S:
            once = self.seconds(1)
        self.repeats = max(1, ceil(_SAMPLE_S / max(once, 1e-9)))

    def sample(self, sweep: Call | None) -> float:
        """Seconds of one run."""
        if sweep is None:
            return self.seconds(self.repeats)
        sweep()
        return self.seconds(1)

    def seconds(self, repeats: int) -> float:
        """Those of one run, the mean of *repeats*."""
        return _timed(self.call, repeats)


def time_in_turn(
    contenders: Mapping[_Key, Contender],
    halving: SuccessiveHalving,
    stop: float,
    tell: Call,
    sweep: Call | None = None,
) -> Rounds[_Key]:
    """The rounds, each with the samples of those that took part; also added to their samples.

    Rungs follow *halving* until *stop* on the performance counter, which ends them after a round;
    ``tell`` is called after each round.
    """
    for one in contenders.values():
        if not one.repeats:
            one.warm_up()
    left, rounds = list(contenders), Rounds[_Key]()
    for rung in range(halving.rungs):
        for _ in range(halving.rounds_of(rung)):
            order = left if len(rounds) % 2 else left[::-1]  # who follows whom is not to matter
            rounds.append(_round({key: contenders[key] for key in order}, sweep))
            tell()
            if time.perf_counter() > stop:
                return rounds
        medians = {key: median([s for r in rounds for k, s in r if k == key]) for key in left}
        left = halving.survivors(medians, rung)
        if len(left) < 2:
            break
    return rounds


def paired_ratios(rounds: Rounds[_Key], to: _Key) -> dict[_Key, float]:
    """Median over the rounds of each one's time by that of *to* in the same round."""
    return {key: median(values) for key, values in ratios_by_round(rounds, to).items()}


def ratios_by_round(rounds: Rounds[_Key], to: _Key) -> dict[_Key, list[float]]:
    """Each one's time by that of *to* in the same round."""
    ratios: dict[_Key, list[float]] = {}
    for one in map(dict, rounds):
        for key, seconds in one.items() if to in one else ():
            ratios.setdefault(key, []).append(seconds / one[to])
    return ratios


def median(values: list[float]) -> float:
    """The middle one, or the mean of the two in the middle."""
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def time_plain(run: Call, budget_s: float = 0.15) -> float:
    """Median seconds of the plain Python's *run*: at least three, more while the budget lasts."""
    stop = time.perf_counter() + budget_s
    samples: list[float] = []
    while len(samples) < 3 or (time.perf_counter() < stop and len(samples) < 9):
        samples.append(_timed(run, 1))
    return median(samples)


def cache_state(working_set_bytes: int) -> str:
    """``exceed`` the last-level cache; else ``warm``, or ``flushed`` before each run."""
    if working_set_bytes > last_level_bytes():
        return "exceed"
    return "flushed" if config.flush() else "warm"


def sweeper(working_set_bytes: int) -> Call | None:
    """What empties the caches of this working set before a run, if that was asked for."""
    if cache_state(working_set_bytes) != "flushed":
        return None
    other = np.ones(2 * last_level_bytes() // 8)
    return partial(_touch, other)


def last_level_bytes() -> int:
    """Size of the last-level cache."""
    return max(cache.size_bytes * cache.count for cache in data_caches() or assumed(1))


def scratch_like(array: Any) -> Any:
    """A copy of *array* with its strides, which the code has hard-coded, at the same place in its page:
    the distance of grids within a page matters."""
    low, high = np.lib.array_utils.byte_bounds(array)
    raw = np.empty(high - low + _PAGE, np.uint8)
    start = (low - raw.ctypes.data) % _PAGE + array.ctypes.data - low
    copy = np.ndarray(array.shape, array.dtype, raw, start, array.strides)
    copy[...] = array
    return copy


def _touch(array: Any) -> None:
    np.add(array, 1.0, out=array)


def _round(contenders: Mapping[_Key, Contender], sweep: Call | None) -> list[tuple[_Key, float]]:
    """One sample of each; those with as many threads follow one another, so that a team lasts."""

    def team(item: tuple[_Key, Contender]) -> tuple[int, int]:
        return id(item[1].hold), item[1].threads

    samples = []
    for _, group in groupby(sorted(contenders.items(), key=team), key=team):
        members = list(group)
        with members[0][1].hold(members[0][1].threads):
            for key, one in members:
                seconds = one.sample(sweep)
                one.samples.append(seconds)
                samples.append((key, seconds))
    return samples


def _timed(call: Call, repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats
