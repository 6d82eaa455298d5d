"""The object that ``kernel.variants`` is: records, CSV, tables, figures; and the times of the best."""

from __future__ import annotations

import base64
import csv
import dataclasses
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sejits_nb.results import Bandwidth, Measurement, Peak, Report, Roofs
from sejits_nb.stages import Config
from sejits_nb.variants import Timing, Variants, timing_of

Alter = Callable[..., Report]
KEYS = [
    "platform", "threads", "tile", "unroll", "verdict", "best", "median_s", "mad_s", "times_s",
    "speedup", "roof_fraction", "bound", "reason",
]  # fmt: skip
ROOFS = Roofs(
    tuple(Bandwidth("DRAM", "copy", t, t * 20e9, 1 << 20) for t in (1, 2)),
    tuple(Peak("f64", t, t * 50e9) for t in (1, 2)),
    2, "by hand", "2025-11-21 13:40",
)  # fmt: skip


def test_variants_are_a_sequence_the_best_first_failures_last(report: Report) -> None:
    variants = Variants(report)
    assert len(variants) == 8
    assert variants[0] == variants.best == report.best
    times = [m.median_s for m in variants if m.times_s]
    assert times == sorted(times)
    assert variants[-1:] == variants.failed
    assert [m.verdict for m in variants.failed] == ["wrong"]
    assert {str(m.config) for m in variants} == {str(m.config) for m in report.measurements}


def test_records_have_the_same_keys_and_none_for_the_unknown(report: Report) -> None:
    other = Measurement(Config((("group", 64),)), "opencl", "correct", (0.5e-3,))
    report = dataclasses.replace(report, measurements=(*report.measurements, other))
    records = Variants(report).to_records()
    keys = [*KEYS[:4], "group", *KEYS[4:]]
    assert all(list(row) == keys for row in records)
    best, last, foreign = records[0], records[-1], records[-2]
    assert (best["platform"], best["threads"], best["best"]) == ("openmp", 2, True)
    assert best["median_s"] == pytest.approx(0.192e-3)
    assert best["mad_s"] == pytest.approx(0.004e-3)
    assert best["speedup"] == pytest.approx(0.806 / 0.192e-3)
    assert best["times_s"] == list(report.measurements[1].times_s)
    assert (foreign["group"], foreign["threads"], best["group"]) == (64, None, None)
    assert [last[k] for k in ("median_s", "mad_s", "speedup", "times_s")] == [None, None, None, []]
    assert last["reason"].startswith("out[3, 7]")
    assert {row["roof_fraction"] for row in records} == {None}


def test_records_hold_the_share_of_the_roof(altered: Alter) -> None:
    report = altered(roofs=ROOFS)
    best = Variants(report).to_records()[0]
    wanted = report.work.bytes_ / 40e9 / 0.192e-3
    assert best["roof_fraction"] == pytest.approx(wanted)
    assert best["bound"] == "memory"


def test_csv_reads_back(report: Report, tmp_path: Path) -> None:
    variants = Variants(report)
    assert variants.to_csv(tmp_path / "variants.csv") is None
    text = (tmp_path / "variants.csv").read_text()
    assert text == variants.to_csv()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == KEYS
    for row, record in zip(rows, variants.to_records(), strict=True):
        assert tuple(map(float, row["times_s"].split())) == tuple(record["times_s"])
        assert row["reason"] == record["reason"]
        assert row["speedup"] == ("" if record["speedup"] is None else repr(record["speedup"]))


def test_the_table_in_plain_and_rich(altered: Alter) -> None:
    report = altered(roofs=ROOFS)
    rows = repr(Variants(report)).splitlines()
    assert len(rows) == 9
    assert rows[0].split("  ")[0] == "platform"
    assert "threads=2 tile=0 unroll=1" in rows[1]
    assert rows[1].rstrip().endswith("correct, best")
    assert "55 %" in rows[1]
    assert rows[2].rstrip().endswith("correct, tie")
    assert rows[-1].endswith("out[3, 7] is 1.5, the plain Python has 1.25")
    html = Variants(report)._repr_html_()
    assert html.count("<tr>") == 9
    assert "8 variants, 1 failed" in html
    evil = dataclasses.replace(report.measurements[4], reason="<script>alert(1)</script>")
    assert "<script>" not in Variants(altered(measurements=(evil,)))._repr_html_()


@pytest.mark.parametrize("measured", [True, False])
def test_no_variants_is_an_empty_collection(altered: Alter, measured: bool) -> None:
    variants = Variants(altered(measurements=(), best=None) if measured else None)
    assert (len(variants), variants.best, variants.failed, variants.to_records()) == (
        0,
        None,
        (),
        [],
    )
    assert (variants.plot(), variants.roofline()) == (None, None)
    assert "no variants yet" in repr(variants)
    assert "no variants yet" in variants._repr_html_()
    assert not str(variants.to_csv()).strip()


def test_figures_show_themselves_with_words(altered: Alter) -> None:
    variants = Variants(altered(roofs=ROOFS))
    for figure, axes in ((variants.plot(), 2), (variants.roofline(), 1)):
        assert figure is not None
        assert len(figure.axes) == axes
        data, metadata = figure._repr_mimebundle_()
        assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
        assert 'width="800" height="300"' in data["text/html"]
        for alt in (data["text/plain"], metadata["image/png"]["alt"]):
            assert "threads=2 tile=0 unroll=1 on openmp (best): 192 ± 4 µs" in alt
    assert Variants(altered()).roofline() is None


def test_timing_has_the_names_of_ipython() -> None:
    from IPython.core.magics.execution import TimeitResult

    runs = (3e-3, 1e-3, 2e-3, 2e-3)
    theirs: Any = TimeitResult(1, 4, min(runs), max(runs), runs, 0.4, 3)  # type: ignore[no-untyped-call]
    ours = Timing(runs, 0.4)
    for name in ("loops", "repeat", "best", "worst", "all_runs", "compile_time"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert list(ours.timings) == list(theirs.timings)
    assert ours.average == pytest.approx(theirs.average)
    assert ours.stdev == pytest.approx(theirs.stdev)
    assert ours.stdev == pytest.approx(float(np.std(runs)))
    assert ours.median == 2e-3
    assert ours.mad == pytest.approx(0.5e-3)
    assert str(ours) == "2.00 ± 0.50 ms a call (median ± MAD of 4, best 1.0 ms)"


def test_timing_is_that_of_the_best(report: Report, altered: Alter) -> None:
    timing = timing_of(report)
    assert timing is not None
    assert report.best is not None
    assert timing.all_runs == report.best.times_s
    assert timing.compile_time == 0.41
    assert math.isclose(timing.median, report.best.median_s)
    assert timing_of(None) is None
    assert timing_of(altered(best=None)) is None
    assert timing_of(altered(best=Measurement(Config(), "c", "correct"))) is None
