"""Levels side by side: numbers, tints, nested and overlapping spans, and the view of one level."""

from __future__ import annotations

import re

import pytest

from sejits_nb.ir.dast import Line
from sejits_nb.ir.node import Span
from sejits_nb.results import Report
from sejits_nb.stages import KernelSource, Step, Trace
from sejits_nb.widgets.levels import View, level_text, levels_html
from sejits_nb.widgets.links import enclosing, groups, level_steps, segments, snippet

LISTING = """\
   #include <math.h>
   #include <stdint.h>

1  void blur(const double *restrict u, double *restrict out)
   {
2    #pragma omp parallel for num_threads(2) schedule(static)
2    for (int64_t i0 = 1; i0 < 511; i0 += 1) {
2      #pragma omp simd
2      for (int64_t i1 = 1; i1 < 511; i1 += 1) {
4        const double u_0 = u[512 * i0 + i1];
3        const double acc_0 = 4.0 * u_0;"""


def _panes(html: str) -> list[str]:
    return re.findall(r"<pre.*?</pre>", html, re.DOTALL)


def _plain(html: str) -> str:
    return re.sub(r"<[^>]*>", "", html).replace("&lt;", "<").replace("&gt;", ">")


def test_levels_come_in_order_with_their_names(report: Report) -> None:
    html = levels_html(report.trace)
    heads = [_plain(h) for h in re.findall(r'<th scope="col".*?</th>', html)]
    assert heads == [
        "cell Cell In[7]",
        "DAST after single assignment",
        "PAST variant threads=2 tile=0 unroll=1",
        "C",
    ]
    assert len(_panes(html)) == 4


def test_every_group_of_the_code_is_in_the_cell(report: Report) -> None:
    cell, *_, code = _panes(levels_html(report.trace))
    in_code = set(re.findall(r"<b> *(\d+)</b>", code))
    in_cell = set(re.findall(r"<sup>(\d+),?</sup>", cell))
    assert in_code == {str(n) for n in range(1, 9)}
    assert in_code <= in_cell


def test_a_tint_is_the_same_in_every_pane_and_inline(report: Report) -> None:
    tints: dict[str, set[str]] = {}
    for pane in _panes(levels_html(report.trace)):
        spans = re.findall(r'<span class="[g\d ]*h(\d+)"[^>]*background-color:(#\w{8})"', pane)
        assert spans
        for number, colour in spans:
            tints.setdefault(number, set()).add(colour)
    assert len(tints) == 8
    assert all(len(colours) == 1 for colours in tints.values())


def test_the_text_of_each_pane_is_whole(report: Report) -> None:
    cell, *_, code = _panes(levels_html(report.trace))
    assert _plain(re.sub(r"<sup>.*?</sup>", "", cell)) == report.trace.source.text
    assert report.generated is not None
    rows = [row[3:] for row in _plain(code).splitlines()]
    assert "\n".join(rows) == report.generated.text


def test_a_block_is_tinted_on_its_first_line_only(report: Report) -> None:
    rows = _panes(levels_html(report.trace))[0].splitlines()
    assert re.search(r'<span class="g1 h1" title="1" style=.*def blur', rows[1])
    assert '<span class="g1 h1" title="1">for y in u.neighbors(x, 1):</span>' in rows[4]


def test_an_outer_group_takes_in_the_lines_of_inner_ones(report: Report) -> None:
    code = _panes(levels_html(report.trace))[-1]
    assert re.search(r'<span class="g1 g3 g4 h4" title="u\[x\]"[^>]*><b>4</b> ', code)


def test_partial_overlap_is_split() -> None:
    numbers = {(1, 0, 1, 5): 1, (1, 3, 1, 8): 2}
    assert segments("a + b + c", numbers) == [
        [("a +", (1,), (1,)), (" b", (1, 2), (2,)), (" + ", (2,), ()), ("c", (), ())]
    ]


def test_two_groups_that_begin_together_are_told_apart() -> None:
    trace = _trace("a = b", Line("x", Span(1, 0, 1, 5)), Line("y", Span(1, 0, 1, 1)))
    assert "<sup>1,</sup><sup>2</sup>a</span>" in levels_html(trace)


@pytest.mark.parametrize("span", [Span(1, 0, 9, 4), Span(7, 0, 7, 3), Span(1, 3, 1, 90)])
def test_a_span_outside_of_the_cell_breaks_nothing(span: Span) -> None:
    html = levels_html(_trace("out[x] = 1", Line("line", span)))
    assert "<b>1</b>  line</span>" in html


def test_groups_follow_the_source_outer_before_inner() -> None:
    step = Step(5, "C", (Line("b", Span(2, 4, 2, 8)), Line("-"), Line("a", Span(2, 4, 3, 8))))
    assert groups((step,)) == {(2, 4, 3, 8): 1, (2, 4, 2, 8): 2}
    assert enclosing((2, 4, 2, 8), groups((step,))) == (1, 2)


def test_snippets_are_one_short_line() -> None:
    assert snippet("a = (b\n + c)", (1, 4, 2, 5)) == "(b…"
    assert snippet("a = b", (1, 4, 1, 5)) == "b"
    assert snippet("a", (3, 0, 3, 1)) == ""
    assert len(snippet("x" * 90, (1, 0, 1, 90))) == 48


def test_a_view_reads_as_its_text_and_shows_the_cell_beside(report: Report) -> None:
    assert report.generated is not None
    view = View(report.trace, report.generated)
    assert str(view) == report.generated.text
    assert repr(view).startswith(LISTING)
    html = view._repr_html_()
    assert len(_panes(html)) == 2
    assert _panes(html)[1] == _panes(levels_html(report.trace))[-1]


def test_a_level_outside_of_the_card_adds_numbers_for_its_own_spans(report: Report) -> None:
    first = report.trace.steps[0]
    assert first not in level_steps(report.trace)
    rows = level_text(report.trace, first).splitlines()
    assert [row[:2] for row in rows] == [" 1", " 2", " 9", "10", " 5", " 7"]
    assert "<sup>10</sup>u.neighbors(x, 1)" in View(report.trace, first)._repr_html_()


def test_a_trace_that_ends_early_shows_what_there_is(report: Report) -> None:
    trace = Trace(report.trace.source, report.trace.steps[:2])
    assert [s.name for s in level_steps(trace)] == ["fold constants"]
    assert len(_panes(levels_html(trace))) == 2
    assert len(_panes(levels_html(Trace(report.trace.source)))) == 1


def _trace(cell: str, *lines: Line) -> Trace:
    return Trace(KernelSource("k", cell, "Cell In[1]"), (Step(5, "C", lines),))
