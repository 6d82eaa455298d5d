"""The widget of ``kernel.explore()``: synced traits, and who answers the browser's questions.

The browser asks with ``{id, ask, ...}``; the answer is ``{id, answer}`` or ``{id, error}``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from importlib.resources import files
from typing import Any

import anywidget
from traitlets import Bool, Dict, List, Unicode

from ...results import Report
from ...stages import Trace
from . import state
from .actions import Actions
from .measured import Measured, Question
from .racing import Racing
from .tuning import in_background

SCRIPTS = (
    "dom", "wording", "syntax", "links", "code", "diff", "levels", "passes",
    "charts", "figures", "tuning", "variant_chart", "variant_table", "variant_code", "variants",
    "roofline", "editor", "race", "main",
)  # fmt: skip
"""The files of ``js/`` in the order in which they make one module; each may use those before it."""

STYLES = ("explorer", "charts", "race")
_HERE = files(__package__)


class Explorer(anywidget.AnyWidget):
    """Shows one trace and what was measured of it; every trait is JSON (``state.py`` makes them)."""

    _esm = "\n".join((_HERE / "js" / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    _css = "\n".join((_HERE / f"{name}.css").read_text("utf-8") for name in STYLES)

    title = Unicode().tag(sync=True)
    language = Unicode().tag(sync=True)
    groups: List[Any] = List().tag(sync=True)
    levels: List[Any] = List().tag(sync=True)
    passes: List[Any] = List().tag(sync=True)
    variants: List[Any] = List().tag(sync=True)
    knobs = Dict().tag(sync=True)
    path: List[Any] = List().tag(sync=True)
    roofs = Dict().tag(sync=True)
    progress = Dict().tag(sync=True)
    tunable = Bool(False).tag(sync=True)
    race = Dict().tag(sync=True)

    def __init__(self, trace: Trace, actions: Actions) -> None:
        self._trace, self._actions = trace, actions
        measured = self._measured = Measured(actions, self._put, lambda: self._trace)
        racing = Racing(actions.race, self._set, measured.add)
        super().__init__(**state.trace_state(trace), **measured.traits(), **racing.traits())
        self._answers: dict[str, Callable[[Question], Any]] = {
            "hello": _answers_beside_cells, "assembly": self._assembly,
            **measured.answers, **racing.answers,
        }  # fmt: skip
        self._asked = copy_context()
        self.on_msg(self._receive)

    def show(self, trace: Trace, **measured: Any) -> None:
        """Show another trace, and other values of the traits beside it, in one message."""
        self._trace = trace
        self._set(state.trace_state(trace) | measured)

    def refresh(self) -> None:
        """Show what was measured since; from any thread.

        It is told in the context of the last question: told by a cell, it would bring the next question
        to the thread of the cells.
        """
        self._asked.copy().run(in_background, self._measured.refresh, "sejits_nb refresh")

    def _put(self, report: Report | None, measured: dict[str, Any]) -> None:
        if report:
            self.show(report.trace, **measured)
        else:
            self._set(measured)

    def _set(self, traits: dict[str, Any]) -> None:
        with self.hold_sync():
            for name, value in traits.items():
                self.set_trait(name, value)

    def __repr__(self) -> str:
        return f"<explorer of {self.title}: {', '.join(level['title'] for level in self.levels)}>"

    def _receive(self, _widget: Any, question: Question, _buffers: Any) -> None:
        self._asked = copy_context()
        try:
            said = {"answer": self._answers[question["ask"]](question)}
        except Exception as error:  # whatever it is belongs where the question was asked
            said = {"error": str(error) or type(error).__name__}
        self.send({"id": question["id"], **said})

    def _assembly(self, _question: Question) -> state.Rows:
        code = self._actions.assembly()
        if code[0] is not self._trace:  # the first call since: other code than what was shown
            self.show(code[0])
        return state.assembly_rows(code)


def _answers_beside_cells(_question: Question) -> bool:
    """Whether questions are answered while a cell runs."""
    return threading.current_thread() is not threading.main_thread()
