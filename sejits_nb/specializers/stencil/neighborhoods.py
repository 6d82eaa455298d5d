"""Which points ``u.neighbors(x, r)`` visits, and in which order: the one place that says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import product
from typing import Any

METRICS: dict[str, Callable[[tuple[int, ...]], int]] = {
    "l1": lambda offset: sum(map(abs, offset)),
    "moore": lambda offset: max(map(abs, offset)),
}
"""Metric -> distance of an offset: L1 (von Neumann, the default) and L-infinity (Moore)."""


def offsets_of(
    ndim: int, wanted: int | Iterable[Iterable[int]], metric: str = "l1"
) -> tuple[tuple[int, ...], ...]:
    """The offsets of a radius, or of a named neighborhood: a sequence of offsets, in its order."""
    if isinstance(wanted, Iterable):
        return tuple(tuple(offset) for offset in wanted)
    return neighborhood(ndim, wanted, metric)


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


def weights_of(table: Any, ndim: int) -> tuple[tuple[tuple[int, ...], Any], ...] | None:
    """Offset and weight of each entry of a table centred on the point; entries of zero are left out.

    *table* is a nested tuple of *ndim* levels, every length odd; ``None`` for anything else.

    >>> weights_of(((0, 1, 0), (2, 3, 4), (0, 5, 0)), 2)
    (((-1, 0), 1), ((0, -1), 2), ((0, 0), 3), ((0, 1), 4), ((1, 0), 5))
    """
    shape: list[int] = []
    level = table
    while isinstance(level, tuple) and level:
        shape.append(len(level))
        level = level[0]
    if len(shape) != ndim or not all(length % 2 for length in shape):
        return None
    found = []
    for place in product(*map(range, shape)):
        entry = table
        for i in place:
            if not isinstance(entry, tuple) or i >= len(entry):
                return None
            entry = entry[i]
        if isinstance(entry, tuple | str):
            return None
        if entry:
            found.append((tuple(i - n // 2 for i, n in zip(place, shape, strict=True)), entry))
    return tuple(found)
