"""The explorer in a bare page of a real Chromium: its own module, answered by its own Python.

What JupyterLab adds is tested in tests/browser/; here a page opens in a fraction of a second.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from sejits_nb import stencil
from sejits_nb.kernel import Kernel
from sejits_nb.widgets.explorer.widget import Explorer

HOST = """<!doctype html><html lang="en"><title>explorer</title>
<style>body { background: BACKGROUND; color: INK; margin: 8px }</style><style>CSS</style>
<main id="out"></main>
<script type="module">
const state = STATE, heard = {};
const model = {
  model_id: "it", get: name => state[name],
  on: (event, f) => (heard[event] ??= new Set()).add(f),
  off: (event, f) => heard[event].delete(f),
  send: async question => tell("msg:custom", JSON.parse(await answer(question))),
};
const tell = (event, ...values) => heard[event]?.forEach(f => f(...values));
window.put = now => {
  Object.assign(state, now);
  Object.keys(now).forEach(name => tell(`change:${name}`));
};
const source = new Blob([MODULE], { type: "text/javascript" });
const { render } = (await import(URL.createObjectURL(source))).default;
window.close_it = render({ model, el: document.getElementById("out") });
window.ready = true;
</script></html>"""
THEMES = {"light": ("#ffffff", "#202020"), "dark": ("#111111", "#dddddd")}

Open = Callable[..., Page]


@stencil(backend="c")
def heat(u, out):  # type: ignore[no-untyped-def]
    for x in out.interior_points():
        acc = -6.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = u[x] + 0.1 * acc


@pytest.fixture(scope="session")
def kernel() -> Kernel:
    """Serial C, called once: compiled, not measured."""
    assert isinstance(heat, Kernel)
    heat(*heat.sample_arguments())
    return heat


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for longer: a process has one Playwright at a time, and other folders have their own."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or "/usr/bin/chromium"
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """``open_page(explorer, "dark")``: a page that shows it; a mistake in its script fails the test."""
    page = browser.new_page(viewport={"width": 1300, "height": 800})
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))

    def open_(explorer: Explorer, theme: str = "light") -> Page:
        page.expose_function("answer", lambda question: json.dumps(ask(explorer, question)))
        page.set_content(_html(explorer, theme))
        page.wait_for_function("window.ready")
        return page

    yield open_
    page.close()
    assert mistakes == []


def ask(explorer: Explorer, question: dict[str, Any]) -> Any:
    """What the widget sends back."""
    said: list[Any] = []
    explorer.send = lambda content, buffers=None: said.append(content)
    explorer._receive(explorer, question, [])
    return said[-1]


def _html(explorer: Explorer, theme: str) -> str:
    state = explorer.get_state()
    module, css = state.pop("_esm"), state.pop("_css")
    html = HOST.replace("BACKGROUND", THEMES[theme][0]).replace("INK", THEMES[theme][1])
    html = html.replace("CSS", css).replace("STATE", _json(state))
    return html.replace("MODULE", _json(module))


def _json(value: Any) -> str:
    return json.dumps(value).replace("</", "<\\/")
