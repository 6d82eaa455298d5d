"""The log-likelihood of a training over its iterations, as a line.

It is an SVG, drawn in a fraction of a millisecond, and an image, as a sanitizer drops inline SVG; its
ground is that of the other figures, and its text alternative has the numbers.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, isfinite, log10

from ..results import Training
from .colours import FAINT, GRID, INK, OTHER
from .markup import image_html
from .wording import count_text

_WIDTH, _HEIGHT = 480, 220
_TOP, _RIGHT, _BOTTOM = 30, 22, 38
_DIGIT = 6.8
"""About the width of a digit, pixels: the labels of the vertical axis say how much room they need."""
_MOST_POINTS = 400
_MOST_ZOOM = 10
"""The first tenth of the iterations, where most is gained, may rise from below the plot: what the
others gain is then seen, up to so many times larger."""
_TITLE = "mean log-likelihood of an event"

Point = tuple[float, float]


def likelihood_plot(training: Training) -> str:
    """The image as HTML; nothing before two iterations have found a finite log-likelihood."""
    means = [value / training.events for value in training.log_likelihoods]
    points = [(n, mean) for n, mean in enumerate(means, 1) if isfinite(mean)]
    if len(points) < 2:
        return ""
    svg = "".join(_drawn(points, len(means)))
    data = base64.b64encode(svg.encode()).decode()
    return image_html(data, _words(points), (_WIDTH, _HEIGHT), "svg+xml")


def round_steps(low: float, high: float, most: int, least: float = 0.0) -> tuple[float, ...]:
    """At most *most* + 1 multiples of 1, 2 or 5 times a power of ten, *least* apart at least.

    >>> round_steps(1, 25, 6, least=1), round_steps(-3.21, -2.98, 4)
    ((5.0, 10.0, 15.0, 20.0, 25.0), (-3.2, -3.1, -3.0))
    """
    rough = max((high - low) / most, least)
    power = floor(log10(rough))
    digit = next(d for d in (1, 2, 5, 10) if float(f"{d}e{power}") >= 0.999 * rough)
    step = float(f"{digit}e{power}")
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return tuple(float(f"{n * digit}e{power}") for n in range(first, last + 1))


def _drawn(points: Sequence[Point], count: int) -> Iterator[str]:
    """The elements of the SVG."""
    values = [mean for _, mean in points]
    high = max(values)
    low = min(*values[len(values) // 10 :], high - (high - min(values)) / _MOST_ZOOM)
    spread = max(high - low, 1e-6 * max(abs(low), abs(high)), 1e-300)
    low, high = low - 0.06 * spread, high + 0.06 * spread
    rows = round_steps(low, high, 5)
    decimals = max((len(f"{value:.9f}".rstrip("0").partition(".")[2]) for value in rows), default=0)
    labels = [_number(value, decimals) for value in rows]
    left = 14 + _DIGIT * max(map(len, labels), default=0)
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM

    def place(n: float, mean: float) -> Point:
        across, up = (n - 1) / (count - 1), (mean - low) / (high - low)
        return round(left + across * (right - left), 1), round(bottom - up * (bottom - _TOP), 1)

    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="system-ui,sans-serif" font-size="12" '
        f'fill="{INK}"><rect width="100%" height="100%" fill="#fff"/>'
    )
    yield _text(8, 17, _TITLE, "start")
    for value, label in zip(rows, labels, strict=True):
        y = place(1, value)[1]
        yield f'<path d="M{left} {y}H{right}" stroke="{GRID}"/>'
        yield _text(left - 6, y + 4, label, "end")
    yield f'<path d="M{left} {bottom}H{right}" stroke="{FAINT}"/>'
    for n in round_steps(1, count, 6, least=1):
        x = place(n, low)[0]
        yield f'<path d="M{x} {bottom}v4" stroke="{FAINT}"/>'
        yield _text(x, bottom + 17, count_text(int(n)), "middle")
    yield _text((left + right) / 2, _HEIGHT - 5, "iteration", "middle")
    line = " ".join(f"{x},{y}" for x, y in (place(*point) for point in _thinned(points)))
    yield (
        f'<clipPath id="plot"><path d="M0 0H{_WIDTH}V{bottom}H0"/></clipPath><polyline points="{line}" '
        f'clip-path="url(#plot)" fill="none" stroke="{OTHER}" stroke-width="2"/>'
    )
    x, y = place(*points[-1])
    yield f'<circle cx="{x}" cy="{y}" r="4" fill="{OTHER}"/>'
    last = f"{points[-1][1]:.7g}".replace("-", "−")
    yield f'<g font-weight="600">{_text(right, 17, last, "end")}</g>'
    yield "</svg>"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'


def _number(value: float, decimals: int) -> str:
    """Of so many decimals, with a minus sign, as axes have it; ``1.2e+12`` where that is too long."""
    text = f"{value:.{decimals}f}"
    return (text if len(text) <= 12 else f"{value:.4g}").replace("-", "−")


def _thinned(points: Sequence[Point]) -> list[Point]:
    """At most :data:`_MOST_POINTS` of them, evenly, with both ends: a pixel shows no more."""
    last = len(points) - 1
    shown = min(last, _MOST_POINTS)
    return [points[round(n * last / shown)] for n in range(shown + 1)]


def _words(points: Sequence[Point]) -> str:
    (first, low), (last, high) = points[0], points[-1]
    return (
        f"Line plot, {_TITLE} over iterations: {low:.6g} in iteration {count_text(int(first))}, "
        f"{high:.6g} in iteration {count_text(int(last))}."
    )
