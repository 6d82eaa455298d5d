"""The plain-text card, word for word, and the wording that every display shares."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from sejits_nb.results import Bandwidth, Peak, Report, Roofs
from sejits_nb.stages import Trace
from sejits_nb.widgets.card import card_html
from sejits_nb.widgets.card_text import best_rows, card_text, tied
from sejits_nb.widgets.wording import (
    count_text,
    lines_text,
    seconds_text,
    spread_text,
    times_text,
)

from .conftest import measured

Alter = Callable[..., Report]

CARD = """\
blur: 4 200× faster than Python · 192 µs · 21.8 GB/s compulsory · correct

  variant                            median ± MAD  speedup  GB/s  why
  openmp threads=2 tile=0 unroll=1     192 ± 4 µs   4 200×  21.8  correct, best
  openmp threads=2 tile=0 unroll=4     195 ± 3 µs   4 130×  21.5  correct, tie
  openmp threads=2 tile=32 unroll=1    214 ± 5 µs   3 770×  19.6  correct, 1.1× the best
  openmp threads=2 tile=32 unroll=4    231 ± 4 µs   3 490×  18.2  correct, 1.2× the best
  openmp threads=1 tile=0 unroll=1     371 ± 6 µs   2 170×  11.3  correct, 1.9× the best
  plain Python                              0.8 s       1×        the reference, scaled
  … 2 slower variants not shown

  wrong: openmp threads=2 tile=64 unroll=8: out[3, 7] is 1.5, the plain Python has 1.25

tried 8 · failed 1 · cached: no · compile 0.4 s · 6 lines of Python → 23 lines of C
plain Python: 3.1 µs a point, timed on 1 600 points and scaled to 260 100
u: f64[512, 512], out: f64[512, 512] · AMD EPYC 7763, 2 of 2 CPUs · 2025-11-21 13:40"""

PLAIN = """\
blur: runs as plain Python · no C compiler was found

plain Python: 3.1 µs a point, timed on 1 600 points and scaled to 260 100
u: f64[512, 512], out: f64[512, 512] · AMD EPYC 7763, 2 of 2 CPUs · 2025-11-21 13:40"""


def test_the_card_word_for_word(report: Report) -> None:
    assert card_text(report) == CARD


def test_with_measured_roofs_each_row_says_its_share(altered: Alter) -> None:
    rates = (("read", 31.0), ("copy", 30.0))
    bandwidths = tuple(
        Bandwidth("DRAM", k, n, n * r * 1e9, 1 << 20) for k, r in rates for n in (1, 2)
    )
    peaks = tuple(Peak("f64", n, n * 50e9) for n in (1, 2))
    roofs = Roofs(bandwidths, peaks, 2, "a machine", "2025-11-21 13:40")
    first, _, head, best, tie, *_ = card_text(altered(roofs=roofs)).splitlines()
    assert first.endswith("· 192 µs · 35 % of the measured roof (memory bound) · correct")
    assert head.split("  ")[-2:] == ["of roof", "why"]
    assert best.endswith("  4 200×     35 %  correct, best; memory bound")
    assert tie.endswith("     35 %  correct, tie")
    slow = tuple(dataclasses.replace(b, bytes_per_s=b.bytes_per_s / 10) for b in bandwidths)
    first, _, _, best, *_ = card_text(
        altered(roofs=dataclasses.replace(roofs, bandwidths=slow))
    ).splitlines()
    assert "352 % of the measured roof (memory bound) · above its roof" in first
    assert best.endswith("correct, best; above its roof")


def test_the_card_of_a_kernel_that_runs_as_plain_python(altered: Alter, report: Report) -> None:
    trace = Trace(report.trace.source, report.trace.steps[:1])
    plain = altered(
        best=None, measurements=(), artifact=None, trace=trace, note="no C compiler was found"
    )
    assert card_text(plain) == PLAIN


def test_when_every_variant_fails_each_reason_is_said(altered: Alter, report: Report) -> None:
    bad = [
        dataclasses.replace(m, verdict="failed", times_s=(), reason=f"signal {n}\nmore")
        for n, m in enumerate(report.measurements)
    ]
    text = card_text(altered(best=None, measurements=tuple(bad), note="no variant passed"))
    assert text.startswith("blur: runs as plain Python · no variant passed\n")
    assert "failed: openmp threads=1 tile=0 unroll=1: signal 0\n" in text
    assert "… 3 more failed" in text
    assert "more\n" not in text


def test_unchecked_is_said_in_headline_and_rows(altered: Alter) -> None:
    text = card_text(altered(check="off"))
    assert text.splitlines()[0].endswith("· UNCHECKED")
    assert "UNCHECKED, best" in text
    assert "correct" not in text


def test_a_race_that_was_stopped_says_how_it_goes_on(altered: Alter, report: Report) -> None:
    said = "stopped early: the best of 8 of 24 variants is kept; blur.tune() tries the others"
    stopped = altered(complete=False, total=24)
    assert f"\n{said}\n" in card_text(stopped)
    assert "the best of 8 variants is kept" in card_text(altered(complete=False))
    assert said in card_html(stopped)
    assert "stopped" not in card_text(report)


def test_a_strict_check_is_said(altered: Alter) -> None:
    assert card_text(altered(check="strict")).splitlines()[0].endswith("· correct to the bit")


def test_a_variant_within_the_noise_of_the_best_is_a_tie(report: Report) -> None:
    assert [tied(report, m) for m in report.measurements[:4]] == [False, False, True, False]


def test_a_variant_that_lost_the_last_rounds_is_no_more_than_a_tie(report: Report) -> None:
    """Its median is of other rounds than the best one's, and may be lower."""
    assert report.best is not None
    other = next(m for m in report.measurements if m != report.best and m.times_s)
    faster = dataclasses.replace(other, times_s=tuple(t / 2 for t in report.best.times_s))
    assert tied(dataclasses.replace(report, measurements=(report.best, faster)), faster)


