"""``sj.GMM``: the class of the published specializer (Cook, Gonina et al., HotPar 2011)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..results import Training
from ..specializers.gmm.calls import events_of
from ..specializers.gmm.mixture import Array, Mixture
from ..specializers.gmm.samples import started
from .merging import merge_components, rissanen_distance
from .standard import Standard


class GMM:
    """M components of D dimensions with ``cvtype`` ``"diag"`` or ``"full"`` covariances.

    Without ``means``, ``covars`` and ``weights`` the first ``train`` starts as published: the mean of
    the data and events at even distances as means, the data's variances divided by M, equal weights.
    Where only some are given, those replace their part of that start.  A later ``train`` goes on
    from the mixture as it is.  ``mixture`` is the mixture itself.
    """

    def __init__(
        self,
        M: int,
        D: int,
        means: Any = None,
        covars: Any = None,
        weights: Any = None,
        cvtype: str = "diag",
    ) -> None:
        if cvtype not in ("diag", "full"):
            raise ValueError(f"cvtype is {cvtype!r}, one of 'diag', 'full'")
        self.M, self.D, self.cvtype = M, D, cvtype
        self.mixture = Mixture(M, D, cvtype, weight=weights, mean=means, values=covars)
        given = {"weight": weights, "mean": means, "covariance": covars}
        self._missing = [name for name, value in given.items() if value is None]
        self.training: Training | None = None

    def train(
        self, X: Any, min_em_iters: int = 1, max_em_iters: int = 10, verbose: bool = False
    ) -> float:
        """Iterations on the events X [N, D] until the log-likelihood changes by no more than
        (1 + D + D(D+1)/2) ln(N D) 1e-4; returns the last iteration's log-likelihood.

        The mean variance of the data over 1e6 is added to the diagonal.  ``verbose`` draws the
        training while it goes on.
        Raises :class:`~sejits_nb.errors.ArgumentError` and ``ValueError`` for events that do not fit.
        """
        events = self._events(X)
        count, d = events.shape
        standard, regularisation = Standard(self.cvtype), _regularisation(events)
        self._start(events)
        epsilon = (1 + d + d * (d + 1) / 2) * math.log(count * d) * 1e-4
        self.training = standard.train(
            events, self.mixture, regularisation, min_iter=min_em_iters, max_iter=max_em_iters,
            tol=epsilon / count, verbose=verbose,
        )  # fmt: skip
        return self.training.log_likelihood

    def eval(self, X: Any) -> tuple[Array, Array]:
        """The log-density of each event [N], and the posteriors [M, N]."""
        log_prob, shares = Standard(self.cvtype).evaluate(self._events(X), self.mixture)
        return log_prob, shares.T

    def score(self, X: Any) -> Array:
        """The log-density of each event, [N]."""
        return self.eval(X)[0]

    def predict(self, X: Any) -> Array:
        """The most probable component of each event, i64[N]."""
        return self.eval(X)[1].argmax(axis=0)  # type: ignore[no-any-return]

    def decode(self, X: Any) -> tuple[Array, Array]:
        """The log-density and the most probable component of each event."""
        log_prob, posteriors = self.eval(X)
        return log_prob, posteriors.argmax(axis=0)

    def compute_distance_rissanen(self, c1: int, c2: int) -> float:
        """What merging two components costs, in nats for the events of the last ``train``: see
        :func:`~.merging.rissanen_distance`.  Raises ``ValueError`` before it."""
        if self.training is None:
            raise ValueError("the distance is one for the events of train(), which has not run")
        return rissanen_distance(self.mixture, c1, c2, self.training.events)

    def merge_components(self, c1: int, c2: int) -> None:
        """Replace two components by one of the same first and second moments, in the lower one's
        place; M is one less."""
        self.mixture = merge_components(self.mixture, c1, c2)
        self.M -= 1

    def get_all_component_weights(self) -> Array:
        """Mixing proportions, f64[M]."""
        return self.mixture.weight

    def get_all_component_means(self) -> Array:
        """Means, f64[M, D]."""
        return self.mixture.mean

    def get_all_component_full_covariance(self) -> Array:
        """Covariance matrices, f64[M, D, D]."""
        return np.array([self.get_one_component_full_covariance(c) for c in range(self.M)])

    def get_all_component_diag_covariance(self) -> Array:
        """The diagonals of the covariance matrices, f64[M, D]."""
        return np.array([self.get_one_component_diag_covariance(c) for c in range(self.M)])

    def get_one_component_weight(self, component: int) -> float:
        """A component's mixing proportion."""
        return float(self.mixture.weight[component])

    def get_one_component_mean(self, component: int) -> Array:
        """A component's mean, f64[D]."""
        return self.mixture.mean[component]  # type: ignore[no-any-return]

    def get_one_component_full_covariance(self, component: int) -> Array:
        """A component's covariance matrix, f64[D, D]."""
        values: Array = self.mixture.covariance[component]
        return np.diag(values) if self.cvtype == "diag" else values

    def get_one_component_diag_covariance(self, component: int) -> Array:
        """The diagonal of a component's covariance matrix, f64[D]."""
        values: Array = self.mixture.covariance[component]
        return values if self.cvtype == "diag" else np.diag(values)

    def _events(self, X: Any) -> Array:
        """The events, finite and of D dimensions."""
        events = events_of(X, "X")
        if events.shape[1] != self.D:
            raise ValueError(f"X has events of {events.shape[1]} dimensions, the mixture {self.D}")
        if not np.isfinite(events).all():
            raise ValueError("X has events that are not finite")
        return events

    def _start(self, events: Array) -> None:
        if self._missing and len(events) < self.M:
            raise ValueError(f"{self.M} components of {len(events)} events")
        if self._missing:
            found = started(events, self.M, self.cvtype).arrays()
            for name in self._missing:
                setattr(self.mixture, name, found[name])
            self._missing = []

    def __repr__(self) -> str:
        return f"GMM({self.M}, {self.D}, cvtype={self.cvtype!r})"


def _regularisation(events: Array) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(np.var(events, axis=0, dtype=np.float64).mean())
    if not math.isfinite(spread):
        raise ValueError("X has a variance that is not finite: scale it")
    return spread / 1e6 if spread > 0 else 1e-12
