"""All that a cell leaves is small, whatever the kernel's size; what was cut says where the whole is."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from sejits_nb import stencil
from sejits_nb.mixture.cells import iteration
from sejits_nb.results import Bandwidth, Peak, Report, Roofs
from sejits_nb.widgets.code_diff import CodeDiff
from sejits_nb.widgets.levels import View
from sejits_nb.widgets.show import (
    FIGURE_BYTES,
    FIGURE_WITH_ROOFS_BYTES,
    cell_bundles,
    view_bundle,
    view_bundles,
)

from .conftest import measured
from .test_card import Reader

LIMIT_BYTES = 150_000
ROOFS = Roofs(
    tuple(Bandwidth(at, "copy", t, t * 20e9, 1 << 20) for at in ("L2", "L3", "DRAM") for t in (1, 2)),
    tuple(Peak(dtype, t, t * 50e9) for t in (1, 2) for dtype in ("f64", "f32")),
    2, "by hand", "2025-11-21 13:40",
)  # fmt: skip


@stencil
def wide(u, out):  # type: ignore[no-untyped-def]
    for x in out.interior_points():
        acc = 0.0
        for y in u.neighbors(x, 8, metric="moore"):
            step = u[x] - u[y]
            acc = acc + u[y] * sqrt(abs(step))  # type: ignore[name-defined]  # noqa: F821
        out[x] = acc


@pytest.fixture(params=["stencil", "mixture"])
def large(request: pytest.FixtureRequest, altered: Callable[..., Report]) -> Report:
    """Hundreds of lines of C, 200 variants, a tenth of them wrong, and a long script."""
    trace = (wide if request.param == "stencil" else iteration("full")).trace
    tried = [measured((2, n, n), 1.0 + n / 100, 0.01) for n in range(200)]
    tried[::10] = [dataclasses.replace(m, verdict="wrong", times_s=(), reason="why " * 80)
                   for m in tried[::10]]  # fmt: skip
    return altered(trace=trace, measurements=tuple(tried), best=tried[1], roofs=ROOFS,
                   script="number = 1\n" * 3_000)  # fmt: skip


def saved_bytes(*bundles: tuple[dict[str, object], dict[str, object]]) -> int:
    """Of a notebook file with these outputs."""
    outputs = [new_output("display_data", data=d, metadata=m) for d, m in bundles]  # type: ignore[no-untyped-call]
    notebook = new_notebook(cells=[new_code_cell(outputs=outputs)])  # type: ignore[no-untyped-call]
    return len(nbformat.writes(notebook).encode())  # type: ignore[no-untyped-call]


def test_the_cell_of_a_large_kernel_fits_and_keeps_something_of_everything(large: Report) -> None:
    card, figure = bundles = list(cell_bundles(large))
    assert saved_bytes(*bundles) <= LIMIT_BYTES
    assert sum(len(str(v)) for v in figure[0].values()) <= FIGURE_WITH_ROOFS_BYTES
    html = card[0]["text/html"]
    Reader(html)
    cell, dast, past, code = re.findall(r'<pre class="sejits-(?:cell|lines)".*?</pre>', html, re.S)[
        :4
    ]
    assert "more lines" not in cell
    assert min(pane.count("\n") for pane in (dast, past)) > 8
    assert code.count("\n") > 50
    name = large.trace.source.label
    for where in (r"whole file is /home/ada/\S+/blur\.c", rf"print\({name}\.past\) shows all",
                  rf"nodes: print\({name}\.past\.tree\) shows all", r"<p>… \d+ more</p>"):  # fmt: skip
        assert re.search(where, html), where


def test_without_roofs_and_with_a_diff_it_fits_too(large: Report) -> None:
    without = dataclasses.replace(large, roofs=None)
    old, new = large.trace.last(3), large.trace.last(5)
    bundles = list(cell_bundles(without, CodeDiff(old, new, "before", "now")))
    assert saved_bytes(*bundles) <= LIMIT_BYTES
    assert sum(len(str(v)) for v in bundles[1][0].values()) <= FIGURE_BYTES


def test_a_level_alone_and_its_tree_fit(large: Report) -> None:
    views = [View(large.trace, large.trace.last(phase)) for phase in (2, 4, 5)]
    trees = [view.tree for view in views if view.tree]
    assert all(saved_bytes(view_bundle(view)) <= LIMIT_BYTES for view in views)
    assert all(saved_bytes(view_bundle(tree)) <= LIMIT_BYTES for tree in trees)
    assert saved_bytes(*view_bundles(views)) <= LIMIT_BYTES
    code = list(view_bundles(views))[-1][0]
    name = large.trace.source.label
    assert f"print({name}.source) shows all" in code["text/plain"]
    assert "cell" in code["text/html"]
