"""OpenCL on PoCL: right, wrong, deadly and refused programs; devices that are there or not."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sejits_nb import config
from sejits_nb.errors import BackendError
from sejits_nb.ir.dast import Line
from sejits_nb.ir.dtypes import F64, I64, from_numpy
from sejits_nb.ir.node import Span
from sejits_nb.ir.past import Param
from sejits_nb.phase5_backend import opencl_device, run_opencl
from sejits_nb.phase5_backend.opencl_device import TRIALS, NoDevice, find_device
from sejits_nb.phase5_backend.run_opencl import compile_opencl, load
from sejits_nb.stages import (
    ArrayType,
    Artifact,
    Case,
    Expectation,
    Launch,
    ScalarType,
    Signature,
    SourceUnit,
)

pytestmark = pytest.mark.needs("opencl")
ITEMS = 6
DOUBLE = "out[i] = 2.0 * u[i];"
Build = Callable[..., Artifact]


def source(body: str, items: int = ITEMS) -> SourceUnit:
    """A kernel on ``u``, ``out`` and the number ``n``; its body computes line 7 of a cell."""
    lines = (
        Line("#pragma OPENCL EXTENSION cl_khr_fp64 : enable"),
        Line(f"__kernel __attribute__((reqd_work_group_size({max(1, items)}, 1, 1)))"),
        Line("void k(__global const double *restrict u, __global double *restrict out, long n)"),
        Line("{"),
        Line("    const long i = get_global_id(0);"),
        Line(f"    {body}", Span(7, 4, 7, 9)),
        Line("}"),
    )
    params = (Param("u", F64, True), Param("out", F64, True, False), Param("n", I64))
    return SourceUnit("opencl", "k", params, lines, (Launch("k", (items,), (max(1, items),)),))


@pytest.fixture(scope="module")
def build() -> Build:
    return lambda body, items=ITEMS: compile_opencl(source(body, items), True)


@pytest.fixture(scope="module", autouse=True)
def _end_the_child() -> Iterator[None]:
    yield
    TRIALS.close()


def doubling(expected: Any = None) -> Case:
    """``u`` is 0 to 5, ``n`` is 3; *expected* is what ``out`` must hold."""
    u = np.arange(float(ITEMS))
    values = {"u": u, "out": np.zeros(ITEMS), "n": 3}
    dtype = from_numpy(u.dtype)
    assert dtype is not None
    kind = ArrayType(dtype, (ITEMS,), (1,))
    told = () if expected is None else (Expectation("out", ..., expected, 0.0),)
    signature = Signature((("u", kind), ("out", kind), ("n", ScalarType(I64))))
    return Case(signature, values, told, "small grid")


# -- programs


def test_a_right_program_passes_its_trial_and_runs_here(build: Build) -> None:
    made = build("out[i] = 2.0 * u[i] + n;")
    tried = doubling(2.0 * np.arange(6.0) + 3)
    assert TRIALS.run(made, tried) == ""
    assert not tried.values["out"].any()
    load(made)(tried.values)
    np.testing.assert_array_equal(tried.values["out"], 2.0 * np.arange(6.0) + 3)


def test_a_second_build_comes_from_the_cache(build: Build) -> None:
    first, again = build("out[i] = 3.0 * u[i];"), build("out[i] = 3.0 * u[i];")
    assert again.cached
    assert again.key == first.key
    assert replace(again, cached=first.cached) == first
    assert build("out[i] = 3.0 * u[i];", 3).key != first.key, "the launch is part of the program"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("out[i] = 2.5 * u[i];", "out[1] is 2.5, the plain Python gives 2.0"),
        (f"{DOUBLE} out[i + 6] = 1.0;", "writes outside of out"),
        (f"{DOUBLE} ((__global double *)u)[i] += 1.0;", "changes its input: u[0] was 0.0, is 1.0"),
    ],
    ids=["a wrong value", "outside of an array", "an input"],
)
def test_what_a_wrong_program_did_is_said(body: str, said: str, build: Build) -> None:
    assert TRIALS.run(build(body), doubling(2.0 * np.arange(6.0))).startswith(said)


def test_a_crash_kills_the_child_and_the_next_one_works(build: Build) -> None:
    deadly = build("((__global double *)(8 * i + 8))[0] = u[i];")
    assert "SIGSEGV" in TRIALS.run(deadly, doubling())
    assert TRIALS.run(build(DOUBLE), doubling(2.0 * np.arange(6.0))) == ""


def test_a_program_without_an_end_is_stopped(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = build("volatile long more = 1; while (more) {} out[i] = 0;")
    monkeypatch.setattr(config, "TRIAL_TIMEOUT_S", 2.0)
    assert TRIALS.run(endless, doubling()) == "no answer within 2 s"


def test_a_refused_program_points_at_the_line_of_the_cell(build: Build) -> None:
    with pytest.raises(BackendError) as caught:
        build("out[i] = nonsense;")
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.line, problem.col, problem.end_col) == ("B002", 7, 4, 9)
    assert "use of undeclared identifier 'nonsense'" in problem.message
    kept = Path(problem.why.partition("source kept in ")[2].partition(";")[0])
    assert "nonsense" in kept.read_text()


def test_no_work_items_and_empty_arrays(build: Build) -> None:
    kernel = load(build(DOUBLE, 0))
    kernel({"u": np.zeros(0), "out": np.zeros(0), "n": 3})


def test_several_threads_at_once(build: Build) -> None:
    kernel = load(build("out[i] = n * u[i];"))

    def call(n: int) -> bool:
        u, out = np.arange(6.0), np.zeros(6)
        for _ in range(20):
            kernel({"u": u, "out": out, "n": n})
        return bool((out == n * u).all())

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(call, range(8)))


@pytest.mark.parametrize("in_place", [True, False])
def test_gaps_between_elements_are_left_alone(
    in_place: bool, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the device's own memory too, where whole spans are copied."""
    kernel = load(build("out[2 * i] = u[3 * i] * n;"))
    monkeypatch.setattr(kernel._host, "in_place", in_place)
    u, whole = np.arange(18.0), np.full(12, 7.0)
    run = kernel.bound({"u": u[::3], "out": whole[::2], "n": 2})
    run()
    np.testing.assert_array_equal(whole[::2], 2 * u[::3])
    np.testing.assert_array_equal(whole[1::2], 7.0)
    u += 1.0
    run()
    np.testing.assert_array_equal(whole[::2], 2 * u[::3])


