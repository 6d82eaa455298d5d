"""``train`` and ``evaluate``: stopping, chunks, interrupts, empty and collapsing components."""

from __future__ import annotations

import signal
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sejits_nb.errors import ArgumentError, BackendError
from sejits_nb.mixture.cells import iteration
from sejits_nb.results import Training
from sejits_nb.specializers.gmm import chunks
from sejits_nb.specializers.gmm.mixture import Array, Mixture
from sejits_nb.specializers.gmm.samples import started, three_clusters

pytestmark = pytest.mark.needs("gcc")

X = three_clusters(700, 3)
KINDS = ("full", "diag", "tied", "spherical")


def trained(kind: str, events: Any = X, **how: Any) -> tuple[Mixture, Training]:
    mixture = started(X, 3, kind)
    return mixture, iteration(kind).train(events, mixture, **how)


def close(a: Mixture, b: Mixture, tolerance: float = 1e-10) -> None:
    for name, array in a.arrays().items():
        np.testing.assert_allclose(array, b.arrays()[name], tolerance, tolerance, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_training_is_the_calls_one_after_another(kind: str) -> None:
    kernel, single = iteration(kind), started(X, 3, kind)
    values = [kernel(X, single) for _ in range(6)]
    mixture, training = trained(kind, max_iter=6, tol=0)
    assert training.log_likelihoods == pytest.approx(values, rel=1e-12)
    assert (training.iterations, training.converged, training.events) == (6, False, 700)
    close(mixture, single)


@pytest.mark.parametrize("kind", KINDS)
def test_training_in_plain_python_is_the_same(kind: str) -> None:
    few, mixture, plain = X[::10], started(X, 3, kind), started(X, 3, kind)
    iteration(kind).train(few, mixture, max_iter=3, tol=0)
    iteration(kind, "python").train(few, plain, max_iter=3, tol=0)
    close(mixture, plain, 1e-8)


def test_it_stops_where_the_mean_log_likelihood_stands_still() -> None:
    _, training = trained("full", tol=1e-4)
    change = np.diff(training.log_likelihoods) / training.events
    assert training.converged
    assert abs(change[-1]) < 1e-4 <= abs(change[:-1]).min()
    assert trained("full", tol=1e-4, min_iter=40)[1].iterations == 40
    assert trained("full", max_iter=0)[1].log_likelihoods == ()


@pytest.mark.parametrize("wrong", [{"max_iter": -1}, {"max_iter": 2.5}, {"tol": float("nan")}])
def test_numbers_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError, match="A010"):
        trained("full", **wrong)


@pytest.mark.parametrize("kind", KINDS)
def test_evaluate_is_the_density(kind: str) -> None:
    mixture, _ = trained(kind, max_iter=5)
    before = mixture.copy()
    log_prob, shares = iteration(kind).evaluate(X, mixture)
    close(mixture, before, 0)
    normal = pytest.importorskip("scipy.stats").multivariate_normal
    values = [mixture.covariance[k] for k in range(3)]
    if kind in ("diag", "spherical"):
        values = [np.diag(np.broadcast_to(v, 3)) for v in values]
    joint = np.transpose([
        np.log(mixture.weight[k]) + normal(mixture.mean[k], values[k]).logpdf(X)
        for k in range(3)
    ])  # fmt: skip
    total = np.logaddexp.reduce(joint, axis=1)
    np.testing.assert_allclose(log_prob, total, 1e-9)
    np.testing.assert_allclose(shares, np.exp(joint - total[:, None]), 0, 1e-9)


def test_evaluate_refuses_a_covariance_without_a_density() -> None:
    mixture = started(X, 3, "full")
    mixture.covariance[1] = 0.0
    with pytest.raises(ArgumentError, match=r"A014.*component 1"):
        iteration("full").evaluate(X, mixture)


# -- events in parts


