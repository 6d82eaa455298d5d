"""The roofline as a plot: operations a second over operations a byte, roofs as lines, points below.

One solid line is the roof that bounds the points; the other memories are dashed, and the peak of each
type is level.  Points of the same work stand on one vertical: only their time differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from ..machine.roofline import levels, peak_of
from ..machine.roofs import MEMORY
from ..results import Placement, Roofs
from .colours import FAINT, INK
from .drawing import frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DASHES = ((0, (6, 3)), (0, (3, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
_LOW, _HIGH = 1 / 32, 64.0


@dataclass(frozen=True, slots=True)
class Point:
    """A variant in the plot: its place, and its marker's shape, colour and size; ``hollow`` if it runs
    on another number of threads than the roofs that are drawn."""

    placement: Placement
    marker: tuple[str, str, int]
    hollow: bool = False


def draw_roofline(
    axes: Axes, roofs: Roofs, threads: int, dtypes: Sequence[str], points: Sequence[Point] = ()
) -> None:
    """The roofs of *threads* threads and the peaks of *dtypes*; the best of *points* comes first."""
    highest = max(peak_of(roofs, dtype, threads) for dtype in dtypes)
    bound = points[0].placement if points else None
    intensities = [p.placement.intensity for p in points if p.placement.intensity > 0]
    left = min([_LOW, *(0.5 * i for i in intensities)])
    right = max([_HIGH, *(2 * i for i in intensities)])
    styles = iter(_DASHES)
    for level in levels(roofs, threads, mostly_read=bound is None):
        rate, solid = level.bytes_per_s, bound is not None and level.level == bound.level
        if solid and bound:
            rate = bound.bytes_roof
        elif bound is None:
            solid = level.level == MEMORY
        ridge = highest / rate
        axes.plot([left, ridge], [left * rate / 1e9, highest / 1e9], color=INK if solid else FAINT,
                  linewidth=2 if solid else 1.2, linestyle="-" if solid else next(styles),
                  label=f"{roof_name(level.level)} {rate / 1e9:.0f} GB/s")  # fmt: skip
    for number, dtype in enumerate(dtypes):
        peak = peak_of(roofs, dtype, threads)
        axes.plot([left, right], [peak / 1e9] * 2, color=INK, linewidth=2 if number == 0 else 1.2,
                  linestyle="-" if number == 0 else _DASHES[-1],
                  label=f"peak {dtype} {peak / 1e9:.0f} GFLOP/s")  # fmt: skip
    for point in reversed(points):
        shape, colour, size = point.marker
        axes.plot(point.placement.intensity, point.placement.flops_per_s / 1e9, shape, color=colour,
                  markersize=size, markeredgecolor=colour, zorder=3,
                  fillstyle="none" if point.hollow else "full")  # fmt: skip
    others = "\n(hollow: other number)" if any(p.hollow for p in points) else ""
    _axes(axes, left, right, f"roofs of {threads} thread{'s' * (threads > 1)}{others}")


def roof_name(level: str) -> str:
    """A memory as roofs are called: ``STREAM`` for the main memory."""
    return "STREAM" if level == MEMORY else level


def _axes(axes: Axes, left: float, right: float, threads: str) -> None:
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlim(left, right)
    frame(axes, "arithmetic intensity, flop/byte", grid="both")
    axes.set_ylabel("GFLOP/s", fontsize=9, color=INK)
    axes.xaxis.set_major_formatter(FuncFormatter(_ratio))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
    axes.yaxis.set_major_locator(LogLocator(numticks=6))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())
    legend = axes.legend(  # beside the axes: anywhere in them there may be points
        loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.0, fontsize=8.5, labelcolor=INK,
        title=threads, title_fontsize=8.5, frameon=False, alignment="left",
    )  # fmt: skip
    legend.get_title().set_color(INK)


def _ratio(value: float, _position: int | None = None) -> str:
    return f"1/{1 / value:.0f}" if value < 1 else f"{value:g}"
