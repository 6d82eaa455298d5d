"""Phase 2 of the GMM specializer: what a domain expert knows about mixtures, one pass a function.

expand densities        log_normal(x, m, C)  ->  -(D log 2 pi + log_det(C) + mahalanobis(x, m, C)) / 2
shared covariance       mahalanobis(x, m, C) ->  |y - L^-1 m|^2 with y = L^-1 x once an event, where
                        C = L L^T is the same for all components         (shared_covariance.py)
sufficient statistics   average(x, w)        ->  sum(w x) / sum(w)
                        scatter(x, c, w)     ->  sums of w x x^T, w x and w about c
shapes                  a @ b, and what diagonal and spherical covariances leave of outer products
constants               D, and arithmetic of numbers, become numbers
pooled scatter          sum_k r_nk x x^T / N ->  x x^T / N: one matrix of sums for all components
                                                                         (pooled_scatter.py)
distribute              -0.5 * (c + distance)  ->  what events change apart from the rest
component invariants    what no event changes is computed once a component, not once an event
"""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Callable
from typing import Any

from ...contracts import Pass
from ...ir.dast import Let, Statement
from ...ir.expr import Binary, Const, Expr, Name, Unary
from ...ir.node import Node, rewrite, walk
from .dast import (
    Average,
    Count,
    Dimension,
    Dot,
    Event,
    Gmm,
    Kind,
    LogDet,
    LogNormal,
    Mahalanobis,
    Mean,
    Number,
    Outer,
    PairValue,
    Responsibility,
    Scatter,
    StorePair,
    Summed,
    Total,
)
from .dependence import depends_on_event, locals_of
from .derived import Moment, Origin, SquaredDistance
from .kinds import kind_of
from .pooled_scatter import pooled_scatter
from .shared_covariance import shared_covariance

_FOLDED: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul,
}  # fmt: skip


def expand_densities(gmm: Gmm) -> Gmm:
    """``log_normal`` written out: the distance and the determinant are two things to compute."""

    def rule(n: Node) -> Node | None:
        if not isinstance(n, LogNormal):
            return None
        constant = Binary("*", Dimension(), Const(math.log(2 * math.pi)))
        distance = Mahalanobis(n.mean, n.covariance)
        whole = Binary("+", Binary("+", constant, LogDet(n.covariance)), distance)
        return _at(Binary("*", Const(-0.5), whole), n)

    return rewrite(gmm, rule)


def fold_constants(gmm: Gmm) -> Gmm:
    """``16 * 1.8378`` as one number; D is known."""

    def rule(n: Node) -> Node | None:
        match n:
            case Dimension():
                return Const(gmm.events.dimension)
            case Unary("-", Const(value)):
                return Const(-value)
            case Binary("+" | "-" | "*" as op, Const(a), Const(b)):
                return Const(_FOLDED[op](a, b))
            case _:
                return None

    return rewrite(gmm, rule)


def sufficient_statistics(gmm: Gmm) -> Gmm:
    """Averages and scatters from sums that one pass over the events takes, about an origin near the
    data, so that no digits are lost in their differences.
    """

    def rule(n: Node) -> Node | None:
        match n:
            case Mean(weights):
                return _at(Binary("/", Total(weights), Count()), n)
            case Average(weights):
                first = Moment(1, weights, kind="vector")
                return _at(
                    Binary("+", Binary("/", first, Total(weights)), Origin(kind="vector")), n
                )
            case Scatter(centre, weights):
                total, shift = Total(weights), Binary("-", centre, Origin(kind="vector"))
                form: Kind = "matrix" if n.kind == "matrix" else "vector"
                mean_of = Binary("/", Moment(1, weights, kind="vector"), total)
                second = Binary("/", Moment(2, weights, kind=form), total)
                cross = Binary(
                    "+", Outer(shift, mean_of, kind=form), Outer(mean_of, shift, kind=form)
                )
                whole = Binary("+", Binary("-", second, cross), Outer(shift, shift, kind=form))
                mean = Binary("/", Summed(whole), Dimension())
                return _at(mean if n.kind == "scalar" else whole, n)
            case _:
                return None

    return rewrite(gmm, rule)


def shapes(gmm: Gmm) -> Gmm:
    """What a covariance's shape leaves of outer products; ``a @ b`` as a sum of products."""

    def rule(n: Node) -> Node | None:
        match n:
            case Dot(a, b):
                return _at(Summed(Binary("*", a, b)), n)
            case Outer(a, b) if n.kind == "vector":
                return _at(Binary("*", a, b), n)
            case Outer(a, b) if n.kind == "scalar":
                return _at(Binary("/", Summed(Binary("*", a, b)), Dimension()), n)
            case _:
                return None

    return rewrite(gmm, rule)


