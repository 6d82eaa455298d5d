"""Specializing ahead of a call, in the background: at once, or when that has become worth it.

What stands in for a kernel may be done sooner than a compiler.  As of skis, one buys after paying as
much for renting them: then no sequence of calls takes more than twice what it would have taken had
one known them all.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future

from .. import config
from .candidates import soon

_COMPILER_S = 0.3
"""What a first specialization takes, roughly."""


class Ahead:
    """What a kernel has begun to specialize, or is going to once stand-ins have taken too long."""

    def __init__(self) -> None:
        self._spent_s: dict[Hashable, float] = {}
        self._key: Hashable = None
        self._work: Callable[[], None] | None = None
        self._job: Future[None] | None = None

    def begin(self, key: Hashable, work: Callable[[], None], stand_in_s: float) -> None:
        """Have *work* done, which makes *key*; not now if what stands in for it is expected to take
        *stand_in_s* only, and no more than a compiler together with what it has taken before."""
        if self._job is not None and not self._job.done() and self._key == key:
            return
        self._key, self._work, self._job = key, work, None
        if self._spent_s.get(key, 0.0) + stand_in_s > _COMPILER_S:
            self._start()

    def pending(self, spent_s: float = 0.0) -> bool:
        """Whether a call would have to wait for what has not been done; *spent_s* more has been spent
        on what stands in for it."""
        if config.forked():
            return False
        if self._work is not None:
            total = self._spent_s[self._key] = self._spent_s.get(self._key, 0.0) + spent_s
            if total > _COMPILER_S:
                self._start()
        return self._work is not None or not (self._job is None or self._job.done())

    def rest(self) -> None:
        """The calls are over: what has not been begun is given up, and holds no arrays."""
        self._work = None

    def _start(self) -> None:
        work, self._work = self._work, None
        if work is not None:  # another thread may have come to its end
            self._job = soon(work)
