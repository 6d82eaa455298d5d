"""Launches: what stands beside nests of work-items is done on the host's side, before them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sejits_nb.errors import BackendError
from sejits_nb.ir.check import check_past
from sejits_nb.ir.dast import Statement
from sejits_nb.ir.dtypes import BOOL, F64, I64
from sejits_nb.ir.evaluate import evaluate
from sejits_nb.ir.node import Span
from sejits_nb.ir.past import (
    Address,
    Binary,
    Buffer,
    CallC,
    Declare,
    Do,
    For,
    Function,
    If,
    Literal,
    Load,
    Param,
    PExpr,
    Routine,
    Store,
    Unit,
    Variable,
)
from sejits_nb.phase5_backend.dialects import OPENCL
from sejits_nb.phase5_backend.launches import enqueued
from sejits_nb.phase5_backend.print_source import print_source
from sejits_nb.phase5_backend.run_opencl import compile_opencl, load
from sejits_nb.stages import Artifact, BuildLog, SourceUnit

HERE = Span(1, 0, 1, 9)
GROUP, ROWS, ITEM, N = (Variable(name) for name in ("group", "rows", "item", "n"))
ZERO = Literal(0.0, dtype=F64)


def binary(op: str, left: PExpr, right: PExpr) -> Binary:
    return Binary(op, left, right, dtype=BOOL if op in ("<", "==", "!=") else left.dtype)


def loop(var: str, stop: PExpr, *body: Statement, **marks: int) -> For:
    return For(var, Literal(0), stop, body, loc=HERE, **marks)  # type: ignore[arg-type]  # only ints


def sum_of_squares() -> Unit:
    """``out[0]`` is the sum of the squares of ``u[0:count]``, if ``steps`` asks for it."""
    padded = binary("/", binary("+", Variable("count"), binary("-", GROUP, Literal(1))), GROUP)
    value = Load("u", N, dtype=F64)
    seen = If(binary("<", N, Variable("count")),
              (Store("squares", N, binary("*", value, value), loc=HERE),), loc=HERE)  # fmt: skip
    squares = loop("n", ROWS, Store("squares", N, ZERO, loc=HERE), seen, work_item=0, group=8)
    first = Literal(0)
    added = binary("+", Load("sum", first, dtype=F64), Load("squares", N, dtype=F64))
    here = binary("+", binary("*", Variable("step"), GROUP), ITEM)
    item = loop(
        "item", GROUP,
        Buffer("sum", F64, 1, loc=HERE), Store("sum", first, ZERO, loc=HERE),
        loop("step", binary("/", ROWS, GROUP), Declare("n", I64, here, loc=HERE),
             Store("sum", first, added, loc=HERE)),
        Store("sums", ITEM, Load("sum", first, dtype=F64), loc=HERE),
        Do(CallC("group_sum", (Address("sums", first), ITEM, GROUP)), loc=HERE),
        If(binary("==", ITEM, first), (Store("out", first, Load("sums", first, dtype=F64), loc=HERE),),
           loc=HERE),
        work_item=0,
    )  # fmt: skip
    sums = Buffer("sums", F64, 1, local=True, times=GROUP, loc=HERE)
    asked = binary("!=", binary("&", Variable("steps"), Literal(2)), first)
    body = (
        Declare("rows", I64, binary("*", padded, GROUP), loc=HERE),
        Buffer("squares", F64, 1, heap=True, times=ROWS, loc=HERE),
        squares,
        If(asked, (loop("k", Literal(1), sums, item, work_group=0),), loc=HERE),
    )
    params = (Param("u", F64, True), Param("out", F64, True, const=False),
              Param("steps", I64), Param("count", I64))  # fmt: skip
    routines = (Routine("gmm/group_sum"),)
    return Unit(Function("k", params, body, loc=HERE), (), (), routines, (("group", 8),), loc=HERE)


def artifact_of(source: SourceUnit) -> Artifact:
    return Artifact("", "", "", source.entry, source.params, BuildLog((), "", 0.0), False,
                    source.launches, source.host_arguments)  # fmt: skip


KERNELS = """\
__kernel __attribute__((reqd_work_group_size(8, 1, 1)))
void k(__global const double *restrict u, const long count, __global double *restrict squares)
{
    const long n = get_global_id(0);
    squares[n] = 0.0;
    if (n < count) {
        squares[n] = u[n] * u[n];
    }
}

__kernel __attribute__((reqd_work_group_size(8, 1, 1)))
void k_1(__global double *restrict out, const long rows, __global double *restrict squares)
{
    const long k = get_group_id(0);
    __local double sums[group];
    const long item = get_local_id(0);
    double sum[1];
    sum[0] = 0.0;
    for (long step = 0; step < rows / group; step++) {
        const long n = step * group + item;
        sum[0] = sum[0] + squares[n];
    }
    sums[item] = sum[0];
    group_sum(sums, item, group);
    if (item == 0) {
        out[0] = sums[0];
    }
}
"""


def test_each_kernel_has_what_it_uses() -> None:
    source = print_source(sum_of_squares(), OPENCL)
    assert source.text.partition("__kernel")[2] == KERNELS.partition("__kernel")[2]
    assert "enum { group = 8 };" in source.text
    assert [x.args for x in source.launches] == [
        ("u", "count", "squares"),
        ("out", "rows", "squares"),
    ]
    made = [(a.name, a.kind) for a in source.host_arguments]
    assert made == [("rows", "i64"), ("squares", "scratch")]


def test_sizes_and_conditions_are_those_of_the_call() -> None:
    made = artifact_of(print_source(sum_of_squares(), OPENCL))
    launches, own = enqueued(made, {"steps": 3, "count": 17})
    assert launches == [("k", (24,), (8,), (0, 3, 5)), ("k_1", (8,), (8,), (1, 4, 5))]
    assert own == [("i64", 24), ("scratch", 8 * 24)]
    assert [x[0] for x in enqueued(made, {"steps": 1, "count": 17})[0]] == ["k"]


@pytest.mark.needs("opencl")
def test_arrays_of_the_device_and_of_a_work_group(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = load(compile_opencl(print_source(sum_of_squares(), OPENCL), False))
    out = np.zeros(1)
    for count in (1, 8, 1001):
        u = np.arange(float(count))
        kernel({"u": u, "out": out, "steps": 2, "count": count})
        assert out[0] == u @ u
    kernel({"u": np.ones(3), "out": out, "steps": 1, "count": 3})
    assert out[0] == u @ u, "no second launch was asked for"
    kernel({"u": np.zeros(0), "out": out, "steps": 2, "count": 0})
    assert out[0] == 0.0
    monkeypatch.setattr(kernel._host, "largest_bytes", 8000)
    with pytest.raises(BackendError, match=r"an array of 8\.06e-06 GB on the device") as caught:
        kernel({"u": u, "out": out, "steps": 2, "count": 1001})
    assert caught.value.code == "B010"


def test_names_of_the_host_side_are_checked() -> None:
    unit = sum_of_squares()
    assert not check_past(replace(unit, routines=()))
    body = unit.function.body[1:]
    without = replace(unit, function=replace(unit.function, body=body))
    assert "'rows' is used before it is declared" in check_past(without)


def test_what_no_scalar_decides_is_no_size() -> None:
    with pytest.raises(TypeError, match="Load is no expression of scalar parameters"):
        evaluate(Load("u", Literal(0)), {})
