"""Indices as linear forms: how far an element index moves with each loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ..ir.past import Binary, Literal, PExpr, Variable


def linear_form(index: PExpr) -> tuple[Mapping[str, int], int] | None:
    """Coefficients by loop variable, and the constant; ``None`` where *index* is no linear form.

    ``(i - 1)*512 + j`` gives ``({"i": 512, "j": 1}, -512)``.
    """
    match index:
        case Literal(int() as value):
            return {}, value
        case Variable(name):
            return {name: 1}, 0
        case Binary("+" | "-" as op, left, right):
            first, second = linear_form(left), linear_form(right)
            if first is None or second is None:
                return None
            sign = 1 if op == "+" else -1
            total = Counter(first[0])
            for name, factor in second[0].items():
                total[name] += sign * factor
            return total, first[1] + sign * second[1]
        case Binary("*", left, right):
            first, second = linear_form(left), linear_form(right)
            if first is None or second is None or (first[0] and second[0]):
                return None
            (form, scale) = (first, second[1]) if first[0] else (second, first[1])
            return {n: f * scale for n, f in form[0].items()}, form[1] * scale
        case _:
            return None


def index_of(
    coefficients: Mapping[str, int], offsets: Mapping[str, int], constant: int = 0
) -> PExpr:
    """The index whose loop variables are moved by *offsets*: ``(i + 2)*512 + j + constant``."""
    total: PExpr | None = None
    for name, factor in coefficients.items():
        term: PExpr = _moved(Variable(name), offsets.get(name, 0))
        term = Binary("*", term, Literal(factor)) if factor != 1 else term
        total = term if total is None else Binary("+", total, term)
    return Literal(constant) if total is None else _moved(total, constant)


def _moved(e: PExpr, offset: int) -> PExpr:
    return Binary("+" if offset > 0 else "-", e, Literal(abs(offset))) if offset else e
