"""The notebook on strategies, as a person runs it but smaller: each one runs, a training chooses."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_tour import ROOT, demo

SMALLER = {
    "dimensions = (2, 4, 8, 16)": "dimensions = (2,)",
    "range(3)": "range(1)",
    "budget=5": "budget=1, backend='openmp'",
    "max_iter=1500": "max_iter=150",
    "sizes = (2, 4, 8, 16)": "sizes = (2,)",
}


@pytest.mark.long
@pytest.mark.needs("openmp")
@pytest.mark.needs("opencl")
def test_every_strategy_is_timed_and_a_training_chooses(tmp_path: Path) -> None:
    text = (ROOT / "notebooks" / "02_strategies.ipynb").read_text(encoding="utf-8")
    for long, short in SMALLER.items():
        text = text.replace(long.replace('"', '\\"'), short.replace('"', '\\"'))
        assert short.replace('"', '\\"') in text
    (tmp_path / "in.ipynb").write_text(text, encoding="utf-8")
    done = demo(tmp_path, tmp_path / "in.ipynb")
    assert done.status == 0, done.said
    outputs = [o for c in done.notebook.cells for o in c.get("outputs", [])]
    printed = "".join(o.get("text", "") for o in outputs)
    for strategy in ("fused", "separate", "components", "cells", "V1", "V2A", "V2B", "V3"):
        (line,) = [row for row in printed.splitlines() if row.split()[1:2] == [strategy]]
        assert float(line.split()[-1]) > 0
    for who in ("plain Python", "scikit-learn", "first call", "next call"):
        (line,) = [row for row in printed.splitlines() if row.startswith(who)]
        assert float(line.split()[-1]) > 0
    training = next(
        o for o in outputs if "iteration 150 of 150" in o.get("data", {}).get("text/plain", "")
    )
    assert "strategy=" in training.data["text/html"]
    assert sum("image/png" in o.get("data", {}) for o in outputs) == 2
