"""Device limits: the size of a work-group and the memory that it shares, of every launch of a unit.

The numbers that a variant's code has names for are known by then, so that a variant which the device
cannot run is left out of the space, with the reason, before anything is compiled.
"""

from __future__ import annotations

from ..ir.evaluate import evaluate
from ..ir.node import walk
from ..ir.past import Buffer, For, Unit


def misfit(unit: Unit, most_items: int, local_bytes: int) -> str:
    """Why a device with work-groups of *most_items* that share *local_bytes* cannot run *unit*, or
    nothing."""
    known = dict(unit.constants)
    for groups in (n for n in walk(unit) if isinstance(n, For) and n.work_group is not None):
        inside = list(walk(groups))
        for loop in (n for n in inside if isinstance(n, For) and n.work_item is not None):
            if (items := evaluate(loop.stop, known)) > most_items:
                return f"work-groups of {items} items: the device has at most {most_items}"
        shared = [n for n in inside if isinstance(n, Buffer) and n.local]
        lengths = (evaluate(b.times or 1, known) * b.length * b.dtype.size_bytes for b in shared)
        if (needed := sum(lengths)) > local_bytes:
            return (
                f"{needed} bytes of memory for each work-group: the device has {local_bytes} bytes"
            )
    return ""
