"""The cell beside what became of it, level by level, linked by tint and by number.

Static HTML: the hover links are one CSS rule a group (``:has``); where a sanitizer drops the style
element, inline tints and the printed numbers still carry every link.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from ..stages import Step, Trace
from .links import Place, enclosing, groups, level_steps, places, segments, snippet
from .markup import BORDER, CODE_FONT, code_block, root_class

LIMIT_BYTES = 120_000
_SMALL_PANE_BYTES = 24_000
_MOST_MIN_WIDTH_PX = 900
"""All panes fit an ordinary notebook, so that partners are seen together; each scrolls on its own."""
_MOST_RULES = 250
"""Hover rules, 120 bytes each: beyond these a group is linked by tint and number only."""
_PALETTE = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#0072b2", "#d55e00", "#b3a400")
"""Okabe and Ito's colours (yellow darkened), safe for colour blindness; they cycle."""

_STYLE = f"""\
ROOT table{{border-collapse:collapse;margin:0}}
ROOT caption{{caption-side:bottom;text-align:left;opacity:.75;padding:.4em 0;font-size:.92em}}
ROOT th{{font-weight:600;padding:.2em 6px}}
ROOT th small{{font-weight:400;opacity:.7}}
ROOT td{{border:1px solid {BORDER}}}
ROOT pre,ROOT code{{font-family:{CODE_FONT};font-size:12px;line-height:1.5;background:none;\
color:inherit;border:0;margin:0;padding:0}}
ROOT pre{{padding:.45em 0}}
ROOT .sejits-lines span{{display:inline-block;min-width:100%}}
ROOT sup{{line-height:0;font-size:.72em;font-weight:700;opacity:.8;padding:0 .15em 0 .1em}}
ROOT b{{opacity:.75}}
ROOT sup,ROOT b{{-webkit-user-select:none;user-select:none}}
"""


@dataclass(frozen=True, slots=True, repr=False)
class View:
    """One level of a kernel: ``str()`` is its text, the notebook shows it beside the cell."""

    trace: Trace
    step: Step

    def __str__(self) -> str:
        return self.step.text

    def __repr__(self) -> str:
        return level_text(self.trace, self.step)

    def _repr_html_(self) -> str:
        return level_html(self.trace, self.step)


def level_text(trace: Trace, step: Step) -> str:
    """The listing of *step* with the numbers of its groups in front, as all levels number them."""
    numbers = _numbers(trace, step)
    gutter = len(str(len(numbers)))
    marks = ("" if p is None else str(numbers[p]) for p in places(step))
    rows = zip(marks, step.lines, strict=True)
    return "\n".join(f"{mark:>{gutter}}  {line.text}".rstrip() for mark, line in rows)


def level_html(trace: Trace, step: Step) -> str:
    """The cell and one level side by side, with the numbers that they have beside all levels."""
    return levels_html(trace, (step,))


def levels_html(
    trace: Trace,
    steps: Sequence[Step] | None = None,
    *,
    limit_bytes: int = LIMIT_BYTES,
    whole_file: str = "",
) -> str:
    """The cell and *steps* (by default DAST, PAST and generated code) side by side.

    The fragment holds about *limit_bytes* at most: what does not fit is cut line by line, the last
    level first of all, and the reader is sent to *whole_file* for the rest.
    """
    shown = level_steps(trace) if steps is None else tuple(steps)
    numbers = _numbers(trace, *shown)
    used = groups(shown)
    numbers = {place: number for place, number in numbers.items() if place in used}
    root = root_class("levels" + trace.source.text + "".join(s.text for s in shown))
    rules = [_hover_rule(root, number) for number in numbers.values()][:_MOST_RULES]
    style = _STYLE.replace("ROOT", f".{root}") + "".join(rules)
    left = limit_bytes - len(style) - 2_000
    panes = [_cell_pane(trace, numbers, min(left, _SMALL_PANE_BYTES))]
    for step in shown:
        left = limit_bytes - len(style) - 2_000 - sum(len(p.encode()) for p in panes)
        room = left if step is shown[-1] else min(left, _SMALL_PANE_BYTES)
        panes.append(_level_pane(trace, step, numbers, room, whole_file))
    titles = [("cell", trace.source.where), *map(_title, shown)]
    widest = [1.1 * _widest(trace.source.lines)]
    widest += [0.75 * _widest([line.text for line in s.lines]) for s in shown]
    heads = "".join(
        f'<th scope="col" style="text-align:left;width:{100 * w / sum(widest):.0f}%">{escape(name)}'
        f"{f' <small>{escape(more)}</small>' if more else ''}</th>"
        for (name, more), w in zip(titles, widest, strict=True)
    )
    return (
        f'<div class="{root}"><style>\n{style}</style>'
        f'<div style="overflow-x:auto"><table style="table-layout:fixed;width:100%;'
        f'min-width:{min(6.5 * sum(widest), _MOST_MIN_WIDTH_PX):.0f}px">'
        '<caption style="text-align:left">The same number and tint mark the same piece of the cell.'
        "</caption>"
        f"<thead><tr>{heads}</tr></thead>"
        f'<tbody><tr style="background-color:transparent">{"".join(panes)}</tr></tbody>'
        "</table></div></div>"
    )


