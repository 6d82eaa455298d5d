"""What the system says of the caches, and how large the arrays are that follow from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sejits_nb.machine import caches
from sejits_nb.machine.caches import Cache, assumed, available_bytes, data_caches
from sejits_nb.machine.roofs import working_sets

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


def describe(folder: Path, cpu: int, index: int, **about: str) -> None:
    place = folder / f"cpu{cpu}" / "cache" / f"index{index}"
    place.mkdir(parents=True)
    for name, text in about.items():
        (place / name).write_text(f"{text}\n")


def test_two_cores_that_share_the_last_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caches, "allowed_cpus", lambda: (0, 1))
    for cpu in range(3):  # the third is not ours
        own, shared = str(cpu), "0-2"
        describe(tmp_path, cpu, 0, level="1", type="Data", size="48K", shared_cpu_list=own)
        describe(tmp_path, cpu, 1, level="1", type="Instruction", size="32K", shared_cpu_list=own)
        describe(tmp_path, cpu, 2, level="2", type="Unified", size="2M", shared_cpu_list=own)
        describe(tmp_path, cpu, 3, level="3", type="Unified", size="24576K", shared_cpu_list=shared)
        describe(tmp_path, cpu, 4, level="4", type="Unified", size="?", shared_cpu_list=shared)
    found = (Cache(1, 48 * KIB, 2), Cache(2, 2 * MIB, 2), Cache(3, 24 * MIB, 1))
    assert data_caches(tmp_path) == found
    assert [c.holds_bytes(1) for c in found] == [48 * KIB, 2 * MIB, 24 * MIB]
    assert [c.holds_bytes(2) for c in found] == [96 * KIB, 4 * MIB, 24 * MIB]


def test_a_system_that_says_nothing(tmp_path: Path) -> None:
    assert data_caches(tmp_path) == ()
    assert [c.count for c in assumed(8)] == [8, 8, 1]
    assert available_bytes() > 0


def test_working_sets_fit_their_level_and_not_the_one_before() -> None:
    levels = (Cache(1, 32 * KIB, 2), Cache(2, MIB, 2), Cache(3, 32 * MIB, 1))
    sets = {"L1": 16 * KIB, "L2": 512 * KIB, "L3": 8 * MIB, "DRAM": 384 * MIB}
    assert working_sets(levels, 1, 64 * GIB) == sets
    sets |= {"L3": 4 * MIB, "DRAM": 192 * MIB}
    assert working_sets(levels, 2, 64 * GIB) == sets


def test_little_memory_makes_smaller_arrays() -> None:
    assert working_sets((Cache(1, 32 * KIB, 1),), 1, 256 * MIB)["DRAM"] == 384 * KIB
    assert working_sets((Cache(3, 32 * MIB, 1),), 2, 256 * MIB)["DRAM"] == 32 * MIB


def test_a_last_cache_hardly_larger_than_the_one_before_is_left_out() -> None:
    levels = (Cache(1, 32 * KIB, 8), Cache(2, 2 * MIB, 8), Cache(3, 16 * MIB, 1))
    assert [*working_sets(levels, 8, 64 * GIB)] == ["L1", "L2", "DRAM"]
    assert working_sets(levels, 1, 64 * GIB)["L3"] == 4 * MIB
