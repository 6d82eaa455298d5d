"""What the live display says of a race: the line, and the figure of the variants known so far.

The figure is an HTML table whose cells are bars.  It takes a fraction of a millisecond, where a PNG
takes a hundred of them, so it can follow the race; the PNG is drawn once, at the end.
"""

from __future__ import annotations

from html import escape
from math import log

from ..machine.roofline import placement
from ..results import Measurement, Progress
from .colours import BEST, OTHER
from .markup import bar_cell
from .wording import count_text, seconds_text, share_text, spread_text, times_text

MOST_ROWS = 8
HINT = "interrupt keeps the best"


def live_line(progress: Progress, hint: str = HINT) -> str:
    """``heat · openmp · 17/48 variants · best 1.9 ms · 212× · 61 % of roof · 12 s left · ...``.

    Before the first timing it says how many variants there are, and about how long they take.
    """
    timed, left = _timed(progress), progress.left_s
    parts = [progress.kernel, progress.platform, _count(progress)]
    if timed:
        parts.append(f"best {seconds_text(timed[0].median_s)}")
        parts += [times_text(progress.python_s / timed[0].median_s)] if progress.python_s else []
        placed = placement(progress, timed[0])
        parts += [f"{share_text(placed.fraction)} of roof"] if placed else []
        parts += [f"{seconds_text(left)} left"] if left else []
    else:
        parts.append(progress.phase)
        parts += [f"about {seconds_text(left)}"] if left else []
    return " · ".join(filter(None, [*parts, hint]))


def stopped_line(progress: Progress) -> str:
    """What stays when a race was broken off without a result."""
    stopped = " at ".join(filter(None, ("stopped", _count(progress))))
    return " · ".join(filter(None, (progress.kernel, progress.platform, stopped)))


def live_html(progress: Progress) -> str:
    """The line, and the fastest variants so far: time, speedup, share of the roof."""
    shown = _timed(progress)[:MOST_ROWS]
    line = f'<p style="margin:.2em 0 .5em">{escape(live_line(progress))}</p>'
    if not shown:
        return line
    slowest = max(m.median_s for m in shown)
    most = max([2.0, *(progress.python_s / m.median_s for m in shown)])
    rows = []
    for place, m in enumerate(shown):
        colour = OTHER if place else BEST
        name = f"{'●' if place else '◆'} {m.config}"
        cells = [bar_cell(m.median_s / slowest, spread_text(m.median_s, m.mad_s), colour)]
        if progress.python_s:
            ratio = progress.python_s / m.median_s
            cells.append(bar_cell(log(max(ratio, 1.0)) / log(most), times_text(ratio), colour))
        if progress.roofs is not None:
            placed = placement(progress, m)
            text = share_text(placed.fraction) if placed else "unknown"
            cells.append(bar_cell(placed.fraction if placed else 0.0, text, colour))
        head = f'<th scope="row" style="text-align:left;white-space:nowrap">{escape(name)}</th>'
        rows.append(f"<tr>{head}{''.join(cells)}</tr>")
    heads = ["variant", "median ± MAD", *(["speedup (log)"] if progress.python_s else [])]
    heads += ["of the measured roof"] if progress.roofs is not None else []
    head = "".join(f'<th scope="col" style="text-align:left">{h}</th>' for h in heads)
    table = f'<table style="margin-left:0"><thead><tr>{head}</tr></thead>'
    return f"{line}{table}<tbody>{''.join(rows)}</tbody></table>"


def _timed(progress: Progress) -> list[Measurement]:
    """The variants that have been timed and may be chosen, the fastest first."""
    usable = (m for m in progress.measurements if m.verdict in ("correct", "unchecked"))
    return sorted((m for m in usable if m.times_s), key=lambda m: m.median_s)


def _count(progress: Progress) -> str:
    if not progress.total:
        return ""
    total = count_text(progress.total)
    return f"{count_text(progress.done)}/{total} variants" if progress.done else f"{total} variants"
