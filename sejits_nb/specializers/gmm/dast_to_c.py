"""Phase 3 of the GMM specializer: optimised DAST -> PAST, the blocked matrix form.

    each component's factor, and what depends on the component alone
    for part in [0, parts)                                  events in parts, E- and M-step fused:
      for block in its blocks of BLOCK events               every event is read once
        gather      rows of the block, about the origin
        distance    squared Mahalanobis distances           <- mahalanobis(...)
        joint[k, lane] = ...                                <- the cell's own expressions
        softmax     responsibilities, log-likelihood        <- softmax(...)
        features    1, x_d, x_i x_j
        accumulate  features times weights, summed          <- sum, mean, average, scatter
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
from ...ir.dast import Statement
from ...ir.dtypes import BOOL, F64, I64
from ...ir.node import Node, Span, rewrite
from ...ir.past import (
    Binary,
    Buffer,
    CallC,
    If,
    Literal,
    Load,
    Param,
    PExpr,
    Routine,
    Ternary,
    Unit,
    When,
)
from .build import add_to, at, index, load, loop, op, store
from .dast import Gmm, Mahalanobis
from .events_to_c import CHOLESKY, E_STEP, M_STEP, NATURAL, WRITE, Events, bit
from .layout import BLOCK
from .mstep_to_c import Sums, lower_mstep
from .pieces import Pieces

_OUTER_NAMES = ("x weight mean covariance moments responsibility log_prob log_likelihood status steps "
                "count origin parts part blocks block partial rows xs first last panel cell "
                "panel_features panel_weights feature_rows column tops sums i j k d n lane valid BLOCK "
                "Q P LANES STRIP lanes lanes_int lanes_f64 strip strip_anywhere gather factor natural "
                "distance natural_distance softmax features accumulate").split()  # fmt: skip


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
                    ("log_likelihood", F64), ("status", I64))  # fmt: skip
        pieces, loc, mstep = self.pieces, self.gmm.loc, self.gmm.mstep
        params = [Param(n, t, True, n == "x", n, loc=loc) for n, t in pointers]
        params += [Param(n, I64, argument=n, loc=loc) for n in ("steps", "count")]
        params += pieces.number_params()
        events = Events(pieces)
        sums = pieces.elements(Sums(self.layout, pieces.columns).at)
        body = (
            *self.setup(),
            If(_chosen(E_STEP | WRITE), tuple(events.statements()), loc=self.gmm.estep.loc),
            If(_chosen(M_STEP), tuple(lower_mstep(mstep, sums, pieces.names.fresh)), loc=mstep.loc),
        )
        name = f"{pieces.names.fresh(self.gmm.name)}_kernel"
        function = past.Function(name, tuple(params), body, loc=loc)
        helpers, tables = tuple(sorted(pieces.helpers)), tuple(pieces.tables.values())
        unit = Unit(function, helpers, tables, self.routines(), (("BLOCK", BLOCK),), loc=loc)
        return rewrite(unit, lambda n: _located(n, loc))

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
        )  # fmt: skip
        form = "full" if lay.whole else "diag"
        factor = "full" if lay.whole else lay.covariance
        found = [
            Routine(f"gmm/{file}", sizes) for file in ("lanes", f"exp_{self.t.name}", "gather")
        ]
        if self.pieces.distances:
            found += [Routine("gmm/inverse_factor", sizes)] if lay.whole else []
            ways = {CHOLESKY: (f"factor_{factor}", f"distance_{form}"),
                    NATURAL: (f"natural_{form}", "distance_natural")}  # fmt: skip
            found += [Routine(f"gmm/{file}", sizes, ("form", (way,)))
                      for way, files in ways.items() for file in files]  # fmt: skip
        files = ("softmax", f"features_{form}", "accumulate")
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
        for let in self.gmm.estep.setup:
            name, here = pieces.names.fresh(let.name), let.loc or let.value.loc
            pieces.constants[let.name] = name
            elements = pieces.elements(pieces.component_leaf)
            yield Buffer(name, F64, lay.components, loc=here)
            value = elements.stored(let.value, "scalar", name, index("k"), here)
            yield loop("k", lay.components, *value, loc=here)

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
        kept, failed = load("status", dtype=I64), index("k", 1)
        first = Ternary(kept, kept, failed, dtype=I64)
        found = Ternary(CallC(routine, args, dtype=I64), kept, first, dtype=I64)
        yield loop(
            "k", self.layout.components, *body, store("status", Literal(0), found, loc), loc=loc
        )


def _chosen(mask: int) -> PExpr:
    fine = Binary("==", Load("status", Literal(0), dtype=I64), Literal(0), dtype=BOOL)
    return Binary("&&", bit(mask), fine, dtype=BOOL)


def _located(n: Node, loc: Span | None) -> Node | None:
    missing = isinstance(n, Statement) and n.loc is None
    return dataclasses.replace(n, loc=loc) if missing else None