def test_a_forked_process_is_told(build: Build) -> None:
    kernel = load(build(DOUBLE))
    values = {"u": np.arange(6.0), "out": np.zeros(6), "n": 0}
    kernel(values)
    reader, writer = multiprocessing.Pipe(duplex=False)
    if (child := os.fork()) == 0:
        try:
            kernel(values)
        except BackendError as error:
            writer.send(error.code)
        os._exit(0)
    os.waitpid(child, 0)
    assert reader.poll(0)
    assert reader.recv() == "B008"


# -- devices

FIND = """\
import importlib.util, sys
known = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name in {hidden} else known(name, *a)
from sejits_nb.phase5_backend.opencl_device import find_device
found = find_device()
print(found.usable, found.text)
"""


def find_in_another_process(
    tmp_path: Path, hidden: tuple[str, ...] = (), **env: str
) -> tuple[bool, str]:
    """What a fresh process with these variables, and without those packages, finds."""
    done = subprocess.run(
        (sys.executable, "-c", FIND.format(hidden=hidden)),
        env={**os.environ, "SEJITS_CACHE_DIR": str(tmp_path), **env},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    usable, _, text = done.stdout.strip().partition(" ")
    return usable == "True", text


def test_the_device_is_found_once() -> None:
    found = find_device()
    assert found.usable, found.text
    assert find_device() is found
    assert "Portable Computing Language" in found.text


def test_without_pyopencl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert find_device() == NoDevice('pip install "sejits_nb[opencl]"')
    with pytest.raises(BackendError, match="B001"):
        compile_opencl(source(DOUBLE), True)


def test_without_a_driver(tmp_path: Path) -> None:
    found, text = find_in_another_process(tmp_path, OCL_ICD_VENDORS="/nonexistent")
    assert not found
    assert text == 'there is no OpenCL device; pip install "sejits_nb[opencl]"'


def test_without_any_linker_pocl_dies_and_only_in_the_child(tmp_path: Path) -> None:
    found, text = find_in_another_process(tmp_path, ("ziglang",), PATH="/nonexistent")
    assert not found
    assert text == "PoCL needs a linker: install binutils (its ld), or: pip install ziglang"


@pytest.mark.needs("ziglang")
def test_the_ziglang_wheel_links_where_nothing_else_does(tmp_path: Path) -> None:
    found, text = find_in_another_process(tmp_path / "a b", PATH="/nonexistent")
    assert found, text
    assert os.access(tmp_path / "a b" / "v1" / "bin" / "ld", os.X_OK)


def test_what_was_found_is_kept_for_the_next_process(monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_device()
    monkeypatch.setattr(opencl_device, "_found", {})
    monkeypatch.setattr(opencl_device, "_search", lambda key: pytest.fail("searched again"))
    assert find_device() == found


def test_the_limits_are_the_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    items, local_bytes = run_opencl.limits()
    assert items >= 64
    assert local_bytes >= 16_384
    monkeypatch.setattr(run_opencl, "find_device", lambda _: NoDevice(""))
    assert run_opencl.limits() == (1024, 32_768)
