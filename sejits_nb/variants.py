"""What a race found, for the user: all variants, and the time of the one in use.

Nothing here measures; figures are drawn when they are asked for.
"""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from .machine.roofline import placement
from .results import Measurement, Report

if TYPE_CHECKING:
    from .widgets.drawing import ShownFigure

USABLE = ("correct", "unchecked")


@dataclass(frozen=True, repr=False)
class Variants(Sequence[Measurement]):
    """Every variant that was tried, the best first, then by time, those that failed last.

    Empty before the first measurement.  A notebook shows it as a table.
    """

    report: Report | None

    @property
    def all(self) -> tuple[Measurement, ...]:
        """The variants, in order."""
        found = self.report.measurements if self.report else ()
        return tuple(
            sorted(found, key=lambda m: (m.verdict not in USABLE, m != self.best, m.median_s))
        )

    @property
    def best(self) -> Measurement | None:
        """The one in use; ``None`` where the plain Python runs, or nothing was measured."""
        return self.report.best if self.report else None

    @property
    def failed(self) -> tuple[Measurement, ...]:
        """Those that do not compile, crash, or differ from the plain Python; ``reason`` says why."""
        return tuple(m for m in self.all if m.verdict not in USABLE)

    @overload
    def __getitem__(self, index: int) -> Measurement: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Measurement, ...]: ...
    def __getitem__(self, index: int | slice) -> Measurement | tuple[Measurement, ...]:
        return self.all[index]

    def __len__(self) -> int:
        return len(self.all)

    def __iter__(self) -> Iterator[Measurement]:
        return iter(self.all)

    def to_records(self) -> list[dict[str, Any]]:
        """One dict a variant, all with the same keys, as ``pandas.DataFrame`` takes them.

        ``platform``, each knob (``None`` where a platform has no such one), ``verdict``, ``best``,
        ``median_s``, ``mad_s``, ``times_s``, ``speedup`` over the plain Python, ``roof_fraction`` and
        ``bound`` (under the measured roofs), ``reason``.  What is not known is ``None``.
        """
        if self.report is None:
            return []
        knobs = dict.fromkeys(k for m in self.all for k, _ in m.config.items)
        return [_record(self.report, m, tuple(knobs)) for m in self.all]

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str | None:
        """The records as comma-separated text, ``times_s`` joined by blanks; written to *path*, or
        returned without one.
        """
        rows = self.to_records()
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow(row | {"times_s": " ".join(map(repr, row["times_s"]))})
        if path is None:
            return text.getvalue()
        Path(path).write_text(text.getvalue(), encoding="utf-8")
        return None

    def plot(self) -> ShownFigure | None:
        """Times and speedups as a figure; ``None`` where nothing was timed."""
        from .widgets.figures import variants_figure

        return variants_figure(self.report) if self.report else None

    def roofline(self) -> ShownFigure | None:
        """The timed variants under the measured roofs; ``None`` where those are not known."""
        from .widgets.figures import roofline_figure

        return roofline_figure(self.report) if self.report else None

    def __repr__(self) -> str:
        from .widgets.variants_table import variants_text

        return variants_text(self.report)

    def _repr_html_(self) -> str:
        from .widgets.variants_table import variants_html

        return variants_html(self.report)


def _record(report: Report, m: Measurement, knobs: tuple[str, ...]) -> dict[str, Any]:
    config, placed = dict(m.config.items), placement(report, m)
    timed = bool(m.times_s)
    return {
        "platform": m.platform,
        **{knob: config.get(knob) for knob in knobs},
        "verdict": m.verdict,
        "best": m == report.best,
        "median_s": m.median_s if timed else None,
        "mad_s": m.mad_s if timed else None,
        "times_s": list(m.times_s),
        "speedup": report.python_s / m.median_s if timed and report.python_s else None,
        "roof_fraction": placed.fraction if placed else None,
        "bound": placed.bound if placed else None,
        "reason": m.reason,
    }


@dataclass(frozen=True, slots=True)
class Timing:
    """Run times of the variant in use, seconds, under the names of IPython's ``TimeitResult``.

    A sample is the mean of as many calls as the clock needs: ``loops`` is 1, ``all_runs`` are seconds
    a call.  ``compile_time`` is that of its library, also if the disk cache had it.
    """

    all_runs: tuple[float, ...]
    compile_time: float
    loops: int = 1

    @property
    def timings(self) -> tuple[float, ...]:
        """Seconds a call, one a sample."""
        return tuple(run / self.loops for run in self.all_runs)

    @property
    def repeat(self) -> int:
        """How many samples were taken."""
        return len(self.all_runs)

    @property
    def best(self) -> float:
        """The shortest."""
        return min(self.timings)

    @property
    def worst(self) -> float:
        """The longest."""
        return max(self.timings)

    @property
    def average(self) -> float:
        """The mean."""
        return math.fsum(self.timings) / len(self.timings)

    @property
    def stdev(self) -> float:
        """The standard deviation of the samples, as IPython computes it."""
        mean = self.average
        return math.sqrt(math.fsum((t - mean) ** 2 for t in self.timings) / len(self.timings))

    @property
    def median(self) -> float:
        """The median."""
        return _median(self.timings)

    @property
    def mad(self) -> float:
        """The median absolute deviation from the median."""
        middle = self.median
        return _median([abs(t - middle) for t in self.timings])

    def __str__(self) -> str:
        from .widgets.wording import seconds_text, spread_text

        spread = spread_text(self.median, self.mad)
        return f"{spread} a call (median ± MAD of {self.repeat}, best {seconds_text(self.best)})"


def timing_of(report: Report | None) -> Timing | None:
    """The best variant's times; ``None`` if it was not timed."""
    if report is None or report.best is None or not report.best.times_s:
        return None
    built = report.artifact.build.seconds if report.artifact else 0.0
    return Timing(report.best.times_s, built)


def _median(values: Sequence[float]) -> float:
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
