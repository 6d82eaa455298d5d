"""OpenMP's threads on CPUs of their own while something is timed, and back where they were.

A team keeps its threads between two calls of the same size, so a parallel region before the timing
reaches the very threads that will run it.  Threads that a smaller team lets go, or a larger one needs,
are made and ended outside: a new thread inherits the affinity of the one that starts it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from .. import config
from ..errors import BackendError
from ..ir.dast import Line
from ..ir.dtypes import I64
from ..ir.past import Param
from ..stages import Artifact, SourceUnit
from .bind_cffi import load
from .compile_c import compile_source

_BOUND_BY_THE_USER = ("OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY")
_TEAM = Param("threads", I64, pointer=False)
_CPUS = Param("cpus", I64, pointer=True)
_TOPOLOGY = Path("/sys/devices/system/cpu")
_one_at_a_time = threading.RLock()


def held(threads: int) -> AbstractContextManager[None]:
    """A context in which the caller and its team of *threads* stay where they are put.

    Nothing is moved where the user binds threads, where there are fewer CPUs than threads, and where
    the system or the compiler cannot do it.
    """
    cpus = cpus_for(threads)
    if threads == 1 and cpus:
        return _caller_on(cpus[0])
    calls = _calls() if cpus else None
    return _team_on(cpus, *calls) if calls else nullcontext()


def cpus_for(threads: int) -> tuple[int, ...]:
    """Where a team of *threads* is put, the caller first; empty where nothing is moved."""
    if not hasattr(os, "sched_getaffinity"):
        return ()
    cpus = _by_core(frozenset(os.sched_getaffinity(0)))
    if threads > len(cpus) or config.forked() or any(map(os.environ.get, _BOUND_BY_THE_USER)):
        return ()
    return cpus[:threads]


def holder() -> Artifact | None:
    """``hold`` and ``release`` of ``kernels/openmp/hold.c``; ``None`` where it cannot be built."""
    text = (files("sejits_nb.kernels") / "openmp" / "hold.c").read_text(encoding="utf-8")
    unit = SourceUnit("c", "hold", (_TEAM, _CPUS), tuple(map(Line, text.splitlines())))
    try:
        return compile_source(unit, False)
    except BackendError:
        return None


@contextmanager
def _caller_on(cpu: int) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _team_on(cpus: tuple[int, ...], hold: Any, release: Any) -> Iterator[None]:
    with _one_at_a_time:
        hold(len(cpus), np.array(cpus, np.int64))
        try:
            yield
        finally:
            release(len(cpus))


@lru_cache
def _by_core(cpus: frozenset[int]) -> tuple[int, ...]:
    """*cpus*, one of each core before the second of any."""
    ranks = []
    for cpu in sorted(cpus):
        first = cpu
        with suppress(OSError, ValueError):
            place = _TOPOLOGY / f"cpu{cpu}" / "topology" / "thread_siblings_list"
            text = place.read_text(encoding="ascii").strip()
            first = int(text.replace("-", ",").split(",")[0])
        ranks.append((cpu != first, cpu))
    return tuple(cpu for _, cpu in sorted(ranks))


@lru_cache(maxsize=1)
def _calls() -> tuple[Any, Any] | None:
    """``hold`` and ``release``, loaded here."""
    built = holder()
    try:
        release = built and replace(built, entry="release", params=(_TEAM,))
        return (load(built).call_arrays, load(release).call_arrays) if built and release else None
    except BackendError:
        return None
