"""Python threads, forked processes, CPU affinity: kernels stay right and never hang."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sejits_nb as sj
from sejits_nb import config
from sejits_nb.phase5_backend import openmp_calls

from .conftest import needs_gcc

pytestmark = needs_gcc
Array = np.ndarray[Any, Any]
factor = 1.0


def smooth(u, out):  # type: ignore[no-untyped-def]  # a kernel
    for x in out.interior_points():
        out[x] = u[x - (1, 0)] + u[x + (1, 0)] + u[x - (0, 1)] + u[x + (0, 1)]


def scaled(u, out):  # type: ignore[no-untyped-def]  # a kernel
    for x in out.interior_points():
        out[x] = factor * u[x + (0, 1)]


def slow(u, out):  # type: ignore[no-untyped-def]  # a kernel
    for x in out.interior_points():
        acc = u[x]
        for y in u.neighbors(x, 4):
            acc = sin(acc + u[y])  # type: ignore[name-defined]  # noqa: F821  # an intrinsic
        out[x] = acc


def numpy_smooth(u: Array) -> Array:
    wanted = np.zeros_like(u)
    wanted[1:-1, 1:-1] = (u[:-2, 1:-1] + u[2:, 1:-1]) + u[1:-1, :-2] + u[1:-1, 2:]
    return wanted


def made(kernel: Callable[..., None], threads: int, **options: Any) -> Any:
    return sj.stencil(kernel, set={"threads": threads}, backend="openmp", fallback=False, **options)


def field(shape: tuple[int, ...], seed: int = 0) -> Array:
    return np.random.default_rng(seed).random(shape)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_gil_is_released_in_native_code(threads: int) -> None:
    """Another Python thread counts while one call runs."""
    kernel, u = made(slow, threads, check="off"), field((900, 900))
    out = np.zeros_like(u)
    kernel(u, out)
    inside, counted = threading.Event(), 0

    def run() -> None:
        inside.set()
        kernel(u, out)

    thread = threading.Thread(target=run)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(100.0)  # who holds the lock keeps it: only native code gives it up
    try:
        thread.start()
        inside.wait()
        start = time.perf_counter()
        while thread.is_alive():
            counted += 1
            time.sleep(0.001)
        seconds = time.perf_counter() - start
    finally:
        sys.setswitchinterval(interval)
        thread.join()
    assert seconds > 0.02, "too short a call to tell"
    assert counted > 5


@pytest.mark.parametrize("threads", [1, 2])
def test_many_threads_call_one_kernel_from_its_first_specialization_on(threads: int) -> None:
    kernel = made(smooth, threads)
    fields = [field((60 + n % 3, 70), n) for n in range(12)]
    start = threading.Barrier(6)

    def work(number: int) -> list[bool]:
        start.wait()
        mine = fields[number::6] + fields[:2]  # of its own, and the same as all others
        return [np.allclose(kernel(u), numpy_smooth(u)) for u in mine for _ in range(5)]

    with ThreadPoolExecutor(6) as pool:
        right = [r for rs in pool.map(work, range(6)) for r in rs]
    assert len(right) == 6 * 4 * 5
    assert all(right)
    assert len(kernel._ready) == 3


def test_a_captured_constant_may_change_while_threads_specialize() -> None:
    """A value never runs code that was made for another one."""
    global factor
    kernel, failures, stop = made(scaled, 1), [], threading.Event()

    def work(number: int) -> None:
        u = np.ones((8, 10 + number))
        while not stop.is_set():
            got = set(np.unique(kernel(u)[1:-1, 1:-1]))
            if not got <= {1.0, 2.0, 3.0} or len(got) != 1:
                failures.append(got)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for value in (2.0, 3.0, 1.0) * 3:
        factor = value
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    for value in (1.0, 2.0, 3.0):
        factor = value
        for n in range(3):
            assert set(np.unique(kernel(np.ones((8, 10 + n)))[1:-1, 1:-1])) == {value}
    factor = 1.0


def test_calls_of_many_threads_take_turns() -> None:
    """No oversubscription: at most one team of OpenMP threads runs at a time."""
    running, most, lock = 0, 0, threading.Lock()

    def native() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1

    call = openmp_calls.in_turn(native, lambda: 1, lambda _: None)
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(call) for _ in range(40)]:
            done.result()
    assert most == 1


# -- processes


def _in_child(connection: Any, kernel: Any, u: Array, others: Array) -> None:
    """What a forked worker does: a layout that is loaded, a new one, and many calls."""
    tasks = len(os.listdir("/proc/self/task"))
    results = [kernel(u), kernel(others), *(kernel(u) for _ in range(3))]
    stop = time.monotonic() + 5
    while (grown := len(os.listdir("/proc/self/task")) - tasks) and time.monotonic() < stop:
        time.sleep(0.01)  # a timer that was cancelled still has to end
    connection.send((results, config.threads(), grown, kernel._last.config))
    connection.close()


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc; forks")
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "while another thread specializes"])
def test_a_forked_process_neither_hangs_nor_starts_threads(busy: bool) -> None:
    kernel, u, others = made(smooth, 2), field((300, 300)), field((310, 300))
    kernel(u)  # the parent's OpenMP threads are there
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    stop = threading.Event()

    def call() -> None:
        while not stop.is_set():
            with kernel._lock:  # as long as a specialization holds it
                kernel(u)
                time.sleep(0.01)

    thread = threading.Thread(target=call)
    if busy:
        thread.start()
    child = context.Process(target=_in_child, args=(theirs, kernel, u, others))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: fork with threads
            child.start()
        theirs.close()
        assert ours.poll(60), "the forked process hangs"
        results, threads, grown, config_used = ours.recv()
    finally:
        stop.set()
        if busy:
            thread.join()
        child.kill()
        child.join()
    assert np.allclose(results[1], numpy_smooth(others))
    assert all(np.allclose(r, numpy_smooth(u)) for r in (results[0], *results[2:]))
    assert threads == 1
    assert grown == 0
    assert config_used is not None
    assert np.allclose(kernel(u), numpy_smooth(u))  # the parent goes on


PINNED = """
import os, sys
import numpy as np
import sejits_nb as sj
from sejits_nb import config
sys.path.insert(0, sys.argv[1])
import kernels_of_a_test
before, threads = os.sched_getaffinity(0), config.threads()
kernel = sj.stencil(kernels_of_a_test.smooth, set={"threads": 2}, backend="openmp", fallback=False)
for _ in range(2):
    kernel(np.ones((300, 300)))
    assert os.sched_getaffinity(0) == before, os.sched_getaffinity(0)
    assert config.threads() == threads
