"""The published classes written in a cell: their source is the cell's, and so are their mistakes."""

from __future__ import annotations

from typing import Any

SCIPY_2011 = """\
from sejits_nb.stencil_kernel import *

class ExampleKernel(StencilKernel):
    def kernel(self, in_grid, out_grid):
        for x in out_grid.interior_points():
            for y in in_grid.neighbors(x, 1):
                out_grid[x] = out_grid[x] + in_grid[y]

in_grid = StencilGrid([5,5])
in_grid.data = numpy.ones([5,5])
out_grid = StencilGrid([5,5])
ExampleKernel().kernel(in_grid, out_grid)"""
JACOBI = """\
class Jacobi(StencilKernel):
    neighbor_definition = [
        [(0, -1), (0, 1)],
        [(-1, 0), (1, 0)]
    ]
    def kernel(self, in_grid, out_grid):
        for x in self.interior_points(out_grid):
            for y in self.neighbors(x, 0):
                out_grid[x] += .1 * in_grid[y]
            for y in self.neighbors(x, 1):
                out_grid[x] += .3 * in_grid[y]

in_img = numpy.ones((6, 7))
jacobi_stencil = Jacobi(backend='c')
out_img = jacobi_stencil(in_img)"""


def test_published_classes_in_cells(run: Any) -> None:
    done = run(
        SCIPY_2011,
        "float(out_grid.data.sum()), out_grid.data[0].any().item()",
        JACOBI,
        "round(float(out_img.sum()), 9), len(jacobi_stencil.build.command) > 1",
        "jacobi_stencil.source",
        JACOBI.replace("(x, 1)", "(x, 2)").replace("'c'", "'c', fallback=False"),
    )  # fmt: skip
    assert done.outputs(0) == done.outputs(2) == []
    assert done.text(1) == "(36.0, False)"
    assert done.text(3) == "(16.0, True)"
    assert "text/html" in done.outputs(4)[0].data
    (error,) = done.outputs(5, "error")
    assert "Cell In[6], line 10" in "\n".join(error.traceback)
    assert "^ entries: 2" in "\n".join(error.traceback)
