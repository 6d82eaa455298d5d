"""Mixtures to start a training from; NumPy only.

``sj.GaussianMixture`` takes scikit-learn's own starts instead, so that both begin alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..specializers.gmm.calls import events_of
from ..specializers.gmm.kinds import COVARIANCES
from ..specializers.gmm.mixture import Array, Mixture
from ..specializers.gmm.samples import started

HOW = ("kmeans", "k-means++", "random", "random_from_data", "published")
_MOST_SWEEPS = 100


def start(
    X: Any,
    components: int,
    covariance: str = "full",
    how: str = "kmeans",
    *,
    reg_covar: float = 1e-6,
    random: int | np.random.Generator | None = None,
) -> Mixture:
    """A mixture of the events X [N, D] to begin a training with.

    ``how``: ``kmeans`` (clusters of Lloyd's iterations from ``k-means++``), ``k-means++`` (Arthur and
    Vassilvitskii 2007: events far from each other), ``random_from_data`` (any events), ``random``
    (random responsibilities), ``published`` (Cook, Gonina et al. 2011: the same at each call).  Where
    single events are the start, every component has the covariance of all events.  *random* is a
    seed or a generator.  Raises ``ValueError`` for an unknown word, fewer events than components, or
    an event that is not finite.
    """
    events = events_of(X, "X")
    if how not in HOW or covariance not in COVARIANCES:
        raise ValueError(f"how is {how!r}, covariance {covariance!r}: one of {', '.join(HOW)}; one of "
                         f"{', '.join(COVARIANCES)}")  # fmt: skip
    if not 1 <= components <= len(events):
        raise ValueError(f"{components} components of {len(events)} events")
    if not np.isfinite(events).all():
        raise ValueError("X has events that are not finite")
    generator = np.random.default_rng(random)
    rows, count = np.asarray(events, np.float64), len(events)
    if how == "published":
        return started(rows, components, covariance)
    if how == "random":
        shares = generator.uniform(size=(count, components))
        return fitted(rows, shares / shares.sum(axis=1, keepdims=True), covariance, reg_covar)
    if how == "kmeans":
        labels = k_means(rows, plus_plus(rows, components, generator))
        return fitted(rows, np.eye(components)[labels], covariance, reg_covar)
    spread = plus_plus(rows, components, generator) if how == "k-means++" else (
        rows[generator.choice(count, components, replace=False)])  # fmt: skip
    whole = fitted(rows, np.full((count, components), 1.0 / components), covariance, reg_covar)
    whole.mean = spread
    return whole


def plus_plus(rows: Array, components: int, generator: np.random.Generator) -> Array:
    """Centres [K, D] among the rows, each drawn by its squared distance from those before."""
    centres = [rows[generator.integers(len(rows))]]
    nearest = ((rows - centres[0]) ** 2).sum(axis=1)
    while len(centres) < components:
        total = nearest.sum()
        shares = nearest / total if total > 0 else None
        centres.append(rows[generator.choice(len(rows), p=shares)])
        nearest = np.minimum(nearest, ((rows - centres[-1]) ** 2).sum(axis=1))
    return np.array(centres)


def k_means(rows: Array, centres: Array) -> Array:
    """The cluster of each row, i64[N], after Lloyd's iterations; an empty cluster keeps its centre."""
    labels = np.full(len(rows), -1)
    for _ in range(_MOST_SWEEPS):
        # |x - c|^2 without |x|^2, which is the same for every centre
        found = ((centres**2).sum(axis=1) - 2.0 * rows @ centres.T).argmin(axis=1)
        if (found == labels).all():
            break
        labels = found
        sizes = np.bincount(labels, minlength=len(centres))
        sums = np.zeros_like(centres)
        np.add.at(sums, labels, rows)
        centres = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres)
    return labels


def fitted(rows: Array, shares: Array, covariance: str, reg_covar: float) -> Mixture:
    """The M-step in NumPy: the mixture of which the rows have these shares f64[N, K]."""
    d, k = rows.shape[1], shares.shape[1]
    sums = shares.sum(axis=0) + 10 * np.finfo(np.float64).eps
    mean = shares.T @ rows / sums[:, None]
    whole = covariance in ("full", "tied")
    parts = []
    for j in range(k):
        loose = rows - mean[j]
        square = (loose.T * shares[:, j]) @ loose if whole else shares[:, j] @ loose**2
        parts.append(square / sums[j] + reg_covar * (np.eye(d) if whole else 1.0))
    values = np.average(parts, axis=0, weights=sums) if covariance == "tied" else np.array(parts)
    values = values.mean(axis=1) if covariance == "spherical" else values
    return Mixture(k, d, covariance, weight=sums / sums.sum(), mean=mean, values=values)
