"""A training chooses its variant by running real iterations, and the next process knows the choice."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sejits_nb import registry
from sejits_nb.contracts import Executable, Knob
from sejits_nb.errors import BackendError, Diagnostic
from sejits_nb.kernel import Kernel
from sejits_nb.mixture.cells import iteration
from sejits_nb.options import make_options
from sejits_nb.results import Training
from sejits_nb.specializers.gmm.mixture import Array, Mixture
from sejits_nb.specializers.gmm.samples import started, three_clusters
from sejits_nb.tune import candidates, online

pytestmark = pytest.mark.needs("openmp")
X = three_clusters(20_000, 3)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache without any record."""
    monkeypatch.setenv("SEJITS_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("SEJITS_THREADS", "2")
    return tmp_path


@pytest.fixture
def _any_iteration_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "_LEAST_S", 0.0)


def kernel(**options: Any) -> Kernel:
    """The standard iteration with two variants, one thread and two, on one platform."""
    standard = iteration("full")

    def knobs(unit: Any, threads: int) -> tuple[Knob, ...]:
        own = registry.specializer("gmm").knobs(unit, threads)
        return tuple(k if k.name == "threads" else replace(k, values=(k.default,)) for k in own)

    asked = make_options(backend="openmp", **options)
    return Kernel(
        replace(standard._specializer, knobs=knobs), standard._source, standard._lookup, asked
    )


def until_settled(made: Kernel, events: Any) -> tuple[Training, Mixture]:
    """A training that is broken off when the choice has been made."""
    mixture = started(X, 3, "full")

    def listen(training: Training) -> None:
        race = [*made._races.values()][-1]  # chunks may begin with that of the first of them
        if race.settled and training.iterations > 20:
            raise KeyboardInterrupt

    return made.train(events, mixture, max_iter=200_000, tol=0, listen=listen), mixture


class Chunks:
    """All of X in five chunks; ``reads`` have begun, and ``most`` of the chunks were alive at once."""

    def __init__(self) -> None:
        self.reads = self.most = 0
        self._alive: list[weakref.ref[Array]] = []

    def __iter__(self) -> Iterator[Array]:
        self.reads += 1
        for rows in np.split(X, 5):
            chunk = rows.copy()
            self._alive = [one for one in self._alive if one() is not None] + [weakref.ref(chunk)]
            self.most = max(self.most, len(self._alive))
            yield chunk
            del chunk


SECOND = """
import numpy as np
from sejits_nb.phase5_backend import compile_c, trial
from sejits_nb.mixture.cells import iteration
from sejits_nb.specializers.gmm.samples import started, three_clusters
from sejits_nb.tune import candidates, online

def never(*args, **kwargs):
    raise AssertionError("nothing is compiled, tried or built")

compile_c.run = trial.Trials.run = candidates.Background.begin = never
online._LEAST_S = 0.0
kernel = iteration("full", backend="openmp")
X = three_clusters(70_000, 3)
for events in X, [X[:20_000], X[20_000:]]:
    done = kernel.train(events, started(X, 3, "full"), max_iter=60, tol=0)
    print(*set(done.variants), sep="; ")
print(len(kernel.variants))
"""


@pytest.mark.usefixtures("own_cache", "_any_iteration_counts")
def test_a_real_choice_and_a_second_process() -> None:
    made = kernel(tune="quick")
    done, mixture = until_settled(made, X)
    names = [f"openmp {m.config}" for m in made.variants]
    assert done.interrupted
    assert len(done.variants) == len(done.seconds_each) == done.iterations
    assert set(done.variants) == set(names)
    assert len(names) == 2
    assert done.variants[-1] == names[0]
    assert all(0 < s < 10 for s in done.seconds_each)

    pinned = kernel(set={"threads": 1})
    same = started(X, 3, "full")
    again = pinned.train(X, same, max_iter=done.iterations, tol=0)
    np.testing.assert_allclose(again.log_likelihoods, done.log_likelihoods, rtol=1e-11)
    np.testing.assert_allclose(same.mean, mixture.mean, rtol=1e-9)

    said = subprocess.run(
        [sys.executable, "-c", SECOND], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines() == [names[0], names[0], "2"]


@pytest.mark.usefixtures("own_cache", "_any_iteration_counts")
@pytest.mark.parametrize("options", [{"tune": "none"}, {"set": {"threads": 1}}])
def test_who_says_what_to_run_gets_that(options: dict[str, Any]) -> None:
    made = kernel(**options)
    done = made.train(X, started(X, 3, "full"), max_iter=30, tol=0)
    assert len(set(done.variants)) == 1
    assert len(made.variants) == 0


@pytest.mark.usefixtures("own_cache", "_any_iteration_counts")
@pytest.mark.parametrize("iterations", [3, 30])
def test_the_events_are_not_kept(iterations: int) -> None:
    made, events = kernel(tune="quick"), X.copy()
    made.train(events, started(events, 3, "full"), max_iter=iterations, tol=0)
    kept = weakref.ref(events)
    del events
    candidates._builder.submit(int).result()  # what is being built holds them until then
    gc.collect()
    assert kept() is None


def test_little_data_is_no_reason_to_compile_more() -> None:
    made = kernel()
    for _ in range(20):
        made.train(X[:200], started(X[:200], 3, "full"), max_iter=50, tol=0)
    (race,) = made._races.values()
    assert not race._background.busy
    assert not race.settled


def test_the_plain_python_says_so() -> None:
    made = iteration("diag", backend="python")
    done = made.train(X[:50], started(X[:50], 2, "diag"), max_iter=2, tol=0)
    assert done.variants == ("plain Python",) * 2


@pytest.mark.usefixtures("own_cache", "_any_iteration_counts")
def test_chunks_choose_for_whole_data_too() -> None:
    """No chunk is kept for a variant that is being proven."""
    made, chunks = kernel(tune="quick"), Chunks()
    done, _ = until_settled(made, chunks)
    names = [f"openmp {m.config}" for m in made.variants]
    assert set(done.variants) == set(names)
    assert len(names) == 2
    assert (chunks.reads, chunks.most) == (done.iterations, 1)
    later = kernel(tune="quick").train(X, started(X, 3, "full"), max_iter=30, tol=0)
    assert set(later.variants) == {names[0]}


@pytest.mark.usefixtures("own_cache", "_any_iteration_counts")
def test_a_variant_that_fails_within_a_pass_leaves_no_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its sums over the chunks so far are thrown away, and the leader reads all chunks anew."""

    class Breaking:
        """Fails at the third chunk."""

        def __init__(self, real: Executable) -> None:
            self.real, self.chunks = real, 0

        def bound(self, values: Any) -> Any:
            self.chunks += 1
            if self.chunks == 3:
                raise BackendError(Diagnostic("B010", "out of resources"))
            return self.real.bound(values)

    def breaking(*args: Any) -> Any:
        found: Any = candidates.made(*args)
        return replace(found, executable=Breaking(found.executable))

    monkeypatch.setattr(online, "made", breaking)
    made, chunks = kernel(tune="quick"), Chunks()
    done, mixture = until_settled(made, chunks)
    (failed,) = [m for m in made.variants if m.verdict == "failed"]
    assert "out of resources" in failed.reason
    assert chunks.reads == done.iterations + 1
    same = started(X, 3, "full")
    again = made.train(chunks, same, max_iter=done.iterations, tol=0)
    assert {*again.variants} == {*done.variants}
    assert again.log_likelihoods == done.log_likelihoods
    np.testing.assert_array_equal(same.covariance, mixture.covariance)
