"""What a stencil function looks like from outside, read from its text alone: no shapes needed."""

from __future__ import annotations

import ast
from functools import lru_cache

from ...contracts import Interface
from ...errors import StencilError
from ...phase1_frontend.definition import default_values, definition, header, parameters
from ...phase1_frontend.diagnose import describe
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
    return Interface(
        params,
        tuple(p for p in params if p in stored),
        tuple(p for p in params if p in grids),
        default_values(source, function, RULES, StencilError),
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
