"""Distances, sums and traces as people write them: all mean what the plain Python gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sejits_nb.errors import GmmError
from sejits_nb.specializers.gmm.mixture import Mixture

from .mixture_cells import CELLS, Array, iteration
from .test_gmm_language import X, kernel_of, mixture

C = "mix.covariance[k]"
EVERYWHERE = (
    f"0.5 * d @ inverse({C}) @ d", f"-0.5 * (d / 2) @ solve({C}, d)", f"d.T @ inverse({C}) @ d / 4",
    f"-d @ inverse({C}) @ (mix.mean[k] - x[n])", "0.5 * d @ d / sigma ** 2", "(d * 0.1) @ (-d)",
    f"(-d) @ solve({C}, -d)", f"(2 * d) @ solve({C}, d / 2)", f"0.5 * (-d) @ solve({C}, 3 * -d)",
    "sum((-d) ** 2)", "(-d / sigma) @ d",
    "sum((d / sigma) ** 2)", "np.sum(d * d) + sum(mix.mean[k])", "0.1 * trace(mix.covariance[k])",
    "np.tanh(d @ d)", "0.1 * cos(0.3 * d @ d)",
    "0.1 * np.log1p(d @ d) + lgamma(sigma + x.dimension / 2) + expm1(-d @ d) - log(np.cosh(sigma))",
)  # fmt: skip
SPELLINGS = {
    "full": EVERYWHERE,
    "diag": (*EVERYWHERE, "0.5 * z @ z", f"(d ** 2 / {C}).sum()",
             f"0.5 * sum(z ** 2 + log(2 * pi * {C}))", f"sum(0.5 * d ** 2 / {C} + 0.1)"),
    "spherical": (*EVERYWHERE, "0.5 * z @ z", f"sum(d ** 2) / {C} - len(d) * log(s)"),
}  # fmt: skip
LOCALS = {
    "full": "",
    "diag": f"s = sqrt({C})\nz = d / s\n",
    "spherical": f"s = sqrt({C})\nz = d / s\n",
}


def both(text: str, covariance: str) -> tuple[float, float, Mixture, Mixture]:
    """What the C code and the plain Python make of one iteration from the same mixture."""
    cell = replace(CELLS[0], text=text, covariance=covariance, names={"np": np, "sigma": 1.7})
    kernel = kernel_of(cell, backend="c")
    ours, plain = mixture(covariance), mixture(covariance)
    return kernel(X, ours), kernel.reference(X, plain), ours, plain


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("covariance", SPELLINGS)
def test_a_distance_may_be_written_out(covariance: str) -> None:
    terms = " + ".join(f"w{n} * ({term})" for n, term in enumerate(SPELLINGS[covariance]))
    weights = "".join(f"w{n} = {0.05 + 0.01 * n}\n" for n in range(len(SPELLINGS[covariance])))
    density = f"d = x[n] - mix.mean[k]\n{LOCALS[covariance]}{weights}"
    density += f"mix.joint[n, k] = log(mix.weight[k]) - 0.1 * ({terms})"
    found, wanted, ours, plain = both(iteration(density), covariance)
    assert found == pytest.approx(wanted, rel=1e-12)
    np.testing.assert_allclose(ours.mean, plain.mean, 1e-10)


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("covariance", ["full", "diag", "spherical"])
def test_sums_of_columns_and_matrices(covariance: str) -> None:
    step = """
    for k in mix.components():
        r = mix.responsibility[:, k]
        share, count = r.sum(), len(x)
        mix.weight[k] = 0.5 * np.mean(r) + 0.25 * r.mean() + 0.25 * share / count
        mix.mean[k] = average(x, r) + 0.01 * sum(mix.mean[k])
        S = scatter(x, mix.mean[k], r)
        mix.covariance[k] = 0.8 * S + 0.2 * trace(S) / x.dimension * eye
"""
    step = step.replace("trace", "np.trace") if covariance == "full" else step
    _, _, ours, plain = both(iteration(m_step=step), covariance)
    for name, array in ours.arrays().items():
        np.testing.assert_allclose(array, plain.arrays()[name], 1e-10, 1e-12)


@pytest.mark.parametrize(
    ("density", "said"),
    [
        ("mix.joint[n, k] = log_nrmal(x[n], mix.mean[k], mix.covariance[k])", "'log_normal'"),
        ("mix.joint[n, k] = np.arctan(mix.weight[k])", "log_normal, mahalanobis"),
        ("d = x[n] - mix.mean[k]\nmix.joint[n, k] = sum(d ** 2 * mix.mean[k])", "G018"),
        ("a = 1.0\nb = 2.0\na, b = b, a\nmix.joint[n, k] = a", "L017"),
        ("d = x[n] - mix.mean[k]\nmix.joint[n, k] = np.trace(mix.covariance[k])", "L012"),
    ],
)
def test_what_is_refused_names_what_there_is(density: str, said: str) -> None:
    cell = replace(CELLS[0], text=iteration(density), covariance="diag", names={"np": np})
    kernel: Callable[[Array, Mixture], Any] = kernel_of(cell)
    with pytest.raises(GmmError, match=said):
        kernel(X, mixture("diag"))
