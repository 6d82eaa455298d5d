"""The cell beside what became of it, level by level, linked by tint and by number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape

from ..stages import Step, Trace
from . import trees
from .links import Place, enclosing, groups_of, level_steps, numbering, snippet
from .markup import code_block, root_class, shortened
from .panes import Pane, cell_pane, opening_span, side_by_side, style_element, widest

LIMIT_BYTES = 120_000
_SMALL_PANE_BYTES = 24_000
_TREES_BYTES = 30_000


@dataclass(frozen=True, slots=True, repr=False)
class View:
    """One level of a kernel: ``str()`` is its text, the notebook shows it beside the cell, in
    *limit_bytes* at most."""

    trace: Trace
    step: Step
    limit_bytes: int = LIMIT_BYTES

    @property
    def tree(self) -> trees.Tree | None:
        """A DAST or PAST as a foldable tree; ``None`` of generated code, which is text."""
        return trees.Tree(self.trace, self.step) if self.step.tree else None

    def __str__(self) -> str:
        return self.step.text

    def __repr__(self) -> str:
        rows = level_text(self.trace, self.step).splitlines()
        whole = _whole(self.trace, self.step)
        return "\n".join(shortened(rows, len(rows), self.limit_bytes // 4, whole))

    def _repr_html_(self) -> str:
        return levels_html(self.trace, (self.step,), limit_bytes=3 * self.limit_bytes // 4)


def level_text(trace: Trace, step: Step) -> str:
    """The listing of *step* with the numbers of its groups in front, as all levels number them."""
    found = groups_of(step, numbering(trace))
    gutter = len(str(max(found, default=0)))
    rows = zip(found, step.lines, strict=True)
    return "\n".join(f"{n or '':>{gutter}}  {line.text}".rstrip() for n, line in rows)


def levels_html(
    trace: Trace,
    steps: Sequence[Step] | None = None,
    *,
    limit_bytes: int = LIMIT_BYTES,
    whole_file: str = "",
    with_trees: bool = False,
) -> str:
    """The cell and *steps* (by default DAST, PAST and generated code) side by side; below them,
    folded, those that have trees.

    The fragment holds about *limit_bytes* at most: what does not fit is cut line by line, and the
    reader is sent to *whole_file*, or to the kernel, for the rest.
    """
    shown = level_steps(trace) if steps is None else tuple(steps)
    known = numbering(trace)
    used = {number for step in shown for number in groups_of(step, known)}
    numbers = {place: number for place, number in known.items() if number in used}
    root = root_class("levels" + trace.source.text + "".join(s.text for s in shown))
    linked = known if with_trees else numbers
    style = style_element(root, linked.values(), trees.STYLE * with_trees)
    left = limit_bytes - len(style) - 2_000
    below = _trees(trace, shown, min(_TREES_BYTES, left // 4)) if with_trees else ""
    left -= len(below.encode())
    panes = [cell_pane(trace, numbers, min(left, _SMALL_PANE_BYTES))]
    for step in shown:
        rest = left - sum(len(pane.html.encode()) for pane in panes)
        room = rest if step is shown[-1] else min(rest // 3, _SMALL_PANE_BYTES)
        panes.append(_level_pane(trace, step, numbers, room, whole_file))
    return f'<div class="{root}">{style}{side_by_side(panes)}{below}</div>'


def _trees(trace: Trace, steps: Sequence[Step], room: int) -> str:
    grown = tuple(step for step in steps if step.tree is not None)
    if not grown:
        return ""
    html = trees.trees_html(trace, grown, room)
    return f"<details><summary>The DAST and the PAST as trees</summary>{html}</details>"


def _level_pane(
    trace: Trace, step: Step, numbers: Mapping[Place, int], room: int, whole_file: str
) -> Pane:
    gutter = len(str(max(numbers.values(), default=0)))
    text = "\n".join(trace.source.lines)
    places = {number: place for place, number in numbers.items()}

    @cache
    def opening(number: int) -> str:
        place = places[number]
        return opening_span(enclosing(place, numbers), snippet(text, place))

    rows = (
        f"{opening(number)}<b>{number:>{gutter}}</b>  {escape(line.text)}</span>"
        if number
        else f"{'':{gutter}}  {escape(line.text)}"
        for line, number in zip(step.lines, groups_of(step, numbers), strict=True)
    )
    name, _, rest = step.name.partition(", ")
    title, more = ("DAST", f"after {step.name}") if step.phase == 2 else (name, rest)
    whole = _whole(trace, step)
    if whole_file and step.phase == 5:
        whole = f"the whole file is {whole_file}"
    width = 0.75 * widest(line.text for line in step.lines)
    return Pane(title, more, code_block(rows, room, whole, "sejits-lines", len(step.lines)), width)


def _whole(trace: Trace, step: Step) -> str:
    level = {1: "dast", 2: "dast", 3: "past", 4: "past"}.get(step.phase, "source")
    return (
        f"print({trace.source.label}.{step.name if step.name == 'assembly' else level}) shows all"
    )
