"""DAST and PAST as foldable trees whose nodes carry the numbers and tints of the cell.

As in figures 2, 4 and 5 of Kamil, Coetzee and Fox, "Bringing Parallel Performance to Python with
Domain-Specific Selective Embedded Just-in-Time Specialization" (SciPy 2011), where lines of the source
and nodes of the same colour belong together.  Static HTML: nested lists that fold without a script.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from html import escape
from itertools import islice
from typing import Any, NamedTuple

from ..ir.dast import Statement
from ..ir.dtypes import DType
from ..ir.node import Node, walk
from ..stages import Step, Trace
from .links import Place, enclosing, numbering, snippet
from .markup import CODE_FONT, root_class, shortened
from .panes import Pane, cell_pane, opening_span, side_by_side, style_element, widest
from .wording import count_text

LIMIT_BYTES = 120_000
_CELL_BYTES = 12_000
_MOST_OPEN = 60
"""A larger tree is open down to its statements; their expressions unfold one by one."""
_MOST_VALUE = 48
STYLE = f"""\
ROOT .sejits-tree{{font-family:{CODE_FONT};font-size:12px;line-height:1.5;padding:.45em 0;\
white-space:nowrap}}
ROOT .sejits-tree ul{{list-style:none;margin:0;padding-left:1.1em}}
ROOT .sejits-tree li{{margin:0}}
ROOT .sejits-tree details{{border:0;margin:0;padding:0}}
ROOT .sejits-tree summary{{margin-left:-1.1em}}
"""


class Row(NamedTuple):
    """A node of a tree: how deep it is, its text, the group of its piece of the cell (0: none)."""

    depth: int
    text: str
    number: int
    place: Place | None
    folded: bool


@dataclass(frozen=True, slots=True, repr=False)
class Tree:
    """The tree of one level: ``str()`` is all of it as text; a notebook shows it beside the cell."""

    trace: Trace
    step: Step

    def __str__(self) -> str:
        return tree_text(self.trace, self.step)

    def __repr__(self) -> str:
        rows = str(self).splitlines()
        whole = _whole(self.trace, self.step)
        return "\n".join(shortened(rows, len(rows), LIMIT_BYTES // 4, whole))

    def _repr_html_(self) -> str:
        numbers = numbering(self.trace)
        root = root_class(f"tree {self}")
        return (
            f'<div class="{root}">{style_element(root, numbers.values(), STYLE)}'
            f"{trees_html(self.trace, (self.step,), 3 * LIMIT_BYTES // 4)}</div>"
        )


def tree_text(trace: Trace, step: Step) -> str:
    """Every node of *step*, a line each, with its group's number in front; two blanks a level."""
    numbers = numbering(trace)
    gutter = len(str(len(numbers)))
    return "\n".join(
        f"{row.number or '':>{gutter}}  {'  ' * row.depth}{row.text}"
        for row in tree_rows(step, numbers)
    )


def tree_rows(step: Step, numbers: Mapping[Place, int]) -> Iterator[Row]:
    """The nodes of *step*, parents first.  A node whose own span has no group is of the innermost
    group around it; what phase 3 computes by itself, such as an index, is of none.
    """
    if step.tree is None:
        return
    known: dict[Place, int] = {}
    small = sum(1 for _ in islice(walk(step.tree), _MOST_OPEN + 1)) <= _MOST_OPEN
    stack = [(0, "", step.tree)]
    while stack:
        depth, label, node = stack.pop()
        place, number = None, 0
        if node.loc is not None:
            place = (node.loc.line, node.loc.col, node.loc.end_line, node.loc.end_col)
            if place not in known:
                known[place] = (0, *enclosing(place, numbers))[-1]
            number = known[place]
        own, below = _split(node)
        open_ = small or any(isinstance(child, Statement) for _, child in below)
        text = f"{label and label + ': '}{type(node).__name__}({', '.join(own)})"
        yield Row(depth, text, number, place, not open_)
        stack += [(depth + 1, name, child) for name, child in reversed(below)]


