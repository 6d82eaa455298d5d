"""The code of the pages, as a reader types it: block after block into one new notebook."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .conftest import Runner
from .test_tour import ROOT


@pytest.mark.long
@pytest.mark.parametrize(
    "pages", [("README.md",), ("docs/gmm.md", "docs/training.md")], ids=" ".join
)
def test_every_block_runs(
    run: Runner, pages: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in pages)
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 3
    done = run(*blocks, allow_errors=False)
    said = [o.text for n in range(len(blocks)) for o in done.outputs(n, "stream")]
    assert [text for text in said if "Error" in text or "Warning" in text] == []
