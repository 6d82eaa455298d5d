"""Unproven code on trial: run in a child process, then compared with what the plain Python gives.

Each array travels in shared memory with the strides that the code has hard-coded and at its own
alignment, between guard bytes; so do the gaps that its strides leave:

    | guard | elements and gaps | guard |  | guard | elements and gaps | guard |  ...
"""

from __future__ import annotations

import atexit
import math
import mmap
import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from .. import config
from ..stages import ArrayType, Artifact, Case, Expectation
from .trial_process import TrialProcess

_GUARD = 4096
_FILL = 0xA5
_CACHE_LINE = 64
_CHUNK_BYTES = 1 << 20
_KEEP_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """An array in the shared memory: offsets of element [0, ..., 0], of the lowest byte, of the end."""

    kind: ArrayType
    origin: int
    low: int
    high: int

    @property
    def gaps(self) -> bool:
        """Whether the strides leave bytes between the elements."""
        return math.prod(self.kind.shape) * self.kind.dtype.size_bytes != self.high - self.low

    def view(self, memory: mmap.mmap, dtype: Any = None) -> Any:
        """The array itself, or its bits as another *dtype* of the same size."""
        size = self.kind.dtype.size_bytes
        strides = tuple(s * size for s in self.kind.strides)
        dtype = dtype or self.kind.dtype.numpy
        return np.ndarray(self.kind.shape, dtype, memory, self.origin, strides)


Request = Callable[[Artifact, Case, Mapping[str, Place]], dict[str, Any]]
"""What a child is asked, but for the size of the memory: how to load and call an artifact."""


class Trials:
    """Trials in one kind of child process, one at a time: those of other threads wait.

    ``limit_s`` are the seconds that an answer may take, else ``config.TRIAL_TIMEOUT_S``; ``finished``
    says whether the code of the last trial came to its end.
    """

    def __init__(
        self, new_process: Callable[[], TrialProcess], request: Request, limit_s: float = 0.0
    ) -> None:
        self._new_process, self._request, self._limit_s = new_process, request, limit_s
        self._lock, self._process = threading.Lock(), new_process()
        self._inherited: list[TrialProcess] = []
        self._proven: tuple[Case, mmap.mmap] | None = None
        self.finished = False

    def kept(self) -> Self:
        """Itself, from now on closed when this process ends, and renewed where it is forked."""
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)
        return self

    @property
    def limit_s(self) -> float:
        return self._limit_s or config.TRIAL_TIMEOUT_S

    def run(self, artifact: Artifact, case: Case) -> str:
        """Run *artifact* on copies of the case's arrays; the reason why it is wrong, or nothing.

        Wrong is: a crash, no answer within ``limit_s``, a changed input, an expectation that is not
        met, a write outside of the arrays.
        """
        with self._lock:
            try:
                return self._run(artifact, case)
            except OSError as problem:
                return f"could not be tried: {problem}"

    def ask(
        self, request: Mapping[str, Any], limit_s: float, size: int = 0
    ) -> tuple[str, dict[str, Any]]:
        """Any other question to the child, with *size* bytes of shared memory: why it did not answer,
        or nothing; and its answer."""
        with self._lock:
            shared = {"size": len(self._process.memory(size))} if size else {}
            reason = self._process.ask({**request, **shared}, limit_s)
            return reason, {} if reason else self._process.answer

    def close(self) -> None:
        """End the child and give its memory back; the next trial starts a new one."""
        with self._lock:
            self._process.close()

    def trim(self) -> None:
        """End the child if it holds much memory: the copies of a large call's arrays."""
        with self._lock:
            if self._process.held_bytes > _KEEP_BYTES:
                self._process.close()

    def _run(self, artifact: Artifact, case: Case) -> str:
        places, size = layout(case)
        memory = self._process.memory(size)
        request = self._request(artifact, case, places) | {"size": len(memory)}
        inputs = {p.key for p in artifact.params if p.pointer and p.const}
        used = self._process.running
        reason = self._attempt(memory, places, case, inputs, request)
        if reason.startswith("killed") and used:
            # earlier code may have damaged the child without a sign: only a fresh one can accuse
            reason = self._attempt(memory, places, case, inputs, request)
        self.finished = not reason
        if not reason:
            reason = next(_faults(memory, places, artifact, case), "")
            if reason:
                self._process.end()
        self._proven = None if reason else (case, memory)
        return reason

    def _attempt(
        self,
        memory: mmap.mmap,
        places: Mapping[str, Place],
        case: Case,
        inputs: Collection[str],
        request: Mapping[str, Any],
    ) -> str:
        """Copy the arrays in and run; what became of the child.  Inputs that the last trial of the same
        case has proven to leave as they were are still there."""
        octets = np.frombuffer(memory, np.uint8)
        last, self._proven = self._proven, None
        same = last is not None and last[0] is case and last[1] is memory
        for name, place in places.items():
            for low, high in _outside(place):
                octets[low:high] = _FILL
            if not (same and name in inputs and not place.gaps):
                np.copyto(place.view(memory), case.values[name])
        return self._process.ask(request, self.limit_s)

    def _renew(self) -> None:
        """A forked process shares nothing with its parent's child; the old one is kept, not ended."""
        self._inherited.append(self._process)
        self._lock, self._process = threading.Lock(), self._new_process()


