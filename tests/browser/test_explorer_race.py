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
    pytest.mark.timeout(180),
]

SETUP = """\
%load_ext sejits_nb
import os
import numpy as np
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


def race(explorer: Locator, old: str, new: str) -> Locator:
    """Edit what was generated, race it; the verdict."""
    reset = explorer.get_by_role("button", name="Reset")
    if reset.is_enabled():
        reset.click()
    text = code(explorer).input_value()
    assert old in text
    code(explorer).fill(text.replace(old, new, 1))
    explorer.get_by_role("button", name="Compile, check and race").click()
    return explorer.locator(".race .verdict")


def run_another_cell(page: Page) -> list[str]:
    """What it prints: how often it ran, in which process, whether the arrays are as they were."""
    cell = page.locator(".jp-CodeCell").last
    cell.locator(".cm-content").click()
    command(page, "notebook:run-cell")
    return cell.locator(".jp-OutputArea-output").inner_text().split(maxsplit=3)


def test_edited_c_is_compiled_checked_and_raced(explorer: Locator) -> None:
    verdict = race(explorer, "#pragma omp simd", "// no pragma")
    expect(verdict).to_contain_text("✔ correct · ")
    expect(verdict).to_contain_text("as fast as the variant in use (")
    explorer.get_by_role("tab", name="Variants").click()
    expect(explorer.locator(".variants .point.edited")).to_have_count(1)
    explorer.get_by_role("tab", name="Race your own").click()


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_a_compile_error_is_shown_at_the_edited_line(
    explorer: Locator, page: Page, theme: str
) -> None:
    change_theme(page, theme)
    verdict = race(explorer, "out[", "nowhere[")
    expect(verdict).to_have_text(re.compile("✖ failed · does not compile: .*'nowhere'"))
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
    verdict = race(explorer, "{\n", "{\n*(volatile int *)0 = 1;\n")
    expect(verdict).to_contain_text("✖ failed · killed by signal 11 (SIGSEGV)")
    assert run_another_cell(page) == ["3", process, *rest]
    race(explorer, "{\n", "{\nfor (volatile int on = 1; on;) ;\n")
    expect(explorer.locator(".race .said")).to_contain_text("compiling, checking and racing")
    assert run_another_cell(page) == ["4", process, *rest]
    explorer.get_by_role("button", name="Stop").click()
    expect(verdict).to_contain_text("✖ failed · stopped")
    expect(explorer.locator(".race .edits li")).to_have_count(5)


def test_an_edit_comes_back_with_its_errors(explorer: Locator) -> None:
    explorer.locator(".race .edits button").nth(1).click()
    expect(explorer.locator(".editor .line.wrong")).to_contain_text("nowhere[")
    expect(code(explorer)).to_have_value(re.compile(r"nowhere\["))
