"""Threads: the outermost loops share their iterations among OpenMP threads.

for i in [1, 511)     ->     for i in [1, 511)  [parallel, 2 threads]
"""

from __future__ import annotations

import dataclasses

from ..ir.dast import Statement
from ..ir.past import For, Unit
from .loops import replace_outermost


def parallelize(unit: Unit, threads: int) -> Unit:
    """*unit* with its outermost independent loops on *threads* threads; itself for one thread."""

    def change(loop: For) -> tuple[Statement, ...]:
        return (dataclasses.replace(loop, parallel=threads) if loop.independent else loop,)

    return replace_outermost(unit, change) if threads > 1 else unit