def arguments(
    artifact: Artifact,
    case: Case,
    places: Mapping[str, Place],
    pointer: Callable[[Place], tuple[int, ...]],
) -> list[tuple[Any, ...]]:
    """The arguments of a request, in parameter order: ``("pointer", ...)`` or (dtype name, number)."""
    args: list[tuple[Any, ...]] = []
    for param in artifact.params:
        if param.pointer:
            args.append(("pointer", *pointer(places[param.key])))
        else:
            number = float if param.dtype.strong.kind == "f" else int
            args.append((param.dtype.strong.name, number(case.values[param.key])))
    return args


def native_request(artifact: Artifact, case: Case, places: Mapping[str, Place]) -> dict[str, Any]:
    """How a child is asked to run native code on arrays in the shared memory."""
    args = arguments(artifact, case, places, lambda place: (place.origin,))
    return {"library": artifact.library, "entry": artifact.entry, "args": args}


def layout(case: Case) -> tuple[dict[str, Place], int]:
    """A place for each array of the case, and the bytes that all of them take."""
    places: dict[str, Place] = {}
    end = 0
    for name, kind in case.signature.args:
        if isinstance(kind, ArrayType):
            reach = [(n - 1) * s for n, s in zip(kind.shape, kind.strides, strict=True)]
            size, empty = kind.dtype.size_bytes, 0 in kind.shape
            below = 0 if empty else -sum(r for r in reach if r < 0) * size
            above = 0 if empty else (sum(r for r in reach if r > 0) + 1) * size
            origin = end + _GUARD + below
            origin += (case.values[name].ctypes.data - origin) % _CACHE_LINE
            places[name] = Place(kind, origin, origin - below, origin + above)
            end = origin + above + _GUARD
    return places, end


def _outside(place: Place) -> tuple[tuple[int, int], ...]:
    """The byte ranges to fill before a run: the guards, and all between them if there are gaps."""
    if place.gaps:
        return ((place.low - _GUARD, place.high + _GUARD),)
    return (place.low - _GUARD, place.low), (place.high, place.high + _GUARD)


def _faults(
    memory: mmap.mmap, places: Mapping[str, Place], artifact: Artifact, case: Case
) -> Iterator[str]:
    """What a finished run did wrong, the most telling first."""
    for expectation in case.expectations:
        if fault := _unmet(expectation, places[expectation.name].view(memory), case.oracle):
            yield f"{fault} ({case.label})"
    for param in artifact.params:
        if param.pointer and param.const:
            was, now = case.values[param.key], places[param.key].view(memory)
            if index := _first_change(was, now):
                where = f"{param.key}{list(index)}"
                yield f"changes its input: {where} was {was[index]}, is {now[index]} ({case.label})"
    octets = np.frombuffer(memory, np.uint8)
    for name, place in places.items():
        if place.gaps:  # what the elements hold has been judged: level them with the gaps
            place.view(memory, f"u{place.kind.dtype.size_bytes}")[...] = _filler(place)
        if any((octets[low:high] != _FILL).any() for low, high in _outside(place)):
            yield f"writes outside of {name} ({case.label})"


def _filler(place: Place) -> int:
    return int.from_bytes(bytes([_FILL]) * place.kind.dtype.size_bytes, "little")


def _unmet(expectation: Expectation, array: Any, oracle: str) -> str:
    """The first element that is not as expected, with both values."""
    got = np.asarray(array[expectation.where])
    want, tolerance = np.asarray(expectation.value), np.asarray(expectation.tolerance)
    with np.errstate(all="ignore"):
        cast = np.broadcast_to(want.astype(got.dtype), got.shape)
        right = _bits(got) == _bits(cast)
        if got.dtype.kind == "f":
            right |= np.isnan(got) & np.isnan(cast)
        if tolerance.any():
            distance = np.abs(got.astype(np.float64) - want.astype(np.float64))
            right |= (tolerance > 0) & (distance <= tolerance)
    if right.all():
        return ""
    first = int(np.argmin(right))
    index = [
        int(np.broadcast_to(axis, array.shape)[expectation.where].flat[first])
        for axis in np.ogrid[tuple(slice(n) for n in array.shape)]
    ]
    there = f"{expectation.name}{index}" if index else expectation.name
    return f"{there} is {got.flat[first]}, {oracle} gives {cast.flat[first]}"


def _first_change(was: Any, now: Any) -> tuple[int, ...] | None:
    """Index of the first element whose bits differ; looks at a megabyte at a time, to stay in cache."""
    was, now = np.atleast_1d(_bits(was)), np.atleast_1d(_bits(now))
    rows = max(1, _CHUNK_BYTES // max(1, was[:1].nbytes))
    for start in range(0, len(was), rows):
        differs = was[start : start + rows] != now[start : start + rows]
        if differs.any():
            first, *rest = np.unravel_index(int(np.argmax(differs)), differs.shape)
            return (start + int(first), *map(int, rest))
    return None


def _bits(array: Any) -> Any:
    return array.view(f"u{array.dtype.itemsize}")


_trials = Trials(TrialProcess, native_request).kept()
run_trial, close, trim = _trials.run, _trials.close, _trials.trim
