"""C written by hand, compiled as generated code is: STREAM's copy, and sweeps to compare with."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sejits_nb.ir.dast import Line
from sejits_nb.ir.dtypes import F64, I64
from sejits_nb.ir.past import Param
from sejits_nb.phase5_backend.bind_cffi import NativeKernel, load
from sejits_nb.phase5_backend.compile_c import compile_source
from sejits_nb.stages import SourceUnit

LINE_BYTES = 64
_PAGE = 4096
_KINDS = {"p": (F64, True), "i": (I64, False), "d": (F64, False)}


def entry(file: str, name: str, params: str) -> NativeKernel:
    """The function *name* of *file*; *params* has a letter for each parameter: ``p`` a pointer to
    doubles (or to int64), ``i`` an int64, ``d`` a double.

    Raises :class:`~sejits_nb.errors.BackendError` where it does not compile or is not there.
    """
    text = Path(__file__).with_name(file).read_text(encoding="utf-8")
    kinds = [Param(f"p{k}", *_KINDS[letter]) for k, letter in enumerate(params)]
    lines = tuple(map(Line, text.splitlines()))
    built = compile_source(SourceUnit("c", name, tuple(kinds), lines), exact=False)
    return load(replace(built, parallel=False))  # called from one thread; may be without OpenMP


@cache
def vector_bits() -> int:
    """Bits of the vectors that the sweeps by hand use here; 0 where they cannot run."""
    found = np.zeros(1, np.int64)
    entry("sweeps.c", "vector_bits", "p").call_arrays(found)
    return int(found[0])


def at_phase(count: int, phase_bytes: int) -> np.ndarray[Any, Any]:
    """Zeros, float64[count], that begin *phase_bytes* (whole cache lines) into a 4-KiB page."""
    raw = np.zeros(8 * count + 2 * _PAGE, np.uint8)
    start = (phase_bytes - raw.ctypes.data) % _PAGE
    return raw[start : start + 8 * count].view(np.float64)
