"""The GMM DAST: one EM iteration of a mixture.

    Gmm      ::= Gmm(name, events, mixture, estep, mstep, numbers, stop)           (stopping.py)
    Events   ::= Events(name, dtype, dimension)                 x: f64[N, D]; N stays open
    Mixture  ::= Mixture(name, components, covariance)          K, full | diag | tied | spherical
    EStep    ::= EStep(body, setup, shared)                     for n: for k: body; Softmax at the end
    MStep    ::= MStep(body, after)                            for k: body, with sums over all k
    Stmt     ::= Let(name, value)                               (ir/dast.py)
               | StorePair(field, value)                        mix.field[n, k] = value
               | Softmax()                                      mix.responsibility[n] = softmax(...)
               | StoreComponent(field, value)                   mix.field[k] = value
               | StoreShared(value)                             mix.covariance[:] = value  (tied)
               | Accumulate(name, value)                        name += value, over all k
    Expr     ::= ... (ir/expr.py, elementwise on vectors and matrices)
               | Parameter(field) | Number(name) | Event() | PairValue(field) | Responsibility()
               | Dimension() | Count() | Array(name, shape, values) | Eye()
               | LogNormal(mean, covariance) | Mahalanobis(mean, covariance) | LogDet(covariance)
               | Total(weights) | Mean(weights) | Average(weights) | Scatter(centre, weights)
               | Outer(a, b) | Dot(a, b) | Summed(vector)
               | Moment(order, weights) | Pooled(weights) | Origin()
               | Whitened(point, covariance) | SquaredDistance(a, b)        (derived.py)

An expression has a *kind*: ``scalar``, ``vector`` [D], ``matrix`` [D, D] (with diagonal covariance a
``vector``, with spherical a ``scalar``), or ``column`` [N], a value for every event.  In an E-step a
scalar may depend on the event; in an M-step columns meet events only inside ``Total``, ``Average`` and
``Scatter``.  ``LogNormal`` is gone after "expand densities"; ``Mean``, ``Average`` and
``Scatter`` after "sufficient statistics", which leaves ``Moment`` and ``Total``; ``Dot``, and ``Outer``
of anything but matrices, after "shapes".  What only passes make is in ``derived.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ...ir.dast import Let, Statement
from ...ir.dtypes import DType
from ...ir.expr import Expr, show
from ...ir.node import Node, node

Kind = Literal["scalar", "vector", "matrix", "column"]
Covariance = Literal["full", "diag", "tied", "spherical"]


@dataclass(frozen=True, slots=True)
class Kinded(Expr):
    """Base of this domain's expressions; ``kind`` is the shape of the value."""

    kind: Kind = field(default="scalar", kw_only=True)


@node
class Parameter(Kinded):
    """``mix.weight[k]``, ``mix.mean[k]``, ``mix.covariance[k]``: as the iteration found it, or, in the
    M-step after its assignment, as it is now."""

    field: str

    def __str__(self) -> str:
        return f"{self.field}[k]"


@node
class Number(Kinded):
    """A parameter of the iteration after its events and mixture: a float64 of the call."""

    name: str

    def __str__(self) -> str:
        return self.name


@node
class Event(Kinded):
    """``x[n]``, a vector."""

    def __str__(self) -> str:
        return "x[n]"


@node
class PairValue(Kinded):
    """``mix.field[n, k]`` (a scalar, E-step) or ``mix.field[:, k]`` (a column, M-step)."""

    field: str

    def __str__(self) -> str:
        return f"{self.field}[{':' if self.kind == 'column' else 'n'}, k]"


@node
class Responsibility(Kinded):
    """``mix.responsibility[:, k]``, a column: the softmax of the joint log-densities."""

    def __str__(self) -> str:
        return "responsibility[:, k]"


@node
class Dimension(Kinded):
    """D, as ``x.dimension`` or ``len(x[n])``."""

    def __str__(self) -> str:
        return "D"


@node
class Count(Kinded):
    """N, as ``len(x)``."""

    def __str__(self) -> str:
        return "N"


@node
class Eye(Kinded):
    """``eye``: the identity matrix, ones, or 1, as the covariance has it."""

    def __str__(self) -> str:
        return "eye"


@node
class Array(Kinded):
    """A captured array, row by row: a vector [D] or a matrix [D, D]."""

    name: str
    values: tuple[float, ...]

    def __str__(self) -> str:
        return self.name


@node
class LogNormal(Kinded):
    """``log_normal(x[n], mean, covariance)``: the log-density of a normal distribution."""

    mean: Expr
    covariance: Expr

    def __str__(self) -> str:
        return f"log_normal(x[n], {show(self.mean)}, {show(self.covariance)})"


@node
class Mahalanobis(Kinded):
    """``mahalanobis(x[n], mean, covariance)``: the squared distance, (x-m) C^-1 (x-m)."""

    mean: Expr
    covariance: Expr

    def __str__(self) -> str:
        return f"mahalanobis(x[n], {show(self.mean)}, {show(self.covariance)})"


@node
class LogDet(Kinded):
    """``log_det(covariance)``."""

    covariance: Expr

    def __str__(self) -> str:
        return f"log_det({show(self.covariance)})"


