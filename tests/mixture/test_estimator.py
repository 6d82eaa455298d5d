"""``sj.GaussianMixture`` beside scikit-learn's own: same start, same iterations, same model."""

# ruff: noqa: F821
# mypy: disable-error-code="name-defined"
from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sejits_nb as sj
from sejits_nb.errors import ArgumentError
from sejits_nb.mixture.cells import iteration
from sejits_nb.phase5_backend import cache
from sejits_nb.specializers.gmm.mixture import Array
from sejits_nb.specializers.gmm.samples import three_clusters

sklearn, joblib = map(pytest.importorskip, ("sklearn", "joblib"))

from sklearn import datasets  # noqa: E402  # after the skip
from sklearn.base import clone  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.mixture import GaussianMixture as Theirs  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import check_estimator  # noqa: E402

from sejits_nb.mixture.estimator import GaussianMixture  # noqa: E402

pytestmark = [pytest.mark.needs("gcc"), pytest.mark.usefixtures("by_kernel")]

KINDS = ("full", "diag", "tied", "spherical")
NAMES = ("digits", "wine", "breast_cancer", "china", "flower", "clusters")
TRAINED = ("weights_", "means_", "covariances_", "precisions_cholesky_")
FITTED = (*TRAINED, "precisions_")
X = three_clusters(600, 3)


def data(name: str) -> Array:
    """Events by the name of a data set; photographs as a sample of their pixels."""
    if name == "clusters":
        return three_clusters(900, 5)
    if name in ("china", "flower"):
        picture = datasets.load_sample_image(f"{name}.jpg")
        return np.asarray(picture.reshape(-1, 3)[::97] / 255.0)
    found = np.asarray(getattr(datasets, f"load_{name}")().data)
    return (found - found.mean(axis=0)) / found.std(axis=0) if name == "breast_cancer" else found


def both(events: Array, **how: Any) -> tuple[GaussianMixture, Any]:
    how = {"random_state": 0, **how}
    return GaussianMixture(**how).fit(events), Theirs(**how).fit(events)


def bounds(theirs: Any) -> list[float]:
    """Lower bounds of the iterations; before scikit-learn 1.7 the last one alone is known."""
    return getattr(theirs, "lower_bounds_", [theirs.lower_bound_])


