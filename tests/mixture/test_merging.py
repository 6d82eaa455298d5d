"""Merging components, and speakers, by description length."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sejits_nb.mixture.merging import (
    agglomerate,
    bic,
    diarize,
    kl_divergence,
    kl_top_pairs,
    merge_components,
    rissanen,
    rissanen_distance,
)
from sejits_nb.mixture.start import start
from sejits_nb.specializers.gmm.mixture import Array, Mixture
from sejits_nb.specializers.gmm.samples import three_clusters


def four(kind: str = "full") -> Mixture:
    """Four components, of which 1 and 3 are close."""
    values = {"full": np.array([np.eye(2) * s for s in (1.0, 2.0, 0.5, 1.5)]),
              "diag": np.outer((1.0, 2.0, 0.5, 1.5), (1.0, 1.0))}  # fmt: skip
    return Mixture(4, 2, kind, weight=[0.1, 0.4, 0.3, 0.2],
                   mean=[[0, 0], [5, 5], [-9, 3], [5.5, 5.2]], values=values[kind])  # fmt: skip


@pytest.mark.parametrize("kind", ["full", "diag"])
def test_a_merged_component_has_both_moments(kind: str) -> None:
    before, after = four(kind), merge_components(four(kind), 3, 1)
    assert len(after.components()) == 3
    np.testing.assert_allclose(after.weight, [0.1, 0.6, 0.3])
    np.testing.assert_allclose(after.mean[2], before.mean[2])
    share = 2 / 3
    mean = share * before.mean[1] + (1 - share) * before.mean[3]
    np.testing.assert_allclose(after.mean[1], mean)

    def second(m: Mixture, k: int) -> Array:
        outer = np.outer(m.mean[k], m.mean[k])
        whole: Array = m.covariance[k] + (outer if kind == "full" else np.diag(outer))
        return whole

    both = share * second(before, 1) + (1 - share) * second(before, 3)
    np.testing.assert_allclose(second(after, 1), both)


def test_a_merged_sample_is_the_sample_of_both() -> None:
    """Against the moments of the events themselves."""
    rows = three_clusters(600, 3)
    parts = [rows[:200], rows[200:]]
    mixture = Mixture(2, 3, weight=[1 / 3, 2 / 3], mean=[p.mean(axis=0) for p in parts],
                      values=[np.cov(p.T, bias=True) for p in parts])  # fmt: skip
    one = merge_components(mixture, 0, 1)
    np.testing.assert_allclose(one.mean[0], rows.mean(axis=0))
    np.testing.assert_allclose(one.covariance[0], np.cov(rows.T, bias=True))


@pytest.mark.parametrize("kind", ["full", "diag"])
def test_distances(kind: str) -> None:
    mixture = four(kind)
    pairs = [(a, b) for a in range(4) for b in range(a + 1, 4)]
    costs = {p: rissanen_distance(mixture, p[0], p[1], 1000) for p in pairs}
    assert min(costs, key=lambda p: costs[p]) == (1, 3)
    assert min(costs.values()) > 0
    assert rissanen_distance(mixture, 3, 1, 1000) == pytest.approx(costs[1, 3])
    assert kl_top_pairs(mixture, 2)[0] == (1, 3)
    assert len(kl_top_pairs(mixture, 9)) == 6
    d, a, b = mixture.mean[1] - mixture.mean[3], 2.0, 1.5
    expected = 0.5 * (2 * (a / b + b / a) - 4 + d @ d * (1 / a + 1 / b))
    assert kl_divergence(mixture, 1, 3) == pytest.approx(expected)
    assert kl_divergence(mixture, 3, 1) == pytest.approx(expected)


def test_rissanen_distance_by_hand() -> None:
    mixture = Mixture(2, 1, weight=[0.5, 0.5], mean=[[-1.0], [1.0]], values=[[[1.0]], [[1.0]]])
    assert rissanen_distance(mixture, 0, 1, 10) == pytest.approx(10 / 2 * math.log(2.0))


def test_description_lengths() -> None:
    full, diag = four("full"), four("diag")
    assert rissanen(-10.0, full, 50) == pytest.approx(10 + 23 / 2 * math.log(100))
    assert rissanen(-10.0, diag, 50) == pytest.approx(10 + 19 / 2 * math.log(100))
    assert bic(-10.0, full, 50) == pytest.approx(20 + 23 * math.log(50))


def test_what_cannot_be_merged_is_refused() -> None:
    with pytest.raises(ValueError, match="1 and 1 are not two of 4"):
        merge_components(four(), 1, 1)
    with pytest.raises(ValueError, match="0 and 4 are not"):
        rissanen_distance(four(), 0, 4, 10)
    with pytest.raises(ValueError, match="tied mixture are not merged"):
        merge_components(Mixture(2, 2, "tied"), 0, 1)
    with pytest.raises(ValueError, match="tied mixture are not merged"):
        agglomerate(np.ones((9, 2)), Mixture(2, 2, "tied"))
    with pytest.raises(ValueError, match="not finite"):
        agglomerate(np.full((9, 2), np.nan), four())


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("kind", ["full", "diag"])
def test_merging_finds_how_many_clusters_there_are(kind: str) -> None:
    generator = np.random.default_rng(1)
    centres = [(0, 0), (12, 0), (0, 12), (12, 12)]
    rows = np.concatenate([generator.normal(c, 1.0, (150, 2)) for c in centres])
    first = start(rows, 6, kind, random=2)
    found = agglomerate(rows, first, max_iter=60)
    assert len(found.mixture.components()) == 4
    assert [k for k, _ in found.lengths] == [6, 5, 4, 3, 2, 1]
    assert min(found.lengths, key=lambda one: one[1])[0] == 4
    np.testing.assert_allclose(
        sorted(found.mixture.mean.round(0).tolist()), sorted(centres), 0, 0.1
    )
    assert len(first.components()) == 6
    assert agglomerate(rows, first, least=5).lengths[-1][0] == 5


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("candidates", [0, 4])
def test_three_speakers_are_told_apart(candidates: int) -> None:
    """Turns of different lengths; each speaker is a mixture of two sounds."""
    generator = np.random.default_rng(4)
    turns = [(0, 700), (1, 400), (2, 900), (0, 500), (2, 300), (1, 800)]
    sounds = generator.normal(0.0, 4.0, (3, 2, 6))
    truth = np.repeat([who for who, _ in turns], [length for _, length in turns])
    which = generator.integers(0, 2, len(truth))
    rows = sounds[truth, which] + generator.standard_normal((len(truth), 6))
    found = diarize(rows, 8, 2, window=50, candidates=candidates)
    assert len(found.mixtures) == 3
    assert all(gain > 0 for _, gain in found.merges)
    agreement = [np.bincount(truth[found.speakers == s]).max() for s in range(3)]
    assert sum(agreement) / len(truth) > 0.97


def test_parts_that_are_too_short_are_refused() -> None:
    with pytest.raises(ValueError, match="30 events for 8 speakers of 5"):
        diarize(np.ones((30, 2)), 8, 5)
    with pytest.raises(ValueError, match="30 events for 0 speakers of 5"):
        diarize(np.ones((30, 2)), 0, 5)
    with pytest.raises(ValueError, match="tied mixture are not merged"):
        diarize(np.ones((30, 2)), 2, 2, covariance="tied")
