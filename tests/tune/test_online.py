"""The race while a call is made again and again: who runs the next iteration, and what is kept.

Variants are built, proven and loaded for real; how long an iteration takes is what a test says.
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from sejits_nb import config
from sejits_nb.contracts import Platform
from sejits_nb.errors import BackendError, Diagnostic
from sejits_nb.results import Report
from sejits_nb.stages import Config
from sejits_nb.tune import candidates, records
from sejits_nb.tune.online import OnlineRace
from sejits_nb.tune.specialize import Specialization, specialize
from sejits_nb.tune.turns import Turns

from .conftest import Paced, U, request

Pace = Callable[[Config], float]


class AtOnce:
    """What is begun in the background is done before anything else."""

    def submit(self, work: Callable[..., Any], *args: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(work(*args))
        return done


@pytest.fixture(autouse=True)
def _nothing_is_known(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No records; what one test has compiled and proven serves the next."""
    folder = tmp_path_factory.getbasetemp() / "online"
    monkeypatch.setenv("SEJITS_CACHE_DIR", str(folder))
    monkeypatch.setattr(candidates, "_builder", AtOnce())
    shutil.rmtree(config.cache_dir() / "records", ignore_errors=True)
    ADOPTED.clear()


def race_of(*platforms: Platform, chooses: bool = True, **wanted: Any) -> OnlineRace:
    """A race whose leader is what a call runs without one."""
    found = specialize(request(*platforms, **wanted | {"tune": "none"}))
    asked = request(*platforms, **wanted)
    return OnlineRace(asked, found, chooses, ADOPTED.append_pair)


class Adopted(list[tuple[Specialization, Report]]):
    def append_pair(self, leader: Specialization, report: Callable[[], Report]) -> None:
        self.append((leader, report()))


ADOPTED = Adopted()


def train(race: OnlineRace, pace: Pace, iterations: int) -> list[int]:
    """Who (by ``unroll``) ran each of the iterations, which took what *pace* says."""
    race.begin(request(*[]).values)
    ran = []
    for _ in range(iterations):
        whose = race.next()
        ran.append(whose.config["unroll"])
        race.note(whose, pace(whose.config))
    race.end()
    return ran


def by_unroll(times_ms: dict[int, float]) -> Pace:
    return lambda chosen: times_ms[chosen["unroll"]] / 1e3


TIMES = {1: 4.0, 2: 3.0, 4: 2.0, 8: 5.0}


def test_each_variant_runs_real_iterations_and_the_fastest_the_rest() -> None:
    platform = Paced(lambda _: 0.0)
    race = race_of(platform.platform)
    ran = train(race, by_unroll(TIMES), 60)
    assert race.settled
    assert set(ran) == {1, 2, 4, 8}
    assert ran[-10:] == [4] * 10
    assert race.leader.config["unroll"] == 4
    assert platform.runs.total() == 0  # nothing was run but iterations
    ((leader, report),) = ADOPTED
    assert leader is race.leader
    assert report.best is not None
    assert report.best.config["unroll"] == 4
    assert report.complete
    assert len(report.measurements) == 4
    assert report.speedup is not None


