"""The log-likelihood of a training as a line: what is drawn where, and its words."""

from __future__ import annotations

import base64
import itertools
import math
import re
import xml.etree.ElementTree as ET

import pytest

from sejits_nb.results import Training
from sejits_nb.widgets.training_plot import likelihood_plot, round_steps


def drawn(*means: float) -> ET.Element:
    """The SVG of a training of 10 events."""
    html = likelihood_plot(Training(tuple(10 * mean for mean in means), 10, 10**6, 1.0))
    found = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    assert found
    return ET.fromstring(base64.b64decode(found[1]))


def points(svg: ET.Element) -> list[tuple[float, float]]:
    line = next(e for e in svg.iter() if e.tag.endswith("polyline"))
    return [tuple(map(float, p.split(","))) for p in line.get("points", "").split()]  # type: ignore[misc]


def texts(svg: ET.Element, anchor: str) -> list[str]:
    return [e.text or "" for e in svg.iter() if e.get("text-anchor") == anchor]


def test_the_line_has_its_axes_and_its_last_value() -> None:
    svg = drawn(-3.0, -2.0, -1.5, -1.4)
    line = points(svg)
    gaps = [b[0] - a[0] for a, b in itertools.pairwise(line)]
    assert max(gaps) - min(gaps) < 0.2
    heights = [y for _, y in line]
    assert heights == sorted(heights, reverse=True)
    assert (heights[0] - heights[1]) / (heights[1] - heights[2]) == pytest.approx(2, rel=0.01)
    assert texts(svg, "end") == ["−3.0", "−2.5", "−2.0", "−1.5", "−1.4"]
    assert texts(svg, "middle") == ["1", "2", "3", "4", "iteration"]


def test_its_words_say_first_and_last() -> None:
    html = likelihood_plot(Training((-30.0, -20.0, -14.0), 10, 99, 1.0))
    assert (
        'alt="Line plot, mean log-likelihood of an event over iterations: -3 in iteration 1, '
        in html
    )
    assert '-1.4 in iteration 3."' in html


def test_a_long_plateau_is_seen_although_the_first_iteration_gains_most() -> None:
    means = [-60.0, *(-10 - 2 * math.exp(-n / 20) for n in range(99))]
    heights = [y for _, y in points(drawn(*means))]
    assert heights[0] > 220  # below the plot, clipped
    assert heights[10] - heights[-1] > 30  # of 152 pixels


@pytest.mark.parametrize(
    "means",
    [(-2.0,) * 5, (-1e12, -4e11), (-3.0, math.nan, -2.0), (-9.5, -9.5 + 1e-13), (0.0, 0.0)],
)
def test_nothing_leaves_the_picture(means: tuple[float, ...]) -> None:
    svg = drawn(*means)
    assert all(0 < x < 480 and 30 <= y <= 182 for x, y in points(svg))
    assert len(points(svg)) == sum(map(math.isfinite, means))
    assert 1 <= len(texts(svg, "end")) <= 7
    assert max(map(len, texts(svg, "end"))) <= 12


def test_a_hundred_thousand_iterations_are_thinned_with_both_ends() -> None:
    line = points(drawn(*(-1 / n for n in range(1, 100_001))))
    assert len(line) == 401
    assert line[-1][0] == 458


def test_before_two_numbers_there_is_no_plot() -> None:
    assert likelihood_plot(Training((), 10, 9, 0.0)) == ""
    assert likelihood_plot(Training((-1.0, math.inf), 10, 9, 0.0)) == ""


@pytest.mark.parametrize("count", [2, 3, 7, 8, 99, 1500, 10**6])
def test_iterations_are_counted_in_whole_steps(count: int) -> None:
    steps = round_steps(1, count, 6, least=1)
    assert 2 <= len(steps) <= 7
    assert all(step == int(step) and 1 <= step <= count for step in steps)
