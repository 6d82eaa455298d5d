"""What the explorer tells the browser of a trace: rows, groups, levels, where listings differ."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sejits_nb.kernel import Kernel
from sejits_nb.results import Report
from sejits_nb.stages import KernelSource, Trace
from sejits_nb.widgets.explorer.blocks import blocks
from sejits_nb.widgets.explorer.state import assembly_rows, trace_state
from sejits_nb.widgets.levels import level_text
from sejits_nb.widgets.words import differing

LINES = st.lists(st.sampled_from(["a = b + 1", "a = c + 1", "for i in n", "}", ""]), max_size=8)


def test_levels_are_the_cell_and_every_stage(report: Report) -> None:
    state = trace_state(report.trace)
    assert [level["title"] for level in state["levels"]] == [
        "Cell In[7]", "DAST as parsed", "DAST optimised", "PAST", "variant PAST", "C"
    ]  # fmt: skip
    assert (state["title"], state["language"]) == ("blur", "C")
    json.dumps(state)


def test_rows_add_up_to_the_text_of_their_level(report: Report) -> None:
    cell, *others = trace_state(report.trace)["levels"]
    text = ["".join(piece[0] for piece in row) for row in cell["lines"]]
    assert text == list(report.trace.source.lines)
    for level, step in zip(others, (0, 3, 4, 5, 6), strict=True):
        texts = [row[0] for row in level["lines"]]
        assert texts == [line.text for line in report.trace.steps[step].lines]


def test_groups_have_the_numbers_of_the_card(report: Report) -> None:
    rows = trace_state(report.trace)["levels"][-1]["lines"]
    card = level_text(report.trace, report.trace.last(5)).splitlines()
    linked = [(line, group) for line, (_, group) in zip(card, rows, strict=True) if group]
    assert [int(line.split()[0]) for line, _ in linked] == [group for _, group in linked]


def test_a_group_knows_its_place_and_what_is_around_it(report: Report) -> None:
    none, *groups = trace_state(report.trace)["groups"]
    assert none is None
    inner = next(n for n, g in enumerate(groups, 1) if g["snippet"] == "u[y]")
    around = [groups[n - 1]["snippet"] for n in groups[inner - 1]["within"]]
    assert around == ["def blur(u, out):…", "acc += u[y]"]
    assert (groups[inner - 1]["line"], groups[inner - 1]["where"]) == (6, "Cell In[7]")


def test_steps_without_change_carry_no_rows(report: Report) -> None:
    passes = trace_state(report.trace)["passes"]
    assert [step["name"] for step in passes] == [step.name for step in report.trace.steps]
    assert [step["lines"] is None for step in passes] == [0, 1, 0, 0, 0, 1, 0]
    assert passes[1]["changed"] is False
    assert passes[2]["blocks"][1][:5] == ["replace", 3, 5, 3, 7]


def test_a_kernel_outside_the_language_has_the_cell_alone() -> None:
    state = trace_state(Trace(KernelSource("f", "def f(a):\n    pass\n", "Cell In[1]")))
    assert [level["id"] for level in state["levels"]] == ["cell"]
    assert state["passes"] == []


def test_instructions_have_the_group_of_their_line_of_c(report: Report) -> None:
    code = trace_state(report.trace)["levels"][-1]["lines"]
    line = next(n for n, row in enumerate(code, 1) if "u_1 =" in row[0])
    rows = assembly_rows((report.trace, (("blur:", 0), ("    movsd  (%rdi), %xmm0", line))))
    assert rows == [["blur:", 0, 0], ["    movsd  (%rdi), %xmm0", code[line - 1][1], line]]


def test_levels_of_a_real_kernel_link_every_line_that_computes(kernel: Kernel) -> None:
    code = trace_state(kernel.trace)["levels"][-1]["lines"]
    assert all(group for text, group in code if "=" in text)


@given(LINES, LINES)
def test_blocks_lead_from_the_old_listing_to_the_new_one(old: list[str], new: list[str]) -> None:
    left, right = list[str](), list[str]()
    for kind, i, j, k, m, words in blocks(old, new):
        assert kind != "equal" or old[i:j] == new[k:m]
        assert not words or len(words) == min(j - i, m - k)
        left += old[i:j]
        right += new[k:m]
    assert (left, right) == (old, new)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("acc = acc + u[y]", "acc = acc + u[x + (0, 1)]", ("y", "x + (0, 1)")),
        ("a = 1", "a = 1", ("", "")),
        ("for i in n", "}", None),
    ],
)
def test_words_that_differ(old: str, new: str, found: Any) -> None:
    ranges = differing(old, new)
    sides = zip((old, new), ranges or (), strict=bool(ranges))
    words = tuple("".join(text[a:b] for a, b in side) for text, side in sides)
    assert (words or None) == found
