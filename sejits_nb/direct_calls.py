"""Calls with the layouts of an earlier call: nothing is bound anew, arrays go straight to the code.

Binding asks for types, dtypes, shapes, strides and flags, and whether an output shares memory with
another grid.  All but the last is in a call's :func:`layouts`: a later call that has the same ones
binds in the same way if its outputs stand apart, which is asked each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .contracts import BoundCall, Executable, Interface
from .pipeline import Watch

Repeat = Callable[[tuple[Any, ...]], Any]
"""Runs a call on its positional, then keyword values; gives its result, or :data:`SHARED`."""

SHARED: Any = object()
"""An output may share memory with another grid: bind the call to find out."""

_INT64 = 2**63


@dataclass(slots=True)
class DirectCalls:
    """The repeatable calls of one kernel while its captured names have the values of ``identity``."""

    identity: tuple[str, ...]
    watch: Watch
    repeats: dict[tuple[Any, ...], Repeat] = field(default_factory=dict)


def layouts(values: tuple[Any, ...], names: tuple[str, ...] = ()) -> tuple[Any, ...]:
    """What binding asks of *values*, of which the last came under *names*, addresses aside."""
    return (
        *[
            (v.dtype, v.shape, v.strides, v.flags.num)
            if type(v) is np.ndarray
            else type(v)
            if type(v) is not int
            else -_INT64 <= v < _INT64
            for v in values
        ],
        *names,
    )


def repeat_of(
    interface: Interface,
    bound: BoundCall,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    executable: Executable,
) -> Repeat | None:
    """How to run calls of the layouts of this one, or ``None`` where binding changed an argument."""
    positional = (p for p in interface.params if p not in bound.allocated)
    given = dict(zip(positional, args, strict=False)) | dict(kwargs)
    if not all(_plain(v) and bound.values.get(n) is v for n, v in given.items()):
        return None
    made = bound.allocated
    if len(given) < len(args) + len(kwargs) or (made and bound.like not in given):
        return None
    defaults = {n: v for n, v in bound.values.items() if n not in {*given, *made}}
    run = executable.direct({n: bound.values[n] for n in (*given, *defaults, *made)})
    tail, place = tuple(defaults.values()), {n: i for i, n in enumerate(given)}
    if made and bound.allocate:
        return _allocating(run, tail, bound.allocate, place[bound.like], len(made))
    apart = [(place[o], place[g]) for o in interface.outputs
             for g in interface.grids if g != o]  # fmt: skip
    return _passed(run, tail, apart)


def _passed(
    run: Callable[..., None], tail: tuple[Any, ...], apart: list[tuple[int, int]]
) -> Repeat:
    """All outputs are among the values; the pairs *apart* of them must share no memory."""
    may_share = np.may_share_memory

    def repeat(values: tuple[Any, ...]) -> Any:
        for a, b in apart:
            if may_share(values[a], values[b]):
                return SHARED
        run(*values, *tail)
        return None

    return repeat


def _allocating(
    run: Callable[..., None],
    tail: tuple[Any, ...],
    allocate: Callable[[Any, int], Any],
    like: int,
    count: int,
) -> Repeat:
    """*count* outputs are made after the value at *like*, and returned."""

    def one(values: tuple[Any, ...]) -> Any:
        made = allocate(values[like], 0)
        run(*values, *tail, made)
        return made

    def several(values: tuple[Any, ...]) -> Any:
        made = tuple(allocate(values[like], number) for number in range(count))
        run(*values, *tail, *made)
        return made

    return one if count == 1 else several


def _plain(value: Any) -> bool:
    """Whether a value of its layout binds as itself, whatever else it holds."""
    return type(value) in (np.ndarray, bool, int, float) or isinstance(value, np.generic)
