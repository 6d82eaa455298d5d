"""The generated code of two kernels side by side, the words that differ marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff
from html import escape
from itertools import zip_longest

from ..stages import Step
from .markup import code_block
from .wording import count_text, lines_text
from .words import marked, tinted

LIMIT_BYTES, MOST_LINES = 30_000, 150
_CONTEXT = 3


@dataclass(frozen=True)
class CodeDiff:
    """Two listings and the names of their kernels; shows itself as text and as HTML."""

    old: Step
    new: Step
    old_name: str
    new_name: str

    @property
    def headline(self) -> str:
        """``heat | blur: 4 lines of C only in heat, 7 only in blur``."""
        only = [0, 0]
        for kind, i, j, k, m in self._matcher().get_opcodes():
            if kind != "equal":
                only[0] += j - i
                only[1] += m - k
        if only == [0, 0]:
            return f"{self.old_name} | {self.new_name}: the same {self.new.name}"
        return (
            f"{self.old_name} | {self.new_name}: {lines_text(only[0], self.old.name)} only in "
            f"{self.old_name}, {count_text(only[1])} only in {self.new_name}"
        )

    def __repr__(self) -> str:
        old, new = self.old.text.splitlines(), self.new.text.splitlines()
        rows = [*unified_diff(old, new, self.old_name, self.new_name, lineterm="", n=_CONTEXT)]
        cut = len(rows) - MOST_LINES
        rows[MOST_LINES:] = [f"… {count_text(cut)} more lines"] if cut > 0 else []
        return "\n".join([self.headline, *rows])

    def _repr_html_(self) -> str:
        """Two columns that scroll together; what does not fit is counted."""
        rows = list(self._rows())
        panes = []
        for side, name in enumerate((self.old_name, self.new_name)):
            code = code_block([row[side] for row in rows], LIMIT_BYTES // 2)
            panes.append(
                '<td valign="top" style="text-align:left;vertical-align:top;padding:0 1em 0 0">'
                f"<strong>{escape(name)}</strong>{code}</td>"
            )
        table = f"<table><tbody><tr>{''.join(panes)}</tr></tbody></table>" if rows else ""
        return f'<p>{escape(self.headline)}</p><div style="overflow:auto">{table}</div>'

    def _matcher(self) -> SequenceMatcher[str]:
        old, new = self.old.text.splitlines(), self.new.text.splitlines()
        return SequenceMatcher(None, old, new, autojunk=False)

    def _rows(self) -> Iterator[tuple[str, str]]:
        """HTML of the left and the right line, changed stretches with a few lines around them."""
        old, new = self.old.text.splitlines(), self.new.text.splitlines()
        for number, block in enumerate(self._matcher().get_grouped_opcodes(_CONTEXT)):
            if number:
                yield "     …", "     …"
            for kind, i, j, k, m in block:
                for a, b in zip_longest(range(i, j), range(k, m)):
                    left, right = a is not None and old[a], b is not None and new[b]
                    yield _pair(kind, left, right, a, b)


def _pair(
    kind: str, left: str | bool, right: str | bool, a: int | None, b: int | None
) -> tuple[str, str]:
    if kind == "equal":
        return _line(a, "  ", escape(str(left))), _line(b, "  ", escape(str(right)))
    both = marked(str(left), str(right)) if a is not None and b is not None else None
    old, new = both or (escape(str(left)), escape(str(right)))
    return (
        _line(a, "- ", old, "-") if a is not None else "",
        _line(b, "+ ", new, "+") if b is not None else "",
    )


def _line(number: int | None, sign: str, html: str, tint: str = "") -> str:
    text = f"{(number or 0) + 1:>4} {sign}{html}"
    return tinted(tint, text) if tint else text
