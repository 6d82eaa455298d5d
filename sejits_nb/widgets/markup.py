"""Small pieces of static HTML that the card, the levels and the diffs share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from html import escape

from .wording import count_text

CODE_FONT = "var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace)"
_TRACK = "rgba(128,128,128,.18)"
_PRE = "max-height:34em;overflow:auto"
_CODE = "display:inline-block;min-width:100%;white-space:pre"
BORDER = "var(--jp-border-color2,rgba(128,128,128,.35))"
_DARK_IMAGE = """\
[data-jp-theme-light="false"] .sejits-figure,.vscode-dark .sejits-figure\
{filter:invert(.93) hue-rotate(180deg)}
"""
"""No ink reads well on white and on a dark page alike, so a figure has a white ground; where the page
is known to be dark it is inverted, and its hues are turned back."""


def root_class(text: str) -> str:
    """The class that scopes the style of a fragment: the same for the same content."""
    return f"sejits-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def style_tag(css: str) -> str:
    """A style element.  Where it is escaped, as in Markdown on code hosts, its content is a comment."""
    return f"<style><!--\n{css}--></style>"


def image_html(data: str, alt: str, size: tuple[int, int], kind: str = "png") -> str:
    """An image, in base64, of *size* pixels, with what it shows in words."""
    return (
        f'{style_tag(_DARK_IMAGE)}<img class="sejits-figure" src="data:image/{kind};base64,{data}" '
        f'alt="{escape(alt)}" width="{size[0]}" height="{size[1]}" '
        'style="max-width:100%;height:auto">'
    )


def shortened(rows: Iterable[str], count: int, room_bytes: int, whole: str = "") -> list[str]:
    """Of *count* rows those that fit; a last one counts the others, and *whole* says where they are."""
    shown: list[str] = []
    for row in rows:
        room_bytes -= len(row.encode()) + 1
        if room_bytes < 0:
            more = f"… {count_text(count - len(shown))} more lines"
            return [*shown, f"{more}: {whole}" if whole else more]
        shown.append(row)
    return shown


def code_block(
    rows: Iterable[str], room_bytes: int, whole: str = "", kind: str = "", count: int | None = None
) -> str:
    """Rows of HTML as preformatted code, which scrolls, by keyboard too; what does not fit is counted,
    and *whole* says where it is.  No more *rows* are made than fit if their *count* is given.
    """
    if count is None:
        rows = list(rows)
        count = len(rows)
    shown = shortened(rows, count, room_bytes, escape(whole))
    # A blank line would end the HTML block where the notebook is converted to Markdown.
    text = "".join((row if row.strip() else row + "<small></small>") + "\n" for row in shown)
    named = f'class="{kind}" ' if kind else ""
    return f'<pre {named}tabindex="0" style="{_PRE}"><code style="{_CODE}">{text}</code></pre>'


def bar_cell(part: float, text: str, colour: str) -> str:
    """A cell with a bar over *part* of its width, and the number that it stands for."""
    width = f"{100 * min(max(part, 0.0), 1.0):.1f}%"
    return (
        f'<td style="text-align:left;min-width:13em"><div style="background:{_TRACK}">'
        f'<div style="background:{colour};width:{width};height:.5em"></div></div>'
        f"{escape(text)}</td>"
    )


def table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    numeric: Sequence[bool],
    caption: str,
    strong: int | None = None,
) -> str:
    """A data table of plain texts: the first cell of a row is its header, row *strong* is in bold,
    and without *headers* there is no head.

    Alignment and weight are inline: JupyterLab's own style centres tables and aligns to the right.
    """
    align = ["right;white-space:nowrap" if right else "left" for right in numeric]
    head = "".join(
        f'<th scope="col" style="text-align:{a}">{escape(h)}</th>'
        for h, a in zip(headers, align, strict=False)
    )
    body = []
    for number, row in enumerate(rows):
        weight = ";font-weight:bold" * (number == strong)
        cells = [
            f'<td style="text-align:{a}{weight}">{escape(cell)}</td>'
            for cell, a in zip(row[1:], align[1:], strict=True)
        ]
        weight = weight or ";font-weight:normal"
        first = f'<th scope="row" style="text-align:left{weight}">{escape(row[0])}</th>'
        body.append(f"<tr>{first}{''.join(cells)}</tr>")
    return (
        f'<table class="sejits-data" style="margin-left:0">'
        f'<caption style="text-align:left">{escape(caption)}</caption>'
        f"{head and f'<thead><tr>{head}</tr></thead>'}<tbody>{''.join(body)}</tbody></table>"
    )
