"""From a function or a cell to a :class:`~sejits_nb.kernel.Kernel`."""

from __future__ import annotations

import ast
import types
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from . import registry
from .contracts import Namespace
from .kernel import Kernel, SejitsWarning
from .options import Options, make_options
from .pipeline import from_function, recapture, too_deep, with_cell_functions
from .stages import KernelSource

Settings = tuple[tuple[str, Any], ...]


def read_options(specializer: str, keywords: Mapping[str, Any]) -> tuple[Options, Settings]:
    """The options that all languages share, and the specializer's own settings.

    Raises :class:`~sejits_nb.errors.OptionError`.
    """
    known = registry.specializer(specializer).settings
    shared = {k: v for k, v in keywords.items() if k not in known}
    options = make_options(also_known=tuple(known), **shared)
    settings = {k: known[k].read(v) for k, v in keywords.items() if k in known}
    if options.tools:  # another kernel: nothing that was recorded for it counts
        settings["toolchain"] = options.tools
    return options, tuple(sorted(settings.items()))


def kernel_of(
    fn: types.FunctionType, specializer: str, options: Options, settings: Settings
) -> Kernel:
    """The kernel that a decorator makes of *fn*."""
    source, lookup = from_function(fn)
    return kernel_of_source(replace(source, settings=settings), lookup, specializer, options)


def kernel_of_cell(
    text: str,
    where: str,
    name: str,
    lookup: Namespace,
    specializer: str,
    keywords: Mapping[str, Any],
) -> Kernel:
    """The kernel of a cell: the function called *name*, else the cell's last one.

    *text* is the whole cell, magic line included, so that spans count the lines that a person sees.
    """
    options, settings = read_options(specializer, keywords)
    source = KernelSource("", text, where, settings=settings)
    try:
        body = ast.parse(source.code).body
    except (SyntaxError, RecursionError):
        body = []  # the specializer says where
    functions = [n.name for n in body if isinstance(n, ast.FunctionDef)]
    chosen = name if name in functions else (functions or [""])[-1]
    source = replace(source, name=chosen)
    names = with_cell_functions(source, lookup)
    if functions:
        _say_what_is_left_out(body, source)
        source = recapture(source, names)  # the default of a parameter may be captured
    return kernel_of_source(source, names, specializer, options)


def _say_what_is_left_out(body: list[ast.stmt], source: KernelSource) -> None:
    """Warn of each statement beside the functions, at its line."""
    for s in body:
        match s:
            case ast.FunctionDef() | ast.Pass() | ast.Expr(ast.Constant(str())):
                continue
        text = (ast.get_source_segment(source.code, s) or "").split("\n")[0]
        what = f"`{text}` is not run: a cell of a language holds its kernel and helper functions"
        warnings.warn_explicit(
            f"{what}; give it a cell of its own", SejitsWarning, source.where, s.lineno
        )


def kernel_of_source(
    source: KernelSource, lookup: Namespace, specializer: str, options: Options
) -> Kernel:
    """The kernel of a text whose free names *lookup* finds."""
    found = registry.specializer(specializer)
    try:
        return Kernel(found, source, lookup, options)
    except RecursionError:
        raise found.error(too_deep(source)) from None
