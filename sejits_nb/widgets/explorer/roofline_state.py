"""The measured roofs, and the way from the naive variant to the best, as values for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...machine.roofline import levels, peak_of, place, placement, threads_of
from ...results import Measurement, Progress, Report, Roofs
from .variants_state import Row, rounded, usable


def roofline_state(race: Report | Progress) -> Row:
    """The roofs of one thread, of all of them, and of as many as any variant has: bytes and operations
    a second; ``roofs`` is empty where they are not known."""
    roofs, work = race.roofs, race.work
    known: Row = {"roofs": [], "dtype": work.dtype, "elsewhere": list(race.elsewhere)}
    if roofs is None:
        return known
    counts = {1, roofs.threads, *(threads_of(m, roofs) for m in race.measurements if usable(m))}
    mostly_read = 4 * work.written_bytes < work.bytes_
    return known | {
        "roofs": [_roofs_of(roofs, threads, mostly_read) for threads in sorted(counts)],
        "threads": roofs.threads,
        "machine": roofs.machine,
        "date": roofs.date,
        "notes": list(roofs.notes),
    }


def _roofs_of(roofs: Roofs, threads: int, mostly_read: bool) -> Row:
    memories = levels(roofs, threads, mostly_read)
    return {
        "threads": threads,
        "memories": [[b.level, rounded(b.bytes_per_s)] for b in memories],
        "peaks": [[dtype, rounded(peak_of(roofs, dtype, threads))] for dtype in ("f64", "f32")],
    }


def path_rows(report: Report) -> list[Row]:
    """From the plain Python by way of the naive variant, the first serial one, to the best: each one
    that was faster than all before it, and what it changed.

    ``index`` is that of the variant's row, ``None`` for the plain Python; ``changed`` holds (knob,
    before, now), the platform among the knobs; ``factor`` is the gain over the step before.
    """
    seconds, before = report.python_s, dict[str, Any]()
    rows = [_plain(report)] if seconds else []
    for index, m in _steps(report):
        now = {"platform": m.platform, **dict(m.config.items)}
        placed = placement(report, m)
        changed = [[k, before.get(k), now.get(k)] for k in {**before, **now}
                   if before and before.get(k) != now.get(k)]  # fmt: skip
        rows.append(
            {
                "index": index,
                "changed": changed,
                "median_s": rounded(m.median_s),
                "factor": rounded(seconds / m.median_s) if seconds else None,
                "roof_fraction": rounded(placed.fraction) if placed else None,
            }
        )
        seconds, before = m.median_s, now
    return rows


def _plain(report: Report) -> Row:
    placed = None
    if report.roofs is not None and report.work.bytes_:
        placed = place(report.work, report.python_s, report.work.dtype, 1, report.roofs)
    return {
        "index": None,
        "changed": [],
        "median_s": rounded(report.python_s),
        "factor": None,
        "roof_fraction": rounded(placed.fraction) if placed else None,
    }


def _steps(report: Report) -> Iterator[tuple[int, Measurement]]:
    """The naive variant, those that were faster than all before, and the best, which ends it."""
    timed = [(n, m) for n, m in enumerate(report.measurements) if usable(m)]
    if report.best is None or not timed:
        return
    last = next((one for one in timed if one[1].platform == "c"), timed[0])
    best = next((one for one in timed if one[1] == report.best), None)
    if best is None:
        return
    if last != best:
        yield last
    for number, m in timed:
        if number < best[0] and best[1].median_s < m.median_s < last[1].median_s:
            last = number, m
            yield last
    yield best
