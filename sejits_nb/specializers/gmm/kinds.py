"""Kinds of values, and the shapes that a covariance structure gives to a mixture's arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...ir.expr import Binary, Call, Cast, Compare, Const, Expr, Logic, Lookup, Name, Select, Unary
from ...ir.node import walk
from .dast import Average, Covariance, Kind, Kinded, Mean, MStep, Scatter, Total
from .derived import Moment, is_pooled

COVARIANCES: tuple[Covariance, ...] = ("full", "diag", "tied", "spherical")
KIND_OF_COVARIANCE: Mapping[str, Kind] = {
    "full": "matrix", "tied": "matrix", "diag": "vector", "spherical": "scalar",
}  # fmt: skip
"""What ``mix.covariance[k]``, ``eye`` and ``scatter()`` are."""

Misfit = Callable[[Expr, Kind, Kind], None]
"""Is told of an operation whose operands, of these two kinds, do not fit."""


def kind_of(e: Expr, names: Mapping[str, Kind], misfit: Misfit | None = None) -> Kind:
    """The kind of *e*, where the local variables *names* have these kinds.

    A scalar fits everything and takes its kind; else both operands have the same kind.
    """
    match e:
        case Kinded():
            return e.kind
        case Const() | Lookup():
            return "scalar"
        case Name(id):
            return names[id]
        case Unary(_, operand) | Cast(operand):
            operands: tuple[Expr, ...] = (operand,)
        case Binary(_, left, right) | Compare(_, left, right) | Logic(_, left, right):
            operands = (left, right)
        case Select(_, then, orelse):
            operands = (then, orelse)
        case Call(_, args):
            operands = args
        case _:
            raise TypeError(f"{type(e).__name__} has no kind")
    kind: Kind = "scalar"
    for operand in operands:
        other = kind_of(operand, names, misfit)
        if kind not in ("scalar", other) and other != "scalar" and misfit:
            misfit(e, kind, other)
        kind = other if kind == "scalar" else kind
    return kind


def covariance_shape(covariance: str, components: int, dimension: int) -> tuple[int, ...]:
    """The shape of a mixture's ``covariance`` array."""
    return {
        "full": (components, dimension, dimension),
        "diag": (components, dimension),
        "tied": (dimension, dimension),
        "spherical": (components,),
    }[covariance]


def weight_columns(mstep: MStep) -> dict[Expr, int]:
    """The different weights of a component's sums over the events, in the order of the M-step, and the
    highest order of the moments of each: 0, 1 of x, 2 of x x'."""
    found: dict[Expr, int] = {}
    for n in walk(mstep):
        match n:
            case Total(weights) | Mean(weights):
                order = 0
            case Average(weights):
                order = 1
            case Scatter(_, weights):
                order = 2
            case Moment(order, weights) if not is_pooled(weights):
                pass
            case _:
                continue
        found[weights] = max(order, found.get(weights, 0))
    return found


def moment_count(columns: int, components: int, dimension: int, covariance: str) -> int:
    """Elements of the array of sufficient statistics, at most: for each column of weights and component
    the sums of 1, x and x x' (its upper half, or its diagonal), and the number of events."""
    square = dimension * (dimension + 1) // 2
    second = square if KIND_OF_COVARIANCE[covariance] == "matrix" else dimension
    return columns * components * (1 + dimension + second) + 1
