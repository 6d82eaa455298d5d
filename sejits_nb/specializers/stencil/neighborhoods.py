"""Which points ``u.neighbors(x, r)`` visits, and in which order: the one place that says so."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import product

METRICS: dict[str, Callable[[tuple[int, ...]], int]] = {
    "l1": lambda offset: sum(map(abs, offset)),
    "moore": lambda offset: max(map(abs, offset)),
}
"""Metric -> distance of an offset: L1 (von Neumann, the default) and L-infinity (Moore)."""


@lru_cache(maxsize=256)
def neighborhood(ndim: int, radius: int, metric: str = "l1") -> tuple[tuple[int, ...], ...]:
    """Offsets within *radius*, the centre excluded unless *radius* is 0, in lexicographic order.

    >>> neighborhood(2, 1)
    ((-1, 0), (0, -1), (0, 1), (1, 0))
    """
    distance = METRICS[metric]
    reach = range(-radius, radius + 1)
    return tuple(
        offset
        for offset in product(reach, repeat=ndim)
        if distance(offset) <= radius and (any(offset) or radius == 0)
    )
