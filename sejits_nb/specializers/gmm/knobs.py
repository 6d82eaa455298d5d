"""Which variants of an EM iteration are worth a try."""

from __future__ import annotations

from ...contracts import Knob
from ...ir.past import Unit


def knobs(unit: Unit, threads: int) -> tuple[Knob, ...]:
    """``threads``: parts of the events, each with sums of its own."""
    return (
        Knob("threads", tuple(sorted({1, threads})), threads, "parts of the events, a thread each"),
    )
