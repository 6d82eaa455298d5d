"""Captured names back to Python: statements that give a script the names that a kernel has captured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..phase1_frontend.capture import MISSING, freeze, known_functions, resolve
from ..stages import Captured, Helper, KernelSource

_MODULES = {"numpy": np, "math": math}
_Names = Mapping[str, Captured]


def bindings(source: KernelSource, own: str = "") -> tuple[list[str], list[str]]:
    """Statements that bind what *source* captured, and the imports that they and the kernel need.

    A helper function is made by a function of its own, where what it reads itself is bound.  Names
    below *own*, a method's first parameter, are left to :func:`attributes`.
    """
    scopes: dict[str, dict[str, Captured]] = {"": {}}
    helpers: dict[str, Helper] = {}
    for name, value in source.captured:
        scope, _, local = name.rpartition("().")
        scopes.setdefault(scope and f"{scope}().", {})[local] = value
        if isinstance(value, Helper):
            helpers[value.scope] = value
    imports: list[str] = []
    lines: list[str] = []
    for scope, helper in helpers.items():
        inner = _statements(scopes.get(scope, {}), imports)
        inner += [*helper.text.splitlines(), f"return {helper.name}"]
        lines += ["", f"def {_maker(helper)}():", *(f"    {row}".rstrip() for row in inner), ""]
    outer = {n: v for n, v in scopes[""].items() if not own or n.partition(".")[0] != own}
    return [*lines, *_statements(outer, imports)], imports


def attributes(source: KernelSource, own: str, target: str) -> list[str]:
    """Statements that give *target* what a method read of its first parameter *own*."""
    read = {n.partition(".")[2]: v for n, v in source.captured if n.startswith(f"{own}.")}
    return [f"{target}.{row}" for row in _statements(read, [])]


def expression(value: Captured) -> str | None:
    """Python that freezes to *value*; ``None`` for what a kernel can do nothing with.

    >>> expression((1, 2.5, float("inf"))), expression("numpy.sqrt"), expression("object:dict")
    ("(1, 2.5, float('inf'))", 'numpy.sqrt', None)
    >>> expression(tuple(np.float32([0.5, 2.0])))
    "numpy.array([0.5, 2.0], 'float32')"
    """
    match value:
        case Helper():
            return f"{_maker(value)}()"
        case np.generic():
            return f"numpy.{type(value).__name__}({expression(value.item())})"
        case bool() | int():
            return repr(value)
        case float():
            return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
        case tuple():
            return _table(value)
        case str():
            return _known().get(value)
    return None


def _statements(names: _Names, imports: list[str]) -> list[str]:
    roots: dict[str, dict[str, Captured]] = {}
    for dotted, value in names.items():
        root, _, rest = dotted.partition(".")
        if not root.startswith("="):  # a helper's default, which its own text has
            roots.setdefault(root, {})[rest] = value
    lines = []
    for root, leaves in roots.items():
        below = {name: value for name, value in leaves.items() if name}
        if below and (module := _module(root, below)):
            imports.append(f"import {module}" + (f" as {root}" if root != module else ""))
        elif below:
            imports.append("import types")
            lines.append(f"{root} = {_namespace(below)}")
        elif (text := expression(leaves[""])) not in (None, root):
            imports += [f"import {m}" for m in _MODULES if str(text).startswith(f"{m}.")]
            lines.append(f"{root} = {text}")
    return lines


def _namespace(names: _Names) -> str:
    roots: dict[str, dict[str, Captured]] = {}
    for dotted, value in names.items():
        root, _, rest = dotted.partition(".")
        roots.setdefault(root, {})[rest] = value
    parts = [
        f"{root}={_namespace(leaves) if '' not in leaves else expression(leaves[''])}"
        for root, leaves in roots.items()
    ]
    return f"types.SimpleNamespace({', '.join(parts)})"


def _module(root: str, below: _Names) -> str:
    """The module, *root* itself if it can be, that has these values under these names; or nothing."""
    for name, module in sorted(_MODULES.items(), key=lambda pair: pair[0] != root):
        found = {n: resolve(f"m.{n}", {"m": module}.__getitem__) for n in below}
        if all(v is not MISSING and repr(freeze(v)) == repr(below[n]) for n, v in found.items()):
            return name
    return ""


def _table(items: tuple[Any, ...]) -> str:
    """Nested numbers; an array's come as NumPy scalars of one type, and make an array again."""
    kinds = {type(i) for i in _leaves(items)}
    if len(kinds) == 1 and issubclass(kind := kinds.pop(), np.generic):
        try:
            array = np.array(items, kind)
        except ValueError:  # rows of different lengths
            array = np.array(np.nan)
        if np.all(np.isfinite(array)):
            return f"numpy.array({array.tolist()}, {array.dtype.name!r})"
    parts = [str(expression(i)) for i in items]
    return f"({', '.join(parts)}{',' * (len(parts) == 1)})"


def _leaves(items: tuple[Any, ...]) -> list[Any]:
    return [leaf for i in items for leaf in (_leaves(i) if isinstance(i, tuple) else [i])]


def _maker(helper: Helper) -> str:
    return f"make_{helper.scope.removesuffix('().')}"


def _known() -> dict[str, str]:
    """The text that stands for a known function -> an expression for it."""
    found: dict[str, str] = {}
    for function, text in known_functions().items():
        module = text.partition(".")[0]
        prefix = "" if module == "python" else f"{module}."
        found.setdefault(text, prefix + function.__name__)
    return found
