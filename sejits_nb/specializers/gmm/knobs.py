"""Which variants of an EM iteration are worth a try."""

from __future__ import annotations

from ...contracts import Constraint, Knob
from ...ir.node import walk
from ...ir.past import Unit, When
from .events_to_c import FORMS, STRATEGIES
from .layout import BLOCK
from .strategies_to_opencl import GROUP, PUBLISHED

_DEVICE = (
    Knob("strategy", PUBLISHED, "V2B", "what is a work-group where events are summed over"),
    Knob("blocks", (32, 128, 256), 32, "blocks of events, each with sums of its own (V2B)",
         (Constraint(lambda values: values["strategy"] == "V2B" or values["blocks"] == 32,
                     "only V2B takes the events in blocks"),)),
    Knob("group", (64, 32, 128, 256), 64, "work-items of a work-group"),
)  # fmt: skip


def knobs(unit: Unit, threads: int) -> tuple[Knob, ...]:
    """``strategy``: how the work is divided; ``form``: what distances are made of; ``block``: events at
    a time; ``threads``: parts of the work."""
    if any(name == GROUP.name for name, _ in unit.constants):
        return _DEVICE
    asked = {n.knob for n in walk(unit) if isinstance(n, When)}
    sizes = (BLOCK // 2, BLOCK, 2 * BLOCK)
    ways = (
        Knob(
            "strategy",
            STRATEGIES,
            STRATEGIES[0],
            "how densities and sums are divided among threads",
        ),
        Knob("form", FORMS, FORMS[0], "distances by Cholesky factors or from the features"),
    )
    return (
        *(knob for knob in ways if knob.name in asked),
        Knob("block", sizes, BLOCK, "events whose features are in cache at once"),
        Knob("threads", tuple(sorted({1, threads})), threads, "parts of the work, a thread each"),
    )
