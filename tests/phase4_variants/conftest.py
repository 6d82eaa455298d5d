"""A lowered kernel of any shape, its listing, and an interpreter that says what it stores where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import prod

import pytest

from sejits_nb.ir import past
from sejits_nb.ir.check import check_past
from sejits_nb.ir.dast import Statement
from sejits_nb.ir.dtypes import F64
from sejits_nb.ir.node import Span
from sejits_nb.ir.past import Binary, CallC, For, Literal, Load, Param, PExpr, Store, Unit, Variable
from sejits_nb.stages import lines_of

Nest = Callable[..., Unit]
HERE = Span(1, 0, 1, 5)


@pytest.fixture
def nest() -> Nest:
    """``nest(5, 7)``: ``out[i*7 + j] = u[i*7 + j]`` for all i < 5, j < 7."""

    def make(*lengths: int) -> Unit:
        names = "ijkl"[: len(lengths)]
        index: PExpr | None = None
        for axis, name in enumerate(names):
            stride = prod(lengths[axis + 1 :])
            term: PExpr = Variable(name)
            term = Binary("*", term, Literal(stride)) if axis < len(lengths) - 1 else term
            index = term if index is None else Binary("+", index, term)
        assert index is not None
        body: tuple[Statement, ...] = (Store("out", index, Load("u", index, dtype=F64), loc=HERE),)
        for axis, (name, length) in reversed(list(enumerate(zip(names, lengths, strict=True)))):
            innermost = axis == len(lengths) - 1
            body = (For(name, Literal(0), Literal(length), body, axis=axis, independent=True,
                        simd=innermost, loc=HERE),)  # fmt: skip
        params = (Param("u", F64, pointer=True), Param("out", F64, pointer=True, const=False))
        return Unit(past.Function("copy_kernel", params, body, loc=HERE), loc=HERE)

    return make


@pytest.fixture
def show() -> Callable[[Unit], str]:
    """The loops and stores of a well-formed unit as text, from the outermost loop on."""

    def text(unit: Unit) -> str:
        assert check_past(unit) == ()
        return "\n".join(line.text[4:] for line in lines_of(unit)[2:])

    return text


@pytest.fixture
def stored() -> Callable[..., list[int]]:
    """The elements of ``out`` that a run of the unit stores to, each from its own element of ``u``;
    ``phase`` is the place of ``out[0]`` in its cache line, in elements."""

    def run(unit: Unit, phase: int = 0) -> list[int]:
        assert check_past(unit) == ()
        return list(_run(unit.function.body, {"phase": phase}, {}))

    return run


def _run(
    body: Iterable[Statement], scope: dict[str, int], lines: dict[str, list[int]]
) -> Iterator[int]:
    for s in body:
        match s:
            case For(var, start, stop, inner, step):
                for value in range(_value(start, scope), _value(stop, scope), step):
                    yield from _run(inner, scope | {var: value}, lines)
            case past.Team(_, inner):
                yield from _run(inner, scope, lines)
            case past.Declare(name, _, value):
                scope = scope | {name: _value(value, scope)}
            case past.Buffer(name):
                lines[name] = []
            case past.Do(CallC("stream_f64", (past.Address(_, index), past.Address(line)))):
                first = _value(index, scope)
                assert (first + scope["phase"]) % 8 == 0
                assert lines[line] == [*range(first, first + 8)]
                yield from lines[line]
            case past.Do():
                pass  # hints and fences
            case Store(array, _, Load(_, read)) if array in lines:
                lines[array].append(_value(read, scope))
            case Store(_, index, Load(_, read)):
                assert _value(index, scope) == _value(read, scope)
                yield _value(index, scope)
            case _:
                raise TypeError(s)


def _value(e: PExpr, scope: dict[str, int]) -> int:
    match e:
        case Literal(value):
            return int(value)
        case Variable(name):
            return scope[name]
        case Binary("+", left, right):
            return _value(left, scope) + _value(right, scope)
        case Binary("-", left, right):
            return _value(left, scope) - _value(right, scope)
        case Binary("*", left, right):
            return _value(left, scope) * _value(right, scope)
        case Binary("&", left, right):
            return _value(left, scope) & _value(right, scope)
        case CallC("min_i64", (left, right)):
            return min(_value(left, scope), _value(right, scope))
        case CallC("gap_f64", (past.Address(_, index),)):
            return -(_value(index, scope) + scope["phase"]) % 8
    raise TypeError(e)
