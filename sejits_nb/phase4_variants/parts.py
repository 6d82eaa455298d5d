"""Parts: work that sums over its iterations, divided among threads that each keep sums of their own.

    parts = min(1, enough)                 parts = min(2, enough)
    partial: f64[n]                        partial: f64[2*n]
    for part in [0, parts)         ->      for part in [0, parts)  [parallel, 2 threads]
      ...                                    ...

The lowering writes such a loop with its number of parts as the variable ``parts``, of which there is
one as long as nothing is divided, and fewer than threads where there is little to do.  The sums of the
parts are added in their order, so that a number of threads gives the same result every time.
"""

from __future__ import annotations

import dataclasses

from ..ir.node import Node, rewrite
from ..ir.past import Buffer, CallC, Declare, For, Literal, Unit, Variable

PARTS = Variable("parts")


def divide(unit: Unit, parts: int) -> Unit:
    """*unit* with its work in *parts* parts, a thread for each; itself where nothing is in parts."""

    def rule(n: Node) -> Node | None:
        match n:
            case Declare(PARTS.name, _, CallC(func, (Literal(1), enough))):
                return dataclasses.replace(n, value=CallC(func, (Literal(parts), enough)))
            case Buffer(by_parts=True):
                return dataclasses.replace(n, length=n.length * parts)
            case For(stop=stop) if stop == PARTS and n.independent:
                return dataclasses.replace(n, parallel=parts)
            case _:
                return None

    return rewrite(unit, rule) if parts > 1 else unit
