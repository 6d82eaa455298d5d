"""What a test needs and is not here: said as skipped, and in CI a failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("ci", ["", "true"], ids=["at home", "in CI"])
def test_a_missing_browser_is_said_and_fails_in_ci(ci: str, tmp_path: Path) -> None:
    one = "tests/widgets/test_browser.py::test_the_card_stays_inside_a_narrow_output"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", one]
    env = {**os.environ, "PATH": str(tmp_path), "CI": ci}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    outcome, why = ("1 error", "and CI has to have it") if ci else ("1 skipped", "SKIPPED")
    assert outcome in done.stdout
    assert f"no chromium here{', ' * bool(ci)}{why * bool(ci)}" in done.stdout
    assert done.returncode == (1 if ci else 0)
