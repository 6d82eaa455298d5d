"""Phase 3 of the stencil specializer: optimised stencil DAST -> PAST, a perfect loop nest a region.

    sweep x over the interior     for i in [1, 511)
      let a = u[x + (-1, 0)]  ->    for j in [1, 511)  [simd]
      out[x] = a                      a: f64 = u[(i - 1)*512 + j]
                                      out[i*512 + j] = a

Shapes, strides and ghost depths are hard-coded from the signature.  Loops run in the order of the
output's strides, so that the unit-stride axis is innermost for C and for Fortran order alike.  Near a
rim with a boundary mode, indices go through a helper: ``u[wrap_i64(i - 1, 512)*512 + j]``.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from ...ir import past
from ...ir.dast import Let, Statement
from ...ir.dtypes import BOOL, I64
from ...ir.expr import Expr
from ...phase3_lower.expressions import ExpressionLowering
from ...phase3_lower.identifiers import Identifiers
from .dast import Coordinate, Grid, Point, Read, Scalar, Stencil, StorePoint
from .regions import Region, regions

_LOOP_NAMES = ("i", "j", "k", "l")
_HELPERS = {"constant": "clamp"}


def lower_to_c(stencil: Stencil) -> past.Unit:
    """The PAST of *stencil* (straight-line, typed); helpers are those that its expressions call."""
    names = Identifiers()
    params = tuple(_param(p, names) for p in stencil.params)
    loops = tuple(names.fresh(n) for n in _LOOP_NAMES[: len(stencil.interior)])
    order = _loop_order(stencil)
    helpers: set[str] = set()
    tables: dict[tuple[past.Literal, ...], str] = {}
    nests: list[Statement] = []
    for region in regions(stencil, order):
        lowering = _RegionLowering(stencil, region, names, loops, helpers, tables)
        nests.append(lowering.nest(order))
    function = past.Function(
        f"{names.fresh(stencil.name)}_kernel", params, tuple(nests), loc=stencil.loc
    )
    constant = tuple(past.Table(n, v[0].dtype, v) for v, n in tables.items())
    return past.Unit(function, tuple(sorted(helpers)), constant, loc=stencil.loc)


@dataclass(frozen=True, slots=True)
class _RegionLowering:
    stencil: Stencil
    region: Region
    names: Identifiers
    loops: tuple[str, ...]
    helpers: set[str]
    tables: dict[tuple[past.Literal, ...], str]

    def nest(self, order: tuple[int, ...]) -> past.For:
        """The loops over the region, *order* outermost first, around the sweep's body."""
        body = self.body()
        for axis in reversed(order):
            box = self.region.box[axis]
            body = (
                past.For(
                    self.loops[axis], past.Literal(box.start), past.Literal(box.stop), body,
                    axis=axis, independent=True, simd=axis == order[-1], loc=self.stencil.sweep.loc,
                ),
            )  # fmt: skip
        assert isinstance(body[0], past.For)
        return body[0]

    def body(self) -> tuple[Statement, ...]:
        lowering = ExpressionLowering(
            self.names.__getitem__, self.domain, self.helpers, self.tables
        )
        body: list[Statement] = []
        for s in self.stencil.sweep.body:
            if isinstance(s, Let):
                value = lowering.lower(s.value)
                loc = s.loc or s.value.loc
                body.append(past.Declare(self.names[s.name], value.dtype, value, loc=loc))
            elif isinstance(s, StorePoint):
                index = self.index(self.stencil.grids[s.grid], s.point)
                value = lowering.lower(s.value)
                body.append(past.Store(self.names[s.grid], index, value, loc=s.loc))
        return tuple(body)

    def domain(self, e: Expr) -> past.PExpr:
        """A read of a grid, or a coordinate."""
        if isinstance(e, Coordinate):
            moved = _moved(past.Variable(self.loops[e.axis]), e.point.offset[e.axis])
            return dataclasses.replace(moved, loc=e.loc)
        assert isinstance(e, Read)
        return self.read(e)

    def read(self, e: Read) -> past.PExpr:
        """A load; under ``constant``, the constant where the point is outside."""
        grid = self.stencil.grids[e.grid]
        value: past.PExpr = past.Load(
            self.names[e.grid], self.index(grid, e.point), dtype=grid.dtype, loc=e.loc
        )
        for axis in sorted(
            self.region.rim, reverse=True
        ):  # outside of two axes: the first's constant
            boundary, offset = grid.boundary[axis], e.point.offset[axis]
            if offset and boundary.mode == "constant":
                inside = _inside(_moved(past.Variable(self.loops[axis]), offset), grid.shape[axis])
                constant = past.Literal(
                    grid.dtype.numpy.type(boundary.value).item(), dtype=grid.dtype
                )
                value = past.Ternary(inside, value, constant, dtype=grid.dtype, loc=e.loc)
        return value

    def index(self, grid: Grid, point: Point) -> past.PExpr:
        """The element index of *point*: ``(i + di)*si + (j + dj)*sj + k + dk``."""
        index: past.PExpr | None = None
        axes = zip(self.loops, point.offset, grid.strides, grid.boundary, grid.shape, strict=True)
        for axis, (loop, offset, stride, boundary, length) in enumerate(axes):
            term: past.PExpr = past.Variable(loop)
            bends = axis in self.region.rim and offset != 0
            if bends:
                helper = f"{_HELPERS.get(boundary.mode, boundary.mode)}_i64"
                self.helpers.add(helper)
                term = past.CallC(helper, (_moved(term, offset), past.Literal(length)))
            elif stride != 1:
                term = _moved(term, offset)
            if stride != 1:
                term = past.Binary("*", term, past.Literal(stride))
            index = term if index is None else past.Binary("+", index, term)
            if stride == 1 and not bends:
                index = _moved(index, offset)
        assert index is not None and index.dtype == I64
        return index


def _param(p: Grid | Scalar, names: Identifiers) -> past.Param:
    if isinstance(p, Grid):
        return past.Param(names[p.name], p.dtype, True, not p.output, p.name, loc=p.loc)
    return past.Param(names[p.name], p.dtype.strong, argument=p.name, loc=p.loc)


def _loop_order(stencil: Stencil) -> tuple[int, ...]:
    """Axes from the outermost loop to the innermost: falling strides of the first output."""
    first = next(g for g in stencil.grids.values() if g.output)
    return tuple(sorted(range(len(first.shape)), key=lambda a: -abs(first.strides[a])))


def _moved(e: past.PExpr, offset: int) -> past.PExpr:
    sign = "+" if offset > 0 else "-"
    return past.Binary(sign, e, past.Literal(abs(offset))) if offset else e


def _inside(index: past.PExpr, length: int) -> past.PExpr:
    low = past.Binary(">=", index, past.Literal(0), dtype=BOOL)
    high = past.Binary("<", index, past.Literal(length), dtype=BOOL)
    return past.Binary("&&", low, high, dtype=BOOL)
