"""Single assignment: every name is bound once, and ``if`` becomes a choice between values.

    acc = 0.0                          let acc = 0.0
    if u[x] > 0.0:                     let test = u[x] > 0.0
        acc = acc + u[x]        ->     let acc_1 = acc + u[x]
                                       let acc_2 = acc_1 if test else acc

Both branches are computed: expressions have no effects and every read is inside the ghost zone, so
that is safe, and the body stays vectorisable.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from ..ir.dast import Assign, If, Let, Statement
from ..ir.dtypes import PY_BOOL
from ..ir.expr import Cast, Compare, Expr, Name, Select
from ..ir.node import Node, Span, rewrite, walk

_N = TypeVar("_N", bound=Node)


def single_assignment(body: tuple[Statement, ...], taken: Iterable[str]) -> tuple[Statement, ...]:
    """*body* with ``Let`` for ``Assign`` and ``Select`` for ``If``; *taken* names are not reused."""
    if not any(isinstance(s, Assign | If) for s in body):
        return body
    names = {n.id for s in body for n in walk(s) if isinstance(n, Name)}
    names |= {n.name for s in body for n in walk(s) if isinstance(n, Assign)}
    state = _Versions(names | set(taken))
    out: list[Statement] = []
    state.block(body, {}, out)
    return tuple(out)


@dataclass(slots=True)
class _Versions:
    taken: set[str]
    bound: set[str] = field(default_factory=set)

    def fresh(self, name: str) -> str:
        """*name* itself the first time it is bound, ``name_1``, ``name_2``, ... after that."""
        if name not in self.bound:
            self.bound.add(name)
            return name
        number = 1
        while (candidate := f"{name}_{number}") in self.taken:
            number += 1
        self.taken.add(candidate)
        return candidate

    def temporary(self, name: str) -> str:
        """A name like *name* that the program does not use."""
        if name not in self.taken:
            self.taken.add(name)
            self.bound.add(name)
            return name
        self.bound.add(name)
        return self.fresh(name)

    def block(
        self, body: Iterable[Statement], current: dict[str, str], out: list[Statement]
    ) -> dict[str, str]:
        for s in body:
            if isinstance(s, Assign):
                value = _renamed(s.value, current)
                version = self.fresh(s.name)
                out.append(Let(version, value, loc=s.loc))
                current = current | {s.name: version}
            elif isinstance(s, If):
                current = self.merge(s, current, out)
            else:
                out.append(_renamed(s, current))
        return current

    def merge(self, s: If, before: dict[str, str], out: list[Statement]) -> dict[str, str]:
        test = self.temporary("test")
        condition = _renamed(s.test, before)
        if not isinstance(condition, Compare):  # a number is true if it is not zero
            condition = Cast(condition, dtype=PY_BOOL, loc=s.test.loc)
        out.append(Let(test, condition, loc=s.test.loc or s.loc))
        then = self.block(s.then, before, out)
        orelse = self.block(s.orelse, before, out)
        after = dict(before)
        for name in sorted(then.keys() | orelse.keys()):
            a, b = then.get(name), orelse.get(name)
            if a is not None and b is not None and a != b:
                loc = _assigned_at(s, name) or s.loc
                chosen = Select(Name(test), Name(a), Name(b), loc=loc)
                after[name] = self.fresh(name)
                out.append(Let(after[name], chosen, loc=loc))
            elif a is not None and a == b:
                after[name] = a
        return after


def _assigned_at(s: If, name: str) -> Span | None:
    """Where the branch's last assignment of *name* stands: the smallest span that a merge computes."""
    found = [n.loc for n in walk(s) if isinstance(n, Assign) and n.name == name]
    return found[-1] if found else None


def _renamed(root: _N, current: dict[str, str]) -> _N:
    def rule(n: Node) -> Expr | None:
        if isinstance(n, Name) and current.get(n.id, n.id) != n.id:
            return dataclasses.replace(n, id=current[n.id])
        return None

    return rewrite(root, rule)
