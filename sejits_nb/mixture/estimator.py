"""``sj.GaussianMixture``: scikit-learn's estimator, trained and evaluated by a specialized kernel.

Parameters, attributes, starts, messages and what is computed from a fitted model are
scikit-learn's own, by inheritance; here are the iterations.
"""

from __future__ import annotations

import inspect
import warnings
from typing import Any, Self

import numpy as np
from sklearn import mixture as sklearn_mixture
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture._gaussian_mixture import _compute_precision_cholesky
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted, validate_data

from ..errors import ArgumentError
from ..kernel import Kernel
from ..results import Training
from ..specializers.gmm.calls import arguments_of
from ..specializers.gmm.mixture import Array, Mixture
from ..specializers.gmm.samples import started
from .standard import Standard
from .start import fitted

_LOST = {"float32": 2e-5, "float64": 1e-9}
"""Moments are taken about one origin: a variance, in any direction, that is smaller than this share of
the squared distances from it has too few digits left."""
_STEPS = {"_e_step", "_m_step", "_estimate_log_prob", "_estimate_log_weights",
          "_estimate_log_prob_resp", "_estimate_weighted_log_prob", "_compute_lower_bound"}  # fmt: skip
"""Of scikit-learn's iterations, which nothing calls here."""
_FEW = 1000
_LEAST = 10 * float(np.finfo(np.float64).eps)
"""A component without events keeps that weight, as scikit-learn has it: logarithms are taken."""


