"""A race of edited code in words, as text and as HTML."""

from __future__ import annotations

import dataclasses

import pytest

from sejits_nb.errors import Diagnostic
from sejits_nb.results import EditedRace, Measurement
from sejits_nb.stages import Config
from sejits_nb.widgets.edited_race import ShownRace, ratio_text

CONFIG = Config((("threads", 2),))
TIMED = Measurement(CONFIG, "openmp", "correct", (0.0019, 0.002, 0.0021))
SERIAL = Measurement(Config(), "c", "correct", (0.008, 0.008, 0.008))
RIGHT = EditedRace("heat", "c", "…", TIMED, (TIMED, SERIAL), (0.5, 0.4, 0.6, 0.5, 0.5))
FAILED = Measurement(CONFIG, "opencl", "failed", reason="does not compile: odd 'v'")
ODD = Diagnostic("B002", "odd 'v'", line=2, col=1, end_col=2, text="\tv <- 1;")
UNDEFINED = Diagnostic("B002", "undefined reference to `w'")
REFUSED = EditedRace("heat", "opencl", "int a;\n\tv <- 1;", FAILED, errors=(ODD, UNDEFINED))


@pytest.mark.parametrize(
    ("ratios", "said"),
    [
        ((0.5, 0.4, 0.6, 0.5, 0.5), "2.0× as fast as the variant in use (2.0× to 2.0×, 5 rounds)"),
        ((0.9, 0.95, 0.92), "1.09× as fast as the variant in use (1.07× to 1.10×, 3 rounds)"),
        ((2.0, 2.2, 2.4), "0.45× as fast as the variant in use (0.43× to 0.48×, 3 rounds)"),
        ((0.9, 1.0, 1.1), "as fast as the variant in use (0.95× to 1.05×, 3 rounds)"),
        ((30.0,), "0.033× as fast as the variant in use (0.033× to 0.033×, 1 round)"),
    ],
)
def test_the_ratio_in_words(ratios: tuple[float, ...], said: str) -> None:
    assert ratio_text(dataclasses.replace(RIGHT, ratios=ratios)) == said


def test_right_code_as_text_and_html() -> None:
    shown = ShownRace.of(RIGHT)
    assert repr(shown).split("\n") == [
        f"heat, edited C: correct · {ratio_text(RIGHT)} · 2.0 ms",
        "      2.00 ± 0.10 ms  edited",
        "      2.00 ± 0.10 ms  openmp threads=2, in use",
        "      8.00 ± 0.00 ms  c default, serial",
    ]
    html = shown._repr_html_()
    assert html.startswith("<p>heat, edited C: correct · 2.0× as fast")
    assert html.count("<tr>") == 4
    assert "openmp threads=2, in use" in html


def test_errors_as_text_and_html() -> None:
    shown = ShownRace.of(REFUSED)
    assert repr(shown).split("\n") == [
        "heat, edited OpenCL C: failed · does not compile: odd 'v'",
        "  line 2, column 2: odd 'v'",
        "      \tv <- 1;",
        "      \t^",
        "  undefined reference to `w'",
    ]
    html = shown._repr_html_()
    assert "line 2, column 2: odd &#x27;v&#x27;" in html
    assert "v &lt;- 1;" in html


def test_what_is_known_of_a_race() -> None:
    assert (RIGHT.ratio, RIGHT.spread) == (0.5, (0.5, 0.5))
    assert (REFUSED.ratio, REFUSED.spread) == (None, None)
    quarters = dataclasses.replace(RIGHT, ratios=(4.0, 1.0, 3.0, 2.0))
    assert (quarters.ratio, quarters.spread) == (2.5, (1.75, 3.25))
