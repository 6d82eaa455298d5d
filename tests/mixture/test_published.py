"""``sj.GMM``: the published spelling, start and stopping rule."""

from __future__ import annotations

import math

import numpy as np
import pytest

import sejits_nb as sj
from sejits_nb.specializers.gmm.samples import three_clusters

pytestmark = pytest.mark.needs("gcc")

X = three_clusters(600, 2)


@pytest.mark.parametrize("cvtype", ["diag", "full"])
def test_training_and_its_answers(cvtype: str) -> None:
    model = sj.GMM(3, 2, cvtype=cvtype)
    value = model.train(X, max_em_iters=60)
    log_prob, posteriors = model.eval(X)
    assert (log_prob.shape, posteriors.shape) == ((600,), (3, 600))
    np.testing.assert_allclose(posteriors.sum(axis=0), 1)
    assert log_prob.sum() == pytest.approx(value, rel=1e-4)
    np.testing.assert_array_equal(model.score(X), log_prob)
    np.testing.assert_array_equal(model.predict(X), posteriors.argmax(axis=0))
    both = model.decode(X)
    np.testing.assert_array_equal(both[0], log_prob)
    np.testing.assert_array_equal(both[1], model.predict(X))


def test_it_stops_by_the_published_rule() -> None:
    model = sj.GMM(3, 2, cvtype="full")
    model.train(X, max_em_iters=500)
    assert model.training is not None
    values = model.training.log_likelihoods
    epsilon = (1 + 2 + 3) * math.log(600 * 2) * 1e-4
    changes = np.abs(np.diff(values))
    assert model.training.converged
    assert changes[-1] <= epsilon < changes[:-1].min()
    assert sj.GMM(3, 2).train(X, 1, 4) < sj.GMM(3, 2).train(X, 6, 6)
    long = sj.GMM(3, 2, cvtype="full")
    long.train(X, min_em_iters=len(values) + 5, max_em_iters=500, verbose=True)
    assert long.training is not None
    assert long.training.iterations == len(values) + 5


def test_a_start_that_is_given_and_training_that_goes_on() -> None:
    first = sj.GMM(3, 2, cvtype="full")
    first.train(X, max_em_iters=4)
    second = sj.GMM(3, 2, first.get_all_component_means(),
                    first.get_all_component_full_covariance(),
                    first.get_all_component_weights(), cvtype="full")  # fmt: skip
    assert first.train(X, max_em_iters=3) == second.train(X, max_em_iters=3)
    means = X[[5, 250, 500]]
    only_means = sj.GMM(3, 2, means=means)
    only_means.train(X, max_em_iters=1)
    assert np.abs(only_means.get_all_component_means() - means).max() < 10


@pytest.mark.parametrize("cvtype", ["diag", "full"])
def test_getters(cvtype: str) -> None:
    model = sj.GMM(3, 2, cvtype=cvtype)
    model.train(X)
    full, diag = (model.get_all_component_full_covariance(),
                  model.get_all_component_diag_covariance())  # fmt: skip
    assert (full.shape, diag.shape) == ((3, 2, 2), (3, 2))
    assert model.get_all_component_weights().sum() == pytest.approx(1)
    for c in range(3):
        assert model.get_one_component_weight(c) == model.get_all_component_weights()[c]
        assert np.array_equal(model.get_one_component_mean(c), model.get_all_component_means()[c])
        assert np.array_equal(model.get_one_component_full_covariance(c), full[c])
        assert np.array_equal(model.get_one_component_diag_covariance(c), np.diag(full[c]))
    assert np.array_equal(model.mixture.covariance, full if cvtype == "full" else diag)


def test_components_are_merged_down_to_those_that_there_are() -> None:
    model = sj.GMM(5, 2, cvtype="full")
    with pytest.raises(ValueError, match="which has not run"):
        model.compute_distance_rissanen(0, 1)
    while model.M > 3:
        model.train(X, max_em_iters=40)
        pairs = [(a, b) for b in range(model.M) for a in range(b)]
        model.merge_components(*min(pairs, key=lambda p: model.compute_distance_rissanen(*p)))
    merged = model.train(X, max_em_iters=40)
    assert model.get_all_component_means().shape == (3, 2)
    assert merged == pytest.approx(sj.GMM(3, 2, cvtype="full").train(X, max_em_iters=80), rel=1e-3)
    clusters = model.predict(X).reshape(3, 200)
    assert sorted(np.bincount(row).argmax() for row in clusters) == [0, 1, 2]


@pytest.mark.parametrize("single", [False, True])
def test_constant_columns_and_float32(single: bool) -> None:
    rows = np.c_[X, np.ones(600)].astype(np.float32 if single else np.float64)
    model = sj.GMM(3, 3, cvtype="full")
    assert math.isfinite(model.train(rows))
    assert model.score(rows).dtype == rows.dtype
    assert math.isfinite(sj.GMM(2, 1).train(np.ones((9, 1))))


def test_events_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="cvtype is 'tied'"):
        sj.GMM(2, 2, cvtype="tied")
    with pytest.raises(ValueError, match="3 dimensions, the mixture 2"):
        sj.GMM(2, 2).train(np.ones((5, 3)))
    with pytest.raises(ValueError, match="3 components of 2 events"):
        sj.GMM(3, 2).train(X[:2])
    with pytest.raises(ValueError, match="not finite"):
        sj.GMM(1, 2).train(np.array([[0.0, np.nan], [1.0, 2.0]]))
    with pytest.raises(ValueError, match="variance that is not finite"):
        sj.GMM(2, 2).train(X * 1e200)
    with pytest.raises(ValueError, match="mean has shape"):
        sj.GMM(2, 2, means=np.ones((3, 2)))
