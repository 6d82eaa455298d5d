"""The card in a real browser: links follow the pointer, and survive without the style element."""

from __future__ import annotations

import io
import math
import re
import shutil
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from sejits_nb.results import Report
from sejits_nb.widgets.card import card_html
from sejits_nb.widgets.show import figure_bundle

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


def test_a_figure_is_dark_on_a_dark_page_and_has_a_ground_of_its_own_elsewhere(
    page: Page, report: Report
) -> None:
    html = figure_bundle(report)[0]["text/html"]
    for theme, dark in (("light", False), ("dark", True), ("dark", False)):
        _show(page, html, theme)
        page.evaluate("dark => document.body.dataset.jpThemeLight = String(!dark)", dark)
        figure = Image.open(io.BytesIO(page.locator("img").screenshot())).convert("L")
        levels = [level for level, count in enumerate(figure.histogram()) if count > 20]
        ground, ink = (max, min) if not dark else (min, max)
        assert _contrast(ground(levels), ink(levels)) > 10
        assert figure.getpixel((799, 2)) == ground(levels)
        assert (ground(levels) < 30) == dark


def _contrast(a: int, b: int) -> float:
    """Of two greys, by the definition of WCAG 2."""
    light, dark = sorted((math.pow((g / 255 + 0.055) / 1.055, 2.4) for g in (a, b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_card_stays_inside_a_narrow_output(page: Page, report: Report) -> None:
    page.set_viewport_size({"width": 700, "height": 900})
    _show(page, card_html(report), "light")
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    page.set_viewport_size({"width": 1180, "height": 1000})


def _alpha(colour: str) -> float:
    parts = re.findall(r"[\d.]+", colour)
    return float(parts[3]) if len(parts) == 4 else 1.0
