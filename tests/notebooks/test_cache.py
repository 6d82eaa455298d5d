"""A second kernel process takes compiled code from the disk cache: no compiler is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

SMOOTH = "float(blur(img).sum())"


@pytest.mark.needs("gcc")
def test_a_new_process_compiles_nothing(run: Any, tmp_path: Path) -> None:
    log, wrapper = tmp_path / "calls.log", tmp_path / "cc"
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> "{log}"\nexec gcc "$@"\n')
    wrapper.chmod(0o755)
    env = {"SEJITS_CC": str(wrapper), "SEJITS_CACHE_DIR": str(tmp_path / "cache")}
    cells = (run.setup, "%%stencil blur --on img" + run.body, SMOOTH)

    first = run(*cells, env=env)
    compiled = [line for line in log.read_text().splitlines() if "-shared" in line]
    assert first.summary(1)["cached"] is False
    assert "cached: no · compile " in first.outputs(1)[0].data["text/plain"]
    assert len(compiled) > 1

    log.write_text("")
    second = run(*cells, env=env)
    assert log.read_text() == ""
    assert second.summary(1)["cached"] is True
    assert "cached: yes" in second.outputs(1)[0].data["text/plain"]
    assert second.text(2) == first.text(2)