@node
class Total(Kinded):
    """``sum(weights)`` over all events, a scalar."""

    weights: Expr

    def __str__(self) -> str:
        return f"sum({show(self.weights)})"


@node
class Mean(Kinded):
    """``mean(weights)`` over all events, a scalar."""

    weights: Expr

    def __str__(self) -> str:
        return f"mean({show(self.weights)})"


@node
class Average(Kinded):
    """``average(x, weights)``: the weighted mean of the events, a vector."""

    weights: Expr

    def __str__(self) -> str:
        return f"average(x, {show(self.weights)})"


@node
class Scatter(Kinded):
    """``scatter(x, centre, weights)``: the weighted mean of (x - centre)(x - centre)', in the shape of
    a covariance: its diagonal for ``diag``, the mean of that for ``spherical``."""

    centre: Expr
    weights: Expr

    def __str__(self) -> str:
        return f"scatter(x, {show(self.centre)}, {show(self.weights)})"


@node
class Summed(Kinded):
    """The sum of a vector's elements, or of a matrix's diagonal, a scalar: ``sum(v)``, ``a @ b``,
    ``trace(C)``, and what ``spherical`` means over."""

    vector: Expr

    def __str__(self) -> str:
        return f"sum_d({show(self.vector)})"


@node
class Outer(Kinded):
    """``outer(a, b)``: a matrix, or what the covariance's shape leaves of it."""

    a: Expr
    b: Expr

    def __str__(self) -> str:
        return f"outer({show(self.a)}, {show(self.b)})"


@node
class Dot(Kinded):
    """``a @ b`` of two vectors."""

    a: Expr
    b: Expr

    def __str__(self) -> str:
        return f"{show(self.a)} @ {show(self.b)}"


@node
class StorePair(Statement):
    """``mix.field[n, k] = value``; ``joint`` is the log-density that the softmax takes."""

    field: str
    value: Expr

    def headline(self) -> str:
        return f"{self.field}[n, k] = {show(self.value)}"


@node
class Softmax(Statement):
    """``mix.responsibility[n] = softmax(mix.joint[n])``, over the components; the logarithm of its
    denominator is the event's log-likelihood."""

    def headline(self) -> str:
        return "responsibility[n, :] = softmax(joint[n, :])"


@node
class StoreComponent(Statement):
    """``mix.field[k] = value``: ``weight`` (scalar), ``mean`` (vector) or ``covariance``."""

    field: str
    value: Expr

    def headline(self) -> str:
        return f"{self.field}[k] = {show(self.value)}"


@node
class StoreShared(Statement):
    """``mix.covariance[:] = value`` after the loop over components (tied)."""

    value: Expr

    def headline(self) -> str:
        return f"covariance[:] = {show(self.value)}"


@node
class Accumulate(Statement):
    """``name = name + value`` in the loop over components; ``name``, of this kind, starts as 0."""

    name: str
    value: Expr
    kind: Kind = field(default="scalar", kw_only=True)

    def headline(self) -> str:
        return f"{self.name} += {show(self.value)}"


@node
class Events(Node):
    """The data: ``name: dtype[N, dimension]``; ``count`` is the N of the call at hand, which says how
    much work it is: the code is the same for any."""

    name: str
    dtype: DType
    dimension: int
    count: int = 0

    def __str__(self) -> str:
        return f"{self.name}: {self.dtype}[N, {self.dimension}]"


@node
class Mixture(Node):
    """The model: K components; parameters are float64 whatever the events are."""

    name: str
    components: int
    covariance: Covariance

    def __str__(self) -> str:
        return f"{self.name}: {self.components} components, {self.covariance}"


@node
class EStep(Statement):
    """For every event and component *body*; then responsibilities, and the log-likelihood.

    *setup* are locals that depend on the component alone (after "component invariants"), *shared*
    those that depend on the event alone (after "shared covariance").
    """

    body: tuple[Statement, ...]
    setup: tuple[Let, ...] = ()
    shared: tuple[Let, ...] = ()

    def headline(self) -> str:
        return "for events n, components k"

    def nested(self) -> tuple[Node, ...]:
        return (*self.setup, *self.shared, *self.body)


@node
class MStep(Statement):
    """For every component *body*; then *after*, where sums over all components are known."""

    body: tuple[Statement, ...]
    after: tuple[Statement, ...] = ()

    def headline(self) -> str:
        return "for components k"

    def nested(self) -> tuple[Node, ...]:
        return (*self.body, *self.after)


@node
class Gmm(Statement):
    """The root: one EM iteration for one dtype, D, K and covariance."""

    name: str
    events: Events
    mixture: Mixture
    estep: EStep
    mstep: MStep
    numbers: tuple[str, ...] = ()
    stop: Statement | None = None

    def headline(self) -> str:
        numbers = f"; {', '.join(self.numbers)}" if self.numbers else ""
        return f"gmm {self.name}({self.events}; {self.mixture}{numbers})"

    def nested(self) -> tuple[Node, ...]:
        return self.estep, self.mstep, *((self.stop,) if self.stop else ())
