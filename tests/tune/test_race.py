"""Races: the fastest right variant of all platforms wins; what was found out is never lost."""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sejits_nb import config, stencil
from sejits_nb.contracts import Platform
from sejits_nb.errors import BackendError, Diagnostic
from sejits_nb.platforms.c_openmp import OPENMP, SERIAL
from sejits_nb.platforms.opencl import OPENCL
from sejits_nb.results import Progress, RaceStopped, Report
from sejits_nb.stages import Config
from sejits_nb.tune import strategies, timing
from sejits_nb.tune.specialize import Specialization

from .conftest import UNROLLS, Paced, run

MS = 1e-3
pytestmark = [pytest.mark.needs("gcc"), pytest.mark.usefixtures("own_cache", "paced_clock")]


def report_of(done: Specialization) -> Report:
    assert done.report is not None
    return done.report


def unrolls(report: Report) -> list[int]:
    return [m.config["unroll"] for m in report.measurements]


def four_is_best(chosen: Config) -> float:
    return {1: 3 * MS, 2: 2 * MS, 4: 1 * MS, 8: 4 * MS}[chosen["unroll"]]


def broken(reason: str) -> Platform:
    def build(*_: Any) -> Any:
        raise BackendError(Diagnostic("B002", reason))

    return dataclasses.replace(OPENMP, name="broken", build=build)


# -- the choice


def test_the_fastest_variant_wins_and_samples_are_seconds_of_one_run() -> None:
    report = report_of(run(Paced(four_is_best).platform))
    assert report.best is not None
    assert report.best.config["unroll"] == 4
    assert report.complete
    assert sorted(unrolls(report)) == list(UNROLLS)
    assert report.best.median_s == pytest.approx(1 * MS)
    assert len(report.best.times_s) >= 4
    assert report.caches == "warm"


def test_platforms_race_together_each_with_a_row() -> None:
    fast, slow = Paced(lambda c: 1 * MS, "fast"), Paced(lambda c: 9 * MS, "slow")
    done = run(slow.platform, fast.platform)
    assert done.platform == "fast"
    rows = [m.platform for m in report_of(done).measurements]
    assert rows.count("slow") == 1, "a hopeless platform gets no second batch"
    assert rows.count("fast") == len(UNROLLS)


def test_c_openmp_and_opencl() -> None:
    done = run(OPENMP, SERIAL, OPENCL)
    report = report_of(done)
    assert {m.platform for m in report.measurements} == {"openmp", "c", "opencl"}
    assert all(m.verdict == "correct" for m in report.measurements), report.measurements
    assert done.platform in ("openmp", "c")  # a launch alone takes longer


def test_the_same_code_is_timed_once() -> None:
    """One thread of openmp is c, to the letter: listed once more, with the same times."""
    report = report_of(run(OPENMP, SERIAL))
    (serial,) = [m for m in report.measurements if m.platform == "c"]
    twins = [m for m in report.measurements if m.config == serial.config and m.platform != "c"]
    assert [m.times_s for m in twins] == [serial.times_s]


def test_a_failing_platform_is_a_record() -> None:
    done = run(broken("no such instruction"), SERIAL)
    assert done.platform == "c"
    (failed,) = [m for m in report_of(done).measurements if m.platform == "broken"]
    assert failed.verdict == "failed"
    assert "no such instruction" in failed.reason
    assert run(broken("no such instruction"), SERIAL, tune="none").platform == "c"


def test_when_every_platform_fails_that_is_said() -> None:
    for tune in ("quick", "none"):
        with pytest.raises(BackendError, match="no such instruction"):
            run(broken("no such instruction"), tune=tune, fresh=True)


def test_of_a_large_space_no_more_is_tried_than_the_effort_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quick = dataclasses.replace(strategies.EFFORTS["quick"], most=3, batch=1)
    monkeypatch.setitem(strategies.EFFORTS, "quick", quick)
    report = report_of(run(Paced(four_is_best).platform))
    assert len(report.measurements) == 3
    assert report.complete


# -- what is remembered


def test_the_next_process_starts_from_the_best_without_a_timing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = report_of(run(Paced(four_is_best).platform))

    def never(*_: Any) -> float:
        raise AssertionError("something was timed")

    monkeypatch.setattr(timing, "_timed", never)
    again = report_of(run(Paced(four_is_best).platform))
    assert again.best is not None
    assert before.best is not None
    assert again.best.config == before.best.config
    assert again.best.median_s == pytest.approx(before.best.median_s, rel=1e-3)
    assert unrolls(again) == unrolls(before)
    assert again.python_s == pytest.approx(before.python_s, rel=1e-3)
    assert run(Paced(four_is_best).platform, tune="none").config["unroll"] == 4


