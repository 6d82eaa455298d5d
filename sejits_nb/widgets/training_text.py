"""What the live display says of a training: the line, the log-likelihood as a plot, and the variants
as bars.

What stays in a notebook is the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from math import isfinite
from statistics import median

from ..results import Training
from .colours import BEST, OTHER
from .markup import bar_cell, table
from .training_plot import likelihood_plot
from .wording import count_text, seconds_text

_MOST_ROWS = 8
_MOST_TOLD = 10


def training_line(training: Training) -> str:
    """``iteration 12 of 100 · log-likelihood −2656.14 · +3.2e-3 an event · 1.2 ms each``, and how it
    ended."""
    done, found = training.iterations, training.log_likelihoods
    if not done:
        return training.note or "no iteration yet"
    parts = [f"iteration {count_text(done)} of {count_text(training.limit)}",
             f"log-likelihood {found[-1]:.8g}"]  # fmt: skip
    if done > 1:
        parts.append(f"{(found[-1] - found[-2]) / training.events:+.2g} an event")
    lately = training.seconds_each[-_MOST_TOLD:] or (training.seconds / done,)
    parts.append(f"{seconds_text(median(lately))} each")
    parts += ["converged"] if training.converged else []
    parts += [training.note] if training.note else []
    return " · ".join(parts)


def training_html(training: Training) -> str:
    """The line; below it the plot, beside that what an iteration of each variant took, and at the end,
    folded up, the numbers of the plot."""
    line = f'<p style="margin:.2em 0 .5em">{escape(training_line(training))}</p>'
    parts = [part for part in (likelihood_plot(training), _variants(training)) if part]
    row = "".join(f"<div>{part}</div>" for part in parts)
    shown = f'<div style="display:flex;flex-wrap:wrap;gap:.5em 1.5em">{row}</div>' if row else ""
    return line + shown + _numbers(training)


def _variants(training: Training) -> str:
    """The variants that ran, fastest first: median seconds of an iteration, and how many there were."""
    times: dict[str, list[float]] = {}
    for name, seconds in zip(training.variants, training.seconds_each, strict=True):
        times.setdefault(name, []).append(seconds)
    if not times:
        return ""
    medians = {name: median(each) for name, each in times.items()}
    names, rows = _told_apart(times), []
    shown = sorted(medians.items(), key=lambda item: item[1])[:_MOST_ROWS]
    for place, (name, seconds) in enumerate(shown):
        mark, colour, weight = ("●", OTHER, "normal") if place else ("◆", BEST, "bold")
        head = f"text-align:left;font-weight:{weight}"
        rows.append(
            f'<tr><th scope="row" style="{head}">{mark} {escape(names[name])}</th>'
            f"{bar_cell(seconds / (shown[-1][1] or 1.0), seconds_text(seconds), colour)}"
            f'<td style="text-align:right">{count_text(len(times[name]))}</td></tr>'
        )
    heads = ("variant", "median of an iteration", "iterations")
    head = "".join(f'<th scope="col" style="text-align:left">{h}</th>' for h in heads)
    left_out = len(times) - len(shown)
    more = f"<p>… {count_text(left_out)} slower not shown</p>" if left_out else ""
    return (
        f'<table style="margin-left:0"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>{more}"
    )


def _told_apart(names: Iterable[str]) -> dict[str, str]:
    """Of each variant's name the words that not all have: platform and knobs in which they differ."""
    words = {name: name.split() for name in names}
    knobs = [set(each) for each in words.values() if len(each) > 1]
    same = set.intersection(*knobs) if len(knobs) > 1 else set()
    return {name: " ".join(w for w in each if w not in same) for name, each in words.items()}


def _numbers(training: Training) -> str:
    """The plot as a table: some of the iterations."""
    means = [value / training.events for value in training.log_likelihoods]
    if sum(map(isfinite, means)) < 2:
        return ""
    rows = [
        (
            count_text(n),
            f"{means[n - 1]:.6g}",
            f"{means[n - 1] - means[n - 2]:+.2g}" if n > 1 else "",
        )
        for n in _told(len(means))
    ]
    heads, numeric = ("iteration", "mean log-likelihood of an event", "gain"), (False, True, True)
    told = table(heads, rows, numeric, "Close together at first, where most is gained")
    return f"<details><summary>The numbers</summary>{told}</details>"


def _told(count: int) -> list[int]:
    """Of *count* iterations those in the table."""
    shares = (step / (_MOST_TOLD - 1) for step in range(_MOST_TOLD))
    return sorted({round(count**share) for share in shares} | {1, count})
