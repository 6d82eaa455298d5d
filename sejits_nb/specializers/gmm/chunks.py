"""Events of a training: one array, or chunks of rows that need not fit the memory together.

A pass over chunks is an iteration like any other: one variant runs all of it.  Some rows stand for all
events where variants are compared with the plain Python, so that no chunk is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ...contracts import Turns
from ...errors import ArgumentError, Diagnostic
from .calls import arguments_of, check_call, events_of, native_values
from .interface import E_STEP, M_STEP, GmmInterface
from .mixture import Array, Mixture
from .rules import CALL_RULES

CHUNK_BYTES = 64 << 20
"""Of rows that have to be converted, of a memory map, at a time."""
FEW = 4096
"""Rows of a chunk; fewer are copied together, since a native call costs as much as hundreds of them."""
_SAMPLE = 1000
"""Rows that stand for all, from the first chunk."""


@dataclass(frozen=True, slots=True)
class Source:
    """The events: ``whole``, or what ``chunks()`` gives, the same at each call; ``count`` of them, 0
    where only reading them will tell; and the ``numbers`` of the call."""

    whole: Array | None
    chunks: Callable[[], Iterator[Array]]
    count: int
    numbers: Mapping[str, float]


class Passes:
    """Iterations over the chunks of *source* that train *arrays*.

    ``sums`` are those of an iteration, over ``events``.  Chunks are taken as float32 until there is one
    that is not.
    """

    def __init__(
        self, interface: GmmInterface, turns: Turns, source: Source, arrays: Mapping[str, Array],
        history: Array,
    ) -> None:  # fmt: skip
        self.events, self._turns, self._source = source.count, turns, source
        self._native = partial(
            native_values, interface, parameters=arrays, steps=M_STEP, numbers=source.numbers,
            history=history,
        )  # fmt: skip
        self._values = self._native(np.empty((0, arrays["mean"].shape[1]), np.float32))
        self.sums = {n: self._values[n] for n in interface.sums}
        self._run: Callable[[Mapping[str, Any]], None] | None = None

    def once(self) -> None:
        """One iteration: each chunk adds to the sums, then the M-step.  Raises :class:`ArgumentError`
        (A010 to A013)."""
        events = 0
        for chunk in _gathered(self._source.chunks()):
            dtype = np.promote_types(chunk.dtype, self._values["x"].dtype)
            part = chunk.astype(dtype, copy=False)
            if self._run is None or dtype != self._values["x"].dtype:
                self._run = self._begin(part)
            self._run(self._values | {"x": part, "steps": E_STEP, "count": len(part)})
            events += len(part)
            del chunk, part  # before the next one is read
        if self._run is None or not events:
            rule = CALL_RULES["A012"]
            raise ArgumentError(Diagnostic("A012", "there are no events in the chunks", rule.why,
                                           "a callable that returns a new iterator"))  # fmt: skip
        self.events = events
        self._run(self._values)

    def _begin(self, chunk: Array) -> Callable[[Mapping[str, Any]], None]:
        """What runs chunks of this dtype."""
        self.events = self.events or len(chunk)
        self._values = self._native(chunk[:_SAMPLE].copy()) | self.sums
        return self._turns.parts(lambda: self._values | {"count": self.events})


def _gathered(chunks: Iterator[Array]) -> Iterator[Array]:
    """The same rows in chunks that are worth a call, except for the last one."""
    few: list[Array] = []
    for chunk in chunks:
        if few and sum(map(len, few)) + len(chunk) > FEW:
            yield np.concatenate(few)
            few.clear()
        if len(chunk) < FEW:
            few.append(chunk.copy())
        else:
            yield chunk
        del chunk  # before the next one is read
    if few:
        yield np.concatenate(few)


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

    parts = _chunks_of(x, name)
    if parts is None:
        whole = checked(x)
        return Source(whole, lambda: iter((whole,)), len(whole), numbers), mixture
    if not isinstance(mixture, Mixture):
        checked(np.zeros((1, 1)))
    again, count = parts

    def chunks() -> Iterator[Array]:
        for rows in again():
            if len(rows):
                yield checked(rows)
            del rows  # before the next ones are read

    return Source(None, chunks, count, numbers), mixture


def _chunks_of(x: Any, name: str) -> tuple[Callable[[], Iterable[Any]], int] | None:
    """What gives the chunks of *x*, and how many rows these have, 0 if that is not known; ``None`` for
    what is one array."""
    if isinstance(x, np.memmap) and x.ndim == 2 and not _as_is(x):
        rows = max(1, CHUNK_BYTES // (8 * max(1, x.shape[1])))
        return lambda: (x[i : i + rows] for i in range(0, len(x), rows)), len(x)
    if hasattr(x, "__array__"):
        return None
    if callable(x):
        return lambda: x(), 0
    if isinstance(x, list | tuple):
        blocks = bool(x) and all(isinstance(c, np.ndarray) and c.ndim == 2 for c in x)
        return (lambda: x, sum(map(len, x))) if blocks else None
    if isinstance(x, Iterator):
        what = f"{name!r} is an iterator, which can be read only once"
        why = "each iteration of a training reads all events"
        raise ArgumentError(Diagnostic("A012", what, why, "a callable that returns a new iterator"))
    return (lambda: x, 0) if isinstance(x, Iterable) else None


def _as_is(x: Array) -> bool:
    """Whether the native code reads *x* as it stands."""
    return x.flags.c_contiguous and x.dtype in (np.dtype("=f4"), np.dtype("=f8"))
