"""A platform whose variants are real code, but take as long as a test says."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sejits_nb.contracts import Executable, Knob, Platform, VariantSpace
from sejits_nb.ir.past import Unit
from sejits_nb.platforms.c_openmp import SERIAL
from sejits_nb.specializers.stencil import SPECIALIZER
from sejits_nb.stages import Artifact, Config, KernelSource, SourceUnit, Variant
from sejits_nb.tune import timing
from sejits_nb.tune.specialize import Request, Specialization, specialize

CELL = """\
%%stencil
def slope(u, out):
    for x in out.interior_points():
        out[x] = u[x + (1, 0)] - u[x - (0, 1)]
"""
U = np.arange(252.0).reshape(21, 12)
UNROLLS = (1, 2, 4, 8)
CLOCK = [0.0]
"""Seconds that paced runs say they have taken."""
Pace = Callable[[Config], float]
"""Seconds of one run of a configuration; may raise."""


def no_names(name: str) -> Any:
    """Where the free names of the cell live: it has none."""
    raise KeyError(name)


@dataclasses.dataclass
class Paced:
    """The serial C platform under a name of its own; ``runs`` counts the runs of each configuration
    in this process."""

    pace: Pace
    name: str = "paced"
    unrolls: tuple[int, ...] = UNROLLS
    runs: Counter[int] = dataclasses.field(default_factory=Counter)
    built: list[int] = dataclasses.field(default_factory=list)
    _of_unit: dict[Unit, Config] = dataclasses.field(default_factory=dict)
    _of_text: dict[str, Config] = dataclasses.field(default_factory=dict)
    _of_key: dict[str, Config] = dataclasses.field(default_factory=dict)

    @property
    def platform(self) -> Platform:
        return dataclasses.replace(SERIAL, name=self.name, space=self.space, emit=self.emit,
                                   build=self.build, load=self.load)  # fmt: skip

    def space(self, unit: Unit, knobs: tuple[Knob, ...]) -> VariantSpace:
        found = [dataclasses.replace(k, values=self.unrolls) if k.name == "unroll" else k
                 for k in knobs]  # fmt: skip
        right = SERIAL.space(unit, tuple(found))

        def build(chosen: Config) -> Variant:
            variant = right.build(chosen)
            self._of_unit[variant.past] = chosen
            return variant

        return dataclasses.replace(right, build=build)

    def emit(self, unit: Unit) -> SourceUnit:
        source = SERIAL.emit(unit)
        named = dataclasses.replace(source, lines=(*source.lines, type(source.lines[0])(
            f"/* {self.name} */")))  # fmt: skip
        self._of_text[named.text] = self._of_unit[unit]
        return named

    def build(self, source: SourceUnit, exact: bool) -> Artifact:
        artifact = SERIAL.build(source, exact)
        self._of_key[artifact.key] = self._of_text[source.text]
        self.built.append(self._of_text[source.text]["unroll"])
        return artifact

    def load(self, artifact: Artifact) -> Executable:
        return _PacedKernel(SERIAL.load(artifact), self._of_key[artifact.key], self)


@dataclasses.dataclass
class _PacedKernel:
    code: Executable
    config: Config
    platform: Paced

    def __call__(self, values: Mapping[str, Any]) -> None:
        self.code(values)

    def bound(self, values: Mapping[str, Any]) -> Callable[[], None]:
        run = self.code.bound(values)

        def paced() -> None:
            self.platform.runs[self.config["unroll"]] += 1
            CLOCK[0] += self.platform.pace(self.config)
            run()

        return paced

    def direct(self, values: Mapping[str, Any]) -> Callable[..., None]:
        return self.code.direct(values)


def request(*platforms: Platform, u: Any = U, cell: str = CELL, **wanted: Any) -> Request:
    """A request to specialize ``slope(u)``: a quick race, unless *wanted* says otherwise."""
    source = KernelSource("slope", cell, "Cell In[1]")
    interface = SPECIALIZER.interface(source)
    values = SPECIALIZER.bind(interface, (u,), {}).values
    signature = SPECIALIZER.signature(interface, values)
    plain = Request(SPECIALIZER, platforms, source, no_names, values, signature, tune="quick")
    return dataclasses.replace(plain, **wanted)


def run(*platforms: Platform, **wanted: Any) -> Specialization:
    return specialize(request(*platforms, **wanted))


@pytest.fixture
def paced_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paced runs are timed by :data:`CLOCK`, whatever else the machine does; others as ever."""
    real = timing._timed

    def timed(call: Callable[[], None], repeats: int) -> float:
        before = CLOCK[0]
        seconds = real(call, 1)
        return CLOCK[0] - before or seconds

    monkeypatch.setattr(timing, "_timed", timed)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache without any record."""
    monkeypatch.setenv("SEJITS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"
