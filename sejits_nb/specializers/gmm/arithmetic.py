"""What arithmetic the mixture language has: real numbers, of fitting kinds."""

from __future__ import annotations

import dataclasses

from ...ir.expr import (
    INTRINSICS,
    MORE_INTRINSICS,
    Binary,
    Call,
    Cast,
    Compare,
    Expr,
    Logic,
    Lookup,
    Select,
    Unary,
)
from ...ir.node import Node, children, walk
from ...phase1_frontend.diagnose import Findings
from .dast import Event, Kind
from .kinds import kind_of
from .scope import Inverse, Scope, Solved, sound

_ARITHMETIC = ("+", "-", "*", "/", "**")
FUNCTIONS = INTRINSICS | MORE_INTRINSICS


def checked(
    e: Expr, scope: Scope, findings: Findings, *, number: bool, truth: bool = False
) -> Expr:
    """*e*, once what is wrong with it has been found.

    ``number`` asks for a value that is computed: all that is left of an event are its distances;
    ``truth`` allows a truth value.
    """
    before = len(findings.found)
    _operators(e, findings, truth)
    _kinds(e, scope, findings)
    if number and len(findings.found) == before:
        for n in walk(e):
            if isinstance(n, Inverse | Solved):
                findings.add("G029", n.loc, name="inverse" if isinstance(n, Inverse) else "solve")
                break
            if isinstance(n, Event):
                findings.add("G018", n.loc, x=scope.events, n=scope.event, mix=scope.mixture,
                             k=scope.component)  # fmt: skip
                break
    return e


def plain(n: Node) -> Node | None:
    """A rule: ``math.log`` and ``numpy.log`` are one function here, of real numbers."""
    if isinstance(n, Cast):
        return n.operand
    if isinstance(n, Call) and n.func.startswith("numpy."):
        return dataclasses.replace(n, func=n.func.removeprefix("numpy."))
    return None


def _operators(e: Expr, findings: Findings, truth: bool = False) -> None:
    """Finds what is not in the language; *truth* where a truth value may stand."""
    match e:
        case Binary(op) if op not in _ARITHMETIC:
            findings.add("G024", e.loc, what=f"operator {op}")
        case Unary("~" as op):
            findings.add("G024", e.loc, what=f"operator {op}")
        case Compare() | Logic() | Unary("not") if not truth:
            findings.add("G024", e.loc, what="a truth value")
        case Lookup():
            findings.add("G024", e.loc, what="a look-up in a table")
        case Cast() if e.dtype is None or e.dtype.kind != "f":
            findings.add("G024", e.loc, what=f"{e.dtype}()")
        case Call(func) if func.removeprefix("numpy.") not in FUNCTIONS:
            findings.add("G024", e.loc, what=f"{func.removeprefix('numpy.')}()")
    for child in children(e):
        if isinstance(child, Expr):
            inside = isinstance(e, Logic) or (isinstance(e, Unary) and e.op == "not")
            test = isinstance(e, Select) and child is e.test
            _operators(child, findings, test or (truth and inside))


def _kinds(e: Expr, scope: Scope, findings: Findings) -> None:
    def misfit(at: Expr, left: Kind, right: Kind) -> None:
        hint = "add a multiple of eye to a matrix, a vector to a vector"
        what = at.op if isinstance(at, Binary | Compare | Logic) else "a choice"
        findings.add("G010", at.loc, what=what, left=f"a {left}", right=f"a {right}", hint=hint)

    if not sound(e):
        return
    kind_of(e, scope.kinds, misfit)
    for n in walk(e):
        one: tuple[Expr, ...] = ()
        match n:
            case Select(test):
                one, what = (test,), "a choice"
            case Call("min" | "max" as what, args):
                one = args
            case Cast(operand):
                one, what = (operand,), "a function of math"
        for operand in one:
            kind = kind_of(operand, scope.kinds)
            if kind != "scalar":
                findings.add("G010", n.loc, what=what, left=f"a {kind}", right="numbers",
                             hint="numpy.minimum and numpy.exp go element by element")  # fmt: skip
