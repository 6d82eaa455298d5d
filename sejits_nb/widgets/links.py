"""Which stretch of the cell each line of a level comes from, as small numbers.

Every distinct span that a level's lines point at is a *group*.  Groups are numbered in the order of
the source, an enclosing one before those inside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

from ..stages import Step, Trace, source_lines

Place = tuple[int, int, int, int]
"""A span as plain numbers: first line (from 1), column (from 0), last line, end column (exclusive)."""


class Segment(NamedTuple):
    """A stretch of one line of the cell: the groups that cover it, and those that begin with it."""

    text: str
    covered_by: tuple[int, ...]
    begins: tuple[int, ...]


def places(step: Step) -> list[Place | None]:
    """Where each line of *step* comes from."""
    spans = (line.loc for line in step.lines)
    return [None if s is None else (s.line, s.col, s.end_line, s.end_col) for s in spans]


def groups(steps: Iterable[Step]) -> dict[Place, int]:
    """The numbers, from 1, of all places that the lines of *steps* come from."""
    found = {place for step in steps for place in places(step) if place is not None}
    ordered = sorted(found, key=lambda p: (p[0], p[1], -p[2], -p[3]))
    return {place: number for number, place in enumerate(ordered, 1)}


def numbering(trace: Trace) -> dict[Place, int]:
    """Numbers for all places of *trace*, in the order of the source: those of the levels as they have
    them on the card, then those that only other steps point at."""
    known = groups(level_steps(trace))
    others = groups(trace.steps)
    more = iter(range(len(known) + 1, len(others) + 1))
    return {place: known[place] if place in known else next(more) for place in others}


def groups_of(step: Step, numbers: Mapping[Place, int]) -> list[int]:
    """The group of each line of *step*, or the innermost one around it; 0 for one from nowhere."""
    return [
        0 if p is None else numbers[p] if p in numbers else (0, *enclosing(p, numbers))[-1]
        for p in places(step)
    ]


def enclosing(place: Place, numbers: Mapping[Place, int]) -> tuple[int, ...]:
    """The groups that contain *place*, itself included, the outermost first.

    *numbers* are in the order of the source, as :func:`groups` and :func:`numbering` give them.
    """
    return tuple(
        number
        for other, number in numbers.items()
        if other[:2] <= place[:2] and place[2:] <= other[2:]
    )


def level_steps(trace: Trace) -> tuple[Step, ...]:
    """The levels beside the cell: the optimised DAST, the chosen variant's PAST, generated code."""
    kinds = ((1, 2), (3, 4), (5,))
    last = (next((s for s in reversed(trace.steps) if s.phase in kind), None) for kind in kinds)
    return tuple(step for step in last if step is not None)


def segments(text: str, numbers: Mapping[Place, int]) -> list[list[Segment]]:
    """Each line of *text* cut wherever a group begins or ends; indentation belongs to none."""
    return [_cut(line, number, numbers) for number, line in enumerate(source_lines(text), 1)]


def snippet(text: str, place: Place, most: int = 48) -> str:
    """The code at *place*, its first line, cut to *most* characters."""
    lines = source_lines(text)
    line, col, end_line, end_col = place
    if line > len(lines):
        return ""
    code = lines[line - 1][col : end_col if end_line == line else None].rstrip()
    return code if end_line == line and len(code) <= most else code[: most - 1] + "…"


def _cut(line: str, number: int, numbers: Mapping[Place, int]) -> list[Segment]:
    margin, end = len(line) - len(line.lstrip()), len(line.rstrip())
    here: list[tuple[int, int, int, bool]] = []
    for (first, col, last, end_col), group in numbers.items():
        if first <= number <= last:
            start = col if number == first else margin
            stop = min(end_col, end) if number == last else end
            if start < stop:
                here.append((start, stop, group, number == first))
    edges = sorted({0, len(line), *(e for start, stop, *_ in here for e in (start, stop))})
    return [
        Segment(
            line[a:b],
            tuple(g for start, stop, g, _ in here if start <= a < stop),
            tuple(g for start, _, g, begins in here if begins and start == a),
        )
        for a, b in pairwise(edges)
    ]
