"""Definite assignment: which locals may be unset where they are read (Python's UnboundLocalError)."""

from __future__ import annotations

from collections.abc import Iterable

from ..ir.dast import Assign, If
from ..ir.expr import Name
from ..ir.node import Node, children, walk


def unset_reads(body: Iterable[Node], known: Iterable[str]) -> list[Name]:
    """The reads in *body* of a local that some path to them does not assign, in order.

    ``known`` are the names set on entry.  A nested loop body counts as executed: neighborhoods are
    never empty.
    """
    found: list[Name] = []
    _visit(body, set(known), found)
    return found


def _visit(body: Iterable[Node], known: set[str], found: list[Name]) -> set[str]:
    for statement in body:
        if isinstance(statement, If):
            _reads(statement.test, known, found)
            then = _visit(statement.then, set(known), found)
            orelse = _visit(statement.orelse, set(known), found)
            known |= then & orelse
        elif nested := [c for c in getattr(statement, "body", ()) if isinstance(c, Node)]:
            known |= _visit(nested, known | {*getattr(statement, "binds", ())}, found)
        else:
            for child in children(statement):
                _reads(child, known, found)
            if isinstance(statement, Assign):
                known.add(statement.name)
    return known


def _reads(root: Node, known: set[str], found: list[Name]) -> None:
    found += [n for n in walk(root) if isinstance(n, Name) and n.id not in known]
