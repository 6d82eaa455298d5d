"""The cases: which kernel, on how large a grid, of which type."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from .kernels import weights


@dataclass(frozen=True)
class Case:
    """A kernel on grids of ``n`` points along each axis; ``dtype`` is ``f64`` or ``f32``."""

    kernel: str
    n: int
    dtype: str

    def __str__(self) -> str:
        return f"{self.kernel}-{self.n}-{self.dtype}"

    @cached_property
    def numpy_dtype(self) -> np.dtype[Any]:
        return np.dtype({"f64": np.float64, "f32": np.float32}[self.dtype])

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.n,) * weights(self.kernel)[0].ndim

    @property
    def moved_bytes(self) -> int:
        """Compulsory traffic: each interior point read once from every input and written once."""
        words = prod(n - 2 for n in self.shape) * (len(weights(self.kernel)) + 1)
        return words * self.numpy_dtype.itemsize

    def grids(self) -> tuple[np.ndarray[Any, Any], ...]:
        """The inputs: random numbers below 1, the same in each run."""
        count = len(weights(self.kernel))
        made = (np.random.default_rng(seed).random(self.shape) for seed in range(count))
        return tuple(grid.astype(self.numpy_dtype) for grid in made)


CASES = (
    Case("laplacian", 256, "f64"),
    Case("laplacian", 256, "f32"),
    Case("divergence", 256, "f64"),
    Case("divergence", 256, "f32"),
    Case("jacobi", 4096, "f64"),
    Case("jacobi", 4096, "f32"),
    Case("conv3x3", 4096, "f32"),
    Case("points27", 256, "f64"),
)


def chosen(words: str) -> tuple[Case, ...]:
    """The cases whose names hold one of *words*, divided by blanks or commas; without words all.

    Raises ``ValueError`` for a word that no name holds.
    """
    wanted = words.replace(",", " ").split()
    for word in wanted:
        if not any(word in str(case) for case in CASES):
            raise ValueError(f"no case has {word!r} in its name: {', '.join(map(str, CASES))}")
    return tuple(c for c in CASES if not wanted or any(word in str(c) for word in wanted))


def parsed(name: str) -> Case:
    """The case of that name, of any size: ``laplacian-64-f64``."""
    kernel, n, dtype = name.split("-")
    return Case(kernel, int(n), dtype)
