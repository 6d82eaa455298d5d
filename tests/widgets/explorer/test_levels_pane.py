"""Levels in a bare Chromium: links by pointer and by key, pins, search, folds, both themes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from sejits_nb.kernel import Kernel

from .conftest import THEMES, Open

pytestmark = pytest.mark.browser

ADD, STORE = "acc_1 = ", "out["


@pytest.fixture
def page(open_page: Open, kernel: Kernel) -> Page:
    return open_page(kernel.explore())


def pane(page: Page, level: str) -> Locator:
    return page.locator(f".levels [data-pane={level}]")


def row(page: Page, text: str, level: str = "code") -> Locator:
    return pane(page, level).locator(".row", has_text=text).first


def show(page: Page, *titles: str) -> None:
    for title in titles:
        page.get_by_role("group", name="Levels shown").get_by_role(
            "button", name=title, exact=True
        ).click()


def test_pointing_at_a_line_marks_its_counterparts(page: Page) -> None:
    row(page, ADD).hover()
    marked = pane(page, "cell").locator(".piece.on")
    assert marked.all_inner_texts() == ["acc += u[y]"]
    assert pane(page, "optimised").locator(".on").count() == 4
    expect(row(page, ADD)).to_have_attribute("title", re.compile(r"line \d+: acc \+= u\[y\]"))
    page.mouse.move(0, 0)
    expect(page.locator(".on")).to_have_count(0)


def test_where_a_level_has_no_such_line_the_one_around_it_is_marked_as_near(page: Page) -> None:
    show(page, "DAST as parsed")
    row(page, "t1 = u[").hover()
    near = pane(page, "parsed").locator(".near")
    assert [text.strip().split()[-5:] for text in near.all_inner_texts()] == [
        "acc = -6.0 * u[x]".split()
    ]
    assert pane(page, "parsed").locator(".on").count() == 0


def test_a_click_pins_with_number_and_colour_until_the_next_click(page: Page) -> None:
    row(page, ADD).click()
    row(page, STORE).click()
    pins = page.get_by_role("group", name="Pins")
    said = [re.sub(r"line \d+: ", "", pin) for pin in pins.locator(".pin").all_inner_texts()]
    assert said == ["1 acc += u[y] ×", "2 out[x] = u[x] + 0.1 * acc ×"]
    numbers = {e.get_attribute("data-pin") for e in pane(page, "cell").locator("[data-pin]").all()}
    assert numbers == {"1", "2"}
    expect(row(page, ADD)).to_have_attribute("aria-selected", "true")
    row(page, ADD).click()
    expect(pins.locator(".pin")).to_have_count(1)
    expect(row(page, STORE)).to_have_attribute("data-pin", "2")
    pins.locator(".pin").click()
    expect(page.locator(".code [data-pin]")).to_have_count(0)
    expect(pins).to_be_focused()


def test_the_seventh_pin_takes_the_oldest_ones_place(page: Page) -> None:
    for number in range(1, 8):
        pane(page, "cell").locator(f'.piece[data-g="{number}"]').first.click()
    pins = page.locator(".pins .pin")
    assert [pin.get_attribute("data-pin") for pin in pins.all()] == list("123456")
    expect(pane(page, "cell").locator('.piece[data-g="7"]').first).to_have_attribute(
        "data-pin", "1"
    )


NASTY = (
    'if (a < b && c > d) x = "<b>&amp;\\""; // </span>', "    a = \'\'\'x", "%%stencil <i>", "@tag",
    "0x1p3 1e-5f .5 1_000 x1", "    vmovsd  8(%rax,%rcx,8), %xmm0", ".L3:", "  for i in n  [simd]",
    "f64[N, 2] -- 4 points", "/* open", "\ttab", "é × ½ 𝒙", "",
)  # fmt: skip


def test_every_listing_shows_its_text_to_the_letter(open_page: Open, kernel: Kernel) -> None:
    explorer = kernel.explore()
    languages = ["python", "c", "opencl", "asm", "tree", "unknown"]
    rows = [[text, n % 3] for n, text in enumerate(NASTY)]
    explorer.levels = [explorer.levels[0], *(
        {"id": name, "title": name, "language": name, "lines": rows} for name in languages
    )]  # fmt: skip
    page = open_page(explorer)
    show(page, *languages)
    for name in languages:
        shown = pane(page, name).locator(".text").evaluate_all("e => e.map(one => one.textContent)")
        assert shown == list(NASTY), name


def test_keys_alone_move_pin_and_fold(page: Page) -> None:
    first = pane(page, "code").get_by_role("treeitem").first
    first.focus()
    for key in ["End", *["ArrowUp"] * 3]:
        page.keyboard.press(key)
    expect(row(page, STORE)).to_be_focused()
    expect(pane(page, "cell").locator(".on").last).to_have_text(re.compile("acc"))
    page.keyboard.press("Enter")
    expect(row(page, STORE)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    loop = row(page, "for (int64_t i ")
    loop.focus()
    page.keyboard.press("ArrowLeft")
    expect(loop).to_have_attribute("aria-expanded", "false")
    expect(row(page, STORE)).to_be_hidden()
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus .text")).to_have_text("    }")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    expect(row(page, STORE)).to_be_visible()


def test_keys_move_through_the_pieces_of_the_cell(page: Page) -> None:
    pane(page, "cell").locator(".piece").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_text("acc = ")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator(":focus")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[aria-live]")).to_have_text(
        re.compile(r"^pin 1: line \d+: -6.0 \* u\[x\]")
    )


def test_a_pinned_line_brings_its_counterparts_into_sight(page: Page) -> None:
    show(page, "assembly")
    pane(page, "assembly").locator(".row").first.wait_for()
    page.add_style_tag(
        content=".sejits-explorer .columns { height: 9em !important; min-height: 0 }"
    )
    row(page, STORE).click()
    line = pane(page, "assembly").locator(".row[data-pin]").first
    expect(line).to_be_in_viewport()
    expect(pane(page, "cell").locator(".piece[data-pin]").first).to_be_in_viewport()


def test_assembly_names_its_line_of_c_and_marks_it(page: Page) -> None:
    show(page, "assembly")
    from_c = page.locator(".no", has_text=re.compile(r"\bC \d+"))
    line = pane(page, "assembly").locator(".row", has=from_c).last
    number = line.locator(".no").inner_text().split()[1]
    line.hover()
    source = pane(page, "code").locator(".row.exact")
    expect(source.locator(".no")).to_have_text(number)
    assert source.get_attribute("data-g") == line.get_attribute("data-g")


def test_search_counts_and_goes_round(page: Page) -> None:
    field = page.get_by_role("searchbox")
    field.fill("ACC_4")
    count = page.locator(".search .count")
    expect(count).to_have_text("1 of 4")
    for text in ("2 of 4", "3 of 4", "4 of 4", "1 of 4"):
        field.press("Enter")
        expect(count).to_have_text(text)
    field.press("Shift+Enter")
    expect(count).to_have_text("4 of 4")
    expect(pane(page, "code").locator(".hit-now")).to_contain_text(STORE)
    field.fill("no such text")
    expect(count).to_have_text("none")
    field.press("Escape")
    expect(page.locator(".hit")).to_have_count(0)


def test_a_match_inside_a_fold_unfolds_it(page: Page) -> None:
    page.get_by_role("button", name="Fold", exact=True).click()
    expect(row(page, ADD)).to_be_hidden()
    page.get_by_role("searchbox").fill("acc_1 =")
    page.get_by_role("button", name="Next match").click()
    expect(row(page, ADD)).to_be_visible()


def test_levels_can_be_chosen_down_to_one(page: Page) -> None:
    show(page, "DAST optimised", "variant PAST")
    shown = "() => [...document.querySelectorAll('.levels [data-pane]')].map(e => e.dataset.pane)"
    assert page.evaluate(shown) == ["cell", "variant", "code"]
    show(page, "variant PAST", "conftest.py", "C")
    assert page.evaluate(shown) == ["code"]


CONTRAST = """() => {
  const rgba = text => {
    const n = text.match(/[\\d.]+/g).map(Number);
    const scale = text.startsWith("color(") ? 255 : 1;
    return [n[0] * scale, n[1] * scale, n[2] * scale, n[3] ?? 1];
  };
  const over = (top, below) => below.map((c, i) => top[i] * top[3] + c * (1 - top[3]));
  const light = c => c.map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  let worst = [99, ""];
  for (const element of document.querySelectorAll(".code :is(.text, i, .mark, .no)")) {
    let ground = [255, 255, 255];
    const around = [];
    for (let e = element; e; e = e.parentElement) around.unshift(e);
    for (const e of around) ground = over(rgba(getComputedStyle(e).backgroundColor), ground);
    const ink = over(rgba(getComputedStyle(element).color), ground);
    const [dark, bright] = [light(ink), light(ground)].sort((a, b) => a - b);
    const contrast = (bright + 0.05) / (dark + 0.05);
    if (contrast < worst[0]) worst = [contrast, element.className, element.textContent, ground];
  }
  return worst;
}"""
"""The least contrast of any text in the listings, and where; WCAG 2.2, 1.4.3."""


@pytest.mark.parametrize("theme", THEMES)
def test_every_colour_of_text_is_readable_on_every_tint(
    open_page: Open, kernel: Kernel, theme: str
) -> None:
    page = open_page(kernel.explore(), theme)
    dark = "dark" in (page.locator(".sejits-explorer").get_attribute("class") or "")
    assert dark == (theme == "dark")
    row(page, ADD).click()
    row(page, STORE).hover()
    readable = page.evaluate(CONTRAST)
    assert readable[0] >= 4.5, readable
    page.get_by_role("tab", name="Passes").click()
    page.get_by_role("option", name="expand neighborhoods").click()
    changed = page.evaluate(CONTRAST)
    assert changed[0] >= 4.5, changed
