"""Which narrowing conversions come back: f64 -> f32 -> f64 rounds, f64 -> i64 -> f64 cuts off.

Compilers drop such pairs as if they did nothing; a back end whose compiler does needs to know of them.
"""

from __future__ import annotations

from ..ir import past
from ..ir.dtypes import DType
from ..ir.node import Node, walk


def narrowings(unit: past.Unit) -> tuple[str, ...]:
    """What floats of *unit* are converted to and back from: ``f``, a narrower float; ``i``, an integer.

    A value may come back in another expression: through a variable, or an array that is written.
    """
    return tuple(kind for kind in "fi" if _comes_back(unit.function, kind))


def _comes_back(function: past.Function, kind: str) -> bool:
    nodes = tuple(walk(function))
    if not any(_there(n, kind) for n in nodes):
        return False
    arrays = {n.array for n in nodes if isinstance(n, past.Store)}
    variables: set[str] = set()

    def narrowed(e: past.PExpr) -> bool:
        return any(
            _there(n, kind)
            or (isinstance(n, past.Variable) and n.name in variables)
            or (isinstance(n, past.Load) and n.array in arrays)
            for n in walk(e)
        )

    for n in nodes:  # a variable is declared before it is used
        if isinstance(n, past.Declare) and narrowed(n.value):
            variables.add(n.name)
        elif isinstance(n, past.Convert) and _back(n, kind) and narrowed(n.operand):
            return True
    return False


def _there(n: Node, kind: str) -> bool:
    return isinstance(n, past.Convert) and _narrows(n.operand.dtype, n.dtype, kind)


def _back(n: past.Convert, kind: str) -> bool:
    return _narrows(n.dtype, n.operand.dtype, kind)


def _narrows(wide: DType, narrow: DType, kind: str) -> bool:
    floats = wide.kind == narrow.kind == "f" and narrow.bits < wide.bits
    return floats if kind == "f" else wide.kind == "f" and narrow.kind in "iu"
