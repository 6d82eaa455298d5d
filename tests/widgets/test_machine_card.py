"""The measured roofs as text, table and plot, by themselves and on a kernel's card."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Callable
from html.parser import HTMLParser

import matplotlib as mpl
import pytest
from PIL import Image

from sejits_nb.results import Bandwidth, Peak, Report, Roofs
from sejits_nb.widgets.card import card_html
from sejits_nb.widgets.figures import card_figure, figure_alt, figure_size
from sejits_nb.widgets.machine_card import (
    FIGURE_SIZE,
    machine_alt,
    machine_figure,
    machine_html,
    machine_text,
)
from sejits_nb.widgets.show import figure_bundle, machine_bundles, show_machine

Alter = Callable[..., Report]
KIB, MIB = 1 << 10, 1 << 20
TEXT = """\
machine: 2 threads: STREAM 80.0 GB/s, peak f64 118 GFLOP/s, f32 235 GFLOP/s

roof                           1 thread    2 threads  working set
L2 copy                        115 GB/s     230 GB/s        1 MiB
L3 copy                       97.0 GB/s     194 GB/s        8 MiB
DRAM read                     29.0 GB/s    61.0 GB/s      384 MiB
DRAM copy past the caches     41.0 GB/s    80.0 GB/s      384 MiB
multiply-add f64           58.8 GFLOP/s  118 GFLOP/s    registers
multiply-add f32            118 GFLOP/s  235 GFLOP/s    registers

a note <of> the measurement
AMD EPYC 7763, 2 of 2 CPUs · measured 2025-11-20 09:15"""


@pytest.fixture
def roofs() -> Roofs:
    rows = {
        ("L2", "copy"): (115, 230, MIB, 2 * MIB),
        ("L3", "copy"): (97, 194, 8 * MIB, 32 * MIB),
        ("DRAM", "read"): (29, 61, 384 * MIB, 0),
        ("DRAM", "copy past the caches"): (41, 80, 384 * MIB, 0),
    }
    return Roofs(
        tuple(
            Bandwidth(*key, t, rates[t - 1] * 1e9, rates[2], rates[3])
            for t in (1, 2)
            for key, rates in rows.items()
        ),
        tuple(Peak(d, t, t * r) for t in (1, 2) for d, r in (("f64", 58.8e9), ("f32", 117.6e9))),
        2, "AMD EPYC 7763, 2 of 2 CPUs", "2025-11-20 09:15", ("a note <of> the measurement",),
    )  # fmt: skip


class Text(HTMLParser):
    """The words of a page, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words = ""
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.words += data + " "


def test_the_table_word_for_word(roofs: Roofs) -> None:
    assert machine_text(roofs) == TEXT


def test_the_html_says_what_the_text_says(roofs: Roofs) -> None:
    html = machine_html(roofs)
    words = Text(html).words.split()
    assert set(TEXT.replace("machine:", "machine :").split()) <= set(words)
    assert "<of>" not in html
    assert not re.search(r"<(script|svg|style)|on\w+=", html)


def test_the_plot_is_a_small_png_and_its_numbers_are_said(roofs: Roofs) -> None:
    before = dict(mpl.rcParams)
    png = machine_figure(roofs)
    image = Image.open(io.BytesIO(png))
    assert (image.format, image.size) == ("PNG", FIGURE_SIZE)
    assert len(png) < 40_000
    assert dict(mpl.rcParams) == before
    slower = tuple(dataclasses.replace(b, bytes_per_s=b.bytes_per_s / 2) for b in roofs.bandwidths)
    assert machine_figure(dataclasses.replace(roofs, bandwidths=slower)) != png
    for number in ("STREAM 80.0 GB/s", "L3 194 GB/s", "f64 118 GFLOP/s", "f32 235 GFLOP/s"):
        assert number in machine_alt(roofs)


def test_a_table_and_a_figure_are_displayed(
    roofs: Roofs, capsys: pytest.CaptureFixture[str]
) -> None:
    (data, _), (image, metadata) = machine_bundles(roofs)
    assert data["text/plain"] == TEXT
    assert metadata["image/png"]["alt"] == image["text/plain"] == machine_alt(roofs)
    assert 'width="800" height="330"' in image["text/html"]
    show_machine(None)
    assert "no roofs" in capsys.readouterr().out


def test_the_card_says_what_bounds_and_what_to_try(altered: Alter, roofs: Roofs) -> None:
    words = Text(card_html(altered(roofs=roofs))).words
    for said in (
        "Machine and roofs · 2 threads: STREAM 80.0 GB/s",
        "memory bound: 0.11 of the measured L3 roof. What to try: the grids stay in L3",
        "A call on 260 100 points computes 1 560 600 operations and moves 4 194 304 bytes",
        "AMD EPYC 7763, 2 of 2 CPUs · measured 2025-11-20 09:15",
        "DRAM copy past the caches",
    ):
        assert said in words.replace("   ", " ").replace("  ", " ")


def test_without_roofs_the_card_says_how_to_get_them(report: Report) -> None:
    words = Text(card_html(report)).words
    assert "Machine and roofs" in words
    assert "not measured yet: %sejits machine" in words
    assert "of the measured" not in words


def test_a_device_elsewhere_has_no_place_under_these_roofs(altered: Alter, roofs: Roofs) -> None:
    away = altered(roofs=roofs, elsewhere=("openmp",))
    assert "openmp runs on another device" in Text(card_html(away)).words
    assert "of the measured" not in figure_alt(away)
    assert figure_size(away) == (800, 300)


def test_the_figure_gains_a_roofline(altered: Alter, report: Report, roofs: Roofs) -> None:
    known = altered(roofs=roofs)
    size = figure_size(known)
    assert figure_size(report) == (800, 300)
    assert size > (800, 500)
    image = Image.open(io.BytesIO(card_figure(known)))
    assert image.size == size
    assert "memory bound: 0.11 of the measured L3 roof" in figure_alt(known)
    data, _ = figure_bundle(known)
    assert f'width="{size[0]}" height="{size[1]}"' in data["text/html"]
    slower = dataclasses.replace(report.work, flops_per_point=12)
    assert card_figure(altered(roofs=roofs, work=slower)) != card_figure(known)
    none = dataclasses.replace(report.work, flops_per_point=0)
    assert figure_size(altered(roofs=roofs, work=none)) == (800, 300)
