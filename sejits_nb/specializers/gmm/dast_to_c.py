"""Phase 3 of the GMM specializer: optimised DAST -> PAST, the blocked matrix form.

    each component's factor, and what depends on the component alone
    for part in [0, parts)                                  events in parts, E- and M-step fused:
      for block in its blocks of BLOCK events               every event is read once
        gather      rows of the block, about the origin
        distance    squared Mahalanobis distances           <- mahalanobis(...)
                    (whiten and squared_distance where components share a covariance)
        joint[k, lane] = ...                                <- the cell's own expressions
        softmax     responsibilities, log-likelihood        <- softmax(...)
        features    1, x_d, x_i x_j
        accumulate  features times weights, summed          <- sum, mean, average, scatter
        rank_update products x_i x_j of all components      <- scatter, pooled
    sums of the parts
    for k: weight, mean, covariance = ...                   <- the cell's M-step

``events_to_c.py`` has the other strategies.  ``steps`` chooses: 1 the E-step, added to the moments; 2
the M-step from them; 4 write each event's responsibilities and log-likelihood.  The routines are
templates of ``kernels/gmm``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from ...ir import past
from ...ir.dast import Let, Statement
from ...ir.dtypes import BOOL, F64, I64
from ...ir.node import Node, Span, rewrite
from ...ir.past import (
    Binary,
    Buffer,
    CallC,
    Convert,
    If,
    Literal,
    Load,
    Param,
    PExpr,
    Routine,
    Ternary,
    Unit,
    Variable,
    When,
)
from .build import add_to, at, index, load, loop, op, store
from .dast import Gmm, Mahalanobis
from .derived import SquaredDistance, Whitened
from .events_to_c import CHOLESKY, E_STEP, M_STEP, NATURAL, WRITE, Events, bit
from .expressions import Elements
from .layout import BLOCK
from .mstep_to_c import lower_mstep, stopped
from .pieces import Pieces
from .stopping import Stop

_OUTER_NAMES = ("x weight mean covariance moments responsibility log_prob log_likelihood status "
                "history converged steps count origin parts part blocks block partial rows xs first "
                "last panel cell "
                "panel_features panel_weights feature_rows column tops sums i j k d n lane valid BLOCK "
                "Q P LANES STRIP lanes lanes_int lanes_f64 strip strip_anywhere gather factor natural "
                "distance natural_distance softmax features accumulate shared_log_det inverse_factor "
                "whitened whiten squared_distance shares weighed rank_update ROWS "
                "LAST").split()  # fmt: skip


def lower_to_c(gmm: Gmm) -> Unit:
    """The PAST of one EM iteration; phase 4 gives its parts to threads."""
    return _Lowering(gmm).unit()


class _Lowering:
    """One DAST's lowering: the parts of the function in the order they run."""

    def __init__(self, gmm: Gmm) -> None:
        self.gmm, self.pieces = gmm, Pieces(gmm, _OUTER_NAMES)
        self.pieces.helpers |= {"min_i64", "max_i64"}
        self.layout, self.t = self.pieces.layout, self.pieces.t

    def unit(self) -> Unit:
        """The function, what it calls, and what it is made of."""
        pointers = (("x", self.t), ("weight", F64), ("mean", F64), ("covariance", F64),
                    ("moments", F64), ("responsibility", self.t), ("log_prob", self.t),
                    ("log_likelihood", F64), ("status", I64), *self.pieces.rule_arrays)  # fmt: skip
        pieces, loc, mstep = self.pieces, self.gmm.loc, self.gmm.mstep
        params = [Param(n, t, True, n in ("x", "history"), n, loc=loc) for n, t in pointers]
        params += [Param(n, I64, argument=n, loc=loc) for n in ("steps", "count")]
        params += pieces.number_params()
        events = Events(pieces)
        sums = pieces.elements(pieces.sums.at)
        body = (
            *self.setup(),
            If(_chosen(E_STEP | WRITE), tuple(events.statements()), loc=self.gmm.estep.loc),
            If(_chosen(M_STEP), tuple(self.mstep(sums)), loc=mstep.loc),
        )
        name = f"{pieces.names.fresh(self.gmm.name)}_kernel"
        function = past.Function(name, tuple(params), body, loc=loc)
        helpers, tables = tuple(sorted(pieces.helpers)), tuple(pieces.tables.values())
        unit = Unit(function, helpers, tables, self.routines(), (("BLOCK", BLOCK),), loc=loc)
        return rewrite(unit, lambda n: _located(n, loc))

    def mstep(self, sums: Elements) -> Iterator[Statement]:
        """The cell's M-step, and its stopping rule."""
        yield from lower_mstep(self.gmm.mstep, sums, self.pieces.names.fresh)
        if isinstance(self.gmm.stop, Stop):
            yield from stopped(self.gmm.stop, sums)

    def routines(self) -> tuple[Routine, ...]:
        """The templates that the function calls, filled with sizes."""
        lay, f32 = self.layout, self.t.bits == 32
        vectors, components = lay.tile
        sizes: tuple[tuple[str, str | int], ...] = (
            ("T", "float" if f32 else "double"), ("I", "int32_t" if f32 else "int64_t"), ("G", ""),
            ("D", lay.dimension), ("K", lay.components), ("B", "BLOCK"), ("R", lay.row),
            ("FEATURES", lay.features), ("FP", lay.padded_features), ("F", lay.feature_row),
            ("Q", vectors), ("P", components), ("W", lay.factor_size),
            ("KP", lay.padded_components), ("V", int(lay.covariance == "diag")),
            ("S", lay.padded_dimension),
        )  # fmt: skip
        form = "full" if lay.whole else "diag"
        factor = "full" if lay.whole else lay.covariance
        pieces = self.pieces
        files = ["lanes", f"exp_{self.t.name}", "gather"]
        files += ["inverse_factor"] * (lay.whole and bool(pieces.distances or pieces.shared))
        files += ["whitened", "whiten", "squared_distance"] * bool(pieces.shared)
        found = [Routine(f"gmm/{file}", sizes) for file in files]
        if pieces.distances:
            ways = {CHOLESKY: (f"factor_{factor}", f"distance_{form}"),
                    NATURAL: (f"natural_{form}", "distance_natural")}  # fmt: skip
            found += [Routine(f"gmm/{file}", sizes, ("form", (way,)))
                      for way, files in ways.items() for file in files]  # fmt: skip
        files = ["softmax", f"features_{form if lay.products else 'linear'}", "accumulate"]
        files += ["rank_update"] * bool(pieces.sums.pooled)
        return (*found, *(Routine(f"gmm/{file}", sizes) for file in files))

    def setup(self) -> Iterator[Statement]:
        """The origin, every component's factor, and what depends on the component alone."""
        lay, loc, pieces = self.layout, self.gmm.estep.loc, self.pieces
        yield Buffer("origin", F64, lay.dimension, loc=loc)
        part = op("*", load("weight", "k"), load("mean", ("k", lay.dimension), "d"))
        yield loop(
            "d", lay.dimension,
            store("origin", index("d"), Literal(0.0, dtype=F64), loc),
            loop("k", lay.components, add_to("origin", index("d"), part, loc), loc=loc), loc=loc,
        )  # fmt: skip
        for number, let in enumerate(pieces.white):
            yield from self.root(number, let)
        for number, distance in enumerate(pieces.distances):
            here = distance.loc or loc
            yield Buffer(f"log_det_{number}", F64, lay.components, loc=here)
            factors = f"factor_{number}"
            yield Buffer(factors, self.t, lay.factors_size, True, loc=here)
            at_k = at(factors, ("k", lay.factor_size))
            yield When("form", (CHOLESKY,), tuple(self.factored("factor", number, distance, at_k)),
                       loc=here)  # fmt: skip
            at_k = at(factors, "k")
            yield When("form", (NATURAL,), tuple(self.factored("natural", number, distance, at_k)),
                       loc=here)  # fmt: skip
        for number, shared in enumerate(pieces.shared):
            yield from self.centres(number, shared)
        for let in self.gmm.estep.setup:
            name, here = pieces.names.fresh(let.name), let.loc or let.value.loc
            pieces.constants[let.name] = name
            elements = pieces.elements(pieces.component_leaf)
            yield Buffer(name, F64, lay.components, loc=here)
            value = elements.stored(let.value, "scalar", name, index("k"), here)
            yield loop("k", lay.components, *value, loc=here)

    def root(self, number: int, let: Let) -> Iterator[Statement]:
        """The inverse factor of a covariance that all components share, and its determinant."""
        assert isinstance(let.value, Whitened)
        loc, lay = let.loc, self.layout
        elements = self.pieces.elements(self.pieces.component_leaf)
        if number == 0:
            yield Buffer("shared_log_det", F64, len(self.pieces.white), loc=loc)
        yield Buffer(f"root_{number}", F64, lay.dimension**2, True, loc=loc)
        yield from elements.in_memory(let.value.covariance, "matrix", loc)
        args = elements.where("matrix"), at(f"root_{number}"), at("shared_log_det", number)
        yield store("status", Literal(0), _kept("inverse_factor", args, Literal(1)), loc)

    def centres(self, number: int, distance: SquaredDistance) -> Iterator[Statement]:
        """Every component's mean, whitened."""
        assert isinstance(distance.b, Whitened)
        lay, loc, pieces = self.layout, distance.loc, self.pieces
        elements, d = pieces.elements(pieces.component_leaf), Variable("d")
        yield Buffer(f"centre_{number}", self.t, lay.components * lay.dimension, True, loc=loc)
        mean = tuple(elements.in_memory(distance.b.point, "centre", loc))
        args = at(f"root_{pieces.white_of(distance)}"), elements.where("centre"), at("origin"), d
        value: PExpr = CallC("whitened", args, dtype=F64)
        value = value if self.t == F64 else Convert(value, dtype=self.t)
        one = store(f"centre_{number}", index(("k", lay.dimension), "d"), value, loc)
        each = loop("d", lay.dimension, one, loc=loc)
        yield loop("k", lay.components, *mean, each, loc=loc)

    def factored(
        self, routine: str, number: int, distance: Mahalanobis, to: PExpr
    ) -> Iterator[Statement]:
        """Every component's factor; the first that has none leaves its number in ``status``."""
        loc, elements = distance.loc, self.pieces.elements(self.pieces.component_leaf)
        body = [
            *elements.in_memory(distance.covariance, "matrix", loc),
            *elements.in_memory(distance.mean, "centre", loc),
        ]
        args = (elements.where("matrix"), elements.where("centre"), at("origin"), to,
                at(f"log_det_{number}", "k"))  # fmt: skip
        status = store("status", Literal(0), _kept(routine, args, index("k", 1)), loc)
        yield loop("k", self.layout.components, *body, status, loc=loc)


def _kept(routine: str, args: tuple[PExpr, ...], failed: PExpr) -> PExpr:
    """The status as it is, or, where it is 0 and there is no factor, *failed*."""
    kept = load("status", dtype=I64)
    first = Ternary(kept, kept, failed, dtype=I64)
    return Ternary(CallC(routine, args, dtype=I64), kept, first, dtype=I64)


def _chosen(mask: int) -> PExpr:
    fine = Binary("==", Load("status", Literal(0), dtype=I64), Literal(0), dtype=BOOL)
    return Binary("&&", bit(mask), fine, dtype=BOOL)


def _located(n: Node, loc: Span | None) -> Node | None:
    missing = isinstance(n, Statement) and n.loc is None
    return dataclasses.replace(n, loc=loc) if missing else None
