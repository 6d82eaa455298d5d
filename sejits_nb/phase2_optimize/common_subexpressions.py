"""Common sub-expressions: what is read or computed twice is bound once.

    let a = u[x] * w[x]                     let t1 = w[x]
    let b = v[x] * w[x]             ->      let a = u[x] * t1
                                            let b = v[x] * t1

Copies (``let a = b``) disappear on the way.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable

from ..ir.dast import Let, Statement
from ..ir.expr import Cast, Const, Expr, Name
from ..ir.node import Node, children, map_children


def common_subexpressions(
    body: tuple[Statement, ...], taken: Iterable[str]
) -> tuple[Statement, ...]:
    """*body* (straight-line, single assignment) with every repeated expression bound to a name."""
    uses: Counter[Expr] = Counter()
    values: dict[Expr, Name] = {}
    copies: dict[str, Expr] = {}
    plain: list[Statement] = []
    for s in body:  # canonical names first: copies forwarded, equal lets merged
        s = _forward(s, copies)
        if isinstance(s, Let):
            value = s.value
            if isinstance(value, Name | Const):
                copies[s.name] = value
                continue
            if value in values:
                copies[s.name] = values[value]
                continue
            values[value] = Name(s.name, dtype=value.dtype, loc=s.loc)
        plain.append(s)
    for s in plain:
        _count(s, uses)
    names = _names(set(taken) | {s.name for s in body if isinstance(s, Let)})
    bound: dict[Expr, Name] = {}
    out: list[Statement] = []
    for s in plain:
        out.append(_share(s, uses, bound, values, names, out))
        if isinstance(s, Let):
            bound[s.value] = values[s.value]
    same = len(out) == len(body) and all(a is b for a, b in zip(out, body, strict=True))
    return body if same else tuple(out)


def _forward(s: Statement, copies: dict[str, Expr]) -> Statement:
    def change(n: Node) -> Node:
        if isinstance(n, Name) and n.id in copies:
            return dataclasses.replace(copies[n.id], loc=n.loc, dtype=n.dtype)
        return map_children(n, change)

    return map_children(s, change)


def _count(n: Node, uses: Counter[Expr]) -> None:
    for child in children(n):
        if _worth_a_name(child):
            uses[child] += 1  # type: ignore[index]  # only expressions are worth a name
            if uses[child] > 1:  # type: ignore[index]
                continue
        _count(child, uses)


def _worth_a_name(n: Node) -> bool:
    if not isinstance(n, Expr) or isinstance(n, Name | Const):
        return False
    return not (isinstance(n, Cast) and isinstance(n.operand, Name | Const))


def _share(
    s: Statement,
    uses: Counter[Expr],
    bound: dict[Expr, Name],
    values: dict[Expr, Name],
    names: Iterable[str],
    out: list[Statement],
) -> Statement:
    fresh = iter(names)

    def change(n: Node) -> Node:
        if not _worth_a_name(n) or not isinstance(n, Expr):
            return map_children(n, change)
        if n in bound:
            return dataclasses.replace(bound[n], loc=n.loc)
        below = map_children(n, change)
        if uses[n] < 2 or n in values:
            return below
        name = next(fresh)
        out.append(Let(name, below, loc=n.loc))
        bound[n] = Name(name, dtype=n.dtype)
        return dataclasses.replace(bound[n], loc=n.loc)

    if isinstance(s, Let):
        below = map_children(s.value, change)
        return s if below is s.value else dataclasses.replace(s, value=below)
    return map_children(s, change)


def _names(taken: set[str]) -> Iterable[str]:
    number = 0
    while True:
        number += 1
        if f"t{number}" not in taken:
            yield f"t{number}"
