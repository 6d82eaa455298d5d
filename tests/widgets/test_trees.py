"""DAST and PAST as trees: every node, its values, the number and tint of its piece of the cell."""

from __future__ import annotations

import re

import pytest

from sejits_nb import stencil
from sejits_nb.ir.node import walk
from sejits_nb.mixture.cells import iteration
from sejits_nb.stages import Step, Trace
from sejits_nb.widgets.levels import View, levels_html
from sejits_nb.widgets.links import enclosing, numbering
from sejits_nb.widgets.trees import LIMIT_BYTES, Tree, tree_rows, trees_html

from .test_card import Reader

DAST = """\
1  Stencil(name='scaled')
2    sweep: Sweep(point='x', domain='out', ghost=(0, 1), halo=(0, 1))
3      body: StorePoint(grid='out')
3        point: Point(name='x', offset=(0, 0))
3        value: Binary(dtype=f64, op='*')
3          left: Const(dtype=f64, value=0.5)
3          right: Read(dtype=f64, grid='u')
3            point: Point(name='x', offset=(0, 1))"""
GRID = (
    "1    params: Grid(name='u', dtype=f64, shape=(256, 256), strides=(256, 1), output=False, "
    "boundary=(keep, keep))"
)


@stencil
def scaled(u, out):  # type: ignore[no-untyped-def]
    for x in out.interior_points():
        out[x] = 0.5 * u[x + (0, 1)]


@stencil
def wide(u, out):  # type: ignore[no-untyped-def]
    for x in out.interior_points():
        acc = 0.0
        for y in u.neighbors(x, 5, metric="moore"):
            acc = acc + u[y] * sqrt(abs(u[x] - u[y]))  # type: ignore[name-defined]  # noqa: F821
        out[x] = acc


@pytest.fixture(scope="module", params=["scaled", "wide", "mixture"])
def step(request: pytest.FixtureRequest) -> tuple[Trace, Step]:
    """A kernel's trace and its DAST: one line, 124 lines, and sums over events and components."""
    kernel = {"scaled": scaled, "wide": wide, "mixture": iteration("diag")}[request.param]
    return kernel.trace, kernel.trace.last(2)


def test_the_text_is_every_node_with_its_values_and_its_number() -> None:
    rows = str(scaled.dast.tree).splitlines()
    assert rows.pop(2).startswith("1    params: Grid(name='out', ")
    assert rows.pop(1) == GRID
    assert "\n".join(rows) == DAST
    assert repr(scaled.dast.tree) == str(scaled.dast.tree)


def test_every_node_has_the_number_of_its_own_piece_or_of_the_one_around(
    step: tuple[Trace, Step],
) -> None:
    trace, dast = step
    numbers = numbering(trace)
    places = {number: place for place, number in numbers.items()}
    rows = list(tree_rows(dast, numbers))
    assert dast.tree is not None
    assert len(rows) == sum(1 for _ in walk(dast.tree))
    assert all(row.number for row in rows)
    for row in rows:
        assert row.place is not None
        around = [places[number] for number in enclosing(row.place, numbers)]
        assert places[row.number] == (row.place if row.place in numbers else around[-1])


def test_what_lowering_adds_is_of_no_piece() -> None:
    rows = {
        row.text: row.number for row in tree_rows(scaled.trace.last(4), numbering(scaled.trace))
    }
    assert rows["start: Literal(dtype=i64, value=0)"] == 0
    assert rows["left: Literal(dtype=f64, value=0.5)"] == 3


def test_nodes_fold_and_carry_the_tint_that_their_piece_has_in_the_cell(
    step: tuple[Trace, Step],
) -> None:
    html = Tree(*step)._repr_html_()
    Reader(html)
    cell, _, tree = html.partition('<div class="sejits-tree"')
    tint = r'h(\d+)" title="[^"]*" style="background-color:(#\w{8})"'
    in_cell, in_tree = dict(re.findall(tint, cell)), dict(re.findall(tint, tree))
    assert in_tree
    assert in_tree.items() <= in_cell.items()
    assert {int(n) for n in re.findall(r"<b>(\d+)</b>", tree)} == {int(n) for n in in_tree}
    assert tree.count("<details") == tree.count("<summary>") == tree.count("<ul>") - 1


def test_a_large_tree_is_open_down_to_its_statements_and_cut_with_a_way_to_all_of_it() -> None:
    html = wide.dast.tree._repr_html_()
    assert 0.6 * LIMIT_BYTES < len(html.encode()) <= LIMIT_BYTES
    assert repr(wide.dast.tree).endswith("more lines: print(wide.dast.tree) shows all")
    assert str(wide.dast.tree).count("\n") > 1_000
    assert re.search(r"… (\d+|\d \d\d\d) more nodes: print\(wide\.dast\.tree\) shows all", html)
    assert re.search(r"<details open><summary><span [^>]*><b>\d+</b> sweep: Sweep", html)
    assert re.search(r"<details><summary><span [^>]*><b>\d+</b> body: Let\(name=&#x27;acc", html)
    assert len(trees_html(wide.trace, (wide.trace.last(2), wide.trace.last(4)), 20_000)) < 22_000


def test_the_card_has_both_trees_folded_below_the_levels() -> None:
    html = levels_html(scaled.trace, with_trees=True)
    assert html.count("<details><summary>The DAST and the PAST as trees</summary>") == 1
    assert html.count('<div class="sejits-tree"') == 2
    groups = set(re.findall(r"\.g(\d+)\{", html.partition("</style>")[0]))
    assert {
        n for row in re.findall(r'class="([^"]+)"', html) for n in re.findall(r"g(\d+)", row)
    } == (groups)


def test_generated_code_has_no_tree() -> None:
    assert View(scaled.trace, scaled.trace.last(5)).tree is None
