"""The explorer in a real JupyterLab: opened, linked by pointer and by key, light and dark, and fast."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import SCREENSHOTS, Lab, command, write_cells

pytestmark = [
    pytest.mark.browser,
    pytest.mark.needs("jupyterlab", "anywidget"),
    pytest.mark.slow,
    pytest.mark.timeout(180),
]

SETUP = """\
%load_ext sejits_nb
import numpy as np
img = np.random.default_rng(0).random((48, 64))"""
BLUR = """\
%%stencil blur -b c -t none --on img
def blur(u, out):
    for x in out.interior_points():
        acc = 4.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = acc / 8.0"""


@pytest.fixture(scope="module")
def explorer(lab: Lab, page: Page) -> Locator:
    """That of a kernel on its first variant, the same on every machine."""
    write_cells(lab.root / "explore.ipynb", SETUP, BLUR, "blur.explore()")
    lab.open(page, "explore.ipynb")
    command(page, "notebook:run-all-cells")
    explorer = page.locator(".sejits-explorer")
    explorer.locator(".row").first.wait_for()
    return explorer


def row(explorer: Locator, text: str) -> Locator:
    return explorer.locator("[data-pane=code] .row", has_text=text).first


def test_a_line_of_c_leads_to_its_piece_of_the_cell(explorer: Locator) -> None:
    row(explorer, "out[").hover()
    marked = explorer.locator("[data-pane=cell] .piece.on")
    assert "".join(marked.all_inner_texts()) == "out[x] = acc / 8.0"
    row(explorer, "out[").click()
    expect(explorer.locator(".pins .pin")).to_have_text("1 line 7: out[x] = acc / 8.0 ×")
    explorer.locator(".pins .pin").click()


def test_keys_are_the_explorers_not_the_notebooks(explorer: Locator, page: Page) -> None:
    """In command mode the notebook would move on at ArrowDown and edit at Enter."""
    active = page.evaluate("() => jupyterapp.shell.currentWidget.content.activeCellIndex")
    row(explorer, "#include").focus()
    for key in ("End", "ArrowUp", "ArrowUp", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    expect(row(explorer, "out[")).to_be_focused()
    expect(row(explorer, "out[")).to_have_attribute("aria-selected", "true")
    assert page.evaluate("() => jupyterapp.shell.currentWidget.content.activeCellIndex") == active
    page.keyboard.press("Space")
    expect(explorer.locator(".pins .pin")).to_have_count(0)


def test_assembly_comes_from_the_kernel_when_it_is_asked_for(explorer: Locator) -> None:
    explorer.get_by_role("button", name="assembly").click()
    expect(explorer.locator("[data-pane=assembly] .row").first).to_contain_text("blur")
    explorer.get_by_role("button", name="assembly").click()


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_it_follows_the_theme(explorer: Locator, page: Page, theme: str) -> None:
    command(page, "apputils:change-theme", theme=f"JupyterLab {theme}")
    page.locator(f'body[data-jp-theme-name="JupyterLab {theme}"]').wait_for(state="attached")
    has = re.compile(r"\bdark\b")
    if theme == "Dark":
        expect(explorer).to_have_class(has)
    else:
        expect(explorer).not_to_have_class(has)
    row(explorer, "out[").hover()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    explorer.screenshot(path=SCREENSHOTS / f"explorer-levels-{theme.lower()}.png")
    explorer.get_by_role("tab", name="Passes").click()
    explorer.get_by_role("option", name="single assignment").click()
    explorer.screenshot(path=SCREENSHOTS / f"explorer-passes-{theme.lower()}.png")
    explorer.get_by_role("tab", name="Levels").click()


