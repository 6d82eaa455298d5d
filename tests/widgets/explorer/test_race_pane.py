"""Race your own in a bare Chromium: the editor, errors at their lines, verdicts, edits brought back."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from sejits_nb import stencil
from sejits_nb.kernel import Kernel
from sejits_nb.widgets.explorer.widget import Explorer

from .conftest import THEMES, Open, ask

pytestmark = [pytest.mark.browser, pytest.mark.needs("gcc")]


STORE = "out["


class Pane:
    """The pane and its explorer; what that tells is put into the page when a race has ended."""

    def __init__(self, explorer: Explorer, page: Page) -> None:
        self.explorer, self.page = explorer, page
        self.told: list[dict[str, Any]] = []
        explorer.observe(lambda change: self.told.append(change.new), "race")
        page.get_by_role("tab", name="Race your own").click()
        self.area = page.get_by_label("code to race")
        self.lines = page.locator(".editor .line")
        self.verdict = page.locator(".race .verdict")
        self.edits = page.locator(".race .edits button")

    @property
    def text(self) -> str:
        return self.area.input_value()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name)

    def race(self, old: str, new: str) -> None:
        """Edit, race, and wait for the end."""
        self.area.fill(self.text.replace(old, new, 1))
        self.start()
        self.wait()

    def start(self) -> None:
        self.told.clear()
        self.button("Compile, check and race").click()
        for _ in range(1000):
            if self.told:
                break
            self.page.wait_for_timeout(10)  # the question travels meanwhile

    def wait(self) -> None:
        for _ in range(3000):
            if not self.told[-1]["running"]:
                break
            time.sleep(0.01)
        self.put()

    def put(self) -> None:
        state = {name: getattr(self.explorer, name) for name in ("race", "variants")}
        self.page.evaluate("state => put(state)", state)

    def number(self, text: str) -> int:
        """The line, from 1, that holds *text*."""
        return next(n for n, row in enumerate(self.text.split("\n"), 1) if text in row)


@pytest.fixture
def pane(open_page: Open, kernel: Kernel) -> Pane:
    explorer = kernel.explore()
    return Pane(explorer, open_page(explorer))


def test_it_starts_with_the_code_in_use(pane: Pane) -> None:
    code = [row[0] for row in pane.explorer.levels[-1]["lines"]]
    assert pane.text.split("\n") == code
    assert pane.lines.all_text_contents() == code
    assert pane.lines.locator(".ty", has_text="double").count() > 0
    expect(pane.button("Reset")).to_be_disabled()
    expect(pane.button("Stop")).to_be_disabled()


def test_right_code_is_timed_beside_the_code_in_use(pane: Pane) -> None:
    pane.race("0.1 *", "0.10 *")
    expect(pane.verdict).to_contain_text("✔ correct · ")
    expect(pane.verdict).to_contain_text("as fast as the variant in use (")
    rows = pane.page.locator(".race table tbody tr")
    assert [row.split("\t")[0].split(" ")[0] for row in rows.all_inner_texts()] == ["edited", "c"]
    expect(pane.page.locator(".unseen")).to_contain_text("correct · ")
    expect(pane.page.locator(".race .said")).to_have_text("edited")


def test_compile_errors_stand_at_their_lines_and_move_with_them(pane: Pane) -> None:
    pane.race(STORE, "nowhere[")
    line = pane.number("nowhere[")
    wrong = pane.page.locator(".line.wrong")
    expect(wrong).to_have_count(1)
    expect(wrong).to_contain_text("✖ 'nowhere' undeclared")
    expect(wrong.locator("u")).to_have_text("nowhere")
    assert pane.lines.nth(line - 1).get_attribute("class") == "line wrong"
    expect(pane.area).to_have_attribute("aria-invalid", "true")
    expect(pane.verdict).to_have_text("✖ failed · does not compile: 'nowhere' undeclared "
                                      "(first use in this function)")  # fmt: skip
    pane.button(f"line {line}, column 13: 'nowhere' undeclared").click()
    expect(pane.area).to_be_focused()
    assert pane.area.evaluate("area => area.value.slice(area.selectionStart)").startswith(
        "nowhere["
    )
    pane.area.press("Control+Home")
    pane.page.keyboard.insert_text("// first\n")
    assert pane.lines.nth(line).get_attribute("class") == "line wrong"
    pane.area.fill(pane.text.replace("nowhere", "out"))
    expect(wrong).to_have_count(0)
    expect(pane.area).to_have_attribute("aria-invalid", "false")


def test_wrong_and_deadly_code_is_told_apart_and_edits_come_back(pane: Pane) -> None:
    pane.race("acc_1 +", "acc_1 -")
    expect(pane.verdict).to_contain_text("✖ wrong · out[1, 1] is ")
    wrong = pane.text
    pane.race("{\n", "{\n*(volatile int *)0 = 1;\n")
    expect(pane.verdict).to_contain_text("✖ failed · killed by signal 11 (SIGSEGV)")
    assert [text.split(" ")[0] for text in pane.edits.all_inner_texts()] == ["wrong", "failed"]
    pane.edits.first.click()
    expect(pane.verdict).to_contain_text("✖ wrong")
    expect(pane.edits.first).to_have_attribute("aria-pressed", "true")
    assert pane.text == wrong
    pane.button("Reset").click()
    assert pane.text != wrong
    pane.page.keyboard.press("Control+z")
    assert pane.text == wrong


def test_an_endless_loop_is_stopped(pane: Pane) -> None:
    pane.area.fill(pane.text.replace("{\n", "{\nfor (volatile int on = 1; on;) ;\n", 1))
    pane.start()
    pane.put()
    expect(pane.page.locator(".race .said")).to_have_text("compiling, checking and racing …")
    expect(pane.button("Compile, check and race")).to_be_disabled()
    pane.page.get_by_role("tab", name="Variants").click()
    expect(pane.button("Tune anew")).to_be_disabled()
    pane.page.get_by_role("tab", name="Race your own").click()
    said = ask(pane.explorer, {"id": "1", "ask": "race", "text": "", "base": None})
    assert "a race is going on" in said["error"]
    pane.button("Stop").click()
    begin = time.monotonic()
    pane.page.wait_for_timeout(100)
    pane.wait()
    assert time.monotonic() - begin < 5.0
    expect(pane.verdict).to_contain_text("✖ failed · stopped")


def test_keys_insert_blanks_and_leave(pane: Pane) -> None:
    pane.area.focus()
    pane.area.press("Control+Home")
    pane.area.press("Tab")
    assert pane.text.startswith("    #include")
    pane.page.keyboard.type("  ")
    pane.area.press("Tab")
    assert pane.text.startswith(" " * 8 + "#include")
    pane.area.press("Escape")
    pane.area.press("Tab")
    expect(pane.area).not_to_be_focused()


@pytest.mark.parametrize("theme", THEMES)
def test_the_text_lies_where_its_colours_are(open_page: Open, kernel: Kernel, theme: str) -> None:
    page = open_page(kernel.explore(), theme)
    page.get_by_role("tab", name="Race your own").click()
    styles = page.evaluate("""() => {
        const [area, line] = ["textarea", ".line"].map(s => document.querySelector(".sheet " + s));
        const word = document.createRange();
        word.selectNodeContents(line.querySelector("i"));
        const [from, to] = [area, word].map(one => one.getBoundingClientRect());
        const font = ["fontFamily", "fontSize", "lineHeight", "letterSpacing"];
        const of = element => font.map(name => getComputedStyle(element)[name]);
        return [of(area), of(line), to.left - from.left, getComputedStyle(area).color];
    }""")
    assert styles[0] == styles[1]
    assert abs(styles[2]) < 0.5
    assert styles[3] == "rgba(0, 0, 0, 0)"


def test_timed_edits_are_among_the_variants(open_page: Open) -> None:
    kernel = fresh()
    kernel.tune(budget=0.3)
    explorer = kernel.explore()
    pane = Pane(explorer, open_page(explorer))
    pane.race("0.5", "0.50")
    row = explorer.variants[-1]
    assert (row["origin"], row["verdict"], row["best"]) == ("edited", "correct", False)
    assert row["median_s"] > 0.0
    code = ask(explorer, {"id": "1", "ask": "variant", "index": row["index"]})["answer"]
    assert "\n".join(text for text, _ in code["lines"]) == pane.text
    pane.page.get_by_role("tab", name="Variants").click()
    expect(pane.page.locator(".variants .point.edited")).to_have_count(1)


def test_what_keeps_a_race_from_beginning_is_said(open_page: Open) -> None:
    kernel = fresh()
    kernel(np.ones((20, 30)))
    explorer = kernel.explore()
    pane = Pane(explorer, open_page(explorer))
    pane.race("0.5", "0.50")
    problem = pane.page.locator(".race .problem")
    expect(problem).to_contain_text("'half' was called, not measured")
    expect(problem).to_contain_text("half.tune(...)")
    expect(pane.verdict).to_have_count(0)


def fresh() -> Kernel:
    @stencil(backend="c")
    def half(u, out):  # type: ignore[no-untyped-def]
        for x in out.interior_points():
            out[x] = 0.5 * u[x]

    assert isinstance(half, Kernel)
    return half
