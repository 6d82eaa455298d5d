"""Every variant of a race as a table, plain and rich."""

from __future__ import annotations

from ..machine.roofline import placement
from ..results import Measurement, Report
from .card_text import failures, first_line, ranked, tied, verdict_text
from .markup import table
from .wording import share_text, spread_text, times_text

_HEADERS = ("platform", "variant", "median ± MAD", "speedup", "of roof", "verdict", "reason")
_NUMERIC = (False, False, True, True, True, False, False)
_NONE = "no variants yet: measure(...) or tune(...) finds some"
_MOST_REASON = 60


def variants_text(report: Report | None) -> str:
    """The table for a terminal."""
    if report is None or not report.measurements:
        return _NONE
    rows = _table(report, _MOST_REASON)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, _NUMERIC, strict=False)
        ).rstrip()
        for row in rows
    )


def variants_html(report: Report | None) -> str:
    """The table for a notebook; everything in it is escaped."""
    if report is None or not report.measurements:
        return f"<p>{_NONE}</p>"
    caption = f"{len(report.measurements)} variants, {len(failures(report))} failed"
    strong = 0 if report.best is not None else None
    headers, *rows = _table(report, 300)
    return table(headers, rows, _NUMERIC[: len(headers)], caption, strong=strong)


def _table(report: Report, most: int) -> list[tuple[str, ...]]:
    """Headers and rows; without reasons there is no column for them."""
    rows = [_row(report, m, most) for m in (*ranked(report), *failures(report))]
    width = len(_HEADERS) - (not any(row[-1] for row in rows))
    return [row[:width] for row in (_HEADERS, *rows)]


def _row(report: Report, m: Measurement, most: int) -> tuple[str, ...]:
    placed = placement(report, m)
    said = verdict_text(report, m)
    said += ", best" if m == report.best else ", tie" if tied(report, m) else ""
    return (
        m.platform,
        str(m.config),
        spread_text(m.median_s, m.mad_s) if m.verdict in ("correct", "unchecked") else "",
        times_text(report.python_s / m.median_s) if m.times_s and report.python_s else "",
        share_text(placed.fraction) if placed else "",
        said,
        first_line(m.reason, most),
    )
