"""The card in a real JupyterLab: run, point, save, reopen without a kernel and without trust."""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest
from nbformat.v4 import new_markdown_cell
from playwright.sync_api import Page, expect

from .conftest import SCREENSHOTS, Lab, command, read, write, write_cells

pytestmark = [
    pytest.mark.browser,
    pytest.mark.needs("jupyterlab"),
    pytest.mark.slow,
    pytest.mark.timeout(180),
]

SETUP = """\
%load_ext sejits_nb
import numpy as np
img = np.random.default_rng(0).random((48, 64))"""
BLUR = """\
%%stencil blur --on img
def blur(u, out):
    for x in out.interior_points():
        acc = 4.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = acc / 8.0"""
LOOK = "e => { const s = getComputedStyle(e); return [s.backgroundColor, s.boxShadow] }"


@pytest.fixture(scope="module")
def ran(lab: Lab, page: Page) -> Page:
    """The notebook after Run All, its card unfolded, saved."""
    write_cells(lab.root / "blur.ipynb", SETUP, BLUR)
    lab.open(page, "blur.ipynb")
    command(page, "notebook:run-all-cells")
    page.locator(".jp-OutputArea img").wait_for()
    command(page, "docmanager:save")
    return page


def unfold(page: Page) -> None:
    levels = page.locator("details:has(.sejits-cell)").first
    if levels.get_attribute("open") is None:
        levels.locator("summary").first.click()
    levels.locator(".sejits-cell").first.wait_for()


def alpha(colour: str) -> float:
    parts = re.findall(r"[\d.]+", colour)
    return float(parts[3]) if len(parts) == 4 else 1.0


def last_linked_line(page: Page) -> tuple[Any, Any]:
    """The store's line of the C pane, and its piece of the cell's pane."""
    code = page.locator("details .sejits-lines").last
    line = code.locator("span", has_text="out[i * 64 + j]").first
    group = re.findall(r"\bh\d+\b", line.get_attribute("class") or "")[0]
    return line, page.locator(f"details .sejits-cell .{group}").first


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_pointing_at_a_line_of_c_marks_its_piece_of_the_cell(ran: Page, theme: str) -> None:
    command(ran, "apputils:change-theme", theme=f"JupyterLab {theme}")
    ran.locator(f'body[data-jp-theme-name="JupyterLab {theme}"]').wait_for(state="attached")
    unfold(ran)
    line, partner = last_linked_line(ran)
    ran.mouse.move(0, 0)
    before = partner.evaluate(LOOK)
    line.scroll_into_view_if_needed()
    line.hover()
    after = partner.evaluate(LOOK)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    ran.screenshot(path=SCREENSHOTS / f"tour-{theme.lower()}.png")
    assert before[1] == "none" != after[1]
    assert alpha(after[0]) > alpha(before[0]) > 0


def test_the_saved_notebook_shows_card_and_figure_without_a_kernel(lab: Lab, ran: Page) -> None:
    assert len(read(lab.root / "blur.ipynb").cells[1].outputs) == 2
    shutil.copy(lab.root / "blur.ipynb", lab.root / "reopened.ipynb")
    ran.goto(lab.url.replace("/?", "/lab?") + "&reset")
    ran.locator(".jp-DirListing-item").first.wait_for()
    none = {"shouldStart": False, "canStart": True, "autoStartDefault": False}
    command(ran, "docmanager:open", path="reopened.ipynb", kernelPreference=none)
    ran.locator(".jp-Notebook .jp-Cell").first.wait_for()
    ran.get_by_text("No Kernel", exact=False).first.wait_for()
    assert "× faster than Python" in ran.locator(".sejits-sentence").inner_text()
    figure = ran.locator(".jp-OutputArea img")
    assert figure.evaluate("e => e.complete && e.naturalWidth") >= 700
    assert "× faster than Python" in (figure.get_attribute("alt") or "")
    unfold(ran)
    ran.screenshot(path=SCREENSHOTS / "tour-reopened.png")


def test_an_untrusted_notebook_keeps_tints_and_numbers(lab: Lab, ran: Page) -> None:
    notebook = read(lab.root / "blur.ipynb")
    notebook.cells.append(new_markdown_cell("changed outside of JupyterLab"))  # type: ignore[no-untyped-call]
    write(lab.root / "untrusted.ipynb", notebook)
    lab.open(ran, "untrusted.ipynb")
    unfold(ran)
    card = ran.locator(".jp-OutputArea", has=ran.locator(".sejits-cell"))
    assert card.locator("style").count() == 0
    line, partner = last_linked_line(ran)
    for tinted in (line, partner):
        assert 0 < alpha(tinted.evaluate(LOOK)[0]) < 1
    number = re.findall(r"\d+", " ".join(ran.locator(".sejits-cell sup").all_inner_texts()))
    assert number[:4] == ["1", "2", "3", "4"]
    card.get_by_text("The DAST and the PAST as trees").click()
    tree = card.locator(".sejits-tree").first
    root, sweep = (tree.locator("summary span", has_text=t) for t in ("Stencil(", "sweep: Sweep("))
    assert 0 < alpha(sweep.evaluate(LOOK)[0]) < 1
    assert sweep.locator("b").inner_text() == "2"
    root.click()
    expect(sweep).to_be_hidden()
    root.click()
    expect(sweep).to_be_visible()
    assert ran.locator(".jp-OutputArea img").evaluate("e => e.complete && e.naturalWidth") >= 700
    ran.screenshot(path=SCREENSHOTS / "tour-untrusted.png")
