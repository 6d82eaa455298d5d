"""The names that a kernel finds when it runs as plain Python: its own, then the language's."""

from __future__ import annotations

import builtins
import types
from collections.abc import Mapping
from typing import Any

from ..contracts import Namespace
from ..stages import KernelSource
from .capture import free_names


def plain_scope(
    source: KernelSource, lookup: Namespace, intrinsics: Mapping[str, Any]
) -> dict[str, Any]:
    """Global names for the kernel's text: builtins, *intrinsics*, and what *lookup* has for its free
    names now, which hides an intrinsic of that name."""
    scope: dict[str, Any] = {"__builtins__": builtins, **intrinsics}
    names = {d.partition(".")[0] for d in free_names(source.code, source.name, source.method)}
    for name in names:
        try:
            scope[name] = with_intrinsics(lookup(name), intrinsics)
        except (KeyError, NameError, ValueError):  # a builtin, or unknown: Python will say
            continue
    return scope


def with_intrinsics(value: Any, intrinsics: Mapping[str, Any]) -> Any:
    """A helper function that finds intrinsics which nothing in its module defines; else *value*."""
    if not isinstance(value, types.FunctionType) or not _lacks(value, intrinsics, set()):
        return value
    known = _Globals(value.__globals__, intrinsics)
    return types.FunctionType(
        value.__code__, known, value.__name__, value.__defaults__, value.__closure__
    )


def _lacks(fn: types.FunctionType, intrinsics: Mapping[str, Any], seen: set[Any]) -> bool:
    """Whether *fn*, or a function that it calls, names an intrinsic that is not defined there."""
    seen.add(fn.__code__)
    for name in fn.__code__.co_names:
        try:
            value = fn.__globals__[name]
        except KeyError:
            if name in intrinsics:
                return True
            continue
        new = isinstance(value, types.FunctionType) and value.__code__ not in seen
        if new and _lacks(value, intrinsics, seen):
            return True
    return False


class _Globals(dict[str, Any]):
    """A helper's globals as they are when it asks, and the intrinsics, which need no import."""

    def __init__(self, names: Mapping[str, Any], intrinsics: Mapping[str, Any]) -> None:
        super().__init__()
        self.names, self.intrinsics = names, intrinsics

    def __missing__(self, name: str) -> Any:
        try:
            return with_intrinsics(self.names[name], self.intrinsics)
        except KeyError:
            return self.intrinsics[name]
