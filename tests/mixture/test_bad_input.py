"""Bad and strange events for ``sj.GaussianMixture``: scikit-learn's words, or its model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sejits_nb.specializers.gmm.mixture import Array
from sejits_nb.specializers.gmm.samples import three_clusters

pytest.importorskip("sklearn")

from sklearn.mixture import GaussianMixture as Theirs  # after the skip

from sejits_nb.mixture.estimator import GaussianMixture

pytestmark = pytest.mark.needs("gcc")


@pytest.fixture(autouse=True, params=["NumPy", "kernel"])
def by(request: pytest.FixtureRequest) -> None:
    """Who trains so little data: what stands in for the kernel, or that itself."""
    if request.param == "kernel":
        request.getfixturevalue("by_kernel")


KINDS = ("full", "diag", "tied", "spherical")
TRAINED = ("weights_", "means_", "covariances_", "precisions_cholesky_")
X = three_clusters(600, 3)


@pytest.mark.parametrize(
    ("events", "how"),
    [
        (np.where(np.arange(600)[:, None] == 7, np.nan, X), {}),
        (np.where(np.arange(600)[:, None] == 7, np.inf, X), {}),
        (X[:3], {"n_components": 4}),
        (X[:, 0], {}),
        (X[:0], {}),
        (X + 1j, {}),
        (np.full((4, 2), "word"), {}),
        (X, {"n_components": 0}),
        (X, {"covariance_type": "round"}),
        (X, {"reg_covar": -1.0}),
        (X, {"weights_init": [1.0, 1.0], "n_components": 2}),
        (X, {"means_init": np.ones((2, 2)), "n_components": 2}),
        (np.ones((50, 2)), {"reg_covar": 0.0}),
        (np.ones((50, 2)), {"reg_covar": 0.0, "covariance_type": "diag"}),
    ],
)
def test_bad_input_is_refused_in_scikit_learns_words(events: Array, how: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)) as theirs:
        Theirs(**how).fit(events)
    with pytest.raises(type(theirs.value)) as ours:
        GaussianMixture(**how).fit(events)
    assert str(ours.value) == str(theirs.value)


STRANGE = {
    "a constant column": np.c_[X, np.full(600, 1e5)],
    "one dimension": X[:, :1],
    "duplicated points": np.repeat(X[::100], 30, axis=0),
    "one point": np.ones((40, 3)),
    "integers": (10 * X).astype(np.int32),
    "booleans": X > 0,
    "every other row": np.repeat(X, 2, axis=0)[::2],
    "Fortran order": np.asfortranarray(X),
    "big-endian": X.astype(">f8"),
    "read-only": np.frombuffer(X.tobytes()).reshape(X.shape),
    "a list": X[:50].tolist(),
    "scales apart": X * [1e-6, 1.0, 1e9],
    "far from the origin": X + 1e9,
}  # fmt: skip


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("kind", "components"), [("full", 1), ("diag", 1), *((kind, 3) for kind in KINDS)]
)
@pytest.mark.parametrize("name", STRANGE)
def test_strange_events_give_scikit_learns_model(name: str, kind: str, components: int) -> None:
    events = STRANGE[name]
    how: dict[str, Any] = {"covariance_type": kind, "max_iter": 8, "random_state": 0}
    how["init_params"] = "random"
    ours = GaussianMixture(components, **how).fit(events)
    centred = np.asarray(events, np.float64) - np.mean(events, axis=0)  # theirs lose digits else
    theirs = Theirs(components, **how).fit(centred)
    assert ours.lower_bound_ == pytest.approx(theirs.lower_bound_, rel=1e-5, abs=1e-5)
    np.testing.assert_allclose(ours.covariances_, theirs.covariances_, 1e-3, 1e-6)
    np.testing.assert_array_equal(ours.predict(events), theirs.predict(centred))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("dtype", "apart"), [("float64", 1e6), ("float32", 1e3)])
def test_clusters_far_apart_keep_their_covariances(kind: str, dtype: str, apart: float) -> None:
    """Sums of squares about one origin lose every digit of such a variance."""
    generator = np.random.default_rng(5)
    loose = generator.normal(0.0, 1e-3 if dtype == "float64" else 0.1, (3, 200, 2))
    loose -= loose.mean(axis=1, keepdims=True)
    events = (loose + apart * np.array([-1.0, 0.0, 2.0])[:, None, None]).astype(dtype)
    reg = 1e-9
    ours = GaussianMixture(3, covariance_type=kind, reg_covar=reg, random_state=0)
    found = ours.fit(events.reshape(-1, 2))
    variances = np.sort([(c**2).mean(axis=0) for c in loose], axis=0) + reg
    got = np.asarray(found.covariances_, np.float64)
    got = np.diagonal(got, axis1=-2, axis2=-1) if kind in ("full", "tied") else got
    if kind == "tied":
        variances = variances.mean(axis=0)
    elif kind == "spherical":
        variances = np.sort([(c**2).mean() for c in loose]) + reg
    np.testing.assert_allclose(np.sort(got, axis=0), variances, 1e-2)


def test_a_collapse_is_said_in_scikit_learns_words() -> None:
    rows = np.concatenate([X[:200], np.tile([[100.0, 100.0, 100.0]], (50, 1))])
    for kind in ("full", "diag", "spherical"):
        with pytest.raises(ValueError, match="ill-defined empirical covariance"):
            GaussianMixture(2, covariance_type=kind, reg_covar=0.0, random_state=0).fit(rows)


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["nearly dependent", "an outlier", "far away"])
def test_float32_gives_the_model_of_float64(what: str, kind: str) -> None:
    """Nearly singular sums of squares stay positive definite, and the densities are the same."""
    generator = np.random.default_rng(0)
    turn = np.linalg.qr(generator.normal(size=(3, 3)))[0]
    dependent = X @ (turn * [1.0, 1e-3, 1e-6]) @ turn.T
    outlier = np.concatenate([X, np.full((1, 3), 1e6)])
    single = {"nearly dependent": dependent, "an outlier": outlier, "far away": X + 1e5}[what]
    single = generator.permutation(single).astype(np.float32)
    how: dict[str, Any] = {"covariance_type": kind, "max_iter": 5, "tol": 0, "random_state": 0}
    how |= {"means_init": single[[0, 300, 599]], "weights_init": [0.5, 0.25, 0.25]}
    how["precisions_init"] = {"full": np.tile(np.eye(3), (3, 1, 1)), "tied": np.eye(3),
                              "diag": np.ones((3, 3)), "spherical": np.ones(3)}[kind]  # fmt: skip
    ours = GaussianMixture(3, **how).fit(single)
    exact = GaussianMixture(3, **how).fit(single.astype(np.float64))
    for name in TRAINED:
        assert getattr(ours, name).dtype == np.float32
        assert np.isfinite(getattr(ours, name)).all()
    assert ours.lower_bound_ == pytest.approx(exact.lower_bound_, rel=1e-4)
    assert ours.score(single) == pytest.approx(exact.score(single.astype(float)), rel=1e-3)


def test_covariances_that_float32_does_not_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="not finite in float32"):
        GaussianMixture(1, init_params="random").fit((X * 1e20).astype(np.float32))
