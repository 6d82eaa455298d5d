"""The script of a kernel runs in a fresh process and gives what the kernel gives; so does its C."""

from __future__ import annotations

import ctypes
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sejits_nb as sj
from sejits_nb.stencil_kernel import StencilGrid, StencilKernel

Array = np.ndarray[Any, Any]
weight, table = 0.25, np.array([[0.0, 1.0, 0.0], [1.0, 0.5, 1.0], [0.0, 1.0, 0.0]])


def weighed(v: Any, w: Any = weight) -> Any:
    return v * w


def smooth(u, out, shift, k):  # type: ignore[no-untyped-def]  # a kernel
    for x in out.interior_points():
        acc = np.pi * k
        for y, w in u.weighted(x, table):
            acc += w * u[y]
        out[x] = weighed(acc) + shift


class Drift(StencilKernel):
    def __init__(self, speed: float, **options: Any) -> None:
        super().__init__(**options)
        self.speed = speed

    def kernel(self, in_grid, out_grid):  # type: ignore[no-untyped-def]
        for x in out_grid.interior_points():
            for y in self.neighbors(x, 1):
                out_grid[x] = out_grid[x] + self.speed * in_grid[y]


def run(folder: Path, text: str) -> str:
    path = folder / "made.py"
    path.write_text(text)
    root = Path(sj.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, cwd=folder,
        env=os.environ | {"PYTHONPATH": str(root)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def namespace(text: str, folder: Path) -> dict[str, Any]:
    """What the script defines, its text readable as a file's."""
    path = folder / "read.py"
    path.write_text(text)
    scope: dict[str, Any] = {"__name__": "made"}
    exec(compile(text, str(path), "exec"), scope)
    return scope


@pytest.mark.parametrize("order", ["C", "F", "strided"])
@pytest.mark.parametrize("boundary", ["keep", ("wrap", ("constant", 2.5))])
def test_a_script_makes_the_kernel_anew(tmp_path: Path, order: Any, boundary: Any) -> None:
    kernel = sj.stencil(smooth, fallback=False, boundary=boundary, set={"threads": 1})
    u = np.random.default_rng(0).random((20, 24)).astype("f4")
    if order == "strided":
        wide = np.zeros((40, 48), "f4")
        wide[::2, ::-2] = u
        u = wide[::2, ::-2]
    else:
        u = u.copy(order)
    wanted = kernel(u, np.float32(0.5), 3)
    text = kernel.script()
    scope = namespace(text, tmp_path)
    again = scope["smooth"]
    assert np.array_equal(again(u, np.float32(0.5), 3), wanted)
    assert again.options.backend == (kernel._last.platform,)
    assert again.options.pins == kernel._last.config.items
    given = scope["arguments"]()
    assert (given["shift"], type(given["shift"]), given["k"]) == (0.5, np.float32, 3)
    assert (given["u"].dtype, given["u"].shape, given["u"].strides) == (u.dtype, u.shape, u.strides)
    assert text.count("laid_out(") == (0 if order == "C" else 2)


def test_a_script_runs_alone(tmp_path: Path) -> None:
    kernel = sj.stencil(smooth, fallback=False)
    kernel(np.ones((30, 40)), 0.1, True)
    said = run(tmp_path, kernel.script())
    assert said.startswith("smooth: ")
    assert said.rstrip().endswith("equal to the plain Python")


def test_the_script_of_a_class(tmp_path: Path) -> None:
    drift = Drift(0.5, fallback=False)
    grid, out = StencilGrid([12, 12]), StencilGrid([12, 12])
    grid.data[...] = np.random.default_rng(0).random((12, 12))
    drift(grid, out)
    text = drift.script()
    again = namespace(text, tmp_path)["Drift"]
    made = np.zeros((12, 12))
    again(grid.data, made)
    assert np.array_equal(made, out.data)
    assert run(tmp_path, text).startswith("Drift: ")


def test_large_grids_are_not_compared_in_full() -> None:
    kernel = sj.stencil(smooth, fallback=False)
    assert "smooth.check(" in kernel.script()  # the sample
    kernel(np.ones((600, 700)), 0.1, 1)
    assert "smooth.check(" not in kernel.script()


def test_the_script_of_plain_python(tmp_path: Path) -> None:
    kernel = sj.stencil(smooth, backend="python")
    kernel(np.ones((10, 12)), 0.1, 1)
    text = kernel.script()
    assert "backend='python'" in text
    assert run(tmp_path, text).startswith("smooth: ")


def test_exported_c_builds_as_its_readme_says_and_runs(tmp_path: Path) -> None:
    kernel = sj.stencil(smooth, backend="c", fallback=False)
    u = np.random.default_rng(0).random((30, 40))
    wanted = kernel(u, 0.5, 2)
    folder = kernel.export(tmp_path / "smooth code")
    names = {path.name for path in folder.iterdir()}
    assert names == {"smooth.c", "smooth.h", "smooth.py", "README.md"}
    readme = (folder / "README.md").read_text()
    assert "| `u` | f64[30, 40] | (40, 1) | read |" in readme
    command = shlex.split(readme.split("```sh\n")[1].split("\n```")[0])
    subprocess.run(command, cwd=folder, check=True)
    user = (
        '#include "smooth.h"\nvoid (*f)(const double *, double *, double, int64_t) = smooth_kernel;'
    )
    (folder / "user.c").write_text(user)
    subprocess.run([command[0], "-Wall", "-Werror", "-c", "user.c"], cwd=folder, check=True)
    function = ctypes.CDLL(str(folder / "smooth.so")).smooth_kernel
    out = np.zeros_like(u)
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in (u, out)]
    function(*pointers, ctypes.c_double(0.5), ctypes.c_int64(2))
    assert np.array_equal(out, wanted)


def test_export_of_plain_python_is_the_script(tmp_path: Path) -> None:
    kernel = sj.stencil(smooth, backend="python")
    kernel(np.ones((10, 12)), 0.1, 1)
    assert [path.name for path in kernel.export(tmp_path / "e").iterdir()] == ["smooth.py"]
    with pytest.raises(FileExistsError):
        kernel.export(tmp_path / "e" / "smooth.py")


@pytest.mark.platforms
def test_exported_opencl_names_its_launches(tmp_path: Path) -> None:
    kernel = sj.stencil(smooth, backend="opencl", fallback=False)
    kernel(np.ones((30, 40)), 0.5, 2)
    folder = kernel.export(tmp_path)
    assert {p.name for p in folder.iterdir()} == {"smooth.cl", "smooth.py", "README.md"}
    assert "__kernel" in (folder / "smooth.cl").read_text()
    assert "- `smooth_kernel`: global size" in (folder / "README.md").read_text()