def test_another_shape_of_the_bucket_takes_its_choice_until_it_is_tuned() -> None:
    run(Paced(four_is_best).platform)
    other = np.arange(240.0).reshape(20, 12)
    paced = Paced(lambda c: c["unroll"] * MS)
    assert run(paced.platform, u=other, tune="none").config["unroll"] == 4
    assert not paced.runs
    assert run(paced.platform, u=other).config["unroll"] == 1
    assert run(paced.platform, u=other, tune="none").config["unroll"] == 1
    far = np.arange(4800.0).reshape(80, 60)
    assert run(paced.platform, u=far, tune="none").config["unroll"] == 1


def test_a_new_platform_joins_what_is_known() -> None:
    run(Paced(four_is_best, "a").platform)
    first, second = Paced(four_is_best, "a"), Paced(lambda c: c["unroll"] * MS / 4, "b")
    report = report_of(run(first.platform, second.platform))
    assert report.best is not None
    assert (report.best.platform, report.best.config["unroll"]) == ("b", 1)
    assert set(first.runs) == {4}, "only the best of before runs again"


def test_pinned_knobs_are_neither_recalled_nor_remembered() -> None:
    run(Paced(four_is_best).platform)
    pinned = run(Paced(four_is_best).platform, pins=(("unroll", 8),))
    assert unrolls(report_of(pinned)) == [8]
    assert run(Paced(four_is_best).platform, tune="none").config["unroll"] == 4


# -- interrupts and budgets


def interrupted_at(number: int) -> Paced:
    """Interrupted in the timed run of that number."""
    count = iter(range(10_000))

    def pace(chosen: Config) -> float:
        if next(count) == number:
            raise KeyboardInterrupt
        return four_is_best(chosen)

    return Paced(pace)


def test_an_interrupt_keeps_the_best_so_far_and_the_race_goes_on_from_there() -> None:
    report = report_of(run(interrupted_at(9).platform))
    assert not report.complete
    assert report.best is not None
    decided = {m.config["unroll"] for m in report.measurements}
    assert 0 < len(decided) < len(UNROLLS)

    recalled = report_of(run(Paced(four_is_best).platform))
    assert recalled.best is not None
    assert recalled.best.config == report.best.config
    assert not recalled.complete

    second = Paced(four_is_best)
    whole = report_of(run(second.platform, resume=True))
    assert whole.complete
    assert sorted(unrolls(whole)) == list(UNROLLS)
    assert whole.best is not None
    assert whole.best.config["unroll"] == 4
    again = decided - {report.best.config["unroll"], 4}
    assert not again & {*second.runs}, "what was decided and is far from the best runs no more"


def test_an_interrupt_before_anything_is_known_is_passed_on() -> None:
    with pytest.raises(KeyboardInterrupt):
        run(interrupted_at(0).platform)


def test_a_listener_stops_the_race_and_the_best_so_far_is_kept() -> None:
    def stop(progress: Progress) -> None:
        if progress.phase == "building" and progress.done:
            raise RaceStopped

    report = report_of(run(Paced(four_is_best).platform, listen=stop))
    assert not report.complete
    assert report.best is not None
    assert 0 < len(report.measurements) < len(UNROLLS)
    heard: list[Progress] = []
    assert report_of(run(Paced(four_is_best).platform, resume=True, listen=heard.append)).complete
    start = next(p for p in heard if p.phase == "starting")
    assert start.done == len(report.measurements), "what is known already is told at once"


def test_a_stop_before_anything_is_known_is_passed_on() -> None:
    def stop(progress: Progress) -> None:
        raise RaceStopped

    with pytest.raises(RaceStopped):
        run(Paced(four_is_best).platform, listen=stop)


def test_a_second_interrupt_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    from sejits_nb.tune import records

    real = records.remember
    monkeypatch.setattr(
        records, "remember", lambda *a, ended=False, **k: interrupt() if ended else real(*a, **k)
    )
    with pytest.raises(KeyboardInterrupt):
        run(interrupted_at(25).platform)
    monkeypatch.undo()


def test_time_that_is_up_leaves_a_part_that_can_be_resumed() -> None:
    part = report_of(run(Paced(lambda c: 20 * MS).platform, budget_s=0.01))
    assert not part.complete
    assert part.total == len(UNROLLS)
    assert report_of(run(Paced(four_is_best).platform)).total == len(UNROLLS), "recalled as well"
    assert 0 < len(part.measurements) < len(UNROLLS)
    whole = report_of(run(Paced(four_is_best).platform, resume=True))
    assert whole.complete
    assert len(whole.measurements) == len(UNROLLS)


def test_a_race_that_came_to_its_end_begins_anew() -> None:
    run(Paced(four_is_best).platform)
    again = Paced(lambda c: c["unroll"] * MS)
    assert run(again.platform, resume=True).config["unroll"] == 1
    assert {*again.runs} == {*UNROLLS}


