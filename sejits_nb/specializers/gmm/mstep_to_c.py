"""The M-step's part of phase 3: parameters of every component from the sums over the events.

for k: weight[k] = moments[k] / moments[last]           <- mean(r)
       for i: mean[k, i] = ...                          <- average(x, r)
       for i: for j: covariance[k, i, j] = ...          <- scatter(x, m, r)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ...ir.dast import Let, Statement
from ...ir.dtypes import F64, I64
from ...ir.expr import Expr
from ...ir.past import Binary, Buffer, CallC, Literal, PExpr
from .build import index, load, loop, store
from .dast import Accumulate, Count, Kind, Moment, MStep, StoreComponent, StoreShared, Total
from .expressions import RANK, Elements, Place
from .kinds import KIND_OF_COVARIANCE
from .layout import Layout


@dataclass(frozen=True)
class Sums:
    """Where the sums over the events lie: ``moments[column][feature][k]``, then their number."""

    layout: Layout
    columns: tuple[Expr, ...]

    def at(self, e: Expr, place: Place) -> PExpr:
        """A sum over the events, at component ``k``."""
        lay = self.layout
        match e:
            case Count():
                return load("moments", lay.moments_size(len(self.columns)) - 1)
            case Total(weights):
                feature: PExpr = Literal(0)
            case Moment(1, weights):
                feature = index(place[0], 1)
            case Moment(2, weights) if len(place) == 2:
                low, high = (CallC(f"{f}_i64", place, dtype=I64) for f in ("min", "max"))
                before = Binary("*", low, Binary("-", Literal(2 * lay.dimension - 1), low))
                feature = index(Binary("/", before, Literal(2)), high, 1 + lay.dimension)
            case Moment(2, weights):
                feature = index(place[0], 1 + lay.dimension)
            case _:
                raise TypeError(f"{e} is not known after the events")
        column = self.columns.index(weights) * lay.features * lay.components
        return load("moments", column, (feature, lay.components), "k")


def lower_mstep(
    mstep: MStep, elements: Elements, fresh: Callable[[str], str]
) -> Iterator[Statement]:
    """The M-step, component by component, then what follows from sums over all components."""
    lay = elements.layout
    for s in mstep.body:
        if isinstance(s, Accumulate) and s.name not in elements.names:
            kind = s.kind
            array, size = fresh(s.name), lay.dimension ** RANK[kind]
            yield Buffer(array, F64, size, loc=s.loc)
            zero = store(array, index("n"), Literal(0.0, dtype=F64), s.loc)
            yield loop("n", size, zero, loc=s.loc)
            elements.names[s.name] = Literal(0), array, kind
    yield loop("k", lay.components, *updates(elements, mstep.body), loc=mstep.loc)
    yield from updates(elements, mstep.after)


def updates(elements: Elements, body: tuple[Statement, ...]) -> Iterator[Statement]:
    """The statements of *body* for component ``k``, or after the last one."""
    for s in body:
        match s:
            case Let(name, value) if elements.kind(value) != "column":
                yield from elements.let(name, value, s.loc or value.loc)
            case Accumulate(name, value):
                base, array, kind = elements.names[name]
                yield from elements.stored(value, kind, array, base, s.loc, add=True)
            case StoreComponent(field, value):
                own: dict[str, Kind] = {"weight": "scalar", "mean": "vector"}
                kind = own.get(field) or KIND_OF_COVARIANCE[elements.layout.covariance]
                yield from elements.stored(value, kind, field, elements.base(field), s.loc)
            case StoreShared(value):
                yield from elements.stored(value, "matrix", "covariance", Literal(0), s.loc)