class GaussianMixture(sklearn_mixture.GaussianMixture):  # type: ignore[misc]  # it ships no types
    """A Gaussian mixture with the parameters and attributes of ``sklearn.mixture.GaussianMixture``.

    ``backend`` are platforms, as for the decorators ("auto", "openmp", "opencl,c", ...).  ``kernel`` is
    an EM iteration of your own, from a ``%%gmm`` cell or ``@sj.gmm``, that trains and evaluates instead
    of the standard one; ``reg_covar`` then only touches the start, and where the kernel has a stopping
    rule that decides instead of ``tol``.  ``numbers`` are those that the kernel takes, by name.

    Where sums about a common origin lose too many digits, as components lie far apart compared with
    their width or coordinates are nearly dependent, the training runs again in float64, and last with a
    second pass over the events.  An interrupt keeps the model as far as it is trained.
    """

    lower_bound_: float
    weights_: Array
    precisions_cholesky_: Array
    _parameter_constraints = {  # noqa: RUF012  # as scikit-learn has it
        **sklearn_mixture.GaussianMixture._parameter_constraints,
        "backend": [str],
        "kernel": [HasMethods(["train", "evaluate"]), None],
        "numbers": [dict, None],
    }

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: str = "full",
        tol: float = 1e-3,
        reg_covar: float = 1e-6,
        max_iter: int = 100,
        n_init: int = 1,
        init_params: str = "kmeans",
        weights_init: Any = None,
        means_init: Any = None,
        precisions_init: Any = None,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: int = 0,
        verbose_interval: int = 10,
        backend: str = "auto",
        kernel: Kernel | None = None,
        numbers: dict[str, float] | None = None,
    ) -> None:
        super().__init__(
            n_components, covariance_type=covariance_type, tol=tol, reg_covar=reg_covar,
            max_iter=max_iter, n_init=n_init, init_params=init_params, weights_init=weights_init,
            means_init=means_init, precisions_init=precisions_init, random_state=random_state,
            warm_start=warm_start, verbose=verbose, verbose_interval=verbose_interval,
        )  # fmt: skip
        self.backend = backend
        self.kernel = kernel
        self.numbers = numbers

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if own := sorted(_STEPS & vars(cls).keys()):
            raise TypeError(f"{cls.__name__} overrides {', '.join(own)}, but the iterations are a "
                            "kernel's: pass your own as kernel=")  # fmt: skip

    def fit(self, X: Any, y: Any = None) -> Self:
        """Train on the rows of X, float32 or float64 [N, D]; scikit-learn's errors for bad input."""
        self._fit(X)
        return self

    def fit_predict(self, X: Any, y: Any = None) -> Array:
        """Train, and the most probable component of each event."""
        return self._labels(self._fit(X))

    def predict(self, X: Any) -> Array:
        """The most probable component of each event, i64[N]."""
        return self._labels(self._checked(X))

    def predict_proba(self, X: Any) -> Array:
        """The responsibilities, [N, K]."""
        return self._evaluated(self._checked(X))[1]

    def score_samples(self, X: Any) -> Array:
        """The log-density of each event, [N]."""
        return self._evaluated(self._checked(X))[0]

    # -- training

    def _fit(self, X: Any) -> Array:
        """Train; the events as they were checked.  The model with the best log-likelihood stays."""
        self._validate_params()
        events = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        events = np.ascontiguousarray(events)
        count = len(events)
        if count < self.n_components:
            raise ValueError(f"Expected n_samples >= n_components but got n_components = "
                             f"{self.n_components}, n_samples = {count}")  # fmt: skip
        known = inspect.signature(self._check_parameters).parameters
        self._check_parameters(events, **({"xp": np} if "xp" in known else {}))  # from 1.8 on
        fresh = not (self.warm_start and hasattr(self, "converged_"))
        random = check_random_state(self.random_state)
        few = events[:: max(1, count // max(_FEW, self.n_components))]
        about = started(few, self.n_components, self.covariance_type)
        self._kernel().begin(events, about, *self._numbers())
        best: Training | None = None
        for start in range(self.n_init if fresh else 1):
            self._print_verbose_msg_init_beg(start)
            if fresh:
                self._initialize_parameters(events, random)
            since = -np.inf if fresh else float(self.lower_bound_)
            done = self._trained(events, since * count)
            self._print_verbose_msg_init_end(done.log_likelihood / count, done.converged)
            if best is None or done.log_likelihood > best.log_likelihood:
                best, parameters = done, self._get_parameters()
            if done.interrupted:
                break
        assert best is not None
        self._set_parameters(parameters)
        self.converged_, self.n_iter_ = best.converged, best.iterations
        self.lower_bounds_ = [value / count for value in best.log_likelihoods]
        self.lower_bound_ = best.log_likelihood / count
        self._say(done, best)
        return events

    def _trained(self, events: Array, since: float) -> Training:
        """One training from the parameters as they are; they are replaced by what came out.

        Where digits were lost the same is done in float64, and then in two passes.
        """
        start = self._mixture()
        for dtype in dict.fromkeys((events.dtype.name, "float64")):
            rows, trained = events.astype(dtype, copy=False), start.copy()
            done = self._kernel().train(
                rows, trained, *self._numbers(), max_iter=self.max_iter, tol=self._tol(), since=since,
                warn=False, verbose=self._progress if self.verbose else False,
            )  # fmt: skip
            stopped = done.note.startswith("training stopped")
            if self.kernel is not None or not (stopped or _digits_lost(trained, dtype)):
                self._take(trained, events.dtype)
                return done
        return self._in_two_passes(events, start, since)

    def _in_two_passes(self, events: Array, mixture: Mixture, since: float) -> Training:
        """Iterations in float64 whose covariances are taken about each component's mean, by NumPy."""
        rows = events.astype(np.float64)
        kernel, found = self._kernel(), list[float]()
        before, converged = since, False
        while len(found) < self.max_iter and not converged:
            try:
                log_prob, shares = kernel.evaluate(rows, mixture, *self._numbers())
            except ArgumentError:
                break  # a covariance collapsed: _take says so
            found.append(float(log_prob.sum()))
            mixture = fitted(rows, shares, self.covariance_type, self.reg_covar)
            converged = abs(found[-1] - before) < self.tol * len(rows)
            before = found[-1]
        self._take(mixture, events.dtype)
        return Training(tuple(found), len(rows), self.max_iter, 0.0, converged)

    def _initialize(self, X: Array, resp: Array | None, xp: Any = None) -> None:
        """The start from responsibilities, or the one that was given."""
        if resp is None or self.precisions_init is not None:
            super()._initialize(X, resp)
            self.covariances_ = _inverted(self.precisions_cholesky_, self.covariance_type)
            return
        shares = np.asarray(resp, np.float64)
        rows = np.asarray(X, np.float64)
        start = fitted(rows, shares, self.covariance_type, self.reg_covar)
        if (
            self.covariance_type == "tied"
        ):  # scikit-learn adds the squares of events without a share
            others = rows[shares.sum(axis=1) == 0]
            start.covariance[:] += others.T @ others / shares.sum()
        self._take(start, X.dtype)
        # a start from single events: the others have no share, and scikit-learn counts them as well
        self.weights_ = self.weights_ * float(shares.sum() / len(rows))
        if self.weights_init is not None:
            self.weights_ = self.weights_init
        if self.means_init is not None:
            self.means_ = self.means_init

    def _kernel(self) -> Kernel | Standard:
        if self.kernel is not None:
            return self.kernel
        return Standard(self.covariance_type, self.backend, self.max_iter)

    def _numbers(self) -> tuple[float, ...]:
        """The kernel's number parameters; raises :class:`ArgumentError` (A010, A016)."""
        if self.kernel is None:
            return (float(self.reg_covar),)
        interface: Any = self.kernel.interface
        return tuple(arguments_of(interface, (None, None), self.numbers or {})[2].values())

    def _tol(self) -> float | None:
        """The tolerance; none where the kernel has a stopping rule of its own."""
        interface: Any = getattr(self.kernel, "interface", None)
        return None if getattr(interface, "stops", False) else self.tol

    def _mixture(self) -> Mixture:
        """The parameters as a mixture: as scikit-learn, from the factors of the precisions."""
        factors = np.asarray(self.precisions_cholesky_, np.float64)
        values = _inverted(factors, self.covariance_type)
        return Mixture.of(self.weights_, self.means_, values, self.covariance_type)

    def _take(self, mixture: Mixture, dtype: Any) -> None:
        """Parameters from *mixture*; raises ``ValueError`` for a covariance that has no density."""
        weights = np.maximum(mixture.weight, _LEAST)
        self.weights_ = (weights / weights.sum()).astype(dtype)
        self.means_ = mixture.mean.astype(dtype)
        covariances = mixture.arrays()["covariance"]
        # before rounding: a covariance that is nearly singular may have no factor in float32
        factors = _compute_precision_cholesky(covariances, self.covariance_type)
        with np.errstate(over="ignore"):
            self.covariances_ = covariances.astype(dtype)
        if not np.isfinite(self.covariances_).all():
            raise ValueError(f"the covariances are not finite in {np.dtype(dtype)}: scale the data")
        self.precisions_cholesky_ = factors.astype(dtype)

    def _progress(self, training: Training) -> None:
        before = training.log_likelihoods[-2:-1] or (-np.inf,)
        change = (training.log_likelihood - before[0]) / training.events
        self._print_verbose_msg_iter_end(training.iterations, change)

    def _say(self, last: Training, best: Training) -> None:
        """Warn of a training that did not come to its end."""
        if last.interrupted:
            warnings.warn(
                f"{last.note}: the model so far is kept", ConvergenceWarning, stacklevel=4
            )
        elif not best.converged and self.max_iter > 0:
            text = ("Best performing initialization did not converge. Try different init parameters, "
                    "or increase max_iter, tol, or check for degenerate data.")  # fmt: skip
            warnings.warn(f"{text} {best.note}".strip(), ConvergenceWarning, stacklevel=4)

    # -- what a fitted model says of events

    def _checked(self, X: Any) -> Array:
        check_is_fitted(self)
        return validate_data(self, X, reset=False, dtype=[np.float64, np.float32])  # type: ignore[no-any-return]

    def _evaluated(self, events: Array) -> tuple[Array, Array]:
        """Log-densities and responsibilities, in the events' dtype."""
        mixture, dtype = self._mixture(), events.dtype
        if dtype != np.float64 and _digits_lost(mixture, dtype.name):
            events = events.astype(np.float64)
        found = self._kernel().evaluate(events, mixture, *self._numbers())
        return found[0].astype(dtype, copy=False), found[1].astype(dtype, copy=False)

    def _labels(self, events: Array) -> Array:
        return self._evaluated(events)[1].argmax(axis=1)  # type: ignore[no-any-return]


def _digits_lost(mixture: Mixture, dtype: str) -> bool:
    """Whether a variance is too small beside the squares that its sums were made of."""
    values, mean = np.asarray(mixture.arrays()["covariance"]), mixture.mean
    far = (mean - mixture.weight @ mean) ** 2
    with np.errstate(all="ignore"):
        if mixture.covariance_kind in ("diag", "spherical"):
            variance = values.reshape(len(values), -1)
            least = variance / (variance + far)
        else:
            extent = np.sqrt(np.diagonal(values, axis1=-2, axis2=-1) + far)
            scaled = values / (extent[:, :, None] * extent[:, None, :])
            least = np.linalg.eigvalsh(np.nan_to_num(scaled))
        return not bool(np.all(least >= _LOST[dtype]))


def _inverted(factors: Array, covariance: str) -> Array:
    """Covariances from Cholesky factors of precisions, as scikit-learn keeps them."""
    if covariance in ("full", "tied"):
        roots = np.linalg.inv(factors)
        return np.swapaxes(roots, -1, -2) @ roots
    return 1.0 / factors**2
