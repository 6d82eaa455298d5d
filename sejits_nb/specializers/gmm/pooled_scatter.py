"""Phase 2 of the GMM specializer: the scatters of all components from one matrix of second moments.

    total += mean(r) * scatter(x, mean[k], r)

holds the second moments sum_n r_nk x x' with the factor (sum(r) / N) / sum(r) = 1 / N, the same for all
components.  Sums may change places then:

    sum_k (1 / N) sum_n r_nk x x'  =  (1 / N) sum_n (sum_k r_nk) x x'

so that one matrix is summed over the events, not one for each component; and as responsibilities add up
to 1, it is the matrix of the plain x x'.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...ir.dast import Let, Statement
from ...ir.expr import Binary, Compare, Const, Expr, Name, Select, Unary
from ...ir.node import Node, rewrite, walk
from .dast import Accumulate, Count, Gmm, Parameter, Responsibility, StoreComponent, Total
from .derived import Moment, Pooled

Factors = tuple[float, Mapping[Expr, int]]
"""A product: a number, and other factors with their exponents."""
_ONE: Factors = (1.0, {})


def pooled_scatter(gmm: Gmm) -> Gmm:
    """Second moments that only sums over the components hold, with factors that are the same for all.

    total += sum(r) / N * (sum(r * x x^T) / sum(r) - ...)    ->  total += sum(r) / N * -(...)
    covariance[:] = total                                    ->  covariance[:] = total + sum(x x^T) / N
    """
    if gmm.mixture.components == 1:
        return gmm
    seconds = [n for n in walk(gmm.mstep) if isinstance(n, Moment) and n.order == 2]
    for moment in dict.fromkeys(m for m in seconds if m.kind == "matrix"):
        gmm = _Pooling(moment).pooled(gmm) or gmm
    return gmm


@dataclass(frozen=True)
class _Split:
    """An expression as ``sum of factors * moment + rest``; no rest is 0."""

    factors: tuple[Factors, ...]
    rest: Expr | None


@dataclass
class _Pooling:
    """Takes one *moment* out of an M-step's loop; ``None`` from its methods where that cannot be done.

    ``values`` are the scalar locals and the weight in terms of sums over the events; ``splits`` the
    locals that hold the moment.
    """

    moment: Moment
    values: dict[Expr, Expr] = field(default_factory=dict)
    splits: dict[str, tuple[Factors, ...]] = field(default_factory=dict)

    def pooled(self, gmm: Gmm) -> Gmm | None:
        """*gmm* with the moment behind the loop."""
        taken: dict[str, tuple[Factors, ...]] = {}
        body: list[Statement] = []
        for s in gmm.mstep.body:
            if not isinstance(s, Let | Accumulate | StoreComponent):
                return None
            split = self.split(s.value)
            if split is None or split.rest is None:
                return None
            if split.factors and isinstance(s, StoreComponent):
                return None
            if split.factors and isinstance(s, Let):
                self.splits[s.name] = split.factors
            if isinstance(s, Accumulate):
                taken[s.name] = (*taken.get(s.name, ()), *split.factors)
            body.append(s if split.rest is s.value else dataclasses.replace(s, value=split.rest))
            self.note(s)
        if not all(map(_same_for_all, sum(taken.values(), ()))):
            return None

        def whole(n: Node) -> Node | None:
            total: Expr | None = n if isinstance(n, Name) else None
            for factors in taken.get(n.id, ()) if isinstance(n, Name) else ():
                assert total is not None
                total = Binary("+", total, _product(factors, self.once))
            return total

        after = tuple(rewrite(s, whole) for s in gmm.mstep.after)
        mstep = dataclasses.replace(gmm.mstep, body=tuple(body), after=after)
        return dataclasses.replace(gmm, mstep=mstep)

    @property
    def once(self) -> Moment:
        """The moment of all components."""
        weights, loc = self.moment.weights, self.moment.loc
        every: Expr = Pooled(weights, kind="column", loc=loc)
        if isinstance(weights, Responsibility):
            every = Const(1.0, loc=loc)
        return dataclasses.replace(self.moment, weights=every)

    def note(self, s: Statement) -> None:
        """What *s* makes of a scalar."""
        match s:
            case Let(name, value) if name not in self.splits:
                self.values[Name(name)] = self.known(value)
            case StoreComponent("weight", value):
                self.values[Parameter("weight")] = self.known(value)

    def known(self, e: Expr) -> Expr:
        """*e* in terms of sums over the events and of what the iteration found."""
        return rewrite(e, lambda n: self.values.get(n) if isinstance(n, Name | Parameter) else None)

    def holds(self, e: Expr) -> bool:
        """Whether the moment is in *e*."""
        return any(n == self.moment or (isinstance(n, Name) and n.id in self.splits)
                   for n in walk(e))  # fmt: skip

    def split(self, e: Expr) -> _Split | None:
        """*e* as a sum with the moment; ``None`` where it is none."""
        if not self.holds(e):
            return _Split((), e)
        match e:
            case Moment():
                return _Split((_ONE,), None)
            case Name(id):
                return _Split(self.splits[id], e)
            case Unary("-", operand):
                return self.scaled(self.split(operand), Const(-1.0), 1, e)
            case Binary("*", factor, operand) if not self.holds(factor):
                return self.scaled(self.split(operand), factor, 1, e)
            case Binary("*", operand, factor) | Binary("/", operand, factor) if not (
                self.holds(factor)
            ):
                return self.scaled(self.split(operand), factor, 1 if e.op == "*" else -1, e)
            case Binary("+" | "-", left, right):
                return self.added(self.split(left), self.split(right), e)
            case Select(test, then, orelse) if not (self.holds(test) or self.holds(orelse)):
                split = self.split(then)
                if split is None or split.rest is None or not self.vanishes(self.known(test)):
                    return None
                return _Split(split.factors, dataclasses.replace(e, then=split.rest))
            case _:
                return None

    def scaled(self, split: _Split | None, factor: Expr, power: int, e: Expr) -> _Split | None:
        """*split* times, or divided by, *factor*, as *e* has it."""
        if split is None:
            return None
        by = _factors(self.known(factor), power)
        factors = tuple(_times(f, by) for f in split.factors)
        if split.rest is None:
            return _Split(factors, None)
        match e:
            case Unary(op):
                return _Split(factors, Unary(op, split.rest, loc=e.loc))
            case Binary(op, left, right):
                pair = (split.rest, right) if factor is right else (left, split.rest)
                return _Split(factors, Binary(op, *pair, loc=e.loc))
        return None

    def added(self, left: _Split | None, right: _Split | None, e: Binary) -> _Split | None:
        """The sum of both, or the difference, as *e* has it."""
        if left is None or right is None:
            return None
        rest: Expr | None
        sign = 1.0 if e.op == "+" else -1.0
        factors = *left.factors, *(_times(f, (sign, {})) for f in right.factors)
        if right.rest is None:
            rest = left.rest
        elif left.rest is None:
            rest = right.rest if e.op == "+" else Unary("-", right.rest, loc=e.loc)
        else:
            rest = dataclasses.replace(e, left=left.rest, right=right.rest)
        return _Split(factors, rest)

    def vanishes(self, test: Expr) -> bool:
        """Whether the moment is 0 where *test* does not hold: a component without a share in the
        events adds nothing."""
        match test:
            case Compare(">", Total(Responsibility()) as shares, Const(0)):
                return _factors(self.moment.weights)[1].get(shares.weights, 0) > 0
            case Compare(">", Binary("/", shares, Count()), Const() as zero):
                return self.vanishes(Compare(">", shares, zero))
            case _:
                return False


def _factors(e: Expr, power: int = 1) -> Factors:
    """*e* to the *power* as a product."""
    match e:
        case Const(value) if value:
            return float(value) ** power, {}
        case Unary("-", operand):
            return _times((-1.0, {}), _factors(operand, power))
        case Binary("*", left, right):
            return _times(_factors(left, power), _factors(right, power))
        case Binary("/", left, right):
            return _times(_factors(left, power), _factors(right, -power))
        case _:
            return 1.0, {e: power}


def _times(a: Factors, b: Factors) -> Factors:
    """The product of both; what is divided by itself is gone."""
    powers = {e: a[1].get(e, 0) + b[1].get(e, 0) for e in (*a[1], *b[1])}
    return a[0] * b[0], {e: power for e, power in powers.items() if power}


def _same_for_all(factors: Factors) -> bool:
    """Whether no factor is a component's own."""
    return not any(
        isinstance(n, Total | Moment | Parameter | Name) for e in factors[1] for n in walk(e)
    )


def _product(factors: Factors, e: Expr) -> Expr:
    """*factors* times *e*."""
    number, powers = factors
    for factor, power in powers.items():
        for _ in range(abs(power)):
            e = Binary("*" if power > 0 else "/", e, factor, loc=e.loc)
    return e if number == 1.0 else Binary("*", Const(number), e, loc=e.loc)
