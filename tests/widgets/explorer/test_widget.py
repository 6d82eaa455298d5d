"""``kernel.explore()``: what its widget answers, and what it does without anywidget."""

from __future__ import annotations

import sys
from contextvars import ContextVar, copy_context
from threading import Event

import numpy as np
import pytest
from playwright.sync_api import expect

from sejits_nb import stencil
from sejits_nb.kernel import Kernel
from sejits_nb.widgets.explorer.widget import Explorer

from . import conftest
from .conftest import Open, ask


@stencil
def fresh(u, out):  # type: ignore[no-untyped-def]
    for x in out.interior_points():
        out[x] = 0.5 * u[x]


@stencil(backend="python")
def plain(u, out):  # type: ignore[no-untyped-def]
    for x in out.interior_points():
        out[x] = 0.5 * u[x]


def test_a_kernel_that_was_never_called_shows_its_levels() -> None:
    explorer = fresh.explore()
    assert isinstance(explorer, Explorer)
    assert repr(explorer).startswith("<explorer of fresh: ")
    assert [level["id"] for level in explorer.levels][-1] == "code"


@stencil(fallback=True, tune="none")
def refused(u, out):  # type: ignore[no-untyped-def]
    for x in out.interior_points():
        out[x] = u[x] + len(str(u))


def test_of_a_kernel_outside_the_language_the_cell_is_shown() -> None:
    assert isinstance(refused, Kernel)
    refused.measure(*refused.sample_arguments())
    explorer = refused.explore()
    assert [level["id"] for level in explorer.levels] == ["cell"]
    assert "B009" in ask(explorer, {"id": "1", "ask": "assembly"})["error"]


def test_assembly_answers_with_rows_that_name_their_line_of_c(kernel: Kernel) -> None:
    explorer = kernel.explore()
    said = ask(explorer, {"id": "1", "ask": "assembly"})
    code = explorer.levels[-1]["lines"]
    assert said["id"] == "1"
    stores = [row for row in said["answer"] if row[2] and "out[" in code[row[2] - 1][0]]
    assert stores
    assert {row[1] for row in stores} == {code[stores[0][2] - 1][1]}


def test_assembly_is_that_of_the_levels_shown_whatever_was_called_since() -> None:
    assert isinstance(fresh, Kernel)
    fresh.measure(np.ones((16, 16)))
    explorer = fresh.explore()
    levels = explorer.levels
    fresh(np.ones((40, 40)))
    rows = ask(explorer, {"id": "1", "ask": "assembly"})["answer"]
    assert explorer.levels == levels
    assert max(row[2] for row in rows) <= len(levels[-1]["lines"])


def test_what_a_cell_measures_is_shown_in_the_context_of_the_last_question() -> None:
    assert isinstance(fresh, Kernel)
    explorer, asker = fresh.explore(), ContextVar("asker", default="a cell")
    context, told_by, told = copy_context(), list[str](), Event()

    def hear(_change: object) -> None:
        told_by.append(asker.get())
        told.set()

    context.run(asker.set, "the browser")
    context.run(ask, explorer, {"id": "1", "ask": "hello"})
    explorer.observe(hear, "progress")
    report = fresh.tune(np.ones((24, 16)), budget=0.5)
    assert told.wait(10.0)
    assert told_by == ["the browser"]
    assert len(explorer.variants) == len(report.measurements)


def test_what_goes_wrong_is_said_to_who_asked() -> None:
    explorer = plain.explore()
    said = ask(explorer, {"id": "7", "ask": "assembly"})
    assert said["id"] == "7"
    assert "B009" in said["error"]
    assert "nothing" in ask(explorer, {"id": "8", "ask": "nothing"})["error"]


def test_another_trace_replaces_all_that_hangs_on_it(kernel: Kernel) -> None:
    explorer = fresh.explore()
    explorer.show(kernel.trace)
    assert explorer.title == "heat"
    assert len(explorer.groups) > max(row[1] for row in explorer.levels[-1]["lines"])


@pytest.mark.browser
def test_where_no_kernel_answers_that_is_said(
    kernel: Kernel, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conftest, "ask", lambda explorer, question: None)
    page = open_page(kernel.explore())
    expect(page.get_by_text("No kernel has answered yet")).to_be_visible()
    assert page.locator("[data-pane=code] .row").count() > 5


def test_without_anywidget_the_fix_is_said(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError, match=r"pip install 'sejits_nb\[lab\]'"):
        kernel.explore()
