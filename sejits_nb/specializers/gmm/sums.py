"""The sums over the events that an M-step asks for, and where they lie in the array ``moments``.

of a column of weights      1, x_d, x_i x_j, as far as it is asked for, [features][K]
of a pooled one             x_i x_j
at the end                  the number of events
"""

from __future__ import annotations

from dataclasses import dataclass

from ...ir.dtypes import I64
from ...ir.expr import Expr
from ...ir.node import walk
from ...ir.past import Binary, CallC, Literal, PExpr
from .build import index, load
from .dast import Count, MStep, Total
from .derived import Moment, is_pooled
from .expressions import Place
from .kinds import weight_columns
from .layout import Layout
from .stopping import Progress


@dataclass(frozen=True, slots=True)
class Column:
    """Weights of sums over the events, up to moments of this *order*; they begin at ``start``."""

    weights: Expr
    order: int
    start: int


@dataclass(frozen=True)
class Sums:
    """The columns of an M-step, each with sums for every component, and the ``pooled`` ones, each with
    one matrix of second moments for all."""

    layout: Layout
    columns: tuple[Column, ...]
    pooled: tuple[Column, ...]

    @classmethod
    def of(cls, mstep: MStep, layout: Layout) -> Sums:
        """The sums that *mstep* asks for, one after the other."""
        columns, start = list[Column](), 0
        for weights, order in weight_columns(mstep).items():
            columns.append(Column(weights, order, start))
            start += layout.features_of(order) * layout.components
        seconds = (n.weights for n in walk(mstep) if isinstance(n, Moment))
        pooled = (w for w in dict.fromkeys(seconds) if is_pooled(w))
        each = (Column(w, 2, start + n * layout.second) for n, w in enumerate(pooled))
        return cls(layout, tuple(columns), tuple(each))

    @property
    def count(self) -> int:
        """Where the number of events is: behind all sums."""
        own = sum(self.layout.features_of(c.order) for c in self.columns)
        return own * self.layout.components + len(self.pooled) * self.layout.second

    def at(self, e: Expr, place: Place) -> PExpr:
        """A sum over the events, at component ``k``."""
        lay = self.layout
        match e:
            case Count():
                return load("moments", self.count)
            case Progress("log_likelihood"):
                return load("log_likelihood")
            case Progress(field):
                return load("history", int(field == "iteration"))
            case Moment(_, weights) if is_pooled(weights):
                start = next(c.start for c in self.pooled if c.weights == weights)
                return load("moments", start, _either_half(place, lay.dimension))
            case Total(weights):
                feature: PExpr = Literal(0)
            case Moment(1, weights):
                feature = index(place[0], 1)
            case Moment(2, weights):
                second = _either_half(place, lay.dimension) if len(place) == 2 else place[0]
                feature = index(second, 1 + lay.dimension)
            case _:
                raise TypeError(f"{e} is not known after the events")
        start = next(c.start for c in self.columns if c.weights == weights)
        return load("moments", start, (feature, lay.components), "k")


def upper(i: PExpr, j: PExpr, dimension: int) -> PExpr:
    """Where the element (i, j), i <= j, of a symmetric matrix is in its upper half, row by row."""
    before = Binary("*", i, Binary("-", Literal(2 * dimension - 1), i))
    return index(Binary("/", before, Literal(2)), j)


def _either_half(place: Place, dimension: int) -> PExpr:
    low, high = (CallC(f"{f}_i64", place, dtype=I64) for f in ("min", "max"))
    return upper(low, high, dimension)
