"""How numbers read everywhere: card, figure, alt text and live line say the same thing alike."""

from __future__ import annotations

import math

_UNITS = ((1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def seconds_text(seconds: float) -> str:
    """A duration, two digits at least: ``1.9 ms``, ``0.4 s``, ``3 min 5 s``.

    >>> seconds_text(0.0019), seconds_text(0.41), seconds_text(12.7e-6), seconds_text(185)
    ('1.9 ms', '0.4 s', '13 µs', '3 min 5 s')
    """
    if not math.isfinite(seconds):
        return "not timed"
    if seconds >= 119.5:
        minutes, rest = divmod(round(seconds), 60)
        return f"{count_text(minutes)} min {rest} s"
    scale, unit = _unit(seconds)
    value = seconds / scale
    return f"{value:.{1 if value < 9.95 else 0}f} {unit}"


def spread_text(median_s: float, mad_s: float) -> str:
    """A median and its median absolute deviation in one unit: ``1.92 ± 0.03 ms``."""
    if not math.isfinite(median_s):
        return "not timed"
    scale, unit = _unit(median_s)
    digits = 2 if median_s / scale < 9.995 else 1 if median_s / scale < 99.95 else 0
    return f"{median_s / scale:.{digits}f} ± {mad_s / scale:.{digits}f} {unit}"


def times_text(ratio: float) -> str:
    """A ratio in two or three digits: ``4 200×``, ``212×``, ``3.4×``, ``0.082×``."""
    if ratio >= 9.95:
        return f"{count_text(round(float(f'{ratio:.3g}')))}×"
    return f"{ratio:.1f}×" if ratio >= 0.95 else f"{ratio:.2g}×"


def share_text(share: float) -> str:
    """A share of something in per cent: ``61 %``."""
    return f"{100 * share:.0f} %"


def count_text(count: int) -> str:
    """A count with its thousands apart: ``262 144``."""
    return f"{count:,}".replace(",", " ")


def lines_text(count: int, language: str) -> str:
    """``712 lines of C``, ``1 line of Python``."""
    return f"{count_text(count)} line{'' if count == 1 else 's'} of {language}"


def _unit(seconds: float) -> tuple[float, str]:
    """The unit to say *seconds* in: tenths of a second stay seconds, all else is 1 to 1000."""
    if seconds >= 0.0995:
        return 1.0, "s"
    return next((u for u in _UNITS if seconds >= 0.9995 * u[0]), _UNITS[-1])
