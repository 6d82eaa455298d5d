"""Columns side by side in static HTML, linked by tint, by number and by hovering.

The hover links are one CSS rule a group (``:has``); where a sanitizer drops the style element, inline
tints and the printed numbers still carry every link.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from ..stages import Trace
from .links import Place, segments
from .markup import BORDER, CODE_FONT, code_block, style_tag

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


@dataclass(frozen=True, slots=True)
class Pane:
    """A column: its title and what is said small beside it, its HTML, its width in characters."""

    title: str
    more: str
    html: str
    width: float


def style_element(root: str, numbers: Iterable[int], extra: str = "") -> str:
    """The style of a fragment of class *root*, with the hover links of the groups *numbers*."""
    style = (_STYLE + extra).replace("ROOT", f".{root}")
    rules = [_hover_rule(root, number) for number in numbers][:_MOST_RULES]
    return style_tag(style + "".join(rules))


def side_by_side(panes: Sequence[Pane]) -> str:
    """A table of one row, a column for each pane."""
    whole = sum(pane.width for pane in panes)
    heads = "".join(
        f'<th scope="col" style="text-align:left;width:{100 * pane.width / whole:.0f}%">'
        f"{escape(pane.title)}{f' <small>{escape(pane.more)}</small>' if pane.more else ''}</th>"
        for pane in panes
    )
    cells = "".join(
        '<td valign="top" style="text-align:left;vertical-align:top;padding:0 6px">'
        f"{pane.html}</td>"
        for pane in panes
    )
    return (
        f'<div style="overflow-x:auto"><table style="table-layout:fixed;width:100%;'
        f'min-width:{min(6.5 * whole, _MOST_MIN_WIDTH_PX):.0f}px">'
        '<caption style="text-align:left">The same number and tint mark the same piece of the cell.'
        "</caption>"
        f"<thead><tr>{heads}</tr></thead>"
        f'<tbody><tr style="background-color:transparent">{cells}</tr></tbody></table></div>'
    )


def cell_pane(trace: Trace, numbers: Mapping[Place, int], room: int) -> Pane:
    """The cell, every piece of it that has a group marked where it begins."""
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
            opening = opening_span(covered_by, str(inner), tinted=starts[inner] == line)
            html += f"{opening}{marks}{escape(text)}</span>"
        rows.append(html)
    width = 1.1 * widest(trace.source.lines)
    return Pane("cell", trace.source.where, code_block(rows, room, kind="sejits-cell"), width)


def opening_span(covered_by: Sequence[int], title: str, tinted: bool = True) -> str:
    """A linked span: in all groups that cover it (``g``), hovered for the innermost (``h``)."""
    inner = covered_by[-1]
    names = " ".join([*(f"g{n}" for n in covered_by), f"h{inner}"])
    return f'<span class="{names}" title="{escape(title)}"{_tint(inner) if tinted else ""}>'


def widest(lines: Iterable[str]) -> int:
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
