"""Threads: the outermost loops share their iterations among OpenMP threads.

for i in [1, 511)     ->     for i in [1, 511)  [parallel, 2 threads]

Nests that follow one another are shared by one team: a thread that has done its part of one goes on
with the next.
"""

from __future__ import annotations

import dataclasses

from ..ir.dast import Statement
from ..ir.node import walk
from ..ir.past import Do, For, Team, Unit
from .loops import loops, replace_outermost, trip_count

_WORTH_THREADS = 4096


def parallelize(unit: Unit, threads: int) -> Unit:
    """*unit* with its nests on *threads* threads; itself for one thread.

    In each nest the outermost independent loop with an iteration for every thread is shared (the core
    of a small call: its outermost loop); thin shells of few points stay on one thread.
    """
    core = loops(unit)[0]

    def change(loop: For) -> tuple[Statement, ...]:
        if loop is core:
            return (dataclasses.replace(loop, parallel=threads) if loop.independent else loop,)
        return (_shared(loop, threads) if _points(loop) >= _WORTH_THREADS else loop,)

    return _teamed(replace_outermost(unit, change), threads) if threads > 1 else unit


def _teamed(unit: Unit, threads: int) -> Unit:
    """Neighboring shared nests, and what is done between them, by one team."""
    body: list[Statement] = []
    team: list[Statement] = []
    for s in (*unit.function.body, None):
        if (isinstance(s, For) and _is_shared(s)) or (team and isinstance(s, Do)):
            team.append(s)
            continue
        body += (Team(threads, tuple(team), loc=team[0].loc),) if len(team) > 1 else team
        team = []
        body += (s,) if s is not None else ()
    function = dataclasses.replace(unit.function, body=tuple(body))
    return dataclasses.replace(unit, function=function)


def _is_shared(nest: For) -> bool:
    return any(isinstance(n, For) and n.parallel for n in walk(nest))


def _shared(loop: For, threads: int) -> For:
    count = trip_count(loop)
    if loop.independent and (
        count is None or count >= threads or not isinstance(loop.body[0], For)
    ):
        return dataclasses.replace(loop, parallel=threads)
    inner = (_shared(s, threads) if isinstance(s, For) else s for s in loop.body)
    return dataclasses.replace(loop, body=tuple(inner))


def _points(loop: For) -> int:
    """Iterations of the nest; a loop of unknown length counts as long."""
    below = next((_points(s) for s in loop.body if isinstance(s, For)), 1)
    count = trip_count(loop)
    return below * (_WORTH_THREADS if count is None else count)
