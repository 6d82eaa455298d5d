"""EM iterations in the mixture language, and each one's update in vectorised NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from sejits_nb.specializers.gmm.mixture import Mixture

Array = np.ndarray[Any, Any]
Update = tuple[float, Array, Array, Array]
"""Log-likelihood before, weights, means and covariances after."""
D = 3
PRIOR: dict[str, Any] = {
    "m0": np.array([0.5, -0.5, 1.0]),
    "S0": np.array([[2.0, 0.3, 0.0], [0.3, 1.5, 0.2], [0.0, 0.2, 1.0]]),
    "kappa": 0.7, "nu": 9.0, "alpha": 1.5,
}  # fmt: skip

E_STEP = """
    for n in x.events():
        for k in mix.components():
            {density}
        mix.responsibility[n] = softmax(mix.joint[n])
"""
M_STEP = """
    for k in mix.components():
        r = mix.responsibility[:, k]
        mix.weight[k] = mean(r)
        mix.mean[k] = average(x, r)
        mix.covariance[k] = scatter(x, mix.mean[k], r) + 1e-6 * eye
"""
NORMAL = "mix.joint[n, k] = log(mix.weight[k]) + log_normal(x[n], mix.mean[k], mix.covariance[k])"


def iteration(density: str = NORMAL, m_step: str = M_STEP, before: str = "") -> str:
    """A cell of these parts; *before* stands in front of the function."""
    lines = "\n            ".join(density.strip().splitlines())
    return f"{before}def speech(x, mix):{E_STEP.format(density=lines)}{m_step.lstrip(chr(10))}"


def matrices(mix: Mixture) -> Array:
    """Every component's covariance as a matrix, f64[K, D, D]."""
    k, c = len(mix.components()), np.asarray(mix.covariance)
    match mix.covariance_kind:
        case "diag":
            return np.stack([np.diag(row) for row in c])
        case "spherical":
            return np.stack([value * np.eye(mix.dimension) for value in c])
        case "tied":
            return np.broadcast_to(c, (k, *c.shape))
        case _:
            return c


def shaped(covariance: Array, weight: Array, kind: str) -> Array:
    """Matrices in the shape of *kind*; of a tied mixture the average of them."""
    diagonal = np.stack([np.diag(c) for c in covariance])
    kinds: Mapping[str, Callable[[], Array]] = {
        "full": lambda: covariance, "diag": lambda: diagonal,
        "spherical": lambda: np.array(diagonal.mean(axis=1)),
        "tied": lambda: np.array(np.einsum("k,kij->ij", weight, covariance)),
    }  # fmt: skip
    return kinds[kind]()


def joint_of(x: Array, mix: Mixture) -> Array:
    columns = [
        np.log(w) + multivariate_normal(m, c).logpdf(x)
        for w, m, c in zip(mix.weight, mix.mean, matrices(mix), strict=True)
    ]
    return np.stack(columns, axis=1)


def weighted(x: Array, r: Array) -> tuple[Array, Array, Array]:
    """Sums of the weights *r* f64[N, K], weighted means and scatters about them."""
    total = r.sum(axis=0)
    mean = r.T @ x / total[:, None]
    apart = x[:, None, :] - mean
    return total, mean, np.einsum("nk,nki,nkj->kij", r, apart, apart) / total[:, None, None]


def normal_update(x: Array, mix: Mixture) -> Update:
    joint = joint_of(x, mix)
    likelihood = logsumexp(joint, axis=1)
    total, mean, scatter = weighted(x, np.exp(joint - likelihood[:, None]))
    weight = total / len(x)
    values = shaped(scatter + 1e-6 * np.eye(x.shape[1]), weight, mix.covariance_kind)
    return float(likelihood.sum()), weight, mean, values


def student_update(x: Array, mix: Mixture) -> Update:
    """Peel and McLachlan (2000), constants of the density left out; four degrees of freedom."""
    nu, d = 4.0, x.shape[1]
    apart = x[:, None, :] - mix.mean
    q = np.einsum("nki,kij,nkj->nk", apart, np.linalg.inv(matrices(mix)), apart)
    joint = np.log(mix.weight) - 0.5 * (
        np.linalg.slogdet(matrices(mix))[1] + (nu + d) * np.log(1.0 + q / nu)
    )
    likelihood = logsumexp(joint, axis=1)
    r = np.exp(joint - likelihood[:, None])
    w = r * (nu + d) / (nu + q)
    total, mean, scatter = weighted(x, w)
    values = scatter * (total / r.sum(axis=0))[:, None, None]
    return float(likelihood.sum()), r.mean(axis=0), mean, values


