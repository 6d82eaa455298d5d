"""Which variants of a stencil are worth a try, for the loop nest and the machine at hand."""

from __future__ import annotations

from math import prod

from ...contracts import Knob
from ...ir.node import walk
from ...ir.past import For, Literal, Unit

SERIAL_BELOW_POINTS = 32_768
"""Under this many points starting the threads costs more than they save."""

WHOLE_POINTS, WHOLE_LINES = 16, 400
"""Up to this many points, and lines of C, a grid is unrolled as a whole."""

_GROUPS = (
    Knob("group", (64, 256, 4096), 4096, "most work-items along a row in one work-group"),
    Knob("rows", (1, 2), 1, "rows in one work-group"),
)


def knobs(unit: Unit, threads: int) -> tuple[Knob, ...]:
    """``threads``, ``unroll`` (rows or planes a step) and ``tile`` (rows a block); of work-items
    ``group`` and ``rows``, their shape; of a tiny grid ``whole``.

    Defaults are the model's choice: all threads on large grids, one row a step, no tiling.
    """
    core = next(s for s in unit.function.body if isinstance(s, For))
    nest = [n for n in walk(core) if isinstance(n, For)]
    if nest[-1].work_item is not None:
        return _GROUPS
    points = prod(_count(loop) for loop in nest)
    most = max(1, min(threads, _count(nest[0])))
    default_threads = most if points >= SERIAL_BELOW_POINTS else 1
    work = sum(_points(s) for s in unit.function.body if isinstance(s, For))
    lines = len(nest[-1].body)
    found = [
        Knob("threads", tuple(sorted({1, most})), default_threads, "OpenMP threads"),
        Knob("unroll", (1, 2, 4), 1, "iterations of the outermost grid loop in one step")
        if len(nest) > 1
        else None,
        Knob("tile", (0, 16, 64), 0, "iterations of the second loop in one block (0: no blocks)")
        if len(nest) > 2
        else None,
        Knob("whole", (0, 1), 1, "1: the whole grid as straight-line code")
        if 0 < work <= WHOLE_POINTS and work * lines <= WHOLE_LINES
        else None,
    ]
    return tuple(k for k in found if k is not None)


def _points(loop: For) -> int:
    inner = [s for s in loop.body if isinstance(s, For)]
    return _count(loop) * (sum(map(_points, inner)) if inner else 1)


def _count(loop: For) -> int:
    assert isinstance(loop.start, Literal) and isinstance(loop.stop, Literal)
    return max(0, int(loop.stop.value) - int(loop.start.value))
