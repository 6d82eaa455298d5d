"""Agglomerative merging: from more components, or speakers, than there are to as many as there are.

Two components are replaced by one with their common mean and covariance; how much that costs says the
minimum description length (Rissanen 1983, as Bouman's "Cluster" uses it), which is BIC with the
coordinates counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from ..specializers.gmm.calls import events_of
from ..specializers.gmm.mixture import Array, Mixture
from .standard import Standard
from .start import start

Pair = tuple[int, int]


def merge_components(mixture: Mixture, a: int, b: int) -> Mixture:
    """The mixture with components *a* and *b* (full or diag) replaced by one of the same first and
    second moments; it takes the lower one's place.  Raises ``ValueError`` for others."""
    _check(mixture, a, b)
    first, second = sorted((a, b))
    weight, mean, covariance = _merged(mixture, a, b)
    arrays = {name: np.delete(array, second, axis=0) for name, array in mixture.arrays().items()}
    for name, value in (("weight", weight), ("mean", mean), ("covariance", covariance)):
        arrays[name][first] = value
    return Mixture(len(arrays["weight"]), mixture.dimension, mixture.covariance_kind,
                   weight=arrays["weight"], mean=arrays["mean"],
                   values=arrays["covariance"])  # fmt: skip


def rissanen(log_likelihood: float, mixture: Mixture, events: int) -> float:
    """The description length of *events* events by *mixture*, nats: smaller is better."""
    return _parameters(mixture) / 2 * math.log(events * mixture.dimension) - log_likelihood


def bic(log_likelihood: float, mixture: Mixture, events: int) -> float:
    """The Bayesian information criterion, as scikit-learn has it: smaller is better."""
    return _parameters(mixture) * math.log(events) - 2.0 * log_likelihood


def rissanen_distance(mixture: Mixture, a: int, b: int, events: int) -> float:
    """By how many nats merging *a* and *b* lengthens the description of *events* events, at most.

    The shorter code for the parameters is not counted: it is the same for each pair.
    """
    _check(mixture, a, b)
    merged = _log_det(_merged(mixture, a, b)[2])
    return sum(events * float(mixture.weight[k]) / 2
               * (merged - _log_det(mixture.covariance[k])) for k in (a, b))  # fmt: skip


def kl_divergence(mixture: Mixture, a: int, b: int) -> float:
    """The Kullback–Leibler divergence between two components, both ways added, nats."""
    _check(mixture, a, b)
    (m, c), (n, e) = ((mixture.mean[k], _matrix(mixture.covariance[k])) for k in (a, b))
    d = m - n
    inverses = np.linalg.inv(c), np.linalg.inv(e)
    traces = np.trace(inverses[1] @ c) + np.trace(inverses[0] @ e) - 2 * mixture.dimension
    return float(0.5 * (traces + d @ (inverses[0] + inverses[1]) @ d))


def kl_top_pairs(mixture: Mixture, count: int) -> list[Pair]:
    """The *count* pairs of components with the smallest divergence, the nearest first."""
    pairs = combinations(mixture.components(), 2)
    return sorted(pairs, key=lambda pair: kl_divergence(mixture, *pair))[:count]


@dataclass(frozen=True, slots=True)
class Agglomeration:
    """The best mixture, and (components, description length) of each step."""

    mixture: Mixture
    lengths: tuple[tuple[int, float], ...]


def agglomerate(
    X: Any, mixture: Mixture, *, least: int = 1, max_iter: int = 30, tol: float = 1e-4
) -> Agglomeration:
    """Train *mixture* (full or diag), merge its nearest pair, train again, down to *least* components;
    the one with the shortest description of the events X [N, D] is the result.  Raises ``ValueError``
    for another covariance, or an event that is not finite."""
    events = events_of(X, "X")
    _check_kind(mixture)
    if not np.isfinite(events).all():
        raise ValueError("X has events that are not finite")
    standard = Standard(mixture.covariance_kind)
    current, best, shortest = mixture.copy(), mixture, math.inf
    lengths: list[tuple[int, float]] = []
    while True:
        standard.train(events, current, max_iter=max_iter, tol=tol)
        value = float(standard.evaluate(events, current)[0].sum(dtype=np.float64))
        length = rissanen(value, current, len(events))
        lengths.append((len(current.components()), length))
        if length < shortest:
            best, shortest = current.copy(), length
        if len(current.components()) <= max(1, least):
            return Agglomeration(best, tuple(lengths))
        pairs = combinations(current.components(), 2)
        nearest = min(pairs, key=lambda p: rissanen_distance(current, p[0], p[1], len(events)))
        current = merge_components(current, *nearest)


@dataclass(frozen=True, slots=True)
class Diarization:
    """Who speaks when: the speaker of each event i64[N], and each speaker's mixture."""

    speakers: Array
    mixtures: tuple[Mixture, ...]
    merges: tuple[tuple[Pair, float], ...]


