"""What components share is done once: a covariance's factor, events by it, second moments.

The passes on the DAST, also where they must leave it as it is; then every strategy against the plain
Python, and the standard iteration against scikit-learn.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture
from sklearn.mixture._gaussian_mixture import _compute_precision_cholesky

from sejits_nb.ir.expr import show
from sejits_nb.ir.node import walk
from sejits_nb.mixture.cells import iteration as standard
from sejits_nb.specializers.gmm import SPECIALIZER
from sejits_nb.specializers.gmm.calls import signature_of
from sejits_nb.specializers.gmm.dast import Gmm, Mahalanobis, StoreShared
from sejits_nb.specializers.gmm.pooled_scatter import pooled_scatter
from sejits_nb.specializers.gmm.shared_covariance import shared_covariance

from .mixture_cells import CELLS, NORMAL, PRIOR, STUDENT, Cell, iteration
from .test_gmm_strategies import kernel_of, problem

M_STEP = """
    for k in mix.components():
        r = mix.responsibility[:, k]
        mix.weight[k] = mean(r)
        mix.mean[k] = average(x, r)
        {sum}
    mix.covariance[:] = {value}
"""
STUDENT_M = """
    for k in mix.components():
        r = mix.responsibility[:, k]
        w = r * mix.scale[:, k]
        mix.weight[k] = mean(r)
        mix.mean[k] = average(x, w)
        total = total + mix.weight[k] * scatter(x, mix.mean[k], w) * sum(w) / sum(r)
    mix.covariance[:] = total
"""
MAP_M = """
    for k in mix.components():
        r = mix.responsibility[:, k]
        count = sum(r)
        centre = average(x, r)
        d = centre - m0
        mix.weight[k] = (count + alpha - 1.0) / (len(x) + len(mix.components()) * (alpha - 1.0))
        mix.mean[k] = (count * centre + kappa * m0) / (count + kappa)
        within = count * scatter(x, centre, r)
        total = total + within + kappa * count / (kappa + count) * outer(d, d)
    mix.covariance[:] = (eye + total) / (nu + len(x) + x.dimension + 2)
