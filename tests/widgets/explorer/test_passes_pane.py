"""Passes in a bare Chromium: the list of steps, and each as a diff that is linked like a level."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from sejits_nb.kernel import Kernel

from .conftest import Open

pytestmark = pytest.mark.browser


@pytest.fixture
def page(open_page: Open, kernel: Kernel) -> Page:
    page = open_page(kernel.explore())
    page.get_by_role("tab", name="Levels").focus()
    page.keyboard.press("ArrowRight")
    return page


def test_every_step_of_the_trace_is_listed_with_what_it_did(page: Page, kernel: Kernel) -> None:
    names = page.locator(".passes .steps .name").all_inner_texts()
    assert names == [step.name for step in kernel.trace.steps]
    said = dict(zip(names, page.locator(".steps .said").all_inner_texts(), strict=True))
    assert said["dead code"] == "no change"
    assert said["expand neighborhoods"].endswith("s")


def test_a_step_shows_the_words_that_it_changed_and_links_both_sides(page: Page) -> None:
    page.get_by_role("option", name="common subexpressions").click()
    before, after = page.locator(".diff .column").all()
    assert before.locator("del").all_inner_texts() == ["acc", "-6.0 * ", "u[x]"]
    assert after.locator("ins").all_inner_texts() == ["t1", "t1"]
    assert before.locator(".sign").all_inner_texts().count("−") == 2
    after.locator(".row", has_text="let t1").hover()
    assert before.locator(".on, .near").all_inner_texts()[0].split()[-2:] == ["*", "u[x]"]


def test_what_is_pinned_here_is_in_sight_in_the_levels(page: Page) -> None:
    page.add_style_tag(
        content=".sejits-explorer .columns { height: 9em !important; min-height: 0 }"
    )
    page.get_by_role("option", name="single assignment").click()
    page.locator(".diff .row", has_text="out[x]").last.click()
    page.get_by_role("tab", name="Levels").click()
    line = page.locator(".levels [data-pane=code] .row[data-pin]")
    expect(line).to_contain_text("out[")
    expect(line).to_be_in_viewport()


def test_a_step_without_change_says_so(page: Page) -> None:
    page.get_by_role("option", name="dead code").click()
    expect(page.locator(".detail .note")).to_have_text("dead code: no change")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus .name")).to_have_text("PAST")
    expect(page.locator(".diff .title").last).to_contain_text("after PAST")


def test_the_first_step_is_the_listing_that_the_front_end_made(page: Page) -> None:
    page.get_by_role("option", name="DAST").first.click()
    expect(page.locator(".detail .row").first).to_contain_text("stencil heat(")
    expect(page.locator(".detail .diff")).to_have_count(0)


def test_equal_stretches_are_counted_or_shown(page: Page) -> None:
    page.get_by_role("option", name="common subexpressions").click()
    gaps = page.locator(".diff .row.gap")
    hidden = gaps.count()
    page.get_by_label("equal lines too").check()
    expect(page.locator(".diff .row.gap")).to_have_count(0)
    rows = page.locator(".diff .column").last.locator(".row:not(.filler)").count()
    assert rows == 9
    assert hidden % 2 == 0
