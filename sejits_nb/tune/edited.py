"""Code that a person has edited: compiled, compared with the plain Python, and only then timed.

It runs in child processes only, one for C and one for OpenCL C: there the edited code, the variant in
use and the serial one are timed in turn, by the rules of every race (``timing.py``).  Nothing is
recorded: what is known of generated variants stays as it was.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from .. import config
from ..contracts import Bench, Platform
from ..errors import BackendError, WrongResult
from ..ir.dast import Line
from ..results import EditedRace, Measurement
from ..stages import ArrayType, Artifact, Case, Config, Expectation, SourceUnit
from .prove import Prover
from .request import Request, Specialization, cases_of, front, prove_one, usable
from .strategies import SuccessiveHalving
from .timing import Contender, ratios_by_round, sweeper, time_in_turn

_LEAST, _MORE = SuccessiveHalving(rounds=5, rungs=1), SuccessiveHalving(rounds=20, rungs=1)
"""Fewer rounds tell nothing on a machine that others use: these may take longer than was asked for."""
_OVERTIME = 4.0
_POLL_S = 0.05
_PATIENCE = 20.0
"""A run may take that many times as long as the best one, where that is more than the usual limit."""
_OWN = "at the call's own shape"
_SPIN_S = 0.02
"""Threads look for more work as long as that, at another child's cost."""
_IN_USE = "the variant in use"
_EDITED, _BEST, _SERIAL = "edited", "best", "serial"


@dataclass(frozen=True)
class Edit:
    """A text, and the variant that it was made from."""

    text: str
    platform: Platform
    config: Config


@dataclass
class _Benched(Contender):
    """A contender in a child process; ``call`` is not called."""

    sampled: Callable[[int], float] = field(kw_only=True)

    def seconds(self, repeats: int) -> float:
        return self.sampled(repeats)