"""


def tied(
    sum_: str, value: str = "total + 1e-6 * eye", m_step: str = M_STEP, density: str = NORMAL
) -> Cell:
    """A tied mixture with these lines of the M-step."""
    text = iteration(density, m_step.format(sum=sum_, value=value))
    return Cell("tied", text.replace("mix):", "mix):\n    total = 0.0"), "tied")


STANDARD = tied("total = total + mix.weight[k] * scatter(x, mix.mean[k], r)")
STUDENT_TIED = tied("", m_step=STUDENT_M, density=STUDENT)
STUDENT_TIED = replace(STUDENT_TIED, text=STUDENT_TIED.text.replace("mix):", "mix):\n    nu = 4.0"))
MAP_TIED = replace(tied("", m_step=MAP_M), names=PRIOR)


def optimised(cell: Cell, components: int = 3) -> Gmm:
    """The DAST after all passes, for three dimensions."""
    kernel = kernel_of(cell)
    values = kernel._bind(problem(cell, 3, components, 50, "f8"), {}).values
    tree: Any = SPECIALIZER.parse(kernel._source, signature_of(kernel.interface, values))
    for one in SPECIALIZER.passes:
        tree = one.run(tree)
        assert not any(ensured(tree) for ensured in one.ensures)
    return tree  # type: ignore[no-any-return]


def covariance_of(gmm: Gmm) -> str:
    """What the shared covariance is set to."""
    return next(show(s.value) for s in gmm.mstep.after if isinstance(s, StoreShared))


# -- a covariance of all components


def test_events_meet_a_shared_factor_once() -> None:
    gmm = optimised(STANDARD)
    assert [s.headline() for s in gmm.estep.shared] == ["let white_0 = whitened(x[n])"]
    joint = gmm.estep.body[0]
    assert joint.headline() == ("joint[n, k] = constant_0 + -0.5 * |white_0 - whitened(mean[k])|^2")
    assert not any(isinstance(n, Mahalanobis) for n in walk(gmm))
    assert [n.loc.line for n in walk(gmm.estep.shared[0]) if n.loc] == [6] * 4


@pytest.mark.parametrize(
    ("density", "covariance"),
    [
        ("d = x[n] - mix.mean[k]\nmix.joint[n, k] = -0.5 * (d @ d)", "full"),
        ("mix.joint[n, k] = -0.5 * mahalanobis(x[n], mix.mean[k], S0 + eye)", "full"),
        ("mix.joint[n, k] = log_normal(x[n], 0.5 * mix.mean[k], 2.0 * mix.covariance[k])", "tied"),
    ],
)
def test_any_covariance_that_no_component_has_of_its_own(density: str, covariance: str) -> None:
    text = iteration(density, tied("").text[tied("").text.index("\n    for k") :])
    text = text.replace("    mix.covariance[:] = total + 1e-6 * eye\n", "")
    gmm = optimised(Cell("shared", text, covariance, names=PRIOR))
    assert len(gmm.estep.shared) == 1


@pytest.mark.parametrize(
    "covariance",
    [
        "mix.covariance[k] * mix.weight[k]",
        "mix.covariance[k] / s",
        "log_det(mix.covariance[k]) * eye",
    ],
)
def test_a_component_with_a_covariance_of_its_own_keeps_its_factor(covariance: str) -> None:
    density = (
        f"s = 1.0 + mix.weight[k]\nmix.joint[n, k] = log_normal(x[n], mix.mean[k], {covariance})"
    )
    gmm = optimised(replace(STANDARD, text=STANDARD.text.replace(NORMAL, density.replace(
        "\n", "\n            "))))  # fmt: skip
    assert not gmm.estep.shared
    assert any(isinstance(n, Mahalanobis) for n in walk(gmm.estep))


@pytest.mark.parametrize("name", ["normal", "diag", "spherical", "student"])
def test_nothing_is_shared(name: str) -> None:
    gmm = optimised(next(c for c in CELLS if c.name == name))
    assert shared_covariance(gmm) is gmm
    assert pooled_scatter(gmm) is gmm


def test_one_component_shares_nothing() -> None:
    gmm = optimised(STANDARD, components=1)
    assert not gmm.estep.shared
    assert "sum(x x^T)" not in covariance_of(gmm)


# -- second moments of all components

POOLED = "total + sum(x x^T) / N + 1e-06 * eye"


@pytest.mark.parametrize(
    ("sum_", "value"),
    [
        ("total = total + mix.weight[k] * scatter(x, mix.mean[k], r)", POOLED),
        ("total = total + mean(r) * scatter(x, 0.5 * mix.mean[k], r)", POOLED),
        ("total = total + scatter(x, mix.mean[k], r) * sum(r) / len(x)", POOLED),
        ("s = -scatter(x, mix.mean[k], r)\n        total = total + -mean(r) * s", POOLED),
        ("total = total + (mean(r) * scatter(x, mix.mean[k], r) if sum(r) > 0.0 else 0.0 * eye)",
         POOLED),
        ("n_k = sum(r)\n        total = total + (n_k * (mix.covariance[k] + "
         "scatter(x, mix.mean[k], r)) / len(x) if n_k > 0 else mix.covariance[k])", POOLED),
        ("total = total + 0.5 * (mean(r) * scatter(x, mix.mean[k], r) - mix.covariance[k])",
         "total + 0.5 * (sum(x x^T) / N) + 1e-06 * eye"),
        ("total = total + sum(2.0 * r) * scatter(x, mix.mean[k], 2.0 * r)",
         "total + sum(sum_k(2.0 * responsibility[:, k]) * x x^T) + 1e-06 * eye"),
    ],
)  # fmt: skip
def test_second_moments_are_pooled(sum_: str, value: str) -> None:
    assert covariance_of(optimised(tied(sum_))) == value


def test_weights_that_are_no_responsibilities_are_summed_over_the_components() -> None:
    weights = "sum_k(responsibility[:, k] * scale[:, k])"
    assert covariance_of(optimised(STUDENT_TIED)) == f"total + sum({weights} * x x^T) / N"
    assert "(eye + (total + sum(x x^T))) / (9.0 + N + " in covariance_of(optimised(MAP_TIED))


@pytest.mark.parametrize(
    "sum_",
    [
        "total = total + scatter(x, mix.mean[k], r)",
        "old = mix.weight[k] / 2.0\n        total = total + sum(r) * old * scatter(x, mix.mean[k], r)",
        "total = total + sum(r * r) * scatter(x, mix.mean[k], r)",
        "total = total + abs(mean(r) * scatter(x, mix.mean[k], r))",
        "total = total + mean(r) * scatter(x, mix.mean[k], r) ** 2",
        "s = scatter(x, mix.mean[k], r)\n        total = total + mean(r) * s * s",
        "total = total + (mean(r) * scatter(x, mix.mean[k], r) if sum(r) > 1.0 else 0.0 * eye)",
        "total = total + (mean(r) * scatter(x, mix.mean[k], r) if mix.weight[k] < 0.9 else 0.0 * eye)",
        "total = total + (0.0 * eye if sum(r) > 0.0 else mean(r) * scatter(x, mix.mean[k], r))",
        "other = other + mean(r) * scatter(x, mix.mean[k], r)\n"
        "        total = total + scatter(x, mix.mean[k], r)",
    ],
)
def test_second_moments_that_are_no_such_sum_stay(sum_: str) -> None:
    text = tied(sum_).text.replace("total = 0.0", "total = 0.0\n    other = 0.0")
    assert covariance_of(optimised(replace(STANDARD, text=text))) == "total + 1e-06 * eye"


def test_of_two_columns_one_may_be_pooled() -> None:
    """What the other one's sums are must not move."""
    gmm = optimised(tied("w = r * r\n        total = total + (mean(r) * scatter(x, mix.mean[k], r) + "
                         "0.1 * scatter(x, mix.mean[k], w))"))  # fmt: skip
    assert covariance_of(gmm) == POOLED
    assert "sum(responsibility[:, k] * responsibility[:, k] * x x^T)" in str(
        [s.headline() for s in gmm.mstep.body]
    )


