"""``%sejits cache``: what is there, how much it may be, where; and emptying it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sejits_nb as sj
from sejits_nb.magics.sejits import SejitsMagics
from sejits_nb.phase5_backend import cache

from .conftest import needs_gcc


def doubled(u, out):  # type: ignore[no-untyped-def]  # a kernel
    for x in out.interior_points():
        out[x] = 2.0 * u[x]


@needs_gcc
def test_entries_size_limit_place_and_clear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cache, "_private", [])
    monkeypatch.setattr(cache, "_verified", {})
    monkeypatch.setenv("SEJITS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("SEJITS_CACHE_LIMIT_MB", "250")
    magics: Any = SejitsMagics(None)

    def said(line: str) -> str:
        magics.sejits(line)
        return capsys.readouterr().out.strip()

    place = re.escape(str(tmp_path / "cache" / "v1"))
    limit = r"of at most 250 MB \(SEJITS_CACHE_LIMIT_MB\)"
    assert re.fullmatch(rf"{place}: 0 entries, 0\.0 MB {limit}", said("cache"))
    kernel = sj.stencil(doubled, backend=("openmp", "c"), fallback=False)
    u = np.ones((4, 5))
    kernel(u)
    assert re.fullmatch(rf"{place}: [1-9]\d* entries, 0\.\d MB {limit}", said("cache"))
    assert re.search(rf"^cache +{place}: [1-9].* {limit}$", said("doctor"), re.M)
    assert re.fullmatch(rf"removed [1-9]\d* entries from {place}", said("cache clear"))
    assert re.fullmatch(rf"{place}: 0 entries, 0\.0 MB {limit}", said("cache"))
    assert (kernel(u) == 2.0).all()  # what is in use runs on


def test_the_new_codes_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    magics: Any = SejitsMagics(None)
    for code in ("B006", "B007"):
        magics.sejits(f"explain {code}")
        assert capsys.readouterr().out.startswith(f"{code}: ")
