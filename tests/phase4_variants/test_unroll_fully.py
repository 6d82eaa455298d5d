"""Tiny grids as straight-line code."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import sejits_nb as sj
from sejits_nb.ir.past import Unit
from sejits_nb.phase4_variants.parallel import parallelize
from sejits_nb.phase4_variants.unroll_fully import unroll_fully

Nest = Callable[..., Unit]
Show = Callable[[Unit], str]


def test_every_iteration_becomes_its_lines(nest: Nest, show: Show) -> None:
    assert (
        show(unroll_fully(nest(2, 2)))
        == """\
out[0] = u[0]
out[1] = u[1]
out[2] = u[2]
out[3] = u[3]"""
    )


def test_a_loop_shared_among_threads_stays(nest: Nest) -> None:
    shared = parallelize(nest(2, 2), 2)
    assert unroll_fully(shared) is shared


def test_every_line_keeps_its_span(nest: Nest) -> None:
    lines = unroll_fully(nest(2, 3)).function.body
    assert len(lines) == 6
    assert {line.loc for line in lines} == {nest(2, 3).function.loc}


@pytest.mark.parametrize("shape", [(3, 3), (4, 5), (6, 6)], ids=str)
@pytest.mark.parametrize("boundary", ["keep", "wrap", "mirror"])
def test_tiny_grids_have_no_loop_and_the_right_values(
    shape: tuple[int, int], boundary: str
) -> None:
    @sj.stencil(boundary=boundary, fallback=False)
    def around(u, out):  # type: ignore[no-untyped-def]  # a kernel
        for x in out.interior_points():
            acc = 0.5 * u[x] + x[0]
            for y in u.neighbors(x, 1):
                acc += u[y]
            if acc > 1.0:
                acc = -acc
            out[x] = acc

    u = np.random.default_rng(3).random(shape)
    np.testing.assert_allclose(around(u), around.reference(u), rtol=1e-14)
    points = np.prod(shape) if boundary != "keep" else (shape[0] - 2) * (shape[1] - 2)
    assert ("for (" in str(around.source)) == (points > 16)