# -- the same iteration


@pytest.mark.parametrize(
    ("cell", "strategy", "d", "k", "dtype"),
    [
        (STUDENT_TIED, "fused", 9, 5, "f8"), (MAP_TIED, "separate", 3, 4, "f4"),
        (STANDARD, "components", 17, 3, "f4"), (STUDENT_TIED, "cells", 6, 7, "f4"),
    ],
)  # fmt: skip
def test_every_strategy(cell: Cell, strategy: str, d: int, k: int, dtype: str) -> None:
    kernel = kernel_of(
        cell, backend="openmp", set={"strategy": strategy, "block": 32, "threads": 2}
    )
    near = 1e-10 if dtype == "f8" else 2e-4
    for count in (33, 3000):
        x, ours = problem(cell, d, k, count, dtype)
        plain = ours.copy()
        assert kernel(x, ours) == pytest.approx(kernel.reference(x, plain), rel=near)
        for got, want in zip(ours.arrays().values(), plain.arrays().values(), strict=True):
            np.testing.assert_allclose(got, want, rtol=10 * near, atol=10 * near)
    code = kernel.trace.last(5)
    assert code.text.count("rank_update(") == 2
    assert "inverse_factor(covariance, root_0" in code.text
    rows = f"%%gmm\n{cell.text}".splitlines()
    called = {line.text.split("(")[0].strip(): line.loc for line in code.lines if line.loc}
    assert "scatter(" in rows[called["rank_update"].line - 1]
    assert "mix.covariance[k]" in rows[called["whiten"].line - 1]


@pytest.mark.needs("opencl")
@pytest.mark.parametrize(
    ("cell", "dtype"),
    [(STUDENT_TIED, "f4"), pytest.param(MAP_TIED, "f8", marks=pytest.mark.platforms)],
)
def test_on_a_device(cell: Cell, dtype: str) -> None:
    kernel = kernel_of(cell, backend="opencl", tune="none")
    near = 1e-10 if dtype == "f8" else 2e-4
    x, ours = problem(cell, 3, 4, 300, dtype)
    plain = ours.copy()
    assert kernel(x, ours) == pytest.approx(kernel.reference(x, plain), rel=near)
    for got, want in zip(ours.arrays().values(), plain.arrays().values(), strict=True):
        np.testing.assert_allclose(got, want, rtol=10 * near, atol=10 * near)


def test_an_iteration_of_scikit_learn() -> None:
    """Also where coordinates differ by a million, and one component is far from all events."""
    x, mix = problem(STANDARD, 5, 4, 2000, "f8")
    scale = np.array([1e-3, 1.0, 1e3, 1.0, 1.0])
    x, mix.mean[:] = x * scale, mix.mean * scale
    mix.covariance[:] = np.asarray(mix.covariance) * np.outer(scale, scale)
    mix.mean[3] += 1e4 * scale
    peer = GaussianMixture(4, covariance_type="tied")
    peer.weights_, peer.means_, peer.covariances_ = mix.weight, mix.mean, np.asarray(mix.covariance)
    peer.precisions_cholesky_ = _compute_precision_cholesky(peer.covariances_, "tied")
    log_prob, log_resp = peer._e_step(x)
    peer._m_step(x, log_resp)
    assert standard("tied")(x, mix.copy()) == pytest.approx(log_prob * len(x), rel=1e-12)
    standard("tied")(x, mix)
    np.testing.assert_allclose(mix.mean[:3], peer.means_[:3], rtol=1e-9)
    np.testing.assert_allclose(
        mix.covariance / np.outer(scale, scale),
        peer.covariances_ / np.outer(scale, scale),
        atol=1e-7,
    )


def test_what_is_shared_is_counted_once() -> None:
    """Three dimensions, four components: 12 operations whiten an event, 12 add its products up;
    of a pair, 9 are for its distance, 2 for joint, 4 for the softmax, 7 for sums of 1 and x."""
    work = SPECIALIZER.work(optimised(STANDARD, components=4))
    assert work.flops_per_point == 4 * (9 + 2 + 4 + 7) + 12 + 12
