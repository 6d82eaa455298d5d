"""Rows, roofs and the way to the best as the browser gets them, and the race that a widget runs."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from sejits_nb.results import Bandwidth, Listener, Peak, Progress, Report, Roofs
from sejits_nb.widgets.explorer.roofline_state import path_rows, roofline_state
from sejits_nb.widgets.explorer.tuning import Tuning, in_background, state_of
from sejits_nb.widgets.explorer.variants_state import variant_rows

ROOFS = Roofs(
    tuple(
        Bandwidth(level, "copy", threads, threads * rate, size, holds)
        for level, rate, size, holds in (("L2", 4e10, 1 << 19, 1 << 20), ("DRAM", 1e10, 1 << 30, 0))
        for threads in (1, 2)
    ),
    tuple(Peak(d, t, t * 1e10) for d in ("f32", "f64") for t in (1, 2)),
    2, "AMD EPYC 7763, 2 of 2 CPUs", "2025-11-21 13:39",
)  # fmt: skip


@pytest.fixture
def raced(report: Report) -> Report:
    """The race of the report, in which a serial variant was the first, under roofs made by hand."""
    first, *others = report.measurements
    serial = dataclasses.replace(first, platform="c")
    return dataclasses.replace(report, measurements=(serial, *others), roofs=ROOFS)


def progress_of(report: Report, known: int) -> Progress:
    return Progress("blur", "openmp", "timing", known, 8, report.measurements[:known], report.work,
                    report.python_s, 2.0, report.roofs)  # fmt: skip


# -- rows


def test_a_row_says_what_a_variant_is_and_how_it_did(raced: Report) -> None:
    row = variant_rows(raced)[1]
    assert row["config"] == {"threads": 2, "tile": 0, "unroll": 1}
    assert (row["platform"], row["verdict"], row["best"]) == ("openmp", "correct", True)
    assert (row["median_s"], row["mad_s"], row["speedup"]) == (1.92e-4, 4e-6, 4198)
    assert row["times_s"] == [1.88e-4, 1.92e-4, 1.96e-4]
    assert row["bound"] == "memory"
    assert row["flops_per_s"] / row["roof_flops_per_s"] == pytest.approx(row["roof_fraction"], 1e-3)


def test_what_failed_has_its_reason_and_no_figures(raced: Report) -> None:
    row = variant_rows(raced)[4]
    assert row["reason"].startswith("out[3, 7] is 1.5")
    assert [row[k] for k in ("median_s", "speedup", "roof_fraction", "bound")] == [None] * 4


def test_without_roofs_nothing_is_said_of_them(report: Report) -> None:
    assert {row["roof_fraction"] for row in variant_rows(report)} == {None}
    assert roofline_state(report)["roofs"] == []


def test_rows_can_be_replayed(raced: Report) -> None:
    assert [row["leader"] for row in variant_rows(raced)] == [0, 1, 1, 1, 1, 1, 1, 1]
    assert [row["index"] for row in variant_rows(raced)] == [*range(8)]


def test_while_a_race_goes_on_the_fastest_is_the_best(raced: Report) -> None:
    rows = variant_rows(progress_of(raced, 1))
    assert [row["best"] for row in rows] == [True]
    assert [row["best"] for row in variant_rows(progress_of(raced, 4))] == [
        False,
        True,
        False,
        False,
    ]
    assert variant_rows(progress_of(raced, 0)) == []


def test_edited_code_comes_last(raced: Report) -> None:
    edited = dataclasses.replace(raced.measurements[0], times_s=(1e-4,))
    rows = variant_rows(raced, [edited])
    assert [row["origin"] for row in rows] == ["generated"] * 8 + ["edited"]
    assert (rows[8]["leader"], rows[8]["best"]) == (8, False)


def test_two_hundred_variants_take_less_than_the_half_of_a_megabyte(raced: Report) -> None:
    samples = tuple(1.23456789e-4 * (1 + n / 100) for n in range(48))
    many = [dataclasses.replace(raced.measurements[n % 4], times_s=samples) for n in range(200)]
    rows = variant_rows(dataclasses.replace(raced, measurements=tuple(many)))
    assert len(json.dumps(rows)) < 500_000


# -- the roofline


def test_roofs_of_one_thread_and_of_all(raced: Report) -> None:
    state = roofline_state(raced)
    assert [roof["threads"] for roof in state["roofs"]] == [1, 2]
    assert state["roofs"][1]["memories"] == [["L2", 8e10], ["DRAM", 2e10]]
    assert state["roofs"][0]["peaks"] == [["f64", 1e10], ["f32", 1e10]]


def test_the_way_to_the_best_says_what_each_step_changed(raced: Report) -> None:
    plain, naive, best = path_rows(raced)
    assert (plain["index"], plain["median_s"]) == (None, 0.806)
    assert (naive["index"], naive["factor"], naive["changed"]) == (0, 2173, [])
    assert (best["index"], best["factor"]) == (1, 1.932)
    assert best["changed"] == [["platform", "c", "openmp"], ["threads", 1, 2]]


def test_there_is_no_way_where_nothing_was_timed(raced: Report) -> None:
    untimed = dataclasses.replace(raced.measurements[1], times_s=())
    report = dataclasses.replace(raced, measurements=(untimed,), best=untimed, python_s=0.0)
    assert path_rows(report) == []


# -- the race


class Watched:
    """A tuning whose race is *race*; what it says, in order."""

    def __init__(self, race: Callable[..., Report]) -> None:
        self.told: list[dict[str, Any]] = []
        self.ended: list[tuple[Report | None, dict[str, Any]]] = []
        self.tuning = Tuning(
            race, lambda p, s: self.told.append(s), lambda *e: self.ended.append(e)
        )

    def run(self) -> None:
        self.tuning.start(3.0, True)
        self.tuning.join(10)


def test_a_race_runs_beside_and_ends_with_its_report(raced: Report) -> None:
    def race(*, budget: float | None, resume: bool, listen: Listener) -> Report:
        assert (budget, resume) == (3.0, True)
        assert threading.current_thread() is not threading.main_thread()
        listen(progress_of(raced, 3))
        return raced

    watched = Watched(race)
    watched.run()
    (told,) = watched.told
    assert (told["done"], told["total"], told["running"]) == (3, 8, True)
    assert told["line"].endswith("2.0 s left · stop keeps the best")
    assert watched.ended == [(raced, state_of(raced))]
    assert watched.ended[0][1]["complete"] is True


def test_stop_is_heard_between_two_timings(raced: Report) -> None:
    begun, heard = threading.Event(), threading.Event()

    def race(*, listen: Listener, **_: Any) -> Report:
        begun.set()
        assert heard.wait(10)
        listen(progress_of(raced, 3))
        raise AssertionError("it went on")

    watched = Watched(race)
    watched.tuning.start(None, False)
    assert begun.wait(10)
    watched.tuning.stop()
    heard.set()
    watched.tuning.join(10)
    ((report, said),) = watched.ended
    assert report is None
    assert said == {"running": False, "line": "stopped before anything new was known"}


def test_a_race_that_fails_says_why(raced: Report) -> None:
    def race(**_: Any) -> Report:
        raise ValueError("no compiler")

    watched = Watched(race)
    watched.run()
    assert watched.ended[0][1]["error"] == "no compiler"


def test_the_next_race_may_begin_when_the_end_of_one_is_told(raced: Report) -> None:
    going: list[bool] = []
    tuning = Tuning(lambda **_: raced, lambda *_: None, lambda *_: going.append(tuning.running))
    tuning.start(None, False)
    tuning.join(10)
    assert going == [False]


def test_a_stopped_race_says_that_it_can_go_on(raced: Report) -> None:
    said = state_of(dataclasses.replace(raced, complete=False))
    assert said["complete"] is False
    assert "stopped early" in said["line"]
    assert state_of(None)["line"] == "not measured yet"


def test_a_thread_keeps_the_context_that_it_was_started_in() -> None:
    from contextvars import ContextVar

    question = ContextVar("question", default="none")
    question.set("tune")
    found: list[str] = []
    in_background(lambda: found.append(question.get()), "it").join(10)
    assert found == ["tune"]
