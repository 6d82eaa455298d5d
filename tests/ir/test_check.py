"""The checks between phases catch planted ill-formed trees, and the pipeline asks them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sejits_nb.contracts import Pass
from sejits_nb.errors import InternalError
from sejits_nb.ir import past
from sejits_nb.ir.check import check_past, check_provenance, check_single_assignment, check_typed
from sejits_nb.ir.dast import Assign, Else, Let
from sejits_nb.ir.dtypes import F64, I64
from sejits_nb.ir.expr import Binary, Cast, Const, Name
from sejits_nb.ir.node import Node, Span, rewrite
from sejits_nb.ir.past import Declare, For, Function, Literal, Load, Param, Store, Unit, Variable
from sejits_nb.pipeline import Pipeline
from sejits_nb.platforms.c_openmp import SERIAL
from sejits_nb.specializers.stencil import SPECIALIZER
from sejits_nb.stages import ArrayType, KernelSource, Signature, Trace

HERE = Span(1, 0, 1, 5)
U, OUT, N = Param("u", F64, True), Param("out", F64, True, const=False), Param("n", I64)
I = Variable("i")  # noqa: E741  # the loop variable's own name
ONE = Literal(1.0, dtype=F64)
STORE = Store("out", I, Load("u", I, dtype=F64), loc=HERE)


def unit(*body: Any, params: tuple[Param, ...] = (U, OUT, N)) -> Unit:
    return Unit(Function("k", params, body, loc=HERE), loc=HERE)


def loop(*body: Any, **changed: Any) -> For:
    return dataclasses.replace(For("i", Literal(0), Literal(4), body, loc=HERE), **changed)


def let(name: str, value: past.PExpr = ONE) -> Declare:
    return Declare(name, F64, value, loc=HERE)


def test_a_well_formed_unit_has_no_problem() -> None:
    assert check_past(unit(loop(let("a"), STORE))) == ()
    assert check_past(unit(loop(let("a"), STORE), loop(let("a"), STORE))) == ()


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (unit(STORE), "'i' is used before it is declared"),
        (unit(loop(let("b", Variable("a")), let("a"))), "'a' is used before it is declared"),
        (unit(loop(let("a", Variable("a")))), "'a' is used before it is declared"),
        (unit(loop(let("a")), let("b", Variable("a"))), "'a' is used before it is declared"),
        (unit(loop(STORE, start=Variable("m"))), "'m' is used before it is declared"),
        (unit(loop(STORE, stop=I)), "'i' is used before it is declared"),
        (unit(loop(let("a"), let("a"))), "'a' is declared twice"),
        (unit(loop(let("n"))), "'n' is declared twice"),
        (unit(loop(loop(STORE))), "loop variable 'i' hides a name"),
        (unit(loop(STORE, var="n")), "loop variable 'n' hides a name"),
        (unit(loop(STORE, step=0)), "loop 'i' has step 0"),
        (unit(loop(dataclasses.replace(STORE, array="u"))), "store to 'u', which is no output"),
        (unit(loop(dataclasses.replace(STORE, array="w"))), "store to 'w', which is no output"),
        (unit(loop(dataclasses.replace(STORE, array="n"))), "store to 'n', which is no output"),
        (unit(loop(let("a", Load("n", I)))), "load from unknown pointer 'n'"),
        (unit(loop(let("a", past.Binary("**", I, I)))), "'**' is no C operator"),
        (unit(loop(let("a", Const(1.0)))), "Const is no PAST expression"),  # type: ignore[arg-type]
        (unit(loop(Let("a", Const(1.0), loc=HERE))), "Let is no PAST statement"),
        (unit(loop(STORE), params=(U, OUT, U)), "parameter 'u' twice"),
    ],
)  # fmt: skip
def test_an_ill_formed_past_is_found(wrong: Unit, problem: str) -> None:
    assert problem in check_past(wrong)


def test_a_statement_without_a_span_is_found() -> None:
    bare = dataclasses.replace(STORE, loc=None)
    assert check_past(unit(loop(bare))) == ("Store has no loc: " + str(bare),)
    assert check_provenance(unit(loop(STORE))) == ()


def test_names_bound_twice_and_left_over_assignments_are_found() -> None:
    twice = Else((Let("a", Const(1.0)), Let("a", Const(2.0)), Assign("b", Const(1.0))))
    assert check_single_assignment(twice) == (
        "'a' is bound twice",
        "Assign to 'b' after single assignment",
    )


def test_untyped_expressions_are_found() -> None:
    typed = Binary("+", Name("a", dtype=F64), Const(1.0, dtype=F64), dtype=F64)
    assert check_typed(typed) == ()
    assert len(check_typed(dataclasses.replace(typed, dtype=None))) == 1
    assert check_typed(Cast(Name("a", dtype=F64)))[0].startswith("untyped cast")


SOURCE = KernelSource(
    "k",
    "def k(u, out):\n    for x in out.interior_points():\n        out[x] = u[x] + u[x]\n",
    "here",
)
GRID = ArrayType(F64, (8, 8), (8, 1))
SIGNATURE = Signature((("u", GRID), ("out", GRID)))


def front_with(name: str, damage: Any) -> Trace:
    """Phases 1 to 3 with one pass replaced by *damage*."""
    passes = tuple(Pass(p.name, damage, p.ensures) if p.name == name else p
                   for p in SPECIALIZER.passes)  # fmt: skip
    return Pipeline(dataclasses.replace(SPECIALIZER, passes=passes), SERIAL).front(
        SOURCE, SIGNATURE
    )


def forget_types(n: Node) -> Node | None:
    return dataclasses.replace(n, dtype=None) if isinstance(n, Binary) else None


def forget_spans(tree: Any) -> Any:
    body = tuple(dataclasses.replace(s, loc=None) for s in tree.sweep.body)
    return dataclasses.replace(tree, sweep=dataclasses.replace(tree.sweep, body=body))


def repeat_body(tree: Any) -> Any:
    lets = tuple(s for s in tree.sweep.body if isinstance(s, Let))
    body = (*lets, *(lets or (Let("a", Const(1.0, dtype=F64), loc=HERE),) * 2), *tree.sweep.body)
    return dataclasses.replace(tree, sweep=dataclasses.replace(tree.sweep, body=body))


@pytest.mark.parametrize(
    ("name", "damage", "problem"),
    [
        ("infer types", lambda tree: rewrite(tree, forget_types), "untyped Binary"),
        ("fold constants", forget_spans, "StorePoint has no loc"),
        ("dead code", repeat_body, "is bound twice"),
    ],
)
def test_the_pipeline_stops_at_an_ill_formed_tree(name: str, damage: Any, problem: str) -> None:
    with pytest.raises(InternalError, match="X001") as caught:
        front_with(name, damage)
    assert f"{name!r} gave an ill-formed tree" in str(caught.value)
    assert problem in str(caught.value)
