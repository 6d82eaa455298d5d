"""The notebook on mixtures, as a person runs it: both cells native, the training converged."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_tour import ROOT, demo


@pytest.mark.long
def test_the_photograph_is_explained(tmp_path: Path) -> None:
    done = demo(tmp_path, ROOT / "notebooks" / "01_mixtures.ipynb")
    assert done.status == 0, done.said
    assert "No description has been provided" not in done.page, "a figure without alt"
    for name in ("segments", "robust"):
        line = next(line for line in done.said.splitlines() if line.startswith(name))
        assert "× faster" in line
        assert "correct" in line
    outputs = [o.get("data", {}) for c in done.notebook.cells for o in c.get("outputs", [])]
    said = [data.get("text/plain", "") for data in outputs]
    assert any(" · converged" in text for text in said if text.startswith("iteration"))
