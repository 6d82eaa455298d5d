"""The race: batches are built side by side, proven, and timed in turn with the best one so far.

Platforms race together.  One whose best is half as slow again as the leader gets no further batch, and
variants with the same code (one thread of ``openmp`` is ``c``) are timed once.  In the end the few that
are left are timed once more, all in the same rounds, and the fastest of them is the choice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf
from typing import Any

from ..contracts import VariantSpace
from ..errors import BackendError
from ..results import Measurement, RaceStopped
from ..stages import ArrayType, Artifact, Config, Signature
from .prove import Cases, Prover
from .records import USABLE
from .strategies import Effort, SuccessiveHalving, size_of
from .timing import (
    Call,
    Contender,
    Rounds,
    median,
    paired_ratios,
    scratch_like,
    sweeper,
    time_in_turn,
)

Key = tuple[str, Config]
"""A variant of a race: its platform's name and its configuration."""
_HOPELESS = 1.5
_CLOSE = 2.0
_SEARCH_SHARE = 0.8
_LEAST_SAMPLES = 3
_GRACE_S = 0.5
_FIRST = 2
"""Variants of the first batch on a single platform: then the pace is known."""


@dataclass
class Entrant:
    """A platform in a race: what builds and proves its variants, and what they are."""

    prover: Prover
    space: VariantSpace

    @property
    def name(self) -> str:
        return self.prover.pipeline.platform.name


@dataclass(frozen=True, slots=True)
class Outcome:
    """``complete``: there was nothing more to try, or as much as the effort allows has been tried."""

    measurements: tuple[Measurement, ...]
    best: Measurement | None
    complete: bool


