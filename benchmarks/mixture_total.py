"""Whole fits of a Gaussian mixture beside scikit-learn's, specialization included.

    python -m benchmarks.mixture_total 2,2,diag 16,16,full

100 000 events of K clusters, 20 iterations, both estimators with their default start and one seed.
``cold``: a fresh process and an empty cache, so that the compiler is found and run, and what it made is
checked; ``warm``: a fresh process and the cache that the first one left.  Imports are not counted.
Each process fits with both, one after the other, and the ratio is theirs; that of a case is the median
of its rounds: three, or one where scikit-learn takes long.  A table is printed, a JSON file goes to
``benchmarks/results/``, case by case.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sejits_nb.machine.detect import machine_name

RESULTS = Path(__file__).parent / "results"
ROUNDS = 3
LONG_S = 10.0
CASES = (
    "2,2,diag", "2,2,full", "8,8,diag", "8,8,full", "16,16,diag", "16,16,full", "32,32,diag",
    "32,32,full",
)  # fmt: skip
_PAIR = """
import json, sys, time, warnings
import numpy as np, sklearn.mixture
import sejits_nb
warnings.simplefilter("ignore")
d, k, covariance = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
rng = np.random.default_rng(d + k)
centres = 3 * rng.normal(size=(k, d))
x = centres[rng.integers(k, size=100_000)] + rng.normal(size=(100_000, d))
found = {}
for name, kind in (("own", sejits_nb.GaussianMixture), ("peer", sklearn.mixture.GaussianMixture)):
    time.sleep(0.2)
    began = time.perf_counter()
    model = kind(k, covariance_type=covariance, max_iter=20, tol=0, random_state=0).fit(x)
    found[name + "_s"], found[name] = time.perf_counter() - began, model.lower_bound_
print(json.dumps(found))
"""


def pair(case: str, cache: str) -> dict[str, float]:
    """Both fits in one fresh process: seconds, and the mean log-likelihoods that came out."""
    environment = {**os.environ, "SEJITS_CACHE_DIR": cache}
    command = [sys.executable, "-c", _PAIR, *case.split(",")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def measure(case: str, rounds: int = ROUNDS) -> dict[str, Any]:
    """Seconds of both, cold and warm, round by round, and how far the results are apart."""
    row: dict[str, Any] = {"case": case}
    found: dict[str, list[dict[str, float]]] = {"cold": [], "warm": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as cache:
            for state in found:
                found[state].append(pair(case, cache))
        if found["warm"][-1]["peer_s"] > LONG_S:
            break
    for state, pairs in found.items():
        row[f"{state}_s"] = [p["own_s"] for p in pairs]
        row[f"scikit_learn_beside_{state}_s"] = [p["peer_s"] for p in pairs]
        row[f"{state}_ratio"] = statistics.median(p["peer_s"] / p["own_s"] for p in pairs)
    row["log_likelihood_differs_by"] = max(
        abs(p["own"] - p["peer"]) / abs(p["peer"]) for pairs in found.values() for p in pairs
    )
    return row


def main() -> None:
    """Measure the cases of the command line, or all; print and save."""
    date = time.strftime("%Y-%m-%d")
    found: dict[str, Any] = {
        "machine": machine_name(), "date": date, "command": "python -m benchmarks.mixture_total",
        "rows": [],
    }  # fmt: skip
    print(
        f"{'D, K, covariance':18} {'cold':>8} {'ratio':>7} {'warm':>8} {'ratio':>7} {'theirs':>9}"
    )
    for case in sys.argv[1:] or CASES:
        row = measure(case) | {"load": os.getloadavg()[0]}
        found["rows"].append(row)
        cold, warm = (statistics.median(row[f"{state}_s"]) for state in ("cold", "warm"))
        theirs = statistics.median(row["scikit_learn_beside_warm_s"])
        print(
            f"{case:18} {cold:6.2f} s {row['cold_ratio']:6.1f}x {warm:6.2f} s "
            f"{row['warm_ratio']:6.1f}x {theirs:7.2f} s", flush=True,
        )  # fmt: skip
        (RESULTS / f"mixture_total-{date}.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
