"""The disk cache: whole entries or none, whatever happens to the disk in between."""

from __future__ import annotations

import errno
import os
import stat
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sejits_nb.phase5_backend import cache

KEY = cache.digest("a source")


def writes(library: bytes) -> Callable[[Path], dict[str, Any]]:
    def make(directory: Path) -> dict[str, Any]:
        (directory / "kernel.c").write_bytes(b"source")
        (directory / "kernel.so").write_bytes(library)
        return {"seconds": 0.5}

    return make


def library(entry: cache.Entry | None) -> bytes:
    assert entry is not None
    return (entry.directory / "kernel.so").read_bytes()


def test_digest_tells_where_one_part_ends() -> None:
    assert cache.digest("ab", "c") != cache.digest("a", "bc")
    assert len(KEY) == 64


def test_an_entry_is_found_where_its_key_says(own_cache: Path) -> None:
    assert cache.lookup(KEY) is None
    made = cache.build(KEY, writes(b"code"))
    assert made.directory == own_cache / "objects" / KEY[:2] / KEY
    found = cache.lookup(KEY)
    assert library(found) == b"code"
    assert found is not None
    assert found.meta["seconds"] == 0.5


def test_the_cache_is_private(own_cache: Path) -> None:
    cache.build(KEY, writes(b"code"))
    assert stat.S_IMODE(own_cache.stat().st_mode) == 0o700


@pytest.mark.parametrize("fresh", [True, False], ids=["fresh process", "same process"])
@pytest.mark.parametrize("name", ["kernel.so", "kernel.c", "meta.json"])
@pytest.mark.parametrize("damage", [b"", b"kode", b"{}"], ids=["emptied", "changed", "replaced"])
def test_a_damaged_entry_does_not_count_and_is_rebuilt(
    own_cache: Path, name: str, damage: bytes, fresh: bool, fresh_memory: Callable[[], None]
) -> None:
    place = cache.build(KEY, writes(b"code")).directory
    (place / name).write_bytes(damage)
    os.utime(place / name, (1, 1))  # the clock of files is coarse: both writes may have one time
    if fresh:
        fresh_memory()
    assert cache.lookup(KEY) is None
    assert library(cache.build(KEY, writes(b"code"))) == b"code"
    assert library(cache.lookup(KEY)) == b"code"
    assert list((own_cache / "building").iterdir()) == []


@pytest.mark.parametrize("name", ["kernel.so", "kernel.c", "meta.json"])
def test_an_entry_that_lacks_a_file_does_not_count(own_cache: Path, name: str) -> None:
    (cache.build(KEY, writes(b"code")).directory / name).unlink()
    assert cache.lookup(KEY) is None


def test_who_is_second_uses_the_winners_entry(own_cache: Path) -> None:
    """Also where locks cannot be had: the rename decides."""
    (own_cache / "locks").parent.mkdir(parents=True)
    (own_cache / "locks").write_text("no directory")

    def slow(directory: Path) -> dict[str, Any]:
        cache.build(KEY, writes(b"winner"))
        return writes(b"loser")(directory)

    assert library(cache.build(KEY, slow)) == b"winner"
    assert list((own_cache / "building").iterdir()) == []


def test_many_threads_may_build_the_same_key(own_cache: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: cache.build(KEY, writes(b"code")), range(32)))
    assert {library(entry) for entry in made} == {b"code"}
    assert list((own_cache / "building").iterdir()) == []


def test_a_failed_build_leaves_nothing(own_cache: Path) -> None:
    def fails(directory: Path) -> dict[str, Any]:
        (directory / "kernel.c").write_bytes(b"half")
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        cache.build(KEY, fails)
    assert {path.parent.name for path in own_cache.rglob("*") if path.is_file()} <= {"locks"}


def test_a_failed_build_can_be_kept_to_be_looked_at(own_cache: Path) -> None:
    def fails(directory: Path, text: bytes) -> Path:
        (directory / "kernel.c").write_bytes(text)
        return cache.keep_failed(directory, KEY)

    for text in (b"first", b"second"):
        directory = cache.in_scratch(partial(fails, text=text))
    assert directory == own_cache / "failed" / KEY
    assert (directory / "kernel.c").read_bytes() == b"second"


