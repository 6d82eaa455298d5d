"""scikit-learn's conventions on the kernel of a cell: ``speech.fit(X)``, then ``speech.predict(X)``,
``speech.means_``, ..., of the estimator that it has trained."""

from __future__ import annotations

from typing import Any

ANSWERS = frozenset(
    "predict predict_proba score score_samples bic aic sample weights_ means_ covariances_ precisions_ "
    "precisions_cholesky_ converged_ n_iter_ lower_bound_ lower_bounds_ n_features_in_".split()
)
"""What a kernel has once it is fitted, of ``kernel.fitted``."""


def estimator(kernel: Any, **parameters: Any) -> Any:
    """``kernel.estimator(n_components=K, ...)``: a ``GaussianMixture`` that this kernel trains and
    evaluates; raises ``ImportError`` without scikit-learn."""
    from ...mixture import gaussian_mixture

    read = kernel.interface
    if read.components is not None:
        parameters = {"n_components": read.components} | parameters
    return gaussian_mixture()(**{"covariance_type": read.covariance} | parameters, kernel=kernel)


def fit(kernel: Any, X: Any, y: Any = None, **parameters: Any) -> Any:
    """``kernel.fit(X, n_components=K, ...)``: train an :func:`estimator` on the rows of X [N, D]; the
    kernel keeps it as ``fitted`` and answers for it, until the next fit.  Returns the estimator."""
    kernel.fitted = estimator(kernel, **parameters).fit(X, y)
    return kernel.fitted


def fit_predict(kernel: Any, X: Any, y: Any = None, **parameters: Any) -> Any:
    """``kernel.fit_predict(X, ...)``: the most probable component of each event, i64[N], after
    :func:`fit`."""
    fitted = estimator(kernel, **parameters)
    labels = fitted.fit_predict(X, y)
    kernel.fitted = fitted
    return labels
