"""Dead code: a value that nothing uses is not computed.

let a = u[x]                     let b = v[x]
let b = v[x]             ->      out[x] = b
out[x] = b
"""

from __future__ import annotations

from ..ir.dast import Let, Statement
from ..ir.expr import Name
from ..ir.node import walk


def dead_code(body: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """*body* (straight-line, single assignment) without the ``Let`` that no later line reads."""
    used: set[str] = set()
    kept: list[Statement] = []
    for s in reversed(body):
        if isinstance(s, Let) and s.name not in used:
            continue
        used |= {n.id for n in walk(s) if isinstance(n, Name)}
        kept.append(s)
    return body if len(kept) == len(body) else tuple(reversed(kept))
