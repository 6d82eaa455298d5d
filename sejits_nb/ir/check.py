"""Legality of both trees, written beside them; the pipeline asks after every phase.

Each function returns what is wrong as sentences, the empty tuple for a well-formed tree.
"""

from __future__ import annotations

from collections.abc import Iterable

from . import past
from .dast import Assign, Let, Statement
from .expr import Cast, Expr
from .node import Node, walk

_C_OPERATORS = frozenset("+ - * / % & | ^ << >> < <= > >= == != && ||".split())


def check_provenance(root: Node) -> tuple[str, ...]:
    """Every statement of a tree knows the span of the cell that it comes from."""
    return tuple(
        f"{type(n).__name__} has no loc: {n}"
        for n in walk(root)
        if isinstance(n, Statement) and n.loc is None
    )


def check_single_assignment(root: Node) -> tuple[str, ...]:
    """Every name is bound by one ``Let``, and no ``Assign`` is left."""
    problems, seen = [], set()
    for n in walk(root):
        if isinstance(n, Assign):
            problems.append(f"Assign to {n.name!r} after single assignment")
        elif isinstance(n, Let):
            if n.name in seen:
                problems.append(f"{n.name!r} is bound twice")
            seen.add(n.name)
    return tuple(problems)


def check_typed(root: Node) -> tuple[str, ...]:
    """Every expression has a dtype, and casts say what they convert to."""
    return tuple(
        f"untyped {'cast' if isinstance(n, Cast) else type(n).__name__}: {n}"
        for n in walk(root)
        if isinstance(n, Expr) and n.dtype is None
    )


def check_past(unit: past.Unit) -> tuple[str, ...]:
    """Names are declared before use and once, pointers are known, only outputs are stored to."""
    function = unit.function
    pointers = {p.name: p for p in function.params if p.pointer}
    scope = {p.name for p in function.params if not p.pointer} | {n for n, _ in unit.constants}
    problems = [f"parameter {p.name!r} twice" for p in function.params
                if [q.name for q in function.params].count(p.name) > 1]  # fmt: skip
    constant = {t.name: past.Param(t.name, t.dtype, pointer=True) for t in unit.tables}
    problems += _check_body(function.body, scope, pointers | constant)
    return (*problems, *check_provenance(unit))


def _check_body(
    body: Iterable[Node], outer: set[str], pointers: dict[str, past.Param]
) -> list[str]:
    scope, pointers, problems = set(outer), dict(pointers), []
    for n in body:
        match n:
            case past.Buffer(name, dtype, times=times):
                problems += _check_expr(times, scope, pointers) if times else []
                problems += [f"{name!r} is declared twice"] if name in pointers else []
                pointers[name] = past.Param(name, dtype, pointer=True, const=False)
            case past.Declare(name, _, value):
                problems += _check_expr(value, scope, pointers)
                problems += [f"{name!r} is declared twice"] if name in scope else []
                scope.add(name)
            case past.Store(array, index, value):
                for e in (index, value):
                    problems += _check_expr(e, scope, pointers)
                if array not in pointers or pointers[array].const:
                    problems.append(f"store to {array!r}, which is no output")
            case past.Do(call):
                problems += _check_expr(call, scope, pointers)
            case past.If(test, inner):
                problems += _check_expr(test, scope, pointers)
                problems += _check_body(inner, scope, pointers)
            case past.When(_, _, inner):
                problems += _check_body(inner, scope, pointers)
            case past.Team(threads, inner):
                problems += [f"a team of {threads} threads"] if threads < 2 else []
                problems += _check_body(inner, scope, pointers)
            case past.For(var, start, stop, inner, step):
                for e in (start, stop):
                    problems += _check_expr(e, scope, pointers)
                problems += [f"loop {var!r} has step {step}"] if step < 1 else []
                problems += [f"loop variable {var!r} hides a name"] if var in scope else []
                problems += _check_body(inner, scope | {var}, pointers)
            case _:
                problems.append(f"{type(n).__name__} is no PAST statement")
    return problems


def _check_expr(root: past.PExpr, scope: set[str], pointers: dict[str, past.Param]) -> list[str]:
    problems = []
    for n in walk(root):
        match n:
            case past.Variable(name) if name not in scope:
                problems.append(f"{name!r} is used before it is declared")
            case past.Load(array) | past.Address(array) if array not in pointers:
                problems.append(f"load from unknown pointer {array!r}")
            case past.Binary(op) if op not in _C_OPERATORS:
                problems.append(f"{op!r} is no C operator")
            case _ if not isinstance(n, past.PExpr):
                problems.append(f"{type(n).__name__} is no PAST expression")
    return problems
