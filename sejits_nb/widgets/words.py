"""Two versions of a line with the words that differ marked, by tint and by element."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from html import escape
from itertools import accumulate

ALIKE = 0.35
"""Below this similarity two lines are shown as removed and added, not as one line edited."""

_TINTS = {"-": ("del", "#e69f00"), "+": ("ins", "#56b4e9")}


Ranges = list[tuple[int, int]]
"""Stretches of a line: first character, and the one after the last."""


def differing(old: str, new: str) -> tuple[Ranges, Ranges] | None:
    """Which words of either line are not in the other, or ``None`` where little is the same.

    >>> differing("a = b + 1", "a = c + 1")
    ([(4, 5)], [(4, 5)])
    """
    a, b = re.findall(r"\w+|\s+|.", old), re.findall(r"\w+|\s+|.", new)
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    if matcher.ratio() < ALIKE:
        return None
    at = [[*accumulate(map(len, words), initial=0)] for words in (a, b)]
    found = [op[1:] for op in matcher.get_opcodes() if op[0] != "equal"]
    return (
        [(at[0][i], at[0][j]) for i, j, _, _ in found if i < j],
        [(at[1][k], at[1][m]) for _, _, k, m in found if k < m],
    )


def marked(old: str, new: str) -> tuple[str, str] | None:
    """Both lines with the words that differ marked, or ``None`` where little is the same."""
    found = differing(old, new)
    return found and (_line("-", old, found[0]), _line("+", new, found[1]))


def tinted(sign: str, html: str) -> str:
    """A whole line that was removed (``-``) or added (``+``)."""
    return f'<span style="background-color:{_TINTS[sign][1]}26">{html}</span>'


def _line(sign: str, text: str, ranges: Ranges) -> str:
    tag, colour = _TINTS[sign]
    html, end = "", 0
    for start, stop in ranges:
        style = f'style="background-color:{colour}70;text-decoration:none"'
        html += f"{escape(text[end:start])}<{tag} {style}>{escape(text[start:stop])}</{tag}>"
        end = stop
    return html + escape(text[end:])
