"""What every domain AST (DAST) is made of besides expressions: statements and a root.

    Stmt ::= Assign(name, value)          rebinds a local, as the user wrote it
           | Let(name, value)             binds a name once (after phase2_optimize/single_assignment.py)
           | If(test, then, orelse)

The family is open: a language adds nodes of its own (``specializers/*/dast.py``).  A node that fills
a line of the notebook's DAST pane says how it reads (:meth:`Statement.headline`) and which nodes are
listed below it (:meth:`Statement.nested`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .expr import Expr, show
from .node import Node, Span, node


@dataclass(frozen=True, slots=True)
class Statement(Node):
    """Base of nodes that take a line of their own in a listing."""

    def headline(self) -> str:
        """This node in one line, without what is nested below it."""
        return type(self).__name__

    def nested(self) -> tuple[Node, ...]:
        """The nodes listed, indented, below this one."""
        return ()

    def origin(self) -> Span | None:
        """The smallest span of the cell that this line stands for."""
        return self.loc


@node
class Assign(Statement):
    """``name = value``; ``acc += e`` is parsed to this with ``value = acc + e``."""

    name: str
    value: Expr

    def headline(self) -> str:
        return f"{self.name} = {show(self.value)}"


@node
class Let(Statement):
    """``let name = value``: the only binding of *name* in the kernel."""

    name: str
    value: Expr

    def headline(self) -> str:
        kind = f": {self.value.dtype}" if self.value.dtype else ""
        return f"let {self.name}{kind} = {show(self.value)}"

    def origin(self) -> Span | None:
        return self.value.loc or self.loc


@node
class Else(Statement):
    """The other branch of an :class:`If`; a node so that it has a line and a span."""

    body: tuple[Statement, ...]

    def headline(self) -> str:
        return "else"

    def nested(self) -> tuple[Node, ...]:
        return self.body


@node
class If(Statement):
    """``if test:`` over statements; phase 2 turns it into :class:`~.expr.Select` values."""

    test: Expr
    then: tuple[Statement, ...]
    orelse: tuple[Statement, ...] = ()

    def headline(self) -> str:
        return f"if {show(self.test)}"

    def nested(self) -> tuple[Node, ...]:
        return (*self.then, Else(self.orelse, loc=self.orelse[0].loc)) if self.orelse else self.then

    def origin(self) -> Span | None:
        return self.test.loc or self.loc


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a listing or of generated code, and the span of the cell that it comes from."""

    text: str
    loc: Span | None = None


def listing(root: Statement, indent: int = 0) -> Iterator[Line]:
    """The lines of *root*, two blanks a level."""
    yield Line("  " * indent + root.headline(), root.origin())
    for below in root.nested():
        if isinstance(below, Statement):
            yield from listing(below, indent + 1)
