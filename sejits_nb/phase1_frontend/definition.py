"""The function definition in a kernel's text, and its parameters."""

from __future__ import annotations

import ast
from collections.abc import Mapping

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
