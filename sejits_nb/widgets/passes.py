"""Before -> after of every pass of phase 2: lines with ``-`` and ``+``, changed words marked."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from html import escape
from itertools import pairwise

from ..stages import Step, Trace
from .markup import code_block
from .wording import seconds_text
from .words import marked, tinted

LIMIT_BYTES = 10_000
_MOST_LINES = 400
_MOST_PAIRS = 40
"""In a longer block of changed lines words are not compared: that takes a millisecond a line."""
_CONTEXT = 2


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
    alike = len(old) == len(new) <= _MOST_PAIRS
    pairs = [marked(a, b) for a, b in zip(old, new, strict=True)] if alike else []
    if pairs and all(pairs):
        yield from (_row("-", pair[0]) for pair in pairs if pair)
        yield from (_row("+", pair[1]) for pair in pairs if pair)
    else:
        yield from (_row("-", escape(line)) for line in old)
        yield from (_row("+", escape(line)) for line in new)


def _row(sign: str, html: str) -> str:
    return tinted(sign, f"{sign} {html}")
