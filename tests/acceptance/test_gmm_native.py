"""EM iterations in C: whole iterations and their parts against the same in NumPy, every structure.

The comparison here is the check; the kernels' own is off, but for the other densities.
"""

# The language's own functions need no import.
# ruff: noqa: F821
# mypy: disable-error-code="name-defined"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sejits_nb as sj
from sejits_nb.specializers.gmm.calls import interface_of, native_values
from sejits_nb.specializers.gmm.interface import E_STEP, M_STEP, WRITE

Array = np.ndarray[Any, Any]
KINDS = ("full", "diag", "tied", "spherical")
SIZES = [(3, 4, 1000), (1, 1, 64), (7, 9, 65), (2, 33, 63), (18, 2, 200)]


def standard(kind: str, backend: str = "openmp") -> Any:
    def full(x, mix):  # type: ignore[no-untyped-def]
        for n in x.events():
            for k in mix.components():
                mix.joint[n, k] = log(mix.weight[k]) + log_normal(
                    x[n], mix.mean[k], mix.covariance[k]
                )
            mix.responsibility[n] = softmax(mix.joint[n])
        for k in mix.components():
            r = mix.responsibility[:, k]
            mix.weight[k] = mean(r)
            mix.mean[k] = average(x, r)
            mix.covariance[k] = scatter(x, mix.mean[k], r) + 1e-6 * eye

    def tied(x, mix):  # type: ignore[no-untyped-def]
        total = 0.0
        for n in x.events():
            for k in mix.components():
                mix.joint[n, k] = log(mix.weight[k]) + log_normal(
                    x[n], mix.mean[k], mix.covariance[k]
                )
            mix.responsibility[n] = softmax(mix.joint[n])
        for k in mix.components():
            r = mix.responsibility[:, k]
            mix.weight[k] = mean(r)
            mix.mean[k] = average(x, r)
            total = total + mix.weight[k] * scatter(x, mix.mean[k], r)
        mix.covariance[:] = total + 1e-6 * eye

    cell = tied if kind == "tied" else full
    return sj.gmm(cell, covariance=kind, backend=backend, check="off", fallback=False)


def problem(d: int, k: int, n: int, kind: str, dtype: Any) -> tuple[Array, sj.Mixture]:
    """Overlapping events far from the origin, and a mixture of full rank."""
    rng = np.random.default_rng(d * 100 + k)
    x = (rng.normal(size=(n, d)) * 2 + 30).astype(dtype)
    half = rng.normal(size=(k, d, d)) * 0.3
    whole = half @ half.transpose(0, 2, 1) + np.eye(d)
    covariance = {
        "full": whole, "tied": whole[0], "diag": np.array([np.diag(c) for c in whole]),
        "spherical": whole[:, 0, 0],
    }[kind]  # fmt: skip
    mean = rng.normal(size=(k, d)) + 30
    weight = rng.dirichlet(np.full(k, 5.0))
    return x, sj.Mixture.of(weight, mean, covariance, kind)


def matrices(mixture: sj.Mixture) -> Array:
    """The covariances as matrices [K, D, D]."""
    d, c = mixture.dimension, np.asarray(mixture.arrays()["covariance"])
    k = len(mixture.components())
    return {
        "full": lambda: c, "tied": lambda: np.stack([c] * k),
        "diag": lambda: np.stack([np.diag(v) for v in c]),
        "spherical": lambda: np.stack([v * np.eye(d) for v in c]),
    }[mixture.covariance_kind]()  # fmt: skip


def expectation(x: Array, mixture: sj.Mixture) -> tuple[Array, Array]:
    """Log-likelihood of each event, and responsibilities, in float64."""
    x = x.astype(np.float64)
    joint = np.empty((len(x), len(mixture.components())))
    for k, c in enumerate(matrices(mixture)):
        y = np.linalg.solve(np.linalg.cholesky(c), (x - mixture.mean[k]).T)
        log_det = np.linalg.slogdet(c)[1]
        joint[:, k] = np.log(mixture.weight[k]) - 0.5 * (
            x.shape[1] * np.log(2 * np.pi) + log_det + (y * y).sum(0)
        )
    top = joint.max(1)
    log_prob = top + np.log(np.exp(joint - top[:, None]).sum(1))
    return log_prob, np.exp(joint - log_prob[:, None])


