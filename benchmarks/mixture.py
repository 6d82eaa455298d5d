"""``python -m benchmarks.mixture [N,D,K,COVARIANCE,DTYPE ...]``: one EM iteration beside scikit-learn.

Both do one iteration from the same parameters on the same events, in turn, several rounds; the ratio is
the median of the rounds'.  Before that their log-likelihoods are compared.  A table is printed, a JSON
file goes to ``benchmarks/results/``.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.mixture._gaussian_mixture import _compute_precision_cholesky

import sejits_nb as sj
from sejits_nb.machine.detect import machine_name
from sejits_nb.mixture.cells import iteration

RESULTS = Path(__file__).parent / "results"
ROUNDS = 7
_SETTLE_S = 0.1
"""Threads of OpenBLAS and of OpenMP look for work for a while before they sleep; the other waits."""
CASES = (
    "100000,8,8,full,float64", "100000,16,16,full,float64", "100000,16,16,full,float32",
    "100000,32,32,full,float64", "300000,19,64,full,float64", "100000,16,16,diag,float64",
    "300000,39,64,diag,float64",
)  # fmt: skip


def problem(n: int, d: int, k: int, covariance: str, dtype: str) -> tuple[Any, sj.Mixture]:
    """Overlapping events and a mixture to start from."""
    rng = np.random.default_rng(n + d + k)
    x = rng.normal(size=(n, d)).astype(dtype)
    half = rng.normal(size=(k, d, d)) * 0.3
    whole = half @ half.transpose(0, 2, 1) + np.eye(d)
    values = whole if covariance == "full" else np.diagonal(whole, axis1=1, axis2=2).copy()
    weight, mean = rng.dirichlet(np.full(k, 5.0)), rng.normal(size=(k, d))
    return x, sj.Mixture.of(weight, mean, values, covariance)


def peer_of(x: Any, mix: sj.Mixture) -> GaussianMixture:
    """scikit-learn's estimator at the same parameters."""
    peer = GaussianMixture(len(mix.components()), covariance_type=mix.covariance_kind)
    peer.weights_, peer.means_ = mix.weight.astype(x.dtype), mix.mean.astype(x.dtype)
    peer.covariances_ = mix.covariance.astype(x.dtype)
    peer.precisions_cholesky_ = _compute_precision_cholesky(peer.covariances_, mix.covariance_kind)
    return peer


def measure(case: str, rounds: int = ROUNDS) -> dict[str, Any]:
    """Seconds of one iteration, ours and scikit-learn's, and the ratio round by round."""
    n, d, k, covariance, dtype = case.split(",")
    x, start = problem(int(n), int(d), int(k), covariance, dtype)
    kernel = iteration(covariance)
    mix, peer = start.copy(), peer_of(x, start)
    ours = kernel(x, mix)
    log_prob, log_resp = peer._e_step(x)
    relative = float(abs(ours / len(x) - log_prob) / abs(log_prob))
    peer._m_step(x, log_resp)
    runs = {"own": lambda: kernel(x, mix), "peer": lambda: peer._m_step(x, peer._e_step(x)[1])}
    samples: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            time.sleep(_SETTLE_S)
            samples[name].append(min(_timed(run), _timed(run)))
    own_s, peer_s = samples.values()
    ratios = [theirs / own for own, theirs in zip(own_s, peer_s, strict=True)]
    return {
        "case": case, "own_s": own_s, "scikit_learn_s": peer_s,
        "ratio": statistics.median(ratios), "log_likelihood_differs_by": relative,
    }  # fmt: skip


def _timed(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def main() -> None:
    """Measure the cases of the command line, or all; print and save."""
    rows = []
    print(f"{'N, D, K':28} {'ours':>10} {'scikit-learn':>13} {'ratio':>7}")
    for case in sys.argv[1:] or CASES:
        rows.append(row := measure(case))
        own, theirs = (statistics.median(row[name]) for name in ("own_s", "scikit_learn_s"))
        print(
            f"{case:28} {own * 1e3:7.1f} ms {theirs * 1e3:10.0f} ms {row['ratio']:6.1f}x",
            flush=True,
        )
    date = time.strftime("%Y-%m-%d")
    found = {
        "machine": machine_name(),
        "date": date,
        "command": "python -m benchmarks.mixture",
        "rows": rows,
    }
    (RESULTS / f"mixture-{date}.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
