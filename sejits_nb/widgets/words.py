"""Two versions of a line with the words that differ marked, by tint and by element."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from html import escape

ALIKE = 0.35
"""Below this similarity two lines are shown as removed and added, not as one line edited."""

_TINTS = {"-": ("del", "#e69f00"), "+": ("ins", "#56b4e9")}


def marked(old: str, new: str) -> tuple[str, str] | None:
    """Both lines with the words that differ marked, or ``None`` where little is the same."""
    a, b = re.findall(r"\w+|\s+|.", old), re.findall(r"\w+|\s+|.", new)
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    if matcher.ratio() < ALIKE:
        return None
    left = right = ""
    for kind, i, j, k, m in matcher.get_opcodes():
        same = kind == "equal"
        left += _word("-", "".join(a[i:j]), same)
        right += _word("+", "".join(b[k:m]), same)
    return left, right


def tinted(sign: str, html: str) -> str:
    """A whole line that was removed (``-``) or added (``+``)."""
    return f'<span style="background-color:{_TINTS[sign][1]}26">{html}</span>'


def _word(sign: str, text: str, same: bool) -> str:
    if same or not text:
        return escape(text)
    tag, colour = _TINTS[sign]
    return f'<{tag} style="background-color:{colour}70;text-decoration:none">{escape(text)}</{tag}>'
