"""Variants and Roofline in a bare Chromium: a real race, looked at from every side."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from sejits_nb import stencil
from sejits_nb.kernel import Kernel
from sejits_nb.results import Bandwidth, Measurement, Peak, Roofs
from sejits_nb.stages import Config
from sejits_nb.widgets.explorer.widget import Explorer

from .conftest import Open, ask

pytestmark = [pytest.mark.browser, pytest.mark.needs("gcc")]

ROOFS = Roofs(
    tuple(
        Bandwidth(level, "copy", threads, threads * rate, size, holds)
        for level, rate, size, holds in (("L2", 4e10, 1 << 19, 1 << 20), ("DRAM", 1e10, 1 << 30, 0))
        for threads in (1, 2)
    ),
    tuple(Peak(d, t, t * 3e10) for d in ("f32", "f64") for t in (1, 2)),
    2, "AMD EPYC 7763, 2 of 2 CPUs", "2025-11-21 13:39",
)  # fmt: skip
REASON = "out[3, 7] is 1.5, the plain Python has 1.25"


@stencil(backend="openmp")
def diffuse(u, out):  # type: ignore[no-untyped-def]
    for x in out.interior_points():
        acc = -4.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = u[x] + 0.1 * acc


@pytest.fixture(scope="module")
def raced() -> Kernel:
    """Raced for a moment; then one variant was declared wrong, and the roofs are made by hand."""
    assert isinstance(diffuse, Kernel)
    report = diffuse.tune(budget=4.0)
    first = report.measurements[0]
    wrong = Measurement(dataclasses.replace(first.config), "c", "wrong", reason=REASON)
    diffuse.report = dataclasses.replace(
        report, measurements=(*report.measurements, wrong), roofs=ROOFS
    )
    return diffuse


@pytest.fixture
def explorer(raced: Kernel) -> Explorer:
    return raced.explore()


@pytest.fixture
def page(open_page: Open, explorer: Explorer) -> Page:
    page = open_page(explorer)
    page.get_by_role("tab", name="Variants").click()
    return page


def points(page: Page, pane: str = "variants") -> Locator:
    return page.locator(f".{pane} .frame .point")


def timed(raced: Kernel) -> list[Measurement]:
    return [m for m in raced.variants if m.times_s]


# -- the chart


def test_every_timed_variant_is_a_point_and_the_best_is_ringed(page: Page, raced: Kernel) -> None:
    expect(points(page)).to_have_count(len(timed(raced)))
    expect(page.locator(".variants .frame .best")).to_have_count(1)
    label = page.locator(".variants .frame .best").get_attribute("aria-label") or ""
    assert label.endswith(", best")
    assert str(timed(raced)[0].config) in label


def test_arrow_keys_reach_every_point_and_enter_picks_one(page: Page, raced: Kernel) -> None:
    count = len(timed(raced))
    points(page).first.focus()
    page.keyboard.press("Home")
    said = set()
    for _ in range(count):
        said.add(page.locator(":focus").get_attribute("aria-label"))
        assert page.locator(".variants .tip").inner_text()
        page.keyboard.press("ArrowRight")
    assert len(said) == count
    page.keyboard.press("Escape")
    expect(page.locator(".variants .tip")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.locator(":focus")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".picked .code")).to_be_visible()


def test_pointing_says_the_configuration_and_a_click_shows_the_code(
    page: Page, explorer: Explorer
) -> None:
    point = page.locator(".variants .frame .best")
    point.hover()
    expect(page.locator(".variants .tip")).to_contain_text("threads=")
    point.click()
    expect(page.locator(".picked h4")).to_contain_text("openmp threads=")
    expect(page.locator(".picked .row", has_text="void diffuse")).to_be_visible()
    linked = page.locator(".picked .row[data-g]").first
    linked.hover()
    expect(linked).to_have_class(re.compile(r"\bon\b"))
    best = next(row for row in explorer.variants if row["best"])
    unroll = best["config"]["unroll"]
    other = next(row for row in explorer.variants if row["config"]["unroll"] != unroll)
    page.get_by_label("beside").select_option(str(other["index"]))
    expect(page.locator(".picked .diff .added").first).to_be_visible()
    expect(page.locator(".picked .diff .removed").first).to_be_visible()


def test_any_knob_or_figure_may_be_an_axis_or_a_colour(page: Page, raced: Kernel) -> None:
    for name, value in {"x": "unroll", "y": "speedup", "colour": "roof_fraction"}.items():
        page.locator(f"select[name={name}]").select_option(value)
    titles = page.locator(".variants .axis-title")
    expect(titles).to_have_text(["unroll", "speedup over the plain Python"])
    expect(page.locator(".variants .legend").first).to_contain_text("share of the measured roof:")
    page.locator("select[name=kind]").select_option("bars")
    expect(titles).to_have_text(["speedup over the plain Python"])
    expect(points(page)).to_have_count(len(timed(raced)))


def test_filters_are_offered_for_knobs_that_differ(page: Page, raced: Kernel) -> None:
    offered = page.locator(".filters legend").all_inner_texts()
    for knob in raced.knobs:
        values = {dict(m.config.items).get(knob.name) for m in raced.variants}
        assert (knob.name in offered) == (len(values) > 1)
    unrolls = page.get_by_role("group", name="unroll")
    unrolls.get_by_label("1", exact=True).uncheck()
    left = [m for m in timed(raced) if m.config["unroll"] != 1]
    expect(points(page)).to_have_count(len(left))
    expect(page.locator(".variants .note")).to_contain_text("filtered out")


def test_a_knob_of_many_values_folds_its_filters(raced: Kernel, open_page: Open) -> None:
    first = timed(raced)[0]
    many = [
        dataclasses.replace(first, config=Config((*first.config.items, ("trial", n))))
        for n in range(40)
    ]
    before = raced.report
    assert before is not None
    raced.report = dataclasses.replace(before, measurements=tuple(many), best=many[0])
    page = open_page(raced.explore())
    raced.report = before
    expect(points(page)).to_have_count(40)  # drawn when the browser is idle, before it is opened
    page.get_by_role("tab", name="Variants").click()
    trials = page.get_by_role("group", name="trial")
    expect(trials.locator("input")).to_have_count(0)
    trials.get_by_text("40 values").click()
    trials.get_by_label("7", exact=True).uncheck()
    expect(points(page)).to_have_count(39)
    trials.get_by_text("40 values").click()
    trials.get_by_text("40 values").click()
    expect(trials.get_by_label("7", exact=True)).not_to_be_checked()


def test_what_failed_is_listed_with_its_reason(page: Page) -> None:
    failures = page.locator(".failures")
    expect(failures.locator("summary")).to_have_text("1 failed")
    failures.locator("summary").click()
    expect(failures.locator("li")).to_contain_text(f"wrong: {REASON}")


def test_a_race_is_replayed_in_the_order_of_trying(page: Page, raced: Kernel) -> None:
    count = len(raced.variants)
    slider = page.get_by_label("variants tried so far")
    slider.focus()
    page.keyboard.press("Home")
    expect(points(page)).to_have_count(1)
    expect(page.locator(".replayed")).to_contain_text(f"1 of {count} tried · best")
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(points(page)).not_to_have_count(1)
    expect(page.locator(".replayed")).to_contain_text(f"{count} of {count} tried", timeout=12_000)
    expect(page.get_by_role("button", name="Replay")).to_be_visible()


def test_the_table_has_every_variant(page: Page, raced: Kernel) -> None:
    page.locator(".variants .twin summary").click()
    expect(page.locator(".variants .twin tbody tr")).to_have_count(len(raced.variants))
    page.locator(".variants .twin tbody button").nth(1).click()
    expect(page.locator(".picked")).to_be_visible()


def test_two_hundred_variants_are_drawn_in_a_twentieth_of_a_second(
    page: Page, explorer: Explorer
) -> None:
    row = next(row for row in explorer.variants if row["best"])
    many = [
        row | {"index": n, "median_s": 1e-4 * (1 + n % 17), "best": n == 0,
               "config": {"unroll": n % 4, "tile": n % 7, "prefetch": n % 5}}
        for n in range(200)
    ]  # fmt: skip
    page.evaluate("rows => window.put({variants: rows})", many)
    expect(points(page)).to_have_count(200)
    switch = """() => {
        const [levels, , variants] = document.querySelectorAll("[role=tab]");
        const times = [1, 2, 3, 4, 5].map(() => {
            levels.click();
            const start = performance.now();
            variants.click();
            document.body.getBoundingClientRect();
            return performance.now() - start;
        });
        return times.sort((a, b) => a - b)[2];
    }"""
    assert page.evaluate(switch) < 50


def test_what_a_cell_has_measured_since_is_shown(raced: Kernel, explorer: Explorer) -> None:
    known, report = explorer.variants, raced.report
    assert report is not None
    raced.report = dataclasses.replace(report, measurements=report.measurements[:1])
    try:
        ask(explorer, {"id": "1", "ask": "refresh"})
        assert explorer.variants == known[:1]
    finally:
        raced.report = report


# -- the roofline


@pytest.fixture
def roofline(page: Page) -> Page:
    page.get_by_role("tab", name="Roofline").click()
    return page


def test_roofs_and_points(roofline: Page, raced: Kernel) -> None:
    expect(points(roofline, "roofline")).to_have_count(len(timed(raced)))
    names = roofline.locator(".roof-name").all_text_contents()
    assert len(names) == 4
    assert {name.split()[0] for name in names} == {"L2", "DRAM", "peak"}
    roofline.get_by_label("roofs of").select_option("1")
    expect(roofline.locator(".roof-name", has_text="DRAM 10 GB/s")).to_be_visible()
    roofline.get_by_text("Table of roofs and variants").click()
    expect(roofline.locator(".roofline .twin tr")).to_have_count(3 + 1 + len(timed(raced)))
    hollow = [m for m in timed(raced) if m.config["threads"] != 1]
    expect(roofline.locator(".frame .hollow")).to_have_count(len(hollow))


def test_what_bounds_a_variant_and_the_way_to_the_best(roofline: Page, explorer: Explorer) -> None:
    verdict = roofline.locator(".verdict")
    expect(verdict).to_contain_text(
        re.compile(r"bound: [\d.]+ of the measured .* What to try next: ")
    )
    points(roofline, "roofline").first.focus()
    roofline.keyboard.press("Home")
    roofline.keyboard.press("Enter")
    label = roofline.locator(":focus").get_attribute("aria-label") or ""
    expect(verdict).to_contain_text(label.split(",")[0])

    rows = roofline.locator(".path tbody tr")
    expect(rows).to_have_count(len(explorer.path))
    expect(rows.first).to_contain_text("plain Python")
    best = next(row for row in explorer.variants if row["best"])
    expect(rows.last).to_contain_text(f"unroll={best['config']['unroll']}")


def test_unknown_roofs_are_said_and_can_be_measured(
    roofline: Page, raced: Kernel, explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown: dict[str, Any] = {"roofs": {"roofs": []}}
    roofline.evaluate("now => window.put(now)", unknown)
    expect(roofline.locator(".roofline .note")).to_contain_text("are not known")
    expect(roofline.locator(".roofline .frame")).to_be_hidden()
    measured = []
    monkeypatch.setattr(
        "sejits_nb.kernel_explorer.measured_roofs",
        lambda remeasure: measured.append(remeasure) or ROOFS,  # type: ignore[func-returns-value]
    )
    roofline.get_by_role("button", name="Measure the roofs").click()
    roofline.wait_for_timeout(200)
    assert measured == [True]
    assert len(explorer.roofs["roofs"]) == 2
    assert ask(explorer, {"id": "1", "ask": "stop"}) == {"id": "1", "answer": None}
