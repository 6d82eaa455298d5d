"""Kernels that were pickled run in another process, wherever they were defined."""

# mypy: disable-error-code="name-defined"
from __future__ import annotations

import copy
import math
import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import sejits_nb as sj
from sejits_nb.decorate import kernel_of_cell
from sejits_nb.stencil_kernel import StencilKernel

pytestmark = pytest.mark.needs("gcc")

U = np.random.default_rng(3).random((9, 11))
PROGRAM = """
import pickle, sys
import numpy as np
import sejits_nb as sj

alpha, table = 0.25, np.array([1.0, 2.0, 0.5])


def weighed(v, w=alpha, *, shift=1.5):
    return inner(v) * w + shift


def inner(v):
    return np.abs(v) * np.pi


@sj.stencil(fallback=False)
def smooth(u, out):
    for x in out.interior_points():
        for y in u.neighbors(x, 1):
            out[x] += weighed(u[y]) * table[1]


@sj.gmm(components=2, covariance="diag", fallback=False)
def mixed(x, mix):
    for n in x.events():
        for k in mix.components():
            away = mahalanobis(x[n], mix.mean[k], mix.covariance[k])
            mix.joint[n, k] = log(mix.weight[k]) - alpha * away
        mix.responsibility[n] = softmax(mix.joint[n])
    for k in mix.components():
        r = mix.responsibility[:, k]
        mix.mean[k] = (average(x, r) + table) / 2.0


alpha = 0.125
if __name__ == "__main__":
    pickle.dump((smooth, mixed), sys.stdout.buffer)
"""


def test_kernels_of_a_main_program_run_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    root = Path(sj.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "program.py"], capture_output=True, cwd=tmp_path, check=True,
        env=os.environ | {"PYTHONPATH": str(root)},
    )  # fmt: skip
    smooth, mixed = pickle.loads(done.stdout)
    inside = np.zeros_like(U)
    around = U[:-2, 1:-1], U[2:, 1:-1], U[1:-1, :-2], U[1:-1, 2:]
    inside[1:-1, 1:-1] = sum((a * math.pi * 0.25 + 1.5) * 2.0 for a in around)
    np.testing.assert_allclose(smooth(U), inside)
    np.testing.assert_allclose(smooth.reference(U), inside)
    x = np.random.default_rng(5).normal(size=(80, 3))
    native, plain = (sj.Mixture(2, 3, "diag", mean=x[:2]) for _ in range(2))
    assert mixed(x, native) == pytest.approx(mixed.reference(x, plain), rel=1e-12)
    np.testing.assert_allclose(native.mean, plain.mean)
    away = 0.125 * ((x[:, None] - x[:2]) ** 2).sum(axis=2)
    r = np.exp(-away) / np.exp(-away).sum(axis=1, keepdims=True)
    found = (r.T @ x / r.sum(axis=0)[:, None] + [1.0, 2.0, 0.5]) / 2
    np.testing.assert_allclose(native.mean, found)
    assert pickle.loads(pickle.dumps(mixed))(x, native) == mixed(x, plain)


CELL = """%%stencil blur
def part(v):
    return settings.strength * v * scale[0]

def blur(u, out):
    for x in out.interior_points():
        out[x] = sqrt(part(u[x])) + math.sqrt(np.float64(offset)) + abs(1 - scale[1])
"""


def of_a_cell(**names: Any) -> Any:
    found = {"math": math, "np": np, "scale": [2.0, 3], "offset": np.float32(4.0),
             "settings": SimpleNamespace(strength=0.5)} | names  # fmt: skip
    return kernel_of_cell(
        CELL, "Cell In[3]", "", found.__getitem__, "stencil", {"boundary": "wrap"}
    )


def test_a_cell_is_the_same_kernel_again() -> None:
    kernel = of_a_cell()
    again = pickle.loads(pickle.dumps(kernel))
    assert again._source == kernel._source
    assert again.options == kernel.options
    np.testing.assert_array_equal(again(U), kernel(U))
    np.testing.assert_allclose(again(U), np.sqrt(U) + 4.0)
    np.testing.assert_array_equal(again.reference(U), kernel.reference(U))
    assert copy.copy(kernel) is copy.deepcopy(kernel) is kernel


def test_values_are_those_of_the_moment() -> None:
    names: dict[str, Any] = {"strength": 1.0}
    settings = SimpleNamespace(**names)
    kernel = of_a_cell(settings=settings)
    kernel(U)
    settings.strength = 4.5
    assert pickle.loads(pickle.dumps(kernel))(U)[0, 0] == pytest.approx(3 * math.sqrt(U[0, 0]) + 4)


def test_what_cannot_go_along_is_named() -> None:
    odd = "def odd(u, out):\n    for x in out.interior_points():\n        out[x] = chosen(u[x])\n"
    kernel = kernel_of_cell(odd, "Cell In[1]", "", {"chosen": lambda v: v}.__getitem__, "stencil",
                            {"fallback": True})  # fmt: skip
    with pytest.raises(
        pickle.PicklingError, match="odd does not pickle: it uses chosen, a function"
    ):
        pickle.dumps(kernel)


class Drift(StencilKernel):
    speed = 1.0

    def kernel(self, in_grid, out_grid):  # type: ignore[no-untyped-def]
        for x in out_grid.interior_points():
            out_grid[x] = self.speed * in_grid[x]


def test_objects_with_a_method_pickle_and_copies_are_their_own() -> None:
    drift = Drift()
    drift(U)
    other = copy.copy(drift)
    other.speed = 3.0
    again = pickle.loads(pickle.dumps(other))
    assert drift(U)[4, 4] == U[4, 4]
    assert other(U)[4, 4] == again(U)[4, 4] == 3.0 * U[4, 4]
    with pytest.raises(pickle.PicklingError, match="Drift does not pickle: it is a method"):
        pickle.dumps(next(iter(drift._kernels.values())))
