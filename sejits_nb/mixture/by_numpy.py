"""The standard EM iteration in NumPy: what trains little data, and what works until a compiler has.

It goes through the events once, in blocks that stay in the cache, events along the rows of every
array, and takes its sums about the mean of the mixture, as the generated code does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..specializers.gmm.interface import M_STEP, WRITE, number_key
from ..specializers.gmm.mixture import Array
from ..specializers.gmm.reference import first_indefinite

_BLOCK = 8192
_LEAST = 10 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class ByNumpy:
    """``contracts.StandIn``: an iteration on the native values of ``cells.py``, in place.

    ``steps`` are those of whole iterations and of evaluations.  Where there is no log-likelihood
    ``status`` names the component, and nothing else changes.  ``seconds`` are rough.
    """

    covariance: str
    events: int
    dimension: int
    components: int

    @property
    def seconds(self) -> float:
        """Some nanoseconds for each pair of an event and a component."""
        whole, d = self.covariance in ("full", "tied"), self.dimension
        return 1e-9 * self.events * self.components * (6 + 0.5 * d + 0.2 * whole * d * d)

    def __call__(self, values: Mapping[str, Any]) -> None:
        try:
            with np.errstate(all="ignore"):
                _iterate(values, self.covariance)
        except np.linalg.LinAlgError:
            wrong = first_indefinite(values["covariance"], self.covariance)
            values["status"][0] = 1 + (wrong or 0)


def _iterate(values: Mapping[str, Any], covariance: str) -> None:
    x, weight, steps = values["x"], values["weight"], int(values["steps"])
    origin = weight @ values["mean"]
    log_density = _density(values["mean"] - origin, values["covariance"], covariance)
    log_weight, likelihood = np.log(weight)[:, None], 0.0
    sums: list[Array] = []
    for first in range(0, len(x), _BLOCK):
        block = slice(first, first + _BLOCK)
        rows = np.subtract(x[block].T, origin[:, None], order="C", dtype=np.float64)
        shares = log_density(rows)
        shares += log_weight
        top = shares.max(axis=0)
        np.exp(np.subtract(shares, top, out=shares), out=shares)
        total = shares.sum(axis=0)
        shares /= total
        log_prob = np.log(total) + top
        likelihood += log_prob.sum()
        if steps & WRITE:
            values["log_prob"][block], values["responsibility"][block] = log_prob, shares.T
        if steps & M_STEP:
            found = _moments(rows, shares, covariance)
            sums = [a + b for a, b in zip(sums, found, strict=True)] if sums else found
    values["log_likelihood"][0] += likelihood
    if steps & M_STEP:
        _update(values, origin, sums, covariance)


def _density(mean: Array, values: Array, covariance: str) -> Callable[[Array], Array]:
    """Log-densities f64[K, B] of events f64[D, B]; raises ``LinAlgError`` where there are none."""
    k, d = mean.shape
    if covariance in ("full", "tied"):
        factors = np.broadcast_to(np.linalg.inv(np.linalg.cholesky(values)), (k, d, d))
        log_det = -2.0 * np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
    else:
        variances = np.broadcast_to(values if values.ndim == 2 else values[:, None], (k, d))
        if not (variances > 0).all():
            raise np.linalg.LinAlgError
        precisions, log_det = 1.0 / variances, np.log(variances).sum(axis=1)
    constant = -0.5 * (log_det + d * np.log(2.0 * np.pi))[:, None]

    def log_density(rows: Array) -> Array:
        found = np.empty((k, rows.shape[1]))
        for j in range(k):
            if covariance in ("full", "tied"):
                loose = factors[j] @ rows
                loose -= (factors[j] @ mean[j])[:, None]
                np.einsum("db,db->b", loose, loose, out=found[j])
            else:
                loose = rows - mean[j][:, None]
                loose *= loose
                np.matmul(precisions[j], loose, out=found[j])
        found *= -0.5
        found += constant
        return found

    return log_density


def _moments(rows: Array, shares: Array, covariance: str) -> list[Array]:
    """Weighted sums over events f64[D, B] of 1, x, and x x^T in the shape of the covariances."""
    first = [shares.sum(axis=1), shares @ rows.T]
    if covariance == "full":
        return [*first, np.stack([(rows * one) @ rows.T for one in shares])]
    return [*first, rows @ rows.T if covariance == "tied" else shares @ (rows**2).T]


def _update(values: Mapping[str, Any], origin: Array, sums: list[Array], covariance: str) -> None:
    (total, first, second), reg_covar = sums, values[number_key("reg_covar")]
    total = total + _LEAST
    mean = first / total[:, None]
    if covariance == "tied":
        pooled = (second - (mean.T * total) @ mean) / total.sum()
        values["covariance"][...] = pooled + reg_covar * np.eye(len(origin))
    elif covariance == "full":
        outer = mean[:, :, None] * mean[:, None, :]
        found = second / total[:, None, None] - outer + reg_covar * np.eye(len(origin))
        values["covariance"][...] = found
    else:
        found = second / total[:, None] - mean**2 + reg_covar
        values["covariance"][...] = found.mean(axis=1) if covariance == "spherical" else found
    values["weight"][...], values["mean"][...] = total / total.sum(), origin + mean
