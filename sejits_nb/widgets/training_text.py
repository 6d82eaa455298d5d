"""What the live display says of a training: the line, and a curve of the log-likelihood.

The curve is an SVG of one path: it takes a fraction of a millisecond, so it can follow the training.
"""

from __future__ import annotations

from html import escape
from math import isfinite

from ..results import Training
from .wording import count_text, seconds_text

_WIDTH, _HEIGHT, _MARGIN = 360, 110, 14
_MOST_POINTS = 400
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
    parts.append(f"{seconds_text(training.seconds / done)} each")
    parts += ["converged"] if training.converged else []
    parts += [training.note] if training.note else []
    return " · ".join(parts)


def training_html(training: Training) -> str:
    """The line, and below it the mean log-likelihood of an event over the iterations."""
    line = f'<p style="margin:.2em 0 .5em">{escape(training_line(training))}</p>'
    every = max(1, training.iterations // _MOST_POINTS)
    means = [(n + 1, v / training.events) for n, v in enumerate(training.log_likelihoods)
             if isfinite(v) and (n % every == 0 or n + 1 == training.iterations)]  # fmt: skip
    if len(means) < 2:
        return line
    low, high = min(v for _, v in means), max(v for _, v in means)
    across, up = _WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN
    last = means[-1][0]
    points = " ".join(
        f"{_MARGIN + across * (n - 1) / max(1, last - 1):.1f},"
        f"{_MARGIN + up * (high - v) / ((high - low) or 1.0):.1f}"
        for n, v in means
    )
    label = f"mean log-likelihood of an event, {low:.4g} to {high:.4g}, iterations 1 to {last}"
    text = 'font-size="10" fill="currentColor"'
    return (
        f'{line}<svg role="img" aria-label="{escape(label)}" width="{_WIDTH}" height="{_HEIGHT}">'
        f'<polyline fill="none" stroke="{_COLOUR}" stroke-width="2" points="{points}"/>'
        f'<text x="2" y="10" {text}>{high:.5g}</text>'
        f'<text x="2" y="{_HEIGHT - 2}" {text}>{low:.5g}</text>'
        f'<text x="{_WIDTH - 2}" y="{_HEIGHT - 2}" text-anchor="end" {text}>iteration {last}</text>'
        f"</svg>"
    )
