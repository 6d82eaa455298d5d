"""Phase 3 of the stencil specializer: optimised stencil DAST -> PAST, a perfect loop nest.

    sweep x over the interior     for i in [1, 511)
      let a = u[x + (-1, 0)]  ->    for j in [1, 511)  [simd]
      out[x] = a                      a: f64 = u[(i - 1)*512 + j]
                                      out[i*512 + j] = a

Shapes, strides and ghost depths are hard-coded from the signature.  Loops run in the order of the
output's strides, so that the unit-stride axis is innermost for C and for Fortran order alike.
"""

from __future__ import annotations

from ...ir import past
from ...ir.dast import Let, Statement
from ...ir.dtypes import I64
from ...ir.expr import Expr
from ...phase3_lower.expressions import ExpressionLowering
from ...phase3_lower.identifiers import Identifiers
from .dast import Grid, Point, Read, Scalar, Stencil, StorePoint

_LOOP_NAMES = ("i", "j", "k", "l")


def lower_to_c(stencil: Stencil) -> past.Unit:
    """The PAST of *stencil* (straight-line, typed); helpers are those that its expressions call."""
    names = Identifiers()
    params = tuple(_param(p, names) for p in stencil.params)
    loops = tuple(names.fresh(n) for n in _LOOP_NAMES[: len(stencil.interior)])
    grids = stencil.grids

    def read(e: Expr) -> past.PExpr:
        assert isinstance(e, Read)
        grid = grids[e.grid]
        return past.Load(names[e.grid], _index(grid, e.point, loops), dtype=grid.dtype, loc=e.loc)

    lowering = ExpressionLowering(names.__getitem__, read)
    body: list[Statement] = []
    for s in stencil.sweep.body:
        if isinstance(s, Let):
            value = lowering.lower(s.value)
            body.append(past.Declare(names[s.name], value.dtype, value, loc=s.loc or s.value.loc))
        elif isinstance(s, StorePoint):
            index = _index(grids[s.grid], s.point, loops)
            body.append(past.Store(names[s.grid], index, lowering.lower(s.value), loc=s.loc))
    nest: tuple[Statement, ...] = tuple(body)
    for axis in reversed(_loop_order(stencil)):
        bounds = stencil.interior[axis]
        nest = (
            past.For(
                loops[axis], past.Literal(bounds.start), past.Literal(bounds.stop), nest,
                axis=axis, independent=True, simd=nest == tuple(body), loc=stencil.sweep.loc,
            ),
        )  # fmt: skip
    function = past.Function(f"{names.fresh(stencil.name)}_kernel", params, nest, loc=stencil.loc)
    return past.Unit(function, tuple(sorted(lowering.helpers)), loc=stencil.loc)


def _param(p: Grid | Scalar, names: Identifiers) -> past.Param:
    if isinstance(p, Grid):
        return past.Param(names[p.name], p.dtype, True, not p.output, p.name, loc=p.loc)
    return past.Param(names[p.name], p.dtype.strong, argument=p.name, loc=p.loc)


def _loop_order(stencil: Stencil) -> tuple[int, ...]:
    """Axes from the outermost loop to the innermost: falling strides of the first output."""
    first = next(g for g in stencil.grids.values() if g.output)
    return tuple(sorted(range(len(first.shape)), key=lambda a: -abs(first.strides[a])))


def _index(grid: Grid, point: Point, loops: tuple[str, ...]) -> past.PExpr:
    """The element index of *point*: ``(i + di)*si + (j + dj)*sj + k + dk``."""
    index: past.PExpr | None = None
    for loop, offset, stride in zip(loops, point.offset, grid.strides, strict=True):
        term: past.PExpr = past.Variable(loop)
        if stride != 1:
            term = past.Binary("*", _moved(term, offset), past.Literal(stride))
        index = term if index is None else past.Binary("+", index, term)
        if stride == 1:
            index = _moved(index, offset)
    assert index is not None and index.dtype == I64
    return index


def _moved(e: past.PExpr, offset: int) -> past.PExpr:
    sign = "+" if offset > 0 else "-"
    return past.Binary(sign, e, past.Literal(abs(offset))) if offset else e
