"""The four published ways of summing over events on a device (Cook, Gonina et al. 2011).

A *cell* is one feature of the moments: 1, x_d, or x_i x_j.  Each is the product of two rows of ``xs``,
the last of which is all ones, so that a cell is a pair of row numbers.

    V1    a work-group for each component and cell     its items go through the events, and add up
    V2A   a work-group for each component              its items are cells, each through all events
    V2B   the same for each of B blocks of events      their sums are added up by a second launch
    V3    a work-group for each cell                   as V1, through all components at once

The published V3 has the means of all components in local memory; moments about one origin need no
means, and what its groups hold there is a sum of every item for every component.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...ir.dast import Statement
from ...ir.dtypes import BOOL, F64, I16, I64, DType
from ...ir.node import Span
from ...ir.past import (
    Address,
    Binary,
    Buffer,
    CallC,
    Convert,
    Declare,
    Do,
    For,
    If,
    Literal,
    Load,
    PExpr,
    Table,
    Variable,
    When,
)
from .build import add_to, at, groups, index, items, load, loop, op, store
from .layout import Layout

PUBLISHED = ("V1", "V2A", "V2B", "V3")
GROUP, BLOCKS = Variable("GROUP"), Variable("BLOCKS")
"""Numbers that knobs choose: work-items of a group, and blocks of events."""
PAIR = (("k", Variable("rows")), "n")
"""Where an event's value for a component lies, as terms of an index."""
_ROWS, _ITEM, _ZERO = Variable("rows"), Variable("item"), Literal(0.0, dtype=F64)
SOUND = Binary("==", Load("status", Literal(0), dtype=I64), Literal(0), dtype=BOOL)
"""Whether every component has a density."""
_ASKED = Binary("&&", Binary("==", _ITEM, Literal(0), dtype=BOOL), SOUND, dtype=BOOL)
"""Whether a work-item is the one that adds its group's sum."""


def group_sum(
    value: PExpr, done: tuple[Statement, ...], loc: Span | None, known: tuple[Statement, ...] = ()
) -> tuple[Statement, ...]:
    """What a work-group does for the sum of *value* over all events n, which is then ``sums[0]``: its
    first item goes on with *done*.  *known* is declared before."""
    event = Declare("n", I64, index(("step", GROUP), "item"), loc=loc)
    share = add_to("sums", _ITEM, value, loc)
    body = (
        *known,
        store("sums", _ITEM, _ZERO, loc),
        loop("step", Binary("/", _ROWS, GROUP), event, share, loc=loc),
        _add_up(at("sums"), loc),
        If(_ASKED, done, loc=loc),
    )
    room = Buffer("sums", F64, 1, local=True, times=GROUP, loc=loc)
    return room, items("item", GROUP, *body, loc=loc)


def rows_of_cells(layout: Layout) -> dict[str, Table]:
    """The two rows of every cell, in the order of the features."""
    d = layout.dimension
    ends = {i: range(i, d) if layout.whole else (i,) for i in range(d)}
    cells = [(d, d), *((i, d) for i in range(d)), *((i, j) for i in ends for j in ends[i])]
    both = zip(("left", "right"), zip(*cells, strict=True), strict=True)
    return {
        f"{name} rows": Table(name, I16, tuple(Literal(number, dtype=I16) for number in rows))
        for name, rows in both
    }


