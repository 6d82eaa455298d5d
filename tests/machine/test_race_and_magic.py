"""Who has roofs measured: a cell that tunes, once, and ``%sejits machine``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from sejits_nb.errors import OptionError
from sejits_nb.machine import roofs as module
from sejits_nb.machine.roofline import placement
from sejits_nb.machine.roofs import recall_roofs, roofs_for_race
from sejits_nb.magics import sejits
from sejits_nb.magics.sejits import SejitsMagics
from sejits_nb.phase5_backend.opencl_device import Device
from sejits_nb.results import Measurement, Progress, Roofs, Work
from sejits_nb.stages import Config
from sejits_nb.tune import report
from sejits_nb.tune.report import elsewhere

Magic = Callable[[str], Any]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, roofs: Roofs) -> list[bool]:
    """Measuring gives the roofs made by hand; the list holds what it was called with."""
    asked: list[bool] = []

    def measure(remeasure: bool = False) -> Roofs:
        asked.append(remeasure)
        return roofs

    for place in (module, sejits):
        monkeypatch.setattr(place, "measured_roofs", measure)
    monkeypatch.setenv("SEJITS_ROOFS", "")
    return asked


@pytest.fixture
def magic() -> Magic:
    magics: Any = SejitsMagics
    bound: Magic = magics(InteractiveShell.instance()).sejits
    return bound


def test_a_race_has_unknown_roofs_measured_and_says_so(
    own_cache: Path, measured: list[bool]
) -> None:
    told: list[Progress] = []
    roofs_for_race("blur", told.append)
    assert measured == [False]
    assert (told[0].kernel, told[0].phase) == ("blur", "measuring what this machine can do, once")
    assert 0 < told[0].left_s < 10
    roofs_for_race("blur", None)
    assert len(measured) == 2


def test_known_roofs_and_a_machine_that_is_not_to_be_measured(
    own_cache: Path, measured: list[bool], roofs: Roofs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEJITS_ROOFS", "0")
    roofs_for_race("blur", None)
    monkeypatch.setenv("SEJITS_ROOFS", "1")
    monkeypatch.setattr(module, "recall_roofs", lambda: roofs)
    roofs_for_race("blur", None)
    assert measured == []


def test_the_magic_measures_again_if_asked(
    own_cache: Path, measured: list[bool], magic: Magic, capsys: pytest.CaptureFixture[str]
) -> None:
    magic("machine")
    magic("machine --remeasure")
    assert measured == [False, True]
    said = capsys.readouterr().out
    assert said.count("machine: 2 threads: STREAM 60.0 GB/s") == 2
    with pytest.raises(OptionError):
        magic("machine --again")


def test_reports_recall_roofs_and_measure_none(own_cache: Path, measured: list[bool]) -> None:
    assert recall_roofs() is None
    assert measured == []


def test_pocl_on_the_cpu_is_here_and_other_devices_are_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert elsewhere({"c", "openmp"}) == ()
    for name, found in (("cpu-znver4", ()), ("pthread-x", ()), ("Tesla T4", ("opencl",))):
        device = Device(0, name, "a platform", "3.0", 64, 32_768, 1 << 30)
        monkeypatch.setattr(report, "find_device", lambda _, device=device: device)
        assert elsewhere({"c", "opencl"}) == found


def test_a_variant_that_was_not_timed_has_no_place(roofs: Roofs) -> None:

    work = Work(100, 2, 1600, 800)
    timed = Measurement(Config(), "c", "correct", (1e-6,))
    failed = Measurement(Config(), "c", "failed", reason="no")
    race = Progress("k", "c", "", 1, 2, (timed, failed), work, 0.0, 0.0, roofs)
    found = placement(race, timed)
    assert found is not None
    assert found.level == "L1"
    assert placement(race, failed) is None
    flushed = Progress("k", "c", "", 1, 2, (), work, 0.0, 0.0, roofs, caches="flushed")
    found = placement(flushed, timed)
    assert found is not None
    assert found.level == "DRAM"
    unknown = Progress("k", "c", "", 1, 2, (), work, 0.0, 0.0)
    assert placement(unknown, timed) is None
