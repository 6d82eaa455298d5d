"""The tour alone, followed on the screen: which generated line came from which expression of the cell,
and why the best variant is best."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import Lab, change_theme, read, screenshot, show_cell

pytestmark = [
    pytest.mark.browser,
    pytest.mark.needs("jupyterlab", "anywidget", "skimage", "gcc"),
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.timeout(180),
]
TOUR = Path(__file__).parents[2] / "notebooks" / "00_tour.ipynb"
RESULT = "* 0.125"
"""What became of ``/ 8.0``."""
CELLS = [cell.id for cell in read(TOUR).cells]


@pytest.fixture(scope="module")
def tour(lab: Lab, page: Page) -> Page:
    """The tour's first part, run cell by cell with Shift+Enter."""
    shutil.copy(TOUR, lab.root)
    lab.open(page, TOUR.name)
    page.locator(".jp-Notebook .jp-Cell").first.click()
    for _ in range(CELLS.index("explore") + 1):
        page.keyboard.press("Shift+Enter")
    page.locator(".sejits-explorer .row").first.wait_for(timeout=120_000)
    return page


@pytest.fixture
def card(tour: Page) -> Locator:
    return show_cell(tour, CELLS.index("blur"))


@pytest.fixture
def explorer(tour: Page) -> Locator:
    return show_cell(tour, CELLS.index("explore")).locator(".sejits-explorer")


def test_the_card_says_which_line_came_from_which_expression(tour: Page, card: Locator) -> None:
    card.get_by_text("Levels", exact=True).click()
    panes = card.locator("details[open] table").first
    line = panes.locator(".sejits-lines").last.locator("span", has_text=RESULT).first
    line.hover()
    piece = panes.locator(f".sejits-cell .h{line.locator('b').inner_text().strip()}")
    assert "acc / 8.0" in "".join(piece.all_inner_texts())
    assert piece.first.evaluate("e => getComputedStyle(e).boxShadow") != "none"
    screenshot(tour, "tour-card-levels")
    card.get_by_text("Levels", exact=True).click()


def test_so_does_the_explorer_for_as_many_lines_as_one_likes(tour: Page, explorer: Locator) -> None:
    code = explorer.locator("[data-pane=code]")
    code.locator(".row", has_text=RESULT).first.click()
    code.locator(".row", has_text="4.0 *").first.click()
    pins = explorer.locator(".pins .pin")
    expect(pins).to_have_text([re.compile("^1 line 7: .*acc / 8.0 ×$"), "2 line 4: 4.0 * u[x] ×"])
    pinned = explorer.locator("[data-pane=cell] .piece[aria-pressed=true]").all_inner_texts()
    assert pinned[0] == "4.0 * u[x]"
    assert "acc / 8.0" in "".join(pinned[1:])
    screenshot(tour, "tour-explorer-levels")


def test_and_why_the_best_variant_is_best(tour: Page, card: Locator) -> None:
    best = card.locator("tbody th").first.inner_text()
    explorer = show_cell(tour, CELLS.index("explore")).locator(".sejits-explorer")
    explorer.get_by_role("tab", name="Variants").click()
    explorer.get_by_text(re.compile(r"^Table of \d+ variants")).click()
    rows = explorer.get_by_role("row", name=re.compile(re.escape(best)))
    expect(rows.filter(has_text="correct, best")).to_have_count(1)
    explorer.get_by_role("tab", name="Roofline").click()
    pane = explorer.get_by_role("tabpanel", name="Roofline")
    pane.get_by_role("button", name="Measure the roofs").click()
    said = pane.get_by_text("What to try next")
    said.wait_for()
    assert re.search(r"(memory|compute) bound", pane.inner_text()), pane.inner_text()
    steps = pane.locator("table", has_text="what it changed").locator("tbody tr")
    assert steps.first.locator("th").inner_text() == "plain Python"
    assert steps.last.locator("th").inner_text() == best
    for theme in ("Light", "Dark"):
        change_theme(tour, theme)
        screenshot(tour, f"tour-explorer-roofline-{theme.lower()}")
