"""The function definition in a kernel's text, and its parameters."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import Diagnostic, LanguageError, Rule
from ..ir.node import Span
from ..stages import KernelSource
from .diagnose import Findings, describe, span_of
from .functions import find_function


def definition(
    source: KernelSource, rules: Mapping[str, Rule], error: type[LanguageError]
) -> ast.FunctionDef:
    """The kernel's function definition; raises *error* (L001, L002)."""
    try:
        tree = ast.parse(source.code)
    except SyntaxError as problem:
        raise error(_syntax_diagnostic(source, rules, problem)) from None
    function = find_function(tree, source.name)
    if function is None:
        raise error(describe(source, rules, "L002", None, name=source.name or "kernel"))
    return function


def parameters(
    source: KernelSource,
    function: ast.FunctionDef,
    rules: Mapping[str, Rule],
    error: type[LanguageError],
) -> tuple[str, ...]:
    """The names of plain parameters, all that a kernel may have; raises *error* (L004)."""
    findings = Findings(source, rules)
    args = function.args
    for odd, what in (
        (args.vararg, "*args"),
        (args.kwarg, "**kwargs"),
        (args.kwonlyargs, "keyword-only parameters"),
        (args.posonlyargs, "positional-only parameters"),
    ):
        if odd:
            at = odd[0] if isinstance(odd, list) else odd
            findings.add("L004", at, what=what, name=source.name)
    if findings.found:
        raise error(*sorted(findings.found, key=lambda d: (d.line, d.col)))
    return tuple(a.arg for a in args.args[int(source.method) :])


def default_values(
    source: KernelSource,
    function: ast.FunctionDef,
    rules: Mapping[str, Rule],
    error: type[LanguageError],
) -> tuple[tuple[str, Any], ...]:
    """Parameters with a default, and its value: literals and captured numbers under Python's
    arithmetic; raises *error* (L018)."""
    args = function.args
    with_default = args.args[len(args.args) - len(args.defaults) :]
    return tuple(
        (a.arg, _value(source, Findings(source, rules), e, error))
        for a, e in zip(with_default, args.defaults, strict=True)
    )


def _value(
    source: KernelSource, findings: Findings, e: ast.expr, error: type[LanguageError]
) -> Any:
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
    raise error(*findings.found) from None


def header(source: KernelSource, function: ast.FunctionDef) -> Span:
    """The span of the ``def`` line."""
    lines = source.lines
    at = span_of(lines, function)
    text = lines[at.line - 1]
    return Span(at.line, at.col, at.line, len(text.rstrip()))


def _syntax_diagnostic(
    source: KernelSource, rules: Mapping[str, Rule], error: SyntaxError
) -> Diagnostic:
    """Python's own complaint at its own place."""
    line = min(max(1, error.lineno or 1), len(source.lines))
    start = max(0, (error.offset or 1) - 1)
    end = (error.end_offset or 0) - 1 if error.end_lineno == error.lineno else start + 1
    at = Span(line, start, line, max(start + 1, end))
    return describe(source, rules, "L001", at, error=error.msg)
