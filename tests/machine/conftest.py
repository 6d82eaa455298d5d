"""Roofs made by hand, with round numbers, and a cache of its own for tests that look into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sejits_nb.phase5_backend import cache
from sejits_nb.results import Bandwidth, Peak, Roofs

KIB, MIB, GB = 1 << 10, 1 << 20, 10**9


def by_hand() -> Roofs:
    """Two threads, 32 KiB, 1 MiB and 32 MiB of caches; reading alone is the fastest everywhere."""
    rates = {"L1": 200, "L2": 100, "L3": 80, "DRAM": 40}
    sets = {"L1": 16 * KIB, "L2": 512 * KIB, "L3": 8 * MIB, "DRAM": 384 * MIB}
    holds = {"L1": 32 * KIB, "L2": MIB, "L3": 32 * MIB}
    shared = ("L3", "DRAM")
    return Roofs(
        tuple(
            Bandwidth(
                level, kind, threads, share * GB * rate * (threads if level != "DRAM" else
                                                            1 + 0.5 * (threads - 1)),
                sets[level] * (1 if level in shared else threads),
                holds.get(level, 0) * (1 if level in shared else threads),
            )
            for threads in (1, 2)
            for level, rate in rates.items()
            for kind, share in (("read", 1.5), ("copy", 0.5), ("copy past the caches", 1.0))
        ),
        (Peak("f64", 1, 50e9), Peak("f32", 1, 100e9), Peak("f64", 2, 100e9), Peak("f32", 2, 200e9)),
        2, "AMD EPYC 7763, 2 of 2 CPUs", "2025-11-21 13:40",
    )  # fmt: skip


@pytest.fixture
def roofs() -> Roofs:
    """:func:`by_hand`."""
    return by_hand()


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for this test; its root.  The compiler that was found stays found."""
    monkeypatch.setattr(cache, "_private", [])
    monkeypatch.setattr(cache, "_verified", {})
    monkeypatch.setenv("SEJITS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "v1"
