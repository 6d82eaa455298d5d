"""The sums over events that are one for all components, in C.

        shares[lane] = ...                              <- weights, summed over the components
        weighed[d, lane] = xs[d, lane] * shares[lane]
        rank_update     x_i x_j of a block, added up    <- scatter(...), pooled

Threads take parts of the events in every strategy: there are no components to divide these sums by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...ir.dast import Statement
from ...ir.expr import Expr
from ...ir.node import Span
from ...ir.past import Buffer, CallC, Do, For, Literal, PExpr, Variable
from .build import add_to, at, index, load, loop, op, store
from .derived import Pooled
from .pieces import Pieces
from .sums import upper

_B = Variable("BLOCK")
Weight = Callable[[Expr], PExpr]
"""A column -> its value for the event ``lane`` and the component ``k``."""


class PooledSums:
    """The pooled sums of a part's events, which lie behind *before* other sums of it."""

    def __init__(self, pieces: Pieces, before: int) -> None:
        self.pieces, self.before, self.t = pieces, before, pieces.t
        self.columns, self.layout = pieces.sums.pooled, pieces.layout

    @property
    def size(self) -> int:
        """Elements of all, in rows that vectors fit in."""
        return len(self.columns) * self._matrix

    @property
    def _matrix(self) -> int:
        return self.layout.dimension * self.layout.padded_dimension

    def scratch(self, loc: Span | None) -> Iterator[Statement]:
        """A block's weights, and its coordinates times these."""
        if any(isinstance(c.weights, Pooled) for c in self.columns):
            yield Buffer("shares", self.t, 1, True, times=_B, loc=loc)
            yield Buffer("weighed", self.t, self.layout.dimension, True, times=_B, loc=loc)

    def of_block(self, part_size: int, value: Weight, loc: Span | None) -> Iterator[Statement]:
        """A block's second moments; *value* is a pair's weight."""
        for number, column in enumerate(self.columns):
            here, coordinates = column.weights.loc or loc, "xs"
            if isinstance(column.weights, Pooled):
                coordinates = "weighed"
                yield from self._weighed(value(column.weights.weights), here)
            to = at("partial", ("part", part_size), self.before + number * self._matrix)
            yield Do(CallC("rank_update", (at("rows"), at(coordinates), to)), loc=here)

    def _weighed(self, weight: PExpr, loc: Span | None) -> Iterator[Statement]:
        lane, there = index("lane"), index(("d", "BLOCK"), "lane")
        zero = store("shares", lane, Literal(0.0, dtype=self.t), loc)
        yield loop("lane", _B, zero, loc=loc, simd=True)
        add = add_to("shares", lane, weight, loc, self.t)
        yield loop("k", self.layout.components, loop("lane", _B, add, loc=loc, simd=True), loc=loc)
        pair = load("xs", there, dtype=self.t), load("shares", lane, dtype=self.t)
        product = store("weighed", there, op("*", *pair, self.t), loc)
        each = loop("lane", _B, product, loc=loc, simd=True)
        yield loop("d", self.layout.dimension, each, loc=loc)

    def summed(self, part_size: int, loc: Span | None) -> Iterator[Statement]:
        """The sums of the parts, added to ``moments``."""
        lay, i, j = self.layout, Variable("i"), Variable("j")
        for number, column in enumerate(self.columns):
            before = self.before + number * self._matrix
            one = load("partial", ("part", part_size), before, ("i", lay.padded_dimension), "j")
            add = add_to("moments", index(column.start, upper(i, j, lay.dimension)), one, loc)
            row = For("j", i, Literal(lay.dimension), (add,), loc=loc)
            nest = loop("i", lay.dimension, row, loc=loc)
            yield loop("part", Variable("parts"), nest, loc=loc)
