"""What the live display says of a training: the line, and the log-likelihood and the variants as bars.

The bars are cells of a table, so that the numbers are there too; what stays in a notebook is the same.
"""

from __future__ import annotations

from html import escape
from math import isfinite
from statistics import median

from ..results import Training
from .markup import bar_cell
from .wording import count_text, seconds_text

_MOST_ROWS = 10
_COLOUR = "#0072b2"


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
    lately = training.seconds_each[-_MOST_ROWS:] or (training.seconds / done,)
    parts.append(f"{seconds_text(median(lately))} each")
    parts += ["converged"] if training.converged else []
    parts += [training.note] if training.note else []
    return " · ".join(parts)


def training_html(training: Training) -> str:
    """The line, and below it the mean log-likelihood of an event at some of the iterations; where
    several variants took turns, what an iteration of each took."""
    line = f'<p style="margin:.2em 0 .5em">{escape(training_line(training))}</p>'
    means = [value / training.events for value in training.log_likelihoods]
    finite = [mean for mean in means if isfinite(mean)]
    if len(finite) < 2:
        return line + _variants(training)
    low, high = min(finite), max(finite)
    rows = []
    for n in _told(len(means)):
        mean = means[n - 1]
        part = (mean - low) / ((high - low) or 1.0) if isfinite(mean) else 0.0
        gain = f"{mean - means[n - 2]:+.2g}" if n > 1 else ""
        rows.append(
            f'<tr><th scope="row" style="text-align:left">{count_text(n)}</th>'
            f'{bar_cell(part, f"{mean:.6g}", _COLOUR)}<td style="text-align:left">{gain}</td></tr>'
        )
    heads = ("iteration", "mean log-likelihood of an event", "gain")
    return line + _table(heads, rows) + _variants(training)


def _variants(training: Training) -> str:
    """The variants that ran, fastest first: median seconds of an iteration, and how many there were."""
    times: dict[str, list[float]] = {}
    for name, seconds in zip(training.variants, training.seconds_each, strict=True):
        times.setdefault(name, []).append(seconds)
    if len(times) < 2:
        return ""
    medians = {name: median(each) for name, each in times.items()}
    slowest = max(medians.values()) or 1.0
    rows = [
        f'<tr><th scope="row" style="text-align:left">{escape(name)}</th>'
        f"{bar_cell(seconds / slowest, seconds_text(seconds), _COLOUR)}"
        f'<td style="text-align:left">{count_text(len(times[name]))}</td></tr>'
        for name, seconds in sorted(medians.items(), key=lambda item: item[1])
    ]
    return _table(("variant", "median of an iteration", "iterations"), rows)


def _table(heads: tuple[str, ...], rows: list[str]) -> str:
    head = "".join(f'<th scope="col" style="text-align:left">{h}</th>' for h in heads)
    table = f'<table style="margin-left:0"><thead><tr>{head}</tr></thead>'
    return f"{table}<tbody>{''.join(rows)}</tbody></table>"


def _told(count: int) -> list[int]:
    """Of *count* iterations those in the table: close together at first, where most is gained."""
    steps = range(_MOST_ROWS)
    return sorted({round(count ** (step / (_MOST_ROWS - 1))) for step in steps} | {1, count})
