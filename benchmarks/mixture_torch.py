"""One EM iteration in PyTorch, compiled: the natural-parameter form, in which everything is a product.

With the features (1, x, x_i x_j) of an event, log-densities are features times the natural parameters
of the components, and sufficient statistics are responsibilities times features.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch  # type: ignore[import-not-found]  # it is installed by who wants it here

import sejits_nb as sj

_CHUNKS = (1000, 2500, 12500)
"""Events at a time: features that fit the cache; the fastest size is taken, of those that fit N."""


def _sums(x: Any, theta: Any, first: Any, second: Any) -> tuple[Any, Any]:
    """Sufficient statistics [K, F] and log-likelihood of a chunk; *theta* is [F, K]."""
    features = torch.cat([torch.ones_like(x[:, :1]), x, x[:, first] * x[:, second]], 1)
    logits = features @ theta
    top = logits.amax(1, keepdim=True)
    powers = torch.exp(logits - top)
    total = powers.sum(1, keepdim=True)
    return (powers / total).T @ features, (torch.log(total) + top).sum()


class Iteration:
    """One iteration from *start*, full or diag, on the events x [N, D]; called, it gives the
    log-likelihood and the parameters that follow."""

    def __init__(self, x: Any, start: sj.Mixture, threads: int) -> None:
        torch.set_num_threads(threads)
        torch._dynamo.reset()  # it stops compiling after eight shapes and types
        self.x, self.start, self.whole = torch.from_numpy(x), start, start.covariance_kind == "full"
        d = start.dimension
        pairs = np.triu_indices(d) if self.whole else (np.arange(d), np.arange(d))
        self.first, self.second = map(torch.from_numpy, pairs)
        self.sums: Callable[..., tuple[Any, Any]] = torch.compile(_sums, dynamic=False)
        sizes = [c for c in _CHUNKS if len(x) % c == 0] or [len(x)]
        self.chunk = min(sizes, key=self._seconds)

    def __call__(self) -> tuple[float, Any, Any, Any]:
        theta, value = self._natural().to(self.x.dtype), 0.0
        sums = torch.zeros(theta.shape[1], theta.shape[0], dtype=torch.float64)
        for begin in range(0, len(self.x), self.chunk):
            chunk = self.x[begin : begin + self.chunk]
            part, likelihood = self.sums(chunk, theta, self.first, self.second)
            sums += part
            value += float(likelihood)
        return value, *self._updated(sums)

    def _natural(self) -> Any:
        """The start's natural parameters, f64[F, K]."""
        weight, mean = torch.from_numpy(self.start.weight), torch.from_numpy(self.start.mean)
        covariance = torch.from_numpy(self.start.covariance)
        if self.whole:
            precision, determined = torch.linalg.inv(covariance), torch.logdet(covariance)
            linear = torch.einsum("kij,kj->ki", precision, mean)
            doubled = torch.where(self.first == self.second, -0.5, -1.0)
            square = precision[:, self.first, self.second] * doubled
        else:
            precision, determined = 1.0 / covariance, covariance.log().sum(1)
            linear, square = precision * mean, -0.5 * precision
        constant = weight.log() - 0.5 * (
            mean.shape[1] * math.log(2 * math.pi) + determined + (linear * mean).sum(1)
        )
        return torch.cat([constant[:, None], linear, square], 1).T

    def _updated(self, sums: Any) -> tuple[Any, Any, Any]:
        """Weights, means and covariances from the sufficient statistics."""
        d, total = self.start.dimension, sums[:, :1]
        mean, second = sums[:, 1 : d + 1] / total, sums[:, d + 1 :] / total
        spread = second - mean[:, self.first] * mean[:, self.second]
        if self.whole:
            full = torch.zeros(len(sums), d, d, dtype=torch.float64)
            full[:, self.first, self.second] = full[:, self.second, self.first] = spread
            spread = full
        spread += 1e-6 * (torch.eye(d, dtype=torch.float64) if self.whole else 1.0)
        return total[:, 0] / len(self.x), mean, spread

    def _seconds(self, chunk: int) -> float:
        """Of an iteration with chunks of this size, once it is compiled."""
        self.chunk = chunk
        self()
        began = time.perf_counter()
        self()
        return time.perf_counter() - began