def map_update(x: Array, mix: Mixture) -> Update:
    """Normal-inverse-Wishart and Dirichlet priors at their modes (Murphy 2012, section 11.4.2.8)."""
    m0, s0, kappa, nu, alpha = (PRIOR[name] for name in ("m0", "S0", "kappa", "nu", "alpha"))
    joint = joint_of(x, mix)
    likelihood = logsumexp(joint, axis=1)
    total, mean, scatter = weighted(x, np.exp(joint - likelihood[:, None]))
    k, d = mean.shape
    weight = (total + alpha - 1.0) / (len(x) + k * (alpha - 1.0))
    apart = mean - m0
    spread = (kappa * total / (kappa + total))[:, None, None] * (
        apart[:, :, None] * apart[:, None, :]
    )
    values = s0 + total[:, None, None] * scatter + spread
    values = values / (nu + total + d + 2)[:, None, None]
    mean = (total[:, None] * mean + kappa * m0) / (total + kappa)[:, None]
    return float(likelihood.sum()), weight, mean, values


@dataclass(frozen=True)
class Cell:
    """A program, the covariance that it is written for, and what it computes."""

    name: str
    text: str
    covariance: str = "full"
    update: Callable[[Array, Mixture], Update] = normal_update
    names: Mapping[str, Any] = field(default_factory=dict)


TIED = """
    for k in mix.components():
        r = mix.responsibility[:, k]
        mix.weight[k] = mean(r)
        mix.mean[k] = average(x, r)
        total = total + mix.weight[k] * scatter(x, mix.mean[k], r)
    mix.covariance[:] = total + 1e-6 * eye
"""
STUDENT = """
q = mahalanobis(x[n], mix.mean[k], mix.covariance[k])
mix.scale[n, k] = (nu + x.dimension) / (nu + q)
mix.joint[n, k] = log(mix.weight[k]) - 0.5 * (log_det(mix.covariance[k])
                                             + (nu + x.dimension) * log(1.0 + q / nu))
"""
STUDENT_M = """
    for k in mix.components():
        r = mix.responsibility[:, k]
        w = r * mix.scale[:, k]
        mix.weight[k] = sum(r) / len(x)
        mix.mean[k] = average(x, w)
        mix.covariance[k] = scatter(x, mix.mean[k], w) * sum(w) / sum(r)
"""
MAP = """
    for k in mix.components():
        r = mix.responsibility[:, k]
        count = sum(r)
        centre = average(x, r)
        d = centre - m0
        mix.weight[k] = (count + alpha - 1.0) / (len(x) + len(mix.components()) * (alpha - 1.0))
        mix.mean[k] = (count * centre + kappa * m0) / (count + kappa)
        spread = S0 + count * scatter(x, centre, r) + kappa * count / (kappa + count) * outer(d, d)
        mix.covariance[k] = spread / (nu + count + len(d) + 2)
"""
STOPPING = """
    for k in mix.components():
        r = mix.responsibility[:, k]
        moved = moved + sum((average(x, r) - mix.mean[k]) ** 2)
        mix.weight[k] = mean(r)
        mix.mean[k] = average(x, r)
        mix.covariance[k] = scatter(x, mix.mean[k], r) + 1e-6 * eye
    change = abs(mix.log_likelihood - mix.previous_log_likelihood)
    mix.converged = change < tol * len(x) and not moved > 0.1 or mix.iteration >= 50
"""
WRITTEN_OUT = """
d = x[n] - mix.mean[k]
q = d @ inverse(mix.covariance[k]) @ d
mix.joint[n, k] = log(mix.weight[k]) - 0.5 * (q + log_det(mix.covariance[k]) + len(d) * log(2 * pi))
"""
WRITTEN_OUT_DIAG = """
d = x[n] - mix.mean[k]
q = sum(d ** 2 / mix.covariance[k]) + sum(log(mix.covariance[k]))
mix.joint[n, k] = log(mix.weight[k]) - 0.5 * (q + x.dimension * log(2 * pi))
"""
WRITTEN_OUT_SPHERICAL = """
d = mix.mean[k] - x[n]
q = d @ d / mix.covariance[k] + len(x[n]) * log(mix.covariance[k])
mix.joint[n, k] = log(mix.weight[k]) - 0.5 * (q + len(d) * log(2 * pi))
"""
HELPER = """
def gaussian(d, c):
    q = d @ solve(c, d)
    return -0.5 * (q + log_det(c) + len(d) * log(2 * pi))

"""
CELLS = (
    Cell("normal", iteration()),
    Cell("diag", iteration(), "diag"),
    Cell("spherical", iteration(), "spherical"),
    Cell("tied", iteration(m_step=TIED).replace("mix):", "mix):\n    total = 0.0"), "tied"),
    Cell("student", iteration(STUDENT, STUDENT_M).replace("mix):", "mix):\n    nu = 4.0"),
         update=student_update),
    Cell("map", iteration(m_step=MAP), update=map_update, names=PRIOR),
    Cell("written out", iteration(WRITTEN_OUT)),
    Cell("written out, diag", iteration(WRITTEN_OUT_DIAG), "diag"),
    Cell("written out, spherical", iteration(WRITTEN_OUT_SPHERICAL), "spherical"),
    Cell("stopping", iteration(m_step=STOPPING).replace("mix):", "mix, tol=1e-3):\n    moved = 0.0")),
    Cell("helper", iteration("d = x[n] - mix.mean[k]\nmix.joint[n, k] = log(mix.weight[k]) + "
                             "gaussian(d, mix.covariance[k])", before=HELPER)),
)  # fmt: skip