def native(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the kernel that is tested, whatever the size."""

    def refuse(*_: Any) -> None:
        raise AssertionError("the iterations in two passes ran")

    monkeypatch.setattr(GaussianMixture, "_in_two_passes", refuse)


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, kind) for name in NAMES for kind in ("full", "diag")),
        *((name, kind) for name in ("wine", "china", "clusters") for kind in ("tied", "spherical")),
    ],
)
def test_log_likelihoods_are_scikit_learns(
    name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    native(monkeypatch)
    events = data(name)
    ours, theirs = both(events, n_components=4, covariance_type=kind, max_iter=10, tol=0)
    np.testing.assert_allclose(ours.lower_bounds_[-len(bounds(theirs)) :], bounds(theirs), 1e-6)
    assert ours.n_iter_ == theirs.n_iter_ == 10
    assert ours.score(events) == pytest.approx(theirs.score(events), rel=1e-6)
    np.testing.assert_array_equal(ours.predict(events), theirs.predict(events))


@pytest.mark.parametrize("kind", KINDS)
def test_fitted_attributes_are_scikit_learns(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    native(monkeypatch)
    ours, theirs = both(X, n_components=3, covariance_type=kind, n_init=3, init_params="random")
    assert (ours.n_iter_, ours.converged_) == (theirs.n_iter_, theirs.converged_)
    for name in FITTED:
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), 1e-6, 1e-9)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), 0, 1e-8)
    np.testing.assert_allclose(ours.score_samples(X), theirs.score_samples(X), 1e-8)
    for measure in ("bic", "aic", "score"):
        assert getattr(ours, measure)(X) == pytest.approx(getattr(theirs, measure)(X))
    assert ours.sample(5)[0].shape == (5, 3)


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["kmeans", "k-means++", "random", "random_from_data"])
def test_every_start_is_scikit_learns(how: str, kind: str) -> None:
    ours, theirs = both(X, n_components=3, init_params=how, covariance_type=kind, max_iter=2)
    np.testing.assert_allclose(ours.means_, theirs.means_, 1e-8)
    np.testing.assert_allclose(ours.covariances_, theirs.covariances_, 1e-6, 1e-9)
    np.testing.assert_allclose(ours.lower_bounds_[-len(bounds(theirs)) :], bounds(theirs), 1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_given_starts_are_taken(kind: str) -> None:
    precisions = {"full": np.tile(np.eye(3), (3, 1, 1)), "tied": np.eye(3),
                  "diag": np.ones((3, 3)), "spherical": np.ones(3)}[kind]  # fmt: skip
    ours, theirs = both(X, n_components=3, covariance_type=kind, means_init=X[[0, 300, 500]],
                        weights_init=[0.2, 0.3, 0.5], precisions_init=precisions)  # fmt: skip
    np.testing.assert_allclose(ours.lower_bounds_[-len(bounds(theirs)) :], bounds(theirs), 1e-9)


@pytest.mark.usefixtures("quiet")
def test_a_warm_start_goes_on_and_notices_that_it_has_converged() -> None:
    pair = [kind(3, warm_start=True, max_iter=1, random_state=1, tol=1e-4, init_params="random")
            for kind in (GaussianMixture, Theirs)]  # fmt: skip
    for _ in range(40):
        for estimator in pair:
            estimator.fit(X)
        assert pair[0].lower_bound_ == pytest.approx(pair[1].lower_bound_, rel=1e-9)
        assert pair[0].converged_ == pair[1].converged_
    assert pair[0].converged_


@pytest.mark.usefixtures("quiet")
def test_no_iterations_leave_the_start() -> None:
    ours, theirs = both(X, n_components=3, max_iter=0)
    np.testing.assert_allclose(ours.covariances_, theirs.covariances_, 1e-9)
    assert (ours.n_iter_, ours.lower_bound_) == (0, -np.inf)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_stays_float32(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    native(monkeypatch)
    single = X.astype(np.float32)
    ours = GaussianMixture(3, covariance_type=kind, random_state=0).fit(single)
    exact = Theirs(3, covariance_type=kind, random_state=0).fit(X)
    for name in TRAINED:
        assert getattr(ours, name).dtype == np.float32
    assert ours.predict_proba(single).dtype == ours.score_samples(single).dtype == np.float32
    assert ours.lower_bound_ == pytest.approx(exact.lower_bound_, rel=1e-4)
    np.testing.assert_array_equal(ours.fit_predict(single), ours.predict(single))


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_set_by_hand_are_those_of_scikit_learn(kind: str) -> None:
    theirs = Theirs(3, covariance_type=kind, random_state=0).fit(X)
    ours = GaussianMixture(covariance_type=kind)
    for name in ("weights_", "means_", "precisions_cholesky_"):
        setattr(ours, name, getattr(theirs, name))
    np.testing.assert_allclose(ours.score_samples(X), theirs.score_samples(X), 1e-8)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


@pytest.mark.slow
def test_scikit_learns_own_checks() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(GaussianMixture(), on_skip=None, on_fail=None)
    assert len(results) >= 40
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert failed == {}


def test_pipelines_grids_clones_and_pickles() -> None:
    pipeline = make_pipeline(StandardScaler(), GaussianMixture(random_state=0))
    grid = {"gaussianmixture__n_components": [1, 3], "gaussianmixture__covariance_type": ["diag"]}
    mixed = np.random.default_rng(0).permutation(X)
    search = GridSearchCV(pipeline, grid, cv=3).fit(mixed)
    assert search.best_params_["gaussianmixture__n_components"] == 3
    fitted = search.best_estimator_[-1]
    again = pickle.loads(pickle.dumps(fitted))
    events = StandardScaler().fit_transform(X)
    np.testing.assert_array_equal(again.predict(events), fitted.predict(events))
    assert clone(fitted).get_params() == fitted.get_params()
    assert not hasattr(clone(fitted), "means_")


def test_an_interrupt_keeps_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(self: GaussianMixture, training: Any) -> None:
        if training.iterations == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(GaussianMixture, "_progress", stop)
    estimator = GaussianMixture(3, verbose=1, tol=0, n_init=4, random_state=0)
    with pytest.warns(ConvergenceWarning, match="interrupted after iteration 5"):
        estimator.fit(X)
    assert (estimator.n_iter_, estimator.converged_) == (5, False)
    assert np.isfinite(estimator.score(X))


def test_verbose_speaks_as_scikit_learn_does(capsys: pytest.CaptureFixture[str]) -> None:
    how: dict[str, Any] = {"n_components": 3, "verbose": 2, "verbose_interval": 2}
    how["random_state"] = 0
    GaussianMixture(**how).fit(X)
    ours = capsys.readouterr().out
    Theirs(**how).fit(X)
    theirs = capsys.readouterr().out
    assert [line.split()[:2] for line in ours.splitlines()] == [
        line.split()[:2] for line in theirs.splitlines()
    ]


# -- kernels of the user's own


def test_a_kernel_makes_an_estimator_that_trains_with_it() -> None:
    @sj.gmm(components=3, covariance="diag", fallback=False)
    def heavy(x, mix):  # type: ignore[no-untyped-def]
        for n in x.events():
            for k in mix.components():
                d = mahalanobis(x[n], mix.mean[k], mix.covariance[k])
                mix.scale[n, k] = (4.0 + x.dimension) / (4.0 + d)
                tail = 0.5 * (4.0 + x.dimension) * log(1.0 + d / 4.0)
                mix.joint[n, k] = log(mix.weight[k]) - 0.5 * log_det(mix.covariance[k]) - tail
            mix.responsibility[n] = softmax(mix.joint[n])
        for k in mix.components():
            r = mix.responsibility[:, k]
            w = r * mix.scale[:, k]
            mix.weight[k] = mean(r)
            mix.mean[k] = average(x, w)
            mix.covariance[k] = scatter(x, mix.mean[k], w) * sum(w) / sum(r) + 1e-6 * eye

    estimator = heavy.estimator(random_state=0, max_iter=300, tol=1e-6)
    assert isinstance(estimator, GaussianMixture)
    assert (estimator.n_components, estimator.covariance_type) == (3, "diag")
    assert clone(estimator).kernel is heavy
    estimator.fit(X)
    assert estimator.converged_
    normal = Theirs(3, covariance_type="diag", random_state=0).fit(X)
    assert (estimator.covariances_ < normal.covariances_).mean() > 0.8  # tails count less
    again = sj.Mixture(3, 3, "diag", weight=estimator.weights_, mean=estimator.means_,
                       values=estimator.covariances_)  # fmt: skip
    log_prob, shares = heavy.evaluate(X, again)
    np.testing.assert_allclose(estimator.score_samples(X), log_prob)
    np.testing.assert_array_equal(estimator.predict(X), shares.argmax(axis=1))
    assert not hasattr(heavy, "means_")
    assert "means_" not in dir(heavy)
    assert heavy.fit(X, random_state=0, max_iter=300, tol=1e-6) is heavy.fitted
    np.testing.assert_array_equal(heavy.means_, estimator.means_)
    np.testing.assert_array_equal(heavy.predict_proba(X), estimator.predict_proba(X))
    assert "means_" in dir(heavy)
    labels = heavy.fit_predict(X, random_state=1, max_iter=300)
    assert heavy.fitted.random_state == 1
    np.testing.assert_array_equal(heavy.predict(X), labels)


@pytest.mark.usefixtures("quiet")
def test_regularisations_share_their_code() -> None:
    """A grid over ``reg_covar`` compiles nothing, and what was found out for one holds for all."""
    estimator = GaussianMixture(3, backend="openmp", random_state=0, max_iter=5).fit(X)
    kernel = iteration("full", "openmp")
    ready, compiled, raced = len(kernel._ready), cache.usage()[0], list(kernel._races)
    grid = {"reg_covar": [1e-9, 1e-6, 1e-3, 1.0]}
    search = GridSearchCV(estimator, grid, cv=2).fit(np.random.default_rng(0).permutation(X))
    assert len({round(s, 9) for s in search.cv_results_["mean_test_score"]}) == 4
    assert (len(kernel._ready), cache.usage()[0], list(kernel._races)) == (ready, compiled, raced)


@pytest.mark.usefixtures("quiet")
def test_an_estimator_has_the_numbers_of_its_kernel() -> None:
    @sj.gmm(components=3, covariance="diag", fallback=False, tune="none")
    def least(x, mix, floor, tol=2.0):  # type: ignore[no-untyped-def]
        for n in x.events():
            for k in mix.components():
                c = mix.covariance[k] + floor
                mix.joint[n, k] = log(mix.weight[k]) + log_normal(x[n], mix.mean[k], c)
            mix.responsibility[n] = softmax(mix.joint[n])
        for k in mix.components():
            r = mix.responsibility[:, k]
            mix.weight[k] = mean(r)
            mix.mean[k] = average(x, r)
            mix.covariance[k] = scatter(x, mix.mean[k], r) / tol

    estimator = least.estimator(numbers={"floor": 0.5}, random_state=0, max_iter=3, tol=0.0)
    again = pickle.loads(pickle.dumps(clone(estimator).set_params(numbers={"floor": 1.5})))
    for one, floor in ((estimator, 0.5), (again, 1.5)):
        assert one.fit(X).n_iter_ == 3  # the tol of the estimator, not that of the kernel
        mixture = sj.Mixture(3, 3, "diag", weight=one.weights_, mean=one.means_,
                             values=one.covariances_)  # fmt: skip
        np.testing.assert_allclose(one.score_samples(X), least.evaluate(X, mixture, floor)[0])
    search = GridSearchCV(
        estimator, {"numbers": [{"floor": 0.1}, {"floor": 9.0, "tol": 1.0}]}, cv=2
    )
    assert search.fit(np.random.default_rng(0).permutation(X)).best_params_ == {
        "numbers": {"floor": 0.1}
    }
    for wrong, code in (
        ({}, "A010"),
        ({"floor": 1.0, "roof": 1.0}, "A010"),
        ({"floor": "1"}, "A016"),
    ):
        with pytest.raises(ArgumentError, match=code):
            estimator.set_params(numbers=wrong).fit(X)


@pytest.mark.usefixtures("quiet")
def test_a_kernel_goes_along_to_other_processes(tmp_path: Path) -> None:
    shift = np.array([0.5, 0.0, 0.0])

    @sj.gmm(covariance="diag", fallback=False)
    def shifted(x, mix):  # type: ignore[no-untyped-def]
        for n in x.events():
            for k in mix.components():
                mix.joint[n, k] = log(mix.weight[k]) + log_normal(
                    x[n], mix.mean[k], mix.covariance[k]
                )
            mix.responsibility[n] = softmax(mix.joint[n])
        for k in mix.components():
            mix.mean[k] = average(x, mix.responsibility[:, k]) + shift

    estimator = shifted.estimator(random_state=0, n_components=3, max_iter=2).fit(X)
    joblib.dump(estimator, tmp_path / "model")
    program = """
import joblib, numpy
model = joblib.load("model")
print(model.score(numpy.load("events.npy")), model.kernel.complete)
"""
    np.save(tmp_path / "events", X)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=tmp_path)
    assert done.stdout.decode().split() == [str(estimator.score(X)), "True"], done.stderr


def test_what_is_no_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="'kernel' parameter of GaussianMixture must be an object"):
        GaussianMixture(2, kernel="diag").fit(X)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Mine overrides _e_step, _m_step, but the iterations"):
        type("Mine", (GaussianMixture,), {"_m_step": None, "_e_step": None})


def test_without_scikit_learn_only_the_estimator_is_missing() -> None:
    program = """
import sys
sys.modules["sklearn"] = None
import numpy as np, sejits_nb as sj
from sejits_nb import *
model = sj.GMM(2, 1)
print(np.isfinite(model.train(np.array([[0.0], [0.1], [5.0], [5.1]]))))
try:
    sj.GaussianMixture
except ImportError as error:
    print(error)
"""
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    first, second = said.stdout.splitlines()
    assert first == "True"
    assert "sejits_nb[sklearn]" in second
