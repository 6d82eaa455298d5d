"""Races of edited code that the widget starts and stops, in a thread; what became of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...results import EditedRace, Measurement, Report
from ...stages import Config
from ..edited_race import claims, race_rows
from .actions import RaceEdited
from .tuning import State, in_background

_MOST_LOG = 4000
Question = Mapping[str, Any]


class Racing:
    """One race at a time.  ``put`` takes traits, from any thread; ``timed`` is told of each code that
    was right and timed.
    """

    def __init__(
        self,
        race: RaceEdited,
        put: Callable[[State], None],
        timed: Callable[[EditedRace], None],
    ) -> None:
        self._race, self._put, self._timed = race, put, timed
        self._stop = threading.Event()
        self._running = False
        self._ended: list[EditedRace] = []
        self.answers: dict[str, Callable[[Question], Any]] = {
            "race": self._start, "stop race": lambda question: self._stop.set(),
            "edited text": lambda question: self._ended[question["number"]].text,
        }  # fmt: skip

    def traits(self, problem: str = "") -> State:
        """How it stands.  Texts are not among it: each is asked for by its number."""
        edits = [edit_state(one) for one in self._ended]
        return {"race": {"running": self._running, "problem": problem, "edits": edits}}

    def _start(self, question: Question) -> None:
        if self._running:
            raise RuntimeError("a race is going on: stop it first")
        base = _variant(question["base"])
        self._running = True
        self._stop.clear()
        self._put(self.traits())
        in_background(lambda: self._run(question["text"], base), "sejits_nb edited race")

    def _run(self, text: str, base: Measurement | None) -> None:
        problem = ""
        try:
            found = self._race(text, base=base, stop=self._stop)
            self._ended.append(found)
            if found.ratios:
                self._timed(found)
        except Exception as error:  # the pane is where it is said: the thread has no other reader
            problem = str(error) or type(error).__name__
        self._running = False
        self._put(self.traits(problem))


def edit_state(race: EditedRace) -> State:
    """What the pane says of a race."""
    m = race.measurement
    return {
        "language": race.language,
        "platform": m.platform,
        "config": dict(m.config.items),
        "verdict": m.verdict,
        "said": claims(race)[1:],
        "rows": [list(row) for row in race_rows(race)],
        "errors": [[d.line, d.col, d.end_col, d.message] for d in race.errors],
        "log": race.log[:_MOST_LOG],
    }


def _variant(row: Mapping[str, Any] | None) -> Measurement | None:
    """The platform and configuration of a row of *Variants*, or of an edit."""
    if row is None:
        return None
    return Measurement(Config(tuple(row["config"].items())), row["platform"], "")


def among_variants(
    report: Report | None, races: Sequence[EditedRace]
) -> list[tuple[EditedRace, Measurement]]:
    """Edited code as it would stand among the variants of *report*: its time by that of the variant in
    use, round by round in the child process, times what that one takes in the notebook's.
    """
    best = report.best if report else None
    if best is None or not best.times_s:
        return []
    found = []
    for race in races:
        beside = race.beside[0]
        if race.ratios and (beside.platform, beside.config) == (best.platform, best.config):
            times_s = tuple(ratio * best.median_s for ratio in race.ratios)
            found.append((race, replace(race.measurement, times_s=times_s)))
    return found
