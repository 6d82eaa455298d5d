"""Tuning from the explorer in a real JupyterLab, while the notebook goes on."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import WAIT_MS, Lab, change_theme, command, screenshot, write_cells

pytestmark = [
    pytest.mark.browser,
    pytest.mark.needs("jupyterlab"),
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.timeout(180),
]

SETUP = """\
%load_ext sejits_nb
import threading
import numpy as np
u = np.random.default_rng(0).random((24, 32, 32))
free = threading.Event()"""
HEAT = """\
%%stencil heat -t none -b openmp --on u
def heat(u, out):
    for x in out.interior_points():
        acc = -6.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = u[x] + 0.1 * acc"""
BUSY = """\
while not heat.report.best.times_s:
    free.wait(0.1)
print("raced", heat.report.complete)"""
"""A cell that occupies the kernel until the race, started from the widget, has ended."""
MIXTURE = """\
%%gmm speech -t none -b openmp
def speech(x, mix):
    for n in x.events():
        for k in mix.components():
            mix.joint[n, k] = log(mix.weight[k]) + log_normal(x[n], mix.mean[k], mix.covariance[k])
        mix.responsibility[n] = softmax(mix.joint[n])
    for k in mix.components():
        r = mix.responsibility[:, k]
        mix.weight[k] = mean(r)
        mix.mean[k] = average(x, r)
        mix.covariance[k] = scatter(x, mix.mean[k], r) + 1e-6 * eye"""
RECORD = """line => {
    window.said = new Set();
    new MutationObserver(() => window.said.add(line.innerText))
        .observe(line, {childList: true, subtree: true, characterData: true});
}"""
RUN = "() => { window.jupyterapp.commands.execute('notebook:run-cell'); }"
"""Without waiting for the cell."""


def select(page: Page, cell: str) -> Locator:
    """A cell by its text; what is clicked in an output selects that one's cell."""
    found = page.locator(".jp-CodeCell", has=page.locator(".cm-content", has_text=cell))
    found.locator(".cm-content").click()
    return found


def variants_of(page: Page, cell: str) -> Locator:
    """The pane Variants of the explorer that *cell* shows."""
    explorer = select(page, cell).locator(".sejits-explorer")
    explorer.get_by_role("tab", name="Variants").click()
    return explorer


def points(explorer: Locator) -> Locator:
    return explorer.locator(".variants .frame .point")


def start(explorer: Locator, button: str, seconds: int) -> None:
    explorer.get_by_label("at most").fill(str(seconds))
    explorer.get_by_role("button", name=button).click()


def line(explorer: Locator) -> Locator:
    return explorer.locator(".tuning .said")


@pytest.fixture(scope="module")
def notebook(lab: Lab, page: Page) -> Page:
    write_cells(
        lab.root / "tune.ipynb", SETUP, HEAT, "heat.explore()", BUSY, MIXTURE, "speech.explore()",
        "heat.tune(budget=1.0);",
    )  # fmt: skip
    lab.open(page, "tune.ipynb")
    for _ in range(3):
        command(page, "notebook:run-cell-and-select-next")
    return page


def test_a_race_moves_and_stops_while_a_cell_runs(notebook: Page) -> None:
    explorer = variants_of(notebook, "heat.explore()")
    expect(explorer.locator(".variants .frame")).to_be_hidden()
    line(explorer).evaluate(RECORD)
    expect(explorer).to_have_attribute("data-answered", "beside cells", timeout=WAIT_MS)
    select(notebook, "while not")
    notebook.evaluate(RUN)
    notebook.get_by_text("| Busy").wait_for()
    start(explorer, "Tune further", 100)
    expect(line(explorer)).to_contain_text("stop keeps the best", timeout=WAIT_MS)
    expect(points(explorer).nth(2)).to_be_visible(timeout=WAIT_MS)
    explorer.locator(".legend").first.scroll_into_view_if_needed()
    screenshot(notebook, "explorer-tuning")
    explorer.get_by_role("button", name="Stop").click()
    expect(line(explorer)).to_contain_text("stopped early: the best of", timeout=WAIT_MS)
    notebook.locator(".jp-OutputArea-output", has_text="raced False").wait_for()
    said = notebook.evaluate("() => [...window.said]")
    assert len([one for one in said if "stop keeps the best" in one]) >= 3, said
    expect(explorer.locator(".variants .frame .best")).to_have_count(1)


def test_a_stopped_race_goes_on_and_ends(notebook: Page) -> None:
    explorer = variants_of(notebook, "heat.explore()")
    tried = points(explorer).count()
    start(explorer, "Resume tuning", 6)
    expect(line(explorer)).not_to_contain_text("stopped early", timeout=WAIT_MS)
    expect(explorer.get_by_role("button", name="Stop")).to_be_disabled(timeout=WAIT_MS)
    expect(line(explorer)).to_contain_text("× faster than Python")
    assert points(explorer).count() >= tried  # a fast machine had tried all before the stop


def test_what_a_cell_measures_shows_when_it_ends(notebook: Page) -> None:
    explorer = variants_of(notebook, "heat.explore()")
    before = line(explorer).inner_text()
    select(notebook, "heat.tune")
    command(notebook, "notebook:run-cell")
    expect(line(explorer)).not_to_have_text(before, timeout=WAIT_MS)
    expect(explorer.get_by_role("button", name="Stop")).to_be_disabled()


def test_a_mixture_is_tuned_like_any_kernel(notebook: Page) -> None:
    for cell in ("%%gmm", "speech.explore()"):
        select(notebook, cell)
        command(notebook, "notebook:run-cell")
    explorer = variants_of(notebook, "speech.explore()")
    start(explorer, "Tune further", 4)
    expect(points(explorer).nth(1)).to_be_visible(timeout=WAIT_MS)
    expect(explorer.get_by_role("button", name="Stop")).to_be_disabled(timeout=WAIT_MS)
    points(explorer).first.click()
    expect(
        explorer.locator(".picked .code .row", has_text=re.compile("void speech"))
    ).to_be_visible()
    for theme in ("Dark", "Light"):
        change_theme(notebook, theme)
        screenshot(explorer, f"explorer-mixture-{theme.lower()}")
