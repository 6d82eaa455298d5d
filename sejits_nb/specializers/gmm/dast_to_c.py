"""Phase 3 of the GMM specializer: optimised DAST -> PAST, the blocked matrix form.

    for part in [0, parts)                                  events in parts, E- and M-step fused:
      for block in its blocks of 64 events                  every event is read once
        gather      rows of the block, about the origin
        distance    squared Mahalanobis distances           <- mahalanobis(...)
        joint[k, lane] = ...                                <- the cell's own expressions
        softmax     responsibilities, log-likelihood        <- softmax(...)
        features    1, x_d, x_i x_j
        moments     features times weights, summed          <- sum, mean, average, scatter
    sums of the parts
    for k: weight, mean, covariance = ...                   <- the cell's M-step

``steps`` chooses: 1 the E-step, added to the moments; 2 the M-step from them; 4 write each event's
responsibilities and log-likelihood.  The routines are templates of ``kernels/gmm``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from ...ir import past
from ...ir.dast import Let, Statement
from ...ir.dtypes import BOOL, F64, I64
from ...ir.expr import Expr, Name
from ...ir.node import Node, Span, rewrite, walk
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
    Load,
    Param,
    PExpr,
    Routine,
    Ternary,
    Unit,
    Variable,
)
from ...phase3_lower.identifiers import Identifiers
from .build import add_to, at, index, load, loop, op, store
from .dast import (
    Gmm,
    LogDet,
    Mahalanobis,
    Moment,
    PairValue,
    Parameter,
    Responsibility,
    Softmax,
    StorePair,
    Total,
)
from .expressions import Arithmetic, Elements, Leaf, Place
from .layout import BLOCK, Layout
from .mstep_to_c import Sums, lower_mstep

E_STEP, M_STEP, WRITE = 1, 2, 4
_MOST_PARTS = Literal(1)
"""Phase 4 puts the number of threads in its place."""
_BLOCKS_WORTH_A_PART = 8
"""Fewer blocks than this are done before another thread has begun."""
_OUTER_NAMES = ("x weight mean covariance moments responsibility log_prob log_likelihood status steps "
                "count origin parts part blocks block partial xs features turned joint i j k d n lane "
                "valid").split()  # fmt: skip


def lower_to_c(gmm: Gmm) -> Unit:
    """The PAST of one EM iteration; phase 4 gives its parts to threads."""
    return _Lowering(gmm).unit()


class _Lowering:
    """One DAST's lowering: sizes and names, and the parts of the function in the order they run."""

    def __init__(self, gmm: Gmm) -> None:
        self.gmm, self.t = gmm, gmm.events.dtype
        mixture = gmm.mixture
        self.layout = Layout(gmm.events.dimension, mixture.components, mixture.covariance,
                             self.t.size_bytes)  # fmt: skip
        self.names = Identifiers(_OUTER_NAMES)
        self.helpers: set[str] = {"min_i64", "max_i64"}
        self.tables: dict[str, past.Table] = {}
        self.columns = tuple(dict.fromkeys(
            n.weights for n in walk(gmm.mstep) if isinstance(n, Total | Moment)))  # fmt: skip
        self.distances = _distances(gmm)
        self.constants: dict[str, str] = {}

    def unit(self) -> Unit:
        """The function, what it calls, and what it is made of."""
        pointers = (("x", self.t), ("weight", F64), ("mean", F64), ("covariance", F64),
                    ("moments", F64), ("responsibility", self.t), ("log_prob", self.t),
                    ("log_likelihood", F64), ("status", I64))  # fmt: skip
        loc, estep, mstep = self.gmm.loc, self.gmm.estep, self.gmm.mstep
        params = [Param(n, t, True, n == "x", n, loc=loc) for n, t in pointers]
        params += [Param(n, I64, argument=n, loc=loc) for n in ("steps", "count")]
        body = (
            *self.setup(),
            If(_chosen(E_STEP | WRITE), tuple(self.estep()), loc=estep.loc),
            If(_chosen(M_STEP), tuple(self.mstep()), loc=mstep.loc),
        )
        name = f"{self.names.fresh(self.gmm.name)}_kernel"
        function = past.Function(name, tuple(params), body, loc=loc)
        tables = tuple(self.tables.values())
        unit = Unit(function, tuple(sorted(self.helpers)), tables, self.routines(), loc=loc)
        return rewrite(unit, lambda n: _located(n, loc))

    def routines(self) -> tuple[Routine, ...]:
        """The templates that the function calls, filled with sizes."""
        lay, f32 = self.layout, self.t.bits == 32
        sizes: tuple[tuple[str, str | int], ...] = (
            ("T", "float" if f32 else "double"), ("I", "int32_t" if f32 else "int64_t"),
            ("D", lay.dimension), ("K", lay.components), ("B", BLOCK), ("W", lay.factor_size),
            ("F", lay.features), ("KP", lay.padded_components),
        )  # fmt: skip
        form = "full" if lay.whole else "diag"
        factor = "full" if lay.whole else lay.covariance
        files = ("lanes", f"exp_{self.t.name}", "gather", f"factor_{factor}", f"distance_{form}",
                 "softmax", f"features_{form}", "turn", "accumulate")  # fmt: skip
        return tuple(Routine(f"gmm/{file}", sizes) for file in files)

    # -- before the events

    def setup(self) -> Iterator[Statement]:
        """The origin, every component's factor, and what depends on the component alone."""
        lay, loc = self.layout, self.gmm.estep.loc
        yield Buffer("origin", F64, lay.dimension, loc=loc)
        part = op("*", load("weight", "k"), load("mean", ("k", lay.dimension), "d"))
        yield loop(
            "d", lay.dimension,
            store("origin", index("d"), Literal(0.0, dtype=F64), loc),
            loop("k", lay.components, add_to("origin", index("d"), part, loc), loc=loc), loc=loc,
        )  # fmt: skip
        for number, distance in enumerate(self.distances):
            size, here = lay.components * lay.factor_size, distance.loc or loc
            yield Buffer(f"factor_{number}", self.t, size, True, loc=here)
            yield Buffer(f"log_det_{number}", F64, lay.components, loc=here)
            yield loop("k", lay.components, *self.factored(number, distance), loc=here)
        for let in self.gmm.estep.setup:
            name, here = self.names.fresh(let.name), let.loc or let.value.loc
            self.constants[let.name] = name
            elements = self.elements(self.component_leaf)
            yield Buffer(name, F64, lay.components, loc=here)
            value = elements.stored(let.value, "scalar", name, index("k"), here)
            yield loop("k", lay.components, *value, loc=here)

    def factored(self, number: int, distance: Mahalanobis) -> Iterator[Statement]:
        """One component's factor; the first that has none leaves its number in ``status``."""
        loc, size = distance.loc, self.layout.factor_size
        elements = self.elements(self.component_leaf)
        yield from elements.in_memory(distance.covariance, "matrix", loc)
        yield from elements.in_memory(distance.mean, "centre", loc)
        call = CallC("factor", (
            elements.where("matrix"), elements.where("centre"), at("origin"),
            at(f"factor_{number}", ("k", size)), at(f"log_det_{number}", "k"),
        ), dtype=I64)  # fmt: skip
        kept, failed = load("status", dtype=I64), index("k", 1)
        first = Ternary(kept, kept, failed, dtype=I64)
        yield store("status", Literal(0), Ternary(call, kept, first, dtype=I64), loc)

    def elements(self, leaf: Leaf) -> Elements:
        return Elements(self.layout, leaf, self.helpers, self.tables, self.names.fresh)

    def mstep(self) -> Iterator[Statement]:
        """The cell's M-step from the sums."""
        sums = Sums(self.layout, self.columns)
        return lower_mstep(self.gmm.mstep, self.elements(sums.at), self.names.fresh)

    def component_leaf(self, e: Expr, place: Place) -> PExpr:
        """What an E-step knows of a component alone."""
        match e:
            case Name(id) if id in self.constants:
                return load(self.constants[id], "k")
            case LogDet(covariance):
                found = [d.covariance for d in self.distances].index(covariance)
                return load(f"log_det_{found}", "k")
            case _:
                raise TypeError(f"{e} is not known before the events")

    # -- the events

    def estep(self) -> Iterator[Statement]:
        """The parts of the events, each with sums of its own, and then the sums of the parts."""
        loc = self.gmm.estep.loc
        parts, part, blocks = Variable("parts"), Variable("part"), Variable("blocks")
        size = self.sums_size + 1
        whole = Binary("/", index("count", BLOCK - 1), Literal(BLOCK))
        yield Declare("blocks", I64, whole, loc=loc)
        worth = CallC("max_i64", (Literal(1), Binary("/", blocks, Literal(_BLOCKS_WORTH_A_PART))))
        yield Declare("parts", I64, CallC("min_i64", (_MOST_PARTS, worth)), loc=loc)
        yield Buffer("partial", F64, size, True, True, loc=loc)
        start = Binary("/", Binary("*", blocks, part), parts)
        stop = Binary("/", Binary("*", blocks, index("part", 1)), parts)
        clear = store("partial", index(("part", size), "n"), Literal(0.0, dtype=F64), loc)
        inner = (
            *self.scratch(),
            loop("n", size, clear, loc=loc),
            For("block", start, stop, tuple(self.block()), loc=loc),
        )
        yield For("part", Literal(0), parts, inner, independent=True, loc=loc)
        added = load("partial", ("part", size), self.sums_size)
        likelihood = add_to("log_likelihood", Literal(0), added, loc)
        yield loop("part", parts, likelihood, loc=loc)
        yield If(_bit(E_STEP), tuple(self.summed(size)), loc=self.gmm.mstep.loc)

    def summed(self, size: int) -> Iterator[Statement]:
        """The sums of the parts, added to ``moments``, whose last element counts events."""
        lay, loc = self.layout, self.gmm.mstep.loc
        for column in range(len(self.columns)):
            there = index((column, lay.features * lay.components), ("d", lay.components), "k")
            one = load("partial", ("part", size), (column, self.column_size),
                       ("d", lay.padded_components), "k")  # fmt: skip
            add = loop("k", lay.components, add_to("moments", there, one, loc), loc=loc)
            yield loop("part", Variable("parts"), loop("d", lay.features, add, loc=loc), loc=loc)
        seen = Convert(Variable("count"), dtype=F64)
        yield add_to("moments", Literal(self.moments_size - 1), seen, loc)

    @property
    def column_size(self) -> int:
        return self.layout.padded_features * self.layout.padded_components

    @property
    def sums_size(self) -> int:
        return len(self.columns) * self.column_size

    @property
    def moments_size(self) -> int:
        return self.layout.moments_size(len(self.columns))

    def scratch(self) -> Iterator[Statement]:
        """One block's arrays; features and turned weights are padded with zeros."""
        lay, loc = self.layout, self.gmm.estep.loc
        yield Buffer("xs", self.t, lay.dimension * BLOCK, True, loc=loc)
        yield Buffer("tops", self.t, BLOCK, loc=loc)
        yield Buffer("sums", self.t, BLOCK, loc=loc)
        for name in (
            *(f"distance_{n}" for n in range(len(self.distances))),
            *self.fields,
            *(["column"] if any(not isinstance(c, Responsibility) for c in self.columns) else []),
        ):
            yield Buffer(name, self.t, lay.components * BLOCK, True, loc=loc)
        for name, rows in (
            ("feature_rows", lay.padded_features),
            ("turned", lay.padded_components),
        ):
            yield Buffer(name, self.t, rows * BLOCK, True, loc=loc)
            zero = store(name, index("n"), Literal(0.0, dtype=self.t), loc)
            yield loop("n", rows * BLOCK, zero, loc=loc)

    @property
    def fields(self) -> tuple[str, ...]:
        """The arrays of per-pair values, ``joint`` among them."""
        stored = [s.field for s in self.gmm.estep.body if isinstance(s, StorePair)]
        return tuple(f"pair_{name}" for name in dict.fromkeys(stored))

    def block(self) -> Iterator[Statement]:
        """E- and M-step of one block of events."""
        lay, loc = self.layout, self.gmm.estep.loc
        first = Binary("*", Variable("block"), Literal(BLOCK))
        left = Binary("-", Variable("count"), first)
        yield Declare("valid", I64, CallC("min_i64", (Literal(BLOCK), left)), loc=loc)
        rows = at("x", ("block", BLOCK * lay.dimension))
        yield _call("gather", rows, at("origin"), Variable("valid"), at("xs"), loc=loc)
        for number, distance in enumerate(self.distances):
            yield _call("distance", at("xs"), at(f"factor_{number}"), at(f"distance_{number}"),
                        loc=distance.loc or loc)  # fmt: skip
        yield self.pairs(tuple(self.pair_body()), loc)
        total = at("partial", ("part", self.sums_size + 1), self.sums_size)
        softmax = next(s for s in self.gmm.estep.body if isinstance(s, Softmax))
        yield _call("softmax", at("pair_joint"), at("tops"), at("sums"), Variable("valid"), total,
                    loc=softmax.loc)  # fmt: skip
        yield If(_bit(WRITE), tuple(self.written()), loc=loc)
        if self.columns:
            yield If(_bit(E_STEP), tuple(self.moments()), loc=self.gmm.mstep.loc)

    def pairs(self, body: tuple[Statement, ...], loc: Span | None) -> Statement:
        inner = loop("lane", BLOCK, *body, loc=loc, simd=True)
        return loop("k", self.layout.components, inner, loc=loc)

    def pair_body(self) -> Iterator[Statement]:
        """The cell's E-step for one event and component, in the events' own dtype."""
        names: dict[str, str] = {}

        def leaf(e: Expr) -> PExpr:
            match e:
                case Name(id) if id in names:
                    return Variable(names[id], dtype=self.t)
                case PairValue(field):
                    return load(f"pair_{field}", ("k", BLOCK), "lane", dtype=self.t)
                case Mahalanobis():
                    number = self.distances.index(e)
                    return load(f"distance_{number}", ("k", BLOCK), "lane", dtype=self.t)
                case _:
                    return self.component_leaf(e, ())

        arithmetic = Arithmetic(self.t, leaf, self.helpers)
        for s in self.gmm.estep.body:
            if isinstance(s, Let):
                value = arithmetic.lower(s.value)
                names[s.name] = self.names.fresh(s.name)
                yield Declare(names[s.name], self.t, value, loc=s.loc or s.value.loc)
            elif isinstance(s, StorePair):
                there = index(("k", BLOCK), "lane")
                yield store(f"pair_{s.field}", there, arithmetic.lower(s.value), s.loc)

    def written(self) -> Iterator[Statement]:
        """Responsibilities and log-likelihoods of the block's events, for who asked."""
        lay, loc, t = self.layout, self.gmm.estep.loc, self.t
        there = index(("block", BLOCK * lay.components), ("n", lay.components), "k")
        one = store("responsibility", there, load("pair_joint", ("k", BLOCK), "n", dtype=t), loc)
        logarithm = CallC("log", (load("sums", "n", dtype=t),), dtype=t)
        value = op("+", load("tops", "n", dtype=t), logarithm, t)
        event = store("log_prob", index(("block", BLOCK), "n"), value, loc)
        yield loop("n", Variable("valid"), event, loop("k", lay.components, one, loc=loc), loc=loc)

    def moments(self) -> Iterator[Statement]:
        """The block's part of every sum over events."""
        yield _call("features", at("xs"), at("feature_rows"), loc=self.gmm.mstep.loc)
        for number, weights in enumerate(self.columns):
            source, loc = "pair_joint", weights.loc or self.gmm.mstep.loc
            if not isinstance(weights, Responsibility):
                source = "column"
                yield self.pairs((self.column(weights, loc),), loc)
            yield _call("turn", at(source), at("turned"), loc=loc)
            sums = at("partial", ("part", self.sums_size + 1), (number, self.column_size))
            yield _call("accumulate", at("feature_rows"), at("turned"), sums, loc=loc)

    def column(self, weights: Expr, loc: Span | None) -> Statement:
        """One event's weight for one component; nothing for lanes without an event."""

        def leaf(e: Expr) -> PExpr:
            field = "joint" if isinstance(e, Responsibility) else getattr(e, "field", None)
            if field is None:
                raise TypeError(f"{e} is no value of an event")
            return load(f"pair_{field}", ("k", BLOCK), "lane", dtype=self.t)

        value = Arithmetic(self.t, leaf, self.helpers).lower(weights)
        there = Binary("<", Variable("lane"), Variable("valid"), dtype=BOOL)
        nothing = Literal(0.0, dtype=self.t)
        kept = Ternary(there, value, nothing, dtype=self.t)
        return store("column", index(("k", BLOCK), "lane"), kept, loc)


