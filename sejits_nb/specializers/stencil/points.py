"""Points and neighborhoods in the Python source: ``x``, ``x + (0, 1)``, ``u.neighbors(x, 1)``."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...phase1_frontend.diagnose import Findings
from ...stages import Captured
from .dast import Offset, Point
from .neighborhoods import METRICS, neighborhood, weights_of

MOST_RADIUS = 8


@dataclass(slots=True)
class PointReader:
    """Reads what denotes a point; ``known`` are the point variables in scope, ``sweep`` is the first.

    ``constant`` gives an expression's compile-time value, or ``None``.  ``receiver`` is a method's
    ``self``, if it has the language's ``neighbors``, and ``definition`` its ``neighbor_definition``.
    """

    findings: Findings
    grids: tuple[str, ...]
    ndim: int
    constant: Callable[[ast.expr], Captured | None]
    sweep: str = "x"
    known: set[str] = field(default_factory=set)
    receiver: str = ""
    definition: Captured | None = None

    def read(self, e: ast.expr, grid: str) -> Point | None:
        """The point that an index means; findings are recorded for anything else."""
        example = str((0,) * (self.ndim - 1) + (1,))
        match e:
            case ast.Name(name) if name in self.known:
                return Point(name, (0,) * self.ndim, loc=self.findings.span(e))
            case ast.BinOp(left, ast.Add() | ast.Sub() as op, right):
                base = self.read(left, grid)
                if base is None:
                    return None
                sign = 1 if isinstance(op, ast.Add) else -1
                offset = self._offset(right, grid, example)
                if offset is None:
                    return None
                moved = tuple(b + sign * o for b, o in zip(base.offset, offset, strict=True))
                return Point(base.name, moved, loc=self.findings.span(e))
            case _:
                self.findings.add("S004", e, what=ast.unparse(e)[:40], grid=grid,
                                  point=self.sweep, offset=example)  # fmt: skip
                return None

    def _offset(self, e: ast.expr, grid: str, example: str) -> Offset | None:
        value = self.constant(e)
        if not isinstance(value, tuple) or not all(
            isinstance(v, int | np.integer) and not isinstance(v, bool) for v in value
        ):
            self.findings.add("S012", e, grid=grid, point=self.sweep, offset=example)
            return None
        if len(value) != self.ndim:
            got = f"{len(value)} component{'s' if len(value) != 1 else ''}"
            self.findings.add("S010", e, got=got, want=self.ndim, example=example)
            return None
        return tuple(int(v) for v in value)

    def neighborhood(
        self, call: ast.Call, grid: str, args: list[ast.expr], keywords: list[ast.keyword]
    ) -> tuple[Point, int | str, str, tuple[Offset, ...]] | None:
        """Centre, radius or name, metric and offsets of ``grid.neighbors(...)``."""
        own = bool(grid) and grid == self.receiver
        if not (own or grid in self.grids) or not isinstance(call.func, ast.Attribute):
            self.no_grid(call.func.value if isinstance(call.func, ast.Attribute) else call, grid)
            return None
        named = {k.arg: k.value for k in keywords}
        if len(args) == 1 and "r" in named:
            args = [*args, named.pop("r")]
        listed = len(args) == 2 and (
            isinstance(self.constant(args[1]), tuple) or (own and self.definition is not None)
        )
        if listed and "metric" in named:
            self.misuse(call, "neighbors", "a metric with a radius only", "metric", grid)
            return None
        if len(args) != 2 or named.keys() - {"metric"}:
            unknown = next(iter(named.keys() - {"metric"}), None)
            got = f"unknown keyword {unknown}" if unknown else _arguments(len(args))
            self.misuse(call, "neighbors", "a point and a radius", got, grid)
            return None
        centre = self.read(args[0], self.grids[0] if own and self.grids else grid)
        at = self.findings.span(call)
        if listed:
            offsets = self._defined(args[1]) if own and self.definition is not None else (
                self._listed(args[1], self.constant(args[1]), ast.unparse(args[1])))  # fmt: skip
            if centre is None or offsets is None:
                return None
            centre = Point(centre.name, centre.offset, loc=at)
            return centre, ast.unparse(args[1]), "l1", offsets
        radius = self.constant(args[1])
        if (
            isinstance(radius, bool)
            or not isinstance(radius, int | np.integer)
            or not (0 <= radius <= MOST_RADIUS)
        ):
            self.findings.add("S007", args[1], most=MOST_RADIUS, grid=grid, point=self.sweep)
            return None
        metric = "l1"
        if "metric" in named:
            found = named["metric"].value if isinstance(named["metric"], ast.Constant) else None
            if found not in METRICS:
                self.findings.add("S014", named["metric"], got=ast.unparse(named["metric"]))
                return None
            metric = found
        if centre is None:
            return None
        centre = Point(centre.name, centre.offset, loc=at)
        return centre, int(radius), metric, neighborhood(self.ndim, int(radius), metric)

    def _defined(self, e: ast.expr) -> tuple[Offset, ...] | None:
        """The offsets of ``self.neighbors(x, e)``: an entry of ``neighbor_definition``."""
        table, i = self.definition, self.constant(e)
        if not isinstance(table, tuple) or not table:
            return self._listed(e, table, "neighbor_definition")
        if isinstance(i, bool) or not isinstance(i, int | np.integer) or (
            not -len(table) <= i < len(table)
        ):  # fmt: skip
            self.findings.add("S026", e, got=ast.unparse(e), count=len(table), own=self.receiver,
                              point=self.sweep)  # fmt: skip
            return None
        return self._listed(e, table[int(i)], f"neighbor_definition[{ast.unparse(e)}]")

    def _listed(self, e: ast.expr, value: object, what: str) -> tuple[Offset, ...] | None:
        """A named neighborhood: offsets, each with one integer an axis."""
        example = str((0,) * (self.ndim - 1) + (1,))
        offsets = value if isinstance(value, tuple) else ()
        if not offsets or not all(
            isinstance(o, tuple) and all(isinstance(i, int | np.integer) for i in o)
            for o in offsets
        ):
            self.findings.add("S025", e, what=what, example=f"[{example}, ...]")
            return None
        for offset in offsets:
            if len(offset) != self.ndim:
                got = f"{len(offset)} component{'s' if len(offset) != 1 else ''}"
                self.findings.add("S010", e, got=got, want=self.ndim, example=example)
                return None
        return tuple(tuple(map(int, offset)) for offset in offsets)

    def weighted(
        self, call: ast.expr, grid: str, at: ast.expr, table: ast.expr
    ) -> tuple[Point, tuple[tuple[Offset, Any], ...]] | None:
        """Centre, and offset and weight of each entry, of ``grid.weighted(at, table)``."""
        centre, entries = self.read(at, grid), weights_of(self.constant(table), self.ndim)
        if entries is None:
            self.findings.add("S022", table, ndim=self.ndim)
        if centre is None or entries is None:
            return None
        return Point(centre.name, centre.offset, loc=self.findings.span(call)), entries

    def misuse(self, at: ast.AST, method: str, want: str, got: str, grid: str) -> None:
        argument = "" if method.endswith("_points") else f"{self.sweep}, 1"
        example = f"{grid}.{method}({argument})"
        self.findings.add("S008", at, method=method, want=want, got=got, example=example)

    def no_grid(self, at: ast.AST, what: str) -> None:
        known = ", ".join(self.grids) or "none"
        self.findings.add("S006", at, what=what, known=known)


def _arguments(count: int) -> str:
    return f"{count} argument{'s' if count != 1 else ''}"
