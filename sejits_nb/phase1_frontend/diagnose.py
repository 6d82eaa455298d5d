"""Collects what is wrong with a program, each finding at its smallest span, with why and try."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import Diagnostic, Rule
from ..ir.node import Span
from ..stages import KernelSource


@dataclass(slots=True)
class Findings:
    """The findings of one run over *source*, in the order in which they were made.

    ``written`` are the names that a helper's locals have in its own text.
    """

    source: KernelSource
    rules: Mapping[str, Rule]
    found: list[Diagnostic] = field(default_factory=list)
    written: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = self.source.lines

    def add(self, code: str, at: ast.AST | Span | None, **values: object) -> None:
        """Record *code* at a Python node or a span; the same finding is recorded once."""
        span = self.span(at) if isinstance(at, ast.AST) else at
        texts = {k: self._as_written(v) if isinstance(v, str) else v for k, v in values.items()}
        diagnostic = describe(self.source, self.rules, code, span, **texts)
        if diagnostic not in self.found:
            self.found.append(diagnostic)

    def span(self, at: ast.AST) -> Span:
        """The span of a Python node, columns in characters (``ast`` counts UTF-8 bytes)."""
        return span_of(self.lines, at)

    def _as_written(self, text: str) -> str:
        """*text* with the names that inlining has made as they are in the program."""
        return re.sub(r"\w+", lambda m: self.written.get(m[0], m[0]), re.sub(SCOPE, "", text))


SCOPE = r"\w+\(\)\.=?"
"""What stands before the names that a helper captures (``smooth().``), or has defaults for."""


def span_of(lines: Sequence[str], at: ast.AST) -> Span:
    """The span of a Python node of the source with these *lines*, columns in characters."""

    def column(line: int, byte: int) -> int:
        return len(lines[line - 1].encode()[:byte].decode(errors="ignore"))

    line, end_line = getattr(at, "lineno", 1), getattr(at, "end_lineno", None) or 1
    return Span(
        line,
        column(line, getattr(at, "col_offset", 0)),
        end_line,
        column(end_line, getattr(at, "end_col_offset", None) or 0),
    )


def describe(
    source: KernelSource,
    rules: Mapping[str, Rule],
    code: str,
    span: Span | None,
    **values: object,
) -> Diagnostic:
    """One finding as a value: the rule's texts filled in, the source line attached."""
    rule = rules[code]
    if span is None:
        return Diagnostic(
            code,
            rule.message.format(**values),
            rule.why.format(**values),
            rule.try_.format(**values),
            where=source.where,
        )
    text = source.lines[span.line - 1]
    end = span.end_col if span.end_line == span.line else len(text)
    return Diagnostic(
        code,
        rule.message.format(**values),
        rule.why.format(**values),
        rule.try_.format(**values),
        rule.label.format(**values),
        *source.place(span.line),
        span.col,
        end,
        text,
    )


def too_deep(source: KernelSource) -> Diagnostic:
    """L024, for a kernel that overflows Python's own stack somewhere."""
    start = f"def {source.name}"
    for number, text in enumerate(source.lines, 1):
        if text.lstrip().startswith(start):
            at = Span(number, len(text) - len(text.lstrip()), number, len(text.rstrip()))
            return describe(source, PYTHON_RULES, "L024", at)
    return describe(source, PYTHON_RULES, "L024", None)


PYTHON_RULES: dict[str, Rule] = {
    "L001": Rule("{error}", "the cell is not valid Python", "correct the marked place", "here"),
    "L002": Rule("no function in this cell", "the kernel is a Python function",
                 "start with: def {name}(u, out):"),
    "L003": Rule("the source of {name!r} cannot be read", "a specializer reads the function's text",
                 "define it in a cell, or in a file"),
    "L004": Rule("the parameter list may not use {what}",
                 "each grid and number must have a name of its own",
                 "plain parameters: def {name}(u, out, alpha)", "{what}"),
    "L010": Rule("{what} is not in the language", "the generated code has no counterpart for it",
                 "assignments, if/else, and loops over points and neighbors", "{what}"),
    "L011": Rule("{what} is not in the language", "the generated code has no counterpart for it",
                 "arithmetic, comparisons, intrinsics, reads of grids", "{what}"),
    "L012": Rule("{name!r} is not a function that the language knows",
                 "the compiled kernel cannot call back into Python",
                 "{hint}", "{kind}"),
    "L013": Rule("name {name!r} is not defined", "it is no parameter, no local, and not defined in "
                 "the notebook", "{hint}", "unknown name"),
    "L014": Rule("{name!r} is a {kind}, not a number",
                 "names from outside become compile-time constants", "use a number", "{kind}"),
    "L015": Rule("operator {op} is not in the language", "it has no counterpart in scalar code",
                 "+ - * / // % ** < <= > >= == != and or not & | ^ ~", "operator {op}"),
    "L016": Rule("{name}() takes {want}, not {got}", "the intrinsic has a fixed form",
                 "{name}({example})", "{got} given"),
    "L017": Rule("only a single name or grid point can be assigned", "each line computes one value",
                 "one assignment a line: a = ...", "{what}"),
    "L018": Rule("{what} is not a value of the language", "kernels compute numbers and truth values",
                 "a number, True or False", "{what}"),
    "L019": Rule("{name!r} may be unset here", "no value is assigned on some path to this line",
                 "assign it before the if, or in both branches", "may be unset"),
    "L020": Rule("{name!r} is assigned, but it is a {role}", "grids, points and parameters keep "
                 "their meaning in the whole kernel", "use another name for the local value",
                 "a {role}"),
    "L021": Rule("'{op}' needs truth values here", "as a value, Python's '{op}' returns one of its "
                 "operands", "compare first: a > 0 {op} b > 0, or use: p if test else q",
                 "a number"),
    "L022": Rule("the integer {value} does not fit {room}", "it takes the type of the array element "
                 "that it meets, and 64 bits at most",
                 "write it as a float: {value}.0", "too large"),
    "L025": Rule("a table index must be an integer", "entries are counted, and {got} counts nothing",
                 "int(...)", "{got}"),
    "L026": Rule("{name}() takes {want}, not {got}", "a helper function is called as Python calls it",
                 "{example}", "{got}"),
    "L027": Rule("{name}() calls itself", "helper functions are inlined where they are called, and "
                 "this one would never end", "write the last step out, or use a table", "again"),
    "L028": Rule("the helper function {name}() {what}", "a call of it is replaced by its value: "
                 "there must be one on every path, and nothing else happens", "{hint}", "{label}"),
    "L029": Rule("the kernel calls helper functions {count} times and more", "every call is inlined, "
                 "those inside of helpers too", "call it once, and keep the value: a = {name}(...)"),
    "L024": Rule("the kernel nests too deeply", "one of its expressions has more levels than Python's "
                 "own stack", "compute it in steps: a = ..., then b = a + ..."),
    "L023": Rule("operator {op} is not defined for {operands}", "NumPy refuses it too",
                 "{hint}", "{operands}"),
}  # fmt: skip
"""Diagnostics of the restricted Python that all languages share."""
