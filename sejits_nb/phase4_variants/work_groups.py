"""Work-groups: how many neighboring work-items run together, as whole rows where they fit.

for i in [1, 511)  [work-item 1]             [work-item 1, groups of 2]
  for j in [1, 511)  [work-item 0]     ->      [work-item 0, groups of 510]

The size of a group divides the number of work-items, so that no work-item needs a bounds test.  Rows
that are too long for a group and have no divisor near its size are cut in two nests:

  for j in [1, 8192)  [work-item 0]     ->     for j in [1, 4097)  [work-item 0, groups of 4096]
                                               for j in [4097, 8192)  [work-item 0, groups of 4095]
"""

from __future__ import annotations

import dataclasses

from ..ir.dast import Statement
from ..ir.past import For, Literal, Unit
from .loops import replace_outermost, trip_count

_POOR = 4
"""A group smaller than the wanted size by more than this factor is worth a second launch."""


def work_groups(unit: Unit, size: int, rows: int, most: int) -> Unit:
    """*unit* in work-groups of at most *size* items along dimension 0 and *rows* along dimension 1,
    *most* in all: the largest divisors of the trip counts that are no larger."""

    def grouped(loop: For) -> tuple[Statement, ...]:
        return tuple(_grouped(part, size, rows, most) for part in _cut(loop, min(size, most)))

    return replace_outermost(unit, grouped)


def _cut(loop: For, limit: int) -> tuple[For, ...]:
    """*loop*, or the nest twice: whole groups of *limit* items, and what is left of each row."""
    count = _work_items(loop).get(0, 0)
    if count <= limit or _divisor(count, limit) * _POOR >= limit:
        return (loop,)
    whole = count - count % limit
    return _with_part(loop, 0, whole), _with_part(loop, whole, count)


def _with_part(loop: For, first: int, end: int) -> For:
    """*loop* with the items from *first* to *end* of dimension 0 only."""
    if loop.work_item == 0:
        assert isinstance(loop.start, Literal)
        start = int(loop.start.value)
        return dataclasses.replace(
            loop,
            start=dataclasses.replace(loop.start, value=start + first),
            stop=dataclasses.replace(loop.start, value=start + end),
        )
    (inner,) = loop.body
    assert isinstance(inner, For)
    return dataclasses.replace(loop, body=(_with_part(inner, first, end),))


def _grouped(s: For, size: int, rows: int, most: int) -> For:
    nest = _work_items(s)
    first = _divisor(nest.get(0, 1), min(size, most))
    groups = {0: first, 1: _divisor(nest.get(1, 1), min(rows, most // first)), 2: 1}
    return _with_groups(s, groups)


def _work_items(loop: For) -> dict[int, int]:
    """Dimension -> its work-items in the nest of *loop*."""
    inner = loop.body[0] if len(loop.body) == 1 else None
    found = _work_items(inner) if isinstance(inner, For) else {}
    count = trip_count(loop)
    return found if loop.work_item is None or count is None else found | {loop.work_item: count}


def _with_groups(loop: For, groups: dict[int, int]) -> For:
    body = tuple(_with_groups(s, groups) if isinstance(s, For) else s for s in loop.body)
    group = 0 if loop.work_item is None else groups[loop.work_item]
    return dataclasses.replace(loop, body=body, group=group)


def _divisor(count: int, limit: int) -> int:
    """The largest divisor of *count* that is at most *limit*.

    >>> _divisor(510, 4096), _divisor(510, 256), _divisor(509, 256), _divisor(0, 64)
    (510, 255, 1, 1)
    """
    return next((d for d in range(min(count, limit), 0, -1) if count % d == 0), 1)
