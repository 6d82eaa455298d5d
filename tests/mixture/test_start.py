"""Starts of a training: which events they take, and that a seed decides."""

from __future__ import annotations

import numpy as np
import pytest

from sejits_nb.mixture.start import HOW, k_means, plus_plus, start
from sejits_nb.specializers.gmm.samples import three_clusters

X = three_clusters(300, 2)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("kind", ["full", "diag", "tied", "spherical"])
def test_a_start_is_a_mixture_and_a_seed_decides(how: str, kind: str) -> None:
    one, same = (start(X, 4, kind, how, random=3) for _ in range(2))
    assert one.weight.sum() == pytest.approx(1)
    for name, array in one.arrays().items():
        np.testing.assert_array_equal(array, same.arrays()[name])
    variances = one.arrays()["covariance"]
    if kind in ("full", "tied"):
        assert (np.linalg.eigvalsh(variances) > 0).all()
    else:
        assert (variances > 0).all()
    other = start(X, 4, kind, how, random=4)
    assert np.array_equal(one.mean, other.mean) == (how == "published")


def test_k_means_finds_clusters_that_lie_apart() -> None:
    of = np.arange(300) * 3 // 300
    rows = np.random.default_rng(0).standard_normal((300, 2)) + 100.0 * of[:, None]
    found = start(rows, 3, "full", random=0)
    means = [rows[of == k].mean(axis=0) for k in range(3)]
    np.testing.assert_allclose(np.sort(found.mean, axis=0), means)
    np.testing.assert_array_equal(k_means(rows, rows[[0, 150, 299]]), of)


def test_duplicated_events_are_enough() -> None:
    rows = np.ones((5, 2))
    centres = plus_plus(rows, 3, np.random.default_rng(0))
    assert centres.shape == (3, 2)
    assert start(rows, 3, "diag", random=0).covariance == pytest.approx(1e-6)


def test_published_start_is_as_published() -> None:
    found = start(X, 3, "diag", "published")
    np.testing.assert_allclose(found.mean, [X.mean(axis=0), X[100], X[200]])
    np.testing.assert_allclose(found.covariance, np.tile(X.var(axis=0) / 3, (3, 1)))
    np.testing.assert_allclose(found.weight, 1 / 3)


@pytest.mark.parametrize(
    ("events", "components", "how", "said"),
    [
        (X, 2, "kmens", "how is"),
        (X[:2], 3, "random", "3 components of 2 events"),
        (np.array([[1.0, np.nan]]), 1, "random", "not finite"),
    ],
)
def test_what_cannot_start_is_refused(
    events: np.ndarray[tuple[int, int], np.dtype[np.float64]], components: int, how: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        start(events, components, how=how)
