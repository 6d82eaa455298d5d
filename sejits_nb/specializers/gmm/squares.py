"""Squared distances of an event from a mean, however a cell writes them out.

    d @ inverse(C) @ d        0.5 * d @ solve(C, d)        d @ d        sum((d / s) ** 2 + log(C))

with d = x[n] - mix.mean[k]; all become ``Mahalanobis``, beside what no event changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...ir.expr import Binary, Call, Const, Expr, Unary
from ...ir.node import Span
from .dast import Dimension, Dot, Event, Eye, LogDet, Mahalanobis, Summed
from .scope import E, Inverse, Refused, Scope, Solved, sound


@dataclass(frozen=True, slots=True)
class Squares:
    """Reads products and sums of vectors; *refuse* finds what is wrong with one."""

    scope: Scope
    refuse: Callable[..., Expr]

    def product(self, at: Span, a: Expr, b: Expr) -> Expr:
        """``a @ b``: two vectors, or a part of ``d @ inverse(C) @ d``."""
        kind = self.scope.kind
        for one, other in ((a, b), (b, a)):
            if (scaled := self._scaled(at, one, other)) is not None:
                return scaled
        match a, b:
            case (Inverse(c), v) | (v, Inverse(c)) if kind(v) == "vector":
                return Solved(c, v, kind="vector", loc=at)
            case (Solved(c, v), w) | (w, Solved(c, v)):
                return self._between(at, v, w, c) or self.refuse("G029", at, name="inverse")
        if not (sound(a) and sound(b)):
            return Refused(loc=at)
        if (kind(a), kind(b)) != ("vector", "vector"):
            return self.refuse("G010", at, what="@", left=f"a {kind(a)}", right=f"a {kind(b)}",
                               hint="a @ b of two vectors is a number")  # fmt: skip
        return self._between(at, a, b) or Dot(a, b, loc=at)

    def summed(self, at: Span, value: Expr) -> Expr:
        """``sum(value)``, term by term: squared distances, log-determinants, what no event changes."""
        scope = self.scope
        if scope.step != E:
            return Summed(value, loc=at)
        match value:
            case _ if scope.kind(value) == "scalar":
                return Binary("*", Dimension(loc=at), value, loc=at)
            case Call("log" | "numpy.log", (c,)) if scope.square == "vector" and scope.free(c):
                return LogDet(c, loc=at)
            case _ if scope.free(value):
                return Summed(value, loc=at)
            case Unary("-", v):
                return Unary("-", self.summed(at, v), loc=at)
            case Binary("+" | "-" as op, a, b):
                return Binary(op, self.summed(at, a), self.summed(at, b), loc=at)
            case Binary("*", c, v) if scope.kind(c) == "scalar":
                return Binary("*", c, self.summed(at, v), loc=at)
            case Binary("/", square, c) if (
                scope.free(c)
                and scope.kind(c) == scope.square
                and (found := self._square(at, square, c))
            ):
                return found
            case Binary("*" | "/" as op, v, c) if scope.kind(c) == "scalar":
                return Binary(op, self.summed(at, v), c, loc=at)
            case _ if found := self._square(at, value):
                return found
        return self.refuse("G018", at, x=scope.events, n=scope.event, mix=scope.mixture,
                           k=scope.component)  # fmt: skip

    def _scaled(self, at: Span, a: Expr, b: Expr) -> Expr | None:
        """``(0.5 * d) @ b`` as ``0.5 * (d @ b)``; ``None`` where no number stands beside *a*."""
        kind = self.scope.kind
        if self.scope.step != E or kind(a) != "vector":
            return None
        rest: Expr
        match a:
            case Unary("-", v):
                return Unary("-", self.product(at, v, b), loc=at)
            case Binary("/", Unary("-", v), s):
                rest = Binary("/", v, s, loc=a.loc)
                return Unary("-", self.product(at, rest, b), loc=at)
            case Binary("*", c, v) if kind(c) == "scalar":
                return Binary("*", c, self.product(at, v, b), loc=at)
            case Binary("*" | "/" as op, v, c) if kind(c) == "scalar":
                return Binary(op, self.product(at, v, b), c, loc=at)
            case Solved(covariance, Unary("-", v)):
                rest = Solved(covariance, v, kind="vector", loc=a.loc)
                return Unary("-", self.product(at, rest, b), loc=at)
            case Solved(covariance, Binary("*", c, v)) if kind(c) == "scalar":
                rest = Solved(covariance, v, kind="vector", loc=a.loc)
                return Binary("*", c, self.product(at, rest, b), loc=at)
            case Solved(covariance, Binary("*" | "/" as op, v, c)) if kind(c) == "scalar":
                rest = Solved(covariance, v, kind="vector", loc=a.loc)
                return Binary(op, self.product(at, rest, b), c, loc=at)
        return None

    def _square(self, at: Span, e: Expr, covariance: Expr | None = None) -> Expr | None:
        """``a ** 2``, element by element, as what it sums up to."""
        match e:
            case Binary("*", c, v) if self.scope.kind(c) == "scalar":
                found = self._square(at, v, covariance)
                return found and Binary("*", c, found, loc=at)
            case Binary("*", Unary("-", a), Unary("-", b)) | Binary("*", a, b) if a == b:
                return self._between(at, a, a, covariance)
            case Binary("**", Unary("-", a) | a, Const(2)):
                return self._between(at, a, a, covariance)
        return None

    def _between(self, at: Span, a: Expr, b: Expr, covariance: Expr | None = None) -> Expr | None:
        """``a @ inverse(covariance) @ b`` of two differences of the event and one mean."""
        found = self._difference(a)
        if found is None or found != self._difference(b):
            return None
        m, s = found
        if s is not None and covariance is not None:
            return None
        square = Mahalanobis(m, covariance or self._variance(at, s), loc=at)
        return square if a == b else Unary("-", square, loc=at)

    def _difference(self, e: Expr) -> tuple[Expr, Expr | None] | None:
        """m, and s if there is one, of ``(x[n] - m) / s`` or ``(m - x[n]) / s``."""
        free, kind = self.scope.free, self.scope.kind
        match e:
            case Binary("-", Event(), m) | Binary("-", m, Event()) if free(m):
                return (m, None) if kind(m) == "vector" else None
            case Binary("/", Binary("-") as d, s) if free(s) and (found := self._difference(d)):
                return (found[0], s) if kind(s) in ("scalar", self.scope.square) else None
        return None

    def _variance(self, at: Span, s: Expr | None) -> Expr:
        """The covariance of coordinates that were divided by *s*."""
        eye = Eye(kind=self.scope.square, loc=at)
        if s is None:
            return eye
        square = Binary("**", s, Const(2), loc=at)
        return square if self.scope.kind(s) == eye.kind else Binary("*", square, eye, loc=at)