@dataclass(frozen=True)
class Moments:
    """Launches that add the sums of the column with this *number* to ``moments[start + cell][k]``.

    Its weights are the rows of *source*, one for each of *components*; without one they are 1.
    """

    number: int
    source: str
    cells: range
    components: int
    start: int
    dtype: DType
    loc: Span | None

    def launches(self) -> Iterator[Statement]:
        """Every strategy."""
        ways = zip(PUBLISHED, (self.v1, self.v2a, self.v2b, self.v3), strict=True)
        for strategy, way in ways:
            yield When("strategy", (strategy,), tuple(way()), loc=self.loc)

    def v1(self) -> Iterator[Statement]:
        """A work-group for each component and cell."""
        done = (self.added(load("sums")),)
        own = group_sum(self.product(), done, self.loc, self.rows_of_cell())
        cell = groups("f", len(self.cells), *own, loc=self.loc)
        yield groups("k", self.components, cell, along=1, loc=self.loc)

    def v2a(self) -> Iterator[Statement]:
        """A work-group for each component, a work-item for each cell."""
        put = If(SOUND, (self.added(load("sum")),), loc=self.loc)
        cells = self.each_cell(Literal(0), Variable("count"), put)
        yield groups("k", self.components, cells, loc=self.loc)

    def v2b(self) -> Iterator[Statement]:
        """A work-group for each component and block of events; then the blocks are added up."""
        loc, name, size = self.loc, f"partial_{self.number}", len(self.cells) * self.components
        yield Buffer(name, F64, size, True, times=BLOCKS, loc=loc)
        start, stop = (
            Binary("/", Binary("*", Variable("count"), block), BLOCKS)
            for block in (Variable("block"), index("block", 1))
        )
        own = index(("block", size), ("f", self.components), "k")
        cells = self.each_cell(start, stop, store(name, own, load("sum"), loc))
        blocks = groups("block", BLOCKS, cells, loc=loc)
        yield groups("k", self.components, blocks, along=1, loc=loc)
        each = loop("block", BLOCKS, self.added(load(name, own)), loc=loc)
        cell = items("f", len(self.cells), If(SOUND, (each,), loc=loc), loc=loc)
        yield items("k", self.components, cell, along=1, loc=loc)

    def v3(self) -> Iterator[Statement]:
        """A work-group for each cell, whose items have a sum for each component."""
        loc, first, own = self.loc, index(("k", GROUP)), index(("k", GROUP), "item")

        def each(s: Statement) -> Statement:
            return loop("k", self.components, s, loc=loc)

        event = Declare("n", I64, index(("step", GROUP), "item"), loc=loc)
        share = each(add_to("sums", own, self.product(), loc))
        body = (
            *self.rows_of_cell(),
            each(store("sums", own, _ZERO, loc)),
            loop("step", Binary("/", _ROWS, GROUP), event, share, loc=loc),
            each(_add_up(Address("sums", first), loc)),
            If(_ASKED, (each(self.added(load("sums", first))),), loc=loc),
        )
        room = Buffer("sums", F64, self.components, local=True, times=GROUP, loc=loc)
        cell = room, items("item", GROUP, *body, loc=loc)
        yield groups("f", len(self.cells), *cell, loc=loc)

    def each_cell(self, start: PExpr, stop: PExpr, put: Statement) -> Statement:
        """The items of a group as cells, as many times as it takes; each goes through the events from
        *start* to *stop*, and then does *put*."""
        loc, count = self.loc, len(self.cells)
        cell = index(("step", GROUP), "item")
        body = (
            *self.rows_of_cell(),
            Buffer("sum", F64, 1, loc=loc),
            store("sum", Literal(0), _ZERO, loc),
            For("n", start, stop, (add_to("sum", Literal(0), self.product(), loc),), loc=loc),
            put,
        )
        there = Binary("<", Variable("f"), Literal(count), dtype=BOOL)
        turns = Binary("/", index(GROUP, count - 1), GROUP)
        turn = Declare("f", I64, cell, loc=loc), If(there, body, loc=loc)
        return items("item", GROUP, loop("step", turns, *turn, loc=loc), loc=loc)

    def rows_of_cell(self) -> tuple[Statement, ...]:
        """Where the two rows begin whose product the cell is."""
        first = self.cells.start
        return tuple(
            Declare(name, I64, Binary("*", load(table, "f", first, dtype=I16), _ROWS), loc=self.loc)
            for name, table in (("a", "left"), ("b", "right"))
        )

    def product(self) -> PExpr:
        """An event's share in the cell's sum."""
        t = self.dtype
        left: PExpr = load("xs", "a", "n", dtype=t)
        right = load("xs", "b", "n", dtype=t)
        if self.source:
            left = op("*", load(self.source, *PAIR, dtype=t), left, t)
        return Convert(op("*", left, right, t), dtype=F64)

    def added(self, value: PExpr) -> Statement:
        """*value* in the sum of cell f for component k."""
        there = index(self.start, ("f", self.components), "k")
        return add_to("moments", there, value, self.loc)


def _add_up(sums: Address, loc: Span | None) -> Statement:
    return Do(CallC("group_sum", (sums, _ITEM, GROUP)), loc=loc)
