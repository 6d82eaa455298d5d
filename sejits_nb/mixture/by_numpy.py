"""The standard EM iteration in NumPy: what trains small data while a compiler still works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..specializers.gmm.mixture import Array
from .start import fitted

_MOST = 1_000_000
"""Coordinates times components: an iteration over more of them may last longer than the compiler."""
Iteration = Callable[[Mapping[str, Any]], None]


def by_numpy(
    covariance: str, reg_covar: float, coordinates: int, components: int
) -> Iteration | None:
    """An iteration on native values (``interface.NATIVE``), in place; ``None`` where it takes long.

    Without a log-likelihood ``status`` is 1, and nothing else changes.
    """
    if coordinates * components > _MOST:
        return None

    def iterate(values: Mapping[str, Any]) -> None:
        rows = np.asarray(values["x"], np.float64)
        try:
            with np.errstate(all="ignore"):
                joint = _log_normal(rows, values["mean"], values["covariance"], covariance)
                joint += np.log(values["weight"])
        except np.linalg.LinAlgError:
            values["status"][0] = 1
            return
        most = joint.max(axis=1, keepdims=True)
        shares = np.exp(joint - most)
        total = shares.sum(axis=1, keepdims=True)
        values["log_likelihood"][0] += np.log(total).sum() + most.sum()
        for name, array in fitted(rows, shares / total, covariance, reg_covar).arrays().items():
            values[name][...] = array

    return iterate


def _log_normal(rows: Array, mean: Array, values: Array, covariance: str) -> Array:
    """Log-densities f64[N, K]."""
    k, d = mean.shape
    if covariance in ("full", "tied"):
        factors = np.linalg.inv(np.linalg.cholesky(values))
        each = np.broadcast_to(factors, (k, d, d))
        squares = [np.square((rows - m) @ f.T).sum(axis=1) for m, f in zip(mean, each, strict=True)]
        log_det = -2.0 * np.log(np.diagonal(each, axis1=1, axis2=2)).sum(axis=1)
    else:
        each = np.broadcast_to(values if values.ndim == 2 else values[:, None], (k, d))
        if not (each > 0).all():
            raise np.linalg.LinAlgError
        squares = [np.square(rows - m) @ (1.0 / v) for m, v in zip(mean, each, strict=True)]
        log_det = np.log(each).sum(axis=1)
    joint: Array = -0.5 * (np.stack(squares, axis=1) + log_det + d * np.log(2.0 * np.pi))
    return joint
