"""The standard EM iterations of Gaussian mixtures, written in the language of ``%%gmm`` itself.

One for each kind of covariance; *reg_covar* is added to every diagonal.  A component without events
keeps its mean and covariance.
"""

# ruff: noqa: F821
# mypy: disable-error-code="name-defined"
from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ..decorate import kernel_of, read_options
from ..kernel import Kernel


@lru_cache(maxsize=256)
def iteration(covariance: str, reg_covar: float = 1e-6, backend: str = "auto") -> Kernel:
    """The kernel of one EM iteration; *covariance* is full, diag, tied or spherical."""
    options = {"covariance": covariance, "backend": tuple(backend.split(","))}
    make = _tied if covariance == "tied" else _separate
    return kernel_of(make(float(reg_covar)), "gmm", *read_options("gmm", options))  # type: ignore[arg-type]


def _separate(reg_covar: float) -> Callable[..., Any]:
    def em(x, mix):  # type: ignore[no-untyped-def]
        for n in x.events():
            for k in mix.components():
                mix.joint[n, k] = log(mix.weight[k]) + log_normal(
                    x[n], mix.mean[k], mix.covariance[k]
                )
            mix.responsibility[n] = softmax(mix.joint[n])
        for k in mix.components():
            r = mix.responsibility[:, k]
            mix.weight[k] = mean(r)
            mix.mean[k] = average(x, r) if sum(r) > 0.0 else mix.mean[k]
            mix.covariance[k] = (
                scatter(x, mix.mean[k], r) + reg_covar * eye if sum(r) > 0.0 else mix.covariance[k]
            )

    return em


def _tied(reg_covar: float) -> Callable[..., Any]:
    def em(x, mix):  # type: ignore[no-untyped-def]
        for n in x.events():
            for k in mix.components():
                mix.joint[n, k] = log(mix.weight[k]) + log_normal(
                    x[n], mix.mean[k], mix.covariance[k]
                )
            mix.responsibility[n] = softmax(mix.joint[n])
        within = 0.0
        for k in mix.components():
            r = mix.responsibility[:, k]
            mix.weight[k] = mean(r)
            mix.mean[k] = average(x, r) if sum(r) > 0.0 else mix.mean[k]
            within = within + (mean(r) * scatter(x, mix.mean[k], r) if sum(r) > 0.0 else 0.0 * eye)
        mix.covariance[:] = within + reg_covar * eye

    return em