def test_what_else_runs_here_makes_single_iterations_longer() -> None:
    """Of three iterations of a comparison two take twenty times as long: the third one counts."""
    race, count = race_of(Paced(lambda _: 0.0).platform), iter(range(10_000))
    ran = train(race, lambda c: TIMES[c["unroll"]] / 1e3 * (1 if next(count) // 2 % 3 else 20), 90)
    assert ran[-1] == 4


@pytest.mark.parametrize(("slow_ms", "times"), [(50.0, 2), (2000.0, 1)])
def test_a_hopeless_variant_runs_no_more_than_it_must(slow_ms: float, times: int) -> None:
    """One iteration to warm up, one that counts; but not where the first one takes a second."""
    ran = train(race_of(Paced(lambda _: 0.0).platform), by_unroll(TIMES | {8: slow_ms}), 60)
    assert ran.count(8) == times


def test_the_choice_is_remembered_and_nothing_is_tried_again() -> None:
    first = Paced(lambda _: 0.0)
    train(race_of(first.platform), by_unroll(TIMES), 60)
    second = Paced(lambda _: 0.0)
    race = race_of(second.platform)
    assert train(race, by_unroll(TIMES), 30) == [4] * 30
    assert race.settled
    assert set(second.built) == {4}
    (_, report) = ADOPTED[-1]
    assert len(report.measurements) == 4


def test_what_a_short_training_found_out_is_gone_on_with() -> None:
    platform = Paced(lambda _: 0.0)
    tried: list[set[int]] = []
    for _ in range(6):
        race = race_of(platform.platform)
        tried.append(set(train(race, by_unroll(TIMES), 11)))
    assert race.settled
    assert race.leader.config["unroll"] == 4
    assert set().union(*tried) == {1, 2, 4, 8}
    assert all(len(one) <= 2 for one in tried)
    assert tried[-1] == {4}


@pytest.mark.usefixtures("own_cache")
def test_a_wrong_variant_never_runs_an_iteration() -> None:
    """Planted: the fastest one differs from the plain Python."""
    platform = Paced(lambda _: 0.0)
    real = platform.platform
    wrong = dataclasses.replace(
        real, trial=lambda artifact, case: "u[3] is 1, the plain Python gives 2"
        if platform._of_key[artifact.key]["unroll"] == 4 else real.trial(artifact, case),
    )  # fmt: skip
    race = race_of(wrong)
    ran = train(race, by_unroll(TIMES), 60)
    assert 4 not in ran
    assert race.leader.config["unroll"] == 2
    (planted,) = [m for m in ADOPTED[-1][1].measurements if m.verdict == "wrong"]
    assert planted.config["unroll"] == 4
    assert "plain Python gives 2" in planted.reason


def test_a_variant_that_does_not_compile_is_a_record() -> None:
    platform = Paced(lambda _: 0.0)
    real = platform.platform

    def build(source: Any, exact: bool) -> Any:
        artifact = real.build(source, exact)
        if platform._of_text[source.text]["unroll"] == 4:
            raise BackendError(Diagnostic("B002", "the C compiler refused it"))
        return artifact

    race = race_of(dataclasses.replace(real, build=build))
    assert 4 not in train(race, by_unroll(TIMES), 60)
    (failed,) = [m for m in ADOPTED[-1][1].measurements if m.verdict == "failed"]
    assert "refused it" in failed.reason


def test_a_leader_on_a_platform_that_makes_the_same_code() -> None:
    """One of two platforms of a language takes part, and records may say that the other one won."""
    other, platform = Paced(lambda _: 0.0, "other").platform, Paced(lambda _: 0.0).platform
    found = specialize(request(other, tune="none"))
    race = OnlineRace(request(platform, other), found, True, ADOPTED.append_pair)
    ran = train(race, by_unroll(TIMES), 80)
    assert race.settled
    assert ran[-1] == 4
    assert {m.platform for m in ADOPTED[-1][1].measurements} == {"other", "paced"}


def test_short_iterations_are_not_worth_a_choice() -> None:
    platform = Paced(lambda _: 0.0)
    assert set(train(race_of(platform.platform), lambda _: 2e-4, 2000)) == {1}
    assert set(platform.built) == {1}
    assert ADOPTED == []


def test_without_a_search_asked_for_a_choice_costs_a_quarter_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever is built is said to take 0.3 s, and iterations 10 ms."""
    monkeypatch.setattr(candidates, "_timed", lambda work: (0.3, work()))
    race = race_of(Paced(lambda _: 0.0).platform, tune="none")
    race.begin(request(*[]).values)
    trained = 0.0
    for _ in range(3000):
        whose = race.next()
        race.note(whose, 0.01)
        trained += 0.01
        assert race._cost_s <= 0.25 * trained + 1e-9
    race.end()
    assert trained > 4 * 4 * 0.3
    assert race.settled


@pytest.mark.parametrize("why", ["pinned", "not asked"])
def test_where_there_is_no_choice_nothing_is_tried(why: str) -> None:
    platform = Paced(lambda _: 0.0)
    race = race_of(platform.platform, chooses=False)
    assert set(train(race, by_unroll(TIMES), 40)) == {1}
    assert set(platform.built) == {1}


# -- iterations that fail


def test_a_candidate_that_fails_is_out_and_the_leader_runs_the_iteration() -> None:
    race = race_of(Paced(lambda _: 0.0).platform)
    race.begin(request(*[]).values)
    ran: list[tuple[int, bool]] = []
    for _ in range(60):
        whose = race.next()
        good = whose.config["unroll"] != 4
        ran.append((whose.config["unroll"], good))
        while not good:
            assert race.retry(whose, "no log-likelihood")
            whose = race.next()
            good = whose.config["unroll"] != 4
        race.note(whose, TIMES[whose.config["unroll"]] / 1e3)
    race.end()
    assert [good for _, good in ran].count(False) == 1
    assert race.leader.config["unroll"] == 2
    (failed,) = [m for m in ADOPTED[-1][1].measurements if m.verdict == "failed"]
    assert failed.config["unroll"] == 4
    assert "no log-likelihood" in failed.reason


def test_where_the_choice_fails_the_model_s_choice_takes_over() -> None:
    platform = Paced(lambda _: 0.0)
    train(race_of(platform.platform), by_unroll(TIMES), 60)
    race = race_of(platform.platform)
    race.begin(request(*[]).values)
    best = race.next()
    assert best.config["unroll"] == 4
    assert race.retry(best, "collapsed")
    model = race.next()
    assert model.config["unroll"] == 1
    race.note(model, 0.004)
    assert race.next() is model
    race.end()
    (failed,) = [m for m in ADOPTED[-1][1].measurements if m.verdict == "failed"]
    assert "fails where" in failed.reason


def test_where_all_fail_no_variant_is_to_blame() -> None:
    race = race_of(Paced(lambda _: 0.0).platform)
    race.begin(request(*[]).values)
    assert not race.retry(race.next(), "collapsed")
    race.end()
    assert records.recall(request(Paced(lambda _: 0.0).platform).subject) is None


def test_turns_run_a_failed_iteration_again() -> None:
    """An error of the device in one variant, and what a method is told of it."""
    race = race_of(Paced(lambda _: 0.0).platform)
    train(race, by_unroll(TIMES), 60)
    values = request(*[]).values
    with Turns(lambda _: race, lambda _: None) as turns:
        run, attempts = turns.every(values), []

        def attempt() -> str:
            attempts.append(turns._whose.config["unroll"])  # type: ignore[union-attr]
            if attempts[-1] == 4:
                raise BackendError(Diagnostic("B010", "out of resources"))
            run()
            return ""

        assert turns.take(attempt) == ""
        assert attempts == [4, 1]
        (name,), (seconds,) = turns.variants, turns.seconds_each
    assert "unroll=1" in name
    assert seconds > 0
    assert values["out"].any()


def test_a_second_thread_does_not_take_part() -> None:
    race = race_of(Paced(lambda _: 0.0).platform)
    values = {**request(*[]).values, "u": U}
    with Turns(lambda _: race, lambda _: None) as one, Turns(lambda _: race, lambda _: None) as two:
        one.every(values)
        run = two.every(values)
        assert two.take(lambda: (run(), "")[1]) == ""
        assert "unroll=1" in two.variants[0]
    assert race.lock.acquire(blocking=False)


def test_an_interrupt_keeps_what_is_known() -> None:
    race = race_of(Paced(lambda _: 0.0).platform)
    pace = by_unroll(TIMES)

    def interrupted() -> None:
        with Turns(lambda _: race, lambda _: None) as turns:
            turns.every(request(*[]).values)
            for _ in range(12):
                whose = race.next()
                race.note(whose, pace(whose.config))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    found = records.recall(request(Paced(lambda _: 0.0).platform).subject)
    assert found is not None
    assert not found.complete
    assert len(found.measurements) >= 2


def in_parts(race: OnlineRace, iterations: int, run_part: Callable[[Any], None]) -> Turns:
    """Iterations of three parts each; *run_part* does one part, given what runs it."""
    values = request(*[]).values
    with Turns(lambda _: race, lambda _: None) as turns:
        runs: list[Callable[[Any], None]] = []

        def attempt() -> str:
            runs[:] = runs or [turns.parts(lambda: values)]
            for _ in range(3):
                run_part(lambda: runs[0](values))
            return ""

        for _ in range(iterations):
            assert turns.take(attempt) == ""
    return turns


def test_all_parts_of_an_iteration_are_one_variant_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part runs the executable once; reading the next one takes none of the iteration's time."""
    monkeypatch.setattr("sejits_nb.tune.online._LEAST_S", 0.0)
    platform = Paced(lambda _: 0.0)
    race = race_of(platform.platform)

    def read_and_run(run: Callable[[], None]) -> None:
        time.sleep(0.002)
        run()

    turns = in_parts(race, 60, read_and_run)
    assert race.settled
    assert len(set(turns.variants)) == 4
    assert turns.variants[0].endswith("unroll=1")
    for unroll in (1, 2, 4, 8):
        own = [name for name in turns.variants if name.endswith(f"unroll={unroll}")]
        assert platform.runs[unroll] == 3 * len(own)
    assert sorted(turns.seconds_each)[30] < 0.006


def test_an_iteration_that_fails_in_a_later_part_begins_anew() -> None:
    race = race_of(Paced(lambda _: 0.0).platform)
    train(race, by_unroll(TIMES), 60)
    assert race.leader.config["unroll"] == 4
    race = race_of(Paced(lambda _: 0.0).platform)  # whose leader is what the records say
    ran: list[int] = []

    def run_part(run: Callable[[], None]) -> None:
        ran.append(len(ran))
        if len(ran) == 5:
            raise BackendError(Diagnostic("B010", "out of resources"))
        run()

    turns = in_parts(race, 3, run_part)
    assert len(ran) == 3 + 2 + 3 + 3
    assert [name.rpartition("=")[2] for name in turns.variants] == ["4", "1", "1"]


def test_a_first_iteration_in_parts_that_fails_is_repeated_too() -> None:
    """The race is not entered before it is known how many there are."""
    race, failures = race_of(Paced(lambda _: 0.0).platform), iter([True])

    def run_part(run: Callable[[], None]) -> None:
        if next(failures, False):
            raise BackendError(Diagnostic("B010", "out of resources"))
        run()

    assert len(in_parts(race, 1, run_part).variants) == 1