def _numbers(trace: Trace, *steps: Step) -> dict[Place, int]:
    """One numbering for every display of a trace; only a level outside of it has its own."""
    common = level_steps(trace)
    known = groups(common)
    return known if groups(steps).keys() <= known.keys() else groups((*common, *steps))


def _title(step: Step) -> tuple[str, str]:
    name, _, rest = step.name.partition(", ")
    return ("DAST", f"after {step.name}") if step.phase == 2 else (name, rest)


def _widest(lines: Sequence[str]) -> int:
    """Characters of the widest line and its numbers, kept between narrow and wide."""
    return min(64, 4 + max([24, *map(len, lines)]))


def _colour(number: int) -> str:
    return _PALETTE[(number - 1) % len(_PALETTE)]


def _tint(number: int) -> str:
    """A literal translucent colour: it works on light and dark, and survives sanitizers."""
    return f' style="background-color:{_colour(number)}40"'


def _hover_rule(root: str, number: int) -> str:
    strong = _colour(number)
    return (
        f".{root}:has(.h{number}:hover) .g{number}"
        f"{{background-color:{strong}99!important;box-shadow:inset 0 -2px {strong}}}\n"
    )


def _open(covered_by: Sequence[int], title: str, tinted: bool = True) -> str:
    """A linked span: in all groups that cover it (``g``), hovered for the innermost (``h``)."""
    inner = covered_by[-1]
    names = " ".join([*(f"g{n}" for n in covered_by), f"h{inner}"])
    return f'<span class="{names}" title="{escape(title)}"{_tint(inner) if tinted else ""}>'


def _cell_pane(trace: Trace, numbers: Mapping[Place, int], room: int) -> str:
    starts = {number: place[0] for place, number in numbers.items()}
    rows = []
    for line, row in enumerate(segments("\n".join(trace.source.lines), numbers), 1):
        html = ""
        for text, covered_by, begins in row:
            if not covered_by:
                html += escape(text)
                continue
            marks = "".join(f"<sup>{n}{',' if n != begins[-1] else ''}</sup>" for n in begins)
            # A block is tinted on its first line only, or it would colour all that it encloses.
            inner = covered_by[-1]
            opening = _open(covered_by, str(inner), tinted=starts[inner] == line)
            html += f"{opening}{marks}{escape(text)}</span>"
        rows.append(html)
    return _pane("sejits-cell", rows, room, "")


def _level_pane(
    trace: Trace, step: Step, numbers: Mapping[Place, int], room: int, whole_file: str
) -> str:
    gutter = len(str(max(numbers.values(), default=0)))
    text = "\n".join(trace.source.lines)
    opened = {p: _open(enclosing(p, numbers), snippet(text, p)) for p in numbers}
    rows = []
    for line, place in zip(step.lines, places(step), strict=True):
        if place is None:
            rows.append(f"{'':{gutter}}  {escape(line.text)}")
        else:
            mark = f"<b>{numbers[place]:>{gutter}}</b>"
            rows.append(f"{opened[place]}{mark}  {escape(line.text)}</span>")
    return _pane("sejits-lines", rows, room, whole_file)


def _pane(kind: str, rows: Sequence[str], room: int, whole_file: str) -> str:
    whole = whole_file and f"the whole file is {whole_file}"
    return (
        '<td valign="top" style="text-align:left;vertical-align:top;padding:0 6px">'
        '<div style="max-height:34em;overflow:auto">'
        f"{code_block(rows, room, whole, kind)}</div></td>"
    )
