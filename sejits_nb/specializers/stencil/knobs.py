"""Which variants of a stencil are worth a try, for the loop nest and the machine at hand."""

from __future__ import annotations

from math import prod

from ...contracts import Constraint, Knob
from ...ir.node import walk
from ...ir.past import For, Literal, Unit

SERIAL_BELOW_POINTS = 32_768
"""Under this many points starting the threads costs more than they save."""

PAST_CACHES_BYTES = 32 << 20
"""Grids of more bytes than this live in memory: the model then streams results past the caches."""

LONG_ROW = 64
"""Rows of at least this many points are worth cutting at the starts of cache lines."""

WHOLE_POINTS, WHOLE_LINES = 16, 400
"""Up to this many points, and lines of C, a grid is unrolled as a whole."""

_HINTS_NEED_LINES = Constraint(
    lambda values: values["stream"] == 1 or values["prefetch"] == 0,
    "hints are given line by line: prefetch needs stream=1",
)

_GROUPS = (
    Knob("group", (64, 256, 4096), 4096, "most work-items along a row in one work-group"),
    Knob("rows", (1, 2), 1, "rows in one work-group"),
)


def knobs(unit: Unit, threads: int) -> tuple[Knob, ...]:
    """The knobs of the nest at hand, what matters most first; defaults are the model's choice.

    ``threads``; of rows ``unroll`` (rows or planes a step), of planes ``tile`` (rows a block), of
    long rows ``stream`` and ``prefetch``; of tiny grids ``whole``.  Grids in memory stream, fetch the
    next step and, planes, go by tiles; smaller ones keep the plain loops.  Of work-items the shape of
    a group: ``group`` and ``rows``.
    """
    core = next(s for s in unit.function.body if isinstance(s, For))
    nest = [n for n in walk(core) if isinstance(n, For)]
    if nest[-1].work_item is not None:
        return _GROUPS
    points = prod(_count(loop) for loop in nest)
    most = max(1, min(threads, _count(nest[0])))
    large = points >= SERIAL_BELOW_POINTS
    point_bytes = sum(p.dtype.size_bytes for p in unit.function.params if p.pointer)
    in_memory = points * point_bytes > PAST_CACHES_BYTES
    rows, planes, long_rows = len(nest) > 1, len(nest) > 2, _count(nest[-1]) >= LONG_ROW
    streams = rows and large and long_rows
    work = sum(_points(s) for s in unit.function.body if isinstance(s, For))
    found: list[Knob] = [
        Knob("threads", tuple(sorted({1, most})), most if large else 1, "OpenMP threads")
    ]
    if rows:
        step = (1, 2, 4) if planes else (1, 2, 4, 8)
        found.append(Knob("unroll", step, 2 if in_memory and streams else 1,
                          "iterations of the outermost grid loop in one step"))  # fmt: skip
    if planes:
        found.append(Knob("tile", (0, 16, 32, 64), 32 if in_memory and streams else 0,
                          "iterations of the second loop in one block (0: no blocks)"))  # fmt: skip
    if streams:
        found.append(Knob("stream", (0, 1), int(in_memory),
                          "1: results past the caches, by whole lines"))  # fmt: skip
        found.append(Knob("prefetch", (0, 1, 256), int(in_memory),
                          "hints for the next step (1), or elements ahead (0: none)",
                          (_HINTS_NEED_LINES,)))  # fmt: skip
    if 0 < work <= WHOLE_POINTS and work * len(nest[-1].body) <= WHOLE_LINES:
        found.append(Knob("whole", (0, 1), 1, "1: the whole grid as straight-line code"))
    return tuple(found)


def _points(loop: For) -> int:
    inner = [s for s in loop.body if isinstance(s, For)]
    return _count(loop) * (sum(map(_points, inner)) if inner else 1)


def _count(loop: For) -> int:
    assert isinstance(loop.start, Literal) and isinstance(loop.stop, Literal)
    return max(0, int(loop.stop.value) - int(loop.start.value))
