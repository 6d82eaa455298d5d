"""The times of all platforms over the size of the grid, both on a log scale."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from .colours import FAINT, INK
from .drawing import frame, new_figure, png_of

if TYPE_CHECKING:
    from .crossovers import Crossovers

SIZE = (800, 360)
_STYLES = (
    ("#d55e00", "D", "-"),
    ("#0072b2", "o", "-"),
    ("#009e73", "s", "--"),
    ("#cc79a7", "^", "--"),
    ("#666666", "x", ":"),
)
"""Colour, marker and line of each platform: never colour alone."""


def crossover_figure(found: Crossovers) -> bytes:
    """A PNG of 800 x 360 pixels; a vertical line stands where the choice changes."""
    figure = new_figure(*SIZE)
    axes = figure.subplots()
    for number, platform in enumerate(found.platforms):
        colour, marker, line = _STYLES[number % len(_STYLES)]
        points = [(s.points, dict(s.seconds)[platform]) for s in found.sizes
                  if platform in dict(s.seconds)]  # fmt: skip
        axes.plot(*zip(*points, strict=True), color=colour, marker=marker, linestyle=line,
                  markersize=6, linewidth=1.5, label=platform)  # fmt: skip
    for low, high, *_ in found.changes:
        axes.axvline(sqrt(low * high), color=FAINT, linewidth=1, linestyle="--")
    axes.set_xscale("log")
    axes.set_yscale("log")
    frame(axes, "points of a sweep", grid="both")
    axes.set_ylabel("median time, seconds", fontsize=9, color=INK)
    if found.platforms:
        axes.legend(fontsize=8.5, frameon=False, labelcolor=INK)
    title = figure.suptitle(found.headline, x=0.01, ha="left", fontsize=10, color=INK)
    title.set_parse_math(False)
    return png_of(figure)
