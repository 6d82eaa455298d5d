"""DAST expressions of a mixture -> PAST: arithmetic of one dtype, and single elements of vectors and
matrices."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field

from ...ir import past
from ...ir.dast import Statement
from ...ir.dtypes import BOOL, F64, DType
from ...ir.expr import Binary, Call, Compare, Const, Expr, Logic, Name, Select, Unary
from ...ir.node import Node, Span, rewrite
from ...ir.past import Address, CallC, Convert, Literal, PExpr, Ternary, Variable
from .build import add_to, index, load, loop, op, store
from .dast import Array, Eye, Kind, Number, Outer, Parameter, Summed
from .derived import Origin
from .kinds import KIND_OF_COVARIANCE, kind_of
from .layout import Layout

_C_LOGIC = {"and": "&&", "or": "||"}
Place = tuple[PExpr, ...]
Leaf = Callable[[Expr, Place], PExpr]
RANK: dict[Kind, int] = {"scalar": 0, "vector": 1, "matrix": 2, "column": 0}
"""Kind -> how many indices its elements have."""


@dataclass(frozen=True)
class Arithmetic:
    """Arithmetic in one *dtype*; *leaf* lowers what the domain adds, *helpers* takes what is called."""

    dtype: DType
    leaf: Callable[[Expr], PExpr]
    helpers: set[str]

    def lower(self, e: Expr) -> PExpr:
        """*e*, whose parts are all of this dtype."""
        lowered = self._lower(e)
        return dataclasses.replace(lowered, loc=e.loc) if e.loc else lowered

    def _lower(self, e: Expr) -> PExpr:
        match e:
            case Const(value):
                return Literal(float(value), dtype=self.dtype)
            case Unary("-", operand):
                return past.Unary("-", self.lower(operand), dtype=self.dtype)
            case Unary("not", operand):
                return past.Unary("!", self.lower(operand), dtype=BOOL)
            case Binary("**", left, Const(2)):
                square = self.lower(left)
                return past.Binary("*", square, square, dtype=self.dtype)
            case Binary("**", left, right):
                return CallC("pow", (self.lower(left), self.lower(right)), dtype=self.dtype)
            case Binary("+" | "-" | "*" | "/" as sign, left, right):
                return past.Binary(sign, self.lower(left), self.lower(right), dtype=self.dtype)
            case Compare(sign, left, right):
                return past.Binary(sign, self.lower(left), self.lower(right), dtype=BOOL)
            case Logic(word, left, right):
                return past.Binary(_C_LOGIC[word], self.lower(left), self.lower(right), dtype=BOOL)
            case Select(test, then, orelse):
                parts = self.lower(test), self.lower(then), self.lower(orelse)
                return Ternary(*parts, dtype=self.dtype)
            case Call("min" | "max" as func, args):
                name = f"{func}_{self.dtype.name}"
                self.helpers.add(name)
                return CallC(name, tuple(map(self.lower, args)), dtype=self.dtype)
            case Call(func, args):
                return CallC(func, tuple(map(self.lower, args)), dtype=self.dtype)
            case _:
                found = self.leaf(e)
                return found if found.dtype == self.dtype else Convert(found, dtype=self.dtype)


@dataclass
class Elements:
    """Values of component ``k``, element by element, in float64.

    ``names`` are the locals in scope: the array that each lies in (at 0) and its kind; ``numbers`` what
    number parameters are called.  *leaf* lowers what only a part of the kernel knows (sums over events,
    determinants) at a place.
    """

    layout: Layout
    leaf: Leaf
    helpers: set[str]
    tables: dict[str, past.Table]
    fresh: Callable[[str], str]
    numbers: Mapping[str, str] = field(default_factory=dict)
    names: dict[str, tuple[PExpr, str, Kind]] = field(default_factory=dict)

    def kind(self, e: Expr) -> Kind:
        return kind_of(e, {name: kind for name, (_, _, kind) in self.names.items()})

    def stored(
        self, e: Expr, kind: Kind, array: str, base: PExpr, loc: Span | None, add: bool = False
    ) -> Iterator[Statement]:
        """Statements that put every element of *e*, as a *kind*, into ``array[base + ...]``."""
        e = yield from self.summed(e, loc)
        place = _place(kind)
        there = index(base, *self.flat(place))
        put = add_to if add else store
        done: Statement = put(array, there, self.element(e, place), loc)
        for variable in reversed(place):
            assert isinstance(variable, Variable)
            done = loop(variable.name, self.layout.dimension, done, loc=loc)
        yield done

    def let(self, name: str, e: Expr, loc: Span | None) -> Iterator[Statement]:
        """*e* in an array of its own, known as *name* from here on."""
        kind, array = self.kind(e), self.fresh(name)
        yield past.Buffer(array, F64, self.layout.dimension ** RANK[kind], loc=loc)
        yield from self.stored(e, kind, array, Literal(0), loc)
        self.names[name] = Literal(0), array, kind

    def in_memory(self, e: Expr, name: str, loc: Span | None) -> Iterator[Statement]:
        """*e* in memory; :meth:`where` of the same name is then its address."""
        if isinstance(e, Parameter):
            self.names[name] = self.base(e.field), e.field, e.kind
        else:
            yield from self.let(name, e, loc)

    def where(self, name: str) -> Address:
        base, array, _ = self.names[name]
        return Address(array, base)

    def element(self, e: Expr, place: Place) -> PExpr:
        """*e* at *place*: () of a scalar, (i,) of a vector, (i, j) of a matrix."""

        def leaf(e: Expr) -> PExpr:
            match e:
                case Name(id) if id in self.names:
                    base, array, kind = self.names[id]
                    return load(array, base, *self.flat(place[: RANK[kind]]))
                case Number(name):
                    return Variable(self.numbers[name], dtype=F64)
                case Parameter(name):
                    own = place[: RANK[e.kind]]
                    return load(name, self.base(name), *self.flat(own))
                case Origin():
                    return load("origin", place[0])
                case Array(name):
                    if name not in self.tables:
                        literals = tuple(Literal(float(v), dtype=F64) for v in e.values)
                        self.tables[name] = past.Table(self.fresh(name), F64, literals)
                    return load(self.tables[name].name, *self.flat(place[: RANK[e.kind]]))
                case Eye():
                    one, zero = Literal(1.0, dtype=F64), Literal(0.0, dtype=F64)
                    if len(place) < 2:
                        return one
                    same = past.Binary("==", place[0], place[1], dtype=BOOL)
                    return Ternary(same, one, zero, dtype=F64)
                case Outer(a, b):
                    return op("*", self.element(a, place[:1]), self.element(b, place[1:]))
                case _:
                    return self.leaf(e, place)

        return Arithmetic(F64, leaf, self.helpers).lower(e)

    def base(self, name: str) -> PExpr:
        """Where component ``k``'s own part of a parameter begins."""
        if name == "covariance" and self.layout.covariance == "tied":
            return Literal(0)
        if name == "weight":
            return index("k")
        kind: Kind = "vector" if name == "mean" else KIND_OF_COVARIANCE[self.layout.covariance]
        return index(("k", self.layout.dimension ** RANK[kind]))

    def flat(self, place: Place) -> tuple[tuple[PExpr, int], ...]:
        """*place* as terms of an index, row by row."""
        d = self.layout.dimension
        return tuple((p, d ** (len(place) - 1 - n)) for n, p in enumerate(place))

    def summed(self, e: Expr, loc: Span | None) -> Generator[Statement, None, Expr]:
        """Sums over dimensions in *e*, computed before it; gives *e* with their names."""
        sums: dict[Expr, str] = {}

        def rule(n: Node) -> Node | None:
            if not isinstance(n, Summed):
                return None
            sums.setdefault(n.vector, self.fresh("sum"))
            return Name(sums[n.vector])

        e = rewrite(e, rule)
        for vector, name in sums.items():
            yield past.Buffer(name, F64, 1, loc=loc)
            yield store(name, Literal(0), Literal(0.0, dtype=F64), loc)
            value = self.element(vector, (Variable("d"),) * RANK[self.kind(vector)])
            yield loop("d", self.layout.dimension, add_to(name, Literal(0), value, loc), loc=loc)
            self.names[name] = Literal(0), name, "scalar"
        return e


def _place(kind: Kind) -> Place:
    return (Variable("i"), Variable("j"))[: RANK[kind]]
