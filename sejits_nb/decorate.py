"""From a function or a cell to a :class:`~sejits_nb.kernel.Kernel`."""

from __future__ import annotations

import ast
import types
from dataclasses import replace

from . import registry
from .contracts import Namespace
from .kernel import Kernel
from .options import Options
from .pipeline import from_function, too_deep
from .stages import KernelSource


def kernel_of(fn: types.FunctionType, specializer: str, options: Options) -> Kernel:
    """The kernel that a decorator makes of *fn*."""
    source, lookup = from_function(fn)
    return _kernel(source, lookup, specializer, options)


def kernel_of_cell(
    text: str, where: str, name: str, lookup: Namespace, specializer: str, options: Options
) -> Kernel:
    """The kernel of a cell: the function called *name*, else the cell's last one.

    *text* is the whole cell, magic line included, so that spans count the lines that a person sees.
    """
    source = KernelSource("", text, where)
    try:
        functions = [n.name for n in ast.parse(source.code).body if isinstance(n, ast.FunctionDef)]
    except (SyntaxError, RecursionError):
        functions = []  # the specializer says where
    chosen = name if name in functions else (functions or [""])[-1]
    return _kernel(replace(source, name=chosen), lookup, specializer, options)


def _kernel(source: KernelSource, lookup: Namespace, specializer: str, options: Options) -> Kernel:
    found = registry.specializer(specializer)
    try:
        return Kernel(found, source, lookup, options)
    except RecursionError:
        raise found.error(too_deep(source)) from None
