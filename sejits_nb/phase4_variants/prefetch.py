"""Software prefetch: while a line is computed, hints for the lines that a later one will need.

    for i in [1, 255)                            for i in [1, 255)
      for j in [1, 255)                            for j in [1, 255)
        for k in [first, last) step 8     ->         claim(&out[(i + 1)*65536 + j*256 + 1]) ...
          ...                                        for k in [first, last) step 8
                                                       fetch(&u[(i + 2)*65536 + j*256 + k])
                                                       ...

The *next step* is the next iteration of the loop around the rows: the planes that it is the first to
read go to the second-level cache.  Or the hints run some elements *ahead* in the rows of this step.
The first and the last line of a row are written in part: they are claimed a step early.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from ..ir.dast import Statement
from ..ir.node import walk
from ..ir.past import Address, CallC, Do, For, Literal, Load, Unit, Variable
from .affine import index_of, linear_form
from .loops import replace_outermost
from .stream import is_streamed

NEXT_STEP = 1


def prefetch(unit: Unit, distance: int) -> Unit:
    """*unit* with hints in its streamed loops: for the next step (1), or *distance* elements ahead;
    itself for 0, or without streamed loops."""
    if distance == 0:
        return unit
    kinds = {p.name: p.dtype.name for p in unit.function.params if p.pointer}
    hinted = replace_outermost(unit, lambda loop: (_visit(loop, (), kinds, distance),))
    called = {
        n.func for n in walk(hinted) if isinstance(n, CallC) and n.func[:5] in ("fetch", "claim")
    }
    helpers = tuple(sorted({*unit.helpers, *called}))
    return dataclasses.replace(hinted, helpers=helpers) if called else unit


def _visit(loop: For, around: tuple[For, ...], kinds: Mapping[str, str], distance: int) -> For:
    path = (*around, loop)
    body: list[Statement] = []
    for s in loop.body:
        body.append(_visit(s, path, kinds, distance) if isinstance(s, For) else s)
    streamed = next((n for n, s in enumerate(body) if isinstance(s, For) and is_streamed(s)), None)
    step = _step_loop(path)
    if streamed is None or step is None:
        return dataclasses.replace(loop, body=tuple(body)) if body != [*loop.body] else loop
    head, lines, tail = body[streamed - 1 : streamed + 2]
    assert isinstance(head, For) and isinstance(lines, For) and isinstance(tail, For)
    hints = _fetches(lines, step, kinds, distance)
    body[streamed] = dataclasses.replace(lines, body=(*hints, *lines.body))
    claims = _claims(lines, step, kinds, (head.start, tail.stop))
    return dataclasses.replace(loop, body=(*claims, *body))


def _step_loop(path: tuple[For, ...]) -> For | None:
    """The loop whose next iteration needs other lines: the one around the loop over rows, or that
    loop itself where rows are all there is.  Loops over blocks do not count."""
    blocks = {f.start.name for f in path if isinstance(f.start, Variable)}
    grid = [f for f in path if f.var not in blocks]
    return grid[-2] if len(grid) > 1 else grid[-1] if grid else None


def _fetches(lines: For, step: For, kinds: Mapping[str, str], distance: int) -> Iterator[Statement]:
    leads: dict[str, tuple[dict[str, int], int]] = {}
    lanes = {n.var for n in walk(lines) if isinstance(n, For)} - {lines.var}
    for n in walk(lines):
        if (
            not isinstance(n, Load)
            or n.array not in kinds
            or (form := linear_form(n.index)) is None
        ):
            continue
        along = {v: f for v, f in form[0].items() if f and v not in lanes}
        if along.get(lines.var) == 1 and along.get(step.var):
            plane = round(form[1] / along[step.var])
            leads[n.array] = along, max(plane, leads.get(n.array, (along, plane))[1])
    for array, (along, lead) in leads.items():
        for number in range(step.step):
            if distance == NEXT_STEP:
                index = index_of(along, {step.var: lead + 1 + number})
            else:
                index = index_of(along, {step.var: lead - number}, distance)
            yield Do(CallC(f"fetch_{kinds[array]}", (Address(array, index),)), loc=lines.loc)


def _claims(
    lines: For, step: For, kinds: Mapping[str, str], ends: tuple[object, object]
) -> Iterator[Statement]:
    targets = (s.call.args[0] for s in lines.body if isinstance(s, Do))
    for target in targets:
        assert isinstance(target, Address)
        form = linear_form(target.index)
        start, stop = ends
        assert form is not None and isinstance(start, Literal) and isinstance(stop, Literal)
        rows = {v: f for v, f in form[0].items() if f and v != lines.var}
        if not rows.get(step.var):
            continue
        plane = round(form[1] / rows[step.var]) + step.step
        for end in (int(start.value), int(stop.value) - 1):
            index = index_of(rows, {step.var: plane}, end)
            yield Do(
                CallC(f"claim_{kinds[target.array]}", (Address(target.array, index),)),
                loc=lines.loc,
            )
