"""From a live function or a cell to a frozen :class:`~sejits_nb.stages.KernelSource`.

Free names are looked up once, here: numbers and tuples of numbers become compile-time constants,
known functions become intrinsics, and anything else is remembered by its type's name, so that a
diagnostic can say what it is.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import sys
import types
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from ..contracts import Namespace
from ..errors import Diagnostic, LanguageError
from ..ir.expr import INTRINSICS
from ..stages import Captured, KernelSource

_MATH_NAMES = {"fabs": "abs"}
_NUMPY_NAMES = {"minimum": "min", "maximum": "max", "absolute": "abs", "power": "pow"}
_NUMPY_TYPES = (
    "float32", "float64", "bool_", *(f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64)),
)  # fmt: skip
_BUILTINS = ("abs", "min", "max", "pow", "float", "int", "bool")


def from_function(fn: types.FunctionType) -> tuple[KernelSource, Namespace]:
    """The source of *fn*, and where its free names live: closure, then globals.

    Raises :class:`LanguageError` (L003) for anything but a function whose text can be read.
    """
    try:
        if not isinstance(fn, types.FunctionType):
            raise TypeError(f"it is a {type(fn).__name__}, not a function")
        lines, first = inspect.getsourcelines(fn)
    except (OSError, TypeError) as error:
        raise LanguageError(
            Diagnostic(
                "L003",
                f"the source of {getattr(fn, '__name__', fn)!r} cannot be read",
                why=f"a specializer reads the function's text ({error})",
                try_="define it in a cell, or in a file",
            )
        ) from None
    cells = dict(zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=False))

    def lookup(name: str) -> Any:
        return cells[name].cell_contents if name in cells else fn.__globals__[name]

    margin = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    text = "".join(line.removeprefix(margin) for line in lines)
    source = KernelSource(fn.__name__, text, _place(fn.__code__.co_filename), first)
    return recapture(source, lookup), lookup


def recapture(source: KernelSource, lookup: Namespace) -> KernelSource:
    """*source* with the values that its free names have now; equal if none has changed."""
    captured = tuple((name, freeze(value)) for name, value in free_values(source, lookup))
    return replace(source, captured=captured)


def hold(source: KernelSource, lookup: Namespace) -> Namespace:
    """What *lookup* has for the kernel's free names now, whatever another thread makes of them."""
    values: dict[str, Any] = {}
    for dotted in free_names(source.code, source.name, source.method):
        root = dotted.partition(".")[0]
        with suppress(KeyError, NameError, ValueError):  # ValueError: an empty closure cell
            values[root] = lookup(root)
    return lambda name: values[name] if name in values else lookup(name)


def free_values(source: KernelSource, lookup: Namespace) -> list[tuple[str, Any]]:
    """The free (dotted) names of the kernel that have a value, with the value, sorted by name."""
    return [
        (dotted, value)
        for dotted in free_names(source.code, source.name, source.method)
        if (value := _resolve(dotted, lookup)) is not _MISSING
    ]


@lru_cache(maxsize=256)
def free_names(code: str, name: str, method: bool = False) -> tuple[str, ...]:
    """Dotted names (``alpha``, ``np.pi``) that the function reads but does not bind, sorted.

    Those of a *method*'s first parameter count as free: ``self.alpha``.
    """
    function = find_function(ast.parse(code), name)
    if function is None:
        return ()
    bound = {
        a.arg for a in function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    } - {a.arg for a in function.args.args[: int(method)]}
    bound |= {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and not _is_load(n)}
    found: set[str] = set()
    stack: list[ast.AST] = [*function.args.defaults, *function.body]
    while stack:
        node = stack.pop()
        dotted = _dotted(node)
        if dotted is None:
            stack += ast.iter_child_nodes(node)
        elif dotted.partition(".")[0] not in bound:
            found.add(dotted)
    return tuple(sorted(found))


def find_function(tree: ast.Module, name: str) -> ast.FunctionDef | None:
    """The last top-level function of that name."""
    found = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name]
    return found[-1] if found else None


def freeze(value: Any) -> Captured:
    """A captured value as the front end sees it: numbers as they are, the rest by a name.

    >>> freeze(math.sqrt), freeze(np.float64(2.5)), freeze([1, (2, 3)]), freeze({})
    ('math.sqrt', np.float64(2.5), (1, (2, 3)), 'object:dict')
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, np.bool_ | np.integer | np.floating):
        return value  # type: ignore[return-value]  # NumPy scalars keep their dtype
    for plain in (bool, int, float):
        if isinstance(value, plain):
            return plain(value)  # an enumeration's member is its number
    if (
        isinstance(value, list | tuple)
        and (items := tuple(map(freeze, value)))
        and not any(isinstance(i, str) for i in items)
    ):
        return items
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and 0 < value.size <= 4096:
        return tuple(freeze(row) for row in (value if value.ndim > 1 else list(value)))
    try:
        return _known_functions().get(value) or f"object:{_describe(value)}"
    except TypeError:  # unhashable
        return f"object:{_describe(value)}"


@lru_cache(maxsize=1)
def _known_functions() -> dict[Any, str]:
    known: dict[Any, str] = {}
    for func in (*INTRINSICS, *_MATH_NAMES):
        if hasattr(math, func) and func != "floor":  # math.floor returns an int of any size
            known[getattr(math, func)] = "math." + _MATH_NAMES.get(func, func)
    for func in (*INTRINSICS, *_NUMPY_NAMES):
        if isinstance(ufunc := getattr(np, func, None), np.ufunc):
            known[ufunc] = "numpy." + _NUMPY_NAMES.get(func, func)
    known |= {getattr(np, t): f"numpy.{t}" for t in _NUMPY_TYPES}
    known |= {getattr(builtins, b): f"python.{b}" for b in _BUILTINS}
    return known


_MISSING = object()


def _resolve(dotted: str, lookup: Namespace) -> Any:
    root, *attributes = dotted.split(".")
    try:
        value = lookup(root)
    except (KeyError, NameError, ValueError):  # ValueError: an empty closure cell
        value = getattr(builtins, root, _MISSING)
    for attribute in attributes:
        value = getattr(value, attribute, _MISSING)
    return value


def _dotted(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id if _is_load(node) else None
    if isinstance(node, ast.Attribute) and (base := _dotted(node.value)):
        return f"{base}.{node.attr}"
    return None


def _is_load(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Load)


def _describe(value: Any) -> str:
    if isinstance(value, types.ModuleType | types.FunctionType | type):
        return f"{type(value).__name__} {value.__name__}"
    return "function" if callable(value) else type(value).__name__


def _place(filename: str) -> str:
    """``Cell In[3]`` for a notebook's cell, the file name otherwise."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    name: Callable[[str], Any] | None = getattr(
        getattr(shell, "compile", None), "format_code_name", None
    )
    found = name(filename) if name else None
    return " ".join(found) if found else filename