"""


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no affinity masks here")
@pytest.mark.parametrize("bind", ["", "true"])
def test_the_cpu_affinity_stays(bind: str, tmp_path: Path) -> None:
    """GCC's runtime binds the thread that loads it when OMP_PROC_BIND asks for bound threads."""
    text = (
        "def smooth(u, out):\n    for x in out.interior_points():\n        out[x] = u[x + (0, 1)]\n"
    )
    (tmp_path / "kernels_of_a_test.py").write_text(text)
    env = {k: v for k, v in os.environ.items() if not k.startswith("OMP_")}
    env |= {"OMP_PROC_BIND": bind} if bind else {}
    command = [sys.executable, "-c", PINNED, str(tmp_path)]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# -- how many threads


@pytest.mark.parametrize(
    ("env", "threads"),
    [
        ({}, 3),
        ({"SEJITS_THREADS": "5"}, 5),
        ({"SEJITS_THREADS": "5", "OMP_NUM_THREADS": "2"}, 5),
        ({"OMP_NUM_THREADS": "2"}, 2),
        ({"OMP_NUM_THREADS": " 4,2,1"}, 4),
        ({"OMP_THREAD_LIMIT": "2"}, 2),
        ({"SEJITS_THREADS": "8", "OMP_THREAD_LIMIT": "2"}, 2),
        ({"OMP_THREAD_LIMIT": "64"}, 3),
        ({"SEJITS_THREADS": "0", "OMP_NUM_THREADS": "many", "OMP_THREAD_LIMIT": "-1"}, 3),
        ({"SEJITS_THREADS": "²"}, 3),
    ],
)
def test_threads_to_use(monkeypatch: pytest.MonkeyPatch, env: dict[str, str], threads: int) -> None:
    for name in ("SEJITS_THREADS", "OMP_NUM_THREADS", "OMP_THREAD_LIMIT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(config, "_cpus", lambda: 3)
    assert config.threads() == threads


@pytest.mark.parametrize(
    ("group", "files", "cpus"),
    [
        ("0::/", {"cpu.max": "150000 100000"}, 1.5),
        ("0::/a/b", {"cpu.max": "max 100000", "a/cpu.max": "300000 100000"}, 3.0),
        ("0::/a/b", {"a/b/cpu.max": "50000 100000", "a/cpu.max": "300000 100000"}, 0.5),
        ("0::/not/mounted/here", {"cpu.max": "200000 100000"}, 2.0),
        ("3:cpu,cpuacct:/x\n0::/", {"cpu,cpuacct/x/cpu.cfs_quota_us": "250000",
                                    "cpu,cpuacct/x/cpu.cfs_period_us": "100000"}, 2.5),
        ("3:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, np.inf),
        ("0::/", {"cpu.max": "nonsense"}, np.inf),
        ("0::/", {}, np.inf),
        ("", {}, np.inf),
    ],
)  # fmt: skip
def test_the_quota_of_a_container(
    tmp_path: Path, group: str, files: dict[str, str], cpus: float
) -> None:
    own = tmp_path / "self"
    own.write_text(group)
    for name, text in files.items():
        (tmp_path / "mount" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mount" / name).write_text(text)
    assert config._quota(tmp_path / "mount", own) == cpus
