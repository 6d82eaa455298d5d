"""The card in a real browser: links follow the pointer, and survive without the style element."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from sejits_nb.results import Report
from sejits_nb.widgets.card import card_html

pytestmark = pytest.mark.browser

OPEN = "document.querySelectorAll('details').forEach(d => d.open = true)"
LOOK = "e => { const s = getComputedStyle(e); return [s.backgroundColor, s.boxShadow] }"
THEMES = {"light": ("#ffffff", "#202020"), "dark": ("#111111", "#dddddd")}


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or "/usr/bin/chromium"
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 1180, "height": 1000})
        browser.close()


def _show(page: Page, html: str, theme: str) -> None:
    background, ink = THEMES[theme]
    page.mouse.move(0, 0)
    page.set_content(f'<body style="background:{background};color:{ink}">{html}</body>')
    page.evaluate(OPEN)


@pytest.mark.parametrize("theme", THEMES)
def test_pointing_at_a_line_of_c_marks_its_piece_of_the_cell(
    page: Page, report: Report, theme: str
) -> None:
    _show(page, card_html(report), theme)
    cell, code = page.locator(".sejits-cell"), page.locator(".sejits-lines").last
    partner, other = cell.locator(".h4").first, cell.locator(".h7").first
    before = partner.evaluate(LOOK)
    unrelated = other.evaluate(LOOK)
    code.locator(".h4").first.hover()
    after = partner.evaluate(LOOK)
    assert _alpha(after[0]) > _alpha(before[0]) > 0
    assert before[1] == "none" != after[1]
    assert other.evaluate(LOOK) == unrelated


def test_pointing_at_the_cell_marks_the_lines_of_every_level(page: Page, report: Report) -> None:
    _show(page, card_html(report), "light")
    page.locator(".sejits-cell .h5").first.hover()
    lines = page.locator(".sejits-lines .h5")
    shadows = {lines.nth(n).evaluate(LOOK)[1] for n in range(lines.count())}
    assert lines.count() == 12
    assert "none" not in shadows


def test_without_the_style_element_tints_and_numbers_remain(page: Page, report: Report) -> None:
    html = re.sub(r"<style>.*?</style>", "", card_html(report), flags=re.DOTALL)
    _show(page, html, "light")
    linked = page.locator(".sejits-lines").last.locator("span")
    colours = [linked.nth(n).evaluate(LOOK)[0] for n in range(linked.count())]
    assert all(0 < _alpha(colour) < 1 for colour in colours)
    assert page.locator(".sejits-lines b").last.inner_text().strip() == "7"
    assert page.locator(".sejits-cell sup").all_inner_texts() == list("12345678")


def test_the_card_stays_inside_a_narrow_output(page: Page, report: Report) -> None:
    page.set_viewport_size({"width": 700, "height": 900})
    _show(page, card_html(report), "light")
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    page.set_viewport_size({"width": 1180, "height": 1000})


def _alpha(colour: str) -> float:
    parts = re.findall(r"[\d.]+", colour)
    return float(parts[3]) if len(parts) == 4 else 1.0
