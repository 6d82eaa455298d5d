"""Which platform is the fastest at which size: a table, and a plot of the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ..results import Report
from .bundles import image_bundle
from .card_text import ranked
from .markup import table
from .wording import count_text, seconds_text

PYTHON = "plain Python"


@dataclass(frozen=True)
class Size:
    """One call: its points, each platform's best time in seconds, and the platform that is chosen."""

    points: int
    seconds: tuple[tuple[str, float], ...]
    chosen: str


@dataclass(frozen=True)
class Crossovers:
    """Reports of one kernel at several sizes; shows itself as a table, and as a figure above it."""

    reports: tuple[Report, ...]

    @property
    def sizes(self) -> tuple[Size, ...]:
        """The calls by their number of points."""
        return tuple(sorted((_size(r) for r in self.reports), key=lambda s: s.points))

    @property
    def platforms(self) -> tuple[str, ...]:
        """Every platform that was timed, in the order of the races, the plain Python last."""
        names = dict.fromkeys(name for size in self.sizes for name, _ in size.seconds)
        return (*(n for n in names if n != PYTHON), *(n for n in names if n == PYTHON))

    @property
    def changes(self) -> tuple[tuple[int, int, str, str], ...]:
        """Where the choice changes: (points, next points, platform below, platform above)."""
        return tuple(
            (a.points, b.points, a.chosen, b.chosen)
            for a, b in pairwise(self.sizes)
            if a.chosen != b.chosen
        )

    @property
    def headline(self) -> str:
        """``blur: c to openmp between 4 096 and 65 536 points``."""
        name = self.reports[0].trace.source.label if self.reports else ""
        said = [
            f"{below} to {above} between {count_text(low)} and {count_text(high)} points"
            for low, high, below, above in self.changes
        ]
        chosen = {size.chosen for size in self.sizes}
        return f"{name}: {'; '.join(said) or f'{chr(32).join(chosen)} at every size'}"

    def __repr__(self) -> str:
        return "\n".join([self.headline, "", *_aligned([self._heads, *self._rows])])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        from .crossover_plot import SIZE, crossover_figure

        alt = f"{self.headline}; the table has the median times"
        data, metadata = image_bundle(crossover_figure(self), alt, SIZE)
        numeric = (True,) * (len(self._heads) - 1) + (False,)
        data["text/html"] += table(self._heads, self._rows, numeric, "Median times")
        return data | {"text/plain": repr(self)}, metadata

    @property
    def _heads(self) -> tuple[str, ...]:
        return "points", *self.platforms, "fastest"

    @property
    def _rows(self) -> list[tuple[str, ...]]:
        rows = []
        for size in self.sizes:
            times = dict(size.seconds)
            cells = (seconds_text(times[p]) if p in times else "" for p in self.platforms)
            rows.append((count_text(size.points), *cells, size.chosen))
        return rows


def _size(report: Report) -> Size:
    best: dict[str, float] = {}
    for m in ranked(report):
        if m.times_s:
            best[m.platform] = min(best.get(m.platform, m.median_s), m.median_s)
    best |= {PYTHON: report.python_s} if report.python_s else {}
    chosen = report.best.platform if report.best else PYTHON
    return Size(report.work.points, tuple(best.items()), chosen)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
