"""Records: what stands beside a record spoils nothing, and the right one is recalled."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sejits_nb import config
from sejits_nb.ir.dtypes import F32, F64
from sejits_nb.phase5_backend import cache, record_store
from sejits_nb.results import Measurement
from sejits_nb.stages import ArrayType, Config, KernelSource, ScalarType, Signature, Toolchain
from sejits_nb.tune.records import (
    Race,
    Subject,
    bucket_of,
    choice,
    keep,
    recall,
    remember,
    subject_of,
    unfinished,
)

SOURCE = KernelSource("heat", "def heat(u, out): ...", "Cell In[1]")
BOTH = ("openmp", "c")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SEJITS_CACHE_DIR", str(tmp_path / "cache"))
    before = list(cache._private)
    yield tmp_path / "cache" / config.CACHE_LAYOUT / "records"
    cache._private[:] = before


def signature(n: int) -> Signature:
    kind = ArrayType(F64, (n, n), (n, 1))
    return Signature((("u", kind), ("out", kind)))


def subject(n: int = 256, check: str = "fast", source: KernelSource = SOURCE) -> Subject:
    return subject_of(source, signature(n), check, Toolchain())


def measured(unroll: int, seconds: float, platform: str = "openmp") -> Measurement:
    """With times of five digits, as they are kept."""
    times = tuple(float(f"{t:.5g}") for t in (seconds, seconds * 1.1))
    return Measurement(Config((("unroll", unroll),)), platform, "correct", times)


def raced(of: Subject, *found: Measurement, complete: bool = True, ended: bool = True) -> Race:
    best = min(found, key=lambda m: m.median_s)
    platforms = tuple(dict.fromkeys(m.platform for m in found))
    race = Race(found, best, complete, "quick", 1.5, 2000, "warm", platforms, of.layout)
    remember(of, race, found, ended=ended)
    return race


def test_a_race_comes_back_as_it_was() -> None:
    wrong = Measurement(Config((("unroll", 4),)), "c", "wrong", (), "out[1] is 2, not ½")
    failed = Measurement(Config(), "opencl", "failed", (), "B001: no\ndevice")
    race = raced(subject(), measured(1, 2e-3), measured(2, 1e-3, "c"), wrong, failed)
    assert recall(subject()) == race
    assert choice(subject(), BOTH) == ("c", Config((("unroll", 2),)))


def test_other_kernels_checks_threads_and_flags_are_other_subjects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raced(subject(), measured(1, 1e-3))
    other = dataclasses.replace(SOURCE, text="def heat(u, out): pass")
    assert choice(subject(source=other), BOTH) is None
    assert choice(subject(check="strict"), BOTH) is None
    flags = subject_of(SOURCE, signature(256), "fast", Toolchain("", ("-O1",)))
    assert choice(flags, BOTH) is None
    monkeypatch.setenv("SEJITS_THREADS", "1" if config.threads() > 1 else "3")
    assert choice(subject(), BOTH) is None


def test_another_size_of_the_bucket_is_better_than_none() -> None:
    raced(subject(256), measured(2, 1e-3))
    assert choice(subject(250), BOTH) == ("openmp", Config((("unroll", 2),)))
    assert recall(subject(250)) is None
    raced(subject(250), measured(4, 1e-3))
    assert choice(subject(250), BOTH) == ("openmp", Config((("unroll", 4),)))
    assert choice(subject(256), BOTH) == ("openmp", Config((("unroll", 2),)))
    assert choice(subject(512), BOTH) is None


def test_a_race_without_the_first_platform_says_nothing_of_it() -> None:
    """What was raced with -b c is no choice for auto, which would take openmp."""
    raced(subject(), measured(2, 1e-3, "c"))
    assert choice(subject(), BOTH) is None
    assert choice(subject(), ("c",)) == ("c", Config((("unroll", 2),)))


def test_buckets() -> None:
    assert bucket_of(signature(256)) == bucket_of(signature(300))
    assert bucket_of(signature(256)) != bucket_of(signature(400))
    kinds = {"C": (300, 1), "order [1, 0]": (1, 200), "C strided": (600, 2)}
    for words, strides in kinds.items():
        one = Signature((("u", ArrayType(F32, (200, 300), strides)), ("a", ScalarType(F64))))
        assert bucket_of(one) == f"u: f32[2^8, 2^8] {words}, a: f64"


def test_a_complete_race_goes_before_a_later_interrupted_one() -> None:
    whole = raced(subject(), measured(1, 2e-3), measured(2, 1e-3))
    part = raced(subject(), measured(8, 3e-3), complete=False)
    assert recall(subject()) == whole
    assert unfinished(subject()) == part
    assert choice(subject(), BOTH) == ("openmp", Config((("unroll", 2),)))


def test_a_killed_race_has_left_its_batches() -> None:
    raced(subject(), measured(1, 2e-3), measured(2, 1e-3), complete=False, ended=False)
    found = unfinished(subject())
    assert found is not None
    assert not found.complete
    assert {m.config["unroll"] for m in found.measurements} == {1, 2}
    assert found.best == measured(2, 1e-3)
    assert choice(subject(), BOTH) == ("openmp", Config((("unroll", 2),)))


def test_measured_again_the_later_line_counts() -> None:
    race = raced(subject(), measured(1, 2e-3), measured(2, 1e-3), complete=False)
    remember(subject(), race, [measured(1, 5e-4)])
    found = unfinished(subject())
    assert found is not None
    assert found.id == race.id
    assert {*found.measurements} == {measured(1, 5e-4), measured(2, 1e-3)}


def file_of(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


@pytest.mark.parametrize(
    "junk",
    [
        b'{"v":1,"kind":"race","lay',
        b"\x00\xff\xfe\x80 not text",
        b'{"v":2,"kind":"race","race":"x","layout":"y"}',
        b"[1, 2, 3]",
        b'"kind":"race"',
        b"[" * 100_000,
        b'{"v":1,"kind":"race","race":5,"layout":null}',
    ],
)
def test_lines_that_are_not_ours_spoil_no_neighbors(own_cache: Path, junk: bytes) -> None:
    first = raced(subject(), measured(1, 2e-3))
    layout = subject().layout.encode()
    with file_of(own_cache).open("ab") as file:
        file.write(junk + layout)  # torn: no line end
    assert recall(subject()) == first
    second = raced(subject(), measured(2, 1e-3))
    with file_of(own_cache).open("ab") as file:
        file.write(b"\n" + junk + layout + b"\n\n")
    assert recall(subject()) == second
    assert choice(subject(), BOTH) == ("openmp", Config((("unroll", 2),)))


@pytest.mark.parametrize(
    ("key", "value"),
    [("times_s", [-1.0]), ("times_s", ["x"]), ("times_s", [1e999]), ("verdict", "fine"),
     ("config", [["unroll"]]), ("config", 7), ("platform", None), ("times_s", None)],
)  # fmt: skip
def test_damaged_values_are_no_choice(own_cache: Path, key: str, value: object) -> None:
    raced(subject(), measured(2, 1e-3))
    rows = [json.loads(line) for line in file_of(own_cache).read_text().split("\n") if line]
    text = "\n".join(json.dumps(row | {key: value}) for row in rows)
    file_of(own_cache).write_text(text)
    found = choice(subject(), BOTH)
    assert found is None or (key == "platform" and value is None)
    raced(subject(), measured(4, 1e-3))
    assert choice(subject(), BOTH) == ("openmp", Config((("unroll", 4),)))


def test_a_file_stays_below_its_limit_and_keeps_what_is_needed(own_cache: Path) -> None:
    many = [measured(n, 1e-3 + n * 1e-6) for n in range(1, 60)]
    sizes = range(230, 290)
    for n in sizes:
        for _ in range(2):
            raced(subject(n), *many)
    part = raced(subject(256), *many[:5], complete=False)
    assert file_of(own_cache).stat().st_size < record_store.LIMIT_BYTES + 100_000
    assert all(choice(subject(n), BOTH) == ("openmp", many[0].config) for n in sizes)
    assert unfinished(subject(256)) == part
    whole = recall(subject(289))
    assert whole is not None
    assert len(whole.measurements) == len(many)


def test_compaction_keeps_the_newest_whole_races() -> None:
    ends = [raced(subject(256), measured(n, 1e-3)) for n in range(1, 6)]
    lines = record_store.lines(subject().shard)
    kept = b"\n".join(keep(lines))
    assert ends[-1].id.encode() in kept
    assert not any(end.id.encode() in kept for end in ends[:-1])


def test_a_cache_that_cannot_be_written_is_said_once_and_nothing_is_lost(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raced(subject(), measured(1, 2e-3))
    real = os.open

    def refuse(path: Any, *rest: Any, **more: Any) -> int:
        if str(path).startswith(str(own_cache)):
            raise PermissionError("read-only file system")
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.warns(UserWarning, match="cache cannot be used"):
        raced(subject(), measured(2, 1e-3))
    raced(subject(), measured(3, 1e-3))  # a second warning would be an error
    found = recall(subject())
    assert found is not None
    assert found.best == measured(3, 1e-3)


def test_a_full_disk_leaves_no_half_line(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raced(subject(), measured(1, 2e-3))
    real = os.write

    def short(file: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", real)
        return real(file, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", short)
    before = file_of(own_cache).read_bytes()
    with pytest.warns(UserWarning, match="no space left"):
        raced(subject(), measured(2, 1e-3))
    assert file_of(own_cache).read_bytes() == before
    assert choice(subject(), BOTH) == ("openmp", Config((("unroll", 2),)))


def test_a_lookup_among_many_records_is_quick() -> None:
    """100 000 records take the same time: ``python -m benchmarks.record_lookup``."""
    many = [measured(n, 1e-3 + n * 1e-6) for n in range(1, 25)]
    for n in range(230, 270):
        raced(subject(n), *many)
    taken = []
    for _ in range(9):
        start = time.perf_counter()
        assert choice(subject(299), BOTH) is not None
        taken.append(time.perf_counter() - start)
    assert float(np.median(taken)) < 0.02
