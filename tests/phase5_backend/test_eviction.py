"""The cache's size limit: least recently used first, and never what is in use."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sejits_nb import config
from sejits_nb.phase5_backend import cache, eviction

KEYS = [cache.digest(str(n)) for n in range(8)]
HOUR_S = 3600.0


def writes(kilobytes: int) -> Callable[[Path], dict[str, Any]]:
    def make(directory: Path) -> dict[str, Any]:
        (directory / "kernel.c").write_bytes(b"source")
        (directory / "kernel.so").write_bytes(b"\1" * (kilobytes * 1000))
        return {}

    return make


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.fixture
def filled(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight entries of about 100 kB, the first used longest ago, hours apart; the limit is 1 MB."""
    monkeypatch.setenv("SEJITS_CACHE_LIMIT_MB", "1")
    for number, key in enumerate(KEYS):
        age(cache.build(key, writes(100)).directory, (len(KEYS) - number) * HOUR_S)
    return own_cache


def present() -> list[int]:
    """Which of the entries are there, without using them."""
    return [n for n, key in enumerate(KEYS) if cache._object(next(cache.roots()), key).is_dir()]


def test_what_was_used_longest_ago_leaves_first(filled: Path) -> None:
    cache.build(cache.digest("new"), writes(300))
    assert present() == [3, 4, 5, 6, 7]
    assert cache.lookup(cache.digest("new"))
    assert cache.usage()[1] <= 1e6


def test_a_hit_is_a_use(filled: Path, fresh_memory: Callable[[], None]) -> None:
    for known in (0, 1):
        assert cache.lookup(KEYS[known])  # verified by this process before
    fresh_memory()
    assert cache.lookup(KEYS[2])
    cache.build(cache.digest("new"), writes(300))
    assert present() == [0, 1, 2, 6, 7]


def test_a_hit_verifies_no_digest_again(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.build(KEYS[0], writes(100))

    def unexpected(path: Path) -> str:
        raise AssertionError(path)

    monkeypatch.setattr(cache, "_sha256_of", unexpected)
    for _ in range(3):
        assert cache.lookup(KEYS[0])


def test_what_was_used_just_now_stays(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may be about to load it; the limit gives way for a while."""
    monkeypatch.setenv("SEJITS_CACHE_LIMIT_MB", "0")
    for key in KEYS:
        cache.build(key, writes(100))
    assert present() == list(range(8))
    for key in KEYS[:4]:
        age(cache._object(own_cache, key), HOUR_S)
    cache.write_json("choices", "k", 1)
    assert present() == [4, 5, 6, 7]


def test_documents_failures_and_zigs_store_are_counted_and_leave_too(filled: Path) -> None:
    cache.write_json("choices", "old", 1)
    (document,) = (filled / "choices").iterdir()
    cache.in_scratch(lambda d: cache.keep_failed(d, KEYS[0]))
    (filled / "zig" / "o").mkdir(parents=True)
    (filled / "zig" / "o" / "data").write_bytes(b"\1" * 500_000)
    for path in (document, filled / "failed" / KEYS[0], filled / "zig"):
        age(path, 100 * HOUR_S)
    assert eviction.evict(filled, 1e6) <= 1e6
    assert not document.exists()
    assert not (filled / "zig").exists()
    assert list((filled / "failed").iterdir()) == []
    assert present() == list(range(8))


def test_reading_a_document_is_a_use(own_cache: Path) -> None:
    cache.write_json("choices", "k", 1)
    (document,) = (own_cache / "choices").iterdir()
    age(document, HOUR_S)
    cache.read_json("choices", "k")
    assert time.time() - document.stat().st_mtime < 60


def test_below_the_limit_the_disk_is_not_read(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.build(KEYS[0], writes(1))

    def unexpected(root: Path) -> Any:
        raise AssertionError(root)

    monkeypatch.setattr(eviction, "_units", unexpected)
    cache.build(KEYS[1], writes(1))
    cache.write_json("choices", "k", 1)
    assert int((own_cache / "total").read_text()) >= 6000


@pytest.mark.parametrize("text", ["", "many", "-", "\xff", "x" * 50])
def test_a_damaged_total_is_counted_anew(filled: Path, text: str) -> None:
    (filled / "total").write_text(text, encoding="latin-1")
    cache.build(cache.digest("new"), writes(300))
    assert present() == [3, 4, 5, 6, 7]


def test_what_killed_processes_left_is_swept(filled: Path) -> None:
    left = [filled / "building" / "abandoned", filled / "locks" / "old.lock"]
    left[0].mkdir()
    left[1].write_text("")
    running = filled / "building" / "running"
    running.mkdir()
    for path in left:
        age(path, 2 * HOUR_S)
    eviction.evict(filled, 1e6)
    assert [path.exists() for path in (*left, running)] == [False, False, True]


def test_an_eviction_that_fails_is_no_reason_to_stop(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> int:
        raise OSError("disk on fire")

    monkeypatch.setattr(eviction, "evict", fails)
    assert cache.build(cache.digest("new"), writes(300)).built_here
    assert present() == list(range(8))


def test_an_evicted_entry_is_built_again(filled: Path) -> None:
    cache.build(cache.digest("new"), writes(300))
    assert cache.lookup(KEYS[0]) is None
    assert cache.build(KEYS[0], writes(100)).built_here
    assert not cache.build(KEYS[0], writes(100)).built_here


def test_an_entry_that_another_process_has_built_meanwhile_is_used(own_cache: Path) -> None:
    made = cache.build(KEYS[0], writes(1))
    (made.directory / "meta.json").write_text(
        json.dumps(made.meta | {"seconds": 7.0}), encoding="utf-8"
    )

    def unexpected(directory: Path) -> dict[str, Any]:
        raise AssertionError(directory)

    again = cache.build(KEYS[0], unexpected)
    assert (again.meta["seconds"], again.built_here) == (7.0, False)


@pytest.mark.parametrize(
    ("text", "limit_mb"),
    [("", 500), ("20", 20), ("0.5", 0.5), ("0", 0), ("-1", 500), ("much", 500), ("nan", 500)],
)
def test_the_limit(monkeypatch: pytest.MonkeyPatch, text: str, limit_mb: float) -> None:
    monkeypatch.setenv("SEJITS_CACHE_LIMIT_MB", text)
    assert config.cache_limit_bytes() == limit_mb * 1e6
