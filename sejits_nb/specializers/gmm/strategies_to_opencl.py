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


@dataclass(frozen=True)
class Moments:
    """Launches that add the sums of every cell to ``moments[column][cell][k]``; *tables* takes the rows
    of each cell."""

    layout: Layout
    dtype: DType
    tables: dict[str, Table]

    def __post_init__(self) -> None:
        d = self.layout.dimension
        ends = {i: range(i, d) if self.layout.whole else (i,) for i in range(d)}
        cells = [(d, d), *((i, d) for i in range(d)), *((i, j) for i in ends for j in ends[i])]
        for name, rows in zip(("left", "right"), zip(*cells, strict=True), strict=True):
            values = tuple(Literal(number, dtype=I16) for number in rows)
            self.tables[f"{name} rows"] = Table(name, I16, values)

    def of(self, column: int, source: str, loc: Span | None) -> Iterator[Statement]:
        """Every strategy for one column of weights, which the rows of *source* hold."""
        ways = zip(PUBLISHED, (self.v1, self.v2a, self.v2b, self.v3), strict=True)
        for strategy, way in ways:
            yield When("strategy", (strategy,), tuple(way(column, source, loc)), loc=loc)

    def v1(self, column: int, source: str, loc: Span | None) -> Iterator[Statement]:
        """A work-group for each component and cell."""
        done = (self.added(column, load("sums"), loc),)
        own = group_sum(self.product(source), done, loc, self.rows_of_cell(loc))
        cell = groups("f", self.layout.features, *own, loc=loc)
        yield groups("k", self.layout.components, cell, along=1, loc=loc)

    def v2a(self, column: int, source: str, loc: Span | None) -> Iterator[Statement]:
        """A work-group for each component, a work-item for each cell."""
        put = If(SOUND, (self.added(column, load("sum"), loc),), loc=loc)
        cells = self.cells(source, Literal(0), Variable("count"), put, loc)
        yield groups("k", self.layout.components, cells, loc=loc)

    def v2b(self, column: int, source: str, loc: Span | None) -> Iterator[Statement]:
        """A work-group for each component and block of events; then the blocks are added up."""
        lay, name = self.layout, f"partial_{column}"
        yield Buffer(name, F64, lay.features * lay.components, True, times=BLOCKS, loc=loc)
        start, stop = (
            Binary("/", Binary("*", Variable("count"), block), BLOCKS)
            for block in (Variable("block"), index("block", 1))
        )
        own = index(("block", lay.features * lay.components), ("f", lay.components), "k")
        cells = self.cells(source, start, stop, store(name, own, load("sum"), loc), loc)
        blocks = groups("block", BLOCKS, cells, loc=loc)
        yield groups("k", lay.components, blocks, along=1, loc=loc)
        each = loop("block", BLOCKS, self.added(column, load(name, own), loc), loc=loc)
        cell = items("f", lay.features, If(SOUND, (each,), loc=loc), loc=loc)
        yield items("k", lay.components, cell, along=1, loc=loc)

    def v3(self, column: int, source: str, loc: Span | None) -> Iterator[Statement]:
        """A work-group for each cell, whose items have a sum for each component."""
        first, own = index(("k", GROUP)), index(("k", GROUP), "item")

        def each(s: Statement) -> Statement:
            return loop("k", self.layout.components, s, loc=loc)

        event = Declare("n", I64, index(("step", GROUP), "item"), loc=loc)
        share = each(add_to("sums", own, self.product(source), loc))
        body = (
            *self.rows_of_cell(loc),
            each(store("sums", own, _ZERO, loc)),
            loop("step", Binary("/", _ROWS, GROUP), event, share, loc=loc),
            each(_add_up(Address("sums", first), loc)),
            If(_ASKED, (each(self.added(column, load("sums", first), loc)),), loc=loc),
        )
        room = Buffer("sums", F64, self.layout.components, local=True, times=GROUP, loc=loc)
        cell = room, items("item", GROUP, *body, loc=loc)
        yield groups("f", self.layout.features, *cell, loc=loc)

    def cells(
        self, source: str, start: PExpr, stop: PExpr, put: Statement, loc: Span | None
    ) -> Statement:
        """The items of a group as cells, as many times as it takes; each goes through the events from
        *start* to *stop*, and then does *put*."""
        features = self.layout.features
        cell = index(("step", GROUP), "item")
        body = (
            *self.rows_of_cell(loc),
            Buffer("sum", F64, 1, loc=loc),
            store("sum", Literal(0), _ZERO, loc),
            For("n", start, stop, (add_to("sum", Literal(0), self.product(source), loc),), loc=loc),
            put,
        )
        there = Binary("<", Variable("f"), Literal(features), dtype=BOOL)
        turns = Binary("/", index(GROUP, features - 1), GROUP)
        turn = Declare("f", I64, cell, loc=loc), If(there, body, loc=loc)
        return items("item", GROUP, loop("step", turns, *turn, loc=loc), loc=loc)

    def rows_of_cell(self, loc: Span | None) -> tuple[Statement, ...]:
        """Where the two rows begin whose product the cell is."""
        return tuple(
            Declare(name, I64, Binary("*", load(table, "f", dtype=I16), _ROWS), loc=loc)
            for name, table in (("a", "left"), ("b", "right"))
        )

    def product(self, source: str) -> PExpr:
        """An event's share in the cell's sum."""
        t = self.dtype
        weight = load(source, *PAIR, dtype=t)
        left, right = (load("xs", name, "n", dtype=t) for name in "ab")
        return Convert(op("*", op("*", weight, left, t), right, t), dtype=F64)

    def added(self, column: int, value: PExpr, loc: Span | None) -> Statement:
        """*value* in the sum of cell f for component k."""
        lay = self.layout
        there = index((column, lay.features * lay.components), ("f", lay.components), "k")
        return add_to("moments", there, value, loc)


def _add_up(sums: Address, loc: Span | None) -> Statement:
    return Do(CallC("group_sum", (sums, _ITEM, GROUP)), loc=loc)
