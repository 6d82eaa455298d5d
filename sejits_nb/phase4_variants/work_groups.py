"""Work-groups: how many neighboring work-items run together, as whole rows where they fit.

for i in [1, 511)  [work-item 1]             [work-item 1, groups of 2]
  for j in [1, 511)  [work-item 0]     ->      [work-item 0, groups of 510]

The size of a group divides the number of work-items, so that no work-item needs a bounds test.  Rows
that are too long for a group and have no divisor near its size are cut in two nests:

  for j in [1, 8192)  [work-item 0]     ->     for j in [1, 4097)  [work-item 0, groups of 4096]
                                               for j in [4097, 8192)  [work-item 0, groups of 4095]

A number of work-items that only a call knows is a multiple of the group's size: the lowering rounds it
up.  What the lowering has grouped itself stays as it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from ..ir.dast import Statement
from ..ir.node import Node, walk
from ..ir.past import For, If, Literal, Unit
from .loops import trip_count

_POOR = 4
"""A group smaller than the wanted size by more than this factor is worth a second launch."""


def work_groups(unit: Unit, size: int, rows: int, most: int) -> Unit:
    """*unit* in work-groups of at most *size* items along dimension 0 and *rows* along dimension 1,
    *most* in all: the largest divisors of the trip counts that are no larger."""

    def grouped(body: tuple[Statement, ...]) -> Iterator[Statement]:
        for s in body:
            if isinstance(s, If):
                yield dataclasses.replace(s, body=tuple(grouped(s.body)))
            elif isinstance(s, For) and not any(_is_grouped(n) for n in walk(s)):
                for part in _cut(s, min(size, most)):
                    yield _grouped(part, size, rows, most)
            else:
                yield s

    function = dataclasses.replace(unit.function, body=tuple(grouped(unit.function.body)))
    return dataclasses.replace(unit, function=function)


def _is_grouped(n: Node) -> bool:
    return isinstance(n, For) and (n.group > 0 or n.work_group is not None)


def _cut(loop: For, limit: int) -> tuple[For, ...]:
    """*loop*, or the nest twice: whole groups of *limit* items, and what is left of each row."""
    count = _work_items(loop).get(0, 0) or 0
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


def _work_items(loop: For) -> dict[int, int | None]:
    """Dimension -> its work-items in the nest of *loop*; ``None`` where only a call knows them."""
    inner = loop.body[0] if len(loop.body) == 1 else None
    found = _work_items(inner) if isinstance(inner, For) else {}
    return found if loop.work_item is None else found | {loop.work_item: trip_count(loop)}


def _with_groups(loop: For, groups: dict[int, int]) -> For:
    body = tuple(_with_groups(s, groups) if isinstance(s, For) else s for s in loop.body)
    group = 0 if loop.work_item is None else groups[loop.work_item]
    return dataclasses.replace(loop, body=body, group=group)


def _divisor(count: int | None, limit: int) -> int:
    """The largest divisor of *count* that is at most *limit*, which divides a *count* of a call's.

    >>> _divisor(510, 4096), _divisor(510, 256), _divisor(509, 256), _divisor(0, 64)
    (510, 255, 1, 1)
    """
    if count is None:
        return limit
    return next((d for d in range(min(count, limit), 0, -1) if count % d == 0), 1)
