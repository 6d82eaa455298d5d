"""Where arrays lie in memory: an output off its input's phase in the 4-KiB page.

Reads and writes whose addresses agree in their low 12 bits look to the processor as if they might
touch the same memory, and wait for one another.  An output a fixed distance off that phase, but at
the same place of its cache line, lets both go on (measured: docs/decisions/0012).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

_PAGE = 4096
_OFFSET = 49 * 64
_LEAST_BYTES = 1 << 20


def zeros_like(array: np.ndarray[Any, Any], number: int = 0) -> np.ndarray[Any, Any]:
    """Zeros of *array*'s shape, dtype and order (C, or Fortran's if it is that), a plain array.

    From 1 MiB on they lie off the phase of *array*; each *number* (0, 1, …) has a phase of its own.
    """
    order: Literal["C", "F"] = "F" if array.flags.fnc else "C"
    if array.nbytes < _LEAST_BYTES:
        return np.zeros(array.shape, array.dtype, order)
    raw = np.zeros(array.nbytes + _PAGE, np.uint8)
    phase = array.ctypes.data + (number + 1) * _OFFSET
    start = (phase - raw.ctypes.data) % _PAGE
    return np.ndarray(array.shape, array.dtype, raw, start, order=order)


def empty_like(array: np.ndarray[Any, Any], number: int = 0) -> np.ndarray[Any, Any]:
    """An array like *array* to compute into: pass it as an output, and the sweep runs faster than into
    one of NumPy's own.  What it holds is not specified; *number* tells several outputs apart.
    """
    return zeros_like(array, number)


def copy_of(array: np.ndarray[Any, Any], number: int = 0) -> np.ndarray[Any, Any]:
    """A copy of *array* that lies as :func:`zeros_like` places it."""
    placed = zeros_like(array, number)
    placed[...] = array
    return placed
