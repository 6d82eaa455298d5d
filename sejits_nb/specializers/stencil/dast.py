"""The stencil DAST.

    Stencil ::= Stencil(name, params: (Grid | Scalar)*, sweep)
    Sweep   ::= Sweep(point, domain, ghost, halo, body: Stmt*, border)
                                     every point inside the ghost zone, or every point in it (border)
    Stmt    ::= Assign | Let | If                               (ir/dast.py)
              | StorePoint(grid, value)                         grid[point] = value
              | ForNeighbors(var, grid, centre, radius, metric, offsets, body)
    Expr    ::= ... (ir/expr.py) | Read(grid, point) | Coordinate(point, axis) | Distance(a, b)
              (Distance is gone after "expand neighborhoods")
    Point   ::= Point(name, offset)                             x + (0, 1)

``ForNeighbors`` is gone after "expand neighborhoods"; ``Assign`` and ``If`` after "single
assignment"; from then on the body is straight-line: Let* StorePoint*.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from ...ir.dast import Statement
from ...ir.dtypes import DType
from ...ir.expr import Const, Expr, show
from ...ir.node import Node, Span, node
from .boundaries import Boundary

Offset = tuple[int, ...]
Box = tuple[range, ...]


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
class Coordinate(Expr):
    """``point[axis]``, a Python integer."""

    point: Point
    axis: int

    def __str__(self) -> str:
        return (
            f"({self.point})[{self.axis}]"
            if any(self.point.offset)
            else f"{self.point}[{self.axis}]"
        )


@node
class Distance(Expr):
    """``distance(a, b)``: the L1 distance of two points, known once neighborhoods are expanded."""

    a: Point
    b: Point

    def __str__(self) -> str:
        return f"distance({self.a}, {self.b})"


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
    """``for var in grid.neighbors(centre, radius)``: *offsets* relative to *centre*, in run order.

    *radius* of a named neighborhood is its name, as written; *grid* may be a method's ``self``.
    """

    var: str
    grid: str
    centre: Point
    radius: int | str
    metric: str
    offsets: tuple[Offset, ...]
    body: tuple[Statement, ...]
    weight: str = ""
    weights: tuple[Const, ...] = ()

    @property
    def binds(self) -> tuple[str, ...]:
        """The locals that each turn of the loop sets."""
        return (self.weight,) if self.weight else ()

    def headline(self) -> str:
        if self.weight:
            return (
                f"for {self.var}, {self.weight} in {self.grid}.weighted({self.centre}, ...)"
                f"  -- {len(self.offsets)} points"
            )
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
    """A grid parameter: ``dtype[shape]``, ``strides`` in elements, a boundary mode for each axis."""

    name: str
    dtype: DType
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    output: bool
    boundary: tuple[Boundary, ...]

    def __str__(self) -> str:
        kind = f"{self.name}: {self.dtype}[{', '.join(map(str, self.shape))}]"
        modes = [str(b) for b in self.boundary]
        bounded = f" {','.join(modes if len(set(modes)) > 1 else modes[:1])}"
        return kind + (bounded if {*modes} - {"keep"} else "") + (" out" if self.output else "")


@node
class Scalar(Node):
    """A number passed by value."""

    name: str
    dtype: DType

    def __str__(self) -> str:
        return f"{self.name}: {self.dtype}"


@node
class Sweep(Statement):
    """One visit of every point inside the ghost zone; with *border*, of every point in it.

    *ghost* is the depth of that zone, *halo* how far reads reach, on each axis; they differ where a
    boundary mode says what a read outside the grid means.
    """

    point: str
    domain: str
    ghost: Offset
    halo: Offset
    body: tuple[Statement, ...]
    border: bool = False

    def headline(self) -> str:
        halo = "" if self.halo == self.ghost else f", halo {self.halo}"
        part = "border" if self.border else "interior"
        return (
            f"sweep {self.point} over the {part} of {self.domain}, ghost depth {self.ghost}{halo}"
        )

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

    @property
    def visited(self) -> tuple[Box, ...]:
        """Boxes, apart from one another, of the points that the sweep visits; one at least."""
        return (self.sweep.border and self._border) or (self.interior,)

    @property
    def untouched(self) -> tuple[Box, ...]:
        """Boxes of all other points."""
        return (self.interior,) if self.sweep.border else self._border

    @property
    def points(self) -> int:
        """How many points the sweep visits."""
        return sum(prod(map(len, box)) for box in self.visited)

    @property
    def _border(self) -> tuple[Box, ...]:
        whole = tuple(map(range, self.grids[self.sweep.domain].shape))
        return tuple(box for box, _ in shells(whole, self.interior, tuple(range(len(whole)))))


def shells(whole: Box, core: Box, order: tuple[int, ...]) -> Iterator[tuple[Box, frozenset[int]]]:
    """Boxes that make up *whole* without *core*, and the axes along which each goes beyond it.

    Slabs are cut off the last axis of *order* first: what lies beyond several axes goes to the last.
    Of a core without points nothing is left out.
    """
    beyond = {a for a in order if core[a] != whole[a]}
    if any(not core[a] for a in beyond):
        yield whole, frozenset(beyond)
        return
    box = list(whole)
    for axis in (a for a in reversed(order) if a in beyond):
        low = range(whole[axis].start, core[axis].start)
        high = range(core[axis].stop, whole[axis].stop)
        for slab in (low, high):
            if slab:
                yield (*box[:axis], slab, *box[axis + 1 :]), frozenset(beyond)
        beyond.discard(axis)
        box[axis] = core[axis]