def test_without_a_place_to_write_it_goes_on_in_a_private_directory_and_says_so_once(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a directory")
    monkeypatch.setenv("SEJITS_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.warns(UserWarning, match=r"cannot be used .*set SEJITS_CACHE_DIR"):
        made = cache.build(KEY, writes(b"code"))
    assert stat.S_IMODE(made.directory.parents[2].stat().st_mode) == 0o700
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.write_json("choices", "k", 1)
        assert library(cache.lookup(KEY)) == b"code"
    assert cache.read_json("choices", "k") == 1


def test_a_full_disk_is_no_reason_to_stop(own_cache: Path) -> None:
    tried = []

    def make(directory: Path) -> dict[str, Any]:
        tried.append(directory)
        if directory.is_relative_to(own_cache):
            raise OSError(errno.ENOSPC, "No space left on device")
        return writes(b"code")(directory)

    with pytest.warns(UserWarning, match="No space left"):
        made = cache.build(KEY, make)
    assert library(made) == b"code"
    assert not made.directory.is_relative_to(own_cache)
    assert len(tried) == 2


def test_a_cache_of_another_user_is_not_believed(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.build(KEY, writes(b"theirs"))
    if os.getuid() == 0:
        os.chown(own_cache, 4242, -1)
    else:
        monkeypatch.setattr(os, "getuid", lambda: 4242)
    assert cache.lookup(KEY) is None
    with pytest.warns(UserWarning, match="belongs to another user"):
        assert library(cache.build(KEY, writes(b"ours"))) == b"ours"


def test_a_cache_that_others_can_write_to_is_closed_to_them(own_cache: Path) -> None:
    cache.build(KEY, writes(b"code"))
    own_cache.chmod(0o777)
    cache.lookup(KEY)
    assert stat.S_IMODE(own_cache.stat().st_mode) == 0o700


@pytest.mark.parametrize("value", [1, 0.1, "größer", [1, None, {"a": [2.5]}], {}, False])
def test_documents_come_back_as_they_were(own_cache: Path, value: Any) -> None:
    assert cache.read_json("choices", "a key / with ü") is None
    cache.write_json("choices", "a key / with ü", "old")
    cache.write_json("choices", "a key / with ü", value)
    assert cache.read_json("choices", "a key / with ü") == value
    assert cache.read_json("compilers", "a key / with ü") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"key": "k"}', '{"key": "x", "value": 1}'])
def test_a_damaged_document_is_none(own_cache: Path, text: str) -> None:
    cache.write_json("choices", "k", 1)
    (file,) = (own_cache / "choices").iterdir()
    file.write_text(text)
    assert cache.read_json("choices", "k") is None


def test_a_value_that_is_not_json_leaves_the_old_one(own_cache: Path) -> None:
    cache.write_json("choices", "k", 1)
    with pytest.raises(TypeError):
        cache.write_json("choices", "k", object())
    assert cache.read_json("choices", "k") == 1
    assert len(list((own_cache / "choices").iterdir())) == 1


def test_usage_counts_and_clear_removes(own_cache: Path) -> None:
    assert cache.usage() == (0, 0)
    assert cache.clear() == 0
    cache.build(KEY, writes(b"code"))
    cache.build(cache.digest("another"), writes(b"x" * 1000))
    cache.write_json("choices", "k", 1)
    entries, bytes_ = cache.usage()
    assert entries == 2
    assert bytes_ > 1000
    assert cache.clear() == 2
    assert cache.usage() == (0, 0)
    assert cache.lookup(KEY) is None
    assert cache.read_json("choices", "k") is None


def test_clear_spares_what_is_being_built_and_takes_what_was_left_behind(own_cache: Path) -> None:
    def make(directory: Path) -> dict[str, Any]:
        abandoned = directory.parent / "abandoned"
        abandoned.mkdir()
        os.utime(abandoned, (0, 0))
        cache.clear()
        assert not abandoned.exists()
        return writes(b"code")(directory)

    assert library(cache.build(KEY, make)) == b"code"
