"""The choice among the variants of a call that is made again and again, while it is made: a training.

As Cook, Gonina et al. (HotPar 2011) have it: each variant runs a real iteration, the fastest runs the
rest.  Nothing is run for the sake of timing, and nothing waits: variants are built and proven in the
background, and whoever leads so far runs the iterations until one is ready.  Then the two take turns,
so that a slow spell of the machine meets both; of each the shortest iteration counts, as what else
runs here only makes iterations longer.

What a choice costs, building and slower iterations, stays below a share of what the iterations take,
unless the user asked for a search: then it has that search's budget.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

from .. import config
from ..errors import SejitsError
from ..results import Measurement, Report
from ..stages import Config
from . import records
from .candidates import Background, Field, field_of, made
from .prove import Cases
from .report import make_report
from .request import Request, Specialization, cases_of, front, prove_one
from .runner import Entrant, Key
from .strategies import EFFORTS
from .timing import median

_SHARE = 0.25
_LEAST_S = 1e-3
"""Shorter iterations are not worth a choice."""
_LONG_S = 0.1
"""One comparison is enough of iterations that long."""
_ROUNDS = 3
_HOPELESS = 1.5
_FAR, _FAR_S = 5.0, 1.0
"""What takes so long, and so many times as long, the first time will not make up for it."""
_SAMPLES = 20
_CHECK_S = 0.3


@dataclass
class Bout:
    """A variant against the leader, whose iterations usually take *usual_s*: one to warm up, then one
    of each in turn.  One that is far behind warms up and is out."""

    candidate: Specialization
    leader: Specialization
    usual_s: float
    own: list[float] = field(default_factory=list)
    other: list[float] = field(default_factory=list)
    warm_up_s: float = 0.0

    @property
    def whose(self) -> Specialization:
        return self.candidate if len(self.own) <= len(self.other) else self.leader

    def note(self, seconds: float) -> None:
        """The next iteration has taken *seconds*."""
        if not self.warm_up_s:
            self.warm_up_s = seconds
        elif len(self.own) <= len(self.other):
            self.own.append(seconds)
        else:
            self.other.append(seconds)

    @property
    def ratio(self) -> float:
        """The candidate's time by the leader's."""
        return min(self.own or [self.warm_up_s]) / min(self.other or [self.usual_s])

    @property
    def over(self) -> bool:
        """Whether more rounds would not change who is the faster."""
        if not self.own:
            return self.warm_up_s >= max(_FAR_S, _FAR * self.usual_s)
        if len(self.own) != len(self.other):
            return False
        long = self.own[0] >= _LONG_S
        clear = min(*self.own, self.warm_up_s) >= _HOPELESS * min(self.other)
        return long or clear or len(self.own) == _ROUNDS


class OnlineRace:
    """The variants of one kind of call; kept by its kernel from one training to the next.

    ``leader`` is the fastest so far, at first what the call would run without a race.  ``settled`` says
    that there is nothing more to find out.  ``adopt`` is given the leader, and what makes a report,
    when a training ends.
    """

    def __init__(
        self,
        request: Request,
        first: Specialization,
        chooses: bool,
        adopt: Callable[[Specialization, Callable[[], Report]], None],
    ) -> None:
        self.leader, self.settled, self.lock = first, not chooses, threading.Lock()
        self._request, self._chooses, self._adopt = replace(request, values={}), chooses, adopt
        self._race = records.Race(effort="full" if request.tune == "full" else "quick")
        self._decided: dict[Key, Measurement] = {}
        self._new: dict[Key, Measurement] = {}
        self._scores: dict[Key, float] = {_key(first): 1.0}
        self._codes = {first.artifact.key}
        self._samples: list[float] = []
        self._field: Field | None = None
        self._background = Background()
        self._bout: Bout | None = None
        self._suspects: dict[Key, str] = {}
        self._model: Specialization | None = None
        self._trained_s = self._cost_s = 0.0
        self._each_s = first.artifact.build.seconds + _CHECK_S
        self._known = self._quiet = False

    # -- a training

    def begin(self, values: Mapping[str, Any]) -> None:
        """A training on *values* begins.  A comparison that was broken off begins anew."""
        outputs = self._request.specializer.interface(self._request.source).outputs
        kept = {n: v.copy() if n in outputs else v for n, v in values.items()}
        self._request, self._field = replace(self._request, values=kept), None
        if self._bout:
            self._bout = replace(self._bout, own=[], other=[], warm_up_s=0.0)
        if self._chooses and not self._known:
            self._recall()
        self._known = True

    def next(self) -> Specialization:
        """Who runs the next iteration."""
        if self._suspects:
            return self._stand_in() or self.leader
        if not (self.settled or self._bout):
            self._advance()
        self._quiet = not self._background.busy
        return self._bout.whose if self._bout else self.leader

    def note(self, whose: Specialization, seconds: float) -> None:
        """An iteration of *whose* went well and took *seconds*."""
        if self._suspects:
            self._disqualify(whose)
            return
        self._trained_s += seconds
        if self._bout is None:
            self._samples = [*self._samples[1 - _SAMPLES :], *([seconds] if self._quiet else [])]
            return
        if whose is self._bout.candidate:
            self._cost_s += max(0.0, seconds - median(self._samples))
        self._bout.note(seconds)
        if self._bout.over:
            self._decide(self._bout)

    def retry(self, whose: Specialization, problem: str) -> bool:
        """An iteration of *whose* failed; whether another one is to run it from the same state.

        Where the model's choice fails as well, no variant is to blame.
        """
        self._suspects[_key(whose)] = problem
        if self._stand_in() is not None:
            return True
        self._suspects.clear()
        return False

    def end(self) -> None:
        """A training has ended: keep what it found out."""
        self._background.cancel()
        if self._field is None:
            self._background = Background()
        # what takes part holds the events: it is found anew for the next training
        self._request, self._field = replace(self._request, values={}), None
        if self._new and not self._request.pins:
            best = self._new[_key(self.leader)] = self._measured(self.leader)
            self._decided[_key(self.leader)] = best
            self._race = replace(
                self._race, measurements=tuple(self._decided.values()), best=best,
                complete=self.settled and self._chooses,
                platforms=tuple(dict.fromkeys(m.platform for m in self._decided.values())),
            )  # fmt: skip
            records.remember(self._request.subject, self._race, self._new.values(), ended=True)
            self._new = {}
        if self._race.measurements:
            self._adopt(self.leader, self.report)

    def report(self) -> Report:
        """What is known of all variants."""
        request, race, leader = self._request, self._race, self.leader
        report = make_report(
            leader.trace, leader.signature, race.measurements, race.best,
            work=request.specializer.work(leader.trace.last(2).tree),
            plain=(race.python_s, race.points), artifact=leader.artifact, seconds=self._cost_s,
            check=request.check, device=request.tools.device,
        )  # fmt: skip
        return replace(report, complete=race.complete)

    # -- what comes next

    def _recall(self) -> None:
        """Go on from what is recorded, if the leader is part of it: scores are ratios to its time."""
        known = records.recall(self._request.subject)
        decided = {(m.platform, m.config): m for m in known.measurements} if known else {}
        own = decided.get(_key(self.leader))
        if known is None or own is None or not own.times_s:
            return
        self._race, self._decided = known, decided
        self._scores |= {
            key: m.median_s / own.median_s if m.verdict in records.USABLE else inf
            for key, m in decided.items()
        }
        wanted = {p.language for p in self._request.platforms} & {*self._request.specializer.lower}
        had = {p.language for p in self._request.platforms if p.name in known.platforms}
        self.settled = known.complete and wanted <= had

    def _advance(self) -> None:
        """Take what has been built; begin to build what comes next."""
        if done := self._background.poll():
            took_s, found = done
            self._cost_s += took_s
            self._take(found, took_s)
        if not self._background.busy and self._bout is None and self._worth_it():
            self._begin_next()

    def _take(self, found: Field | Specialization | Measurement, took_s: float) -> None:
        if isinstance(found, Field):
            self._field = found
            self._race = replace(self._race, python_s=found.plain[0], points=found.plain[1])
            knobs = {e.name: [k.name for k in e.space.knobs] for e, _ in found.entrants}
            self._scores = {  # but what another version of ours has recorded
                (platform, chosen): score for (platform, chosen), score in self._scores.items()
                if knobs.get(platform) in (None, [name for name, _ in chosen.items])
            }  # fmt: skip
            for failed in found.failed:
                self._put(failed, inf)
            return
        self._each_s = took_s
        if isinstance(found, Measurement):
            self._put(found, inf)
        elif found.artifact.key in self._codes:
            self._scores[_key(found)] = inf  # another one's code
        else:
            self._codes.add(found.artifact.key)
            self._bout = Bout(found, self.leader, median(self._samples) if self._samples else inf)

    def _worth_it(self) -> bool:
        """Whether there are means to build one more."""
        if not self._samples or median(self._samples) < _LEAST_S or config.forked():
            return False
        asked = self._request.tune
        if asked != "none":
            return self._cost_s < (self._request.budget_s or config.TUNE_BUDGET_S[asked])
        return self._cost_s + self._each_s < _SHARE * self._trained_s

    def _begin_next(self) -> None:
        """Begin to build what the search wants next; without such a thing all is settled."""
        request = self._request
        if self._field is None:
            plain, dast = (self._race.python_s, self._race.points), self.leader.trace.last(2).tree
            self._background.begin(lambda: field_of(request, dast, plain))
        elif wanted := self._wanted():
            self._background.begin(lambda: made(request, *wanted))
        else:
            self.settled = True
            self._new.setdefault(_key(self.leader), self._measured(self.leader))

    def _wanted(self) -> tuple[Entrant, Cases | None, Config] | None:
        """One variant of each platform, then those of platforms that are not hopeless."""
        assert self._field is not None
        effort = EFFORTS[self._race.effort]
        best = self._scores[_key(self.leader)]
        of = {e.name: {c: s for (name, c), s in self._scores.items() if name == e.name}
              for e, _ in self._field.entrants}  # fmt: skip
        if sum(map(len, of.values())) >= effort.most:
            return None
        for entrant, cases in sorted(self._field.entrants, key=lambda e: bool(of[e[0].name])):
            scores = of[entrant.name]
            if not scores or min(scores.values()) <= _HOPELESS * best:
                for chosen in effort.search.batch(entrant.space, scores, 1):
                    return entrant, cases, chosen
        return None

    def _decide(self, bout: Bout) -> None:
        """The comparison is over: the candidate's score, and who leads."""
        ours, score = bout.candidate, bout.ratio * self._scores[_key(bout.leader)]
        self._bout, self._samples = None, [*self._samples, *bout.other][-_SAMPLES:]
        times_s = tuple(bout.own or [bout.warm_up_s])
        own = Measurement(ours.config, ours.platform, self._verdict, times_s)
        if score < self._scores[_key(self.leader)]:
            self._put(self._measured(self.leader), self._scores[_key(self.leader)])
            self.leader, self._samples = ours, bout.own
        self._put(own, score)

    def _put(self, found: Measurement, score: float) -> None:
        key = found.platform, found.config
        self._decided[key] = self._new[key] = found
        self._scores[key] = score

    @property
    def _verdict(self) -> str:
        return "unchecked" if self._request.check == "off" else "correct"

    def _measured(self, one: Specialization) -> Measurement:
        return Measurement(one.config, one.platform, self._verdict, tuple(self._samples))

    # -- iterations that fail

    def _stand_in(self) -> Specialization | None:
        """Who may run what the suspects could not: the leader, else the model's choice."""
        if _key(self.leader) not in self._suspects:
            return self.leader
        request = replace(self._request, prefer=None, tune="none", fresh=True)
        try:
            prover, space = front(request, request.platforms[0])
            if (request.platforms[0].name, space.default) in self._suspects:
                return None
            self._model = self._model or prove_one(
                request, prover, space.default, cases_of(request, prover)
            )
        except SejitsError:
            return None
        return self._model

    def _disqualify(self, whose: Specialization) -> None:
        """*whose* has run what the suspects could not."""
        for (platform, chosen), problem in self._suspects.items():
            reason = f"fails where {whose.platform} {whose.config} does not: {problem}"
            self._put(Measurement(chosen, platform, "failed", reason=reason), inf)
        if _key(self.leader) in self._suspects:
            self.leader, self._samples = whose, []
            self._scores[_key(whose)] = self._scores.get(_key(whose), 1.0)
        self._bout, self._suspects = None, {}


def _key(one: Specialization) -> Key:
    return one.platform, one.config
