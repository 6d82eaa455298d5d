"""The sweeps of ``sweeps.c`` with arrays laid out for them, at the best of a few settings."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from . import LINE_BYTES, at_phase, entry, vector_bits

ENTRIES = {"laplacian": "pp" + "i" * 4 + "d" * 2, "divergence": "pppp" + "i" * 4 + "d" * 3}
"""Function of ``sweeps.c`` -> its parameters but for the four last, the setting."""
PLANES, TILES, ROW_AHEAD, PAD_LINES = (1, 2, 4), (32, 64, 1 << 20), 64, 21
_TRIALS = 3


@dataclass(frozen=True)
class HandSweep:
    """A sweep by hand: ``run`` computes into ``out``; ``setting`` won among ``tried``."""

    run: Callable[[], None]
    out: np.ndarray[Any, Any]
    setting: dict[str, int]
    tried: int


def unfit(kernel: str, dtype: np.dtype[Any], shape: Sequence[int]) -> str:
    """Why there is no sweep by hand for this case; empty where there is one."""
    if kernel not in ENTRIES or dtype != np.float64:
        return "not written"
    if shape[-1] % 8 or shape[-1] < 16 or min(shape) < 3:
        return "rows hold no multiple of eight numbers"
    return "" if vector_bits() else "this CPU has neither AVX-512 nor AVX2"


def hand_sweep(
    kernel: str, grids: Sequence[np.ndarray[Any, Any]], coefficients: Sequence[float], threads: int
) -> HandSweep:
    """The fastest setting of *kernel*; each is timed in turn, a few times."""
    runs, out = all_settings(kernel, grids, coefficients, threads)
    best = dict.fromkeys(runs, math.inf)
    for _ in range(_TRIALS):
        best = {setting: min(best[setting], _seconds(run)) for setting, run in runs.items()}
    fastest = min(runs, key=best.__getitem__)
    named = dict(zip(("planes", "tile", "ahead"), fastest, strict=True))
    return HandSweep(runs[fastest], out, named, len(runs))


def all_settings(
    kernel: str, grids: Sequence[np.ndarray[Any, Any]], coefficients: Sequence[float], threads: int
) -> tuple[dict[tuple[int, int, int], Callable[[], None]], np.ndarray[Any, Any]]:
    """(planes a step, rows a tile, numbers ahead) -> a call on copies of *grids*; its output."""
    function = entry("sweeps.c", kernel, ENTRIES[kernel] + "iiii")
    inputs = [_padded(g, 17 * k) for k, g in enumerate(grids)]
    out = _padded(np.zeros_like(grids[0]), 49 + 17 * (len(grids) - 1))
    n, plane = out.shape, out.strides[0] // 8
    found: dict[tuple[int, int, int], Callable[[], None]] = {}
    for planes, tile, in_row in product(PLANES, TILES, (False, True)):
        setting = planes, min(tile, n[1] - 2), ROW_AHEAD if in_row else planes * plane
        arguments = [*inputs, out, *n, plane, *coefficients, *setting, threads]
        found[setting] = function.bound(dict(zip(function.names, arguments, strict=True)))
    return found, out


def _seconds(run: Callable[[], None]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _padded(grid: np.ndarray[Any, Any], phase_lines: int) -> np.ndarray[Any, Any]:
    """A copy of *grid* that begins *phase_lines* cache lines into a page, padded between planes."""
    rows, length = grid.shape[1:]
    plane = rows * length + PAD_LINES * LINE_BYTES // 8
    flat = at_phase(grid.shape[0] * plane, phase_lines * LINE_BYTES)
    copy = as_strided(flat, grid.shape, (8 * plane, 8 * length, 8))
    copy[...] = grid
    return copy
