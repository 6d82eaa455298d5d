"""The card's figure: what each variant takes, how much faster than the plain Python it is, and where
it stands under the measured roofs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from ..machine.roofline import placement, threads_of
from ..results import Measurement, Placement, Report
from .card_text import ranked, sentence, tied
from .colours import BEST, FAINT, INK, OTHER
from .drawing import ShownFigure, frame, new_figure, png_of
from .roofline_plot import Point, draw_roofline
from .wording import count_text, seconds_text, spread_text, times_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec

MOST_POINTS = 8
_UPPER, _LOWER = 300, 270


def figure_size(report: Report) -> tuple[int, int]:
    """Width and height of the figure, pixels; the roofline needs measured roofs and operations."""
    return 800, _UPPER + (_LOWER if _points(report) else 0)


def card_figure(report: Report) -> bytes:
    """A PNG of :func:`figure_size`: median times with their MAD, speedups on a log scale, and below
    them the roofline.
    """
    points = _points(report)
    figure = new_figure(*figure_size(report))
    grid = figure.add_gridspec(2 if points else 1, 1,
                               height_ratios=(_UPPER, _LOWER) if points else None)  # fmt: skip
    _add_times(figure, grid[0, 0], report)
    if points:
        _add_roofline(figure, grid[1, 0], report)
    return png_of(figure)


def variants_figure(report: Report) -> ShownFigure | None:
    """The upper half of the card's figure, to keep; ``None`` where nothing was timed."""
    if not _shown(report):
        return None
    figure = new_figure(800, _UPPER)
    _add_times(figure, figure.add_gridspec(1, 1)[0, 0], report)
    figure.alt = figure_alt(report)
    return figure


def roofline_figure(report: Report) -> ShownFigure | None:
    """The lower half of the card's figure, to keep; ``None`` where no variant has a place in it."""
    if not _points(report):
        return None
    figure = new_figure(800, _UPPER)
    _add_roofline(figure, figure.add_gridspec(1, 1)[0, 0], report)
    _title(figure, report)
    figure.alt = figure_alt(report)
    return figure


def figure_alt(report: Report) -> str:
    """The figure in words: every number that it draws."""
    parts = [f"{sentence(report)}."]
    for m in _shown(report):
        took = spread_text(m.median_s, m.mad_s)
        if report.python_s:
            took += f", {times_text(report.python_s / m.median_s)} the speed of the plain Python"
        mark = " (best)" if m == report.best else " (tie)" if tied(report, m) else ""
        place = placement(report, m)
        took += f", {place.words}" if place else ""
        parts.append(f"{m.config} on {m.platform}{mark}: {took}.")
    if report.python_s:
        parts.append(f"Plain Python: {seconds_text(report.python_s)}.")
    return " ".join(parts)


def _add_times(figure: Figure, place: SubplotSpec, report: Report) -> None:
    """Median times with their MAD beside speedups on a log scale, and the title."""
    grid, shown = place.subgridspec(1, 2, width_ratios=(10, 9)), _shown(report)
    times = figure.add_subplot(grid[0, 0])
    _draw_times(times, report, shown)
    _draw_speedups(figure.add_subplot(grid[0, 1], sharey=times), report, shown)
    _title(figure, report)


def _add_roofline(figure: Figure, place: SubplotSpec, report: Report) -> None:
    """The variants shown under the roofs of as many threads as the best of them has."""
    roofs, points = report.roofs, _points(report)
    assert roofs is not None
    counts = [threads_of(m, roofs) for m, _ in points]
    drawn = [
        Point(placed, _marker(report, m), count != counts[0])
        for (m, placed), count in zip(points, counts, strict=True)
    ]
    draw_roofline(figure.add_subplot(place), roofs, counts[0], (report.work.dtype,), drawn)


def _title(figure: Figure, report: Report) -> None:
    title = figure.suptitle(sentence(report), x=0.01, ha="left", fontsize=10, color=INK)
    title.set_parse_math(False)


def _shown(report: Report) -> list[Measurement]:
    return [m for m in ranked(report) if m.times_s][:MOST_POINTS]


def _points(report: Report) -> list[tuple[Measurement, Placement]]:
    """The variants shown that have a place in the roofline; on its log scale, 0 flop has none."""
    placed = ((m, placement(report, m)) for m in _shown(report))
    return [(m, place) for m, place in placed if place and place.flops_per_s > 0]


def _marker(report: Report, m: Measurement) -> tuple[str, str, int]:
    """Shape, colour and size: never colour alone."""
    if m == report.best:
        return "D", BEST, 7
    return ("s" if tied(report, m) else "o"), OTHER, 6


def _draw_times(axes: Axes, report: Report, shown: list[Measurement]) -> None:
    scale, unit = _scale([m.median_s for m in shown])
    for row, m in enumerate(shown):
        shape, colour, size = _marker(report, m)
        axes.errorbar(m.median_s / scale, row, xerr=m.mad_s / scale, fmt=shape, color=colour,
                      markersize=size, markeredgecolor=colour, ecolor=colour, elinewidth=1.5,
                      capsize=3)  # fmt: skip
    frame(axes, f"median time ± MAD, {unit}")
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
                      va="center", fontsize=8.5, color=INK)  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(min([0.8, *(0.5 * r for r in ratios)]), max([10.0, *(12 * r for r in ratios)]))
    axes.axvline(1, color=FAINT, linewidth=1, linestyle="--")
    scaled = report.python_points < report.work.points and bool(report.python_s)
    frame(axes, f"speedup over plain Python{' (scaled)' if scaled else ''}")
    axes.xaxis.set_major_locator(LogLocator(numticks=5))
    axes.xaxis.set_major_formatter(FuncFormatter(_tick))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="y", labelleft=False)


def _tick(ratio: float, _position: int | None = None) -> str:
    return f"{count_text(round(ratio))}×" if ratio >= 1 else f"{ratio:g}×"


def _label(report: Report, m: Measurement) -> str:
    """The platform and the knobs in which its variants shown differ; the table says all of them."""
    shown = _shown(report)
    others = [o.config for o in shown if o.platform == m.platform]
    differ = [
        value if isinstance(value, str) else f"{knob}={value}"
        for knob, value in m.config.items
        if any(o.get(knob, value) != value for o in others)
    ]
    words = [*([m.platform] if len(others) < len(shown) else []), *differ]
    name = " ".join(words) or str(m.config)
    name = name if len(name) <= 40 else name[:39] + "…"
    return f"{name} (best)" if m == report.best else f"{name} (tie)" if tied(report, m) else name


def _scale(seconds: list[float]) -> tuple[float, str]:
    """The unit of the axis: that of the slowest variant shown."""
    slowest = max(seconds, default=1.0)
    return next(((s, u) for s, u in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")) if slowest >= s),
                (1e-9, "ns"))  # fmt: skip
