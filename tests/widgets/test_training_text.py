"""The live line and curve of a training."""

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


def test_the_curve_has_a_point_an_iteration_and_rises() -> None:
    html = training_html(Training((-30.0, -20.0, -15.0, -14.0), 10, 100, 0.1, note="a < b"))
    assert "a &lt; b" in html
    (points,) = re.findall(r'points="([^"]+)"', html)
    heights = [float(p.split(",")[1]) for p in points.split()]
    assert len(heights) == 4
    assert heights == sorted(heights, reverse=True)  # up is less
    assert "mean log-likelihood of an event, -3 to -1.4, iterations 1 to 4" in html
    assert "<svg" not in training_html(Training((-1.0,), 1, 9, 0.1))


def test_long_trainings_are_thinned_and_keep_their_last_point() -> None:
    values = tuple(-1.0 / (n + 1) for n in range(5000))
    html = training_html(Training(values, 1, 5000, 1.0))
    (points,) = re.findall(r'points="([^"]+)"', html)
    assert len(points.split()) <= 420
    assert points.split()[-1].split(",")[0] == "346.0"


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
