"""A real JupyterLab in a real Chromium."""

from __future__ import annotations

import json
import os
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
from axe_playwright_python.sync_playwright import Axe
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Locator, Page, sync_playwright

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
WAIT_MS = 30_000
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


SHOW_CELL = """number => {
    const notebook = jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = number;
    return notebook.scrollToItem(number);
}"""


class Lab(NamedTuple):
    """A JupyterLab server: its notebooks' folder, its address with the token."""

    root: Path
    url: str

    def open(self, page: Page, path: str) -> None:
        """A fresh JupyterLab with the notebook *path* open, its kernel idle."""
        page.goto(f"{self.url.replace('/?', f'/lab/tree/{path}?')}&reset")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        page.get_by_text("| Idle").wait_for()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("lab")
    root = home / "notebooks"
    root.mkdir()
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


def command(page: Page, name: str, **args: Any) -> None:
    """Execute a command of JupyterLab; an evaluation has no time limit of its own."""
    page.evaluate(COMMAND, [name, args, WAIT_MS])


def show_cell(page: Page, number: int) -> Locator:
    """The outputs of a cell, counted from 0, scrolled to: JupyterLab keeps no others in the page."""
    page.evaluate(SHOW_CELL, number)
    found = page.locator(f'.jp-Cell[data-windowed-list-index="{number}"] .jp-OutputArea')
    found.locator(".jp-OutputArea-output").first.wait_for()
    return found


def change_theme(page: Page, theme: str) -> None:
    """``Light`` or ``Dark``."""
    command(page, "apputils:change-theme", theme=f"JupyterLab {theme}")
    page.locator(f'body[data-jp-theme-name="JupyterLab {theme}"]').wait_for(state="attached")


def screenshot(of: Page | Locator, name: str) -> None:
    """Keep a picture of a page or a part of it, to be looked at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    of.screenshot(path=SCREENSHOTS / f"{name}.png")


def serious(page: Page, part: Locator) -> list[str]:
    """What axe-core calls serious or critical in *part*: rule, number of places, the first of them."""
    part.evaluate("e => { e.dataset.axe = '' }")
    said = Axe().run(page, context="[data-axe]", options={"resultTypes": ["violations"]})
    part.evaluate("e => { delete e.dataset.axe }")
    return [
        f"{v['id']}: {len(v['nodes'])}, {v['nodes'][0]['html'][:200]}"
        for v in said.response["violations"]
        if v["impact"] in ("serious", "critical")
    ]


def write(path: Path, notebook: Any) -> None:
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


def write_cells(path: Path, *cells: str) -> None:
    """A notebook of code cells; without a kernelspec it would open with a question."""
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    code = [new_code_cell(text) for text in cells]  # type: ignore[no-untyped-call]
    write(path, new_notebook(cells=code, metadata={"kernelspec": kernelspec}))  # type: ignore[no-untyped-call]


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