def test_more_effort_goes_on_from_the_smaller_race(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = dataclasses.replace(strategies.EFFORTS["quick"], most=2)
    monkeypatch.setitem(strategies.EFFORTS, "quick", quick)
    part = report_of(run(Paced(four_is_best).platform))
    assert part.complete
    full = report_of(run(Paced(four_is_best).platform, tune="full", resume=True))
    assert unrolls(full)[:2] == unrolls(part)
    assert sorted(unrolls(full)) == list(UNROLLS)


def test_tune_of_a_kernel() -> None:
    def double(u, out):  # type: ignore[no-untyped-def]  # a kernel
        for x in out.interior_points():
            out[x] = 2.0 * u[x + (0, 1)]

    kernel = stencil(double, backend="c")
    u = np.random.default_rng(0).random((40, 50))
    heard: list[Progress] = []
    report = kernel.tune(u, budget=3.0, listen=heard.append)
    assert report.best is not None
    assert report.best.times_s
    assert heard[-1].done == len(report.measurements)
    assert np.array_equal(kernel(u)[:, 1:-1], 2.0 * u[:, 2:])
    assert kernel.tune(budget=3.0).signature == report.signature, "on the same arguments again"


# -- what is told


def test_a_listener_is_told_between_timings_only() -> None:
    heard: list[Progress] = []
    running = [False]

    def pace(chosen: Config) -> float:
        running[0] = True
        return four_is_best(chosen)

    paced = Paced(pace)

    def listen(progress: Progress) -> None:
        heard.append(progress)
        before = sum(paced.runs.values())
        time.sleep(0.001)
        assert sum(paced.runs.values()) == before

    report = report_of(run(paced.platform, listen=listen))
    phases = list(dict.fromkeys(p.phase for p in heard))
    assert phases == ["the plain Python", "starting", "building", "checking", "timing"]
    start = next(p for p in heard if p.phase == "starting")
    assert start.python_s > 0
    assert start.total == len(UNROLLS)
    assert 0 < start.left_s <= config.TUNE_BUDGET_S["quick"]
    done = [p.done for p in heard]
    assert done == sorted(done)
    assert done[-1] == len(UNROLLS)
    assert heard[-1].platform == "paced"
    assert heard[-1].left_s == 0
    known = [len(p.measurements) for p in heard]
    assert known[-1] == len(report.measurements)
    samples = [sum(len(m.times_s) for m in p.measurements) for p in heard if p.phase == "timing"]
    assert len({*samples}) > 4, "told after each round"


# -- where threads are


def affinities() -> dict[str, set[int]]:
    return {t: os.sched_getaffinity(int(t)) for t in os.listdir("/proc/self/task")}


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one CPU")
def test_threads_are_held_while_they_are_timed_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY"):
        monkeypatch.delenv(name, raising=False)
    before = os.sched_getaffinity(0)
    seen: list[dict[str, set[int]]] = []
    real = timing.Contender.sample

    def sample(self: timing.Contender, sweep: Any) -> float:
        seen.append({"threads": {self.threads}, **affinities()})
        return real(self, sweep)

    monkeypatch.setattr(timing.Contender, "sample", sample)
    u = np.random.default_rng(0).random((300, 300))
    run(OPENMP, u=u, pins=(("threads", 2), ("unroll", 1)))
    two = [now for now in seen if now["threads"] == {2}]
    assert two
    for now in two:
        held = [cpus for thread, cpus in now.items() if thread != "threads" and len(cpus) == 1]
        assert len(held) == 2
        assert held[0] != held[1]
    assert all(cpus == before for cpus in affinities().values())


def test_threads_that_the_user_has_bound_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from sejits_nb.phase5_backend.affinity import held

    monkeypatch.setenv("OMP_PROC_BIND", "true")
    before = os.sched_getaffinity(0)
    with held(1):
        assert os.sched_getaffinity(0) == before


def test_cache_states(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    small, large = 1000, 10 * timing.last_level_bytes()
    assert timing.cache_state(small) == "warm"
    assert timing.sweeper(small) is None
    monkeypatch.setenv("SEJITS_FLUSH", "1")
    assert timing.cache_state(small) == "flushed"
    sweep = timing.sweeper(small)
    assert sweep is not None
    sweep()
    assert timing.cache_state(large) == "exceed"
    assert timing.sweeper(large) is None


def test_ratios_are_of_the_same_round() -> None:
    """A machine that slows down between rounds does not change who is faster."""
    rounds = [[("a", 1.0), ("b", 2.0)], [("a", 5.0), ("b", 10.0)], [("b", 7.0)]]
    assert timing.paired_ratios(rounds, "a") == {"a": 1.0, "b": 2.0}


def test_scratch_outputs_have_the_same_strides_and_place_in_their_page() -> None:
    """Generated code has both hard-coded: on other strides it would write outside of the copy."""
    whole = np.arange(5000.0)[7:4007].reshape(40, 100)
    for array in (whole, whole.T, whole[::2, ::3], whole[::-1, 3:50], whole[:0]):
        copy = timing.scratch_like(array)
        assert np.array_equal(copy, array)
        assert not np.shares_memory(copy, array)
        assert copy.strides == array.strides
        assert copy.ctypes.data % 4096 == array.ctypes.data % 4096
