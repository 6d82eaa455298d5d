"""The events' part of the lowering to C: E-step and sums over the events, in four ways.

    fused        a thread's blocks of events: densities, then sums of its own     (parallel over events)
    separate     densities of a panel of blocks; then its sums                    (parallel over events)
    components   the same, but each thread sums for components of its own         (over components)
    cells        ... for tiles of components and features of its own       (over component x feature)

One event is read once in all of them; threads wait for one another only where densities and sums are
separate, once a panel.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...ir.dast import Statement
from ...ir.dtypes import BOOL, F64, I64
from ...ir.expr import Expr
from ...ir.node import Span
from ...ir.past import (
    Binary,
    Buffer,
    CallC,
    Convert,
    Declare,
    Do,
    For,
    If,
    Literal,
    PExpr,
    Ternary,
    Variable,
    When,
)
from .build import Terms, add_to, at, index, load, loop, op, store
from .dast import Responsibility, Softmax
from .layout import PANEL
from .pieces import Pieces
from .pooled_to_c import PooledSums
from .sums import Column

E_STEP, M_STEP, WRITE = 1, 2, 4
STRATEGIES = ("fused", "separate", "components", "cells")
FORMS = ("cholesky", "natural")
"""Distances by inverse factors, or as sums over the features of the moments."""
CHOLESKY, NATURAL = FORMS
_MOST_PARTS = Literal(1)
"""Phase 4 puts the number of threads in its place."""
_BLOCKS_WORTH_A_PART = 8
"""Fewer blocks than this are done before another thread has begun."""
_B = Variable("BLOCK")
_PAIR: tuple[Terms, ...] = (("k", "BLOCK"), "lane")


class Events:
    """The statements between the factors and the M-step, which leave ``moments`` and the likelihood."""

    def __init__(self, pieces: Pieces) -> None:
        self.pieces, self.layout, self.t = pieces, pieces.layout, pieces.t
        self.columns, self.loc = pieces.sums.columns, pieces.gmm.estep.loc
        self.sums_loc = pieces.gmm.mstep.loc
        self.pooled = PooledSums(pieces, len(self.columns) * self.column_size)

    def statements(self) -> Iterator[Statement]:
        """The parts of the events, each with sums of its own, and then the sums of the parts."""
        loc, size = self.loc, self.part_size
        parts = Variable("parts")
        whole = Binary("/", Binary("-", Binary("+", Variable("count"), _B), Literal(1)), _B)
        yield Declare("blocks", I64, whole, loc=loc)
        worth = Binary("/", Variable("blocks"), Literal(_BLOCKS_WORTH_A_PART))
        most = CallC("max_i64", (Literal(1), worth))
        yield Declare("parts", I64, CallC("min_i64", (_MOST_PARTS, most)), loc=loc)
        yield Buffer("partial", F64, size, True, True, loc=loc)
        clear = store("partial", index(("part", size), "n"), Literal(0.0, dtype=F64), loc)
        yield loop("part", parts, loop("n", size, clear, loc=loc), loc=loc)
        fused, *others = STRATEGIES
        yield When("strategy", (fused,), tuple(self.fused()), loc=loc)
        yield When("strategy", tuple(others), tuple(self.in_panels()), loc=loc)
        added = load("partial", ("part", size), self.sums_size)
        likelihood = add_to("log_likelihood", Literal(0), added, loc)
        yield loop("part", parts, likelihood, loc=loc)
        yield If(bit(E_STEP), tuple(self.summed()), loc=self.sums_loc)

    # -- sizes

    @property
    def column_size(self) -> int:
        """Sums of one column of weights: [K][features, padded]."""
        return self.layout.components * self.layout.feature_row

    @property
    def sums_size(self) -> int:
        return len(self.columns) * self.column_size + self.pooled.size

    @property
    def part_size(self) -> int:
        """A part's sums and, in a cache line of its own, its log-likelihood."""
        return self.sums_size + 8

    @property
    def features_of_block(self) -> int:
        """Elements of a block's features for each of its events, and what is written past the last."""
        return self.layout.feature_row + 1

    # -- the strategies

    def fused(self) -> Iterator[Statement]:
        """Densities and sums of one block after the other."""
        features, body = at("feature_rows"), list[Statement]()
        for number, column in enumerate(self.columns):
            weights, every = column.weights, (0, self.padded(column), 0, self.layout.components)
            source, loc = "pair_joint", weights.loc or self.sums_loc
            if not isinstance(weights, Responsibility):
                source = "column"
                body.append(self.pairs(self.column(weights, source, (), loc), loc=loc))
            sums = ("part", self.part_size), number * self.column_size
            body.append(self.accumulate(features, every, at(source), sums, loc))
        size, k = self.features_of_block, self.layout.components
        own = [Buffer("feature_rows", self.t, size, True, times=_B, loc=self.loc)]
        if any(not isinstance(c.weights, Responsibility) for c in self.columns):
            own.append(Buffer("column", self.t, k, True, times=_B, loc=self.sums_loc))
        one = *self.densities(features), If(bit(E_STEP), tuple(body), loc=self.sums_loc)
        yield self.part(*self.scratch(), *own, self.blocks(*one))

    def in_panels(self) -> Iterator[Statement]:
        """Densities of a panel by all threads, then its sums by all threads."""
        lay, loc, columns = self.layout, self.loc, len(self.columns)
        yield Buffer(
            "panel_features", self.t, self.features_of_block * PANEL, True, times=_B, loc=loc
        )
        size = max(1, columns) * lay.components
        yield Buffer("panel_weights", self.t, size * PANEL, True, times=_B, loc=loc)
        first = Binary("*", Variable("panel"), Literal(PANEL))
        last = CallC(
            "min_i64", (Variable("blocks"), Binary("+", Variable("first"), Literal(PANEL)))
        )
        there = Binary("-", Variable("block"), Variable("first"))
        features = at("panel_features", (there, self.features_of_block, "BLOCK"))
        one = tuple(self.densities(features))
        for number, column in enumerate(self.columns):
            here = index((there, size, "BLOCK"), (number * lay.components, "BLOCK"))
            weights, loc = column.weights, column.weights.loc or self.sums_loc
            one += (self.pairs(self.column(weights, "panel_weights", (here,), loc), loc=loc),)
        sums = tuple(self.sums_of_panel(features, there, size))
        body = (
            Declare("first", I64, first, loc=loc),
            Declare("last", I64, last, loc=loc),
            self.part(*self.scratch(), self.blocks(*one, panel=True)),
            If(bit(E_STEP), sums, loc=self.sums_loc),
        )
        panels = Binary("/", index("blocks", PANEL - 1), Literal(PANEL))
        yield loop("panel", panels, *body, loc=self.loc)

    def sums_of_panel(self, features: PExpr, there: PExpr, size: int) -> Iterator[Statement]:
        """The panel's part of every sum, its work divided as the strategy says."""
        lay, loc = self.layout, self.sums_loc
        k, group, cell = lay.components, lay.tile[1], Variable("cell")

        def of_column(number: int, ends: tuple[Terms, ...], base: Terms = 0) -> Statement:
            weights = at("panel_weights", (there, size, "BLOCK"), (number * k, "BLOCK"))
            sums, here = (base, number * self.column_size), self.columns[number].weights.loc or loc
            return self.accumulate(features, ends, weights, sums, here)

        def every_block(*body: Statement) -> For:
            return For("block", Variable("first"), Variable("last"), body, loc=loc)

        numbered = tuple(enumerate(self.columns))
        part = "part", self.part_size
        own = (of_column(n, (0, self.padded(c), 0, k), part) for n, c in numbered)
        yield When("strategy", ("separate",), (self.part(self.blocks(*own, panel=True)),), loc=loc)
        low, high = _shares(Literal(k))
        some = (of_column(n, (0, self.padded(c), low, high)) for n, c in numbered)
        yield When("strategy", ("components",), (self.part(every_block(*some)),), loc=loc)
        groups = -(-k // group)
        tile, at_k = Binary("/", cell, Literal(groups)), Binary("%", cell, Literal(groups))
        last = CallC("min_i64", (Literal(k), index((at_k, group), group)))
        f = lay.tile_features
        ends = index((tile, f)), index((tile, f), f), index((at_k, group)), last
        cells = list[Statement]()
        for order in sorted({c.order for c in self.columns}, reverse=True):
            one = (of_column(n, ends) for n, c in numbered if c.order == order)
            start, stop = _shares(Literal(groups * lay.tiles_of(order)))
            cells.append(For("cell", start, stop, (every_block(*one),), loc=loc))
        yield When("strategy", ("cells",), (self.part(*cells),), loc=loc)

    def part(self, *body: Statement) -> For:
        """Every part of the work, a thread for each."""
        return For("part", Literal(0), Variable("parts"), body, independent=True, loc=self.loc)

    def blocks(self, *body: Statement, panel: bool = False) -> For:
        """The part's share of all blocks, or of the panel's."""
        count: PExpr = Variable("blocks")
        begin: PExpr = Literal(0)
        if panel:
            begin, count = Variable("first"), Binary("-", Variable("last"), Variable("first"))
        start, stop = (index(begin, share) for share in _shares(count))
        return For("block", start, stop, body, loc=self.loc)

    # -- one block

    def scratch(self) -> Iterator[Statement]:
        """One block's arrays; rows end in zeros."""
        lay, loc, pieces = self.layout, self.loc, self.pieces
        yield Buffer("rows", self.t, lay.row, True, times=_B, loc=loc)
        zero = store("rows", index("n"), Literal(0.0, dtype=self.t), loc)
        yield loop("n", index(("BLOCK", lay.row)), zero, loc=loc)
        yield Buffer("xs", self.t, lay.padded_dimension, True, times=_B, loc=loc)
        yield Buffer("tops", self.t, 1, times=_B, loc=loc)
        yield Buffer("sums", self.t, 1, times=_B, loc=loc)
        for number in range(len(pieces.white)):
            yield Buffer(f"white_{number}", self.t, lay.dimension, True, times=_B, loc=loc)
        count = len(pieces.distances) + len(pieces.shared)
        for name in (*(f"distance_{n}" for n in range(count)), *pieces.fields):
            yield Buffer(name, self.t, lay.components, True, times=_B, loc=loc)
        yield from self.pooled.scratch(self.sums_loc)

    def densities(self, features: PExpr) -> Iterator[Statement]:
        """The E-step of one block of events, and its features."""
        lay, loc, pieces = self.layout, self.loc, self.pieces
        left = Binary("-", Variable("count"), Binary("*", Variable("block"), _B))
        yield Declare("valid", I64, CallC("min_i64", (_B, left)), loc=loc)
        rows = at("x", ("block", "BLOCK", lay.dimension))
        yield call("gather", rows, at("origin"), Variable("valid"), at("rows"), at("xs"), loc=loc)
        if pieces.distances:
            made = call("features", at("rows"), features, loc=loc)
            yield When("form", (NATURAL,), (made,), loc=loc)
        for number, distance in enumerate(pieces.distances):
            here, to = distance.loc or loc, at(f"distance_{number}")
            by_factor = call("distance", at("xs"), at(f"factor_{number}"), to, loc=here)
            by_features = call("natural_distance", features, at(f"factor_{number}"), to, loc=here)
            yield When("form", (CHOLESKY,), (by_factor,), loc=here)
            yield When("form", (NATURAL,), (by_features,), loc=here)
        yield from self.shared_distances()
        yield self.pairs(*pieces.pair_body(*_PAIR), loc=loc)
        total = at("partial", ("part", self.part_size), self.sums_size)
        softmax = next(s for s in pieces.gmm.estep.body if isinstance(s, Softmax))
        yield call("softmax", at("pair_joint"), at("tops"), at("sums"), Variable("valid"), total,
                   loc=softmax.loc)  # fmt: skip
        yield If(bit(WRITE), tuple(self.written()), loc=loc)
        if self.columns:
            made = call("features", at("rows"), features, loc=self.sums_loc)
            later = (CHOLESKY,) if pieces.distances else FORMS
            asked = If(bit(E_STEP), (made,), loc=self.sums_loc)
            yield When("form", later, (asked,), loc=self.sums_loc)
        if self.pooled.columns:
            sums = self.pooled.of_block(self.part_size, self.valid_weight, self.sums_loc)
            yield If(bit(E_STEP), tuple(sums), loc=self.sums_loc)

    def shared_distances(self) -> Iterator[Statement]:
        """Distances by covariances that all components share: events are whitened first."""
        pieces, first = self.pieces, len(self.pieces.distances)
        for number, let in enumerate(pieces.white):
            white, loc = at(f"white_{number}"), let.loc or self.loc
            yield call("whiten", at("xs"), at(f"root_{number}"), white, loc=loc)
        for number, distance in enumerate(pieces.shared):
            loc, to = distance.loc or self.loc, at(f"distance_{first + number}")
            white = at(f"white_{pieces.white_of(distance)}")
            yield call("squared_distance", white, at(f"centre_{number}"), to, loc=loc)

    def pairs(self, *body: Statement, loc: Span | None) -> Statement:
        inner = loop("lane", _B, *body, loc=loc, simd=True)
        return loop("k", self.layout.components, inner, loc=loc)

    def written(self) -> Iterator[Statement]:
        """Responsibilities and log-likelihoods of the block's events, for who asked."""
        k, loc, t = self.layout.components, self.loc, self.t
        there = index(("block", "BLOCK", k), ("n", k), "k")
        one = store("responsibility", there, load("pair_joint", ("k", "BLOCK"), "n", dtype=t), loc)
        logarithm = CallC("log", (load("sums", "n", dtype=t),), dtype=t)
        value = op("+", load("tops", "n", dtype=t), logarithm, t)
        event = store("log_prob", index(("block", "BLOCK"), "n"), value, loc)
        yield loop("n", Variable("valid"), event, loop("k", k, one, loc=loc), loc=loc)

    def column(
        self, weights: Expr, array: str, base: tuple[Terms, ...], loc: Span | None
    ) -> Statement:
        """One event's weight for one component; nothing for lanes without an event."""
        return store(array, index(*base, *_PAIR), self.valid_weight(weights), loc)

    def valid_weight(self, weights: Expr) -> PExpr:
        """An event's weight for a component; 0 for lanes without an event."""
        value = self.pieces.weight(weights, *_PAIR)
        if isinstance(weights, Responsibility):
            return value
        there = Binary("<", Variable("lane"), Variable("valid"), dtype=BOOL)
        return Ternary(there, value, Literal(0.0, dtype=self.t), dtype=self.t)

    def padded(self, column: Column) -> int:
        """Features of the tiles that the sums of *column* need."""
        return self.layout.tiles_of(column.order) * self.layout.tile_features

    def accumulate(
        self,
        features: PExpr,
        ends: tuple[Terms, ...],
        weights: PExpr,
        sums: tuple[Terms, Terms],
        loc: Span | None,
    ) -> Statement:
        """Features times weights of a block, added to *sums*, from the first to the last feature and
        component that *ends* says."""
        numbers = (index(e) for e in ends)
        return call("accumulate", features, weights, at("partial", *sums), *numbers, loc=loc)

    def summed(self) -> Iterator[Statement]:
        """The sums of the parts, added to ``moments``, whose last element counts events."""
        lay, loc = self.layout, self.sums_loc
        for number, column in enumerate(self.columns):
            there = index(column.start, ("d", lay.components), "k")
            one = load("partial", ("part", self.part_size), (number, self.column_size),
                       ("k", lay.feature_row), "d")  # fmt: skip
            features = lay.features_of(column.order)
            add = loop("d", features, add_to("moments", there, one, loc), loc=loc)
            nest = loop("k", lay.components, add, loc=loc)
            yield loop("part", Variable("parts"), nest, loc=loc)
        yield from self.pooled.summed(self.part_size, loc)
        seen = Convert(Variable("count"), dtype=F64)
        yield add_to("moments", Literal(self.pieces.sums.count), seen, loc)


def bit(mask: int) -> PExpr:
    """Whether ``steps`` asks for it."""
    return Binary("!=", Binary("&", Variable("steps"), Literal(mask)), Literal(0), dtype=BOOL)


def call(name: str, *args: PExpr, loc: Span | None) -> Do:
    """A routine, for its effect."""
    return Do(CallC(name, args), loc=loc)


def _shares(count: PExpr) -> tuple[PExpr, PExpr]:
    """Where a part of *count* things begins, and where it ends."""
    start, stop = (
        Binary("/", Binary("*", count, index(part)), Variable("parts"))
        for part in ("part", index("part", 1))
    )
    return start, stop
