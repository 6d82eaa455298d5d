"""The values that an EM iteration is called with: events and a mixture.

They are plain NumPy, and what the plain Python of a kernel runs on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .kinds import COVARIANCES, covariance_shape

Array = np.ndarray[Any, Any]


class Events:
    """Rows of an array [N, D]: ``x[n]`` is an event, ``x.events()`` their numbers."""

    def __init__(self, array: Any) -> None:
        self._array: Array = np.asarray(array)

    @property
    def dimension(self) -> int:
        """D, the coordinates of an event."""
        return int(self._array.shape[1])

    def events(self) -> range:
        """The numbers of the events, in order."""
        return range(len(self._array))

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, n: Any) -> Any:
        return self._array[n]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self._array, dtype, copy=copy)


class Shared(np.ndarray[Any, Any]):
    """The one covariance of a tied mixture, f64[D, D]: ``covariance[k]`` is it, for every k."""

    def __getitem__(self, key: Any) -> Any:
        whole = self.view(np.ndarray)
        return whole.copy() if isinstance(key, int | np.integer) else whole[key]

    def __setitem__(self, key: Any, values: Any) -> None:
        self.view(np.ndarray)[key] = values  # NumPy would set what __getitem__ gives


class Rows(np.ndarray[Any, Any]):
    """Values of components, as an iteration reads them: ``m = mean[k]`` keeps what it was."""

    def __getitem__(self, key: Any) -> Any:
        found = self.view(np.ndarray)[key]
        return found.copy() if isinstance(key, int | np.integer) else found

    def __setitem__(self, key: Any, values: Any) -> None:
        self.view(np.ndarray)[key] = values  # NumPy would set what __getitem__ gives


class Mixture:
    """K components of D dimensions: ``weight`` f64[K], ``mean`` f64[K, D] and ``covariance``.

    *covariance* says what shape that has: ``full`` f64[K, D, D], ``diag`` f64[K, D], ``tied``
    f64[D, D], ``spherical`` f64[K].  A new mixture has equal weights, means of zero and identities;
    arrays given are copied.  ``mixture.mean[:] = X[:K]`` sets values, as ``mixture.mean = X[:K]`` does.
    Raises ``ValueError`` for sizes that do not fit.

    How far iterations have brought it: ``converged``, ``iteration`` (how many there were),
    ``log_likelihood`` (which the last one found) and ``previous_log_likelihood`` (-inf at first).
    """

    def __init__(
        self,
        components: int,
        dimension: int,
        covariance: str = "full",
        *,
        weight: Any = None,
        mean: Any = None,
        values: Any = None,
    ) -> None:
        if covariance not in COVARIANCES:
            raise ValueError(f"covariance is {covariance!r}; one of {', '.join(COVARIANCES)}")
        if components < 1 or dimension < 1:
            raise ValueError(f"{components} components of {dimension} dimensions")
        shape = covariance_shape(covariance, components, dimension)
        self._covariance_kind = covariance
        self._arrays: dict[str, Array] = {
            "weight": np.full(components, 1.0 / components),
            "mean": np.zeros((components, dimension)),
            "covariance": np.broadcast_to(_identity(covariance, dimension), shape).copy(),
        }
        self._pairs: dict[str, Array] = {}
        self._count = 0
        self.begin()
        for name, given in (("weight", weight), ("mean", mean), ("covariance", values)):
            if given is not None:
                self._set(name, given)

    @classmethod
    def of(cls, weight: Any, mean: Any, covariance: Any, kind: str = "") -> Mixture:
        """The mixture of these arrays; *kind* (``diag``) where the shape of *covariance* has two
        meanings."""
        k, d = np.shape(mean)
        shape = np.shape(covariance)
        fitting = [c for c in COVARIANCES if covariance_shape(c, k, d) == shape]
        if not kind and len(fitting) != 1:
            raise ValueError(f"a covariance of shape {list(shape)} is {' or '.join(fitting) or 'none'} "
                             f"of {k} components and {d} dimensions")  # fmt: skip
        return cls(k, d, kind or fitting[0], weight=weight, mean=mean, values=covariance)

    def components(self) -> range:
        """The numbers of the components, in order."""
        return range(len(self._arrays["weight"]))

    @property
    def dimension(self) -> int:
        """D."""
        return int(self._arrays["mean"].shape[1])

    @property
    def covariance_kind(self) -> str:
        """``full``, ``diag``, ``tied`` or ``spherical``."""
        return self._covariance_kind

    @property
    def weight(self) -> Array:
        """Mixing proportions, f64[K]."""
        return self._arrays["weight"]

    @weight.setter
    def weight(self, values: Any) -> None:
        self._set("weight", values)

    @property
    def mean(self) -> Array:
        """Means, f64[K, D]."""
        array = self._arrays["mean"]
        return array.view(Rows) if self._count else array

    @mean.setter
    def mean(self, values: Any) -> None:
        self._set("mean", values)

    @property
    def covariance(self) -> Array:
        """Covariances, in the shape that :attr:`covariance_kind` says."""
        array = self._arrays["covariance"]
        if self._covariance_kind == "tied":
            return array.view(Shared)
        return array.view(Rows) if self._count else array

    @covariance.setter
    def covariance(self, values: Any) -> None:
        self._set("covariance", values)

    @property
    def log_likelihood(self) -> float:
        """That of the mixture as the last iteration, or the one that runs, has found it."""
        return float(log_sum_exp(self.joint).sum()) if self._count else self._log_likelihood

    @property
    def history(self) -> tuple[float, int]:
        """What the next iteration knows of those before: the log-likelihood, and how many they were.
        After the last one of a training there are none."""
        return (-math.inf, 0) if self.converged else (self._log_likelihood, self.iteration)

    def begin(self, since: float = -math.inf) -> None:
        """A training begins; *since* is the log-likelihood before it."""
        self.converged, self.iteration = False, 0
        self._log_likelihood = self.previous_log_likelihood = since

    def advance(self, log_likelihood: float, converged: bool) -> None:
        """An iteration has found this log-likelihood, and whether it is the last one."""
        self.previous_log_likelihood, before = self.history
        self._log_likelihood, self.iteration = log_likelihood, before + 1
        self.converged = converged

    def copy(self) -> Mixture:
        """A mixture with arrays of its own, as far as this one."""
        made = Mixture(len(self.components()), self.dimension, self._covariance_kind,
                       weight=self.weight, mean=self.mean, values=self.covariance)  # fmt: skip
        made.begin(self.previous_log_likelihood)
        made._log_likelihood = self._log_likelihood
        made.iteration, made.converged = self.iteration, self.converged
        return made

    def arrays(self) -> dict[str, Array]:
        """Weights, means and covariances by name: the mixture's own arrays."""
        return dict(self._arrays)

    def _set(self, name: str, values: Any) -> None:
        array = self._arrays[name]
        new = np.asarray(values, np.float64)
        if new.shape != array.shape:
            raise ValueError(f"{name} has shape {list(array.shape)}, not {list(new.shape)}")
        array[...] = new

    def __getattr__(self, name: str) -> Array:
        """Values of events and components, [N, K]: zeros until an iteration sets them."""
        if name.startswith("_") or not self._count:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        shape = self._count, len(self.components())
        return self._pairs.setdefault(name, np.zeros(shape))

    def __repr__(self) -> str:
        k, d = len(self.components()), self.dimension
        return f"Mixture({k} components, {d} dimensions, {self._covariance_kind})"


def in_iteration(values: Mapping[str, Any], covariance: str) -> Mixture:
    """The mixture of a native call's arrays, copied, with room for the values of its events."""
    k, d = values["mean"].shape
    mixture = Mixture(k, d, covariance, weight=values["weight"], mean=values["mean"],
                      values=values["covariance"])  # fmt: skip
    mixture._count = len(values["x"])
    if "history" in values:
        before, iteration = values["history"]
        mixture.previous_log_likelihood, mixture.iteration = float(before), int(iteration)
    return mixture


def log_sum_exp(joint: Array) -> Array:
    """log(sum(exp(joint))) of each row, without overflow: the log-likelihood of each event."""
    most = joint.max(axis=1, keepdims=True)
    found: Array = most[:, 0] + np.log(np.exp(joint - most).sum(axis=1))
    return found


def _identity(covariance: str, dimension: int) -> Any:
    return np.eye(dimension) if covariance in ("full", "tied") else 1.0
