"""``python -m benchmarks.mixture [N,D,K,COVARIANCE,DTYPE ...]``: one EM iteration beside others.

scikit-learn, and PyTorch (compiled, ``mixture_torch.py``; full and diag) where it is installed.  All do
one iteration from the same parameters on the same events, in turn, several rounds; a ratio is the
median of the rounds'.  Before that their results are compared.  A table is printed; of all cases a
JSON file goes to ``benchmarks/results/``.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.mixture._gaussian_mixture import _compute_precision_cholesky

import sejits_nb as sj
from sejits_nb import config
from sejits_nb.machine.detect import machine_name
from sejits_nb.mixture.cells import iteration

RESULTS = Path(__file__).parent / "results"
ROUNDS = 7
_SETTLE_S = 0.1
"""Threads of OpenBLAS and of OpenMP look for work for a while before they sleep; the other waits."""
CASES = (
    "100000,8,8,full,float64", "100000,16,16,full,float64", "100000,16,16,full,float32",
    "100000,32,32,full,float64", "300000,19,64,full,float64", "100000,16,16,diag,float64",
    "300000,39,64,diag,float64", "100000,16,16,tied,float64", "100000,32,32,tied,float64",
)  # fmt: skip


def problem(n: int, d: int, k: int, covariance: str, dtype: str) -> tuple[Any, sj.Mixture]:
    """Overlapping events and a mixture to start from."""
    rng = np.random.default_rng(n + d + k)
    x = rng.normal(size=(n, d)).astype(dtype)
    half = rng.normal(size=(k, d, d)) * 0.3
    whole = half @ half.transpose(0, 2, 1) + np.eye(d)
    diagonal = np.diagonal(whole, axis1=1, axis2=2).copy()
    values = {"full": whole, "tied": whole[0], "diag": diagonal}
    weight, mean = rng.dirichlet(np.full(k, 5.0)), rng.normal(size=(k, d))
    return x, sj.Mixture.of(weight, mean, values[covariance], covariance)


def peer_of(x: Any, mix: sj.Mixture) -> GaussianMixture:
    """scikit-learn's estimator at the same parameters."""
    peer = GaussianMixture(len(mix.components()), covariance_type=mix.covariance_kind)
    peer.weights_, peer.means_ = mix.weight.astype(x.dtype), mix.mean.astype(x.dtype)
    peer.covariances_ = mix.covariance.astype(x.dtype)
    peer.precisions_cholesky_ = _compute_precision_cholesky(peer.covariances_, mix.covariance_kind)
    return peer


def measure(case: str, rounds: int = ROUNDS) -> dict[str, Any]:
    """Seconds of one iteration, ours and the others', and how many times ours theirs are."""
    n, d, k, covariance, dtype = case.split(",")
    x, start = problem(int(n), int(d), int(k), covariance, dtype)
    kernel = iteration(covariance)
    mix, peer = start.copy(), peer_of(x, start)
    ours = kernel(x, mix)
    log_prob, log_resp = peer._e_step(x)
    peer._m_step(x, log_resp)
    _compare("scikit-learn", x, ours / len(x), mix, log_prob, peer.means_, peer.covariances_)
    scratch = start.copy()
    runs: dict[str, Callable[[], object]] = {
        "own": lambda: kernel(x, scratch),
        "scikit-learn": lambda: peer._m_step(x, peer._e_step(x)[1]),
    }
    if find_spec("torch") and covariance != "tied":
        from .mixture_torch import Iteration

        runs["PyTorch"] = compiled = Iteration(x, start, config.threads())
        value, _, mean, values = compiled()
        _compare("PyTorch", x, ours / len(x), mix, value / len(x), mean.numpy(), values.numpy())
    samples: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            time.sleep(_SETTLE_S)
            samples[name].append(min(_timed(run), _timed(run)))
    own_s = samples["own"]
    ratios = {
        name: statistics.median(theirs / own for own, theirs in zip(own_s, peer_s, strict=True))
        for name, peer_s in samples.items() if name != "own"
    }  # fmt: skip
    return {"case": case, "seconds": samples, "ratios": ratios}


def _compare(
    name: str, x: Any, ours: float, mix: sj.Mixture, log_prob: float, mean: Any, covariance: Any
) -> None:
    """Both have found the same; raises ``AssertionError`` where they have not."""
    tolerance = 1e-9 if x.dtype == np.float64 else 1e-4
    np.testing.assert_allclose(log_prob, ours, tolerance, err_msg=f"log-likelihood, {name}")
    np.testing.assert_allclose(mean, mix.mean, tolerance, tolerance, err_msg=f"means, {name}")
    np.testing.assert_allclose(covariance, np.asarray(mix.covariance), tolerance, 10 * tolerance,
                               err_msg=f"covariances, {name}")  # fmt: skip


def _timed(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def main() -> None:
    """Measure the cases of the command line, or all, and save those."""
    rows = []
    if not find_spec("torch"):
        print("no PyTorch: not installed (pip install torch)")
    for case in sys.argv[1:] or CASES:
        rows.append(row := measure(case))
        text = [f"{case:26} ours {statistics.median(row['seconds']['own']) * 1e3:7.1f} ms"]
        text += [f"{name} {statistics.median(row['seconds'][name]) * 1e3:6.0f} ms = {ratio:4.1f}x"
                 for name, ratio in row["ratios"].items()]  # fmt: skip
        print(", ".join(text), flush=True)
    if sys.argv[1:]:
        return
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
