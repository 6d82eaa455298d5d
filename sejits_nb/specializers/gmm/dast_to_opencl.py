"""Phase 3 of the GMM specializer for OpenCL: optimised DAST -> PAST, one launch after the other.

    for k:              origin, inverse factor, determinant, the component's own constants
    if E-step or output:
      for n:            an event: its place about the origin,
                        joint[k] = ...                               <- the cell's own expressions
                        responsibilities, log-likelihood             <- softmax(...)
      one group:        the sum of the log-likelihoods
      if E-step:        moments, by the chosen strategy              <- sum, mean, average, scatter
    if M-step:
      for k:            weight, mean, covariance = ...               <- the cell's M-step
      one item:         what follows from sums over components

Loops over k and n are work-items.  Events are padded to whole work-groups with some of weight 0: sums
need no bounds test.  Arrays of events have a row of ``rows`` elements for each dimension or component:
neighboring work-items read neighboring elements.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from ...ir import past
from ...ir.dast import Let, Statement
from ...ir.dtypes import BOOL, F64, I64
from ...ir.expr import Expr
from ...ir.node import Node, Span, rewrite
from ...ir.past import (
    Binary,
    Buffer,
    CallC,
    Convert,
    Declare,
    Do,
    If,
    Literal,
    Param,
    PExpr,
    Routine,
    Ternary,
    Unit,
    Variable,
)
from .build import add_to, at, groups, index, items, load, loop, op, store
from .dast import (
    Accumulate,
    Gmm,
    Mahalanobis,
    Responsibility,
    Softmax,
)
from .derived import Pooled, SquaredDistance, Whitened
from .expressions import RANK, Elements
from .interface import E_STEP, M_STEP, WRITE
from .mstep_to_c import stopped, updates
from .pieces import Pieces
from .stopping import Stop
from .strategies_to_opencl import BLOCKS, GROUP, PAIR, SOUND, Moments, group_sum, rows_of_cells

_OUTER_NAMES = ("x weight mean covariance moments responsibility log_prob log_likelihood status "
                "history converged steps count origin sound rows xs column event_log left right block "
                "i j k d n f item step sum sums total a b factor distance softmax group_sum "
                "inverse_factor whitened whiten squared_distance shared_log_det").split()  # fmt: skip
_ROWS = Variable("rows")


def lower_to_opencl(gmm: Gmm) -> Unit:
    """The PAST of one EM iteration; phase 4 chooses the strategy and the size of work-groups."""
    return _Lowering(gmm).unit()


class _Lowering(Pieces):
    """One DAST's launches in the order they run."""

    def __init__(self, gmm: Gmm) -> None:
        super().__init__(gmm, _OUTER_NAMES)
        self.helpers |= {"min_i64", "max_i64"}

    def unit(self) -> Unit:
        """The function, what it calls, and what it is made of."""
        pointers = (("x", self.t), ("weight", F64), ("mean", F64), ("covariance", F64),
                    ("moments", F64), ("responsibility", self.t), ("log_prob", self.t),
                    ("log_likelihood", F64), ("status", I64), *self.rule_arrays)  # fmt: skip
        loc, estep, mstep = self.gmm.loc, self.gmm.estep, self.gmm.mstep
        params = [Param(n, t, True, n in ("x", "history"), n, loc=loc) for n, t in pointers]
        params += [Param(n, I64, argument=n, loc=loc) for n in ("steps", "count")]
        params += self.number_params()
        whole = Binary("/", Binary("-", index("count", GROUP), Literal(1)), GROUP)
        body = (
            Declare("rows", I64, Binary("*", whole, GROUP), loc=estep.loc),
            *self.setup(),
            If(_bit(E_STEP | WRITE), tuple(self.estep()), loc=estep.loc),
            If(_bit(M_STEP), tuple(self.mstep()), loc=mstep.loc),
        )
        name = f"{self.names.fresh(self.gmm.name)}_kernel"
        function = past.Function(name, tuple(params), body, loc=loc)
        tables = tuple(self.tables.values())
        constants = ((GROUP.name, 64), (BLOCKS.name, 32))
        unit = Unit(
            function, tuple(sorted(self.helpers)), tables, self.routines(), constants, loc=loc
        )
        return rewrite(unit, lambda n: _located(n, loc))

    def routines(self) -> tuple[Routine, ...]:
        """The templates that the kernels call, filled with sizes."""
        lay = self.layout
        values: tuple[tuple[str, str | int], ...] = (
            ("T", "float" if self.t.bits == 32 else "double"),
            ("D", lay.dimension), ("K", lay.components), ("G", "__global"),
        )  # fmt: skip
        form = "full" if lay.whole else "diag"
        factor = "full" if lay.whole else lay.covariance
        files = ["inverse_factor"] * lay.whole
        files += ["whitened", "event_whiten", "event_squared_distance"] * bool(self.shared)
        files += [f"factor_{factor}", f"event_distance_{form}"] * bool(self.distances)
        files += ["event_softmax", "group_sum"]
        return tuple(Routine(f"gmm/{file}", values) for file in files)

    # -- before the events

    def setup(self) -> Iterator[Statement]:
        """The origin, every component's factor, and what depends on the component alone."""
        lay, loc = self.layout, self.gmm.estep.loc
        yield self.array("origin", lay.dimension, loc)
        for number, distance in enumerate(self.distances):
            size, here = lay.components * lay.factor_size, distance.loc or loc
            yield Buffer(f"factor_{number}", self.t, size, True, loc=here)
            yield self.array(f"log_det_{number}", lay.components, here)
        for let in self.gmm.estep.setup:
            self.constants[let.name] = self.names.fresh(let.name)
            yield self.array(self.constants[let.name], lay.components, let.loc or let.value.loc)
        for number, let in enumerate(self.white):
            yield from self.root(number, let)
        for number in range(len(self.shared)):
            size = lay.components * lay.dimension
            yield Buffer(f"centre_{number}", self.t, size, True, loc=loc)
        yield items("k", lay.components, *self.component(), group=1, loc=loc)

    def root(self, number: int, let: Let) -> Iterator[Statement]:
        """The inverse factor of a covariance that all components share, by one work-item."""
        assert isinstance(let.value, Whitened)
        loc, size = let.loc, self.layout.dimension**2
        elements = self.elements(self.component_leaf)
        if number == 0:
            yield self.array("shared_log_det", len(self.white), loc)
        yield self.array(f"root_{number}", size, loc)
        root, log_det = self.names.fresh("root"), self.names.fresh("log_det")
        body = [*elements.let("matrix", let.value.covariance, loc)]
        body += [Buffer(root, F64, size, loc=loc), Buffer(log_det, F64, 1, loc=loc)]
        args = elements.where("matrix"), at(root), at(log_det)
        body += [
            _unless(CallC("inverse_factor", args, dtype=I64), Literal(1), loc),
            loop("n", size, store(f"root_{number}", index("n"), load(root, "n"), loc), loc=loc),
            store("shared_log_det", Literal(number), load(log_det), loc),
        ]
        yield items("f", 1, *body, group=1, loc=loc)

    def centre(self, number: int, distance: SquaredDistance) -> Iterator[Statement]:
        """A component's mean, whitened."""
        assert isinstance(distance.b, Whitened)
        loc, d = distance.loc, self.layout.dimension
        elements = self.elements(self.component_leaf)
        yield from elements.let("centre", distance.b.point, loc)
        root = at(f"root_{self.white_of(distance)}")
        args = root, elements.where("centre"), at("about"), Variable("d")
        value: PExpr = CallC("whitened", args, dtype=F64)
        value = value if self.t == F64 else Convert(value, dtype=self.t)
        yield loop("d", d, store(f"centre_{number}", index(("k", d), "d"), value, loc), loc=loc)

    def component(self) -> Iterator[Statement]:
        """One component's factors, and the values of the cell that no event changes."""
        lay, loc = self.layout, self.gmm.estep.loc
        yield Buffer("about", F64, lay.dimension, loc=loc)
        part = op("*", load("weight", "n"), load("mean", ("n", lay.dimension), "d"))
        yield loop("d", lay.dimension,
                   store("about", index("d"), _ZERO, loc),
                   loop("n", lay.components, add_to("about", index("d"), part, loc), loc=loc),
                   loc=loc)  # fmt: skip
        first = Binary("==", Variable("k"), Literal(0), dtype=BOOL)
        shared = store("origin", index("d"), load("about", "d"), loc)
        yield If(first, (loop("d", lay.dimension, shared, loc=loc),), loc=loc)
        for number, distance in enumerate(self.distances):
            yield from self.factored(number, distance, distance.loc or loc)
        for number, apart in enumerate(self.shared):
            yield from self.centre(number, apart)
        for let in self.gmm.estep.setup:
            elements, name = self.elements(self.component_leaf), self.constants[let.name]
            here = let.loc or let.value.loc
            yield from elements.stored(let.value, "scalar", name, index("k"), here)

    def factored(self, number: int, distance: Mahalanobis, loc: Span | None) -> Iterator[Statement]:
        """A component's factor; one that has none leaves its number in ``status``."""
        elements, size = self.elements(self.component_leaf), self.layout.factor_size
        yield from elements.let("matrix", distance.covariance, loc)
        yield from elements.let("centre", distance.mean, loc)
        factor, log_det = self.names.fresh("factor"), self.names.fresh("log_det")
        yield Buffer(factor, self.t, size, loc=loc)
        yield Buffer(log_det, F64, 1, loc=loc)
        given = (*map(elements.where, ("matrix", "centre")), *map(at, ("about", factor, log_det)))
        yield _unless(CallC("factor", given, dtype=I64), index("k", 1), loc)
        there, kept = index(("k", size), "n"), load(factor, "n", dtype=self.t)
        yield loop("n", size, store(f"factor_{number}", there, kept, loc), loc=loc)
        yield store(f"log_det_{number}", index("k"), load(log_det), loc)

    def array(self, name: str, length: int, loc: Span | None) -> Buffer:
        """An array of the device that no number of events changes."""
        return Buffer(name, F64, length, True, loc=loc)

    def table(self, name: str, rows: int, loc: Span | None) -> Buffer:
        """An array of the device with *rows* rows of the events' dtype."""
        return Buffer(name, self.t, rows, True, times=_ROWS, loc=loc)

    # -- the events

    def estep(self) -> Iterator[Statement]:
        """Every event's responsibilities, the log-likelihood, and the moments by each strategy."""
        lay, loc = self.layout, self.gmm.estep.loc
        yield self.table("xs", lay.dimension + 1, loc)
        distances = (f"distance_{n}" for n in range(len(self.distances) + len(self.shared)))
        for name in (*distances, *self.fields, *self.computed):
            yield self.table(name, lay.components, loc)
        for number in range(len(self.white)):
            yield self.table(f"white_{number}", lay.dimension, loc)
        for name in self.pooled:
            yield self.table(name, 1, loc)
        yield self.table("event_log", 1, loc)
        softmax = next(s for s in self.gmm.estep.body if isinstance(s, Softmax))
        event = (*self.gathered(), loop("k", lay.components, *self.pair(), loc=loc),
                 *self.responsibilities(softmax.loc), *self.weights(), self.written())  # fmt: skip
        yield items("n", _ROWS, *event, loc=loc)
        yield self.log_likelihood(softmax.loc)
        self.tables.update(rows_of_cells(lay))
        yield If(_bit(E_STEP), tuple(self.moments()), loc=self.gmm.mstep.loc)

    @property
    def computed(self) -> dict[str, Expr]:
        """The columns of weights that are not the responsibilities, by their arrays."""
        each = enumerate(c.weights for c in self.sums.columns)
        return {f"column_{n}": w for n, w in each if not isinstance(w, Responsibility)}

    @property
    def pooled(self) -> dict[str, Expr]:
        """The columns of weights that are summed over the components, by the arrays of their sums."""
        each = enumerate(c.weights for c in self.sums.pooled)
        return {f"pooled_{n}": w.weights for n, w in each if isinstance(w, Pooled)}

    def gathered(self) -> Iterator[Statement]:
        """An event about the origin, and a 1, so that all sums are of products of two rows."""
        d, loc = self.layout.dimension, self.gmm.estep.loc
        event: PExpr = load("x", ("n", d), "d", dtype=self.t)
        if self.t != F64:  # events far from the origin would lose digits
            event = Convert(event, dtype=F64)
        apart: PExpr = op("-", event, load("origin", "d"))
        apart = apart if self.t == F64 else Convert(apart, dtype=self.t)
        yield loop("d", d, store("xs", index(("d", _ROWS), "n"), self.seen(apart), loc), loc=loc)
        yield store("xs", index((d, _ROWS), "n"), Literal(1.0, dtype=self.t), loc)
        for number, let in enumerate(self.white):
            args = at("xs"), Variable("n"), _ROWS, at(f"root_{number}"), at(f"white_{number}")
            yield Do(CallC("whiten", args), loc=let.loc)

    def seen(self, value: PExpr) -> PExpr:
        """*value*, or 0 for what only fills a work-group up."""
        return Ternary(_SEEN, value, Literal(0.0, dtype=self.t), dtype=self.t)

    def pair(self) -> Iterator[Statement]:
        """The cell's E-step for one event and component."""
        loc, size = self.gmm.estep.loc, self.layout.factor_size
        for number, distance in enumerate(self.distances):
            given = (at("xs"), Variable("n"), _ROWS, at(f"factor_{number}", ("k", size)))
            value = CallC("distance", given, dtype=self.t)
            yield store(f"distance_{number}", index(*PAIR), value, distance.loc or loc)
        for number, apart in enumerate(self.shared):
            to, d = f"distance_{len(self.distances) + number}", self.layout.dimension
            white = at(f"white_{self.white_of(apart)}")
            given = white, Variable("n"), _ROWS, at(f"centre_{number}", ("k", d))
            value = CallC("squared_distance", given, dtype=self.t)
            yield store(to, index(*PAIR), value, apart.loc or loc)
        yield from self.pair_body(*PAIR)

    def responsibilities(self, loc: Span | None) -> Iterator[Statement]:
        """The softmax of an event."""
        call = CallC("softmax", (at("pair_joint", "n"), _ROWS), dtype=self.t)
        yield store("event_log", index("n"), self.seen(call), loc)
        share = self.seen(load("pair_joint", *PAIR, dtype=self.t))
        weighed = store("pair_joint", index(*PAIR), share, loc)
        yield loop("k", self.layout.components, weighed, loc=loc)

    def weights(self) -> Iterator[Statement]:
        """An event's other weights."""
        for name, weights in self.computed.items():
            loc = weights.loc or self.gmm.mstep.loc
            value = self.seen(self.weight(weights, *PAIR))
            yield loop("k", self.layout.components, store(name, index(*PAIR), value, loc), loc=loc)
        for name, weights in self.pooled.items():
            loc = weights.loc or self.gmm.mstep.loc
            yield store(name, index("n"), Literal(0.0, dtype=self.t), loc)
            add = add_to(name, index("n"), self.seen(self.weight(weights, *PAIR)), loc, self.t)
            yield loop("k", self.layout.components, add, loc=loc)

    def written(self) -> Statement:
        """Responsibilities and log-likelihood of an event, for who asked."""
        k, loc, t = self.layout.components, self.gmm.estep.loc, self.t
        one = load("pair_joint", *PAIR, dtype=t)
        body = (
            store("log_prob", index("n"), load("event_log", "n", dtype=t), loc),
            loop("k", k, store("responsibility", index(("n", k), "k"), one, loc), loc=loc),
        )
        asked = Binary("&&", Binary("&&", _bit(WRITE), _SEEN, dtype=BOOL), SOUND, dtype=BOOL)
        return If(asked, body, loc=loc)

    def log_likelihood(self, loc: Span | None) -> Statement:
        """The sum over the events, by one work-group; it counts them, too."""
        value = Convert(load("event_log", "n", dtype=self.t), dtype=F64)
        last = Literal(self.sums.count)
        seen = If(_bit(E_STEP), (add_to("moments", last, _COUNT, loc),), loc=loc)
        done = (add_to("log_likelihood", Literal(0), load("sums"), loc), seen)
        return groups("f", 1, *group_sum(value, done, loc), loc=loc)

    def moments(self) -> Iterator[Statement]:
        """Every sum over events."""
        lay, sums, own = self.layout, self.sums, self.gmm.mstep.loc
        for number, c in enumerate(sums.columns):
            name = f"column_{number}"
            source = name if name in self.computed else "pair_joint"
            cells, at_loc = range(lay.features_of(c.order)), c.weights.loc or own
            each = Moments(number, source, cells, lay.components, c.start, self.t, at_loc)
            yield from each.launches()
        seconds = range(1 + lay.dimension, lay.features_of(2))
        for number, c in enumerate(sums.pooled):
            name, at_loc = f"pooled_{number}", c.weights.loc or own
            source, number = name if name in self.pooled else "", len(sums.columns) + number
            yield from Moments(number, source, seconds, 1, c.start, self.t, at_loc).launches()

    # -- the parameters

    def mstep(self) -> Iterator[Statement]:
        """The cell's M-step, a work-item for each component, with terms of its own in sums over all
        components; then, by one work-item, those sums and what follows from them."""
        lay, mstep = self.layout, self.gmm.mstep
        elements = self.elements(self.sums.at)
        sums = {s.name: s for s in mstep.body if isinstance(s, Accumulate)}
        for name, s in sums.items():
            size, terms = lay.dimension ** RANK[s.kind], self.names.fresh(f"{name}_terms")
            yield self.array(terms, lay.components * size, s.loc)
            elements.names[name] = index(("k", size)), terms, s.kind
        body = (*self.cleared(elements, sums), *updates(elements, mstep.body))
        yield items("k", lay.components, If(SOUND, body, loc=mstep.loc), group=1, loc=mstep.loc)
        stop = self.gmm.stop
        if mstep.after or isinstance(stop, Stop):
            after = self.elements(elements.leaf)
            body = (*self.added_up(elements, after, sums), *updates(after, mstep.after))
            body += tuple(stopped(stop, after)) if isinstance(stop, Stop) else ()
            yield items("f", 1, If(SOUND, body, loc=mstep.loc), group=1, loc=mstep.loc)

    def cleared(self, elements: Elements, sums: Mapping[str, Accumulate]) -> Iterator[Statement]:
        """A component's terms, which its M-step adds to."""
        for name, s in sums.items():
            base, terms, kind = elements.names[name]
            zero = store(terms, index(base, "n"), _ZERO, s.loc)
            yield loop("n", self.layout.dimension ** RANK[kind], zero, loc=s.loc)

    def added_up(
        self, elements: Elements, after: Elements, sums: Mapping[str, Accumulate]
    ) -> Iterator[Statement]:
        """The terms of all components in sums, which *after* knows by their names."""
        for name, s in sums.items():
            base, terms, kind = elements.names[name]
            size, total = self.layout.dimension ** RANK[kind], self.names.fresh(name)
            term = add_to(total, index("n"), load(terms, base, "n"), s.loc)
            yield Buffer(total, F64, size, loc=s.loc)
            yield loop("n", size, store(total, index("n"), _ZERO, s.loc),
                       loop("k", self.layout.components, term, loc=s.loc), loc=s.loc)  # fmt: skip
            after.names[name] = Literal(0), total, kind


def _unless(found: PExpr, failed: PExpr, loc: Span | None) -> Statement:
    """Leaves *failed* in ``status`` where nothing is found."""
    missing = past.Unary("!", found, dtype=BOOL)
    return If(missing, (store("status", Literal(0), failed, loc),), loc=loc)


def _bit(mask: int) -> PExpr:
    return Binary("!=", Binary("&", Variable("steps"), Literal(mask)), Literal(0), dtype=BOOL)


_SEEN = Binary("<", Variable("n"), Variable("count"), dtype=BOOL)
"""Whether the event is one of the call's."""
_COUNT = Convert(Variable("count"), dtype=F64)
_ZERO = Literal(0.0, dtype=F64)


def _located(n: Node, loc: Span | None) -> Node | None:
    missing = isinstance(n, Statement) and n.loc is None
    return dataclasses.replace(n, loc=loc) if missing else None
