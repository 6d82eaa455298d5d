"""Small powers as products: fast and vectorisable, but rounded once a factor.

    a ** 3        ->      a * a * a

Skipped where results must agree to the bit: NumPy computes a scalar's power by the C library's pow.
"""

from __future__ import annotations

from ..ir.dast import Statement
from ..ir.expr import Binary, Const, Expr
from ..ir.node import Node, rewrite

MOST_FACTORS = 4


def expand_powers(body: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """*body* (typed) with float powers 2 to :data:`MOST_FACTORS` as products."""
    expanded = tuple(rewrite(s, _rule) for s in body)
    return body if all(a is b for a, b in zip(expanded, body, strict=True)) else expanded


def _rule(n: Node) -> Node | None:
    match n:
        case Binary("**", base, Const(value)) if _small(n, value):
            product: Expr = base
            for _ in range(int(value) - 1):
                product = Binary("*", product, base, dtype=n.dtype, loc=n.loc)
            return product
        case _:
            return None


def _small(n: Binary, value: float) -> bool:
    is_float = n.dtype is not None and n.dtype.kind == "f"
    return is_float and 2 <= value <= MOST_FACTORS and value == int(value)
