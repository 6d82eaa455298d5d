"""What a compiler says of a source: its errors by line and column, in the ways that compilers say it.

source.c:4:14: error: 'v' undeclared                 gcc, clang, zig, most OpenCL compilers
error: /tmp/tempfile_x.cl:4:14: use of undeclared    PoCL
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..errors import MOST_AT_ONCE, Diagnostic
from ..ir.node import Span
from ..stages import SourceUnit

_LOCATED = re.compile(
    r"^(?:(?P<name>[^\s:]+|<[^>]+>):(?P<line>\d+):(?:(?P<col>\d+):)? (?:fatal )?error: "
    r"|(?:fatal )?error: .+?:(?P<line_>\d+):(?P<col_>\d+): )(?P<text>.*)$",
    re.M,
)
_TELLING = re.compile(r"error|undefined|cannot find")


class Complaint(NamedTuple):
    """An error at a place of the source, both from 1, the column in bytes; line 0: at none, column 0:
    not told."""

    line: int
    col: int
    text: str


def complaints(log: str, name: str = "") -> tuple[Complaint, ...]:
    """The errors in a compiler's *log*, in its order; of one that names no place, its most telling
    line.  With *name* only those of that file count, not those of a header that it includes.
    """
    found = [
        Complaint(int(m["line"] or m["line_"]), int(m["col"] or m["col_"] or 0), m["text"])
        for m in _LOCATED.finditer(log)
        if not (name and m["name"]) or m["name"] == name
    ]
    if found:
        return tuple(dict.fromkeys(found))
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    telling = (line for line in lines if _TELLING.search(line))
    said = next(telling, lines[-1] if lines else "")
    return (Complaint(0, 0, said),) if said else ()


def refused(
    unit: SourceUnit, found: tuple[Complaint, ...], why: str, try_: str
) -> tuple[Diagnostic, ...]:
    """B002: of generated code one, at the line of the cell whose code the compiler stumbled on; of an
    edited text up to five, each at its own line and column.
    """
    language = {"opencl": "OpenCL C"}.get(unit.language, "C")
    found = found or (Complaint(0, 0, "the compiler says nothing"),)
    if unit.edited:
        rows = [line.text for line in unit.lines]
        return tuple(_in_the_text(one, rows, language) for one in found[:MOST_AT_ONCE])
    line, _, text = found[0]
    loc = unit.lines[line - 1].loc if 0 < line <= len(unit.lines) else None
    place = f"the {language} generated for line {loc.line}" if loc else f"the generated {language}"
    span = loc or Span(0, 0, 0, 0)
    end_col = span.end_col if span.line == span.end_line else 0
    what = f"{place} does not compile: {text}"
    return (Diagnostic("B002", what, why, try_, line=span.line, col=span.col, end_col=end_col),)


def _in_the_text(one: Complaint, rows: list[str], language: str) -> Diagnostic:
    if not 0 < one.line <= len(rows):
        return Diagnostic("B002", one.text, where=f"the edited {language}")
    row = rows[one.line - 1]
    col = len(row.encode()[: max(0, one.col - 1)].decode(errors="ignore"))
    word = re.match(r"\w*", row[col:])
    end_col = col + max(1, len(word[0]) if word else 1)
    where = f"the edited {language}"
    return Diagnostic(
        "B002", one.text, where=where, line=one.line, col=col, end_col=end_col, text=row
    )
