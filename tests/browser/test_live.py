"""The live display in a real JupyterLab: it moves while the kernel is busy, then the card is there."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from .conftest import SCREENSHOTS, Lab, command, read, write_cells

pytestmark = [
    pytest.mark.browser,
    pytest.mark.needs("jupyterlab"),
    pytest.mark.slow,
    pytest.mark.timeout(180),
]

SETUP = """\
%load_ext sejits_nb
import numpy as np
u = np.random.default_rng(0).random((48, 96, 96))"""
HEAT = """\
%%stencil heat -t full --budget 8 -b openmp --on u
def heat(u, out):
    for x in out.interior_points():
        acc = -6.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = u[x] + 0.1 * acc"""
WATCH = """() => {
    window.said = [];
    const look = () => {
        const busy = !document.body.innerText.includes("| Idle");
        const line = [...document.querySelectorAll(".jp-OutputArea-output p")]
            .map(p => p.innerText).find(t => t.includes("interrupt keeps the best"));
        if (line && line !== window.said.at(-1)?.line) window.said.push({line, busy});
    };
    new MutationObserver(look).observe(document.body,
        {childList: true, subtree: true, characterData: true});
}"""

RUN = """() => { window.jupyterapp.commands.execute("notebook:run-all-cells"); }"""
"""Without waiting for the cells."""


def test_the_line_moves_while_the_kernel_is_busy_and_the_card_replaces_it(
    lab: Lab, page: Page
) -> None:
    write_cells(lab.root / "heat.ipynb", SETUP, HEAT)
    lab.open(page, "heat.ipynb")
    page.evaluate(WATCH)
    page.evaluate(RUN)
    page.get_by_text("interrupt keeps the best").wait_for()
    page.get_by_text(re.compile(r"\d+/\d+ variants · best")).wait_for()
    page.locator(".jp-OutputArea-output table").wait_for()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "live.png")
    sentence = page.locator(".sejits-sentence")
    sentence.wait_for(timeout=90_000)
    expect(page.get_by_text("interrupt keeps the best")).to_have_count(0)
    said = page.evaluate("() => window.said")
    assert len(said) >= 4, said
    assert all(one["busy"] for one in said[:-1])
    counts = [int(n) for one in said for n in re.findall(r"(\d+)/\d+ variants", one["line"])]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    assert "× faster than Python" in sentence.inner_text()
    page.locator(".jp-OutputArea img").wait_for()
    command(page, "docmanager:save")
    outputs = read(lab.root / "heat.ipynb").cells[1].outputs
    assert [o.output_type for o in outputs] == ["display_data"] * 2
    assert "sejits-sentence" in outputs[0].data["text/html"]
    assert "image/png" in outputs[1].data
    assert "interrupt keeps" not in json.dumps(outputs)
