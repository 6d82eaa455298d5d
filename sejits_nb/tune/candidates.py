"""Variants for a race beside running iterations: built, proven and loaded on a thread of its own.

A compiler is a process, and code on trial runs in one, so the thread mostly waits.  There is one for
the whole process: no more than one compiler at a time beside the iterations.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..errors import SejitsError
from ..results import Measurement
from ..stages import Config
from .prove import Cases
from .report import plain_seconds
from .request import Request, Specialization, cases_of, front, usable
from .runner import Entrant

_builder = ThreadPoolExecutor(1, "sejits_nb-builder")


@dataclass(frozen=True)
class Field:
    """What takes part: a platform for each language, with its comparisons; platforms that cannot, and
    why; the plain Python's seconds for some points."""

    entrants: tuple[tuple[Entrant, Cases | None], ...]
    failed: tuple[Measurement, ...]
    plain: tuple[float, int]


class Background:
    """One piece of work at a time, done beside the caller."""

    def __init__(self) -> None:
        self._job: Future[tuple[float, Any]] | None = None

    @property
    def busy(self) -> bool:
        """Whether there is work whose result has not been taken."""
        return self._job is not None

    def begin(self, work: Callable[[], Any]) -> None:
        """Begin *work*."""
        self._job = _builder.submit(_timed, work)

    def poll(self) -> tuple[float, Any] | None:
        """What the work has taken, in seconds, and its result; ``None`` as long as it goes on."""
        if self._job is None or not self._job.done():
            return None
        job, self._job = self._job, None
        return job.result()

    def cancel(self) -> None:
        """Leave out what has not begun; what has goes on, for a later :meth:`poll`."""
        if self._job is not None and self._job.cancel():
            self._job = None


def soon(work: Callable[[], None]) -> Future[None]:
    """Have *work* done soon, by whoever is first: it must not matter that it is done twice."""
    return _builder.submit(work)


def field_of(request: Request, dast: Any, plain: tuple[float, int]) -> Field:
    """The platforms that can take part; those of one language make the same code.

    The *plain* Python is timed where that is not known.
    """
    there = [p for p in request.platforms if usable(request, p)]
    entrants, failed = list[tuple[Entrant, Cases | None]](), list[Measurement]()
    for platform in reversed({p.language: p for p in reversed(there)}.values()):
        try:
            entrant = Entrant(*front(request, platform))
            entrants.append((entrant, cases_of(request, entrant.prover)))
        except SejitsError as error:
            failed.append(Measurement(Config(), platform.name, "failed", reason=str(error)))
    if not plain[0]:
        spec, source = request.specializer, request.source
        plain = plain_seconds(spec, source, request.lookup, dast, request.values)
    return Field(tuple(entrants), tuple(failed), plain)


def made(
    request: Request, entrant: Entrant, cases: Cases | None, chosen: Config
) -> Specialization | Measurement:
    """A variant built, proven and loaded, or why it is out."""
    prover, name = entrant.prover, entrant.name
    try:
        trace, artifact = prover.build(request.signature, chosen)
        if cases and (reason := prover.verdicts([(chosen, artifact)], cases)[chosen]):
            return Measurement(chosen, name, "wrong", reason=reason)
        executable = prover.pipeline.platform.load(artifact)
    except SejitsError as error:
        return Measurement(chosen, name, "failed", reason=str(error))
    return Specialization(request.signature, trace, artifact, executable, chosen, name)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found
