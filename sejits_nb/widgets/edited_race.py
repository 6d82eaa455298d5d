"""The race of edited code as text and as HTML."""

from __future__ import annotations

from dataclasses import fields
from html import escape
from typing import Self

from ..errors import Diagnostic
from ..results import EditedRace, Measurement
from .card_text import first_line, variant_text
from .markup import code_block, table
from .wording import seconds_text, spread_text, times_text

_LIMIT_BYTES = 20_000
_LANGUAGES = {"c": "C", "opencl": "OpenCL C"}


class ShownRace(EditedRace):
    """An :class:`EditedRace` that shows itself."""

    @classmethod
    def of(cls, race: EditedRace) -> Self:
        """*race*, with a text and HTML."""
        return cls(**{one.name: getattr(race, one.name) for one in fields(race)})

    def __repr__(self) -> str:
        rows = [f"  {time:>18}  {name}" for name, time in race_rows(self)]
        errors = [f"  {line}" for d in self.errors for line in error_text(d).split("\n")]
        return "\n".join([headline(self), *rows, *errors])

    def _repr_html_(self) -> str:
        parts = [f"<p>{escape(headline(self))}</p>"]
        if rows := race_rows(self):
            caption = "Timed in turn, in one child process"
            parts.append(table(("code", "median ± MAD"), rows, (False, True), caption, strong=0))
        if self.errors:
            told = "\n".join(map(error_text, self.errors)).split("\n")
            parts.append(code_block([escape(line) for line in told], _LIMIT_BYTES))
        return "".join(parts)


def headline(race: EditedRace) -> str:
    """``heat, edited C: correct · 1.3× as fast as the variant in use (1.2× to 1.4×, 25 rounds)``."""
    language = _LANGUAGES.get(race.language, race.language)
    return f"{race.kernel}, edited {language}: {' · '.join(claims(race))}"


def claims(race: EditedRace) -> list[str]:
    """The verdict, and what became of it."""
    m = race.measurement
    if m.reason:
        return [m.verdict, first_line(m.reason)]
    said = "UNCHECKED" if m.verdict == "unchecked" else m.verdict
    return [said, ratio_text(race), seconds_text(m.median_s)] if race.ratios else [said]


def ratio_text(race: EditedRace) -> str:
    """How fast it is beside the variant in use; half of the rounds on both sides of 1 is a tie."""
    assert race.ratio and race.spread
    fast, (slow, fastest) = 1.0 / race.ratio, (1.0 / s for s in reversed(race.spread))
    rounds = f"{len(race.ratios)} round{'s' if len(race.ratios) != 1 else ''}"
    between = f"({fast_text(slow)} to {fast_text(fastest)}, {rounds})"
    if slow <= 1.0 <= fastest:
        return f"as fast as the variant in use {between}"
    return f"{fast_text(fast)} as fast as the variant in use {between}"


def fast_text(ratio: float) -> str:
    """Like :func:`times_text`, near 1 with two decimals: a few per cent are a race's matter."""
    return f"{ratio:.2f}×" if 0.1 <= ratio < 2.0 else times_text(ratio)


def race_rows(race: EditedRace) -> list[tuple[str, str]]:
    """(what was timed, median and spread), the edited code first."""
    if not race.measurement.times_s:
        return []
    roles = ("in use", "serial")
    others = [
        (f"{variant_text(m)}, {role}", m) for m, role in zip(race.beside, roles, strict=False)
    ]
    return [(name, _time(m)) for name, m in (("edited", race.measurement), *others)]


def error_text(d: Diagnostic) -> str:
    """``line 9, column 14: 'v' undeclared``, with the line and a mark below it."""
    if not d.line:
        return d.message
    before = "".join(c if c == "\t" else " " for c in d.text[: d.col])
    mark = before + "^" * max(1, d.end_col - d.col)
    return f"line {d.line}, column {d.col + 1}: {d.message}\n    {d.text}\n    {mark}"


def _time(m: Measurement) -> str:
    return spread_text(m.median_s, m.mad_s)
