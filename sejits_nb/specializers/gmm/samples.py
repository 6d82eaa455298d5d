"""Events to show a kernel on, and mixtures to start from."""

from __future__ import annotations

import numpy as np

from .kinds import covariance_shape
from .mixture import Array, Mixture

_CENTRES = ((0.0, 0.0), (20.0, 20.0), (-6.0, 3.0))
_SPREADS = (((0.0, -0.7), (3.5, 0.7)), ((1.0, 0.0), (0.0, 1.0)), ((1.5, 0.8), (0.0, 1.2)))


def three_clusters(count: int = 600, dimension: int = 2) -> Array:
    """f64[count, dimension] from three normal distributions, one of them stretched; always the same.

    After the example of Cook, Gonina et al. (2011): 600 points of the plane.  Further dimensions repeat
    the first two, with noise of their own.
    """
    generator = np.random.default_rng(2011)
    of = np.arange(count) * 3 // count
    pairs = []
    for _ in range(-(-dimension // 2)):
        noise = generator.standard_normal((count, 1, 2))
        pairs.append(np.array(_CENTRES)[of] + (noise @ np.array(_SPREADS)[of])[:, 0])
    return np.ascontiguousarray(np.hstack(pairs)[:, :dimension])


def started(x: Array, components: int, covariance: str) -> Mixture:
    """The published start for the events *x*: the mean of the data and events at even distances as
    means, the data's variances divided by K, equal weights (Cook, Gonina et al. 2011)."""
    rows, (count, d) = np.asarray(x, np.float64), x.shape
    mean = rows[np.arange(components) * (count // components)]
    mean[0] = rows.mean(axis=0)
    variance = np.maximum(rows.var(axis=0), 1e-12) / components
    one = {"full": np.diag(variance), "tied": np.diag(variance), "diag": variance}
    values = np.broadcast_to(
        one.get(covariance, variance.mean()), covariance_shape(covariance, components, d)
    )
    return Mixture(components, d, covariance, mean=mean, values=values)
