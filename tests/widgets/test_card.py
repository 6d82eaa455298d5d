"""The HTML card: well-formed, static, escaped, small, and saying what the text card says."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from html.parser import HTMLParser

from sejits_nb.ir.dast import Line
from sejits_nb.ir.node import Span
from sejits_nb.results import Report
from sejits_nb.stages import BuildLog, Step, Trace
from sejits_nb.widgets.card import LIMIT_BYTES, card_html

Alter = Callable[..., Report]
VOID = {"br", "col", "hr", "img"}


class Reader(HTMLParser):
    """Checks that tags balance; gathers tags, attribute names and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def test_static_and_well_formed(report: Report) -> None:
    reader = Reader(card_html(report))
    assert reader.tags <= set(
        "div style p strong small table caption thead tbody tr th td pre code span sup b details "
        "summary del ins".split()
    )
    assert reader.attributes <= {"class", "style", "title", "scope", "valign", "tabindex"}
    assert card_html(report).count("open") == card_html(report).count("openmp")


def test_it_says_what_the_text_says(report: Report) -> None:
    text = Reader(card_html(report)).text
    for words in (
        "blur: 4 200× faster than Python · 192 µs · 21.8 GB/s compulsory · correct",
        "correct, tie",
        "tried 8 · failed 1 · cached: no · compile 0.4 s · 6 lines of Python → 23 lines of C",
        "plain Python: 3.1 µs a point, timed on 1 600 points and scaled to 260 100",
        "AMD EPYC 7763, 2 of 2 CPUs · 2025-11-21 13:40",
        "Levels · cell → DAST → PAST → C, 8 linked pieces of the cell",
        "Passes · 2 of 3 passes changed the DAST",
        "fold constants · no change",
        "All variants · 8 tried, 7 correct, 1 failed",
        "out[3, 7] is 1.5, the plain Python has 1.25",
        "Build · gcc, 0.4 s, 23 lines of C",
        "/usr/bin/gcc -O3 -march=native -fopenmp -shared blur.c",
    ):
        assert words in text


def test_the_script_is_there_escaped_and_of_limited_size(altered: Alter) -> None:
    assert "Reproduce" not in Reader(card_html(altered())).text
    text = Reader(card_html(altered(script="import numpy\nx = 1 < 2\n"))).text
    assert "Reproduce · a script of 2 lines, blur.script()import numpy\nx = 1 < 2\n" in text
    html = card_html(altered(script="numbers = [1, 2, 3]\n" * 2_000))
    assert "more lines: blur.script() is all of it" in html
    assert len(html) < len(card_html(altered())) + 10_000


def test_passes_mark_lines_and_words(report: Report) -> None:
    html = card_html(report)
    text = Reader(html).text
    assert "\n-     for y in neighbors(u, x, 1)\n" in text
    assert "\n+     acc = acc + u[x + (0, 1)]\n" in text
    assert re.search(r"<ins [^>]*>acc_4</ins> / 8.0", html)
    assert re.search(r"<del [^>]*>acc</del> / 8.0", html)


def test_everything_foreign_is_escaped(altered: Alter, report: Report) -> None:
    attack = "<script>alert(1)</script>"
    source = dataclasses.replace(
        report.trace.source,
        text=report.trace.source.text.replace("# the centre", f"# {attack}"),
        where=attack,
    )
    steps = tuple(
        dataclasses.replace(
            s, name=s.name + attack, lines=(*s.lines, Line(attack, Span(4, 0, 4, 60)))
        )
        for s in report.trace.steps
    )
    assert report.artifact is not None
    build = BuildLog(("cc", attack), f"blur.c:3: {attack}", 0.1)
    bad = altered(
        trace=Trace(source, steps),
        machine=attack,
        note=attack,
        measurements=tuple(
            dataclasses.replace(m, reason=attack, platform=attack) for m in report.measurements
        ),
        artifact=dataclasses.replace(report.artifact, build=build, source=attack),
    )
    html = card_html(bad)
    assert "<script" not in html
    reader = Reader(html)
    assert "script" not in reader.tags
    assert attack in reader.text


def test_a_long_file_is_cut_and_its_path_said(altered: Alter, report: Report) -> None:
    spans = [line.loc for line in report.trace.steps[-1].lines if line.loc]
    lines = tuple(
        Line(f"        const double value_{n} = u[{n}] * 0.125;  /* ≥ */", spans[n % len(spans)])
        for n in range(5_000)
    )
    steps = (*report.trace.steps[:-1], Step(5, "C", lines))
    html = card_html(altered(trace=Trace(report.trace.source, steps)))
    assert 0.8 * LIMIT_BYTES < len(html.encode()) <= LIMIT_BYTES
    assert report.artifact is not None
    cut = r"… \d \d\d\d more lines: the whole file is " + re.escape(report.artifact.source)
    assert re.search(cut, Reader(html).text)


def test_the_budget_holds_when_all_is_large(altered: Alter, report: Report) -> None:
    text = "\n".join(f"    acc_{n} = 0.5 * u[x + (0, {n})]" for n in range(2_000))
    source = dataclasses.replace(report.trace.source, text=text)
    lines = tuple(Line(row, Span(n, 4, n, len(row))) for n, row in enumerate(text.splitlines(), 1))
    steps = tuple(dataclasses.replace(s, lines=lines[k:]) for k, s in enumerate(report.trace.steps))
    assert report.artifact is not None
    build = dataclasses.replace(report.artifact.build, log="warning: something\n" * 5_000)
    tried = tuple(
        dataclasses.replace(m, reason="because " * 500)
        for m in report.measurements
        for _ in range(100)
    )
    big = altered(
        trace=Trace(source, steps),
        measurements=tried,
        artifact=dataclasses.replace(report.artifact, build=build),
    )
    html = card_html(big)
    assert len(html.encode()) <= LIMIT_BYTES
    Reader(html)


def test_unchecked_stands_out(altered: Alter) -> None:
    html = card_html(altered(check="off"))
    assert re.search(r'<strong style="background-color:#\w+">UNCHECKED</strong>', html)
    assert "8 tried, 7 UNCHECKED, 1 failed" in html


def test_plain_python(altered: Alter, report: Report) -> None:
    trace = Trace(report.trace.source)
    plain = altered(best=None, measurements=(), artifact=None, trace=trace, note="no <cc> here")
    reader = Reader(card_html(plain))
    assert "blur: runs as plain Python · no <cc> here" in reader.text
    assert "details" not in reader.tags


def test_the_root_class_follows_the_content(altered: Alter, report: Report) -> None:
    first, again, other = card_html(report), card_html(report), card_html(altered(python_s=1.0))
    assert first == again
    assert first.split('"')[1] != other.split('"')[1]
    root = first.split('"')[1]
    style = first.partition("<style>")[2].partition("</style>")[0]
    rules = re.findall(r"^(.*?)\{", style, re.MULTILINE)
    selectors = [selector for rule in rules for selector in rule.split(",")]
    assert selectors
    assert all(selector.startswith(f".{root}") for selector in selectors)
