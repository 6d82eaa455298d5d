"""Processes in odd surroundings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROBE = Path(__file__).with_name("probe.py")


@dataclass(frozen=True)
class Told:
    """What became of one kernel: it raised ``error``, or ran, and natively or not."""

    native: bool
    said: list[str]
    error: str
    right: bool


@dataclass(frozen=True)
class Outcome:
    """Decorated with and without ``fallback``, and as a cell."""

    fallback: Told
    strict: Told
    cell: Told
    stderr: str

    @property
    def all_native(self) -> bool:
        return all(t.native and t.right for t in (self.fallback, self.strict, self.cell))


Probe = Callable[..., Outcome]


@pytest.fixture
def probe(tmp_path: Path) -> Probe:
    """``probe(env, limit_s=..., meanwhile="...")``: run ``probe.py`` with these variables changed.

    A variable that is ``None`` is taken away.  The cache is empty unless ``env`` names another.
    """

    def run(
        env: Mapping[str, str | None] | None = None, *, limit_s: float = 100.0, meanwhile: str = "",
        only: bool = False, cwd: Path | None = None,
    ) -> Outcome:  # fmt: skip
        base = {} if only else dict(os.environ)
        base |= {"SEJITS_CACHE_DIR": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
        changed = {**base, "IPYTHONDIR": str(tmp_path / "ipython"), **(env or {})}
        command = [sys.executable, str(PROBE), str(limit_s), *([meanwhile] if meanwhile else [])]
        done = subprocess.run(
            command, env={k: v for k, v in changed.items() if v is not None}, cwd=cwd,
            capture_output=True, text=True, timeout=100,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return Outcome(**{k: Told(**v) for k, v in told.items()}, stderr=done.stderr)

    return run


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str, str], str]:
    """``script(name, text)``: an executable shell script; its path."""

    def write(name: str, text: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    return write


needs_gcc = pytest.mark.needs("gcc")
