"""``python -m benchmarks.first_results``: from source to the first result, in fresh processes."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from .report import command_of, save

FRESH_PROCESSES = 5


def first_results() -> dict[str, float]:
    """Median seconds in fresh processes: with an empty cache, then with what that one left."""
    script = Path(__file__).with_name("first_result.py")
    rows: dict[str, list[dict[str, float]]] = {"cold": [], "warm": []}
    for _ in range(FRESH_PROCESSES):
        with tempfile.TemporaryDirectory() as cache:
            for taken in rows.values():
                done = subprocess.run(
                    [sys.executable, str(script)], check=True, capture_output=True, text=True,
                    env=os.environ | {"SEJITS_CACHE_DIR": cache},
                )  # fmt: skip
                taken.append(json.loads(done.stdout))
    middle = {s: {k: statistics.median(r[k] for r in rows[s]) for k in rows[s][0]} for s in rows}
    return {
        "import sejits_nb, s": middle["warm"]["import_s"],
        "first result cold, s": middle["cold"]["first_s"],
        "first result warm, s": middle["warm"]["first_s"],
    }


def main() -> None:
    figures = first_results()
    for name, seconds in figures.items():
        print(f"{name:<40} {seconds:9.3f}")
    save("first-results", command_of("first_results", ()), {"figures": figures})


if __name__ == "__main__":
    main()
