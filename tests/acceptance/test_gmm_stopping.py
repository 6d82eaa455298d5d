"""The stopping rule of an iteration: ``mix.converged = condition``."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import sejits_nb as sj
from sejits_nb import registry
from sejits_nb.errors import ArgumentError
from sejits_nb.pipeline import Pipeline
from sejits_nb.specializers.gmm import SPECIALIZER
from sejits_nb.specializers.gmm.calls import signature_of
from sejits_nb.specializers.gmm.samples import started, three_clusters
from sejits_nb.specializers.gmm.stopping import compared
from sejits_nb.tune.prove import Prover

from .mixture_cells import CELLS, Cell, iteration
from .test_gmm_language import kernel_of

CELL = next(c for c in CELLS if c.name == "stopping")
X = three_clusters(120, 3)


def start() -> sj.Mixture:
    return started(X, 3, "full")


def by_hand(kernel: Any, x: Any, mixture: sj.Mixture, **numbers: float) -> list[float]:
    """The log-likelihoods of a training as a loop."""
    found = []
    while not mixture.converged:
        found.append(kernel(x, mixture, **numbers))
    return found


@pytest.fixture(scope="module")
def plain() -> list[list[float]]:
    """The plain Python's trainings for three tolerances."""
    kernel = kernel_of(CELL, backend="python")
    return [by_hand(kernel, X, start(), tol=tol) for tol in (1e-1, 1e-3, 1e-9)]


@pytest.mark.parametrize(("backend", "times"), [("openmp", 3), ("opencl", 1)])
def test_a_training_ends_where_a_loop_over_the_plain_python_does(
    backend: str, times: int, plain: list[list[float]]
) -> None:
    kernel = kernel_of(CELL, backend=backend, tune="none", check="off")
    assert len({len(found) for found in plain}) == 3
    for tol, wanted in [*zip((1e-1, 1e-3, 1e-9), plain, strict=True)][:times]:
        mixture = start()
        done = kernel.train(X, mixture, tol=tol)
        assert done.log_likelihoods == pytest.approx(wanted, rel=1e-9)
        assert (done.converged, mixture.converged) == (True, True)
        assert mixture.iteration == len(wanted)
        assert by_hand(kernel, X, start(), tol=tol) == pytest.approx(wanted, rel=1e-9)


def test_the_number_of_iterations_has_bounds() -> None:
    kernel = kernel_of(CELL, backend="c", tune="none")
    mixture = start()
    few = kernel.train(X, mixture, max_iter=3)
    assert (few.iterations, few.converged, mixture.converged) == (3, False, False)
    many = kernel.train(X, mixture, min_iter=45)
    assert (many.iterations, many.converged) == (45, True)
    parts = kernel.train([X[:50], X[50:]], start())
    assert parts.converged
    assert parts.log_likelihoods == pytest.approx(kernel.train(X, start()).log_likelihoods)
    again = kernel.train(X, mixture)  # anew: nothing is known before its first iteration
    assert (again.iterations, again.converged) == (2, True)
    for wrong in ({"tol": 1e-3}, {"tol": 0}):
        with pytest.raises(ArgumentError, match="a stopping rule of its own"):
            kernel.train(X, mixture, 1e-3, **wrong)


def test_how_far_a_mixture_is() -> None:
    kernel, mixture = kernel_of(CELL, backend="c", tune="none"), start()
    assert (mixture.converged, mixture.iteration) == (False, 0)
    assert mixture.log_likelihood == mixture.previous_log_likelihood == -np.inf
    first, second = kernel(X, mixture), kernel(X, mixture)
    assert (mixture.previous_log_likelihood, mixture.log_likelihood) == (first, second)
    kernel.evaluate(X, mixture)
    with pytest.raises(ArgumentError, match="A015"):
        kernel(np.full_like(X, np.nan), mixture)
    for one in (mixture, mixture.copy(), pickle.loads(pickle.dumps(mixture))):
        assert (one.log_likelihood, one.previous_log_likelihood) == (second, first)
        assert (one.iteration, one.converged) == (2, False)
    by_hand(kernel, X, mixture)
    assert mixture.converged
    kernel(X, mixture)  # another training has begun
    assert (mixture.converged, mixture.iteration) == (False, 1)
    assert mixture.previous_log_likelihood == -np.inf


