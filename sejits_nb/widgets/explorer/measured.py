"""What was measured of the kernel: its traits, and the answers to *Variants* and *Roofline*."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...ir.dast import Line
from ...results import EditedRace, Measurement, Progress, Report
from ...stages import Step, Trace
from ..links import numbering
from .actions import Actions
from .blocks import blocks
from .racing import among_variants
from .roofline_state import path_rows, roofline_state
from .state import LANGUAGES, rows
from .tuning import State, Tuning, in_background, state_of
from .variants_state import variant_rows

Question = Mapping[str, Any]
Put = Callable[[Report | None, State], None]
"""Takes traits, from any thread, and with a report the trace that they belong to."""


class Measured:
    """The last report, and the races that go on from it; ``shown`` is the trace of the levels, whose
    numbers all code has."""

    def __init__(self, actions: Actions, put: Put, shown: Callable[[], Trace]) -> None:
        self._actions, self._put, self._trace_shown = actions, put, shown
        self._tuning = Tuning(actions.tune, self._tell, self._ended)
        self._report = actions.report()
        self._tried: tuple[Measurement, ...] = self._report.measurements if self._report else ()
        self._edited: list[EditedRace] = []
        self.answers: dict[str, Callable[[Question], Any]] = {
            "tune": self._tune, "stop": self._stop, "variant": self._variant,
            "difference": self._difference, "measure roofs": self._measure_roofs,
            "refresh": lambda question: self.refresh(),
        }  # fmt: skip

    def traits(self) -> State:
        """The synced traits that come from the report."""
        report = self._report
        edited = [m for _, m in among_variants(report, self._edited)]
        return {
            "variants": variant_rows(report, edited) if report else [],
            "path": path_rows(report) if report else [],
            "roofs": roofline_state(report) if report else {"roofs": []},
            "progress": state_of(report),
            "tunable": report is None or report.best is not None,
            "knobs": dict(self._actions.knobs()),
        }

    def add(self, race: EditedRace) -> None:
        """Show edited code that was timed among the variants."""
        self._edited.append(race)
        if not self._tuning.running:
            self._put(None, {"variants": self.traits()["variants"]})

    def _tune(self, question: Question) -> None:
        if self._tuning.running:
            raise RuntimeError("a race is going on already")
        self._put(None, {"progress": {"running": True, "line": "starting …"}})
        self._tuning.start(question["budget"], question["resume"])

    def _stop(self, _question: Question) -> None:
        self._tuning.stop()

    def _tell(self, progress: Progress, said: State) -> None:
        self._tried = progress.measurements
        self._put(None, {"variants": variant_rows(progress), "progress": said})

    def _ended(self, report: Report | None, said: State) -> None:
        self._report = report or self._report
        self._tried = self._report.measurements if self._report else ()
        self._put(report, self.traits() | {"progress": said})

    def refresh(self) -> None:
        """Show what the notebook's cells have measured since."""
        report = self._actions.report()
        if report is not self._report and not self._tuning.running:
            self._ended(report, state_of(report))

    def _variant(self, question: Question) -> State:
        """The code of a variant."""
        step = self._code(question["index"])
        return {"lines": self._rows(step), "language": _language(step), "title": step.name}

    def _difference(self, question: Question) -> State:
        """The code of a variant beside that of another one."""
        old, fresh = (self._code(question[which]) for which in ("beside", "index"))
        texts = [[line.text for line in step.lines] for step in (old, fresh)]
        return {
            "old": self._rows(old),
            "fresh": self._rows(fresh),
            "blocks": blocks(*texts),
            "languages": [_language(old), _language(fresh)],
        }

    def _code(self, index: int) -> Step:
        if index < len(self._tried):
            return self._actions.trace(self._tried[index]).last(5)
        race, _ = among_variants(self._report, self._edited)[index - len(self._tried)]
        title = {language: name for name, language in LANGUAGES.items()}.get(race.language, "code")
        return Step(5, title, tuple(map(Line, race.text.rstrip("\n").split("\n"))))

    def _rows(self, step: Step) -> list[list[Any]]:
        return rows(step, numbering(self._trace_shown()))

    def _measure_roofs(self, _question: Question) -> None:
        """Begin to measure; the traits say when it has ended."""
        if self._tuning.running:
            raise RuntimeError("a race is going on: the roofs would be measured too low")
        in_background(self._roofs, "sejits_nb roofs")

    def _roofs(self) -> None:
        self._put(None, {"roofs": {"roofs": [], "problem": "measuring: two to three seconds …"}})
        try:
            self._report = self._actions.measure_roofs() or self._report
        except Exception as error:
            self._put(None, {"roofs": {"roofs": [], "problem": str(error)}})
        else:
            self._put(None, self.traits())


def _language(step: Step) -> str:
    return LANGUAGES.get(step.name, "tree")
