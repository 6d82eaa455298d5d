"""The card as a saved output: formats, sizes, and what becomes of it in other formats."""

from __future__ import annotations

import base64
import json
import re
from html import unescape
from typing import Any

import pytest
from nbconvert import HTMLExporter, MarkdownExporter

PNG_HEADER = b"\x89PNG\r\n\x1a\n"
C_LINE = "const double acc = 4.0 * u[i * 64 + j];"


LARGE = """
def large(u, out):
    for x in out.interior_points():
        acc = 0.0
        for y in u.neighbors(x, 5, metric="moore"):
            acc = acc + u[y] * sqrt(abs(u[x] - u[y]))
        out[x] = acc
"""


def plain(html: str) -> str:
    """What a reader sees of *html*, all blanks alike."""
    text = re.sub(r"<(style|script)\b.*?</\1>|<[^>]+>", "", html, flags=re.DOTALL)
    return " ".join(unescape(text).split())


@pytest.fixture(scope="module")
def done(run: Any) -> Any:
    return run(run.setup, "%%stencil blur --on img" + run.body, "blur.source", "blur")


@pytest.fixture(scope="module")
def card(done: Any) -> Any:
    return done.outputs(1)[0].data


@pytest.fixture(scope="module")
def figure(done: Any) -> Any:
    return done.outputs(1)[1]


def test_the_cell_leaves_the_card_and_the_figure(done: Any) -> None:
    assert [output.output_type for output in done.outputs(1)] == ["display_data"] * 2


def test_the_card_is_text_and_static_html(card: Any) -> None:
    assert {"text/plain", "text/html"} < set(card)
    for needle in ("× faster than Python", "correct, best", "6 lines of Python → "):
        assert needle in card["text/plain"]
        assert needle in card["text/html"]
    assert not re.search(r"<(script|svg|iframe|link)|\son\w+=|https?:", card["text/html"])


@pytest.mark.long
def test_what_a_large_kernel_leaves_is_limited(run: Any) -> None:
    cell = "%%stencil -t none --set unroll=4 --diff blur" + LARGE
    small = "%%stencil -s none -t none" + run.body
    done = run("%load_ext sejits_nb", small, cell)
    outputs = done.outputs(2)
    assert len(outputs) == 2  # nothing was timed: no figure
    assert "more lines" in outputs[0].data["text/html"]
    assert 90_000 < len(json.dumps(outputs, indent=1, ensure_ascii=False).encode()) <= 150_000


def test_the_figure_is_a_png_with_its_numbers_in_words(figure: Any) -> None:
    assert base64.b64decode(figure.data["image/png"]).startswith(PNG_HEADER)
    alt = figure.data["text/plain"]
    assert "× faster than Python" in alt
    assert f'alt="{alt}"' in figure.data["text/html"]
    assert figure.metadata["image/png"]["alt"] == alt


def test_the_kernels_own_display_is_the_card(done: Any, card: Any) -> None:
    assert done.outputs(3)[0].data["text/plain"] == card["text/plain"]


def test_a_level_shows_itself_with_its_numbers(done: Any) -> None:
    shown = done.outputs(2)[0].data
    assert C_LINE in shown["text/plain"]
    assert C_LINE in plain(shown["text/html"])


def test_nbconvert_html_keeps_card_levels_and_figure(done: Any, card: Any, figure: Any) -> None:
    page = HTMLExporter(template_name="lab").from_notebook_node(done.node)[0]  # type: ignore[no-untyped-call]
    assert plain(card["text/html"]) in plain(page)
    cells = card["text/html"].count('class="sejits-cell"')
    assert page.count('class="sejits-cell"') == 2 * cells + 1  # the card twice, one level
    assert figure.data["image/png"].strip() in page


def test_nbconvert_markdown_keeps_the_card(done: Any, card: Any) -> None:
    page = MarkdownExporter().from_notebook_node(done.node)[0]  # type: ignore[no-untyped-call]
    text = plain(page)
    for needle in ("× faster than Python", "correct, best", C_LINE):
        assert needle in text
    # A blank line would end the HTML block, and what follows would be read as Markdown.
    for output in [*done.outputs(1), *done.outputs(2)]:
        assert not re.search(r"\n\s*\n", output.data["text/html"])
    # A code host escapes a style element: what is in it has to be a comment then.
    escaped = re.sub(r"<(/?style)", r"&lt;\1", page)
    assert "sejits-sentence{" in escaped
    assert "{" not in plain(
        re.sub(r"<!--.*?-->|<pre.*?</pre>|```.*?```", "", escaped, flags=re.DOTALL)
    )
