"""The language's functions in plain NumPy: what they mean.  They need no import in a kernel."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .mixture import Array

_LOG_2_PI = math.log(2.0 * math.pi)


@dataclass(frozen=True, slots=True)
class Inverted:
    """``inverse(C)`` between differences: ``d @ inverse(C) @ d``."""

    solve: Callable[[Any], Any]
    __array_ufunc__ = None  # so that NumPy leaves d @ inverse(C) to us

    def __matmul__(self, d: Any) -> Any:
        return self.solve(d)

    def __rmatmul__(self, d: Any) -> Any:
        return self.solve(d)


@lru_cache(maxsize=1024)
def _factor(octets: bytes, dimension: int) -> tuple[Array, float]:
    """The inverse of the Cholesky factor, and the log-determinant; nobody would compute them anew
    for each event.  Raises ``LinAlgError`` for a matrix that is not positive definite."""
    factor = np.linalg.cholesky(np.frombuffer(octets).reshape(dimension, dimension))
    return np.linalg.inv(factor), 2.0 * float(np.log(np.diag(factor)).sum())


def factored(covariance: Any) -> tuple[Array, float]:
    """:func:`_factor` of a matrix [D, D]."""
    matrix = np.asarray(covariance, np.float64)
    return _factor(matrix.tobytes(), len(matrix))


def softmax(values: Any) -> Array:
    """exp(values) divided by their sum, without overflow."""
    powers = np.exp(values - np.max(values))
    shares: Array = powers / powers.sum()
    return shares


def average(x: Any, weights: Any) -> Array:
    """The weighted mean of the events, [D]."""
    rows: Array = np.asarray(x, np.float64)
    mean: Array = weights @ rows / np.sum(weights)
    return mean


def _positive(values: Any) -> None:
    if not np.all(np.asarray(values) > 0):
        raise np.linalg.LinAlgError("a variance is not positive")


def intrinsics(covariance: str, dimension: int) -> dict[str, Any]:
    """Name -> function or constant, for a kind of covariance and D."""
    kinds: dict[str, Callable[[int], dict[str, Any]]] = {"diag": _diag, "spherical": _spherical}
    own = kinds.get(covariance, _full)(dimension)
    solve, log_det = own["solve"], own["log_det"]
    squared = own.pop("squared", None)

    def mahalanobis(x: Any, mean: Any, c: Any) -> Any:
        d = x - mean
        return squared(c, d) if squared else d @ solve(c, d)

    def log_normal(x: Any, mean: Any, c: Any) -> Any:
        return -0.5 * (len(x) * _LOG_2_PI + log_det(c) + mahalanobis(x, mean, c))

    return {
        "log": np.log, "exp": np.exp, "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos, "tan": np.tan,
        "tanh": np.tanh, "sinh": np.sinh, "cosh": np.cosh, "floor": np.floor, "log1p": np.log1p,
        "expm1": np.expm1, "lgamma": np.vectorize(math.lgamma, otypes=[float]),
        "sum": np.sum, "mean": np.mean,
        "pi": math.pi, "softmax": softmax, "average": average, "mahalanobis": mahalanobis,
        "log_normal": log_normal, "inverse": lambda c: Inverted(lambda d: solve(c, d)), **own,
    }  # fmt: skip


def _full(dimension: int) -> dict[str, Any]:
    """Covariances are matrices: full and tied."""

    def squared(c: Any, d: Any) -> Any:
        z = factored(c)[0] @ d
        return z @ z

    def scatter(x: Any, centre: Any, weights: Any) -> Array:
        d = np.asarray(x, np.float64) - centre
        spread: Array = (d.T * weights) @ d / np.sum(weights)
        return spread

    def solve(c: Any, d: Any) -> Any:
        half = factored(c)[0]
        return half.T @ (half @ d)

    return {"solve": solve, "squared": squared, "log_det": lambda c: factored(c)[1],
            "scatter": scatter, "outer": np.outer, "trace": np.trace,
            "eye": np.eye(dimension)}  # fmt: skip


def _diag(dimension: int) -> dict[str, Any]:
    """Covariances are vectors of variances."""

    def log_det(c: Any) -> Any:
        _positive(c)
        return np.log(c).sum()

    def scatter(x: Any, centre: Any, weights: Any) -> Array:
        return average((np.asarray(x, np.float64) - centre) ** 2, weights)

    return {"solve": lambda c, d: d / c, "log_det": log_det, "scatter": scatter,
            "outer": np.multiply, "trace": np.sum, "eye": np.ones(dimension)}  # fmt: skip


def _spherical(dimension: int) -> dict[str, Any]:
    """A covariance is one variance for all dimensions."""

    def log_det(c: Any) -> Any:
        _positive(c)
        return dimension * np.log(c)

    def scatter(x: Any, centre: Any, weights: Any) -> Any:
        return average((np.asarray(x, np.float64) - centre) ** 2, weights).mean()

    return {"solve": lambda c, d: d / c, "log_det": log_det, "scatter": scatter,
            "outer": lambda a, b: np.mean(a * b), "trace": lambda c: dimension * c,
            "eye": 1.0}  # fmt: skip
