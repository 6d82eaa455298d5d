"""From a live function or a cell to a frozen :class:`~sejits_nb.stages.KernelSource`.

Free names are looked up once, here: numbers and tuples of numbers become compile-time constants,
known functions become intrinsics, and anything else is remembered by its type's name, so that a
diagnostic can say what it is.
"""

from __future__ import annotations

import ast
import builtins
import math
import types
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from ..contracts import Namespace
from ..errors import Diagnostic, LanguageError
from ..ir.expr import INTRINSICS, MORE_INTRINSICS
from ..stages import Captured, Helper, KernelSource
from .functions import defaults_of, find_function, installed, names_of, read, readable

_MOST_HELPERS = 64
_MATH_NAMES = {"fabs": "abs"}
_NUMPY_NAMES = {"minimum": "min", "maximum": "max", "absolute": "abs", "power": "pow"}
_NUMPY_TYPES = (
    "float32", "float64", "bool_", *(f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64)),
)  # fmt: skip
_NUMPY_SUMS = ("sum", "mean", "trace", "outer")
_BUILTINS = ("abs", "min", "max", "pow", "float", "int", "bool")


def from_function(fn: types.FunctionType) -> tuple[KernelSource, Namespace]:
    """The source of *fn*, and where its free names live: closure, then globals.

    Raises :class:`LanguageError` (L003) for anything but a function whose text can be read.
    """
    try:
        if not isinstance(fn, types.FunctionType):
            raise TypeError(f"it is a {type(fn).__name__}, not a function")
        written = read(fn)
    except (OSError, TypeError) as error:
        raise LanguageError(
            Diagnostic(
                "L003",
                f"the source of {getattr(fn, '__name__', fn)!r} cannot be read",
                why=f"a specializer reads the function's text ({error})",
                try_="define it in a cell, or in a file",
            )
        ) from None
    source = KernelSource(fn.__name__, *written)
    return recapture(source, names_of(fn)), names_of(fn)


def recapture(source: KernelSource, lookup: Namespace) -> KernelSource:
    """*source* with the values that its free names have now; equal if none has changed."""
    values = free_values(source, lookup)
    captured = tuple((n, v if isinstance(v, Helper) else freeze(v)) for n, v in values)
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
    """The free (dotted) names of the kernel that have a value, with the value, sorted by name.

    A plain function is a :class:`Helper`; what it reads itself comes too, under its ``scope``.
    """
    found: dict[str, Any] = {}
    scopes: dict[types.FunctionType, str] = {}
    names = free_names(source.code, source.name, source.method)
    _collect(names, "", lookup, installed(source.where), found, scopes)
    return sorted(found.items())


def _collect(
    names: Iterable[str],
    scope: str,
    lookup: Namespace,
    anywhere: bool,
    found: dict[str, Any],
    scopes: dict[types.FunctionType, str],
) -> None:
    for dotted in names:
        value = resolve(dotted, lookup)
        written = readable(value)
        if value is MISSING:
            continue
        if (
            written is None
            or (installed(written.where) and not anywhere)
            or (value not in scopes and len(scopes) == _MOST_HELPERS)
        ):
            found[scope + dotted] = value
            continue
        name, new = value.__code__.co_name, value not in scopes
        if new:
            inner = f"{name}()."
            while inner in scopes.values():
                inner = f"{inner[:-3]}_()."
            scopes[value] = inner
        found[scope + dotted] = Helper(name, written.text, scopes[value], *written[1:])
        if new:
            found |= {f"{inner}={p}": v for p, v in defaults_of(value).items()}
            names_inside = free_names(written.text, name)
            _collect(names_inside, inner, names_of(value), anywhere, found, scopes)


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
    if isinstance(value, list | tuple):
        items = tuple(map(freeze, value))
        if not any(isinstance(item, str) for item in items):
            return items
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and 0 < value.size <= 4096:
        return tuple(freeze(row) for row in (value if value.ndim > 1 else list(value)))
    try:
        return known_functions().get(value) or f"object:{_describe(value)}"
    except TypeError:  # unhashable
        return f"object:{_describe(value)}"


@lru_cache(maxsize=1)
def known_functions() -> dict[Any, str]:
    """The functions and types that the languages know, and the text that stands for each."""
    known: dict[Any, str] = {}
    for func in (*INTRINSICS, *MORE_INTRINSICS, *_MATH_NAMES):
        if hasattr(math, func) and func != "floor":  # math.floor returns an int of any size
            known[getattr(math, func)] = "math." + _MATH_NAMES.get(func, func)
    for func in (*INTRINSICS, *MORE_INTRINSICS, *_NUMPY_NAMES):
        if isinstance(ufunc := getattr(np, func, None), np.ufunc):
            known[ufunc] = "numpy." + _NUMPY_NAMES.get(func, func)
    known |= {getattr(np, name): f"numpy.{name}" for name in (*_NUMPY_TYPES, *_NUMPY_SUMS)}
    known |= {getattr(builtins, b): f"python.{b}" for b in _BUILTINS}
    return known


MISSING: Any = object()
"""The value of a name that has none."""


def resolve(dotted: str, lookup: Namespace) -> Any:
    """The value of a name, or of an attribute below it, now; :data:`MISSING` if it has none."""
    root, *attributes = dotted.split(".")
    try:
        value = lookup(root)
    except (KeyError, NameError, ValueError):  # ValueError: an empty closure cell
        value = getattr(builtins, root, MISSING)
    for attribute in attributes:
        value = getattr(value, attribute, MISSING)
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
