"""Trained Gaussian mixtures: scikit-learn's estimator, the published class, starts and merging."""

from __future__ import annotations

from typing import Any


def gaussian_mixture() -> Any:
    """The class :class:`~.estimator.GaussianMixture`; raises ``ImportError`` without scikit-learn."""
    try:
        import sklearn  # noqa: F401  # asked for alone: a mistake inside our own module is another error
    except ImportError:
        raise ImportError(
            "GaussianMixture is an estimator of scikit-learn, which is not installed: "
            "pip install 'sejits_nb[sklearn]'.  %%gmm and sejits_nb.GMM work without it."
        ) from None
    from .estimator import GaussianMixture

    return GaussianMixture
