"""What the explorer may ask of the kernel that it shows: a record of callables, since widgets never
see a Kernel."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ...results import EditedRace, Listener, Measurement, Report
from ...stages import Trace

MachineCode = tuple[Trace, tuple[tuple[str, int], ...]]
"""Instructions, each with its line of the generated code (from 1; 0: none), and that code's trace."""


class Race(Protocol):
    """Races the variants, as ``kernel.tune`` does."""

    def __call__(self, *, budget: float | None, resume: bool, listen: Listener) -> Report: ...


class RaceEdited(Protocol):
    """Compiles, checks and times a text, as ``kernel.race`` does."""

    def __call__(
        self, text: str, *, base: Measurement | None, stop: threading.Event
    ) -> EditedRace: ...


@dataclass(frozen=True, slots=True)
class Actions:
    """One callable a question; each may raise, and the widget says what."""

    assembly: Callable[[], MachineCode]
    report: Callable[[], Report | None]
    """The last measurement."""
    knobs: Callable[[], Mapping[str, str]]
    """What the variants may differ in: a knob's name -> its meaning."""
    tune: Race
    """Race on the arguments of the last measurement."""
    trace: Callable[[Measurement], Trace]
    """All steps of a variant, without compiling it."""
    race: RaceEdited
    """Race edited code against the variant in use."""
    measure_roofs: Callable[[], Report | None]
    """Measure the machine's roofs again: the last measurement under them."""
