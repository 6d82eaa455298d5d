"""Boundary modes: what a read outside the grid means, axis by axis.

mode      scipy.ndimage   a b c d continues as
keep      --              not read: the sweep leaves the ghost zone as it was
constant  constant        k k | a b c d | k k
clamp     nearest         a a | a b c d | d d
wrap      wrap            c d | a b c d | a b
reflect   reflect         b a | a b c d | d c
mirror    mirror          c b | a b c d | c b
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...contracts import Interface
from ...errors import Diagnostic, OptionError, did_you_mean
from ...ir.dtypes import of_value
from ...stages import KernelSource

MODES = ("keep", "constant", "clamp", "wrap", "reflect", "mirror")


@dataclass(frozen=True, slots=True)
class Boundary:
    """The mode of one grid along one axis; ``value`` is what ``constant`` reads."""

    mode: str = "keep"
    value: float | int | bool = 0.0

    def __str__(self) -> str:
        return f"constant:{self.value}" if self.mode == "constant" else self.mode


KEEP = Boundary()
Setting = tuple[tuple[str, tuple[Boundary, ...]], ...]
"""Grid name (empty: every grid) -> its modes, one for all axes or one an axis."""


def parse_boundary(wanted: Any) -> Setting:
    """The option ``boundary`` as a value: a mode, ``("constant", 1.5)``, one an axis, or one a grid.

    >>> parse_boundary("wrap,constant:1.5")[0][1]
    (Boundary(mode='wrap', value=0.0), Boundary(mode='constant', value=1.5))

    Raises :class:`OptionError` (O002).
    """
    if isinstance(wanted, Mapping):
        return tuple((str(grid), _modes(mode)) for grid, mode in wanted.items())
    return (("", _modes(wanted)),)


def write_boundary(setting: Setting) -> Any:
    """A value of the option that :func:`parse_boundary` reads as *setting*.

    >>> write_boundary(parse_boundary({"u": ("wrap", ("constant", 1))}))
    {'u': ('wrap', 'constant:1')}
    """
    written: dict[str, Any] = {}
    for grid, modes in setting:
        words = tuple(("constant", b.value) if isinstance(b.value, bool) else str(b) for b in modes)
        written[grid] = words if len(words) > 1 else words[0]
    return written[""] if [*written] == [""] else written


def boundaries_of(
    source: KernelSource, interface: Interface, grid: str, ndim: int
) -> tuple[Boundary, ...]:
    """The modes of *grid*, one an axis.  Raises :class:`OptionError` (O002) where they do not fit."""
    chosen: dict[str, tuple[Boundary, ...]] = dict(dict(source.settings).get("boundary", ()))
    if grid not in interface.grids:
        return (KEEP,) * ndim
    for name in chosen:
        if name and name not in interface.grids:
            raise _error(f"boundary names {name!r}", did_you_mean(name, interface.grids))
    modes = chosen.get(grid, chosen.get("", (KEEP,)))
    if len(modes) not in (1, ndim):
        raise _error(f"boundary has {len(modes)} modes for {ndim} axes", "one mode, or one an axis")
    return modes if len(modes) == ndim else modes * ndim


def held(modes: tuple[Boundary, ...], grid: str, dtype: np.dtype[Any]) -> tuple[Boundary, ...]:
    """*modes* with constants that *grid* can hold; a float beyond its largest is infinite.

    Raises :class:`OptionError` (O002) for an integer beyond its range, or for NaN among integers.
    """
    for boundary in modes:
        try:
            with np.errstate(all="ignore"):
                value = dtype.type(boundary.value)
        except (OverflowError, ValueError):
            what = f"boundary has the constant {boundary.value!r}, which {grid!r} cannot hold"
            raise _error(what, f"a number that fits {dtype}") from None
        if dtype.kind == "f" and np.isinf(value):
            modes = tuple(Boundary(b.mode, float(value)) if b == boundary else b for b in modes)
    return modes


def mapped(index: Any, length: int, mode: str) -> Any:
    """Where a read at *index* (an array of integers) goes on an axis of *length* points."""
    match mode:
        case "clamp" | "constant":
            return np.clip(index, 0, length - 1)
        case "wrap":
            return index % length
        case "reflect":
            folded = index % (2 * length)
            return np.minimum(folded, 2 * length - 1 - folded)
        case "mirror":
            period = max(1, 2 * length - 2)
            folded = index % period
            return np.minimum(folded, period - folded) if length > 1 else index * 0
        case _:
            return index


def _modes(wanted: Any) -> tuple[Boundary, ...]:
    if isinstance(wanted, str):
        return tuple(_mode(word) for word in wanted.split(","))
    if (
        isinstance(wanted, tuple | list)
        and len(wanted) == 2
        and wanted[0] == "constant"
        and not (isinstance(wanted[1], str))
    ):
        return (_constant(wanted[1]),)
    if isinstance(wanted, tuple | list) and wanted:
        return tuple(m for one in wanted for m in _modes(one))
    raise _error(f"boundary is {wanted!r}", "one of " + ", ".join(MODES))


def _mode(word: str) -> Boundary:
    mode, colon, value = word.strip().partition(":")
    if mode not in MODES or (colon and mode != "constant"):
        raise _error(f"boundary is {word.strip()!r}", did_you_mean(mode, MODES))
    if not colon:
        return Boundary(mode)
    try:
        return _constant(int(value) if value.lstrip("+-").isdigit() else float(value))
    except ValueError:
        raise _error(f"boundary is {word.strip()!r}", "constant:1.5") from None


def _constant(value: Any) -> Boundary:
    if of_value(value) is None:
        raise _error(f"boundary has the constant {value!r}", "('constant', 1.5)")
    return Boundary("constant", value.item() if isinstance(value, np.generic) else value)


def _error(message: str, try_: str) -> OptionError:
    why = "a boundary says what a read outside the grid means"
    return OptionError(Diagnostic("O002", message, why, try_))
