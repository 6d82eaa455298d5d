"""Two kernels' code side by side: words marked, both names said, a limit of size."""

from __future__ import annotations

import re

from sejits_nb.ir.dast import Line
from sejits_nb.results import Report
from sejits_nb.stages import Step
from sejits_nb.widgets.code_diff import LIMIT_BYTES, CodeDiff
from sejits_nb.widgets.show import view_bundle

OLD = "void heat(double *out)\n{\n    a();\n    b();\n    c();\n    out[0] = 4.0 * u_0;\n}"
NEW = (
    "void heat(double *out)\n{\n    a();\n    b();\n    c();\n    out[0] = 2.0 * u_0;\n    d<e;\n}"
)


def diff(old: str, new: str) -> CodeDiff:
    a, b = (Step(5, "C", tuple(Line(row, None) for row in t.split("\n"))) for t in (old, new))
    return CodeDiff(a, b, "heat", "blur")


def test_the_text_is_a_unified_diff() -> None:
    assert repr(diff(OLD, NEW)) == (
        "heat | blur: 1 line of C only in heat, 2 only in blur\n--- heat\n+++ blur\n"
        "@@ -3,5 +3,6 @@\n     a();\n     b();\n     c();\n"
        "-    out[0] = 4.0 * u_0;\n+    out[0] = 2.0 * u_0;\n+    d<e;\n }"
    )


def test_the_html_has_both_sides_with_words_marked() -> None:
    html = diff(OLD, NEW)._repr_html_()
    left, right = re.findall(r"<td.*?</td>", html, re.DOTALL)
    assert "<strong>heat</strong>" in left
    assert re.search(r"6 -     out\[0\] = <del [^>]*>4</del>\.0", left)
    assert "<strong>blur</strong>" in right
    assert re.search(r"6 \+     out\[0\] = <ins [^>]*>2</ins>\.0", right)
    assert "d&lt;e;" in right
    assert left.count("\n") == right.count("\n")
    assert "void heat" not in html  # far from any change


def test_the_same_code_is_said_to_be() -> None:
    same = diff(OLD, OLD)
    assert repr(same) == "heat | blur: the same C"
    assert "<table" not in same._repr_html_()


def test_the_size_is_limited() -> None:
    old = "\n".join(f"    const double value_{n} = u[{n}];" for n in range(5_000))
    html = diff(old, old.replace("u[", "v["))._repr_html_()
    assert len(html.encode()) <= LIMIT_BYTES + 2_000
    assert re.search(r"… \d \d\d\d more lines", html)
    assert repr(diff(old, old.replace("u[", "v["))).endswith("\n… 9 853 more lines")


def test_the_bundle(report: Report) -> None:
    step = report.trace.last(5)
    data, metadata = view_bundle(CodeDiff(step, step, "a", "b"))
    assert data["text/plain"] == "a | b: the same C"
    assert data["text/html"].startswith("<p>a | b")
    assert metadata == {}