@dataclass
class Runner:
    """One race; *values* are only read.  ``cases`` is ``None`` when checking is off.

    ``decided`` begins with what an earlier part of the race has found.  ``keep`` is given every batch's
    measurements, ``tell`` the name of what is done next.
    """

    entrants: Sequence[Entrant]
    signature: Signature
    values: Mapping[str, Any]
    cases: Cases | None
    effort: Effort
    budget_s: float
    decided: dict[Key, Measurement] = field(default_factory=dict)
    keep: Callable[[Sequence[Measurement]], None] = lambda new: None
    tell: Callable[[str], None] = lambda phase: None
    _scores: dict[Key, float] = field(default_factory=dict)
    _racing: dict[Key, Contender] = field(default_factory=dict)
    _codes: dict[str, Key] = field(default_factory=dict)
    _same: dict[Key, Key] = field(default_factory=dict)
    _batch: list[Key] = field(default_factory=list)
    _tried: list[Key] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tried = list(self.decided)
        self._scores = {
            key: m.median_s if m.verdict in USABLE else inf for key, m in self.decided.items()
        }

    def run(self) -> Outcome:
        """Race.  The first interrupt, or a listener's stop, ends it and keeps the best so far."""
        begin, complete, choice = time.perf_counter(), False, None
        try:
            complete = self._search(begin + _SEARCH_SHARE * self.budget_s)
            choice = self._final(begin + self.budget_s)
        except (KeyboardInterrupt, RaceStopped):
            self._decide(self._batch, {})
            if self._leader is None:
                raise
            complete = False
        finally:
            for entrant in self.entrants:
                entrant.prover.settle()
        choice = choice or self._leader
        best = self.decided[choice] if choice else None
        return Outcome(self.measurements, best, complete)

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """Every variant that is known by now, with its samples, in the order of trying them."""
        found = {key: self._measurement(key) for key in self._batch} | self.decided
        order = dict.fromkeys((*self._tried, *found))
        return tuple(found[key] for key in order if key in found)

    @property
    def total(self) -> int:
        """How many variants are tried at most."""
        return min(self.effort.most, sum(size_of(entrant.space) for entrant in self.entrants))

    @property
    def leader(self) -> str:
        """The platform that leads; all of them before the first timing."""
        return self._leader[0] if self._leader else ", ".join(e.name for e in self.entrants)

    @property
    def _leader(self) -> Key | None:
        usable = [key for key in self.decided if self._scores[key] < inf]
        return min(usable, key=lambda key: self._scores[key], default=None)

    def _search(self, stop: float) -> bool:
        """Batch after batch; whether the search came to its end."""
        room = _FIRST
        while batch := self._next(room):
            if room < 1:
                return False
            begin, known = time.perf_counter(), len(self._scores)
            self._try(batch, stop)
            now = time.perf_counter()
            pace_s = (now - begin) / max(1, len(self._scores) - known)
            room = min(self.effort.batch, int((stop - now) / pace_s))
        return True

    def _next(self, room: int) -> list[Key]:
        """What to try next, about *room* variants, at least one if there are any: a share for each
        platform that is not hopeless."""
        room = min(max(1, room), self.effort.most - len(self.decided))
        best = self._scores[self._leader] if self._leader else inf
        found: list[Key] = []
        for entrant in self.entrants:
            scores = {c: s for (name, c), s in self._scores.items() if name == entrant.name}
            if scores and min(scores.values()) > _HOPELESS * best:
                continue
            alone = len(self.entrants) == 1 or (self._leader and self._leader[0] == entrant.name)
            batch = self.effort.search.batch(entrant.space, scores, room if alone else 1)
            found += [(entrant.name, config) for config in batch]
        return found if room > 0 else []

    def _try(self, batch: list[Key], stop: float) -> None:
        """Build, prove and time a batch beside the leader."""
        leader = self._leader
        self._tried += batch
        if leader and leader not in self._racing:  # of an earlier part of the race
            self._enter([leader])
        self._enter(batch)
        self._batch = [key for key in batch if key not in self.decided and key in self._racing]
        if not self._batch:
            return
        beside = [leader] if leader and leader in self._racing else []
        contenders = {key: self._racing[key] for key in (*beside, *self._batch)}
        rounds = self._time(contenders, self.effort.coarse, stop)
        ratios = paired_ratios(rounds, beside[0]) if beside else {}
        self._decide(self._batch, {k: r * self._scores[beside[0]] for k, r in ratios.items()})

    def _final(self, stop: float) -> Key | None:
        """The fastest of the few that are close to the leader, by all of them in the same rounds:
        scores of different batches are too rough to choose by."""
        ranking = sorted((s, n, k) for n, (k, s) in enumerate(self._scores.items()) if s < inf)
        close = [k for s, _, k in ranking if s <= _CLOSE * ranking[0][0] and k in self.decided]
        own = [k for k in close if k not in self._same][: self.effort.finalists]
        self._enter([key for key in own if key not in self._racing])
        final = {k: replace(self._racing[k], samples=[]) for k in own if k in self._racing}
        self._time(final, self.effort.final, stop)
        medians = {key: median(c.samples) for key, c in final.items()}
        if min((len(c.samples) for c in final.values()), default=0) < _LEAST_SAMPLES:
            return None
        self._racing |= final
        self._decide(list(final), medians)
        return min(medians, key=lambda key: medians[key])

    def _time(
        self, contenders: Mapping[Key, Contender], halving: SuccessiveHalving, stop: float
    ) -> Rounds[Key]:
        """Time until *stop*; what has been built and proven by then is timed all the same."""
        self.tell("timing")
        stop = max(stop, time.perf_counter() + _GRACE_S)
        return time_in_turn(contenders, halving, stop, lambda: self.tell("timing"), self._sweep)

    def _enter(self, keys: Sequence[Key]) -> None:
        """Build, prove and load *keys*; what fails is decided by that."""
        for entrant in self.entrants:
            configs = [config for name, config in keys if name == entrant.name]
            if configs and not self._enter_all(entrant, configs):
                exact = Prover(entrant.prover.pipeline, entrant.prover.source, always_exact=True)
                entrant.prover = exact  # what differs by a contraction is right without it
                self._enter_all(entrant, configs)

    def _enter_all(self, entrant: Entrant, configs: Sequence[Config]) -> bool:
        """False where contracted code is all wrong, and nothing right is known of the platform."""
        self.tell("building")
        jobs = [(self.signature, config) for config in configs]
        results = zip(configs, entrant.prover.build_all(jobs), strict=True)
        built, failed = list[tuple[Config, Artifact]](), list[Measurement]()
        for config, result in results:
            if isinstance(result, BackendError):
                failed.append(Measurement(config, entrant.name, "failed", reason=str(result)))
            elif (first := self._codes.get(result[1].key)) and first != (entrant.name, config):
                self._same[entrant.name, config] = first
            else:
                built.append((config, result[1]))
        self.tell("checking")
        verdicts = entrant.prover.verdicts(built, self.cases) if self.cases and built else {}
        wrong = {config: reason for config, reason in verdicts.items() if reason}
        known = any(s < inf for (name, _), s in self._scores.items() if name == entrant.name)
        if wrong and len(wrong) == len(configs) and not known and not entrant.prover.always_exact:
            return False
        for config, artifact in built:
            self._codes.setdefault(artifact.key, (entrant.name, config))
            if config in wrong:
                failed.append(Measurement(config, entrant.name, "wrong", reason=wrong[config]))
            elif reason := self._load(entrant, config, artifact):
                failed.append(Measurement(config, entrant.name, "failed", reason=reason))
        for m in failed:
            self.decided[m.platform, m.config] = m
            self._scores[m.platform, m.config] = inf
        self.keep(failed)
        self._level()
        return True

    def _level(self) -> None:
        """Give variants the scores of those with the same code; they are listed only where their
        platform has nothing else to show."""
        for key, first in self._same.items():
            if first in self._scores:
                self._scores[key] = self._scores[first]
            others = (k for k in self.decided if k[0] == key[0] and k != key)
            if first in self.decided and next(others, None) is None:
                copy = replace(self.decided[first], platform=key[0], config=key[1])
                self.keep([copy] if self.decided.get(key) != copy else [])
                self.decided[key] = copy

    def _load(self, entrant: Entrant, config: Config, artifact: Artifact) -> str:
        """Load a proven variant and warm it up; why that failed, or nothing."""
        platform = entrant.prover.pipeline.platform
        threads = config.get("threads", 1) if artifact.parallel else 1
        try:
            call = platform.load(artifact).bound(self._scratch)
            contender = Contender(call, platform.hold, threads)
            contender.warm_up()
        except BackendError as error:
            return str(error)
        self._racing[entrant.name, config] = contender
        return ""

    def _decide(self, keys: Sequence[Key], scores: Mapping[Key, float]) -> None:
        """Note what *keys* have shown; those without a sample stay undecided."""
        new = {key: self._measurement(key) for key in keys if self._racing[key].samples}
        self._scores |= {key: scores.get(key, m.median_s) for key, m in new.items()}
        self.decided |= new
        self._batch = []
        self.keep(list(new.values()))
        self._level()

    def _measurement(self, key: Key) -> Measurement:
        verdict = "unchecked" if self.cases is None else "correct"
        return Measurement(key[1], key[0], verdict, tuple(self._racing[key].samples))

    @cached_property
    def _scratch(self) -> dict[str, Any]:
        """The arguments, with copies of the outputs."""
        return dict(self._copied())

    def _copied(self) -> Iterator[tuple[str, Any]]:
        prover = self.entrants[0].prover
        outputs = prover.pipeline.specializer.interface(prover.source).outputs
        kinds = dict(self.signature.args)
        for name, value in self.values.items():
            array = name in outputs and isinstance(kinds[name], ArrayType)
            yield name, scratch_like(value) if array else value

    @cached_property
    def _sweep(self) -> Call | None:
        arrays = {id(v): v for v in self.values.values() if hasattr(v, "nbytes")}
        return sweeper(sum(v.nbytes for v in arrays.values()))
