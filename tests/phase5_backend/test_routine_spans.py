"""Routines carry the span of what calls them: directly, through another routine, or none at all."""

# The kernel is written as users write them: without types.
# ruff: noqa: F821
# mypy: disable-error-code="no-untyped-def, name-defined"

from __future__ import annotations

import numpy as np

import sejits_nb as sj
from sejits_nb.ir.dtypes import F64
from sejits_nb.ir.node import Span
from sejits_nb.ir.past import CallC, Do, Function
from sejits_nb.phase5_backend.routine_spans import routine_spans

NEAR, FAR = Span(1, 0, 1, 9), Span(2, 0, 2, 9)
SQUARE = "static double square(double a)\n{\n    return a * a;\n}"
NORM = "static inline __attribute__((cold)) double norm(double a)\n{\n    return square(a);\n}"


def calling(**spans: Span) -> Function:
    body = tuple(Do(CallC(name, (), dtype=F64), loc=span) for name, span in spans.items())
    return Function("kernel", (), body)


def test_a_routine_belongs_to_what_calls_it() -> None:
    assert routine_spans(calling(norm=FAR, square=FAR), [SQUARE, NORM]) == [FAR, FAR]
    assert routine_spans(calling(norm=FAR), [SQUARE, NORM]) == [FAR, FAR]
    assert routine_spans(calling(square=NEAR), [SQUARE, NORM]) == [NEAR, None]


def test_what_different_pieces_call_belongs_to_none() -> None:
    assert routine_spans(calling(norm=FAR, square=NEAR), [SQUARE, NORM]) == [None, FAR]
    assert routine_spans(calling(), ["typedef double lanes;"]) == [None]


def test_in_a_mixture_each_routine_has_its_piece_of_the_cell() -> None:
    @sj.gmm(components=2, backend="c", tune="none", fallback=False)
    def speech(x, mix):
        for n in x.events():
            for k in mix.components():
                mix.joint[n, k] = log(mix.weight[k]) + log_normal(
                    x[n], mix.mean[k], mix.covariance[k]
                )
            mix.responsibility[n] = softmax(mix.joint[n])
        for k in mix.components():
            r = mix.responsibility[:, k]
            mix.weight[k] = mean(r)
            mix.mean[k] = average(x, r)
            mix.covariance[k] = scatter(x, mix.mean[k], r) + 1e-6 * eye

    x = np.random.default_rng(0).random((50, 2))
    speech(x, sj.Mixture(2, 2, mean=x[:2]))
    step = speech.trace.last(5)
    cell = speech.trace.source.text.splitlines()

    def piece(code: str) -> str:
        line = next(line for line in step.lines if code in line.text)
        assert line.loc
        return str(cell[line.loc.line - 1][line.loc.col :])

    assert piece("static inline lanes exp_lanes").startswith("mix.responsibility[n] = softmax(")
    assert piece("static int inverse_factor").startswith("log_normal(")
    assert piece("const double *restrict g, int64_t m").startswith("x.events()")