@pytest.fixture(autouse=True)
def _each_chunk_is_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few its rows are."""
    monkeypatch.setattr(chunks, "FEW", 1)


class Pieces:
    """Chunks that can be read again and again; the largest number of them alive at once."""

    def __init__(self, rows: Array, sizes: list[int]) -> None:
        self.parts = np.split(rows, np.cumsum(sizes))
        self.reads = 0

    def __iter__(self) -> Iterator[Array]:
        self.reads += 1
        return (part.copy() for part in self.parts)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_chunks_train_as_one_piece(kind: str, dtype: str) -> None:
    rows = X.astype(dtype)
    whole, one = trained(kind, rows, max_iter=4, tol=0)
    pieces = Pieces(rows, [64, 1, 0, 300, 65])
    parts, several = trained(kind, pieces, max_iter=4, tol=0)
    tolerance = 1e-10 if dtype == "float64" else 1e-4
    assert several.log_likelihoods == pytest.approx(one.log_likelihoods, rel=tolerance)
    assert (several.events, pieces.reads) == (700, 4)
    close(parts, whole, tolerance)


def test_chunks_do_not_pile_up() -> None:
    alive: list[weakref.ref[Array]] = []
    most = 0

    def read() -> Iterator[Array]:
        nonlocal most
        for part in np.split(X, 10):
            piece = part.copy()
            alive.append(weakref.ref(piece))
            most = max(most, sum(one() is not None for one in alive))
            yield piece
            del piece

    trained("full", read, max_iter=2, tol=0)
    assert len(alive) == 20
    assert most <= 2


@pytest.mark.parametrize(
    "source",
    [lambda: lambda: iter((X[:300], X[300:])), lambda: [X[:300], X[300:]]],
    ids=["a callable", "a list of arrays"],
)
def test_other_spellings_of_chunks(source: Callable[[], Any]) -> None:
    close(trained("full", source(), max_iter=3)[0], trained("full", max_iter=3)[0])


@pytest.mark.parametrize("dtypes", [("f4", "f8"), ("f8", "f4"), (">f8", "i8")])
def test_chunks_of_several_dtypes_become_float64(dtypes: tuple[str, str]) -> None:
    """Only what comes before the first float64 in the first iteration is summed up in float32."""
    rows = np.round(X)
    parts = [rows[:300].astype(dtypes[0]), rows[300:].astype(dtypes[1])]
    mixture, training = trained("full", lambda: iter(parts), max_iter=5, tol=0)
    whole, one = trained("full", rows, max_iter=5, tol=0)
    tolerance = 1e-4 if dtypes[0] == "f4" else 1e-10
    assert training.log_likelihoods == pytest.approx(one.log_likelihoods, rel=tolerance)
    close(mixture, whole, tolerance)


def test_chunks_of_few_rows_are_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where all are read into the same array."""
    monkeypatch.setattr(chunks, "FEW", 100)
    buffer = np.empty((300, 3))

    def read() -> Iterator[Array]:
        first = 0
        for count in (30, 30, 39, 1, 1, 300, 1, 99, 150, 49):
            buffer[:count] = X[first : first + count]
            yield buffer[:count]
            first += count

    found = [rows.copy() for rows in chunks._gathered(read())]
    assert [len(rows) for rows in found] == [100, 1, 300, 100, 150, 49]
    np.testing.assert_array_equal(np.concatenate(found), X)


def test_what_cannot_be_read_again_is_refused() -> None:
    with pytest.raises(ArgumentError, match="only once"):
        trained("full", iter((X,)))
    with pytest.raises(BackendError, match="B013: an iteration in parts needs native code"):
        iteration("full", backend="python").train([X], started(X, 3, "full"))
    with pytest.raises(ArgumentError, match="no events"):
        trained("full", lambda: iter(()))
    with pytest.raises(ArgumentError, match="2 dimensions"):
        trained("full", lambda: iter((X[:, :2],)))


@pytest.mark.parametrize(("dtype", "order"), [("f8", "C"), ("f4", "C"), (">f8", "C"), ("f8", "F")])
def test_a_memory_map_is_read_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str, order: Any
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 8 * 3 * 100)
    mapped = np.memmap(tmp_path / "events", dtype, "w+", shape=X.shape, order=order)
    mapped[:] = X
    seen: list[Any] = []
    source, _ = chunks.source_of(
        iteration("full").interface,  # type: ignore[arg-type]  # a GmmInterface
        (mapped, started(X, 3, "full")),
        {},
    )
    seen = list(source.chunks())
    if dtype in ("f8", "f4") and order == "C":
        assert source.whole is not None
        assert np.shares_memory(source.whole, mapped)
    else:
        assert [len(s) for s in seen] == [100] * 7
    tolerance = 1e-4 if dtype == "f4" else 1e-10
    close(trained("full", mapped, max_iter=3)[0], trained("full", max_iter=3)[0], tolerance)


