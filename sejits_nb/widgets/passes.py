"""Before -> after of every pass of phase 2: lines with ``-`` and ``+``, changed words marked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from html import escape
from itertools import pairwise

from ..stages import Step, Trace
from .markup import code_block
from .wording import seconds_text

LIMIT_BYTES = 24_000
_MOST_LINES = 400
_CONTEXT = 2
_ALIKE = 0.35
"""Below this similarity two lines are shown as removed and added, not as one line edited."""

_TINTS = {"-": ("del", "#e69f00"), "+": ("ins", "#56b4e9")}


def passes_html(trace: Trace, limit_bytes: int = LIMIT_BYTES) -> str:
    """One paragraph a pass, in order, with its diff; about *limit_bytes* at most."""
    parts, left = [], limit_bytes
    for before, after in _pairs(trace):
        if before.text == after.text:
            body = f"<p><strong>{escape(after.name)}</strong> · no change</p>"
        else:
            head = f"<strong>{escape(after.name)}</strong> · {seconds_text(after.seconds)}"
            body = f"<p>{head}</p>{_diff(before, after, left)}"
        left -= len(body.encode())
        parts.append(body)
    return "".join(parts)


def passes_headline(trace: Trace) -> str:
    """``3 of 5 passes changed the DAST``."""
    changed = [before.text != after.text for before, after in _pairs(trace)]
    return f"{sum(changed)} of {len(changed)} passes changed the DAST"


def _pairs(trace: Trace) -> list[tuple[Step, Step]]:
    dasts = [step for step in trace.steps if step.phase in (1, 2)]
    return [(a, b) for a, b in pairwise(dasts) if b.phase == 2]


def _diff(before: Step, after: Step, room: int) -> str:
    old = [line.text for line in before.lines[:_MOST_LINES]]
    new = [line.text for line in after.lines[:_MOST_LINES]]
    return code_block(list(_rows(old, new)), room)


def _rows(old: list[str], new: list[str]) -> Iterator[str]:
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for number, block in enumerate(matcher.get_grouped_opcodes(_CONTEXT)):
        if number:
            yield "  …"
        for kind, a, b, c, d in block:
            if kind == "equal":
                yield from (f"  {escape(line)}" for line in old[a:b])
            else:
                yield from _changed(old[a:b], new[c:d])


def _changed(old: list[str], new: list[str]) -> Iterator[str]:
    marked = [_words(a, b) for a, b in zip(old, new, strict=False)] if len(old) == len(new) else []
    if marked and all(marked):
        yield from (_row("-", pair[0]) for pair in marked if pair)
        yield from (_row("+", pair[1]) for pair in marked if pair)
    else:
        yield from (_row("-", escape(line)) for line in old)
        yield from (_row("+", escape(line)) for line in new)


def _words(old: str, new: str) -> tuple[str, str] | None:
    """Both lines with the words that differ marked, or ``None`` where little is the same."""
    a, b = re.findall(r"\w+|\s+|.", old), re.findall(r"\w+|\s+|.", new)
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return None
    left = right = ""
    for kind, i, j, k, m in matcher.get_opcodes():
        same = kind == "equal"
        left += _word("-", "".join(a[i:j]), same)
        right += _word("+", "".join(b[k:m]), same)
    return left, right


def _word(sign: str, text: str, same: bool) -> str:
    if same or not text:
        return escape(text)
    tag, colour = _TINTS[sign]
    return f'<{tag} style="background-color:{colour}70;text-decoration:none">{escape(text)}</{tag}>'


def _row(sign: str, html: str) -> str:
    return f'<span style="background-color:{_TINTS[sign][1]}26">{sign} {html}</span>'
