"""Iterations in NumPy, as long as the kernel is still being built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.datasets import load_wine
from sklearn.mixture import GaussianMixture as Theirs

from sejits_nb import registry
from sejits_nb.errors import ArgumentError
from sejits_nb.kernel import SejitsWarning
from sejits_nb.mixture.by_numpy import ByNumpy
from sejits_nb.mixture.cells import iteration
from sejits_nb.mixture.estimator import GaussianMixture
from sejits_nb.results import Training
from sejits_nb.specializers.gmm.mixture import Mixture
from sejits_nb.specializers.gmm.samples import started, three_clusters
from sejits_nb.tune import ahead

X = three_clusters(700, 3)
KINDS = ("full", "diag", "tied", "spherical")


@pytest.fixture(autouse=True)
def new_kernels() -> Iterator[None]:
    """Standard kernels that nothing has been compiled for, and none that is left behind."""
    iteration.cache_clear()
    yield
    iteration.cache_clear()


def at_once(work: Callable[[], None]) -> Future[None]:
    """What ``tune.candidates.soon`` does, sooner."""
    work()
    done = Future[None]()
    done.set_result(None)
    return done


def trained(kind: str, numpy_for: int, x: Any = X, **how: Any) -> tuple[Mixture, Training]:
    """Ten iterations, of which the first few find a kernel that is still being built."""
    kernel, mixture, built = iteration(kind), started(x, 3, kind), Future[None]()
    stand_in = ByNumpy(kind, len(x), x.shape[1], 3)

    def listen(training: Training) -> None:
        if training.iterations == numpy_for:
            built.set_result(None)

    kernel._ahead._job = built if numpy_for else None
    try:
        done = kernel.train(
            x, mixture, max_iter=10, tol=0, listen=listen, meanwhile=stand_in, **how
        )
    finally:
        kernel._ahead._job = None
    return mixture, done


@pytest.mark.parametrize("kind", KINDS)
def test_numpy_begins_and_the_kernel_goes_on(kind: str) -> None:
    alone, without = trained(kind, 0)
    mixture, done = trained(kind, 4)
    assert done.variants[:4] == ("NumPy",) * 4
    assert "NumPy" not in done.variants[4:]
    np.testing.assert_allclose(done.log_likelihoods, without.log_likelihoods, rtol=1e-12)
    for name, array in mixture.arrays().items():
        np.testing.assert_allclose(array, alone.arrays()[name], rtol=1e-9, atol=1e-12)


def test_all_of_a_training_may_be_over_before() -> None:
    mixture, done = trained("full", 10)
    assert done.variants == ("NumPy",) * 10
    close = trained("full", 0)[0]
    np.testing.assert_allclose(mixture.mean, close.mean, rtol=1e-9)


def test_single_precision_is_summed_in_double() -> None:
    single = X.astype(np.float32)
    _, done = trained("full", 10, single)
    np.testing.assert_allclose(
        done.log_likelihoods,
        trained("full", 0, single.astype(np.float64))[1].log_likelihoods,
        1e-12,
    )


@pytest.mark.parametrize("kind", ["full", "diag"])
def test_what_numpy_cannot_do_the_kernel_is_asked(kind: str) -> None:
    rows = X.copy()
    kernel, mixture = iteration(kind), started(rows, 3, kind)
    mixture.covariance[1] = -mixture.covariance[1]
    kernel._ahead._job = Future()
    try:
        with pytest.warns(RuntimeWarning, match="covariance of component 1 collapsed at the start"):
            done = kernel.train(rows, mixture, meanwhile=ByNumpy(kind, 700, 3, 3))
    finally:
        kernel._ahead._job = None
    assert done.iterations == 0


def test_an_empty_component_keeps_its_place() -> None:
    kernel, mixture = iteration("diag"), started(X, 3, "diag")
    mixture.mean[1] = 1e6
    kernel._ahead._job = Future()
    try:
        with pytest.warns(RuntimeWarning, match="component 1 has no events"):
            done = kernel.train(X, mixture, max_iter=3, tol=0,
                                meanwhile=ByNumpy("diag", 700, 3, 3))  # fmt: skip
    finally:
        kernel._ahead._job = None
    assert done.variants == ("NumPy",) * 3
    assert (mixture.mean[1] == 1e6).all()


def test_an_iteration_that_is_broken_off_leaves_nothing() -> None:
    class Interrupted(ByNumpy):
        def __call__(self, values: Mapping[str, Any]) -> None:
            super().__call__(values)
            if np.ptp(values["weight"]) > 0.01:
                values["mean"][...] = np.nan
                raise KeyboardInterrupt

    kernel, mixture = iteration("full"), started(X, 3, "full")
    wanted = mixture.copy()
    kernel._ahead._job = Future()
    done = kernel.train(X, mixture, 1e-6, tol=0, meanwhile=Interrupted("full", 700, 3, 3))
    assert done.interrupted
    kernel.train(X, wanted, 1e-6, tol=0, max_iter=done.iterations)
    np.testing.assert_allclose(mixture.mean, wanted.mean, rtol=1e-9)


def test_an_iteration_that_takes_long_waits_for_the_kernel() -> None:
    kernel, mixture = iteration("full"), started(X, 3, "full")
    kernel._ahead._job = Future()
    try:
        done = kernel.train(X, mixture, max_iter=2, meanwhile=ByNumpy("full", 100_000, 16, 16))
    finally:
        kernel._ahead._job = None
    assert "NumPy" not in done.variants


@pytest.mark.parametrize("kind", KINDS)
def test_numpy_evaluates_as_the_kernel_does(kind: str) -> None:
    kernel, mixture = iteration(kind), started(X, 3, kind)
    wanted = kernel.evaluate(X, mixture)
    kernel._ahead._job = Future()
    try:
        found = kernel.evaluate(X, mixture, meanwhile=ByNumpy(kind, 700, 3, 3))
        mixture.covariance[:] = -mixture.covariance[:]
        with pytest.raises(ArgumentError, match="component 0"):
            kernel.evaluate(X, mixture, meanwhile=ByNumpy(kind, 700, 3, 3))
    finally:
        kernel._ahead._job = None
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-12)
    np.testing.assert_allclose(found[1], wanted[1], rtol=1e-9, atol=1e-15)
    assert (found[0] != wanted[0]).any()


@pytest.mark.filterwarnings("ignore:Best performing")
@pytest.mark.parametrize("kind", KINDS)
def test_its_model_is_scikit_learns(kind: str) -> None:
    how: dict[str, Any] = {"covariance_type": kind, "max_iter": 10, "tol": 0, "random_state": 0}
    events = load_wine().data
    iteration.cache_clear()
    ours, theirs = (one(3, **how).fit(events) for one in (GaussianMixture, Theirs))
    assert ours._kernel().kernel.build is None
    assert ours.lower_bound_ == pytest.approx(theirs.lower_bound_, rel=1e-9)
    np.testing.assert_allclose(ours.predict_proba(events), theirs.predict_proba(events), atol=1e-6)


@pytest.mark.filterwarnings("ignore:Best performing")
def test_little_data_wakes_no_compiler_until_it_has_come_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = GaussianMixture(3, max_iter=3, tol=0, random_state=0)
    kernel = model._kernel().kernel
    model.fit(X)
    model.predict(X)
    assert kernel._ahead._job is None
    assert kernel.build is None
    monkeypatch.setattr(ahead, "_COMPILER_S", 0.0)  # as if it had come often
    model.fit(X)
    assert kernel._ahead._job is not None
    kernel._ahead._job.result()
    model.fit(X)
    assert kernel.build is not None


def test_a_platform_that_was_named_is_built_at_once() -> None:
    model = GaussianMixture(3, random_state=0, backend="c").fit(X)
    kernel = model._kernel().kernel
    assert kernel._ahead._job is not None
    kernel._ahead._job.result()
    assert kernel.build is not None


def test_without_a_platform_numpy_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = GaussianMixture(3, random_state=0).fit(X)
    monkeypatch.setattr(registry, "platform_names", tuple)
    monkeypatch.setattr(ahead, "_COMPILER_S", 0.0)
    monkeypatch.setattr(ahead, "soon", at_once)
    model = GaussianMixture(3, random_state=0)
    with pytest.warns(SejitsWarning, match="em runs as NumPy; "):
        model.fit(X)
    assert model.lower_bound_ == pytest.approx(wanted.lower_bound_, rel=1e-12)
