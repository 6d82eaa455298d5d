"""``make bench``: every benchmark, or with ``CASES="laplacian f32"`` some sweeps only.

Each runs in a process of its own; sweeps with OpenMP's threads bound, and a compiled-code cache that
is empty at the start, so that tuning times are those of a first time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .cases import Case, chosen
from .figure import draw
from .report import ROOT, save, table
from .sweep import BINDING

OTHERS = ("first_results", "call_overhead", "live_cost", "record_lookup")
"""Benchmarks of other marks: each prints its table and writes its own result."""


def run_others() -> int:
    """Run those that there are; how many failed."""
    failed = 0
    for module in OTHERS:
        if Path(__file__).with_name(f"{module}.py").exists():
            print(f"\n{module.replace('_', ' ')}", flush=True)
            done = subprocess.run([sys.executable, "-m", f"benchmarks.{module}"], cwd=ROOT)
            failed += done.returncode != 0
    return failed


def run_sweeps(cases: Sequence[Case], effort: str = "quick") -> tuple[list[dict[str, Any]], int]:
    """The results of *cases*, and how many failed."""
    found, failed = [], 0
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | BINDING | {"SEJITS_CACHE_DIR": cache}
        for case in cases:
            start = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.sweep", str(case), effort],
                cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            seconds = time.perf_counter() - start
            if done.returncode == 0:
                found.append(json.loads(done.stdout.splitlines()[-1]))
            failed += done.returncode != 0
            state = "failed" if done.returncode else "done"
            print(f"{case!s:<24} {state} in {seconds:.0f} s", file=sys.stderr, flush=True)
    return found, failed


def main() -> None:
    words = " ".join(sys.argv[1:])
    try:
        cases = chosen(words)
    except ValueError as problem:
        sys.exit(str(problem))
    found, failed = run_sweeps(cases)
    if found:
        name = "-".join(["stencil", *words.replace(",", " ").split()])
        command = f"make bench CASES='{words}'" if words else "make bench"
        path = save(name, command, {"cases": found})
        document = json.loads(path.read_text(encoding="utf-8"))
        draw(document, path.with_suffix(".png"))
        print(f"\n{document['machine']}, {document['date']}\n\n{table(document)}")
        print(f"-> {path.relative_to(ROOT)} and .png", flush=True)
    if not words:
        failed += run_others()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
