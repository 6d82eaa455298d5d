"""The inverse of capturing: a namespace made of nothing but a :class:`~sejits_nb.stages.KernelSource`.

A kernel that comes out of a pickle finds its free names here: numbers, tuples, arrays, known functions,
and helper functions, made anew from their text.
"""

from __future__ import annotations

import builtins
import types
from typing import Any

import numpy as np

from ..contracts import Namespace
from ..stages import Captured, Helper, KernelSource
from .capture import MISSING, freeze, known_functions
from .functions import Written, from_text

_NONE = freeze(None)


def lost_names(source: KernelSource) -> tuple[str, ...]:
    """What :func:`thawed` cannot give back: ``("db, a Connection",)``.  Builtins are everywhere."""
    return tuple(
        f"{name.rpartition('().')[2].lstrip('=')}, a {value.removeprefix('object:')}"
        for name, value in source.captured
        if isinstance(value, str) and value.startswith("object:") and value != _NONE
        and value != freeze(getattr(builtins, name.rpartition("().")[2], MISSING))
    )  # fmt: skip


def thawed(source: KernelSource) -> Namespace:
    """Where the free names of *source* have the values that it captured.

    Attributes are those of a plain object: ``settings.alpha`` needs no ``settings`` but its alpha.
    """
    helpers = {h.scope: h for _, h in source.captured if isinstance(h, Helper)}
    spaces: dict[str, dict[str, Any]] = {scope: {} for scope in ("", *helpers)}
    made = {
        scope: from_text(Written(h.text, h.where, h.first_line), h.name, spaces[scope])
        for scope, h in helpers.items()
    }
    defaults: dict[str, dict[str, Any]] = {scope: {} for scope in helpers}
    for name, captured in source.captured:
        scope, end, local = name.rpartition("().")
        value = made[captured.scope] if isinstance(captured, Helper) else _thaw(captured)
        if local.startswith("="):
            defaults[scope + end][local[1:]] = value
        elif value is not MISSING:
            _bind(spaces[scope + end], local, value)
    for scope, values in defaults.items():
        _set_defaults(made[scope], values)
    return spaces[""].__getitem__


def _thaw(value: Captured) -> Any:
    """What freezes to *value*; :data:`MISSING` for what can not be told from its name.

    >>> _thaw((1, 2.5)), _thaw(tuple(np.float32([0.5, 2.0]))), _thaw("numpy.sqrt")
    ((1, 2.5), array([0.5, 2. ], dtype=float32), <ufunc 'sqrt'>)
    """
    if isinstance(value, str):
        known = {text: function for function, text in known_functions().items()}
        return None if value == _NONE else known.get(value, MISSING)
    if not isinstance(value, tuple):
        return value
    items = tuple(map(_thaw, value))
    kinds = {i.dtype if isinstance(i, np.ndarray | np.generic) else None for i in items}
    shapes = {np.shape(i) for i in items}
    alike = len(kinds) == len(shapes) == 1 and None not in kinds
    return np.array(items) if alike else items


def _bind(space: dict[str, Any], dotted: str, value: Any) -> None:
    """Give *space* the name, in objects that have its attributes."""
    *path, last = dotted.split(".")
    for name in path:
        inner = space.setdefault(name, types.SimpleNamespace())
        if not isinstance(inner, types.SimpleNamespace):  # an array has its attributes
            return
        space = inner.__dict__
    space[last] = value


def _set_defaults(function: types.FunctionType, values: dict[str, Any]) -> None:
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    function.__defaults__ = tuple(values[p] for p in positional if p in values)
    function.__kwdefaults__ = {p: v for p, v in values.items() if p not in positional}
