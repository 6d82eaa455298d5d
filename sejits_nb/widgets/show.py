"""MIME bundles for ``IPython.display.display(bundle, raw=True, metadata=metadata)``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from ..results import Report, Roofs
from .bundles import Bundle, image_bundle
from .card import card_html
from .card_text import card_text, generated_lines
from .code_diff import CodeDiff
from .levels import LIMIT_BYTES, View
from .machine_card import FIGURE_SIZE, machine_alt, machine_figure, machine_html, machine_text
from .trees import Tree

CELL_LIMIT_BYTES = 132_000
"""Of one cell's outputs: a saved notebook's escapes and line ends make at most 150 kB of it."""
FIGURE_BYTES, FIGURE_WITH_ROOFS_BYTES = 40_000, 60_000
"""Room that is kept for the figure, which is drawn later: that of 200 variants takes a little less."""
SUMMARY_MIME = "application/vnd.sejits.summary+json"


def cell_bundles(report: Report, diff: CodeDiff | None = None) -> Iterator[Bundle]:
    """All that a cell leaves: the card, the figure of what was timed, and *diff*, if any, together
    :data:`CELL_LIMIT_BYTES` at most: the card's code takes what the others leave.

    One by one: the card is made in milliseconds, the figure in a quarter of a second.
    """
    shown = [view_bundle(diff)] if diff else []
    taken = sum(len(str(text).encode()) for data, _ in shown for text in data.values())
    timed = any(m.times_s for m in report.measurements)
    if timed:
        taken += FIGURE_BYTES if report.roofs is None else FIGURE_WITH_ROOFS_BYTES
    yield card_bundle(report, CELL_LIMIT_BYTES - taken)
    if timed:
        yield figure_bundle(report)
    yield from shown


def card_bundle(report: Report, limit_bytes: int = CELL_LIMIT_BYTES) -> Bundle:
    """The card as text, as HTML, and as a few numbers for programs that read saved notebooks."""
    text = card_text(report)
    data = {
        "text/plain": text,
        "text/html": card_html(report, limit_bytes - len(text.encode())),
        SUMMARY_MIME: summary(report),
    }
    return data, {}


def figure_bundle(report: Report) -> Bundle:
    """The figure as its own output, with its numbers in words for whoever does not see it."""
    from .figures import card_figure, figure_alt, figure_size  # matplotlib takes 0.3 s to import

    return image_bundle(card_figure(report), figure_alt(report), figure_size(report))


def machine_bundles(roofs: Roofs) -> list[Bundle]:
    """The measured roofs: a table, and the roofline."""
    data = {"text/plain": machine_text(roofs), "text/html": machine_html(roofs)}
    return [(data, {}), image_bundle(machine_figure(roofs), machine_alt(roofs), FIGURE_SIZE)]


def show_machine(roofs: Roofs | None) -> None:
    """Display the measured roofs; ``None`` where there is no compiler to measure them with."""
    from IPython.display import publish_display_data

    if roofs is None:
        print("no roofs: they are measured with a C compiler, and none works here; %sejits doctor")
        return
    for data, metadata in machine_bundles(roofs):
        publish_display_data(data, metadata)  # type: ignore[no-untyped-call]


def view_bundles(views: Sequence[View], diff: CodeDiff | None = None) -> Iterator[Bundle]:
    """Levels beside the cell, each its own output, and *diff*, if any, in the room of one cell."""
    for view in views:
        yield view_bundle(replace(view, limit_bytes=LIMIT_BYTES // (len(views) + bool(diff))))
    if diff:
        yield view_bundle(diff)


def view_bundle(view: View | Tree | CodeDiff) -> Bundle:
    """One level or its tree beside the cell, or two kernels' code, as text and as HTML."""
    return {"text/plain": repr(view), "text/html": view._repr_html_()}, {}


def summary(report: Report) -> dict[str, Any]:
    """The result as JSON values; ``None`` where something was not timed or does not exist."""
    best, source = report.best, report.trace.source
    return {
        "name": source.label,
        "language": report.generated.name if report.generated and best else "Python",
        "platform": best.platform if best else "python",
        "seconds": best.median_s if best and best.times_s else None,
        "python_seconds": report.python_s or None,
        "python_points": report.python_points,
        "speedup": report.speedup,
        "python_lines": source.line_count,
        "generated_lines": generated_lines(report),
        "check": report.check,
        "verdict": best.verdict if best else None,
        "config": dict(best.config.items) if best else None,
        "cached": report.artifact.cached if report.artifact else None,
    }
