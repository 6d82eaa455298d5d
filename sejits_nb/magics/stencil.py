"""``%%stencil``."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, cell_magic, magics_class

from .arguments import cell_parser
from .language import run_cell


@magics_class
class StencilMagics(Magics):
    """Cells in the stencil language."""

    @cell_magic
    def stencil(self, line: str, cell: str) -> Any:
        return run_cell("stencil", self.shell, line, cell)


StencilMagics.stencil.__doc__ = f"""Specialize a stencil: fast, checked, visible.

%%stencil blur --on image
def blur(u, out):
    for x in out.interior_points():
        acc = 4.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = acc / 8.0

%%stencil heat -b openmp --on "u, 0.1"        two arguments to time on; C with OpenMP only
%%stencil heat -t none                        the model's choice, no timing
%%stencil blur --boundary wrap,clamp          or keep, constant:1.5, reflect, mirror

--boundary MODE[,MODE...]  what a read outside the grid means, for all axes or one by one

{cell_parser("%stencil").format_help()}"""
