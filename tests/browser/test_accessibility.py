"""axe-core on everything that a cell leaves, in a real JupyterLab, light and dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from .conftest import Lab, change_theme, command, screenshot, serious, show_cell, write_cells

pytestmark = [
    pytest.mark.browser,
    pytest.mark.needs("jupyterlab", "anywidget"),
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.timeout(180),
]

SETUP = """\
%load_ext sejits_nb
import numpy as np
from IPython.display import HTML
from sejits_nb.widgets.live_text import live_html
from sejits_nb.mixture.cells import iteration
from sejits_nb.specializers.gmm.samples import started, three_clusters
u, x = np.random.default_rng(0).random((256, 256)), three_clusters(200)"""
BLUR = """\
%%stencil blur -b c --budget 1 --on u
def blur(u, out):
    for x in out.interior_points():
        acc = 4.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = acc / 8.0"""
WRONG = """\
%%stencil blur --on "u, 1"
def blur(u, out, k):
    for x in out.interior_points():
        out[x] = u[x + (0, k)]"""
LIVE = """\
told = []
blur.tune(u, budget=0.5, resume=False, listen=told.append)
HTML(live_html(told[-1]))"""
CELLS = {
    "card": BLUR,
    "live": LIVE,
    "tree": "blur.past.tree",
    "variants": "blur.variants",
    "roofline": "%sejits machine",
    "training": "_ = iteration('diag').train(x, started(x, 3, 'diag'), verbose=True)",
    "explorer": "blur.explore()",
    "error": WRONG,
}
UNFOLD = "e => e.querySelectorAll('details').forEach(d => { d.open = true })"


@pytest.fixture(scope="module")
def ran(lab: Lab, page: Page) -> Page:
    """A notebook that has everything, after Run All."""
    write_cells(lab.root / "outputs.ipynb", SETUP, *CELLS.values())
    lab.open(page, "outputs.ipynb")
    command(page, "notebook:run-all-cells")
    return page


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_axe_finds_nothing_serious(ran: Page, theme: str) -> None:
    change_theme(ran, theme)
    found = {}
    for number, name in enumerate(CELLS, 1):
        shown = show_cell(ran, number)
        shown.evaluate(UNFOLD)
        panes = shown.get_by_role("tab").all() if name == "explorer" else [None]
        for pane in panes:
            if pane:
                pane.click()
            part = f"{name} {pane.inner_text() if pane else ''}".strip()
            found[part] = serious(ran, shown)
            screenshot(shown, f"axe-{part.replace(' ', '-').lower()}-{theme.lower()}")
    assert {part: said for part, said in found.items() if said} == {}
