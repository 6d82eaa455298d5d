"""Work-groups: whole rows where they fit, always a divisor of the work-items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from sejits_nb.ir.node import walk
from sejits_nb.ir.past import For, If, Literal, Unit, Variable
from sejits_nb.phase3_lower.work_items import map_to_work_items
from sejits_nb.phase4_variants.work_groups import work_groups

Nest = Callable[..., Unit]


def groups(unit: Unit, size: int, rows: int, most: int = 4096) -> tuple[int, ...]:
    """Work-items in a group, dimension 0 first."""
    grouped = work_groups(map_to_work_items(unit), size, rows, most)
    found = {n.work_item: n.group for n in walk(grouped) if isinstance(n, For)}
    return tuple(found[d] for d in sorted(d for d in found if d is not None))


@pytest.mark.parametrize(
    ("lengths", "size", "rows", "wanted"),
    [
        ((510, 510), 4096, 1, (510, 1)),
        ((510, 510), 4096, 2, (510, 2)),
        ((510, 510), 256, 1, (255, 1)),
        ((254, 254), 256, 2, (254, 2)),
        ((509, 509), 4096, 1, (509, 1)),
        ((512, 514), 4096, 2, (514, 2)),
        ((8, 9, 10), 100, 4, (10, 3, 1)),
        ((7, 8, 9, 10), 5, 1, (5, 1, 1)),
        ((5000,), 4096, 2, (2500,)),
        ((0, 5), 4096, 2, (5, 1)),
    ],
)
def test_the_largest_divisors(
    nest: Nest, lengths: tuple[int, ...], size: int, rows: int, wanted: tuple[int, ...]
) -> None:
    assert groups(nest(*lengths), size, rows) == wanted


def parts(unit: Unit, size: int, most: int = 4096) -> list[tuple[int, int, int]]:
    """Start, end and group of dimension 0 in each nest, which has all loops."""
    mapped = map_to_work_items(unit)
    nests = work_groups(mapped, size, 1, most).function.body
    loops = [[n for n in walk(s) if isinstance(n, For)] for s in nests]
    assert {tuple(n.var for n in ls) for ls in loops} == {tuple(n.var for n in walk(mapped)
                                                                if isinstance(n, For))}  # fmt: skip
    return [
        (int(n.start.value), int(n.stop.value), n.group)
        for ls in loops
        for n in ls
        if n.work_item == 0 and isinstance(n.start, Literal) and isinstance(n.stop, Literal)
    ]


def test_rows_without_a_good_divisor_are_cut_in_two(nest: Nest) -> None:
    assert parts(nest(3, 8191), 4096) == [(0, 4096, 4096), (4096, 8191, 4095)]
    assert parts(nest(1_000_003), 4096) == [(0, 999_424, 4096), (999_424, 1_000_003, 579)]
    assert parts(nest(509, 509), 256) == [(0, 256, 256), (256, 509, 253)]
    assert parts(nest(3, 8190), 4096) == [(0, 8190, 4095)], "near enough"


def test_a_group_is_no_larger_than_the_device_takes(nest: Nest) -> None:
    assert groups(nest(64, 64), 4096, 2, most=64) == (64, 1)
    assert groups(nest(64, 64), 4096, 2, most=32) == (32, 1)


def test_the_loops_are_shown_with_their_groups(nest: Nest, show: Callable[[Unit], str]) -> None:
    assert (
        show(work_groups(map_to_work_items(nest(4, 6)), 4096, 2, 4096))
        == """\
for i in [0, 4)  [work-item 1, groups of 2]
  for j in [0, 6)  [work-item 0, groups of 6]
    out[i*6 + j] = u[i*6 + j]"""
    )


def test_loops_that_are_not_mapped_stay_as_they_are(nest: Nest) -> None:
    assert work_groups(nest(4, 6), 4096, 2, 4096) == nest(4, 6)


def test_a_number_of_items_that_a_call_knows_takes_whole_groups(nest: Nest) -> None:
    """Also below a condition; what the lowering has grouped itself stays."""
    unit = map_to_work_items(nest(4, 6))
    (outer,) = unit.function.body
    assert isinstance(outer, For)
    (inner,) = outer.body
    assert isinstance(inner, For)
    inner = replace(inner, stop=Variable("rows"))
    open_ended = replace(outer, body=(inner,))
    own = replace(outer, body=(replace(inner, group=3),))
    body = (If(Literal(1), (open_ended,), loc=outer.loc), own)
    grouped = work_groups(replace(unit, function=replace(unit.function, body=body)), 64, 2, 4096)
    found = [n.group for n in walk(grouped) if isinstance(n, For)]
    assert found == [2, 64, 0, 3]
