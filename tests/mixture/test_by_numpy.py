"""Iterations in NumPy, as long as the kernel is still being built."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest

from sejits_nb.mixture.by_numpy import by_numpy
from sejits_nb.mixture.cells import iteration
from sejits_nb.results import Training
from sejits_nb.specializers.gmm.mixture import Mixture
from sejits_nb.specializers.gmm.samples import started, three_clusters

X = three_clusters(700, 3)
KINDS = ("full", "diag", "tied", "spherical")


def trained(kind: str, numpy_for: int, x: Any = X, **how: Any) -> tuple[Mixture, Training]:
    """Ten iterations, of which the first few find a kernel that is still being built."""
    kernel, mixture, built = iteration(kind), started(x, 3, kind), Future[None]()

    def listen(training: Training) -> None:
        if training.iterations == numpy_for:
            built.set_result(None)

    kernel._begun = built if numpy_for else None
    try:
        done = kernel.train(x, mixture, max_iter=10, tol=0, listen=listen,
                            meanwhile=by_numpy(kind, 1e-6, x.size, 3), **how)  # fmt: skip
    finally:
        kernel._begun = None
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
    kernel._begun = Future()
    try:
        with pytest.warns(RuntimeWarning, match="covariance of component 1 collapsed at the start"):
            done = kernel.train(rows, mixture, meanwhile=by_numpy(kind, 1e-6, rows.size, 3))
    finally:
        kernel._begun = None
    assert done.iterations == 0


def test_an_empty_component_keeps_its_place() -> None:
    kernel, mixture = iteration("diag"), started(X, 3, "diag")
    mixture.mean[1] = 1e6
    kernel._begun = Future()
    try:
        with pytest.warns(RuntimeWarning, match="component 1 has no events"):
            done = kernel.train(X, mixture, max_iter=3, tol=0,
                                meanwhile=by_numpy("diag", 1e-6, X.size, 3))  # fmt: skip
    finally:
        kernel._begun = None
    assert done.variants == ("NumPy",) * 3
    assert (mixture.mean[1] == 1e6).all()


def test_many_events_wait_for_the_kernel() -> None:
    assert by_numpy("full", 1e-6, 100_000 * 16, 16) is None
