"""DAST and PAST as foldable trees whose nodes carry the numbers and tints of the cell.

As in figures 2, 4 and 5 of Kamil, Coetzee and Fox, "Bringing Parallel Performance to Python with
Domain-Specific Selective Embedded Just-in-Time Specialization" (SciPy 2011), where lines of the source
and nodes of the same colour belong together.  Static HTML: nested lists that fold without a script.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from html import escape
from typing import Any, NamedTuple

from ..ir.dast import Statement
from ..ir.dtypes import DType
from ..ir.node import Node, walk
from ..stages import Step, Trace
from .links import Place, enclosing, numbering, snippet
from .markup import CODE_FONT, root_class
from .panes import Pane, cell_pane, opening_span, side_by_side, style_element, widest
from .wording import count_text

LIMIT_BYTES = 100_000
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
        return str(self)

    def _repr_html_(self) -> str:
        numbers = numbering(self.trace)
        root = root_class(f"tree {self}")
        return (
            f'<div class="{root}">{style_element(root, numbers.values(), STYLE)}'
            f"{trees_html(self.trace, (self.step,), LIMIT_BYTES)}</div>"
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
    known: dict[Place, int] = {}
    small = sum(1 for _ in walk(step.tree)) <= _MOST_OPEN if step.tree else True
    stack = [(0, "", step.tree)] if step.tree else []
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
    used = {row.number for step in steps for row in tree_rows(step, numbers)}
    marked = {place: number for place, number in numbers.items() if number in used}
    panes = [cell_pane(trace, marked, min(_CELL_BYTES, limit_bytes // 3))]
    left = limit_bytes - len(panes[0].html.encode()) - 2_000
    for count, step in enumerate(steps):
        pane = _tree_pane(trace, step, numbers, left // (len(steps) - count))
        left -= len(pane.html.encode())
        panes.append(pane)
    return side_by_side(panes)


def _tree_pane(trace: Trace, step: Step, numbers: Mapping[Place, int], room: int) -> Pane:
    rows = list(tree_rows(step, numbers))
    text = "\n".join(trace.source.lines)
    shown: list[str] = []
    for row in rows:
        label = escape(row.text)
        if row.place and row.number:
            opening = opening_span((row.number,), snippet(text, row.place))
            label = f"{opening}<b>{row.number}</b> {label}</span>"
        room -= len(label.encode()) + 50
        if room < 0:
            break
        shown.append(label)
    cut = len(rows) - len(shown)
    name = "past" if step.phase in (3, 4) else "dast"
    whole = (
        f"<p>… {count_text(cut)} more nodes: print({escape(trace.source.label)}.{name}.tree)</p>"
    )
    opening = '<div class="sejits-tree" style="max-height:34em;overflow:auto">'
    html = f"{opening}{_nested(rows, shown)}{whole * bool(cut)}</div>"
    kind = "DAST" if name == "dast" else "PAST"
    width = widest("  " * row.depth + row.text for row in rows)
    return Pane(kind, f"{count_text(len(rows))} nodes", html, width)


def _nested(rows: list[Row], shown: list[str]) -> str:
    """The first nodes of a tree, parents first, as nested lists; who has nodes below it folds."""
    html = "<ul>"
    for number, label in enumerate(shown):
        depth, folded = rows[number].depth, rows[number].folded
        below = rows[number + 1].depth if number + 1 < len(shown) else 0
        if below > depth:
            html += f"<li><details{'' if folded else ' open'}><summary>{label}</summary><ul>"
        else:
            html += f"<li>{label}</li>" + "</ul></details></li>" * (depth - below)
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