def _distances(gmm: Gmm) -> tuple[Mahalanobis, ...]:
    """Every distance that the E-step asks for, and one for each determinant without a distance."""
    found = {n: n for n in walk(gmm.estep) if isinstance(n, Mahalanobis)}
    known = {d.covariance for d in found}
    for n in walk(gmm.estep):
        if isinstance(n, LogDet) and n.covariance not in known:
            mean = Parameter("mean", kind="vector")
            extra = Mahalanobis(mean, n.covariance, loc=n.loc)
            found[extra] = extra
            known.add(n.covariance)
    return tuple(found)


def _bit(mask: int) -> PExpr:
    return Binary("!=", Binary("&", Variable("steps"), Literal(mask)), Literal(0), dtype=BOOL)


def _chosen(mask: int) -> PExpr:
    fine = Binary("==", Load("status", Literal(0), dtype=I64), Literal(0), dtype=BOOL)
    return Binary("&&", _bit(mask), fine, dtype=BOOL)


def _call(name: str, *args: PExpr, loc: Span | None) -> Do:
    return Do(CallC(name, args), loc=loc)


def _located(n: Node, loc: Span | None) -> Node | None:
    missing = isinstance(n, Statement) and n.loc is None
    return dataclasses.replace(n, loc=loc) if missing else None
