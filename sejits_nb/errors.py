"""Errors a person can act on: what is wrong at the smallest span, why, and what to try.

Every rejection in the package is a :class:`Diagnostic` (a plain value), raised inside a
:class:`SejitsError`.  A run collects up to :data:`MOST_AT_ONCE` of them, so that a cell with three
mistakes is corrected in one go.
"""

from __future__ import annotations

import difflib
import traceback
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

MOST_AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    ``code`` is stable and unique (``S012``); ``line``/``col`` are 1-based line and 0-based column in
    the source that ``where`` names (``Cell In[7]`` or a file name); ``text`` is that source line.
    """

    code: str
    message: str
    why: str = ""
    try_: str = ""
    label: str = ""
    where: str = ""
    line: int = 0
    col: int = 0
    end_col: int = 0
    text: str = ""

    def render(self, kind: str) -> str:
        """The diagnostic as the indented block that the notebook and the terminal show."""
        rows = [f"{kind} {self.code}: {self.message}"]
        if self.where:
            rows.append(f"  {self.where}, line {self.line}" if self.line else f"  {self.where}")
        if self.text:
            number = str(self.line)
            before, marked = self.text[: self.col], self.text[self.col : self.end_col]
            before = "".join(c if c == "\t" else " " * _columns(c) for c in before)
            carets = "^" * max(1, _columns(marked))
            label = f" {self.label}" if self.label else ""
            rows.append(f"    {number} | {self.text}")
            rows.append(f"    {' ' * len(number)} | {before}{carets}{label}")
        rows += [f"  why:  {self.why}"] if self.why else []
        rows += [f"  try:  {self.try_}"] if self.try_ else []
        rows.append(f"  more: %sejits explain {self.code}")
        return "\n".join(rows)


class Rule(NamedTuple):
    """What a diagnostic code says: texts are ``str.format`` templates over the finding's values."""

    message: str
    why: str
    try_: str
    label: str = ""


class SejitsError(Exception):
    """Base of every error that this package raises on purpose.

    Renders itself in IPython as a short ``error`` output without IPython's own frames, so that
    *Run All*, nbclient and papermill stop at the cell; ``with_frames`` shows every frame.
    """

    kind = "SejitsError"

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__(*diagnostics)
        self.diagnostics: tuple[Diagnostic, ...] = diagnostics
        self.with_frames = False

    @property
    def code(self) -> str:
        """Stable code of the first finding, as ``%sejits explain`` takes it."""
        return self.diagnostics[0].code if self.diagnostics else ""

    def __str__(self) -> str:
        shown = [d.render(self.kind) for d in self.diagnostics[:MOST_AT_ONCE]]
        if (hidden := len(self.diagnostics) - MOST_AT_ONCE) > 0:
            shown.append(f"... and {hidden} more")
        return "\n".join(shown)

    def _render_traceback_(self) -> list[str]:
        if self.with_frames:
            return "".join(traceback.format_exception(self)).splitlines()
        return str(self).splitlines()


class LanguageError(SejitsError):
    """The program is outside the embedded language; the plain Python may still run."""

    kind = "LanguageError"


class StencilError(LanguageError):
    """A stencil kernel is outside the stencil language."""

    kind = "StencilError"


class GmmError(LanguageError):
    """An EM iteration is outside the mixture language."""

    kind = "GmmError"


class ArgumentError(SejitsError, TypeError):
    """A call passes arguments that the kernel cannot take (shape, dtype, aliasing)."""

    kind = "ArgumentError"


class OptionError(SejitsError, ValueError):
    """An option of a magic or decorator is unknown or has a value it cannot take."""

    kind = "OptionError"


class BackendError(SejitsError):
    """No platform can run here, or a compiler failed on code that we generated."""

    kind = "BackendError"


class WrongResult(SejitsError):
    """Every variant was disqualified by the comparison with the plain Python."""

    kind = "WrongResult"


class InternalError(SejitsError):
    """A phase handed an ill-formed tree to the next one: a defect of a specializer."""

    kind = "InternalError"


class Finding(Exception):
    """A phase after the first found the user's program wrong at a span of the cell.

    Internal carrier: the pipeline turns it into the specializer's own error, with the source line.
    """

    def __init__(self, code: str, loc: object, **values: object) -> None:
        super().__init__(code, loc, values)
        self.code, self.loc, self.values = code, loc, values


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean 'unroll'?`` for the closest of *known*, or the list of them."""
    words = sorted(known)
    longer = [w for w in words if w.startswith(word)]
    close = longer if len(longer) == 1 else difflib.get_close_matches(word, words, n=1)
    return f"did you mean {close[0]!r}?" if close else "one of: " + ", ".join(words)


def _columns(text: str) -> int:
    """Terminal columns that *text* takes: East Asian wide characters two, combining marks none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
