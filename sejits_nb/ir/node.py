"""Immutable tree nodes: one frozen, slotted dataclass a node, children found from the fields.

A *rule* is a function ``node -> node | None``; ``None`` means "leave it".  :func:`rewrite` applies a
rule bottom-up and returns **the same object** when nothing changed, so that "this pass did nothing"
is ``after is before``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar, dataclass_transform


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of the user's source: 1-based lines, 0-based columns, the end exclusive."""

    line: int
    col: int
    end_line: int
    end_col: int

    def __str__(self) -> str:
        return f"{self.line}:{self.col}-{self.end_line}:{self.end_col}"

    def contains(self, other: Span) -> bool:
        """Whether *other* lies inside this span (a span contains itself)."""
        return (self.line, self.col) <= (other.line, other.col) and (
            other.end_line,
            other.end_col,
        ) <= (self.end_line, self.end_col)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Base of DAST and PAST nodes; ``loc`` is the span it comes from and takes no part in ``==``."""

    loc: Span | None = field(default=None, compare=False, repr=False)


_T = TypeVar("_T")
_N = TypeVar("_N", bound=Node)


@dataclass_transform(frozen_default=True, kw_only_default=False)
def node(cls: type[_T]) -> type[_T]:
    """Class decorator of every node: ``@dataclass(frozen=True, slots=True)``."""
    return dataclass(frozen=True, slots=True)(cls)


_FIELD_NAMES: dict[type[Node], tuple[str, ...]] = {}


def _field_names(cls: type[Node]) -> tuple[str, ...]:
    if cls not in _FIELD_NAMES:
        _FIELD_NAMES[cls] = tuple(f.name for f in dataclasses.fields(cls) if f.name != "loc")
    return _FIELD_NAMES[cls]


def children(parent: Node) -> Iterator[Node]:
    """The direct child nodes of *parent*, in field order."""
    for name in _field_names(type(parent)):
        value = getattr(parent, name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, Node))


def walk(root: Node) -> Iterator[Node]:
    """*root* and everything below it, parents first, left to right."""
    stack = [root]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(tuple(children(current))))


def map_children(parent: _N, change: Callable[[Any], Node]) -> _N:
    """*parent* with *change* applied to each direct child; the same object if none changed."""
    changes: dict[str, Any] = {}
    for name in _field_names(type(parent)):
        value = getattr(parent, name)
        if isinstance(value, Node):
            new: Any = change(value)
            if new is not value:
                changes[name] = new
        elif isinstance(value, tuple) and any(isinstance(item, Node) for item in value):
            new = tuple(change(item) if isinstance(item, Node) else item for item in value)
            if any(a is not b for a, b in zip(new, value, strict=True)):
                changes[name] = new
    return dataclasses.replace(parent, **changes) if changes else parent


def rewrite(root: _N, rule: Callable[[Node], Node | None]) -> _N:
    """*root* with *rule* applied to every node, children before parents.

    A replacement without a ``loc`` of its own inherits the one of the node it replaces, so that no
    rule can lose provenance by forgetting it.
    """

    def visit(current: Node) -> Node:
        current = map_children(current, visit)
        new = rule(current)
        if new is None or new is current:
            return current
        if new.loc is None and current.loc is not None:
            new = dataclasses.replace(new, loc=current.loc)
        return new

    return visit(root)  # type: ignore[return-value]  # a rule keeps the root's kind
