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


def _cells(table: str) -> list[list[str]]:
    """The texts of a table's body."""
    body = table.partition("<tbody>")[2]
    return [re.findall(r">([^<]+)<", row) for row in body.split("</tr>")[:-1]]


def _numbers(training: Training) -> list[list[str]]:
    return _cells(training_html(training).partition("<details>")[2])


def _variants(training: Training) -> str:
    html = training_html(training)
    return html[html.index("<table") : html.index("</table>")]


def test_every_iteration_of_a_short_training_has_its_number() -> None:
    training = Training((-30.0, -20.0, -15.0, -14.0), 10, 100, 0.1, note="a < b")
    assert "a &lt; b" in training_html(training)
    assert _numbers(training) == [["1", "-3"], ["2", "-2", "+1"], ["3", "-1.5", "+0.5"],
                                  ["4", "-1.4", "+0.1"]]  # fmt: skip
    alone = training_html(Training((-1.0,), 1, 9, 0.1))
    assert "<table" not in alone
    assert "<img" not in alone


def test_a_long_training_is_thinned_and_keeps_its_ends() -> None:
    values = tuple(-1.0 / (n + 1) for n in range(5000))
    numbers = [row[0] for row in _numbers(Training(values, 1, 5000, 1.0))]
    assert numbers == ["1", "3", "7", "17", "44", "113", "292", "753", "1 941", "5 000"]


def test_a_likelihood_that_is_no_number_is_told_and_not_drawn() -> None:
    training = Training((-3.0, -2.0, float("-inf")), 1, 9, 0.1)
    assert _numbers(training)[-1] == ["3", "-inf", "-inf"]
    assert "-2 in iteration 2." in training_html(training)


def test_variants_that_took_turns_have_their_bars_and_the_fastest_its_mark() -> None:
    names = ("c form=x a=1", "c form=x a=2", "NumPy", "c form=x a=1", "c form=x a=1")
    each = (4e-3, 1e-3, 2e-3, 4e-3, 8e-3)
    training = Training(
        (-3.0, -2.5, -2.2, -2.1, -2.0), 1, 9, 1.0, variants=names, seconds_each=each
    )
    assert "4.0 ms each" in training_line(training)
    variants = _variants(training)
    assert _cells(variants) == [["◆ a=2", "1.0 ms", "1"], ["● NumPy", "2.0 ms", "1"],
                                ["● a=1", "4.0 ms", "3"]]  # fmt: skip
    assert re.findall(r"width:([\d.]+)%", variants) == ["25.0", "50.0", "100.0"]


def test_one_variant_is_named_in_full_and_of_many_the_slowest_are_counted() -> None:
    alone = Training((-3.0, -2.0), 1, 9, 1.0, variants=("c a=1",) * 2, seconds_each=(1e-3, 1e-3))
    assert _cells(_variants(alone)) == [["◆ c a=1", "1.0 ms", "2"]]
    many = tuple(f"c a={n}" for n in range(11))
    each = tuple(1e-3 * (n + 1) for n in range(11))
    training = Training((-1.0,) * 11, 1, 11, 1.0, variants=many, seconds_each=each)
    assert len(_cells(_variants(training))) == 8
    assert "… 3 slower not shown" in training_html(training)


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
