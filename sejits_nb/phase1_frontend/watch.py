"""Whether captured names still have the values that a kernel was specialized for.

Capturing them again and comparing takes tens of microseconds; a call asks this first.  The answer "yes"
is certain; "no" may also mean "not known", and is then found out by capturing again.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np

from ..contracts import Namespace
from ..stages import KernelSource
from .capture import _MISSING, _resolve, free_names, freeze

Same = Callable[[Any], bool]

_NUMBERS = bool | int | float | np.bool_ | np.integer | np.floating
_MOST_ELEMENTS = 4096
_NAMED = type | types.BuiltinFunctionType | types.ModuleType | np.ufunc
"""What the front end sees as nothing but itself: the same object says that nothing has changed."""


class Watch:
    """The values that the free names of *source* have in *held*; *lookup* finds the later ones.

    Make it before the values are captured: a list that changes in between is then seen as changed.
    """

    __slots__ = ("_lookup", "_names")

    def __init__(self, source: KernelSource, lookup: Namespace, held: Namespace) -> None:
        self._lookup = lookup
        self._names = tuple(
            (dotted, "." in dotted, _same(_resolve(dotted, held)))
            for dotted in free_names(source.code, source.name, source.method)
        )

    def unchanged(self) -> bool:
        """Whether each name has the value that it had, contents of lists and arrays included."""
        lookup = self._lookup
        for dotted, deep, same in self._names:
            if deep:
                now = _resolve(dotted, lookup)
            else:
                try:
                    now = lookup(dotted)
                except (KeyError, NameError, ValueError):  # a builtin, perhaps
                    now = _resolve(dotted, lookup)
            if not same(now):
                return False
        return True


def _same(value: Any) -> Same:
    """A test of a later value that says yes only where it freezes to the same constant as *value*."""
    if value is _MISSING or isinstance(value, _NAMED):
        return lambda now: now is value
    if isinstance(value, types.MethodType):  # made anew each time that it is asked for
        text = freeze(value)
        return lambda now: type(now) is types.MethodType and freeze(now) == text
    kind = type(value)
    if isinstance(value, _NUMBERS) and kind.__module__ in ("builtins", "numpy"):
        return lambda now: now is value
    if kind is np.ndarray and value.dtype.kind in "biuf" and value.size <= _MOST_ELEMENTS:
        dtype, shape, octets = value.dtype, value.shape, value.tobytes()
        return lambda now: (
            now is value and now.shape == shape and now.dtype is dtype and now.tobytes() == octets
        )
    if kind in (list, tuple):
        items = tuple(value)  # kept alive, so that an id means the same object later
        ids = [*map(id, items)]
        inner = [(i, _same(v)) for i, v in enumerate(items) if not isinstance(v, _NUMBERS)]
        if all(type(v).__module__ in ("builtins", "numpy") for v in items):
            return lambda now: (
                now is value and [*map(id, now)] == ids and all(same(now[i]) for i, same in inner)
            )
    return lambda now: False
