"""Roofs of this machine: numbers that can be right, measured once, kept, and safe to ask for."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sejits_nb.machine import micro_kernels, roofs
from sejits_nb.machine.roofs import measured_roofs, recall_roofs
from sejits_nb.phase5_backend.c_compiler import Compiler, NoCompiler, find_compiler, flags
from sejits_nb.results import Roofs

by_hand = pytest.fixture(lambda roofs: roofs)
Counted = Callable[[], int]


@pytest.fixture
def faked(monkeypatch: pytest.MonkeyPatch, by_hand: Roofs) -> Counted:
    """No micro-kernel runs: each measurement gives the roofs made by hand; how many there were."""
    found = find_compiler()
    assert isinstance(found, Compiler)
    count = config_threads(found)
    made = dataclasses.replace(by_hand, threads=count)
    if count not in (1, 2):
        pytest.skip("the roofs made by hand are of one or two threads")
    asked: list[int] = []

    def measure(_: object, threads: int) -> Roofs:
        asked.append(threads)
        return dataclasses.replace(made, notes=(f"measurement {len(asked)}",))

    monkeypatch.setattr(roofs, "measure", measure)
    return lambda: len(asked)


def config_threads(found: Compiler) -> int:
    return roofs._threads(found)


@pytest.fixture(scope="module")
def measured() -> Roofs:
    found = measured_roofs()
    assert found is not None
    return found


def rate(roofs: Roofs, level: str, kind: str, threads: int = 1) -> float:
    (found,) = (b.bytes_per_s for b in roofs.bandwidths
                if (b.level, b.kind, b.threads) == (level, kind, threads))  # fmt: skip
    return found


def test_nearer_memory_is_faster(measured: Roofs) -> None:
    assert rate(measured, "L1", "read") > 0.8 * rate(measured, "L2", "read")
    assert rate(measured, "L2", "read") > 1.1 * rate(measured, "DRAM", "read")
    assert rate(measured, "L2", "copy") > 1.1 * rate(measured, "DRAM", "copy")


def test_half_the_width_is_twice_the_rate(measured: Roofs) -> None:
    peaks = {(p.dtype, p.threads): p.flops_per_s for p in measured.peaks}
    assert 1.5 < peaks["f32", 1] / peaks["f64", 1] < 2.5
    # two pipes of the widest vectors there are, at 6 GHz
    assert 1e8 < peaks["f64", 1] < 6e9 * 2 * 2 * 8


def test_roofs_say_of_what_and_when(measured: Roofs) -> None:
    assert {b.threads for b in measured.bandwidths} == {1, measured.threads}
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", measured.date)
    assert "CPUs" in measured.machine
    assert all(b.set_bytes > 0 for b in measured.bandwidths)
    cached = [b for b in measured.bandwidths if b.level != "DRAM"]
    assert all(b.set_bytes < b.holds_bytes for b in cached)
    assert recall_roofs() == measured == measured_roofs()


@pytest.mark.needs("gcc")  # its assembly is read
def test_no_chain_of_multiply_adds_is_merged_with_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEJITS_CC", "gcc")
    gcc = find_compiler()
    assert isinstance(gcc, Compiler)
    (tmp_path / "micro.c").write_text(micro_kernels.source())
    options = [f for f in flags(gcc, False) if f != "-shared"]
    subprocess.run([*gcc.command, *options, "-S", "micro.c"], cwd=tmp_path, check=True)
    text = (tmp_path / "micro.s").read_text()
    if "vfmadd" not in text:
        pytest.skip("a CPU without fused multiply-add, or not x86")
    chains = 16 if "zmm" in text else 12
    for letter in "ds":
        assert len(re.findall(rf"\tvfmadd\d+p{letter}\t", text)) >= chains


def test_a_measurement_leaves_this_process_as_it_was(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roofs, "_PASSES", 1)
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("no affinity here")
    before, environment = os.sched_getaffinity(0), dict(os.environ)
    assert measured_roofs(remeasure=True) is not None
    assert os.sched_getaffinity(0) == before
    assert dict(os.environ) == environment


def test_known_roofs_are_not_measured_again(own_cache: Path, faked: Counted) -> None:
    assert recall_roofs() is None
    first = measured_roofs()
    assert first is not None
    assert first == measured_roofs() == recall_roofs()
    assert faked() == 1
    again = measured_roofs(remeasure=True)
    assert again is not None
    assert again.notes == ("measurement 2",)
    assert recall_roofs() == again


@pytest.mark.parametrize("damage", [b"", b"{", b'{"key": 1}', b"[]", b"\xff"])
def test_a_damaged_document_is_measured_again(
    own_cache: Path, faked: Counted, damage: bytes
) -> None:
    measured_roofs()
    (document,) = (own_cache / "roofs").glob("*.json")
    document.write_bytes(damage)
    assert recall_roofs() is None
    assert measured_roofs() is not None
    assert faked() == 2


@pytest.mark.parametrize(
    ("before", "after"),
    [('"f32"', '"f16"'), ('"DRAM"', '"L9"'), ("50000000000.0", "-1.0"), ("50000000000.0", "NaN"),
     ('"when"', '"then"'), ('"notes"', '"noted"'), ('"kind"', '"sort"')],
)  # fmt: skip
def test_a_document_of_another_kind_is_measured_again(
    own_cache: Path, faked: Counted, before: str, after: str
) -> None:
    measured_roofs()
    (document,) = (own_cache / "roofs").glob("*.json")
    text = document.read_text()
    assert before in text
    document.write_text(text.replace(before, after))
    assert recall_roofs() is None
    assert measured_roofs() is not None
    assert faked() == 2


def test_other_threads_have_other_roofs(
    own_cache: Path, faked: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured_roofs()
    monkeypatch.setenv("SEJITS_THREADS", "3")
    assert recall_roofs() is None


def test_no_compiler_no_roofs(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roofs, "find_compiler", lambda: NoCompiler("install gcc"))
    assert measured_roofs() is recall_roofs() is None


@pytest.mark.parametrize(
    "text",
    ["void bandwidth(double *rates) { __builtin_trap(); }\n", "int bandwidth;\n", "no C at all\n"],
)
def test_micro_kernels_that_fail_cost_only_the_roofs(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    for module in (roofs, micro_kernels):
        monkeypatch.setattr(module, "source", lambda: text)
    monkeypatch.setattr(roofs, "_PASSES", 1)
    assert measured_roofs() is None
    assert recall_roofs() is None


@pytest.mark.skipif(not shutil.which("clang"), reason="no clang here")
def test_a_compiler_without_openmp_measures_one_thread(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEJITS_CC", "clang")
    found = find_compiler()
    assert isinstance(found, Compiler)
    monkeypatch.setattr(roofs, "_PASSES", 1)
    made = measured_roofs()
    assert made is not None
    assert made.threads == config_threads(found)
    assert {b.threads for b in made.bandwidths} == {1, made.threads}


ASK = """\
from dataclasses import astuple
from sejits_nb.machine import roofs
roofs._PASSES = 1
print(astuple(roofs.measured_roofs()))
"""


def test_two_processes_measure_once(own_cache: Path) -> None:
    environment = os.environ | {"SEJITS_THREADS": "1"}
    started = time.time()
    pair = [
        subprocess.Popen([sys.executable, "-c", ASK], env=environment, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60)[0] for process in pair]
    assert said[0] == said[1]
    assert said[0].startswith(b"(((")
    (document,) = (own_cache / "roofs").glob("*.json")
    assert document.stat().st_mtime >= started - 1


def test_a_disturbed_measurement_is_noted(by_hand: Roofs) -> None:
    assert not roofs._disturbed(by_hand.bandwidths, 2)
    slow = [
        dataclasses.replace(b, bytes_per_s=1e9) if (b.kind, b.threads) == ("copy", 2) else b
        for b in by_hand.bandwidths
    ]
    assert roofs._disturbed(tuple(slow), 2)
