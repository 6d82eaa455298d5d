"""What the explorer may ask of the kernel that it shows: a record of callables, since widgets never
see a Kernel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...stages import Trace

MachineCode = tuple[Trace, tuple[tuple[str, int], ...]]
"""Instructions, each with its line of the generated code (from 1; 0: none), and that code's trace."""


@dataclass(frozen=True, slots=True)
class Actions:
    """One callable a question; each may raise, and the widget says what."""

    assembly: Callable[[], MachineCode]