@dataclass
class EditedRunner:
    """One race of *edit* against *best*, the variant in use, and the first choice of *serial*, a
    platform.

    What is wrong with the edited code is said in the race.  *stop* ends it from another thread, with
    the code that is running.
    """

    request: Request
    edit: Edit
    best: Specialization
    serial: Platform | None
    budget_s: float
    stop: threading.Event
    _benches: dict[Any, Bench] = field(default_factory=dict)
    _timing: Bench | None = None

    def run(self) -> EditedRace:
        """Compile, check, time, and check once more: code may be right in its first runs only."""
        edit, prover = self.edit, self._prover
        blank = Measurement(edit.config, edit.platform.name, "failed")
        race = EditedRace(self.request.source.label, edit.platform.language, edit.text, blank)
        lines = tuple(map(Line, edit.text.rstrip("\n").split("\n")))
        unit = replace(self._unit, lines=lines, edited=True)
        exact = prover.exact(self.request.signature)
        with self._watched():
            # what differs by a contraction is right without it
            for exactly in (True,) if exact else (False, True):
                try:
                    artifact = edit.platform.build(unit, exactly)
                except BackendError as error:
                    reason = f"does not compile: {error.diagnostics[0].message}"
                    refused = replace(blank, reason=reason)
                    return replace(race, measurement=refused, errors=error.diagnostics)
                verdict, reason = self._verdict(artifact)
                if verdict != "wrong":
                    break
            race = replace(race, log=artifact.build.log)
            if not reason:
                verdict, reason, race = self._timed(race, artifact)
            judged = replace(race.measurement, verdict=verdict, reason=reason)
            return replace(race, measurement=judged)

    def _verdict(self, artifact: Artifact) -> tuple[str, str]:
        """``correct`` or ``unchecked``; else ``wrong`` or ``failed``, and why."""
        bench = self._bench(self.edit.platform)
        try:
            for case in self._cases:
                if reason := bench.run(artifact, case):
                    if self.stop.is_set():
                        return "failed", "stopped"
                    label = "" if case.label in reason else f" ({case.label})"
                    return "wrong" if bench.finished else "failed", reason + label
        except BackendError as error:  # the variant in use did not get to its end
            return "failed", error.diagnostics[0].message
        return "unchecked" if self.request.check == "off" else "correct", ""

    def _timed(self, race: EditedRace, artifact: Artifact) -> tuple[str, str, EditedRace]:
        """The verdict after all runs, and why; *race* with the times of right code."""
        threads = _threads(self.edit.text)
        contenders = {_EDITED: self._contender(self.edit.platform, artifact, threads)}
        others = {_BEST: self.best} | ({_SERIAL: self._first} if self._first else {})
        for key, one in others.items():
            threads = one.config.get("threads", config.threads())
            contenders[key] = self._contender(self._platform(one.platform), one.artifact, threads)
        sweep = sweeper(sum(array.nbytes for _, array in self._own.arrays()))
        begin = time.perf_counter()
        plan = (_LEAST, begin + _OVERTIME * self.budget_s), (_MORE, begin + self.budget_s)
        try:
            rounds = [
                one for halving, until in plan
                for one in time_in_turn(contenders, halving, until, lambda: None, sweep)
            ]  # fmt: skip
        except BackendError as error:
            reason = error.diagnostics[0].message
            return "failed", reason if self.stop.is_set() else f"{reason} while it was timed", race
        verdict, reason = self._verdict(artifact)
        if reason:
            return verdict, f"{reason}, after other runs", race
        beside = tuple(
            Measurement(one.config, one.platform, "correct", tuple(contenders[key].samples))
            for key, one in others.items()
        )
        timed = replace(race.measurement, times_s=tuple(contenders[_EDITED].samples))
        ratios = tuple(ratios_by_round(rounds, _BEST)[_EDITED])
        return verdict, "", replace(race, measurement=timed, beside=beside, ratios=ratios)

    def _contender(self, platform: Platform, artifact: Artifact, threads: int) -> Contender:
        threads, bench = threads if artifact.parallel else 1, self._bench(platform)

        def sampled(repeats: int) -> float:
            if self._timing is not bench:
                time.sleep(_SPIN_S)
                self._timing = bench
            return bench.sample(artifact, self._own, threads, repeats)

        return _Benched(lambda: None, lambda _: nullcontext(), threads, sampled=sampled)

    @cached_property
    def _prover(self) -> Prover:
        return front(self.request, self.edit.platform)[0]

    @cached_property
    def _unit(self) -> SourceUnit:
        return self._prover.emit(self.request.signature, self.edit.config)[1]

    @cached_property
    def _own(self) -> Case:
        return Case(self.request.signature, self.request.values, (), _OWN)

    @cached_property
    def _cases(self) -> tuple[Case, ...]:
        """Every variant's comparisons, as far as one code serves them.  Shapes are part of most code:
        in place of a small grid, every element of the call's own is compared with the variant in use.
        """
        cases = cases_of(self.request, self._prover)
        if cases is None:
            return (self._own,)
        made, text, emit = cases(), self._unit.text, self._prover.emit
        served = tuple(c for c in made if emit(c.signature, self.edit.config)[1].text == text)
        return served if len(served) == len(made) else (*served, self._whole())

    def _whole(self) -> Case:
        """The call's own arrays; outputs hold other values than before: each must be written."""
        request, values = self.request, dict(self.request.values)
        outputs = [
            name for name in request.specializer.interface(request.source).outputs
            if isinstance(request.signature[name], ArrayType)
        ]  # fmt: skip
        for name in outputs:
            values[name] = np.roll(values[name], 1)
        case = Case(request.signature, values, (), _OWN, _IN_USE)
        found = self._bench(self._platform(self.best.platform)).outputs(self.best.artifact, case)
        exact = self._prover.exact(request.signature)
        single = any(array.dtype == np.float32 for _, array in case.arrays())
        expected = []
        for name in outputs:
            value = found[name]
            rounds = value.dtype.kind == "f" and not exact
            share = (1e-4 if single else 1e-10) * rounds
            with np.errstate(all="ignore"):
                scale = np.nanmax(np.abs(value[np.isfinite(value)]), initial=0.0)
                tolerance = share * (np.abs(value) + scale)
            expected.append(Expectation(name, ..., value, tolerance))
        return replace(case, expectations=tuple(expected))

    @cached_property
    def _first(self) -> Specialization | None:
        """The serial platform's first choice, if that is not in use."""
        if self.serial is None or not usable(self.request, self.serial):
            return None
        with suppress(BackendError, WrongResult):
            prover, space = front(self.request, self.serial)
            cases = cases_of(self.request, prover)
            found = prove_one(self.request, prover, space.default, cases)
            return found if found.artifact.key != self.best.artifact.key else None
        return None

    def _platform(self, name: str) -> Platform:
        return next(p for p in self.request.platforms if p.name == name)

    def _bench(self, platform: Platform) -> Bench:
        """The child process of *platform*; those with the same code share one."""
        assert platform.bench
        if platform.bench not in self._benches:
            report = self.best.report
            best_s = report.best.median_s if report and report.best and report.best.times_s else 0.0
            limit_s = max(config.EDIT_TIMEOUT_S, _PATIENCE * best_s)
            self._benches[platform.bench] = platform.bench(limit_s)
        return self._benches[platform.bench]

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Children are ended when *stop* is set, and in the end."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(_POLL_S):
                for bench in [*self._benches.values()] if self.stop.is_set() else ():
                    bench.stop()

        watcher = threading.Thread(target=watch, name="sejits race", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()
            for bench in self._benches.values():
                bench.close()


def _threads(text: str) -> int:
    """As many as the text asks for; all of them where it leaves that open."""
    asked = [int(n) for n in re.findall(r"\bnum_threads\((\d+)\)", text)]
    return max(asked, default=config.threads())
