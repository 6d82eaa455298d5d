"""Definite assignment: reads that some path reaches without an assignment."""

from __future__ import annotations

import ast

import pytest

from sejits_nb.ir.dast import Assign, If, Statement
from sejits_nb.ir.expr import Binary, Const, Expr, Name
from sejits_nb.phase1_frontend.definite import unset_reads


def tree(body: list[ast.stmt]) -> tuple[Statement, ...]:
    """Assignments, ``if`` and sums of names, as the DAST has them."""
    out: list[Statement] = []
    for s in body:
        match s:
            case ast.Assign([ast.Name(id)], value):
                out.append(Assign(id, expression(value)))
            case ast.If(test, then, orelse):
                out.append(If(expression(test), tree(then), tree(orelse)))
    return tuple(out)


def expression(e: ast.expr) -> Expr:
    match e:
        case ast.Name(id):
            return Name(id)
        case ast.BinOp(left, _, right):
            return Binary("+", expression(left), expression(right))
    return Const(1.0)


@pytest.mark.parametrize(
    ("program", "unset"),
    [
        ("a = 1\nb = a", ""),
        ("b = a\na = 1", "a"),
        ("a = a + 1", "a"),
        ("if c: a = 1\nb = a", "a"),
        ("if c: a = 1\nelse: a = 2\nb = a", ""),
        ("if c: a = 1\nelse: b = 2\nd = a + b", "a b"),
        ("if a: b = 1", "a"),
        ("if c:\n  if c: a = 1\n  else: a = 2\nelse: a = 3\nb = a", ""),
        ("if c:\n  if c: a = 1\nelse: a = 3\nb = a", "a"),
        ("if c:\n  a = 1\n  b = a\nelse: b = a", "a"),
        ("b = a + a", "a a"),
    ],
)
def test_unset_reads(program: str, unset: str) -> None:
    found = unset_reads(tree(ast.parse(program).body), {"c"})
    assert [n.id for n in found] == unset.split()
