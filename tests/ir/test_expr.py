"""Expressions in Python's spelling: fewest parentheses, and the same tree when read back."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sejits_nb.ir.dtypes import F32, PY_FLOAT
from sejits_nb.ir.expr import (
    Binary,
    Call,
    Cast,
    Compare,
    Const,
    Expr,
    Logic,
    Name,
    Select,
    Unary,
    show,
)  # fmt: skip
from sejits_nb.phase1_frontend.diagnose import Findings
from sejits_nb.phase1_frontend.subset import ExpressionReader
from sejits_nb.specializers.stencil.rules import RULES
from sejits_nb.stages import KernelSource


def read(text: str) -> Expr:
    source = KernelSource("k", text, "here")
    findings = Findings(source, RULES)
    names = {*"abcd", "u"}
    expression = ExpressionReader(source, findings, lambda e: None, names).read(
        ast.parse(text, mode="eval").body
    )
    assert findings.found == []
    return expression


@pytest.mark.parametrize(
    "text",
    [
        "a + b + c", "a + (b + c)", "a - b - c", "a - (b - c)", "a * b + c", "a * (b + c)",
        "a / b * c", "a / (b * c)", "-a ** b", "(-a) ** b", "a ** b ** c", "(a ** b) ** c", "--a",
        "a ** -b", "-a * b", "-(a * b)", "a // b % c", "a << b | c & d ^ a", "not a < b",
        "not (a and b)", "a and b or c", "a and (b or c)", "(a < b) == c", "a < b and b < c",
        "a if b else c", "(a if b else c) if d else a", "a if b else c if d else a",
        "(a if b else c) + d", "min(a + b, c)", "a + min(a, b) ** 2.0", "~a & b", "~(a & b)",
        "a * -2.0", "a - -2.0", "(-2.0) ** a", "a ** -2.0",
    ],
)  # fmt: skip
def test_minimal_parentheses(text: str) -> None:
    assert show(read(text)) == text


def test_casts_are_spelled_by_their_type() -> None:
    assert show(Cast(Binary("+", Name("a"), Const(1)), dtype=F32)) == "f32(a + 1)"
    assert show(Cast(Name("a"), dtype=PY_FLOAT)) == "float(a)"


def expressions() -> st.SearchStrategy[Expr]:
    leaves = st.sampled_from([Name("a"), Name("b"), Const(1.0), Const(2)])

    def grown(e: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
        arithmetic = st.sampled_from("+ - * / // % ** & | ^ << >>".split())
        order = st.sampled_from("< <= > >= == !=".split())
        return st.one_of(
            st.builds(Binary, arithmetic, e, e),
            st.builds(Compare, order, e, e),
            st.builds(Logic, st.sampled_from(["and", "or"]), e, e),
            st.builds(Unary, st.sampled_from(["-", "not", "~"]), e),
            st.builds(Select, e, e, e),
            st.builds(lambda a, b: Call("max", (a, b)), e, e),
        )

    return st.recursive(leaves, grown, max_leaves=8)


def plain(e: Expr) -> object:
    """The shape of a tree without types, spans, or how ``and`` chains are nested."""
    match e:
        case Const(value):
            return value
        case Name(id):
            return id
        case Unary(op, operand):
            return op, plain(operand)
        case Binary(op, a, b) | Compare(op, a, b) | Logic(op, a, b):
            return op, plain(a), plain(b)
        case Select(a, b, c):
            return "if", plain(a), plain(b), plain(c)
        case Call(func, args):
            return func, *map(plain, args)
    raise TypeError(e)


@given(expressions())
def test_what_is_shown_reads_back_as_the_same_tree(e: Expr) -> None:
    assert plain(read(show(e))) == plain(e)
