"""Events of a training: one array, or chunks of rows that need not fit the memory together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import ArgumentError, Diagnostic
from .calls import arguments_of, check_call, events_of
from .interface import GmmInterface
from .mixture import Array, Mixture

CHUNK_BYTES = 64 << 20
"""Of rows that have to be converted, of a memory map, at a time."""


@dataclass(frozen=True, slots=True)
class Source:
    """The events: ``whole``, or what ``chunks()`` gives, the same at each call; and the ``numbers`` of
    the call."""

    whole: Array | None
    chunks: Callable[[], Iterator[Array]]
    numbers: Mapping[str, float]


def source_of(
    interface: GmmInterface, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[Source, Mixture]:
    """The events of a call, and its mixture.

    An array is taken whole; a memory map as it is on disk, in chunks if its rows have to be
    converted.  Chunks are checked when they are read.  Raises :class:`ArgumentError` (A010 to A013,
    A016).
    """
    x, mixture, numbers = arguments_of(interface, args, kwargs)
    name = interface.params[0]

    def checked(rows: Any) -> Array:
        events = events_of(rows, name)
        check_call(interface, events, mixture)
        return events

    again = _chunks_of(x, name)
    if again is None:
        whole = checked(x)
        return Source(whole, lambda: iter((whole,)), numbers), mixture
    if not isinstance(mixture, Mixture):
        checked(np.zeros((1, 1)))
    return Source(None, lambda: (checked(c) for c in again() if len(c)), numbers), mixture


def _chunks_of(x: Any, name: str) -> Callable[[], Iterable[Any]] | None:
    """What gives the chunks of *x*; ``None`` for what is one array."""
    if isinstance(x, np.memmap) and x.ndim == 2 and not _as_is(x):
        rows = max(1, CHUNK_BYTES // (8 * max(1, x.shape[1])))
        return lambda: (x[i : i + rows] for i in range(0, len(x), rows))
    if hasattr(x, "__array__"):
        return None
    if callable(x):
        return lambda: x()
    if isinstance(x, list | tuple):
        blocks = bool(x) and all(isinstance(c, np.ndarray) and c.ndim == 2 for c in x)
        return (lambda: x) if blocks else None
    if isinstance(x, Iterator):
        what = f"{name!r} is an iterator, which can be read only once"
        why = "each iteration of a training reads all events"
        raise ArgumentError(Diagnostic("A012", what, why, "a callable that returns a new iterator"))
    return (lambda: x) if isinstance(x, Iterable) else None


def _as_is(x: Array) -> bool:
    """Whether the native code reads *x* as it stands."""
    return x.flags.c_contiguous and x.dtype in (np.dtype("=f4"), np.dtype("=f8"))
