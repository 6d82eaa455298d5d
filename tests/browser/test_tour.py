"""The card in a real JupyterLab: run, point, save, reopen without a kernel and without trust."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import Page, sync_playwright

pytestmark = [
    pytest.mark.browser,
    pytest.mark.needs("jupyterlab"),
    pytest.mark.slow,
    pytest.mark.timeout(180),
]

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
WAIT_MS = 30_000
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
SETTINGS = {
    "labconfig/page_config.json": {
        "disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}
    },
    "settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings": {
        "theme": "JupyterLab Light",
        "adaptive-theme": False,
    },
}
COMMAND = """async ([name, args, limit]) => {
    const late = new Promise((_, no) => setTimeout(() => no(new Error(name + " hangs")), limit));
    await Promise.race([window.jupyterapp.commands.execute(name, args), late]);
}"""
LOOK = "e => { const s = getComputedStyle(e); return [s.backgroundColor, s.boxShadow] }"


class Lab(NamedTuple):
    """A JupyterLab server: its notebooks' folder, its address with the token."""

    root: Path
    url: str

    def open(self, page: Page, path: str) -> None:
        """A fresh JupyterLab with the notebook *path* open, its kernel idle."""
        page.goto(f"{self.url.replace('/?', f'/lab/tree/{path}?')}&reset")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        page.get_by_text("| Idle").wait_for()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("lab")
    root = home / "notebooks"
    root.mkdir()
    cells = [new_code_cell(SETUP), new_code_cell(BLUR)]  # type: ignore[no-untyped-call]
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    write(root / "blur.ipynb", new_notebook(cells=cells, metadata={"kernelspec": kernelspec}))  # type: ignore[no-untyped-call]
    for name, content in SETTINGS.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(json.dumps(content))
    places = {
        "JUPYTER_CONFIG_DIR": home,
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0",
               "--expose-app-in-browser", f"--IdentityProvider.token={secrets.token_hex(8)}",
               f"--ServerApp.root_dir={root}"]  # fmt: skip
    with open(home / "server.log", "wb") as log:
        server = subprocess.Popen(
            command, env={**os.environ, **{k: str(v) for k, v in places.items()}},
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield Lab(root, _address(home / "runtime", server, home / "server.log"))
    finally:
        server.terminate()
        server.wait(20)


def _address(runtime: Path, server: subprocess.Popen[bytes], log: Path) -> str:
    stop = time.monotonic() + WAIT_MS / 1000
    while time.monotonic() < stop and server.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            if file.read_text().strip():
                said = json.loads(file.read_text())
                return f"{said['url']}?token={said['token']}"
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or "/usr/bin/chromium"
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1500})
        page.set_default_timeout(WAIT_MS)
        yield page
        browser.close()


@pytest.fixture(scope="module")
def ran(lab: Lab, page: Page) -> Page:
    """The notebook after Run All, its card unfolded, saved."""
    lab.open(page, "blur.ipynb")
    command(page, "notebook:run-all-cells")
    page.locator(".jp-OutputArea img").wait_for()
    command(page, "docmanager:save")
    return page


def command(page: Page, name: str, **args: Any) -> None:
    """Execute a command of JupyterLab; an evaluation has no time limit of its own."""
    page.evaluate(COMMAND, [name, args, WAIT_MS])


def write(path: Path, notebook: Any) -> None:
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


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
    assert ran.locator(".jp-OutputArea img").evaluate("e => e.complete && e.naturalWidth") >= 700
    ran.screenshot(path=SCREENSHOTS / "tour-untrusted.png")
