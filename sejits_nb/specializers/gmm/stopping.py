"""The stopping rule of an iteration: ``mix.converged = condition``, after the M-step.

    mix.converged = abs(mix.log_likelihood - mix.previous_log_likelihood) < tol * len(x)

    Gmm  ::= Gmm(..., stop)          Stop ::= Stop(condition)          Expr ::= ... | Progress(field)

Here are its nodes, and how near a run of the plain Python came to the opposite.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from ...ir.dast import Statement
from ...ir.expr import Compare, Expr, Logic, Unary, show
from ...ir.node import Span, node
from .dast import Kinded

PROGRESS = ("log_likelihood", "previous_log_likelihood", "iteration")
COMPARED = "<compared>"
"""The name, none of Python's, of what compares in a watched iteration."""
_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "Lt": operator.lt, "LtE": operator.le, "Gt": operator.gt, "GtE": operator.ge,
    "Eq": operator.eq, "NotEq": operator.ne,
}  # fmt: skip
"""By the names that Python's own syntax trees have for them."""


@node
class Progress(Kinded):
    """``mix.log_likelihood``, of the mixture as this iteration found it; the one of the iteration
    before (-inf in the first); how many iterations there were before."""

    field: str

    def __str__(self) -> str:
        return self.field


@node
class Stop(Statement):
    """``mix.converged = condition``: whether the training ends."""

    condition: Expr

    def headline(self) -> str:
        return f"converged = {show(self.condition)}"

    def origin(self) -> Span | None:
        return self.condition.loc or self.loc


def is_condition(e: Expr) -> bool:
    """Whether *e* is a truth value."""
    return isinstance(e, Compare | Logic) or (isinstance(e, Unary) and e.op == "not")


def sets_rule(s: ast.stmt, mixture: str) -> bool:
    """Whether *s* sets ``mix.converged``."""
    match s:
        case ast.Assign([target]) | ast.AnnAssign(target) | ast.AugAssign(target):
            match target:
                case ast.Attribute(ast.Name(owner), "converged"):
                    return owner == mixture
    return False


class Watched(ast.NodeTransformer):
    """The comparisons of the stopping rule in a function, as calls of :data:`COMPARED`."""

    def __init__(self, mixture: str) -> None:
        self.mixture, self.inside = mixture, False

    def visit_Assign(self, s: ast.Assign) -> ast.AST:
        self.inside = sets_rule(s, self.mixture)
        found = self.generic_visit(s)
        self.inside = False
        return found

    def visit_Compare(self, e: ast.Compare) -> ast.AST:
        self.generic_visit(e)
        if not self.inside:
            return e
        names = ast.Tuple([ast.Constant(type(op).__name__) for op in e.ops], ast.Load())
        values = ast.Tuple([e.left, *e.comparators], ast.Load())
        call = ast.Call(ast.Name(COMPARED, ast.Load()), [names, values], [])
        return ast.fix_missing_locations(ast.copy_location(call, e))


def compared(margins: list[float], names: tuple[str, ...], values: tuple[Any, ...]) -> bool:
    """What the comparisons *names* of one value after the other say, and how far these are apart."""
    pairs = tuple(pairwise(values))
    for a, b in pairs:
        gap = abs(a - b)
        margins.append(0.0 if math.isnan(gap) else float(gap))
    return all(_COMPARISONS[name](a, b) for name, (a, b) in zip(names, pairs, strict=True))
