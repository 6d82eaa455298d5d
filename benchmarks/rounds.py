"""Timing side by side: in each round STREAM's copy first, then every contender.

So a slow spell of the machine meets all of them, and a contender's share of STREAM is that of its own
round.  Quoted are medians over the rounds.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

ROUNDS = 9
LEAST_ROUNDS = 3
ALLOWANCE_S = 1.2
"""A contender that has taken this long leaves, after :data:`LEAST_ROUNDS` rounds."""
_SHORT_S = 0.05


@dataclass(frozen=True)
class Rounds:
    """``stream_s``: seconds of the copy, one a round; ``samples_s``: of each contender in its rounds,
    the first ones.
    """

    stream_s: tuple[float, ...]
    samples_s: Mapping[str, tuple[float, ...]]

    def median_s(self, name: str) -> float:
        return statistics.median(self.samples_s[name])

    def share_of_stream(self, name: str, moved_bytes: int, copied_bytes: int) -> float:
        """Bandwidth over that of the copy in the same round, for a sweep that moves *moved_bytes*."""
        return statistics.median(
            moved_bytes / own / (copied_bytes / copy)
            for own, copy in zip(self.samples_s[name], self.stream_s, strict=False)
        )

    def times(self, name: str, other: str) -> float:
        """How many times as long *other* takes as *name*, round by round."""
        pairs = zip(self.samples_s[name], self.samples_s[other], strict=False)
        return statistics.median(theirs / own for own, theirs in pairs)


def in_turn(
    stream: Callable[[], object],
    contenders: Mapping[str, Callable[[], object]],
    rounds: int = ROUNDS,
) -> Rounds:
    """Time *contenders*, which have all run before, beside *stream*."""
    stream_s: list[float] = []
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    with _on_first_cpu():
        for number in range(rounds):
            stream_s.append(_sample(stream))
            for name, run in contenders.items():
                if number < LEAST_ROUNDS or sum(samples[name]) < ALLOWANCE_S:
                    samples[name].append(_sample(run))
    return Rounds(tuple(stream_s), {name: tuple(taken) for name, taken in samples.items()})


def _sample(run: Callable[[], object]) -> float:
    """Seconds of one run; the better of two after an untimed one where that is short."""
    first = _timed(run)
    return first if first > _SHORT_S else min(_timed(run), _timed(run))


def _timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


@contextmanager
def _on_first_cpu() -> Iterator[None]:
    """The calling thread where OpenMP's binding puts the first of a team."""
    if not hasattr(os, "sched_getaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
