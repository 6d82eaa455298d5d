"""``python -m benchmarks.call_overhead``: microseconds of a call on 8 x 8 float64, beside peers.

Every contender runs a batch of calls in turn, many rounds, so that a slow spell of the machine meets
all of them; medians are quoted.  A table is printed, a JSON file goes to ``benchmarks/results/``.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import sejits_nb as sj
from sejits_nb.machine.detect import machine_name

RESULTS = Path(__file__).parent / "results"
ROUNDS = 41
BATCH = 500
alpha = 0.1
weights = np.array([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])


@sj.stencil(fallback=False)
def plain(u, out):
    for x in out.interior_points():
        out[x] = u[x - (1, 0)] + u[x + (1, 0)] + u[x - (0, 1)] + u[x + (0, 1)]


@sj.stencil(fallback=False)
def scalar(u, out, alpha):
    for x in out.interior_points():
        out[x] = alpha * (u[x - (1, 0)] + u[x + (1, 0)] + u[x - (0, 1)] + u[x + (0, 1)])


@sj.stencil(fallback=False)
def captured(u, out):
    for x in out.interior_points():
        out[x] = alpha * (u[x - (1, 0)] + u[x + (1, 0)] + u[x - (0, 1)] + u[x + (0, 1)])


@sj.stencil(fallback=False)
def table(u, out):
    for x in out.interior_points():
        acc = 0.0
        for y, w in u.weighted(x, weights):
            acc += w * u[y]
        out[x] = acc


def contenders() -> dict[str, tuple[Callable[[], Any], int]]:
    """What to call, and how many sweeps one call makes."""
    u, out = np.random.default_rng(0).random((8, 8)), np.zeros((8, 8))
    plain(u, out)
    found, _ = plain._specialization({"u": u, "out": out})
    kept = found.executable.bound({"u": u, "out": out})
    fetched = found.executable.direct({"u": u, "out": out})

    def slices() -> None:
        out[1:-1, 1:-1] = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]

    rows: dict[str, tuple[Callable[[], Any], int]] = {
        "kernel(u, out)": (lambda: plain(u, out), 1),
        "kernel(u, out, 0.1)": (lambda: scalar(u, out, 0.1), 1),
        "kernel(u, out, alpha=0.1)": (lambda: scalar(u, out, alpha=0.1), 1),
        "kernel(u), output allocated": (lambda: plain(u), 1),
        "kernel(u, out), captured constant": (lambda: captured(u, out), 1),
        "kernel(u, out), captured 3 x 3 table": (lambda: table(u, out), 1),
        "kernel.iterate(u, steps=1000), a step": (lambda: plain.iterate(u, steps=1000), 1000),
        "cffi, pointers kept": (kept, 1),
        "cffi, pointers fetched": (lambda: fetched(u, out), 1),
        "np.zeros": (lambda: np.zeros((8, 8)), 1),
        "np.add(u, u, out)": (lambda: np.add(u, u, out), 1),
        "the sum as NumPy slices": (slices, 1),
        "plain Python": (lambda: plain.reference(u, out), 1),
    }
    if importlib.util.find_spec("numba"):
        rows["Numba"] = (_numba(u, out), 1)
    return rows


def _numba(u: Any, out: Any) -> Callable[[], Any]:
    import numba  # type: ignore[import-not-found, import-untyped, unused-ignore]

    @numba.njit  # type: ignore[misc, unused-ignore]
    def sweep(u: Any, out: Any) -> None:
        for i in range(1, u.shape[0] - 1):
            for j in range(1, u.shape[1] - 1):
                out[i, j] = u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1]

    return lambda: sweep(u, out)


def measure(rows: dict[str, tuple[Callable[[], Any], int]]) -> dict[str, float]:
    """Median microseconds of a sweep; slow contenders run fewer times a round."""
    batches = {}
    for name, (run, _) in rows.items():
        run()
        start = time.perf_counter()
        run()
        batches[name] = max(1, min(BATCH, int(2e-3 / (time.perf_counter() - start))))
    samples: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(ROUNDS):
        for name, (run, sweeps) in rows.items():
            start = time.perf_counter()
            for _ in range(batches[name]):
                run()
            samples[name].append((time.perf_counter() - start) / batches[name] / sweeps * 1e6)
    return {name: statistics.median(taken) for name, taken in samples.items()}


def main() -> None:
    figures = measure(contenders())
    for name, microseconds in figures.items():
        print(f"{name:<40} {microseconds:9.2f} us")
    RESULTS.mkdir(exist_ok=True)
    day = time.strftime("%Y-%m-%d")
    record = {"machine": machine_name(), "date": day, "microseconds": figures}
    path = RESULTS / f"call-overhead-{day}.json"
    path.write_text(json.dumps(record, indent=2) + "\n")
    print(f"-> {path.relative_to(RESULTS.parent.parent)}")


if __name__ == "__main__":
    main()
