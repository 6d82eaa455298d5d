"""The live line of a training, and its log-likelihoods as bars."""

from __future__ import annotations

import re

from sejits_nb.results import Training
from sejits_nb.widgets.live import Live
from sejits_nb.widgets.training_text import training_html, training_line


def test_the_line() -> None:
    assert training_line(Training((), 10, 100, 0.0)) == "no iteration yet"
    one = Training((-2656.14,), 100, 100, 0.0012)
    assert training_line(one) == "iteration 1 of 100 · log-likelihood -2656.14 · 1.2 ms each"
    two = Training((-2656.0, -2656.0 + 0.32), 100, 50, 0.0024, converged=True)
    line = (
        "iteration 2 of 50 · log-likelihood -2655.68 · +0.0032 an event · 1.2 ms each · converged"
    )
    assert training_line(two) == line
    stopped = Training((-5.0,), 1, 9, 0.001, note="interrupted after iteration 1")
    assert training_line(stopped).endswith("· interrupted after iteration 1")


def _rows(training: Training) -> list[list[str]]:
    """The texts of the table's rows."""
    html = training_html(training).partition("<tbody>")[2]
    return [re.findall(r">([^<]+)<", row) for row in html.split("</tr>")[:-1]]


def test_every_iteration_of_a_short_training_has_its_bar_and_its_number() -> None:
    training = Training((-30.0, -20.0, -15.0, -14.0), 10, 100, 0.1, note="a < b")
    html = training_html(training)
    assert "a &lt; b" in html
    assert _rows(training) == [["1", "-3"], ["2", "-2", "+1"], ["3", "-1.5", "+0.5"],
                               ["4", "-1.4", "+0.1"]]  # fmt: skip
    assert re.findall(r"width:([\d.]+)%", html) == ["0.0", "62.5", "93.8", "100.0"]
    assert "<table" not in training_html(Training((-1.0,), 1, 9, 0.1))


def test_a_long_training_is_thinned_and_keeps_its_ends() -> None:
    values = tuple(-1.0 / (n + 1) for n in range(5000))
    numbers = [row[0] for row in _rows(Training(values, 1, 5000, 1.0))]
    assert numbers == ["1", "3", "7", "17", "44", "113", "292", "753", "1 941", "5 000"]


def test_a_likelihood_that_is_no_number_has_no_bar() -> None:
    rows = _rows(Training((-3.0, -2.0, float("-inf")), 1, 9, 0.1))
    assert rows[-1] == ["3", "-inf", "-inf"]


def test_variants_that_took_turns_have_their_bars() -> None:
    names, each = ("c a=1", "c a=2", "c a=2", "c a=1", "c a=1"), (4e-3, 1e-3, 2e-3, 4e-3, 8e-3)
    training = Training(
        (-3.0, -2.5, -2.2, -2.1, -2.0), 1, 9, 1.0, variants=names, seconds_each=each
    )
    assert "4.0 ms each" in training_line(training)
    variants = training_html(training).split("<table")[2]
    assert re.findall(r">([^<]+)<", variants) == [
        "variant", "median of an iteration", "iterations", "c a=2", "1.5 ms", "2", "c a=1", "4.0 ms",
        "3",
    ]  # fmt: skip
    assert re.findall(r"width:([\d.]+)%", variants) == ["37.5", "100.0"]
    alone = Training((-3.0, -2.0), 1, 9, 1.0, variants=("c a=1",) * 2, seconds_each=(1e-3, 1e-3))
    assert training_html(alone).count("<table") == 1


class Sheet:
    """A surface that keeps what was drawn."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def draw(self, line: str, html: object) -> None:
        self.lines.append(line)

    def publish(self, data: dict[str, object], metadata: dict[str, object]) -> None:
        self.lines.append(str(data["text/plain"]))


def test_it_is_drawn_four_times_a_second_at_most() -> None:
    sheet, now = Sheet(), [0.0]
    live = Live(sheet, lambda: now[0], (training_line, training_html, training_line))
    with live:
        for n in range(1, 101):
            now[0] = n / 100
            live(Training((-1.0,) * n, 1, 100, n / 100))
    assert len(sheet.lines) == 5  # four drawings, and what stays
    assert sheet.lines[0].startswith("iteration 1 of 100")
