"""A race that a widget starts and stops, in a thread of its own: the notebook's kernel stays free.

The race asks between two timings whether it is to stop, and tells then how it stands, by the same
rule as the live display of a cell.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any

from ...results import Progress, RaceStopped, Report
from ..card_text import sentence, stopped_note
from ..live import Pace
from ..live_text import live_line
from .actions import Race

HINT = "stop keeps the best"
State = dict[str, Any]


class Tuning:
    """Runs one race at a time; told from its thread: ``tell`` is given each :class:`Progress`, with its
    state for the browser; ``ended`` the report of a race, or ``None`` and a state that says why not."""

    def __init__(
        self,
        race: Race,
        tell: Callable[[Progress, State], None],
        ended: Callable[[Report | None, State], None],
    ) -> None:
        self._race, self._tell, self._ended = race, tell, ended
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.running = False
        """Whether a race is going on; not any more when its end is told."""

    def start(self, budget_s: float | None, resume: bool) -> None:
        """Begin a race, or go on with the last one; none may be going on."""
        self._stop.clear()
        self.running = True
        run = partial(self._run, budget_s, resume)
        self._thread = in_background(run, "sejits_nb tuning")

    def stop(self) -> None:
        """End the race after the timing, the checks or the builds that are going on."""
        self._stop.set()

    def join(self, timeout_s: float) -> None:
        """Wait for the end of the race."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self, budget_s: float | None, resume: bool) -> None:
        pace = Pace()

        def listen(progress: Progress) -> None:
            if self._stop.is_set():
                raise RaceStopped
            pace(lambda: self._tell(progress, _state_while(progress)))

        report = None
        try:
            report = self._race(budget=budget_s, resume=resume, listen=listen)
            said = state_of(report)
        except RaceStopped:
            said = _ended("stopped before anything new was known")
        except Exception as error:  # nobody else hears of it: this is the thread's last frame
            said = _ended("tuning failed") | {"error": str(error) or type(error).__name__}
        self.running = False
        self._ended(report, said)


def in_background(run: Callable[[], None], name: str) -> threading.Thread:
    """A thread that runs on after the question that it was asked in, in the context of that question.

    A Jupyter kernel answers a widget's next message where it last said something to the widget: were
    that the main thread, the next message (*stop*) would wait for the cell that runs there.
    """
    thread = threading.Thread(target=copy_context().run, args=(run,), name=name, daemon=True)
    thread.start()
    return thread


def _state_while(progress: Progress) -> State:
    line = live_line(progress, HINT)
    return {"running": True, "line": line, "done": progress.done, "total": progress.total}


def state_of(report: Report | None) -> State:
    """How the last race stands, when none is going on."""
    if report is None:
        return _ended("not measured yet")
    line = "; ".join(filter(None, (sentence(report), stopped_note(report))))
    return _ended(line) | {"complete": report.complete}


def _ended(line: str) -> State:
    return {"running": False, "line": line}
