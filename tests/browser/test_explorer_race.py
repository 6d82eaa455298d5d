"""Race your own in a real JupyterLab: edited C is raced, refused at its line, and may crash or hang."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import Lab, change_theme, command, screenshot, serious, write_cells

pytestmark = [
    pytest.mark.browser,
    pytest.mark.needs("jupyterlab", "anywidget", "gcc"),
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.timeout(180),
]

SETUP = """\
%load_ext sejits_nb
import os
import numpy as np
from sejits_nb import config
config.EDIT_TIMEOUT_S = 60.0  # an endless loop is stopped by hand here
u = np.random.default_rng(0).random((200, 300))
before, runs = u.copy(), 0"""
HEAT = """\
%%stencil heat -b c -t quick --budget 0.5 --on u
def heat(u, out):
    for x in out.interior_points():
        acc = -4.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = u[x] + 0.1 * acc"""
ALIVE = "runs += 1; print(runs, os.getpid(), (u == before).all(), heat(u).shape)"


@pytest.fixture(scope="module")
def explorer(lab: Lab, page: Page) -> Locator:
    write_cells(lab.root / "race.ipynb", SETUP, HEAT, "heat.explore()", ALIVE)
    lab.open(page, "race.ipynb")
    command(page, "notebook:run-all-cells")
    found = page.locator(".sejits-explorer")
    found.get_by_role("tab", name="Race your own").click()
    expect(code(found)).to_have_value(re.compile("void heat_kernel"))
    return found


def code(explorer: Locator) -> Locator:
    return explorer.get_by_label("code to race")


def start(explorer: Locator, old: str, new: str) -> None:
    """Edit what was generated, and have it raced."""
    reset = explorer.get_by_role("button", name="Reset")
    if reset.is_enabled():
        reset.click()
    text = code(explorer).input_value()
    assert old in text
    code(explorer).fill(text.replace(old, new, 1))
    explorer.get_by_role("button", name="Compile, check and race").click()


def race(explorer: Locator, old: str, new: str) -> Locator:
    """The verdict on an edit."""
    start(explorer, old, new)
    return verdict(explorer)


def verdict(explorer: Locator) -> Locator:
    found = explorer.locator(".race .verdict")
    found.wait_for()
    return found


def run_another_cell(page: Page) -> list[str]:
    """What it prints: how often it ran, in which process, whether the arrays are as they were."""
    cell = page.locator(".jp-CodeCell").last
    cell.locator(".cm-content").click()
    command(page, "notebook:run-cell")
    return cell.locator(".jp-OutputArea-output").inner_text().split(maxsplit=3)


def test_keys_edit_and_leave(explorer: Locator, page: Page) -> None:
    """JupyterLab has its own ideas of Enter, Tab, Escape and Ctrl-Z inside of a cell."""
    page.get_by_text("| Idle").wait_for()
    code(explorer).focus()
    for key in ("Control+Home", "Tab", "x", "Enter"):
        page.keyboard.press(key)
    expect(code(explorer)).to_have_value(re.compile(r"^ {4}x\n#include"))
    page.keyboard.press("Control+z")
    expect(code(explorer)).not_to_have_value(re.compile(r"^ {4}x\n#include"))
    page.keyboard.press("Escape")
    expect(code(explorer)).to_be_focused()
    page.keyboard.press("Tab")
    expect(code(explorer)).not_to_be_focused()


def test_edited_c_is_compiled_checked_and_raced(explorer: Locator) -> None:
    said = race(explorer, "#pragma omp simd", "// no pragma")
    expect(said).to_contain_text("✔ correct · ")
    expect(said).to_contain_text("as fast as the variant in use (")
    explorer.get_by_role("tab", name="Variants").click()
    expect(explorer.locator(".variants .point.edited")).to_have_count(1)
    explorer.get_by_role("tab", name="Race your own").click()


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_a_compile_error_is_shown_at_the_edited_line(
    explorer: Locator, page: Page, theme: str
) -> None:
    change_theme(page, theme)
    said = race(explorer, "out[", "nowhere[")
    expect(said).to_have_text(re.compile("✖ failed · does not compile: .*'nowhere'"))
    wrong = explorer.locator(".editor .line.wrong")
    expect(wrong).to_contain_text("nowhere[")
    expect(wrong).to_contain_text("✖ ")
    explorer.get_by_role("button", name="'nowhere'").first.click()
    expect(code(explorer)).to_be_focused()
    screenshot(explorer, f"explorer-race-{theme.lower()}")
    assert serious(page, explorer) == []


def test_a_crash_and_an_endless_loop_leave_the_notebooks_kernel_alive(
    explorer: Locator, page: Page
) -> None:
    _, process, *rest = run_another_cell(page)
    assert rest == ["True", "(200, 300)\n"]
    said = race(explorer, "{\n", "{\n*(volatile int *)0 = 1;\n")
    expect(said).to_contain_text("✖ failed · killed by signal 11 (SIGSEGV)")
    assert run_another_cell(page) == ["3", process, *rest]
    start(explorer, "{\n", "{\nfor (volatile int on = 1; on;) ;\n")
    expect(explorer.locator(".race .said")).to_contain_text("compiling, checking and racing")
    assert run_another_cell(page) == ["4", process, *rest]
    explorer.get_by_role("button", name="Stop").click()
    expect(verdict(explorer)).to_contain_text("✖ failed · stopped")
    expect(explorer.locator(".race .edits li")).to_have_count(5)


def test_an_edit_comes_back_with_its_errors(explorer: Locator) -> None:
    explorer.locator(".race .edits button").nth(1).click()
    expect(explorer.locator(".editor .line.wrong")).to_contain_text("nowhere[")
    expect(code(explorer)).to_have_value(re.compile(r"nowhere\["))
