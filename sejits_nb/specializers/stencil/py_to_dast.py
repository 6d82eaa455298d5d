"""Phase 1 of the stencil specializer: Python -> stencil DAST.

    for x in out.interior_points():            Sweep(x, out, ghost=(1, 1), body=(
        out[x] = -4.0 * u[x]                      StorePoint(out, x, -4.0 * Read(u, x)),
        for y in u.neighbors(x, 1):      ->       ForNeighbors(y, u, x, 1, offsets, (
            out[x] += u[y]                            StorePoint(out, x, Read(out, x) + Read(u, y)))))

Nothing is raised until the whole kernel has been read.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from ...contracts import Interface
from ...errors import StencilError
from ...ir.dast import Assign, If, Statement
from ...ir.expr import Binary, Const, Expr
from ...phase1_frontend.definite import unset_reads
from ...phase1_frontend.definition import header
from ...phase1_frontend.diagnose import Findings, describe
from ...phase1_frontend.subset import (
    ExpressionReader,
    bare_name,
    constant_of,
    describe_node,
)
from ...stages import ArrayType, KernelSource, Signature
from .boundaries import boundaries_of, held
from .dast import (
    Coordinate,
    Distance,
    ForNeighbors,
    Grid,
    Read,
    Scalar,
    Stencil,
    StorePoint,
    Sweep,
)  # fmt: skip
from .halo import depths
from .interface import inlined, read_interface, receiver
from .points import PointReader
from .rules import RULES

MOST_POINTS = 1000
_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<",
    ast.RShift: ">>",
}  # fmt: skip


def parse(source: KernelSource, signature: Signature) -> Stencil:
    """The DAST of *source* for the shapes and dtypes of *signature*.

    Raises :class:`StencilError` with up to all findings of the kernel, each at its smallest span.
    """
    kernel = inlined(source)
    function, interface = kernel.function, read_interface(source)
    findings = Findings(source, RULES, list(kernel.found), kernel.written)
    reader = _Reader(source, interface, signature, findings)
    try:
        stencil = reader.kernel(function)
    except RecursionError:
        raise StencilError(describe(source, RULES, "L024", header(source, function))) from None
    if reader.findings.found:
        raise StencilError(*sorted(reader.findings.found, key=lambda d: (d.line, d.col)))
    return stencil


@dataclass(slots=True)
class _Reader:
    source: KernelSource
    interface: Interface
    signature: Signature
    findings: Findings
    ndim: int = field(init=False)
    points: PointReader = field(init=False)
    expressions: ExpressionReader = field(init=False)
    method: str = "interior_points"

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.source.settings)

    def __post_init__(self) -> None:
        shapes = [t.shape for _, t in self.signature.args if isinstance(t, ArrayType)]
        self.ndim = len(shapes[0]) if shapes else 2

    # -- the kernel and its sweep

    def kernel(self, function: ast.FunctionDef) -> Stencil:
        assigned = {n.id: None for n in ast.walk(function)
                    if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}  # fmt: skip
        points = {n.id for loop in ast.walk(function) if isinstance(loop, ast.For)
                  for n in ast.walk(loop.target) if isinstance(n, ast.Name)}  # fmt: skip
        points -= {n.id for loop in ast.walk(function) if isinstance(loop, ast.For)
                   and isinstance(loop.target, ast.Tuple) for n in loop.target.elts[1:]
                   if isinstance(n, ast.Name)}  # fmt: skip
        grids = self.interface.grids
        scalars = [p for p in self.interface.params if p not in grids]
        self.expressions = ExpressionReader(
            self.source, self.findings, self._domain_expression,
            {*scalars, *(set(assigned) - points - set(grids))}, {*grids, *points},
        )  # fmt: skip
        self.points = PointReader(self.findings, grids, self.ndim, self.expressions.constant)
        if "neighbors" in self.settings.get("receiver", ()):
            self.points.receiver = receiver(self.source, function)
            self.points.definition = self.settings.get("neighbor_definition")
        params = tuple(self._param(function, name) for name in self.interface.params)
        before, loops = self._split(function)
        if not loops:
            grid = (self.interface.outputs or grids or ("out",))[0]
            self.findings.add("S001", header(self.source, function), grid=grid)
            return Stencil(function.name, params, Sweep("x", grid, (), (), (), loc=None), loc=None)
        self.points.sweep = loops[0].target.id if isinstance(loops[0].target, ast.Name) else "x"
        prologue = self._statements(before)
        sweep = self._sweep(loops[0], prologue)
        for extra in loops[1:]:
            self.findings.add("S013", extra.iter)
        return Stencil(function.name, params, sweep, loc=header(self.source, function))

    def _split(self, function: ast.FunctionDef) -> tuple[list[ast.stmt], list[ast.For]]:
        """Assignments before the sweep, and the loops; the docstring is skipped."""
        before: list[ast.stmt] = []
        loops: list[ast.For] = []
        for statement in _without_docstring(function.body):
            if isinstance(statement, ast.For):
                loops.append(statement)
            elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign) and not loops:
                before.append(statement)
            elif not isinstance(statement, ast.Pass):
                self.findings.add("S011", statement)
        return before, loops

    def _param(self, function: ast.FunctionDef, name: str) -> Grid | Scalar:
        kind = self.signature[name]
        arg = next(a for a in function.args.args if a.arg == name)
        at = self.findings.span(arg)
        if isinstance(kind, ArrayType):
            if name not in self.interface.grids:
                for use in ast.walk(function):
                    if isinstance(use, ast.Name) and use.id == name:
                        point = self.points.sweep
                        self.findings.add("S018", use, name=name, point=point)
            output = name in self.interface.outputs
            modes = boundaries_of(self.source, self.interface, name, len(kind.shape))
            modes = held(modes, name, kind.dtype.numpy)
            return Grid(name, kind.dtype, kind.shape, kind.strides, output, modes, loc=at)
        return Scalar(name, kind.dtype, loc=at)

    def _sweep(self, loop: ast.For, prologue: tuple[Statement, ...]) -> Sweep:
        point = self.points.sweep
        domain = self.interface.grids[0] if self.interface.grids else ""
        at = self.findings.span(loop.iter)
        match loop.iter:
            case ast.Call(
                ast.Attribute(
                    ast.Name(grid) as base,
                    "interior_points" | "all_points" | "border_points" as method,
                ),
                args,
                keywords,
            ):
                self.method = method
                if grid not in self.interface.grids:
                    self.points.no_grid(base, grid)
                else:
                    domain = grid
                if args or keywords:
                    self.points.misuse(loop.iter, method, "no arguments", "arguments", grid)
            case _:
                self.findings.add("S001", loop.iter, grid=(self.interface.outputs or ("out",))[0])
        self._loop_form(loop)
        self.points.known.add(point)
        body = self._statements(loop.body)
        self._check_carried(prologue, loop)
        for name in unset_reads((*prologue, *body), self.interface.params):
            self.findings.add("L019", name.loc, name=name.id)
        halo, ghost = depths(self.source, self.interface, (*prologue, *body), self.ndim)
        border = self.method == "border_points"
        if self.method != "interior_points" and any(ghost):
            self.findings.add("S021", loop.iter, grid=domain, method=self.method)
        if border:
            ghost = halo if any(halo) else (1,) * self.ndim
        if self.method != "all_points":
            ghost = tuple(max(g, self.settings.get("ghost_depth", 0)) for g in ghost)
        return Sweep(point, domain, ghost, halo, (*prologue, *body), border, loc=at)

    def _loop_form(self, loop: ast.For) -> None:
        if not isinstance(loop.target, ast.Name):
            self.findings.add("L017", loop.target, what=describe_node(loop.target))
        elif loop.target.id in self.interface.params:
            self.findings.add("L020", loop.target, name=loop.target.id, role="parameter")
        if loop.orelse:
            self.findings.add("L010", loop.orelse[0], what="for ... else")

    def _check_carried(self, prologue: tuple[Statement, ...], loop: ast.For) -> None:
        before = {s.name for s in prologue if isinstance(s, Assign)}
        for n in ast.walk(loop):
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n.id in before:
                self.findings.add("S016", n, name=n.id)

    # -- statements

    def _coordinate(self, e: ast.expr, point: ast.expr, index: ast.expr) -> Expr:
        at, axis = self.points.read(point, "u"), self.expressions.constant(index)
        if at is None:
            return Const(0)
        if not isinstance(axis, int) or not -self.ndim <= axis < self.ndim:
            self.findings.add("S020", index, ndim=self.ndim, point=self.points.sweep)
            return Const(0)
        return Coordinate(at, int(axis) % self.ndim, loc=self.findings.span(e))

    def _statements(self, body: list[ast.stmt]) -> tuple[Statement, ...]:
        return tuple(s for one in body for s in self._statement(one))

    def _statement(self, s: ast.stmt) -> tuple[Statement, ...]:
        at = self.findings.span(s)
        match s:
            case ast.Assign([target], value):
                return self._assign(s, target, self.expressions.read(value))
            case ast.Assign(targets):
                self.findings.add("L017", targets[1], what="a second target")
            case ast.AnnAssign(target, _, ast.expr() as value):
                return self._assign(s, target, self.expressions.read(value))
            case ast.AnnAssign(ast.Name(), _, None):
                pass
            case ast.AugAssign(target, op, value) if type(op) in _OPERATORS:
                old = self._target_value(target)
                new = Binary(_OPERATORS[type(op)], old, self.expressions.read(value), loc=at)
                return self._assign(s, target, new)
            case ast.AugAssign():
                self.findings.add("L015", s, op="@=")
            case ast.If(test, then, orelse):
                condition = self.expressions.read(test)
                return (If(condition, self._statements(then), self._statements(orelse), loc=at),)
            case ast.For():
                return self._neighbors(s)
            case ast.Pass():
                pass
            case ast.Expr(ast.Constant(str())):
                pass
            case _:
                self.findings.add("L010", s, what=describe_node(s))
        return ()

    def _target_value(self, target: ast.expr) -> Expr:
        """What an augmented assignment reads."""
        load = ast.copy_location(_as_load(target), target)
        return self.expressions.read(load)

    def _assign(self, s: ast.stmt, target: ast.expr, value: Expr) -> tuple[Statement, ...]:
        at = self.findings.span(s)
        match target:
            case ast.Name(id) if id in self.expressions.reserved:
                role = "point" if id in self.points.known else "grid"
                self.findings.add("L020", target, name=id, role=role)
            case ast.Name(id) if id in self.interface.params:
                self.findings.add("L020", target, name=id, role="parameter")
            case ast.Name(id):
                return (Assign(id, value, loc=at),)
            case ast.Subscript(ast.Name(grid), index) if grid in self.interface.grids:
                point = self.points.read(index, grid)
                if point is None:
                    return ()
                if point.name == self.points.sweep and not any(point.offset):
                    return (StorePoint(grid, point, value, loc=at),)
                shown = ast.unparse(index)
                self.findings.add("S003", index, grid=grid, point=self.points.sweep, shown=shown)
            case ast.Subscript(base):
                self.points.no_grid(base, ast.unparse(base))
            case _:
                self.findings.add("L017", target, what=describe_node(target))
        return ()

    def _neighbors(self, loop: ast.For) -> tuple[Statement, ...]:
        match loop.iter:
            case ast.Call(ast.Attribute(ast.Name(grid), "weighted"), args, []):
                return self._weighted(loop, grid, args)
        self._loop_form(loop)
        var = loop.target.id if isinstance(loop.target, ast.Name) else "y"
        match loop.iter:
            case ast.Call(ast.Attribute(ast.Name(grid), "neighbors"), args, keywords):
                head = self.points.neighborhood(loop.iter, grid, args, keywords)
            case ast.Call(ast.Attribute(_, "interior_points" | "all_points" | "border_points")):
                self.findings.add("S013", loop.iter)
                return ()
            case _:
                known = self.interface.grids
                self.findings.add("S015", loop.iter, grid=known[0] if known else "u",
                                  point=self.points.sweep)  # fmt: skip
                return ()
        body = self._around(loop, var)
        if head is None or body is None:
            return ()
        centre, radius, metric, offsets = head
        if len(offsets) > MOST_POINTS:
            most = max(1, radius // 2) if isinstance(radius, int) else 1
            self.findings.add("S017", loop.iter, count=len(offsets), most=most)
            return ()
        at = self.findings.span(loop.iter)
        return (ForNeighbors(var, grid, centre, radius, metric, offsets, body, loc=at),)

    def _weighted(self, loop: ast.For, grid: str, args: list[ast.expr]) -> tuple[Statement, ...]:
        """``for y, w in u.weighted(x, W)``: the neighborhood and the weights that W gives."""
        match loop.target, args:
            case ast.Tuple([ast.Name(var), ast.Name(weight)]), [at, table]:
                head = self.points.weighted(loop.iter, grid, at, table)
            case _:
                what = f"anything but: for y, w in {grid}.weighted({self.points.sweep}, W)"
                self.findings.add("L017", loop.target, what=what)
                return ()
        body = self._around(loop, var)
        if head is None or body is None:
            return ()
        centre, entries = head
        offsets, weights = tuple(o for o, _ in entries), tuple(constant_of(w) for _, w in entries)
        at_loop = self.findings.span(loop.iter)
        return (
            ForNeighbors(
                var, grid, centre, 0, "table", offsets, body, weight, weights, loc=at_loop
            ),
        )

    def _around(self, loop: ast.For, var: str) -> tuple[Statement, ...] | None:
        """The body of a loop over neighbors, in which *var* is a point."""
        if var in self.points.known:
            self.findings.add("L020", loop.target, name=var, role="point")
            return None
        self.points.known.add(var)
        body = self._statements(loop.body)
        self.points.known.remove(var)
        return body

    # -- what only the domain knows in an expression

    def _domain_expression(self, e: ast.expr) -> Expr | None:
        match e:
            case ast.Subscript(ast.Name(grid), index) if grid in self.interface.grids:
                point = self.points.read(index, grid)
                if point is None:
                    return Const(0.0)
                if grid in self.interface.outputs and not (
                    point.name == self.points.sweep and not any(point.offset)
                ):
                    self.findings.add("S005", e, grid=grid)
                return Read(grid, point, loc=self.findings.span(e))
            case ast.Subscript(ast.Name(name) | ast.BinOp(ast.Name(name)), index) if (
                name in self.points.known
            ):
                return self._coordinate(e, e.value, index)
            case ast.Call(ast.Name(name), [a, b], []) if bare_name(name) == "distance" and (
                name not in self.expressions.captured
            ):
                ends = self.points.read(a, "u"), self.points.read(b, "u")
                if ends[0] is None or ends[1] is None:
                    return Const(0)
                return Distance(ends[0], ends[1], loc=self.findings.span(e))
            case ast.Subscript(ast.Name(name), _) if name in self.expressions.locals_:
                self.points.no_grid(e.value, name)
                return Const(0.0)
            case ast.Name(name) if name in self.points.known:
                self.findings.add("S009", e, name=name, grid=self.interface.grids[0])
                return Const(0.0)
            case ast.Name(name) if name in self.interface.grids:
                self.findings.add("S019", e, name=name, point=self.points.sweep)
                return Const(0.0)
            case _:
                return None


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if documented else body


def _as_load(target: ast.expr) -> ast.expr:
    match target:
        case ast.Name(id):
            return ast.Name(id, ast.Load())
        case ast.Subscript(value, index):
            return ast.Subscript(value, index, ast.Load())
        case _:
            return target
