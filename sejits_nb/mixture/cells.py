"""The standard EM iterations of Gaussian mixtures, written in the language of ``%%gmm`` itself.

*reg_covar* is added to every diagonal: a number of the call, so that one kernel serves all.  A
component without events keeps its mean and covariance.
"""

# ruff: noqa: F821
# mypy: disable-error-code="name-defined,no-untyped-def"
from __future__ import annotations

from functools import cache

from ..decorate import kernel_of, read_options
from ..kernel import Kernel


@cache
def iteration(covariance: str, backend: str = "auto") -> Kernel:
    """The kernel of one EM iteration; *covariance* is full, diag, tied or spherical."""
    options = {"covariance": covariance, "backend": tuple(backend.split(","))}
    cell = em_tied if covariance == "tied" else em
    return kernel_of(cell, "gmm", *read_options("gmm", options))  # type: ignore[arg-type]


def em(x, mix, reg_covar=1e-6):
    for n in x.events():
        for k in mix.components():
            mix.joint[n, k] = log(mix.weight[k]) + log_normal(x[n], mix.mean[k], mix.covariance[k])
        mix.responsibility[n] = softmax(mix.joint[n])
    for k in mix.components():
        r = mix.responsibility[:, k]
        mix.weight[k] = mean(r)
        mix.mean[k] = average(x, r) if sum(r) > 0.0 else mix.mean[k]
        mix.covariance[k] = (
            scatter(x, mix.mean[k], r) + reg_covar * eye if sum(r) > 0.0 else mix.covariance[k]
        )


def em_tied(x, mix, reg_covar=1e-6):
    for n in x.events():
        for k in mix.components():
            mix.joint[n, k] = log(mix.weight[k]) + log_normal(x[n], mix.mean[k], mix.covariance[k])
        mix.responsibility[n] = softmax(mix.joint[n])
    within = 0.0
    for k in mix.components():
        r = mix.responsibility[:, k]
        mix.weight[k] = mean(r)
        mix.mean[k] = average(x, r) if sum(r) > 0.0 else mix.mean[k]
        within = within + (mean(r) * scatter(x, mix.mean[k], r) if sum(r) > 0.0 else 0.0 * eye)
    mix.covariance[:] = within + reg_covar * eye