def trees_html(trace: Trace, steps: tuple[Step, ...], limit_bytes: int) -> str:
    """The cell and the trees of *steps* side by side, of *limit_bytes* at most, without a style."""
    numbers = numbering(trace)
    cell_bytes = min(_CELL_BYTES, limit_bytes // 3)
    left = limit_bytes - len(cell_pane(trace, numbers, cell_bytes).html.encode()) - 2_000
    panes, used = [], set[int]()
    for count, step in enumerate(steps):
        shown, labels = _fitting(trace, step, numbers, left // (len(steps) - count))
        panes.append(_tree_pane(trace, step, shown, labels))
        left -= len(panes[-1].html.encode())
        used |= {row.number for row in shown}
    marked = {place: number for place, number in numbers.items() if number in used}
    return side_by_side([cell_pane(trace, marked, cell_bytes), *panes])


def _fitting(
    trace: Trace, step: Step, numbers: Mapping[Place, int], room: int
) -> tuple[list[Row], list[str]]:
    """The first nodes of *step*, as many as there is room for, and the HTML of each."""
    text = "\n".join(trace.source.lines)
    shown: list[Row] = []
    labels: list[str] = []
    for row in tree_rows(step, numbers):
        label = escape(row.text)
        if row.place and row.number:
            opening = opening_span((row.number,), snippet(text, row.place))
            label = f"{opening}<b>{row.number}</b> {label}</span>"
        room -= len(label.encode()) + 50
        if room < 0:
            break
        shown.append(row)
        labels.append(label)
    return shown, labels


def _tree_pane(trace: Trace, step: Step, shown: list[Row], labels: list[str]) -> Pane:
    nodes = sum(1 for _ in walk(step.tree)) if step.tree else 0
    cut = nodes - len(shown)
    whole = f"<p>… {count_text(cut)} more nodes: {escape(_whole(trace, step))}</p>"
    opening = '<div class="sejits-tree" style="max-height:34em;overflow:auto">'
    html = f"{opening}{_nested(shown, labels)}{whole * bool(cut)}</div>"
    width = widest("  " * row.depth + row.text for row in shown)
    kind = "PAST" if step.phase in (3, 4) else "DAST"
    return Pane(kind, f"{count_text(nodes)} nodes", html, width)


def _nested(rows: list[Row], labels: list[str]) -> str:
    """Nodes, parents first, as nested lists; who has nodes below it folds."""
    html = "<ul>"
    depths = [*(row.depth for row in rows), 0][1:]
    for row, label, next_depth in zip(rows, labels, depths, strict=True):
        if next_depth > row.depth:
            html += f"<li><details{'' if row.folded else ' open'}><summary>{label}</summary><ul>"
        else:
            html += f"<li>{label}</li>" + "</ul></details></li>" * (row.depth - next_depth)
    return html + "</ul>"


def _split(node: Node) -> tuple[list[str], list[tuple[str, Node]]]:
    """A node's own values, as its constructor takes them, and the nodes below it by field."""
    own, below = [], []
    for field in fields(node):
        value = getattr(node, field.name)
        items = value if isinstance(value, tuple) else (value,)
        if nodes := [item for item in items if isinstance(item, Node)]:
            below += [(field.name, item) for item in nodes]
        elif field.name != "loc" and (value != field.default or isinstance(value, DType)):
            own.append(f"{field.name}={_cut(_shown(value))}")
    return own, below


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_shown, value))}{',' * (len(value) == 1)})"
    return repr(value) if isinstance(value, str) else str(value)


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_VALUE else text[: _MOST_VALUE - 1] + "…"


def _whole(trace: Trace, step: Step) -> str:
    level = "past" if step.phase in (3, 4) else "dast"
    return f"print({trace.source.label}.{level}.tree) shows all"
