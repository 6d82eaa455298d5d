"""Who runs the iterations of a training: one variant, or several in turns while a choice is open."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Self

from ..contracts import StandIn
from ..errors import BackendError, Diagnostic
from .online import OnlineRace
from .request import Specialization

Values = Mapping[str, Any]
PLAIN, NUMPY = "plain Python", "NumPy"
_LONGEST_S = 0.03
"""A run in NumPy that takes longer may keep a variant that is ready waiting for too long."""


class Turns:
    """``contracts.Turns`` of one call of a method.

    ``races(values)`` finds the race of a kind of call, ``None`` where the *plain* Python runs, which
    ``say`` says; ``pending(seconds)`` says whether that would have to wait for a compiler, after so
    many more have been spent on what stands in.
    ``variants`` ran the iterations so far, one each; their runs took ``seconds_each``.
    """

    def __init__(
        self,
        races: Callable[[Values], OnlineRace | None],
        plain: Callable[[Values], None],
        pending: Callable[[float], bool] = lambda _: False,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.variants: list[str] = []
        self.seconds_each: list[float] = []
        self._races, self._plain, self._pending, self._say = races, plain, pending, say
        self._enter: Callable[[], None] | None = None
        self._race: OnlineRace | None = None
        self._whose: Specialization | None = None
        self._name, self._spent_s = PLAIN, 0.0

    def prepare(self, values: Values, meanwhile: StandIn | None = None) -> Callable[[], None]:
        """A run on exactly these values by the variant that leads, or by who stands in for it."""
        if self._waits(meanwhile):
            return self._by(meanwhile, values)
        race = self._races(values)
        if race is None:
            self._say(NUMPY if meanwhile else PLAIN)
            return self._by(meanwhile, values)
        whose = race.leader
        self._name = f"{whose.platform} {whose.config}"
        bound = whose.executable.bound(values)
        return lambda: self._clocked(bound)

    def every(self, values: Values, meanwhile: StandIn | None = None) -> Callable[[], None]:
        """The same for values that all iterations run on: variants take turns, and until there are any
        *meanwhile* runs."""
        if not self._waits(meanwhile):
            return self._every(values, meanwhile)
        runs = [self._by(meanwhile, values)]

        def enter() -> None:
            self._enter, runs[0] = None, self._every(values, meanwhile)

        self._enter = enter
        return lambda: runs[0]()

    def _waits(self, meanwhile: StandIn | None) -> bool:
        """Whether there is nothing to run yet but *meanwhile*."""
        return meanwhile is not None and meanwhile.seconds <= _LONGEST_S and self._pending(0.0)

    def _by(self, stand_in: StandIn | None, values: Values) -> Callable[[], None]:
        """A run by who stands in, or by the plain Python."""
        if stand_in is None:
            self._name = PLAIN
            return lambda: self._clocked(lambda: self._plain(values))
        self._name = NUMPY

        def run() -> None:
            before = self._spent_s
            self._clocked(lambda: stand_in(values))
            self._pending(self._spent_s - before)

        return run

    def _every(self, values: Values, meanwhile: StandIn | None) -> Callable[[], None]:
        race = self._joined(values)
        if race is None:
            return self.prepare(values, meanwhile)
        bound: dict[int, Callable[[], None]] = {}

        def run() -> None:
            assert self._whose is not None
            key = id(self._whose)
            if key not in bound:  # who has lost holds no arrays on a device any more
                for other in bound.keys() - {id(race.leader)}:
                    del bound[other]
                bound[key] = self._whose.executable.bound(values)
            self._clocked(bound[key])

        return run

    def parts(self, values: Callable[[], Values]) -> Callable[[Values], None]:
        """A run of any part of an iteration's values, for which ``values()`` stand; one variant runs
        all.  The first iteration is the leader's: only then may be known how many parts there are.

        Raises :class:`BackendError` (B013) where the plain Python would run.
        """
        race = self._races(values())
        if race is None:
            self._say(PLAIN)
            what = "an iteration in parts needs native code"
            why, try_ = "the plain Python runs it as a whole", "all events in one array"
            raise BackendError(Diagnostic("B013", what, why, try_))
        first = race.leader
        self._name = f"{first.platform} {first.config}"

        def enter() -> None:
            self._leave()
            self._enter = None
            self._joined(values())

        def run(part: Values) -> None:
            whose = None if self._enter is enter else self._whose
            self._clocked((whose or first).executable.bound(part))

        self._enter = enter
        return run

    def _joined(self, values: Values) -> OnlineRace | None:
        """The race of calls like these, unless another thread trains."""
        race = self._races(values)
        if race is None or not race.lock.acquire(blocking=False):
            return None
        self._race = race
        race.begin(values)
        return race

    def take(self, attempt: Callable[[], str]) -> str:
        """Have *attempt* run one iteration; why it failed, or nothing.

        It begins from the same state each time, for it is called again where a variant is to blame.
        """
        while True:
            if self._enter and not self._pending(0.0):
                self._enter()
            race, self._spent_s = self._race, 0.0
            self._whose = whose = race.next() if race else None
            try:
                problem, error = attempt(), None
            except BackendError as failure:
                problem, error = str(failure), failure
            if problem and self._enter:
                self._enter()
                continue
            if race is None or whose is None:
                break
            self._name = f"{whose.platform} {whose.config}"
            if not problem:
                race.note(whose, self._spent_s)
                break
            if not race.retry(whose, problem):
                break
        if error is not None:
            raise error
        if not problem:
            self.variants.append(self._name)
            self.seconds_each.append(self._spent_s)
        return problem

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """No more iterations: what was found out is kept."""
        self._leave()

    def _leave(self) -> None:
        race, self._race = self._race, None
        if race is not None:
            try:
                race.end()
            finally:
                race.lock.release()

    def _clocked(self, run: Callable[[], None]) -> None:
        start = time.perf_counter()
        run()
        self._spent_s += time.perf_counter() - start
