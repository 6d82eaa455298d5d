"""What every lowering of a mixture shares: sizes, names, and the cell's own expressions as PAST."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...ir import past
from ...ir.dast import Let, Statement
from ...ir.dtypes import F64, I64, DType
from ...ir.expr import Expr, Name
from ...ir.node import Node, walk
from ...ir.past import Declare, Param, PExpr, Variable
from ...phase3_lower.identifiers import Identifiers
from .build import Terms, load, store
from .dast import (
    Gmm,
    LogDet,
    Mahalanobis,
    Number,
    PairValue,
    Parameter,
    Responsibility,
    StorePair,
)
from .derived import SquaredDistance, Whitened
from .expressions import Arithmetic, Elements, Leaf, Place
from .interface import number_key
from .kinds import weight_columns
from .layout import Layout
from .sums import Sums


class Pieces:
    """One DAST's sizes, and its expressions wherever they are needed.

    ``sums`` are what the M-step sums over the events; ``distances`` need a factor for each component,
    ``shared`` ones meet events that are ``white``; ``constants`` are the arrays of what depends on the
    component alone, by the name in the cell; ``numbers`` the parameters that the cell takes;
    ``helpers`` and ``tables`` collect what the expressions call and look up.
    """

    def __init__(self, gmm: Gmm, outer_names: Iterable[str]) -> None:
        self.gmm, self.t = gmm, gmm.events.dtype
        mixture = gmm.mixture
        self.distances, self.white = _distances(gmm), gmm.estep.shared
        self.shared = tuple(dict.fromkeys(
            n for n in walk(gmm.estep) if isinstance(n, SquaredDistance)))  # fmt: skip
        products = bool(self.distances) or 2 in weight_columns(gmm.mstep).values()
        self.layout = Layout(gmm.events.dimension, mixture.components, mixture.covariance,
                             self.t.size_bytes, products)  # fmt: skip
        self.sums = Sums.of(gmm.mstep, self.layout)
        self.helpers: set[str] = set()
        self.tables: dict[str, past.Table] = {}
        self.constants: dict[str, str] = {}
        numbers = range(len(self.distances) + len(self.shared))
        own = (f"{name}_{n}" for n in numbers
               for name in ("log_det", "factor", "distance", "white", "root", "centre"))  # fmt: skip
        self.names = Identifiers((*outer_names, *own, *self.fields))
        self.numbers = {name: self.names.fresh(name) for name in gmm.numbers}

    @property
    def fields(self) -> tuple[str, ...]:
        """The arrays of per-pair values, ``joint`` among them."""
        stored = [s.field for s in self.gmm.estep.body if isinstance(s, StorePair)]
        return tuple(f"pair_{name}" for name in dict.fromkeys(stored))

    @property
    def rule_arrays(self) -> tuple[tuple[str, DType], ...]:
        """The arrays of a stopping rule."""
        return (("history", F64), ("converged", I64)) if self.gmm.stop else ()

    def number_params(self) -> list[Param]:
        """The parameters of the native function that are the cell's numbers."""
        loc = self.gmm.loc
        return [Param(c, F64, argument=number_key(n), loc=loc) for n, c in self.numbers.items()]

    def white_of(self, distance: SquaredDistance) -> int:
        """The number of the covariance by which the events of *distance* are whitened."""
        return next(n for n, s in enumerate(self.white) if Name(s.name) == distance.a)

    def elements(self, leaf: Leaf) -> Elements:
        """Values of one component, in float64."""
        return Elements(
            self.layout, leaf, self.helpers, self.tables, self.names.fresh, self.numbers
        )

    def component_leaf(self, e: Expr, place: Place) -> PExpr:
        """What an E-step knows of a component alone."""
        match e:
            case Name(id) if id in self.constants:
                return load(self.constants[id], "k", dtype=F64)
            case Number(name):
                return Variable(self.numbers[name], dtype=F64)
            case LogDet(covariance) if covariance in (shared := shared_covariances(self.gmm)):
                return load("shared_log_det", shared.index(covariance))
            case LogDet(covariance):
                found = [d.covariance for d in self.distances].index(covariance)
                return load(f"log_det_{found}", "k", dtype=F64)
            case _:
                raise TypeError(f"{e} is not known before the events")

    def pair_body(self, *pair: Terms) -> Iterator[Statement]:
        """The cell's E-step for one event and component, in the events' own dtype; *pair* is where its
        values lie in arrays of pairs."""
        names: dict[str, str] = {}

        def leaf(e: Expr) -> PExpr:
            match e:
                case Name(id) if id in names:
                    return Variable(names[id], dtype=self.t)
                case PairValue(field):
                    return load(f"pair_{field}", *pair, dtype=self.t)
                case Mahalanobis() | SquaredDistance():
                    number = (*self.distances, *self.shared).index(e)
                    return load(f"distance_{number}", *pair, dtype=self.t)
                case _:
                    return self.component_leaf(e, ())

        arithmetic = Arithmetic(self.t, leaf, self.helpers)
        for s in self.gmm.estep.body:
            if isinstance(s, Let):
                value = arithmetic.lower(s.value)
                names[s.name] = self.names.fresh(s.name)
                yield Declare(names[s.name], self.t, value, loc=s.loc or s.value.loc)
            elif isinstance(s, StorePair):
                there = load(f"pair_{s.field}", *pair).index
                yield store(f"pair_{s.field}", there, arithmetic.lower(s.value), s.loc)

    def weight(self, weights: Expr, *pair: Terms) -> PExpr:
        """One event's weight for one component; responsibilities lie where the joint did."""

        def leaf(e: Expr) -> PExpr:
            if isinstance(e, Number):
                return self.component_leaf(e, ())
            field = "joint" if isinstance(e, Responsibility) else getattr(e, "field", None)
            if field is None:
                raise TypeError(f"{e} is no value of an event")
            return load(f"pair_{field}", *pair, dtype=self.t)

        return Arithmetic(self.t, leaf, self.helpers).lower(weights)


def shared_covariances(gmm: Gmm) -> list[Expr]:
    """The covariances that all components share."""
    return [s.value.covariance for s in gmm.estep.shared if isinstance(s.value, Whitened)]


def _distances(gmm: Gmm) -> tuple[Mahalanobis, ...]:
    """Every distance that the E-step asks for, and one for each determinant without a distance; those
    whose parameters depend on a determinant come after it."""
    found: dict[Mahalanobis, None] = {}
    shared = shared_covariances(gmm)

    def determined(e: Node) -> list[LogDet]:
        return [n for n in walk(e) if isinstance(n, LogDet)]

    def add(distance: Mahalanobis) -> None:
        for inner in determined(distance):
            provide(inner)
        found.setdefault(distance)

    def provide(n: LogDet) -> None:
        if n.covariance not in {*shared, *(d.covariance for d in found)}:
            add(Mahalanobis(Parameter("mean", kind="vector"), n.covariance, loc=n.loc))

    asked = [n for n in walk(gmm.estep) if isinstance(n, Mahalanobis)]
    for distance in sorted(asked, key=lambda d: bool(determined(d))):
        add(distance)
    for n in determined(gmm.estep):
        provide(n)
    return tuple(found)
