"""The figure as pixels and in words, and the bundles that a saved notebook keeps."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import subprocess
import sys
from collections.abc import Callable

import matplotlib as mpl
from PIL import Image

from sejits_nb.results import Report
from sejits_nb.stages import Config
from sejits_nb.widgets.card import card_html
from sejits_nb.widgets.card_text import card_text
from sejits_nb.widgets.figures import _label, card_figure, figure_alt
from sejits_nb.widgets.show import SUMMARY_MIME, card_bundle, cell_bundles, figure_bundle

Alter = Callable[..., Report]


def test_the_figure_is_a_small_png(report: Report) -> None:
    before = dict(mpl.rcParams)
    png = card_figure(report)
    image = Image.open(io.BytesIO(png))
    assert (image.format, image.size) == ("PNG", (800, 300))
    assert len(png) <= 40_000
    assert image.convert("RGB").getpixel((799, 0)) == (255, 255, 255)
    assert dict(mpl.rcParams) == before


def test_the_figure_follows_the_data(altered: Alter, report: Report) -> None:
    assert card_figure(report) == card_figure(report)
    assert card_figure(altered(python_s=0.1)) != card_figure(report)
    assert card_figure(altered(measurements=report.measurements[:3])) != card_figure(report)


def test_a_label_names_the_knobs_that_differ(report: Report, altered: Alter) -> None:
    first, second = report.measurements[1:3]  # unroll=1 and unroll=4 on two threads, without tiles
    assert _label(report, first) == "threads=2 tile=0 unroll=1 (best)"
    two = altered(measurements=(first, second))
    assert [_label(two, m) for m in (first, second)] == ["unroll=1 (best)", "unroll=4 (tie)"]
    other = dataclasses.replace(second, platform="opencl", config=Config((("rows", 2),)))
    mixed = altered(measurements=(first, other))
    assert _label(mixed, first) == "openmp (best)"
    one = altered(measurements=(first,))
    assert _label(one, first) == "threads=2 tile=0 unroll=1 (best)"


def test_a_figure_without_any_time(altered: Alter) -> None:
    empty = altered(measurements=(), best=None, python_s=0.0, note="no compiler")
    assert card_figure(empty).startswith(b"\x89PNG")
    assert figure_alt(empty) == "blur: runs as plain Python · no compiler."


def test_there_is_a_figure_of_what_was_timed_only(altered: Alter, report: Report) -> None:
    assert ["image/png" in data for data, _ in cell_bundles(report)] == [False, True]
    untimed = tuple(dataclasses.replace(m, times_s=()) for m in report.measurements[:1])
    (card,) = cell_bundles(altered(measurements=untimed, best=untimed[0]))
    assert "not timed" in card[0]["text/plain"]


def test_the_alt_text_holds_the_numbers(report: Report) -> None:
    alt = figure_alt(report)
    assert "threads=2 tile=0 unroll=1 on openmp (best): 192 ± 4 µs, 4 200×" in alt
    assert "threads=2 tile=0 unroll=4 on openmp (tie): 195 ± 3 µs" in alt
    assert alt.endswith("Plain Python: 0.8 s.")


def test_the_card_bundle(report: Report) -> None:
    data, metadata = card_bundle(report)
    assert data["text/plain"] == card_text(report)
    assert data["text/html"] == card_html(report)
    assert metadata == {}
    assert json.loads(json.dumps(data[SUMMARY_MIME])) == {
        "name": "blur",
        "language": "C",
        "platform": "openmp",
        "seconds": 0.000192,
        "python_seconds": 0.806,
        "python_points": 1600,
        "speedup": 0.806 / 0.000192,
        "python_lines": 6,
        "generated_lines": 23,
        "check": "fast",
        "verdict": "correct",
        "config": {"threads": 2, "tile": 0, "unroll": 1},
        "cached": False,
    }


def test_the_summary_of_plain_python_is_json(altered: Alter) -> None:
    data, _ = card_bundle(altered(best=None, artifact=None, note="no compiler"))
    summary = json.loads(json.dumps(data[SUMMARY_MIME], allow_nan=False))
    assert summary["language"] == "Python"
    assert summary["seconds"] is summary["speedup"] is summary["config"] is None


def test_the_figure_bundle_has_alt_text_everywhere(report: Report) -> None:
    data, metadata = figure_bundle(report)
    alt = figure_alt(report)
    assert data["text/plain"] == alt
    assert metadata == {"image/png": {"alt": alt}}
    assert f'alt="{alt}"' in data["text/html"]
    assert f"data:image/png;base64,{data['image/png']}" in data["text/html"]
    assert base64.b64decode(data["image/png"]) == card_figure(report)


def test_the_card_needs_no_matplotlib() -> None:
    code = "import sys, sejits_nb.widgets.show; print('matplotlib' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
