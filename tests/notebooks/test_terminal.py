"""A plain IPython in a terminal: one line while a race goes on, then the card and levels as text."""

from __future__ import annotations

import os
import sys

import nbformat
import pexpect  # type: ignore[import-untyped]  # it ships no types
import pytest
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = pytest.mark.needs("gcc")

SETUP = """\
%load_ext sejits_nb
import numpy as np
img = np.random.default_rng(0).random((96, 128))"""
BLUR = """\
%%stencil blur -b c --budget 1 --on img
def blur(u, out):
    for x in out.interior_points():
        acc = 4.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = acc / 8.0"""
SHOWN = ("blur.dast", "blur.dast.tree", "blur.variants", "blur.variants.plot()")
CELLS = (SETUP, BLUR, *(f"display({shown})" for shown in SHOWN))


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the terminal was sent."""
    path = tmp_path_factory.mktemp("terminal") / "cells.ipynb"
    cells = [new_code_cell(text) for text in CELLS]  # type: ignore[no-untyped-call]
    nbformat.write(new_notebook(cells=cells), path)  # type: ignore[no-untyped-call]
    shell = [*"-m IPython --no-banner --colors=NoColor --no-confirm-exit".split(), path.name]
    env = {**os.environ, "TERM": "xterm"}
    terminal = pexpect.spawn(
        sys.executable, shell, cwd=path.parent, dimensions=(50, 120), env=env, encoding="utf-8",
        timeout=60,
    )  # fmt: skip
    text = terminal.read()
    terminal.close()
    assert terminal.exitstatus == 0, text
    return str(text).replace("\r\n", "\n")


def test_the_line_is_written_over_and_wiped_before_the_card(said: str) -> None:
    lines = said.split("\r\x1b[K")
    (card,) = (number for number, line in enumerate(lines) if line.startswith("blur: "))
    assert all(line.startswith("blur · ") for line in lines[1:card] if line)
    assert any("interrupt keeps the best" in line for line in lines[1:card])
    assert "× faster than Python" in lines[card].partition("\n")[0]
    assert "plain Python" in lines[card]


def test_levels_trees_and_variants_are_text(said: str) -> None:
    for row in ("1  stencil blur(u: f64[96, 128], out: f64[96, 128] out)", "1  Stencil(name='blur')",
                "3          left: Const(dtype=f64, value=4.0)", "platform  variant"):  # fmt: skip
        assert row in said
    assert "<div" not in said
    assert "base64" not in said


def test_a_figure_is_its_words(said: str) -> None:
    assert "(best): " in said.partition("platform  variant")[2]
    assert "ShownFigure" not in said