def diarize(
    X: Any,
    speakers: int = 16,
    components: int = 5,
    *,
    window: int = 250,
    candidates: int = 0,
    covariance: str = "diag",
    max_iter: int = 10,
) -> Diarization:
    """Speaker diarization: features X [N, D] in time order → who speaks when.

    As published: X is cut evenly into *speakers* parts, each with a mixture of *components*; windows of
    events go to the likeliest speaker and every mixture is trained on its own, until
    no pair's merging raises the BIC.  A merged pair has the components of both, so that the number
    of parameters stays and the likelihood decides.  With *candidates* only that many pairs with the
    smallest Kullback–Leibler divergence are tried.  Raises ``ValueError`` where parts are too short,
    or the covariance is tied.
    """
    events = events_of(X, "X")
    if covariance == "tied":
        raise ValueError("components of a tied mixture are not merged")
    if min(speakers, components) < 1 or len(events) < speakers * components * 2:
        raise ValueError(f"{len(events)} events for {speakers} speakers of {components} components")
    standard = Standard(covariance)

    def trained(rows: Array, mixture: Mixture) -> tuple[Mixture, float]:
        done = standard.train(rows, mixture, max_iter=max_iter, warn=False)
        return mixture, done.log_likelihood

    labels = np.arange(len(events)) * speakers // len(events)
    parts = [events[labels == s] for s in range(speakers)]
    mixtures = [
        trained(rows, start(rows, components, covariance, "published"))[0] for rows in parts
    ]
    merges: list[tuple[Pair, float]] = []
    while True:
        labels = _segmented(np.array([standard.evaluate(events, m)[0] for m in mixtures]), window)
        present = [s for s in range(len(mixtures)) if (labels == s).sum() >= 2 * components]
        mixtures = [mixtures[s] for s in present]
        labels = _relabelled(labels, present)
        found = [trained(events[labels == s], m) for s, m in enumerate(mixtures)]
        pairs = _nearest([m for m, _ in found], candidates)
        gains: dict[Pair, tuple[float, Mixture]] = {}
        for a, b in pairs:
            both = (labels == a) | (labels == b)
            union = _joined(mixtures[a], mixtures[b], (labels == a).sum() / both.sum())
            merged, value = trained(events[both], union)
            gains[a, b] = value - found[a][1] - found[b][1], merged
        best = max(gains, key=lambda p: gains[p][0], default=None)
        if best is None or gains[best][0] <= 0:
            return Diarization(labels, tuple(mixtures), tuple(merges))
        merges.append((best, gains[best][0]))
        mixtures[best[0]] = gains[best][1]
        del mixtures[best[1]]


def _segmented(log_probs: Array, window: int) -> Array:
    """The likeliest mixture of each window, for each of its events; *log_probs* is [speakers, N]."""
    count = log_probs.shape[1]
    starts = np.arange(0, count, max(1, window))
    best = np.add.reduceat(log_probs, starts, axis=1).argmax(axis=0)
    return np.repeat(best, np.diff([*starts, count]))


def _relabelled(labels: Array, present: list[int]) -> Array:
    """Labels counted among those *present*; an event of another one goes to the one before it."""
    places = np.flatnonzero(np.isin(labels, present))
    before = np.maximum(np.searchsorted(places, np.arange(len(labels)), side="right") - 1, 0)
    return np.searchsorted(present, labels[places[before]])


def _nearest(mixtures: list[Mixture], candidates: int) -> list[Pair]:
    """Pairs of mixtures, all or those whose common normal distributions are the nearest."""
    pairs = list(combinations(range(len(mixtures)), 2))
    if not candidates or len(pairs) <= candidates:
        return pairs
    whole = [_as_one(m) for m in mixtures]
    together = Mixture(len(whole), whole[0].dimension, whole[0].covariance_kind,
                       mean=np.concatenate([m.mean for m in whole]),
                       values=np.concatenate([m.arrays()["covariance"] for m in whole]))  # fmt: skip
    return kl_top_pairs(together, candidates)


def _as_one(mixture: Mixture) -> Mixture:
    while len(mixture.components()) > 1:
        mixture = merge_components(mixture, 0, 1)
    return mixture


def _joined(a: Mixture, b: Mixture, share: float) -> Mixture:
    """The components of both, *a*'s with *share* of the weight."""
    arrays = {n: np.concatenate([a.arrays()[n], b.arrays()[n]]) for n in a.arrays()}
    weight = np.concatenate([share * a.weight, (1.0 - share) * b.weight])
    return Mixture(len(weight), a.dimension, a.covariance_kind, weight=weight,
                   mean=arrays["mean"], values=arrays["covariance"])  # fmt: skip


def _merged(mixture: Mixture, a: int, b: int) -> tuple[float, Array, Array]:
    """Weight, mean and covariance of two components taken as one."""
    square: Callable[[Array], Array] = (
        np.square if mixture.covariance_kind == "diag" else lambda d: np.outer(d, d))  # fmt: skip
    weight = float(mixture.weight[a] + mixture.weight[b])
    shares = [float(mixture.weight[k]) / weight if weight > 0 else 0.5 for k in (a, b)]
    mean = sum(s * mixture.mean[k] for s, k in zip(shares, (a, b), strict=True))
    covariance = sum(s * (mixture.covariance[k] + square(mixture.mean[k] - mean))
                     for s, k in zip(shares, (a, b), strict=True))  # fmt: skip
    return weight, mean, covariance


def _parameters(mixture: Mixture) -> int:
    """Free parameters."""
    k, d = mixture.mean.shape
    each = {"full": d * (d + 1) // 2, "diag": d}[mixture.covariance_kind]
    return int(k * (1 + d + each) - 1)


def _check_kind(mixture: Mixture) -> None:
    if mixture.covariance_kind not in ("full", "diag"):
        raise ValueError(f"components of a {mixture.covariance_kind} mixture are not merged")


def _check(mixture: Mixture, a: int, b: int) -> None:
    _check_kind(mixture)
    if a == b or not {a, b} <= set(mixture.components()):
        raise ValueError(f"{a} and {b} are not two of {len(mixture.components())} components")


def _matrix(values: Array) -> Array:
    return np.diag(values) if values.ndim == 1 else values


def _log_det(values: Array) -> float:
    return float(np.linalg.slogdet(_matrix(values))[1])
