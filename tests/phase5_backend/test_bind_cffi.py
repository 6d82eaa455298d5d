"""Artifact to callable: every scalar type, every layout of arrays, and what a call costs."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sejits_nb.errors import BackendError
from sejits_nb.ir import dtypes
from sejits_nb.ir.dtypes import PY_BOOL, PY_FLOAT, PY_INT
from sejits_nb.phase5_backend.bind_cffi import C_TYPES, NativeKernel, load
from sejits_nb.phase5_backend.compile_c import compile_source
from sejits_nb.stages import Artifact, SourceUnit

Build = Callable[..., Artifact]


@pytest.fixture
def build(make_unit: Callable[..., SourceUnit]) -> Build:
    return lambda *text: compile_source(make_unit(*text), True)


@pytest.fixture
def axpy(build: Build) -> NativeKernel:
    """``out[i] = a * u[i]`` on three elements of strides 1 and 1."""
    body = "for (int i = 0; i < 3; ++i) out[i] = a * u[i];"
    return load(build(body, "const f64*u", "f64*out", "f64 a"))


@pytest.mark.parametrize("name", C_TYPES)
def test_scalars_of_every_type_arrive(build: Build, name: str) -> None:
    dtype = getattr(dtypes, name.upper()).numpy
    kernel = load(build("out[0] = a;", f"{name}*out", f"{name} a"))
    info = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo("f4")
    values = (False, True) if dtype.kind == "b" else (info.min, info.max, 3)
    for value in values:
        for passed in (dtype.type(value), value):
            out = np.zeros(1, dtype)
            kernel.call_arrays(out, passed)
            assert out[0] == dtype.type(value)


def test_weak_scalars_arrive_as_their_carriers(build: Build) -> None:
    made = build("out[0] = a + b + c;", "f64*out", "bool a", "i64 b", "f64 c")
    weak = [PY_BOOL, PY_INT, PY_FLOAT]
    params = [replace(p, dtype=d) for p, d in zip(made.params[1:], weak, strict=True)]
    out = np.zeros(1)
    load(replace(made, params=(made.params[0], *params))).call_arrays(out, True, 2**40, 0.25)
    assert out[0] == 2**40 + 1.25


def test_the_three_ways_to_call_are_one(axpy: NativeKernel) -> None:
    u, out = np.array([1.0, 2.0, 3.0]), np.zeros(3)
    assert axpy.names == ("u", "out", "a")
    ways: list[Callable[[float], None]] = [
        lambda a: axpy.call_arrays(u, out, a),
        lambda a: axpy({"a": a, "out": out, "u": u, "unused": None}),
        lambda a: axpy.bound({"a": a, "out": out, "u": u})(),
    ]
    for number, run in enumerate(ways, 2):
        run(float(number))
        assert out.tolist() == [number * 1.0, number * 2.0, number * 3.0]


def test_pointers_are_those_of_element_zero(build: Build) -> None:
    body = "for (int i = 0; i < 3; ++i) out[-2 * i] = u[4 * i];"
    kernel = load(build(body, "const f64*u", "f64*out"))
    u = np.arange(12.0).reshape(3, 4)
    out = np.zeros(6)
    columns = u[:, 1:2]
    columns.flags.writeable = False
    ways: list[Callable[..., None]] = [
        kernel.call_arrays,
        lambda a, b: kernel({"u": a, "out": b}),
        lambda a, b: kernel.bound({"u": a, "out": b})(),
    ]
    for run in ways:
        for column in (columns, np.asfortranarray(u.T)[1]):
            out[:] = 0
            run(column, out[::-2])
            assert out.tolist() == [0.0, 9.0, 0.0, 5.0, 0.0, 1.0]


def test_arrays_without_axes_and_without_elements(build: Build) -> None:
    kernel = load(build("out[0] = 5.0; (void)u;", "const f64*u", "f64*out"))
    out = np.array(0.0)
    kernel.call_arrays(np.zeros((0, 3))[:, ::-1], out)
    assert out == 5.0
    out[...] = 0.0
    kernel.bound({"u": np.zeros((0, 3)), "out": out})()
    assert out == 5.0


def test_a_bound_call_keeps_its_arrays(axpy: NativeKernel) -> None:
    u, out = np.ones(3), np.zeros(3)
    alive = weakref.ref(u), weakref.ref(out)
    run = axpy.bound({"u": u, "out": out, "a": 4.0})
    del u, out
    gc.collect()
    run()
    held = alive[1]()
    assert held is not None
    assert held.tolist() == [4.0, 4.0, 4.0]
    del run, held
    gc.collect()
    assert alive[0]() is None


def test_too_few_arguments_are_an_error(axpy: NativeKernel) -> None:
    with pytest.raises(TypeError):
        axpy.call_arrays(np.ones(3), np.ones(3))
    with pytest.raises(KeyError):
        axpy({"u": np.ones(3), "out": np.ones(3)})


def test_what_cannot_be_loaded_says_what_is_missing(build: Build) -> None:
    made = build("out[0] = 1.0;", "f64*out")
    with pytest.raises(BackendError, match=r"B004.*no_such_entry"):
        load(replace(made, entry="no_such_entry"))
    with pytest.raises(BackendError, match=r"B004.*no-such\.so"):
        load(replace(made, library="/no-such.so"))
    with pytest.raises(BackendError, match=r"B004.*nowhere"):
        load(build("double nowhere(void);\nout[0] = nowhere();", "f64*out"))


def test_a_call_lets_other_threads_run(build: Build) -> None:
    kernel = load(build("usleep(200000); out[0] = 1.0;", "f64*out"))
    start = time.perf_counter()
    workers = [threading.Thread(target=kernel.call_arrays, args=(np.zeros(1),)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert time.perf_counter() - start < 0.6


def test_loading_openmp_code_changes_nothing_around_it(build: Build) -> None:
    before = dict(os.environ)
    out = np.zeros(64)
    load(build("#pragma omp parallel for\nfor (int i = 0; i < 64; ++i) out[i] = i;", "f64*out"))(
        {"out": out}
    )
    assert out.tolist() == list(range(64))
    assert dict(os.environ) == before


def test_a_fresh_process_loads_without_a_parser(build: Build) -> None:
    made = build("out[0] = a;", "f64*out", "f64 a")
    code = (
        "import sys, time, cffi\n"
        "from sejits_nb.phase5_backend.bind_cffi import load\n"
        "from sejits_nb.ir.past import Param; from sejits_nb.ir.dtypes import F64\n"
        "from sejits_nb.stages import Artifact, BuildLog\n"
        f"made = Artifact('', {made.library!r}, '', 'kernel', (Param('out', F64, True, False),\n"
        "    Param('a', F64)), BuildLog((), '', 0.0), True)\n"
        "start = time.perf_counter(); load(made); seconds = time.perf_counter() - start\n"
        "print('pycparser' in sys.modules, seconds < 0.01)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "True"]


def test_a_call_costs_microseconds(axpy: NativeKernel) -> None:
    u, out = np.ones(3), np.zeros(3)
    run = axpy.bound({"u": u, "out": out, "a": 0.5})

    def best_us(call: Callable[[], None]) -> float:
        rounds = []
        for _ in range(20):
            start = time.perf_counter()
            for _ in range(200):
                call()
            rounds.append((time.perf_counter() - start) / 200 * 1e6)
        return min(rounds)

    assert best_us(run) < 2
    assert best_us(lambda: axpy.call_arrays(u, out, 0.5)) < 5
