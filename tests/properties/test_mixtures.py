"""Generated EM iterations equal the plain Python, whatever strategy they are compiled for.

How many: see ``campaign.py``.  The tolerance is what noise of the size of rounding, put on the data,
does to the plain Python's own results.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, note

import sejits_nb as sj
from sejits_nb.errors import ArgumentError, BackendError, InternalError, SejitsError

from . import campaign
from .mixtures import MixtureProgram, mixture_programs
from .test_programs import LAYOUTS, laid_out, module_of

Array = np.ndarray[Any, Any]
_NOISE = {"f8": 1e-12, "f4": 3e-7}
_LEAST = {"f8": 1e-10, "f4": 1e-4}
_TIMES = 100.0


@pytest.mark.needs("gcc")
@pytest.mark.timeout(600)
def test_generated_mixtures_equal_the_plain_python(
    record_property: Callable[[str, object], None],
) -> None:
    campaign.run("mixtures", "c", 0, mixture_programs(), _outcome, record_property)


def _outcome(program: MixtureProgram, options: dict[str, Any], random: Random) -> str:
    note(f"{options}\n{program.text}")
    function = vars(module_of(program))[program.name]
    try:
        kernel = sj.gmm(function, covariance=program.covariance, check="off", fallback=False,
                        **options)  # fmt: skip
        for dtype in random.choice((("f8",), ("f8", "f4"))):
            _compare(program, kernel, dtype, random)
    except (InternalError, BackendError, ArgumentError):
        raise  # never the program's fault
    except SejitsError as error:
        note(str(error))
        return error.code
    return "native"


def _compare(program: MixtureProgram, kernel: Any, dtype: str, random: Random) -> None:
    generator = np.random.default_rng(random.randrange(2**32))
    k, d = program.components, program.dimension
    count = random.choice((1, 2, 7, 63, 64, 65, 130, 200, 1100))
    mean = generator.normal(size=(k, d))
    content = mean[generator.integers(0, k, count)] + generator.normal(size=(count, d))
    x = laid_out(content, dtype, random.choice(LAYOUTS))
    spread = _covariance(generator, program.covariance, k, d)
    weight = generator.dirichlet(np.full(k, 4.0))
    mixture = sj.Mixture(k, d, program.covariance, weight=weight, mean=mean, values=spread)
    mixture.begin(random.choice((-np.inf, -2.5 * d * count)))
    numbers = program.numbers
    try:
        wanted = _plain(kernel, x, mixture, numbers)
    except ArgumentError:
        assume(False)  # the plain Python divides by zero on these data
    noise = _NOISE[dtype]
    near = [_plain(kernel, _noisy(generator, x, noise), _shaken(generator, mixture, noise), numbers)
            for _ in range(3)]  # fmt: skip
    mine = mixture.copy()
    found = kernel(x, mine, **numbers)
    got = _results(found, mine)
    single = "SINGLE" in program.text  # a captured float32: NumPy computes with it in float32
    least = max(_LEAST[dtype], 1e-6 * single)
    for name, value in wanted.items():
        scale = float(np.abs(value).max(initial=1.0))
        moved = max(float(np.abs(other[name] - value).max()) for other in near)
        tolerance = _TIMES * moved + least * scale
        distance = float(np.abs(got[name] - value).max())
        assert distance <= tolerance, (
            f"{name} of {dtype}[{count}, {d}] is off by {distance:.3g} "
            + (f"(tolerance {tolerance:.3g}): {got[name]!r}, the plain Python gives {value!r}")
        )


def _plain(
    kernel: Any, x: Array, mixture: sj.Mixture, numbers: dict[str, float]
) -> dict[str, Array]:
    mine = mixture.copy()
    with np.errstate(all="ignore"):
        found = kernel.reference(x, mine, **numbers)
    return _results(found, mine)


def _results(log_likelihood: float, mixture: sj.Mixture) -> dict[str, Array]:
    converged = np.array(float(mixture.converged))
    return {
        "log_likelihood": np.array(log_likelihood),
        "converged": converged,
        **mixture.arrays(),
    }


def _covariance(generator: np.random.Generator, kind: str, k: int, d: int) -> Array:
    """Well-conditioned ones."""
    half = generator.normal(size=(k, d, d)) * 0.3
    whole = half @ half.transpose(0, 2, 1) + np.eye(d)
    diagonal = np.diagonal(whole, axis1=1, axis2=2)
    found: dict[str, Array] = {
        "full": whole,
        "tied": whole[0],
        "diag": diagonal,
        "spherical": diagonal[:, 0],
    }
    return found[kind]


def _noisy(generator: np.random.Generator, array: Array, size: float) -> Array:
    """*array*, each number changed by about that share; f64 whatever it was."""
    noise = size * generator.standard_normal(array.shape)
    return np.asarray(array * (1.0 + noise), np.float64)


def _shaken(generator: np.random.Generator, mixture: sj.Mixture, size: float) -> sj.Mixture:
    """*mixture* with the same noise on its parameters; covariances stay symmetric."""
    arrays = {n: _noisy(generator, a, size) for n, a in mixture.arrays().items()}
    spread = arrays["covariance"]
    if mixture.covariance_kind in ("full", "tied"):
        spread = 0.5 * (spread + np.swapaxes(spread, -1, -2))
    made = sj.Mixture.of(arrays["weight"], arrays["mean"], spread, mixture.covariance_kind)
    made.begin(mixture.log_likelihood)
    return made