def component_invariants(gmm: Gmm) -> Gmm:
    """The parts of the E-step's expressions that no event changes, as ``Let``s of the component."""
    lets = locals_of(gmm.estep.body)
    setup: list[Let] = []
    known: dict[Expr, str] = {}

    here = gmm.estep.loc

    def hoisted(e: Expr) -> Expr:
        if isinstance(e, Const | Name | Number) or not _scalar(e):
            return e
        if depends_on_event(e, lets):
            return _map(e, hoisted)
        if e not in known:
            known[e] = f"constant_{len(known)}"
            setup.append(Let(known[e], e, loc=e.loc or here))
        return Name(known[e], loc=e.loc)

    def _scalar(e: Expr) -> bool:
        return kind_of(e, kinds) == "scalar"

    kinds: dict[str, Any] = {}
    body: list[Statement] = []
    for s in gmm.estep.body:
        here = s.loc
        if isinstance(s, Let):
            kinds[s.name] = kind_of(s.value, kinds)
            if kinds[s.name] == "scalar" and not depends_on_event(s.value, lets):
                setup.append(s)
                continue
            new = hoisted(s.value) if kinds[s.name] == "scalar" else s.value
            body.append(s if new is s.value else dataclasses.replace(s, value=new))
        elif isinstance(s, StorePair):
            new = hoisted(s.value)
            body.append(s if new is s.value else dataclasses.replace(s, value=new))
        else:
            body.append(s)
    if not setup:
        return gmm
    all_of_them = (*gmm.estep.setup, *setup)
    estep = dataclasses.replace(gmm.estep, body=tuple(body), setup=all_of_them)
    return dataclasses.replace(gmm, estep=estep)


def _map(e: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """*e* with *change* applied to its operands; a sum is regrouped so that what no event changes
    stands together."""
    match e:
        case Mahalanobis() | SquaredDistance() | PairValue() | Event() | Responsibility():
            return e
        case Binary(op, left, right):
            new = Binary(op, change(left), change(right), loc=e.loc, dtype=e.dtype)
            return e if (new.left is left and new.right is right) else new
        case _:
            changes: dict[str, Any] = {}
            for field in dataclasses.fields(e):
                value = getattr(e, field.name)
                if isinstance(value, Expr):
                    changes[field.name] = change(value)
                elif isinstance(value, tuple) and value and isinstance(value[0], Expr):
                    changes[field.name] = tuple(map(change, value))
            return dataclasses.replace(e, **changes)


def distribute(gmm: Gmm) -> Gmm:
    """``a * (b + c)`` as ``a*b + a*c`` where *a* is a number and the sum mixes what events change with
    what they do not: its constant part can then be taken out.
    """
    lets = locals_of(gmm.estep.body)

    def rule(n: Node) -> Node | None:
        match n:
            case Binary("*", Const() | Number() as factor, Binary("+" | "-" as op, a, b)):
                if depends_on_event(a, lets) != depends_on_event(b, lets):
                    return _at(Binary(op, Binary("*", factor, a), Binary("*", factor, b)), n)
                return None
            case Binary("+", Binary("+", a, b), c) if not depends_on_event(c, lets):
                if not depends_on_event(a, lets) and depends_on_event(b, lets):
                    return _at(Binary("+", Binary("+", a, c), b), n)
                return None
            case Binary("+", a, Binary("+", b, c)) if not depends_on_event(a, lets):
                if not depends_on_event(b, lets) and depends_on_event(c, lets):
                    return _at(Binary("+", Binary("+", a, b), c), n)
                return None
            case _:
                return None

    return dataclasses.replace(gmm, estep=rewrite(gmm.estep, rule))


def _at(e: Expr, n: Node) -> Expr:
    """*e*, every part of it at the place of *n* unless it has one."""
    return rewrite(
        e, lambda part: dataclasses.replace(part, loc=n.loc) if part.loc is None else None
    )


def no_densities(gmm: Gmm) -> tuple[str, ...]:
    return tuple(f"log_normal is left: {n}" for n in walk(gmm) if isinstance(n, LogNormal))


def only_moments(gmm: Gmm) -> tuple[str, ...]:
    left = (n for n in walk(gmm) if isinstance(n, Average | Scatter | Mean))
    return tuple(f"{type(n).__name__} is left: {n}" for n in left)


PASSES = (
    Pass("expand densities", expand_densities, (no_densities,)),
    Pass("shared covariance", shared_covariance),
    Pass("sufficient statistics", sufficient_statistics, (only_moments,)),
    Pass("shapes", shapes),
    Pass("constants", fold_constants),
    Pass("pooled scatter", pooled_scatter),
    Pass("distribute", distribute),
    Pass("constants again", fold_constants),
    Pass("component invariants", component_invariants),
)
"""Phase 2, in order."""
