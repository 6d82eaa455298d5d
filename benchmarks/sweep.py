"""One case: ``python -m benchmarks.sweep laplacian-256-f64``.

Ours is tuned on the arrays that are timed, and called as a user calls it: into an output of
``sj.empty_like``, and into one of NumPy's own.  Whatever is timed has been compared with NumPy before.
The last line printed is the result as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

import sejits_nb as sj
from sejits_nb import config

from .cases import Case, parsed
from .hand.sweeps import hand_sweep, unfit
from .kernels import OURS, SCALARS
from .peers import Array, Run, numpy_slices, scipy_ndimage
from .rounds import ROUNDS, in_turn
from .stream import stream_copy

BINDING = {"OMP_PROC_BIND": "true", "OMP_PLACES": "cores"}
"""Has to be there before OpenMP is loaded: an unbound run now and then takes twice as long."""
_LAST_PLACES = 64
"""Largest difference from NumPy, in units of the last place of the largest result: sums of up to 27
terms, in any order."""


def measure(
    case: Case, rounds: int = ROUNDS, tune: str = "quick", stream_bytes: int | None = None
) -> dict[str, Any]:
    """Tune, compare, time; *tune* ``none`` takes the model's choice.  The result goes to JSON."""
    grids, threads = case.grids(), config.threads()
    expected = np.zeros_like(grids[0])
    slices = numpy_slices(case.kernel, grids, expected)
    slices()
    tuned = _tune(case, grids, tune)
    contenders, about, missing = _contenders(case, grids, threads)
    for name, (run, out) in contenders.items():
        run()
        compare(name, out, expected)
    stream, copied_bytes = stream_copy(threads, stream_bytes)
    found = in_turn(
        stream, {name: run for name, (run, _) in contenders.items()} | {"NumPy": slices}, rounds
    )
    return {
        "case": str(case),
        "moved_bytes": case.moved_bytes,
        "copied_bytes": copied_bytes,
        "threads": threads,
        "tune": tuned,
        "about": about,
        "missing": missing,
        "stream_s": found.stream_s,
        "samples_s": found.samples_s,
        "median_s": {name: found.median_s(name) for name in found.samples_s},
        "share_of_stream": {
            name: found.share_of_stream(name, case.moved_bytes, copied_bytes)
            for name in found.samples_s
        },
        "times_ours": {name: found.times("ours", name) for name in found.samples_s},
    }


def _tune(case: Case, grids: tuple[Array, ...], effort: str) -> dict[str, Any]:
    """What tuning took, what it tried and what it chose."""
    kernel, scalars = OURS[case.kernel], SCALARS[case.kernel]
    start = time.perf_counter()
    if effort == "none":
        kernel(*grids, np.empty_like(grids[0]), *scalars)
        return {"effort": effort, "seconds": time.perf_counter() - start}
    report = kernel.tune(*grids, *scalars)
    seconds = time.perf_counter() - start
    if report.best is None:
        raise RuntimeError(f"{case}: no variant was chosen")
    return {
        "effort": effort,
        "seconds": seconds,
        "tried": len(report.measurements),
        "failed": sum(not m.times_s for m in report.measurements),
        "platform": report.best.platform,
        "best": str(report.best.config),
        "python_s": report.python_s,
        "python_points": report.python_points,
    }


def _contenders(
    case: Case, grids: tuple[Array, ...], threads: int
) -> tuple[dict[str, tuple[Run, Array]], dict[str, Any], dict[str, str]]:
    """Name -> what to run and where its result is; notes on some; why others are missing."""
    placed, own = sj.empty_like(grids[0]), np.zeros_like(grids[0])
    kernel, scalars = OURS[case.kernel], SCALARS[case.kernel]
    found: dict[str, tuple[Run, Array]] = {
        "ours": (partial(kernel, *grids, placed, *scalars), placed),
        "ours, NumPy's output": (partial(kernel, *grids, own, *scalars), own),
    }
    about: dict[str, Any] = {}
    missing: dict[str, str] = {}
    if reason := unfit(case.kernel, case.numpy_dtype, case.shape):
        missing["C by hand"] = reason
    else:
        hand = hand_sweep(case.kernel, grids, scalars, threads)
        found["C by hand"] = hand.run, hand.out
        about["C by hand"] = {"setting": hand.setting, "tried": hand.tried}
    if find_spec("numba"):
        from . import numba_peers

        loops = numba_peers.numba_loops
        found["Numba"] = _into(np.zeros_like(grids[0]), loops, case, grids)
        found["Numba, our output"] = _into(sj.empty_like(grids[0]), loops, case, grids)
        found["Numba"][0]()
        about["Numba"] = {"threads": numba_peers.threads(), "layer": numba_peers.layer()}
    else:
        missing["Numba"] = "not installed: pip install 'sejits_nb[bench]'"
    if find_spec("scipy"):
        found["SciPy"] = _into(np.zeros_like(grids[0]), scipy_ndimage, case, grids)
    else:
        missing["SciPy"] = "not installed: pip install 'sejits_nb[bench]'"
    return found, about, missing


def _into(
    out: Array, peer: Callable[[str, tuple[Array, ...], Array], Run], case: Case, grids: Any
) -> tuple[Run, Array]:
    return peer(case.kernel, grids, out), out


def compare(name: str, out: Array, expected: Array) -> None:
    """Raises ``AssertionError`` where the interior is not NumPy's within rounding."""
    inner = (slice(1, -1),) * out.ndim
    error = float(np.abs(out[inner] - expected[inner]).max())
    allowed = _LAST_PLACES * np.finfo(out.dtype).eps * float(np.abs(expected[inner]).max())
    if not error <= allowed:
        raise AssertionError(f"{name} differs from NumPy by {error:.2g}; rounding: {allowed:.2g}")


def main() -> None:
    if not BINDING.items() <= os.environ.items():
        command = [sys.executable, "-m", "benchmarks.sweep", *sys.argv[1:]]
        os.execve(sys.executable, command, os.environ | BINDING)
    name, *effort = sys.argv[1:]
    print(json.dumps(measure(parsed(name), tune=effort[0] if effort else "quick")))


if __name__ == "__main__":
    main()