def maximisation(x: Array, r: Array, kind: str) -> tuple[Array, Array, Array]:
    """Weights, means and covariances from responsibilities."""
    x, total = x.astype(np.float64), r.sum(0)
    mean = r.T @ x / total[:, None]
    spread = np.stack([(r[:, k] * (x - m).T) @ (x - m) / total[k] for k, m in enumerate(mean)])
    d, diagonal = x.shape[1], np.array([np.diag(s) for s in spread])
    covariance = {
        "full": spread + 1e-6 * np.eye(d),
        "tied": np.tensordot(total / len(x), spread, 1) + 1e-6 * np.eye(d),
        "diag": diagonal + 1e-6,
        "spherical": diagonal.mean(1) + 1e-6,
    }[kind]
    return total / len(x), mean, covariance


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("d", "k", "n"), SIZES)
def test_one_iteration(kind: str, dtype: Any, d: int, k: int, n: int) -> None:
    x, mixture = problem(d, k, n, kind, dtype)
    log_prob, r = expectation(x, mixture)
    found = standard(kind)(x, mixture)
    tight = dtype is np.float64
    assert found == pytest.approx(log_prob.sum(), rel=1e-12 if tight else 1e-6)
    got = mixture.weight, mixture.mean, np.asarray(mixture.arrays()["covariance"])
    for ours, theirs in zip(got, maximisation(x, r, kind), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-11 if tight else 3e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_far_from_the_origin(kind: str) -> None:
    """Events a sixteenth apart: the point that they are moved by is no float32."""
    x, mixture = problem(3, 4, 1000, kind, np.float64)
    x, mixture.mean[:] = (x + 1e6).astype(np.float32), mixture.mean + 1e6
    log_prob, r = expectation(x, mixture)
    assert standard(kind)(x, mixture) == pytest.approx(log_prob.sum(), rel=1e-6)
    got = mixture.weight, mixture.mean, np.asarray(mixture.arrays()["covariance"])
    for ours, theirs in zip(got, maximisation(x, r, kind), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=3e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_parts_of_an_iteration(kind: str) -> None:
    """Chunks whose sums are added, then the M-step: an iteration in bounded memory; and the values of
    each event on demand, which leave the sums alone."""
    x, mixture = problem(5, 6, 700, kind, np.float64)
    whole, kernel = mixture.copy(), standard(kind)
    expected = kernel(x, whole)
    interface = interface_of(kernel._source)
    arrays, log_likelihood = mixture.arrays(), 0.0
    values = native_values(interface, x[:64], arrays, E_STEP)
    moments = values["moments"]
    for chunk in (x[:64], x[64:300], x[300:]):
        values = native_values(interface, chunk, arrays, E_STEP) | {"moments": moments}
        kernel._bound_run(values)()
        log_likelihood += values["log_likelihood"][0]
    seen = native_values(interface, x, arrays, WRITE, rows=len(x)) | {"moments": moments.copy()}
    kernel._bound_run(seen)()
    np.testing.assert_array_equal(seen["moments"], moments)
    log_prob, r = expectation(x, mixture)
    np.testing.assert_allclose(seen["log_prob"], log_prob, rtol=1e-12)
    np.testing.assert_allclose(seen["responsibility"], r, atol=1e-12)
    kernel._bound_run(native_values(interface, x[:0], arrays, M_STEP) | {"moments": moments})()
    assert log_likelihood == pytest.approx(expected, rel=1e-13)
    for name, array in whole.arrays().items():
        np.testing.assert_allclose(arrays[name], array, rtol=1e-11)


def test_threads_give_the_same_every_time() -> None:
    x, mixture = problem(4, 5, 4097, "full", np.float64)
    kernel, runs = standard("full"), []
    for _ in range(3):
        one = mixture.copy()
        kernel(x, one)
        runs.append(one.covariance.copy())
    assert (runs[0] == runs[1]).all()
    assert (runs[0] == runs[2]).all()


def test_a_covariance_that_is_not_positive_definite_changes_nothing() -> None:
    x, mixture = problem(3, 4, 100, "full", np.float64)
    mixture.covariance[2:] = -np.eye(3)
    before = {n: a.copy() for n, a in mixture.arrays().items()}
    with pytest.raises(sj.ArgumentError, match=r"A014.*component 2"):
        standard("full")(x, mixture)
    for name, array in mixture.arrays().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_component_without_events_changes_nothing() -> None:
    x, mixture = problem(3, 4, 100, "diag", np.float64)
    mixture.mean[1] = 1e6
    before = {n: a.copy() for n, a in mixture.arrays().items()}
    with pytest.raises(sj.ArgumentError, match="A015: a component has no events"):
        standard("diag")(x, mixture)
    for name, array in mixture.arrays().items():
        np.testing.assert_array_equal(array, before[name])


def student(nu: float) -> Callable[..., Any]:
    """A mixture of Student-t distributions: another density, and weights of its own."""

    def heavy(x, mix):  # type: ignore[no-untyped-def]
        for n in x.events():
            for k in mix.components():
                far = mahalanobis(x[n], mix.mean[k], mix.covariance[k])
                mix.scale[n, k] = (nu + x.dimension) / (nu + far)
                mix.joint[n, k] = (
                    log(mix.weight[k])
                    - 0.5 * log_det(mix.covariance[k])
                    - 0.5 * (nu + x.dimension) * log(1.0 + far / nu)
                )
            mix.responsibility[n] = softmax(mix.joint[n])
        for k in mix.components():
            r = mix.responsibility[:, k]
            u = r * mix.scale[:, k]
            mix.weight[k] = mean(r)
            mix.mean[k] = average(x, u)
            mix.covariance[k] = scatter(x, mix.mean[k], u) * sum(u) / sum(r)

    return heavy


def test_another_density_is_other_code_with_the_right_result() -> None:
    x, mixture = problem(4, 3, 400, "full", np.float64)
    start = mixture.copy()
    kernel = sj.gmm(student(4.0), covariance="full", backend="openmp", fallback=False)
    found = kernel(x, mixture)
    nu, d = 4.0, 4
    far = np.empty((400, 3))
    for k in range(3):
        y = x - start.mean[k]
        far[:, k] = np.einsum("ni,ij,nj->n", y, np.linalg.inv(start.covariance[k]), y)
    log_det = np.linalg.slogdet(start.covariance)[1]
    joint = np.log(start.weight) - 0.5 * log_det - 0.5 * (nu + d) * np.log1p(far / nu)
    log_prob = np.logaddexp.reduce(joint, 1)
    r = np.exp(joint - log_prob[:, None])
    u = r * (nu + d) / (nu + far)
    assert found == pytest.approx(log_prob.sum(), rel=1e-12)
    expected = u.T @ x / u.sum(0)[:, None]
    np.testing.assert_allclose(mixture.mean, expected, rtol=1e-12)
    for k in range(3):
        y = x - expected[k]
        np.testing.assert_allclose(
            mixture.covariance[k], (u[:, k] * y.T) @ y / r[:, k].sum(), rtol=1e-10
        )
    text, plain = str(kernel.source), str(standard("full").source)
    assert "pair_scale" in text
    assert "pair_scale" not in plain


def test_a_prior_is_part_of_the_code() -> None:
    """MAP: a conjugate prior on means and covariances, with captured arrays."""
    prior_mean, prior_scatter, strength = np.array([29.0, 31.0]), np.diag([2.0, 3.0]), 10.0

    def shrunk(x, mix):  # type: ignore[no-untyped-def]
        for n in x.events():
            for k in mix.components():
                mix.joint[n, k] = log(mix.weight[k]) + log_normal(
                    x[n], mix.mean[k], mix.covariance[k]
                )
            mix.responsibility[n] = softmax(mix.joint[n])
        for k in mix.components():
            r = mix.responsibility[:, k]
            total = sum(r)
            centre = average(x, r)
            away = centre - prior_mean
            mix.weight[k] = mean(r)
            mix.mean[k] = (total * centre + strength * prior_mean) / (total + strength)
            mix.covariance[k] = (
                prior_scatter
                + total * scatter(x, centre, r)
                + (total * strength / (total + strength)) * outer(away, away)
            ) / (total + 6.0)

    x, mixture = problem(2, 3, 300, "full", np.float64)
    _, r = expectation(x, mixture)
    sj.gmm(shrunk, covariance="full", backend="openmp", fallback=False)(x, mixture)
    for k, total in enumerate(r.sum(0)):
        centre = r[:, k] @ x / total
        spread = (r[:, k] * (x - centre).T) @ (x - centre)
        away = np.outer(centre - prior_mean, centre - prior_mean)
        mean = (total * centre + strength * prior_mean) / (total + strength)
        np.testing.assert_allclose(mixture.mean[k], mean, rtol=1e-12)
        full = prior_scatter + spread + total * strength / (total + strength) * away
        np.testing.assert_allclose(mixture.covariance[k], full / (total + 6), rtol=1e-10)


def test_locals_of_the_component_alone_are_computed_once_each() -> None:
    def with_locals(x, mix):  # type: ignore[no-untyped-def]
        for n in x.events():
            for k in mix.components():
                spread = 0.5 * log_det(mix.covariance[k])
                share = log(mix.weight[k]) - spread
                far = mahalanobis(x[n], mix.mean[k], mix.covariance[k])
                mix.joint[n, k] = share - 0.5 * (far + x.dimension * log(2.0 * pi))
            mix.responsibility[n] = softmax(mix.joint[n])
        for k in mix.components():
            mix.weight[k] = mean(mix.responsibility[:, k])

    x, mixture = problem(3, 4, 200, "full", np.float64)
    log_prob, r = expectation(x, mixture)
    kernel = sj.gmm(with_locals, backend="openmp", fallback=False)
    assert kernel(x, mixture) == pytest.approx(log_prob.sum(), rel=1e-12)
    np.testing.assert_allclose(mixture.weight, r.mean(0), rtol=1e-12)


def test_sums_over_components_may_use_locals() -> None:
    def pooled(x, mix):  # type: ignore[no-untyped-def]
        total = 0.0
        weights = 0.0
        for n in x.events():
            for k in mix.components():
                mix.joint[n, k] = log(mix.weight[k]) + log_normal(
                    x[n], mix.mean[k], mix.covariance[k]
                )
            mix.responsibility[n] = softmax(mix.joint[n])
        for k in mix.components():
            r = mix.responsibility[:, k]
            own = sum(r)
            spread = scatter(x, mix.mean[k], r)
            total = total + own * spread
            weights = weights + own
        mix.covariance[:] = total / weights

    x, mixture = problem(3, 4, 200, "tied", np.float64)
    start = mixture.copy()
    _, r = expectation(x, mixture)
    sj.gmm(pooled, covariance="tied", backend="openmp", fallback=False)(x, mixture)
    away = x[:, None, :] - start.mean
    expected = np.einsum("nk,nki,nkj->ij", r, away, away) / len(x)
    np.testing.assert_allclose(np.asarray(mixture.covariance), expected, rtol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_densities_of_locals_and_determinants_and_names_of_routines(kind: str) -> None:
    """Locals may be part of a density's parameters, and be called like what the code is made of."""
    prior = np.array([29.5, 30.5], np.float32)

    def named(x, mix):  # type: ignore[no-untyped-def]
        for n in x.events():
            for k in mix.components():
                factor = 1.0 + 0.1 * abs(log_det(mix.covariance[k]))
                features = factor * mix.covariance[k]
                sums = log_normal(x[n], mix.mean[k] / factor, features)
                mix.joint[n, k] = log(mix.weight[k]) + sums
            mix.responsibility[n] = softmax(mix.joint[n])
        for k in mix.components():
            accumulate = mix.responsibility[:, k]
            distance = sum(accumulate)
            features = average(x, accumulate)
            mix.weight[k] = (distance + 1.0) / (len(x) + len(mix.components()))
            mix.mean[k] = (distance * features + 2.1 * prior) / (distance + 2.1)

    x, mixture = problem(2, 3, 300, kind, np.float64)
    plain = mixture.copy()
    kernel = sj.gmm(named, covariance=kind, backend="openmp", fallback=False)
    assert kernel(x, mixture) == pytest.approx(kernel.reference(x, plain), rel=1e-12)
    np.testing.assert_allclose(mixture.weight, plain.weight, rtol=1e-12)
    np.testing.assert_allclose(mixture.mean, plain.mean, rtol=1e-7)  # the prior is float32
