"""What piece of the cell a routine of the efficiency programmer's computes: that of its calls."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from ..ir.node import Node, Span, children
from ..ir.past import CallC, Function

_HEADER = re.compile(r"^static\b.*", re.MULTILINE)
_CALL = re.compile(r"\b([a-z]\w*)\s*\(")


def routine_spans(function: Function, texts: Sequence[str]) -> list[Span | None]:
    """For each of the *texts* the span of the statement that calls this routine, or a later one that
    does; ``None`` where nothing does, or different pieces of the cell do.
    """
    spans: dict[str, set[Span]] = defaultdict(set)
    for name, span in _calls(function, None):
        spans[name].add(span)
    found: list[Span | None] = []
    for text in reversed(texts):  # a routine stands before those that call it
        names = [name for header in _HEADER.findall(text) for name in _CALL.findall(header)[:1]]
        own = set[Span]().union(*(spans[name] for name in names))
        for name in _CALL.findall(text):
            spans[name] |= own
        found.append(next(iter(own)) if len(own) == 1 else None)
    return found[::-1]


def _calls(node: Node, span: Span | None) -> Iterator[tuple[str, Span]]:
    """Each function that *node* calls, and the span of what calls it."""
    span = node.loc or span
    if isinstance(node, CallC) and span:
        yield node.func, span
    for child in children(node):
        yield from _calls(child, span)
