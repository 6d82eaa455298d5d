"""STREAM's copy with non-temporal stores: the yardstick that is timed in each round."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sejits_nb.machine.caches import available_bytes, data_caches

from .hand import LINE_BYTES, at_phase, entry

_LEAST_BYTES, _MOST_BYTES = 64 << 20, 1 << 30


def stream_copy(threads: int, array_bytes: int | None = None) -> tuple[Callable[[], None], int]:
    """A call that copies one array to another, and the bytes that it moves.

    Each array is four times the last-level cache, 64 MiB to 1 GiB, if *array_bytes* does not say.
    """
    if array_bytes is None:
        caches = data_caches()
        wanted = 4 * caches[-1].holds_bytes(threads) if caches else _LEAST_BYTES
        array_bytes = min(max(wanted, _LEAST_BYTES), _MOST_BYTES, available_bytes() // 8)
    n = array_bytes // LINE_BYTES * 8
    a, c = at_phase(n, 0), at_phase(n, 17 * LINE_BYTES)
    a[:] = 1.0
    copy = entry("stream.c", "stream_copy", "ppii")
    call = copy.bound(dict(zip(copy.names, (a, c, n, threads), strict=True)))
    call()
    if not np.array_equal(a, c):
        raise AssertionError("the copy differs")
    return call, 16 * n
