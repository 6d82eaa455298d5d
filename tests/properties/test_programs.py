"""Generated kernels of the core: every variant equals the plain Python, and nearly all have one.

How many: see ``campaign.py``.
"""

from __future__ import annotations

import linecache
import math
import types
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, note

import sejits_nb as sj
from sejits_nb.errors import ArgumentError, BackendError, InternalError, SejitsError

from . import campaign
from .mixtures import MixtureProgram
from .oracle import expect
from .programs import Program, programs

Array = np.ndarray[Any, Any]
LAYOUTS = ("C", "F", "strided", "reversed", "cut")
_numbers = count()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("platform", campaign.PLATFORMS)
def test_generated_kernels_equal_the_plain_python(
    platform: str, ndim: int, record_property: Callable[[str, object], None]
) -> None:
    campaign.run("core", platform, ndim, programs(ndim), _outcome, record_property)


def _outcome(program: Program, options: dict[str, Any], random: Random) -> str:
    """One shape and layout, or two."""
    note(f"{options}\n{program.text}")
    module = module_of(program)
    try:
        kernel = sj.stencil(module.__dict__[program.name], fallback=False, **options)
        for _ in range(random.choice((1, 1, 2))):
            _compare(program, kernel, _values(program, random))
    except (InternalError, BackendError, ArgumentError):
        raise  # never the program's fault
    except SejitsError as error:
        note(str(error))
        return error.code
    return "native"


def module_of(program: Program | MixtureProgram) -> types.ModuleType:
    """The program as a module whose source ``inspect`` finds."""
    name = f"<generated program {next(_numbers)}>"
    lines = program.text.splitlines(keepends=True)
    linecache.cache[name] = (len(program.text), None, lines, name)
    module = types.ModuleType("generated")
    vars(module).update(program.constants, np=np, math=math)
    exec(compile(program.text, name, "exec"), vars(module))
    return module


def _compare(program: Program, kernel: Any, values: dict[str, Any]) -> None:
    try:
        wanted = expect(program, values)
    except (ArithmeticError, ValueError):
        assume(False)  # the plain Python raises on these data
    before = {n: v.copy() if isinstance(v, np.ndarray) else v for n, v in values.items()}
    plain = {n: v.copy() if n in program.outputs else v for n, v in values.items()}
    kernel(**values)
    kernel.reference(**plain)
    for name in program.inputs:
        np.testing.assert_array_equal(values[name], before[name], f"input {name} changed")
    interior = tuple(slice(g, max(g, n - g)) for g, n in
                     zip(program.ghost, values[program.outputs[0]].shape, strict=True))  # fmt: skip
    for name, (expected, tolerance, sure) in wanted.items():
        np.testing.assert_array_equal(plain[name], expected, f"reference and oracle, {name}")
        rim = np.ones(expected.shape, bool)
        rim[interior] = False
        np.testing.assert_array_equal(values[name][rim], before[name][rim], f"rim of {name}")
        _assert_near(name, values[name], expected, tolerance, sure)


def _assert_near(name: str, got: Array, expected: Array, tolerance: Array, sure: Array) -> None:
    with np.errstate(all="ignore"):
        distance = np.abs(got.astype(np.float64) - expected.astype(np.float64))
        same = (got == expected) | (np.isnan(got) & np.isnan(expected)) | (distance <= tolerance)
    wrong = np.argwhere(sure & ~same)
    assert not wrong.size, (
        f"{name}{wrong[0].tolist()} is {got[tuple(wrong[0])]!r}, the plain Python gives "
        f"{expected[tuple(wrong[0])]!r} (tolerance {tolerance[tuple(wrong[0])]:.3g})"
    )


def _values(program: Program, random: Random) -> dict[str, Any]:
    ndim = len(program.ghost)
    most = {1: 40, 2: 9, 3: 5}[ndim]
    shape = tuple(2 * g + random.randint(-1, most) for g in program.ghost)
    shape = tuple(max(0, n) for n in shape)
    names = (*program.inputs, *program.outputs)
    grids = {n: _array(random, shape, d) for n, d in zip(names, program.dtypes, strict=True)}
    return grids | program.numbers


def _array(random: Random, shape: tuple[int, ...], dtype: str) -> Array:
    """Ordinary numbers with the odd one among them, in one of the memory layouts."""
    generator = np.random.default_rng(random.randrange(2**32))
    content = generator.normal(size=shape) * random.choice((1.0, 1.0, 3.0, 100.0))
    if random.random() < 0.3:
        content = np.round(content)
    if random.random() < 0.3:
        odd = generator.random(shape) < 0.15
        choices = [0.0, -0.0, 1.0, -1.0, 1e-30, -1e30]
        choices += [np.inf, -np.inf, np.nan] if random.random() < 0.4 else []
        content = np.where(odd, generator.choice(choices, size=shape), content)
    return laid_out(content, dtype, random.choice(LAYOUTS))


def laid_out(content: Array, dtype: str, layout: str) -> Array:
    """*content* as an array of *dtype* in one of the memory layouts."""
    shape = content.shape
    if layout == "F":
        array = np.zeros(shape, dtype, order="F")
    elif layout == "strided":
        array = np.zeros([n * 2 for n in shape], dtype)[(slice(None, None, 2),) * len(shape)]
    elif layout == "reversed":
        array = np.zeros(shape, dtype)[(slice(None, None, -1),) * len(shape)]
    elif layout == "cut":
        array = np.zeros([n + 3 for n in shape], dtype)[tuple(slice(1, 1 + n) for n in shape)]
    else:
        array = np.zeros(shape, dtype)
    array[...] = content
    return array
