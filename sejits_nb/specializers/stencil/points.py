"""Points and neighborhoods in the Python source: ``x``, ``x + (0, 1)``, ``u.neighbors(x, 1)``."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ...phase1_frontend.diagnose import Findings
from ...stages import Captured
from .dast import Offset, Point
from .neighborhoods import METRICS

MOST_RADIUS = 8


@dataclass(slots=True)
class PointReader:
    """Reads what denotes a point; ``known`` are the point variables in scope, ``sweep`` is the first.

    ``constant`` gives an expression's compile-time value, or ``None``.
    """

    findings: Findings
    grids: tuple[str, ...]
    ndim: int
    constant: Callable[[ast.expr], Captured | None]
    sweep: str = "x"
    known: set[str] = field(default_factory=set)

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
    ) -> tuple[Point, int, str] | None:
        if grid not in self.grids or not isinstance(call.func, ast.Attribute):
            self.no_grid(call.func.value if isinstance(call.func, ast.Attribute) else call, grid)
            return None
        named = {k.arg: k.value for k in keywords}
        if len(args) == 1 and "r" in named:
            args = [*args, named.pop("r")]
        if len(args) != 2 or named.keys() - {"metric"}:
            unknown = next(iter(named.keys() - {"metric"}), None)
            got = f"unknown keyword {unknown}" if unknown else _arguments(len(args))
            self.misuse(call, "neighbors", "a point and a radius", got, grid)
            return None
        centre = self.read(args[0], grid)
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
        at = self.findings.span(call)
        return Point(centre.name, centre.offset, loc=at), int(radius), metric

    def misuse(self, at: ast.AST, method: str, want: str, got: str, grid: str) -> None:
        argument = "" if method == "interior_points" else f"{self.sweep}, 1"
        example = f"{grid}.{method}({argument})"
        self.findings.add("S008", at, method=method, want=want, got=got, example=example)

    def no_grid(self, at: ast.AST, what: str) -> None:
        known = ", ".join(self.grids) or "none"
        self.findings.add("S006", at, what=what, known=known)


def _arguments(count: int) -> str:
    return f"{count} argument{'s' if count != 1 else ''}"
