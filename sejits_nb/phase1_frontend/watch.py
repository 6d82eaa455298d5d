"""Whether captured names still have the values that a kernel was specialized for.

Capturing them again and comparing takes tens of microseconds; a call asks this first.  The answer "yes"
is certain; "no" may also mean "not known", and is then found out by capturing again.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ..contracts import Namespace
from ..stages import KernelSource
from .capture import MISSING, free_names, freeze, resolve
from .functions import names_of, readable

Same = Callable[[Any], bool]

_NUMBERS = bool | int | float | np.bool_ | np.integer | np.floating
_MOST_ELEMENTS = 4096
_NAMED = type | types.BuiltinFunctionType | types.ModuleType | np.ufunc
"""What the front end sees as nothing but itself: the same object says that nothing has changed."""


class Watch:
    """The values that the free names of *source* have in *held*; *lookup* finds the later ones.

    Make it before the values are captured: a list that changes in between is then seen as changed.
    """

    __slots__ = ("_names",)

    def __init__(self, source: KernelSource, lookup: Namespace, held: Namespace) -> None:
        names = free_names(source.code, source.name, source.method)
        self._names = tuple(_watched(names, lookup, held, set()))

    def unchanged(self) -> bool:
        """Whether each name has the value that it had, contents of lists and arrays included."""
        for dotted, lookup, same in self._names:
            try:
                now = resolve(dotted, lookup) if "." in dotted else lookup(dotted)
            except (KeyError, NameError, ValueError):  # a builtin, perhaps
                now = resolve(dotted, lookup)
            if not same(now):
                return False
        return True


def _watched(
    names: Iterable[str], lookup: Namespace, held: Namespace, seen: set[types.FunctionType]
) -> Iterator[tuple[str, Namespace, Same]]:
    """Each name with where to look it up, those that helper functions read included."""
    for dotted in names:
        value = resolve(dotted, held)
        yield dotted, lookup, _same(value)
        if (written := readable(value)) is not None and value not in seen:
            seen.add(value)
            inner = names_of(value)
            read = free_names(written.text, value.__code__.co_name)
            yield from _watched(read, inner, inner, seen)


def _same(value: Any) -> Same:
    """A test of a later value that says yes only where it freezes to the same constant as *value*."""
    if value is MISSING or isinstance(value, _NAMED):
        return lambda now: now is value
    if isinstance(value, types.MethodType):  # made anew each time that it is asked for
        text = freeze(value)
        return lambda now: type(now) is types.MethodType and freeze(now) == text
    if isinstance(value, types.FunctionType):
        code, defaults = value.__code__, value.__defaults__
        same = _same(defaults or ())
        return lambda now: (
            now is value
            and now.__code__ is code
            and now.__kwdefaults__ is None
            and now.__defaults__ is defaults
            and same(defaults or ())
        )
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
