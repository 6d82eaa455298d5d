"""The variants of a race as rows for JSON: figures that are not known are ``None``.

Rows stand in the order of trying, so that a race can be replayed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...machine.roofline import placement, threads_of
from ...results import Measurement, Progress, Report
from ..card_text import tied

USABLE = ("correct", "unchecked")
Row = dict[str, Any]


def variant_rows(race: Report | Progress, edited: Sequence[Measurement] = ()) -> list[Row]:
    """A row for each variant that was tried, then for each *edited* one.

    ``leader`` is the index of the fastest one by then; ``best`` marks the one in use, while a race
    goes on the fastest.
    """
    tried = [(m, "generated") for m in race.measurements] + [(m, "edited") for m in edited]
    rows = list[Row]()
    leader: int | None = None
    for index, (m, origin) in enumerate(tried):
        if usable(m) and (leader is None or m.median_s < tried[leader][0].median_s):
            leader = index
        rows.append(_row(race, m) | {"index": index, "origin": origin, "leader": leader})
    if isinstance(race, Report):
        best = [n for n, (m, _) in enumerate(tried) if m == race.best]
    else:
        best = [] if leader is None else [leader]
    return [row | {"best": row["index"] in best[:1]} for row in rows]


def usable(m: Measurement) -> bool:
    """Whether *m* was timed and may be chosen."""
    return bool(m.times_s) and m.verdict in USABLE


def rounded(value: float) -> float:
    """Four significant digits: what a chart can show."""
    return float(f"{value:.4g}")


def _row(race: Report | Progress, m: Measurement) -> Row:
    placed, timed = placement(race, m), bool(m.times_s)
    fast = race.python_s / m.median_s if timed and race.python_s else None
    row: Row = {
        "platform": m.platform,
        "config": dict(m.config.items),
        "verdict": m.verdict,
        "reason": m.reason,
        "tie": isinstance(race, Report) and tied(race, m),
        "times_s": [rounded(t) for t in m.times_s],
        "median_s": rounded(m.median_s) if timed else None,
        "mad_s": rounded(m.mad_s) if timed else None,
        "speedup": rounded(fast) if fast else None,
        "roof_fraction": None,
        "bound": None,
    }
    if placed is None or race.roofs is None:
        return row
    return row | {
        "roof_fraction": rounded(placed.fraction),
        "bound": placed.bound,
        "above": placed.above,
        "threads": threads_of(m, race.roofs),
        "intensity": rounded(placed.intensity),
        "flops_per_s": rounded(placed.flops_per_s),
        "roof_flops_per_s": rounded(placed.flops_per_s / placed.fraction),
        "words": placed.words,
        "advice": placed.advice,
    }
