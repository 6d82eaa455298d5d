"""Every strategy and form of an EM iteration in C: the same iteration, whatever the sizes."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import sejits_nb as sj
from sejits_nb.decorate import kernel_of_cell
from sejits_nb.specializers.gmm import chunks
from sejits_nb.specializers.gmm.events_to_c import FORMS, STRATEGIES

from .mixture_cells import CELLS, Array, Cell

NORMAL, STUDENT, TIED = (
    next(c for c in CELLS if c.name == n) for n in ("normal", "student", "tied")
)
DIAG, SPHERICAL = (next(c for c in CELLS if c.name == n) for n in ("diag", "spherical"))
CASES = [
    (NORMAL, 5, 7, "f8"), (NORMAL, 1, 1, "f8"), (STUDENT, 3, 9, "f8"), (TIED, 4, 3, "f4"),
    (DIAG, 17, 6, "f4"), (SPHERICAL, 2, 17, "f8"),
]  # fmt: skip
each_way = pytest.mark.parametrize(("strategy", "form"), [*product(STRATEGIES, FORMS)])


def problem(cell: Cell, d: int, k: int, count: int, dtype: str) -> tuple[Array, sj.Mixture]:
    """Overlapping events far from the origin, and a mixture of full rank."""
    rng = np.random.default_rng(d * 100 + k)
    x = (rng.normal(size=(count, d)) * 2 + 30).astype(dtype)
    half = rng.normal(size=(k, d, d)) * 0.3
    whole = half @ half.transpose(0, 2, 1) + np.eye(d)
    covariance = {
        "full": whole, "tied": whole[0], "diag": np.array([np.diag(c) for c in whole]),
        "spherical": whole[:, 0, 0],
    }[cell.covariance]  # fmt: skip
    mean, weight = rng.normal(size=(k, d)) + 30, rng.dirichlet(np.full(k, 5.0))
    return x, sj.Mixture.of(weight, mean, covariance, cell.covariance)


def kernel_of(cell: Cell, **keywords: Any) -> Any:
    names = dict(cell.names)
    return kernel_of_cell(f"%%gmm\n{cell.text}", "Cell In[1]", "speech", names.__getitem__, "gmm",
                          {"covariance": cell.covariance, "fallback": False} | keywords)  # fmt: skip


@each_way
def test_every_way_gives_the_same_iteration(strategy: str, form: str) -> None:
    cell, d, k, dtype = CASES[STRATEGIES.index(strategy)] if form == FORMS[0] else (
        CASES[(STRATEGIES.index(strategy) + 3) % len(CASES)])  # fmt: skip
    pins = {"strategy": strategy, "form": form, "block": 32, "threads": 2}
    kernel = kernel_of(cell, backend="openmp", set=pins)
    near = 1e-9 if dtype == "f8" else 2e-4
    for count in (1, 700, 5000):  # of a part of a block; of one thread's; of several panels
        x, ours = problem(cell, d, k, max(count, k), dtype)
        _, plain = problem(cell, d, k, max(count, k), dtype)
        if count == 1:
            x = x[:1]
            log_prob, weight = kernel.evaluate(x, ours)
            wanted = kernel_of(cell, backend="python").evaluate(x, plain)
            np.testing.assert_allclose(log_prob, wanted[0], rtol=near)
            np.testing.assert_allclose(weight, wanted[1], rtol=near, atol=near)
            continue
        assert kernel(x, ours) == pytest.approx(kernel.reference(x, plain), rel=near)
        for got, want in zip(ours.arrays().values(), plain.arrays().values(), strict=True):
            np.testing.assert_allclose(got, want, rtol=10 * near, atol=10 * near)
    built = kernel.trace.last(5).text
    assert ("panel" in built) == (strategy != "fused")
    own = cell is not TIED  # one covariance is whitened by, whatever the form
    assert ("natural(" in built) == (form == "natural" and own)
    assert "enum { BLOCK = 32 };" in built


@pytest.mark.parametrize("strategy", ["separate", "components", "cells"])
def test_chunks_add_up_to_the_whole(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "FEW", 1)
    kernel = kernel_of(NORMAL, backend="openmp", set={"strategy": strategy, "threads": 2})
    x, whole = problem(NORMAL, 5, 7, 4100, "f8")
    _, parts = problem(NORMAL, 5, 7, 4100, "f8")
    one = kernel.train(x, whole, max_iter=2, tol=0.0)
    two = kernel.train([x[:33], x[33:2500], x[2500:]], parts, max_iter=2, tol=0.0)
    np.testing.assert_allclose(one.log_likelihoods, two.log_likelihoods, rtol=1e-12)
    np.testing.assert_allclose(whole.covariance, parts.covariance, rtol=1e-9)


def test_a_way_that_is_none_is_refused() -> None:
    with pytest.raises(sj.SejitsError, match="knob strategy cannot be V9"):
        kernel_of(NORMAL, backend="openmp", set="strategy=V9")(*problem(NORMAL, 2, 2, 50, "f8"))
