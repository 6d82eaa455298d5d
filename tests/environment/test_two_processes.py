"""Processes that share a cache: one compiles, the others wait; a killed one harms nobody."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import needs_gcc

pytestmark = needs_gcc
WORKER = """
import sys
import numpy as np
import sejits_nb as sj

def shifted(u, out):
    for x in out.interior_points():
        out[x] = FACTOR * u[x + (0, 1)]

FACTOR = float(sys.argv[1])
kernel = sj.stencil(shifted, backend="openmp", fallback=False)
u = np.random.default_rng(0).random((20, 24))
out = kernel(u)
assert np.array_equal(out[1:-1, 1:-1], FACTOR * u[1:-1, 2:])
print("cached" if kernel._last.artifact.cached else "compiled")
"""
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where the compiler notes each kernel that it compiles."""
    return tmp_path / "log"


@pytest.fixture
def start(tmp_path: Path, log: Path, script: Callable[[str, str], str]) -> Start:
    """``start(1.5)``: a process that specializes for this factor; each compilation takes a while."""
    noted = f"grep -q probe kernel.c || {{ echo $$ >> {shlex.quote(str(log))}; sleep $PAUSE; }}"
    compiler = script("cc", f'case "$*" in *-shared*) {noted};; esac\nexec gcc "$@"')
    program = tmp_path / "worker.py"
    program.write_text(WORKER)

    def run(factor: float, pause_s: float = 0.5) -> subprocess.Popen[str]:
        env = {**os.environ, "SEJITS_CC": compiler, "SEJITS_CACHE_DIR": str(tmp_path / "cache")}
        return subprocess.Popen(
            [sys.executable, str(program), str(factor)], env={**env, "PAUSE": str(pause_s)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    return run


def finished(*processes: subprocess.Popen[str]) -> list[str]:
    """What each said, which must have ended well."""
    said = [process.communicate(timeout=100) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(said), said
    return [out.strip() for out, _ in said]


def test_the_same_kernel_is_compiled_once(start: Start, log: Path, tmp_path: Path) -> None:
    told = finished(start(1.5), start(1.5), start(1.5))
    assert sorted(told) == ["cached", "cached", "compiled"]
    # at the call's own shape, and for the comparison on a small grid
    entries = list((tmp_path / "cache").glob("v1/objects/*/*/kernel.so"))
    assert len(log.read_text().split()) == len(entries)
    assert list((tmp_path / "cache" / "v1" / "building").iterdir()) == []


def test_different_kernels_are_compiled_side_by_side(start: Start, log: Path) -> None:
    assert finished(start(1.5), start(2.5)) == ["compiled", "compiled"]
    assert finished(start(1.5), start(2.5)) == ["cached", "cached"]


def test_a_process_killed_while_it_compiles_holds_nobody_up(
    start: Start, log: Path, tmp_path: Path
) -> None:
    victim = start(1.5, pause_s=300.0)
    deadline = time.monotonic() + 60
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    compiler = int(log.read_text().split()[0])
    victim.kill()
    victim.communicate()
    os.killpg(compiler, signal.SIGKILL)  # nobody is left to stop it in time
    begin = time.monotonic()
    assert finished(start(1.5, pause_s=0.0)) == ["compiled"]
    assert time.monotonic() - begin < 30