def test_a_slower_kernel_says_so(altered: Alter) -> None:
    assert card_text(altered(python_s=0.000096)).startswith(
        "blur: 2.0× slower than Python · 192 µs"
    )


def test_a_best_variant_that_was_not_timed(altered: Alter, report: Report) -> None:
    best = dataclasses.replace(report.measurements[1], times_s=())
    text = card_text(altered(best=best, measurements=(best,), python_s=0.0))
    assert text.startswith("blur: not timed · correct\n")
    assert "plain Python: not timed" in text


def test_a_cached_kernel_and_a_python_timed_in_full(altered: Alter, report: Report) -> None:
    assert report.artifact is not None
    cached = dataclasses.replace(report.artifact, cached=True)
    text = card_text(altered(artifact=cached, python_points=260_100, note="2 loops were fused"))
    assert "cached: yes · compiled earlier in 0.4 s" in text
    assert "plain Python: 3.1 µs a point, timed on all 260 100 points" in text
    assert "\n2 loops were fused\n" in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1.9e-3, "1.9 ms"), (3.1e-6, "3.1 µs"), (0.41, "0.4 s"), (9.96e-6, "10 µs"),
     (999.7e-6, "1.0 ms"), (9.97e-2, "0.1 s"), (4e-10, "0.4 ns"), (12.34, "12 s"),
     (119.7, "2 min 0 s"), (185, "3 min 5 s"), (float("inf"), "not timed")],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


def test_spreads_keep_one_unit() -> None:
    assert spread_text(1.921e-3, 31e-6) == "1.92 ± 0.03 ms"
    assert spread_text(12.34e-3, 1e-3) == "12.3 ± 1.0 ms"
    assert spread_text(float("inf"), float("inf")) == "not timed"


def test_ratios_counts_and_lines() -> None:
    assert [times_text(r) for r in (212.4, 4198.0, 3.44, 0.0821)] == [
        "212×", "4 200×", "3.4×", "0.082×"
    ]  # fmt: skip
    assert count_text(262_144) == "262 144"
    assert [lines_text(n, "C") for n in (1, 1_712)] == ["1 line of C", "1 712 lines of C"]


@pytest.mark.parametrize(
    ("median_ms", "said"), [(0.2, "1.04× the best"), (3400.0, "17 700× the best")]
)
def test_a_slower_variant_says_how_much_slower(
    altered: Alter, report: Report, median_ms: float, said: str
) -> None:
    other = measured((2, 16, 1), median_ms, 0.0)
    (_, row), _ = best_rows(altered(measurements=(report.measurements[1], other), python_s=0.0))
    assert row[-1] == f"correct, {said}"
