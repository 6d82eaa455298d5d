"""``make bench``: first results, calls, and 3-D kernels beside NumPy and plain C, in one run.

Contenders run in turn, so that a slow spell of the machine meets all of them; medians are quoted.
Results go to ``benchmarks/results/`` as JSON, a table is printed.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sejits_nb.machine.detect import machine_name
from sejits_nb.results import Report

from .kernels import blur, divergence, laplacian

RESULTS = Path(__file__).parent / "results"
ROUNDS = 15
FRESH_PROCESSES = 5


def first_results() -> dict[str, float]:
    """Seconds to the first result in fresh processes: empty cache, then warm."""
    script = Path(__file__).with_name("first_result.py")
    rows: dict[str, list[dict[str, float]]] = {"cold": [], "warm": []}
    for _ in range(FRESH_PROCESSES):
        with tempfile.TemporaryDirectory() as cache:
            for state in ("cold", "warm"):
                done = subprocess.run(
                    [sys.executable, str(script)], check=True, capture_output=True, text=True,
                    env=os.environ | {"SEJITS_CACHE_DIR": cache},
                )  # fmt: skip
                rows[state].append(json.loads(done.stdout))
    middle = {s: {k: statistics.median(r[k] for r in rows[s]) for k in rows[s][0]} for s in rows}
    return {
        "import sejits_nb, s": middle["warm"]["import_s"],
        "first result cold, s": middle["cold"]["first_s"],
        "first result warm, s": middle["warm"]["first_s"],
    }


def in_turn(contenders: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Median seconds of each contender over rounds in which each runs once."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for run in contenders.values():
        run()
    for _ in range(ROUNDS):
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(samples) for name, samples in times.items()}


def numpy_laplacian(u: Any, out: Any, alpha: float, beta: float) -> None:
    """The same sum as slices."""
    c = u[1:-1, 1:-1, 1:-1]
    total = u[:-2, 1:-1, 1:-1] + u[2:, 1:-1, 1:-1] + u[1:-1, :-2, 1:-1]
    total += u[1:-1, 2:, 1:-1]
    total += u[1:-1, 1:-1, :-2]
    total += u[1:-1, 1:-1, 2:]
    out[1:-1, 1:-1, 1:-1] = alpha * c + beta * total


def numpy_divergence(u: Any, v: Any, w: Any, out: Any, a: float, b: float, c: float) -> None:
    """The same differences as slices."""
    inner = (slice(1, -1),) * 3
    out[inner] = a * (u[2:, 1:-1, 1:-1] - u[:-2, 1:-1, 1:-1])
    out[inner] += b * (v[1:-1, 2:, 1:-1] - v[1:-1, :-2, 1:-1])
    out[inner] += c * (w[1:-1, 1:-1, 2:] - w[1:-1, 1:-1, :-2])


def grids() -> dict[str, float]:
    """The 2011 paper's kernels at 256 cubed, f64: ours, NumPy, one copy, and the plain Python."""
    n = (256, 256, 256)
    u, v, w = (np.random.default_rng(seed).random(n) for seed in range(3))
    out = np.zeros(n)
    found: dict[str, float] = {}
    reports: dict[str, Report] = {
        "laplacian": laplacian.tune(u, -6.0, 1.0),
        "divergence": divergence.tune(u, v, w, 0.5, 0.5, 0.5),
    }
    seconds = in_turn(
        {
            "laplacian": lambda: laplacian(u, out, -6.0, 1.0),
            "divergence": lambda: divergence(u, v, w, out, 0.5, 0.5, 0.5),
            "numpy laplacian": lambda: numpy_laplacian(u, out, -6.0, 1.0),
            "numpy divergence": lambda: numpy_divergence(u, v, w, out, 0.5, 0.5, 0.5),
            "numpy copy": lambda: np.copyto(out, u),
        }
    )
    for name, report in reports.items():
        found[f"{name} 256^3, ms"] = seconds[name] * 1e3
        found[f"{name}: times faster than NumPy"] = seconds[f"numpy {name}"] / seconds[name]
        found[f"{name}: times faster than plain Python"] = report.python_s / seconds[name]
        found[f"{name}: share of numpy.copyto's bandwidth"] = (
            report.work.bytes_ / seconds[name]
        ) / (2 * u.nbytes / seconds["numpy copy"])
    return found


def calls() -> dict[str, float]:
    """Microseconds of a call on an 8 x 8 grid: the public object, and the plain Python."""
    u, out = np.ones((8, 8)), np.zeros((8, 8))
    repeats = 2000

    def native() -> None:
        for _ in range(repeats):
            blur(u, out)

    def plain() -> None:
        for _ in range(repeats // 100):
            blur.reference(u, out)

    seconds = in_turn({"native": native, "plain": plain})
    return {
        "call on 8 x 8, us": seconds["native"] / repeats * 1e6,
        "plain Python on 8 x 8, us": seconds["plain"] / (repeats // 100) * 1e6,
    }


def main() -> None:
    figures: dict[str, float] = {}
    for part in (first_results, calls, grids):
        for name, value in part().items():
            figures[name] = value
            print(f"{name:<48} {value:12.4g}", flush=True)
    RESULTS.mkdir(exist_ok=True)
    record = {"machine": machine_name(), "date": time.strftime("%Y-%m-%d"), "figures": figures}
    path = RESULTS / f"stencil-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(record, indent=2) + "\n")
    print(f"-> {path.relative_to(RESULTS.parent.parent)}")


if __name__ == "__main__":
    main()
