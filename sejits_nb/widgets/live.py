"""While a kernel is tuned, or a mixture is trained: one line, and below it a figure that fills in.

A :class:`Live` is a ``results.Listener`` (or ``TrainingListener``): it is called between timings, so
it never draws during one.  It draws at most :data:`MOST_HZ` times a second, and less often where
drawing is slow: it may take :data:`MOST_SHARE` of the time.  What it draws is one display, which the
card replaces.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, TextIO

from .live_text import live_html, live_line, stopped_line
from .training_text import training_html, training_line

MOST_HZ = 4.0
MOST_SHARE = 0.02


class Surface(Protocol):
    """Where a live display is drawn."""

    def draw(self, line: str, html: Callable[[], str]) -> None:
        """Put *line*, and the figure where it can be shown, in the place of what was drawn before."""

    def publish(self, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Show a result; the first one takes the live display's place."""


class Pace:
    """Lets one draw at most :data:`MOST_HZ` times a second, for :data:`MOST_SHARE` of the time;
    ``spent_s`` counts the seconds that it has taken."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock, self._due_s, self.spent_s = clock, 0.0, 0.0

    def __call__(self, draw: Callable[[], None]) -> None:
        """Draw, unless the last time was too recent for its cost."""
        start = self._clock()
        if start < self._due_s:
            return
        draw()
        took = self._clock() - start
        self.spent_s += took
        self._due_s = start + max(1 / MOST_HZ, took / MOST_SHARE)


class Live:
    """Draws a race on a surface; used as a context, so that nothing half-drawn stays behind.

    *words* make of what it is told the line, the figure, and the line that stays when it breaks off.
    """

    def __init__(
        self,
        surface: Surface | None,
        clock: Callable[[], float] = time.perf_counter,
        words: tuple[Callable[[Any], str], ...] = (live_line, live_html, stopped_line),
    ) -> None:
        self._surface, self._pace = surface, Pace(clock)
        self._last: Any = None
        self._line, self._html, self._stopped = words

    @property
    def listen(self) -> Callable[[Any], None] | None:
        """What a tuner or a training calls; ``None`` where nothing is drawn."""
        return self if self._surface else None

    def __call__(self, progress: Any) -> None:
        """Draw *progress*, unless the last drawing was too recent for its cost."""
        if self._surface is not None:
            self._pace(lambda: self._draw(progress))

    @property
    def spent_s(self) -> float:
        """The seconds that drawing has taken."""
        return self._pace.spent_s

    def _draw(self, progress: Any) -> None:
        assert self._surface is not None
        self._last = progress  # first: an interrupt may come while it is drawn
        self._surface.draw(self._line(progress), lambda: self._html(progress))

    def publish(self, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Show a result of the cell; the first one replaces the live display."""
        self._last = None
        if self._surface is not None:
            self._surface.publish(data, metadata)
        else:
            publish(data, metadata)

    def __enter__(self) -> Live:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._surface is not None and self._last is not None:
            line = self._stopped(self._last)
            self._surface.publish({"text/plain": line}, {})


class Notebook:
    """A display of a Jupyter front end, updated in place: one saved output whatever happens."""

    def __init__(self) -> None:
        self._handle: Any = None

    def draw(self, line: str, html: Callable[[], str]) -> None:
        self._put({"text/plain": line, "text/html": html()}, {})

    def publish(self, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        if self._handle is None:
            publish(data, metadata)
        else:
            self._put(data, metadata)
            self._handle = None

    def _put(self, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        from IPython.display import DisplayHandle

        if self._handle is None:
            self._handle = DisplayHandle()  # type: ignore[no-untyped-call]
            self._handle.display(data, raw=True, metadata=metadata)
        else:
            self._handle.update(data, raw=True, metadata=metadata)


class Terminal:
    """One line of a terminal, written over again and again, and wiped before a result."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def draw(self, line: str, html: Callable[[], str]) -> None:
        room = shutil.get_terminal_size().columns - 1
        self._write(line if len(line) <= room else line[: room - 1] + "…")

    def publish(self, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        self._write("")
        if "image/png" not in data:  # its words say again what the card says
            publish(data, metadata)

    def _write(self, text: str) -> None:
        self._stream.write(f"\r\x1b[K{text}")
        self._stream.flush()


def live(shown: bool = True) -> Live:
    """A live display for wherever this runs: a notebook, a terminal, or nothing at all."""
    return Live(_surface() if shown else None)


def live_training() -> Live:
    """The same of a training."""
    return Live(_surface(), words=(training_line, training_html, training_line))


def publish(data: dict[str, Any], metadata: dict[str, Any]) -> None:
    """One output by MIME type, through IPython; its text alone where there is no IPython."""
    from IPython.core.interactiveshell import InteractiveShell

    if InteractiveShell.initialized():
        from IPython.display import publish_display_data

        publish_display_data(data, metadata)  # type: ignore[no-untyped-call]
    else:
        print(data["text/plain"])


def _surface() -> Surface | None:
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if getattr(shell, "kernel", None) is not None:
        return Notebook()
    return Terminal(sys.stderr) if sys.stderr.isatty() else None