# -- what goes wrong


def test_an_empty_component_keeps_its_place_and_is_said_once() -> None:
    for kind in KINDS:
        mixture = started(X, 3, kind)
        mixture.mean[1] = 1e6
        before = mixture.copy()
        with pytest.warns(RuntimeWarning, match="component 1 has no events") as said:
            training = iteration(kind).train(X, mixture, max_iter=5, tol=0)
        assert len(said) == 1
        assert training.iterations == 5
        assert "component 1" in training.note
        assert mixture.weight[1] == 0
        np.testing.assert_array_equal(mixture.mean[1], before.mean[1])
        assert all(np.isfinite(a).all() for a in mixture.arrays().values())
        if kind != "tied":
            np.testing.assert_array_equal(mixture.covariance[1], before.covariance[1])


@pytest.mark.parametrize("kind", ["full", "diag", "spherical"])
def test_a_planted_collapse_keeps_the_mixture_before_it(kind: str) -> None:
    rows = np.concatenate([X[:200], np.tile([[100.0, 100.0, 100.0]], (50, 1))])
    mixture = Mixture(2, 3, kind, mean=[rows[:200].mean(axis=0), rows[-1]])
    with pytest.warns(RuntimeWarning, match=r"covariance of component 1 collapsed"):
        training = iteration(kind).train(rows, mixture, 0.0, max_iter=20, tol=0)
    assert not training.converged
    assert "collapsed" in training.note
    assert all(np.isfinite(a).all() for a in mixture.arrays().values())
    assert np.isfinite(iteration(kind).evaluate(rows, mixture)[0]).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_event_that_is_not_finite_leaves_the_mixture_alone(bad: float) -> None:
    rows = X.copy()
    rows[13, 1] = bad
    for kind in KINDS:
        mixture, before = started(X, 3, kind), started(X, 3, kind)
        with pytest.warns(RuntimeWarning, match="training stopped"):
            iteration(kind).train(rows, mixture, max_iter=5)
        close(mixture, before, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_leaves_no_mixture_that_is_not_finite(kind: str) -> None:
    kernel, rows = iteration(kind), X.copy()
    rows[13, 1] = np.nan
    mixture = started(X, 3, kind)
    for run in (kernel, kernel.evaluate, kernel.reference):
        with pytest.raises(ArgumentError, match="A015: event 13 of 'x' is not finite"):
            run(rows, mixture)
    close(mixture, started(X, 3, kind), 0)
    mixture.weight[:] = [2.0, -1.0, 0.0]
    with pytest.raises(ArgumentError, match="A015: the weight of 'mix' is not that of a mixture"):
        kernel(X, mixture)


def test_an_interrupt_keeps_the_mixture_so_far() -> None:
    mixture = started(X, 3, "full")
    seen: list[Training] = []

    def listen(training: Training) -> None:
        seen.append(training)
        if training.iterations == 4:
            raise KeyboardInterrupt

    training = iteration("full").train(X, mixture, max_iter=50, tol=0, listen=listen)
    assert training.interrupted
    assert training.iterations == 4 == len(seen)
    close(mixture, trained("full", max_iter=4, tol=0)[0])


def test_a_real_interrupt_arrives_while_native_code_runs() -> None:
    mixture = started(X, 3, "full")
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT))
    iteration("full").train(X, mixture, max_iter=1)
    # what ran notebooks or a browser in this process may have put a handler of its own
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        timer.start()
        training = iteration("full").train(X, mixture, max_iter=10**7, tol=0)
        timer.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert training.interrupted
    assert training.iterations > 1
    assert np.isfinite(iteration("full").evaluate(X, mixture)[0]).all()


def test_other_numbers_of_events_need_no_new_code() -> None:
    """A call with as many digits in its number of events uses what is there."""
    kernel, mixture = iteration.__wrapped__("diag"), started(X, 3, "diag")
    kernel(X, mixture)
    ready = len(kernel._ready)
    for count in (699, 500, 101):
        assert kernel(X[:count], mixture.copy()) == pytest.approx(
            kernel.evaluate(X[:count], mixture)[0].sum(), rel=1e-12
        )
    assert len(kernel._ready) == ready == 1
