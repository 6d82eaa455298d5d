"""Where two listings differ, line by line and word by word, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from ..words import differing


def blocks(old: Sequence[str], new: Sequence[str]) -> list[list[Any]]:
    """``[kind, i, j, k, m, words]`` for each stretch: ``old[i:j]`` became ``new[k:m]``.

    *kind* is ``equal``, ``replace``, ``delete`` or ``insert``; *words* has, for each pair of lines of
    a replacement, where they differ (``[[[from, to], ...], [[from, to], ...]]``, in characters), or
    ``None`` where little is the same.

    >>> blocks(["a = 1", "b"], ["a = 2", "b"])
    [['replace', 0, 1, 0, 1, [[[[4, 5]], [[4, 5]]]]], ['equal', 1, 2, 1, 2, []]]
    """
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [
        [kind, i, j, k, m, _words(old[i:j], new[k:m]) if kind == "replace" else []]
        for kind, i, j, k, m in matcher.get_opcodes()
    ]


def _words(old: Sequence[str], new: Sequence[str]) -> list[list[list[list[int]]] | None]:
    pairs = (differing(a, b) for a, b in zip(old, new, strict=False))
    return [None if p is None else [[list(r) for r in side] for side in p] for p in pairs]
