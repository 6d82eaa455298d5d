"""What a stencil function looks like from outside, read from its text alone: no shapes needed."""

from __future__ import annotations

import ast
import contextlib
from functools import lru_cache
from typing import Any

import numpy as np

from ...contracts import Interface
from ...errors import StencilError
from ...phase1_frontend.definition import definition, header, parameters
from ...phase1_frontend.diagnose import Findings, describe
from ...phase1_frontend.inline import Inlined, inline
from ...stages import KernelSource
from .rules import RULES

POINT_METHODS = ("interior_points", "all_points", "border_points", "neighbors", "weighted")


@lru_cache(maxsize=256)
def read_interface(source: KernelSource) -> Interface:
    """Parameters, outputs (stored to), grids (indexed or asked for points), and defaults.

    Raises :class:`StencilError` for text that is no function with plain parameters.
    """
    function = inlined(source).function
    params = parameters(source, function, RULES, StencilError)
    indexed = [n for n in ast.walk(function) if isinstance(n, ast.Subscript)]
    stored = {_base(n) for n in indexed if isinstance(n.ctx, ast.Store)}
    if not stored & {*params}:
        line = header(source, function)
        raise StencilError(describe(source, RULES, "S002", line, point="x"))
    grids = {_base(n) for n in indexed} | {
        n.value.id
        for n in ast.walk(function)
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
        if n.attr in POINT_METHODS
    }
    given = function.args.defaults
    defaults = dict(zip(params[len(params) - len(given) :], given, strict=True))
    findings = Findings(source, RULES)
    return Interface(
        params,
        tuple(p for p in params if p in stored),
        tuple(p for p in params if p in grids),
        tuple((name, _default(source, findings, e)) for name, e in defaults.items()),
    )


@lru_cache(maxsize=256)
def inlined(source: KernelSource) -> Inlined:
    """The kernel's function definition with the helper functions that it calls inlined."""
    return inline(source, parse_function(source))


def parse_function(source: KernelSource) -> ast.FunctionDef:
    """The kernel's function definition; raises :class:`StencilError` (L001, L002).

    Sepya's ``self.interior_points(grid)`` comes as ``grid.interior_points()``, at its place.
    """
    function = definition(source, RULES, StencilError)
    if own := receiver(source, function):
        for call in (n for n in ast.walk(function) if isinstance(n, ast.Call)):
            match call.func, call.args:
                case ast.Attribute(ast.Name(name), "interior_points") as method, [
                    ast.Name() as grid
                ] if name == own and "interior_points" in dict(source.settings)["receiver"]:
                    method.value, call.args = grid, []
    return function


def receiver(source: KernelSource, function: ast.FunctionDef) -> str:
    """The first parameter of a method (``self``); empty for a function."""
    return function.args.args[0].arg if source.method and function.args.args else ""


def _base(n: ast.Subscript) -> str:
    return n.value.id if isinstance(n.value, ast.Name) else ""


def _default(source: KernelSource, findings: Findings, e: ast.expr) -> Any:
    """The value of a default: literals and captured numbers under Python's arithmetic."""
    captured = dict(source.captured)

    class Captured(ast.NodeTransformer):
        def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
            return self.visit_Name(node)

        def visit_Name(self, node: ast.Name | ast.Attribute) -> ast.expr:
            value = captured.get(ast.unparse(node))
            known = isinstance(value, int | float | np.generic)
            return ast.copy_location(ast.Constant(value), node) if known else node  # type: ignore[arg-type]

    tree = Captured().visit(ast.parse(ast.unparse(e), mode="eval"))
    allowed = ast.Expression | ast.Constant | ast.BinOp | ast.UnaryOp | ast.operator | ast.unaryop
    if all(isinstance(n, allowed) for n in ast.walk(tree)):
        with contextlib.suppress(ArithmeticError, TypeError, ValueError):
            return eval(compile(ast.fix_missing_locations(tree), "<default>", "eval"), {})
    findings.add("L018", e, what=ast.unparse(e))
    raise StencilError(*findings.found) from None
