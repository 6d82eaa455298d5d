"""Expressions of the GMM DAST that only the passes of phase 2 make (``dast.py`` has the grammar).

Sums over the events are ``Total(w)``, ``Moment(1, w)`` and ``Moment(2, w)`` with a column w of weights.
A ``Moment`` whose weights are ``Pooled``, or 1, is one for all components.
"""

from __future__ import annotations

from ...ir.expr import Const, Expr, show
from ...ir.node import node
from .dast import Kinded


@node
class Moment(Kinded):
    """The sum over all events of weights * x (``order`` 1, a vector) or weights * x x' (2, in the shape
    of a covariance, its symmetric halves once), x about the origin."""

    order: int
    weights: Expr

    def __str__(self) -> str:
        power = "x" if self.order == 1 else "x x^T"
        if isinstance(self.weights, Const):
            return f"sum({power})"
        return f"sum({show(self.weights)} * {power})"


@node
class Pooled(Kinded):
    """The sum of a column over all components: a column that is no component's own."""

    weights: Expr

    def __str__(self) -> str:
        return f"sum_k({show(self.weights)})"


def is_pooled(weights: Expr) -> bool:
    """Whether *weights* are the same for all components."""
    return isinstance(weights, Pooled | Const)


@node
class Origin(Kinded):
    """The point near the data that moments are taken about: the mean of the mixture."""

    def __str__(self) -> str:
        return "origin"


@node
class Whitened(Kinded):
    """``L^-1 (point - origin)`` with the Cholesky factor L of a covariance that all components share: a
    vector, in whose space Mahalanobis distances are Euclidean."""

    point: Expr
    covariance: Expr

    def __str__(self) -> str:
        return f"whitened({show(self.point)})"


@node
class SquaredDistance(Kinded):
    """``|a - b|^2`` of two vectors: an event and a component's mean, both whitened."""

    a: Expr
    b: Expr

    def __str__(self) -> str:
        return f"|{show(self.a)} - {show(self.b)}|^2"
