"""The stencil DAST.

    Stencil ::= Stencil(name, params: (Grid | Scalar)*, sweep)
    Sweep   ::= Sweep(point, domain, ghost, body: Stmt*)       every point inside the ghost zone
    Stmt    ::= Assign | Let | If                               (ir/dast.py)
              | StorePoint(grid, value)                         grid[point] = value
              | ForNeighbors(var, grid, centre, radius, metric, offsets, body)
    Expr    ::= ... (ir/expr.py) | Read(grid, point)
    Point   ::= Point(name, offset)                             x + (0, 1)

``ForNeighbors`` is gone after "expand neighborhoods"; ``Assign`` and ``If`` after "single
assignment"; from then on the body is straight-line: Let* StorePoint*.
"""

from __future__ import annotations

from ...ir.dast import Statement
from ...ir.dtypes import DType
from ...ir.expr import Expr, show
from ...ir.node import Node, Span, node

Offset = tuple[int, ...]


@node
class Point(Node):
    """A grid point: *name* (the sweep's point or a neighbor variable) plus a constant *offset*."""

    name: str
    offset: Offset

    def __str__(self) -> str:
        return f"{self.name} + {self.offset}" if any(self.offset) else self.name


@node
class Read(Expr):
    """The value of *grid* at *point*."""

    grid: str
    point: Point

    def __str__(self) -> str:
        return f"{self.grid}[{self.point}]"


@node
class StorePoint(Statement):
    """``grid[x] = value`` at the sweep's own point."""

    grid: str
    point: Point
    value: Expr

    def headline(self) -> str:
        return f"{self.grid}[{self.point}] = {show(self.value)}"


@node
class ForNeighbors(Statement):
    """``for var in grid.neighbors(centre, radius)``: *offsets* relative to *centre*, in run order."""

    var: str
    grid: str
    centre: Point
    radius: int
    metric: str
    offsets: tuple[Offset, ...]
    body: tuple[Statement, ...]

    def headline(self) -> str:
        metric = "" if self.metric == "l1" else f", metric={self.metric!r}"
        return (
            f"for {self.var} in {self.grid}.neighbors({self.centre}, {self.radius}{metric})"
            f"  -- {len(self.offsets)} points"
        )

    def nested(self) -> tuple[Node, ...]:
        return self.body

    def origin(self) -> Span | None:
        return self.centre.loc or self.loc


@node
class Grid(Node):
    """A grid parameter: ``dtype[shape]``, ``strides`` in elements."""

    name: str
    dtype: DType
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    output: bool

    def __str__(self) -> str:
        return f"{self.name}: {self.dtype}[{', '.join(map(str, self.shape))}]" + (
            " out" if self.output else ""
        )


@node
class Scalar(Node):
    """A number passed by value."""

    name: str
    dtype: DType

    def __str__(self) -> str:
        return f"{self.name}: {self.dtype}"


@node
class Sweep(Statement):
    """One visit of every interior point; *ghost* is the ghost zone's depth on each axis."""

    point: str
    domain: str
    ghost: Offset
    body: tuple[Statement, ...]

    def headline(self) -> str:
        return f"sweep {self.point} over the interior of {self.domain}, ghost depth {self.ghost}"

    def nested(self) -> tuple[Node, ...]:
        return self.body


@node
class Stencil(Statement):
    """The root: a kernel for one signature."""

    name: str
    params: tuple[Grid | Scalar, ...]
    sweep: Sweep

    def headline(self) -> str:
        return f"stencil {self.name}({', '.join(map(str, self.params))})"

    def nested(self) -> tuple[Node, ...]:
        return (self.sweep,)

    @property
    def grids(self) -> dict[str, Grid]:
        """The grid parameters by name."""
        return {p.name: p for p in self.params if isinstance(p, Grid)}

    @property
    def scalars(self) -> dict[str, DType]:
        """The types of the scalar parameters by name."""
        return {p.name: p.dtype for p in self.params if isinstance(p, Scalar)}

    @property
    def interior(self) -> tuple[range, ...]:
        """The indices of the interior along each axis; an axis shorter than the ghost zone has none."""
        shape = self.grids[self.sweep.domain].shape
        return tuple(range(g, max(g, n - g)) for n, g in zip(shape, self.sweep.ghost, strict=True))
