"""The card's figure: what each variant takes, and how much faster than the plain Python it is.

Object-oriented matplotlib only: no pyplot, no global setting, every colour and size said here, so
that a notebook's own style and another thread's figure are left alone.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator
from PIL import Image

from ..results import Measurement, Report
from .card_text import ranked, sentence, tied
from .wording import count_text, seconds_text, spread_text, times_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_POINTS = 8
_INK, _FAINT, _GRID = "#222222", "#666666", "#dddddd"
_BEST, _OTHER = "#d55e00", "#0072b2"


def card_figure(report: Report) -> bytes:
    """A PNG of 800 x 300 pixels: median times with their MAD, and speedups on a log scale."""
    shown = _shown(report)
    figure = Figure(figsize=(8, 3), dpi=100, facecolor="white", layout="constrained")
    canvas = FigureCanvasAgg(figure)
    times, speedups = figure.subplots(1, 2, sharey=True, width_ratios=(10, 9))
    _draw_times(times, report, shown)
    _draw_speedups(speedups, report, shown)
    title = figure.suptitle(sentence(report), x=0.01, ha="left", fontsize=10, color=_INK)
    title.set_parse_math(False)
    canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib leaves these two untyped
    width, height = canvas.get_width_height()
    pixels = Image.frombuffer("RGBA", (width, height), canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    data = io.BytesIO()
    # Few colours are drawn: a palette makes a third of the bytes.
    pixels.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(data, "PNG", optimize=True)
    return data.getvalue()


def figure_alt(report: Report) -> str:
    """The figure in words: every number that it draws."""
    parts = [f"{sentence(report)}."]
    for m in _shown(report):
        took = spread_text(m.median_s, m.mad_s)
        if report.python_s:
            took += f", {times_text(report.python_s / m.median_s)} the speed of the plain Python"
        mark = " (best)" if m == report.best else " (tie)" if tied(report, m) else ""
        parts.append(f"{m.config} on {m.platform}{mark}: {took}.")
    if report.python_s:
        parts.append(f"Plain Python: {seconds_text(report.python_s)}.")
    return " ".join(parts)


def _shown(report: Report) -> list[Measurement]:
    return [m for m in ranked(report) if m.times_s][:MOST_POINTS]


def _marker(report: Report, m: Measurement) -> tuple[str, str, int]:
    """Shape, colour and size: never colour alone."""
    if m == report.best:
        return "D", _BEST, 7
    return ("s" if tied(report, m) else "o"), _OTHER, 6


def _draw_times(axes: Axes, report: Report, shown: list[Measurement]) -> None:
    scale, unit = _scale([m.median_s for m in shown])
    for row, m in enumerate(shown):
        shape, colour, size = _marker(report, m)
        axes.errorbar(m.median_s / scale, row, xerr=m.mad_s / scale, fmt=shape, color=colour,
                      markersize=size, markeredgecolor=colour, ecolor=colour, elinewidth=1.5,
                      capsize=3)  # fmt: skip
    _frame(axes, f"median time ± MAD, {unit}")
    axes.set_xlim(left=0, right=1.15 * max([(m.median_s + m.mad_s) / scale for m in shown] or [1]))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_yticks(range(len(shown)), [_label(report, m) for m in shown])
    axes.set_ylim(max(len(shown), 3) - 0.4, -0.6)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)


def _draw_speedups(axes: Axes, report: Report, shown: list[Measurement]) -> None:
    ratios = [report.python_s / m.median_s for m in shown] if report.python_s else []
    for row, (m, ratio) in enumerate(zip(shown, ratios, strict=False)):
        shape, colour, size = _marker(report, m)
        axes.hlines(row, 1, ratio, colors=colour, linewidth=1.5)
        axes.plot(ratio, row, shape, color=colour, markersize=size, markeredgecolor=colour)
        axes.annotate(times_text(ratio), (ratio, row), (7, 0), textcoords="offset points",
                      va="center", fontsize=8.5, color=_INK)  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(min([0.8, *(0.5 * r for r in ratios)]), max([10.0, *(12 * r for r in ratios)]))
    axes.axvline(1, color=_FAINT, linewidth=1, linestyle="--")
    scaled = report.python_points < report.work.points and bool(report.python_s)
    _frame(axes, f"speedup over plain Python{' (scaled)' if scaled else ''}")
    axes.xaxis.set_major_locator(LogLocator(numticks=5))
    axes.xaxis.set_major_formatter(FuncFormatter(_tick))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="y", labelleft=False)


def _tick(ratio: float, _position: int | None = None) -> str:
    return f"{count_text(round(ratio))}×" if ratio >= 1 else f"{ratio:g}×"


def _frame(axes: Axes, label: str) -> None:
    axes.set_facecolor("white")
    axes.set_xlabel(label, fontsize=9, color=_INK)
    axes.tick_params(labelsize=8.5, colors=_FAINT, labelcolor=_INK, length=3, width=0.8, left=False)
    axes.grid(True, axis="x", color=_GRID, linewidth=0.8)
    axes.grid(False, axis="y")
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(_FAINT)


def _label(report: Report, m: Measurement) -> str:
    platforms = {other.platform for other in report.measurements}
    name = str(m.config) if len(platforms) == 1 else f"{m.platform} {m.config}"
    name = name if len(name) <= 34 else name[:33] + "…"
    return f"{name} (best)" if m == report.best else f"{name} (tie)" if tied(report, m) else name


def _scale(seconds: list[float]) -> tuple[float, str]:
    """The unit of the axis: that of the slowest variant shown."""
    slowest = max(seconds, default=1.0)
    return next(((s, u) for s, u in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")) if slowest >= s),
                (1e-9, "ns"))  # fmt: skip
