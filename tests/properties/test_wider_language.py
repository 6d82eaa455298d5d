"""Generated kernels of the whole language equal the plain Python to the bit, on both platforms.

Their arithmetic is exact (see ``wider.py``), so there is no tolerance.  How many: see ``campaign.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import note

import sejits_nb as sj
from sejits_nb.errors import ArgumentError, BackendError, InternalError, SejitsError

from . import campaign
from .exact_oracle import expect_exactly
from .test_programs import LAYOUTS, laid_out, module_of
from .wider import WiderProgram, limits, wider_programs

MOST = {1: 12, 2: 7, 3: 4}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("platform", campaign.PLATFORMS)
def test_generated_kernels_of_the_whole_language_are_exact(
    platform: str, ndim: int, record_property: Callable[[str, object], None]
) -> None:
    campaign.run("wider", platform, ndim, wider_programs(ndim), _outcome, record_property)


def _outcome(program: WiderProgram, options: dict[str, Any], random: Random) -> str:
    """One shape and layout, or two."""
    note(f"{options} boundary={program.boundary!r} dtypes={program.dtypes}\n{program.text}")
    function = vars(module_of(program))[program.name]
    try:
        kernel = sj.stencil(function, boundary=program.boundary, fallback=False, **options)
        for _ in range(random.choice((1, 1, 2))):
            _compare(program, kernel, _values(program, random))
    except (InternalError, BackendError, ArgumentError):
        raise  # never the program's fault
    except NumPyRefuses:
        return ""
    except SejitsError as error:
        note(str(error))
        return error.code
    return "native"


class NumPyRefuses(Exception):
    """NumPy stores no integer that an array's type cannot hold: the plain Python raises."""


def _compare(program: WiderProgram, kernel: Any, values: dict[str, Any]) -> None:
    try:
        wanted = expect_exactly(program, values)
    except OverflowError as error:
        raise NumPyRefuses from error
    before = {n: v.copy() for n, v in values.items() if isinstance(v, np.ndarray)}
    plain = {n: v.copy() if n in program.outputs else v for n, v in values.items()}
    kernel(**values)
    kernel.reference(**plain)
    for name in program.inputs:
        np.testing.assert_array_equal(values[name], before[name], f"input {name} changed")
    for name in program.outputs:
        np.testing.assert_array_equal(plain[name], wanted[name], f"reference and oracle, {name}")
        np.testing.assert_array_equal(values[name], wanted[name], f"native and oracle, {name}")


def _values(program: WiderProgram, random: Random) -> dict[str, Any]:
    """Grids that may be smaller than the halo, and hold nothing that the program's ranges do not."""
    generator = np.random.default_rng(random.randrange(2**32))
    shape = tuple(2 * g + random.randint(1, MOST[len(program.ghost)]) for g in program.ghost)
    values = dict(program.numbers)
    for name, dtype in zip((*program.inputs, *program.outputs), program.dtypes, strict=True):
        lo, hi = limits(np.dtype(dtype), name in program.wild)
        kind = dtype if name in program.wild else "i8"
        content = generator.integers(lo, hi, shape, kind, endpoint=True)
        values[name] = laid_out(content, dtype, random.choice(LAYOUTS))
    return values