def test_without_a_rule_a_training_ends_as_ever_and_its_code_knows_none() -> None:
    kernel, mixture = kernel_of(CELLS[0], backend="c", tune="none"), start()
    done = kernel.train(X, mixture)
    gained = np.diff(done.log_likelihoods)
    assert done.converged
    assert abs(gained[-1]) < 1e-3 * len(X) < np.abs(gained[:-1]).min()
    assert (mixture.converged, mixture.iteration) == (True, done.iterations)
    assert "history" not in kernel.trace.last(5).text


def test_the_rule_is_at_every_level_and_linked_to_its_line() -> None:
    kernel = kernel_of(CELL, backend="c", tune="none")
    kernel(X, start())
    row = next(n for n, t in enumerate(kernel.trace.source.lines, 1) if "mix.converged" in t)
    for step in (kernel.trace.steps[0], kernel.trace.last(4), kernel.trace.last(5)):
        (line,) = (one for one in step.lines if one.text.strip().startswith("converged"))
        assert line.loc is not None
        assert line.loc.line == row


def test_an_estimator_s_kernel_decides_instead_of_its_tolerance() -> None:
    pytest.importorskip("sklearn")
    kernel = kernel_of(CELL, tune="none")
    fitted = [
        kernel.estimator(n_components=3, tol=tol, random_state=0, numbers={"tol": own}).fit(X)
        for tol, own in ((1e-9, 1e-1), (1e9, 1e-1), (1e9, 1e-9))
    ]
    assert all(one.converged_ for one in fitted)
    one, other, longer = (one.n_iter_ for one in fitted)
    assert one == other < longer


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("change <", "change >"), (">= 50", ">= 0"), ("and not", "and"), ("> 1e4", "< 1e4")],
)
def test_a_variant_that_has_the_rule_wrong_is_found(right: str, wrong: str) -> None:
    text = CELL.text.replace("> 0.1", "> 1e4")
    kernel, other = (
        kernel_of(replace(CELL, text=text.replace(right, one))) for one in (right, wrong)
    )
    values = kernel._bind((X, start()), {}).values
    signature = signature_of(kernel.interface, values)
    pipeline = Pipeline(SPECIALIZER, registry.platform("c"))
    provers = [Prover(pipeline, k._source) for k in (kernel, other)]
    cases = SPECIALIZER.cases(kernel._source, kernel._lookup, provers[0].optimised, signature,
                              values, False)  # fmt: skip
    for prover, fine in zip(provers, (True, False), strict=True):
        artifact = prover.build(signature, prover.front(signature)[1].default)[1]
        assert all(not pipeline.platform.trial(artifact, case) for case in cases) == fine


def test_what_only_rounding_decides_is_no_reason_to_refuse_a_variant() -> None:
    rule = "    mix.converged = abs(mix.log_likelihood - mix.previous_log_likelihood) <= 0.0\n"
    kernel = kernel_of(Cell("edge", iteration() + rule), backend="c")
    values = kernel._bind((X, start()), {}).values
    signature = signature_of(kernel.interface, values)
    prover = Prover(Pipeline(SPECIALIZER, registry.platform("c")), kernel._source)
    cases = SPECIALIZER.cases(kernel._source, kernel._lookup, prover.optimised, signature, values,
                              False)  # fmt: skip
    asked = ["converged" in {e.name for e in case.expectations} for case in cases]
    assert asked == [False, False, False, True, True, True]
    assert kernel(X, start()) < 0.0


def test_comparisons_are_watched_as_python_makes_them() -> None:
    margins: list[float] = []
    assert compared(margins, ("Lt", "LtE"), (1.0, 2.0, 5.0))
    assert not compared(margins, ("Gt",), (1.0, 4.0))
    assert not compared(margins, ("Eq",), (float("nan"), 4.0))
    assert margins == [1.0, 3.0, 3.0, 0.0]
