"""A report made by hand: the blur of the tour, with the listings that its phases give."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from sejits_nb.ir.dast import Line
from sejits_nb.ir.dtypes import F64
from sejits_nb.ir.node import Span
from sejits_nb.results import Measurement, Report, Work
from sejits_nb.stages import (
    ArrayType,
    Artifact,
    BuildLog,
    Config,
    KernelSource,
    Signature,
    Step,
    Trace,
)

CELL = """\
%%stencil blur --on img
def blur(u, out):
    for x in out.interior_points():
        acc = 4.0 * u[x]  # the centre
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = acc / 8.0
"""
SPANS = {
    "k": Span(2, 0, 7, 26),
    "sweep": Span(3, 13, 3, 34),
    "centre": Span(4, 14, 4, 24),
    "u[x]": Span(4, 20, 4, 24),
    "acc": Span(4, 8, 4, 24),
    "near": Span(5, 17, 5, 34),
    "add": Span(6, 12, 6, 23),
    "u[y]": Span(6, 19, 6, 23),
    "store": Span(7, 8, 7, 26),
    "div": Span(7, 17, 7, 26),
}

DAST = """\
k     kernel blur(u, out)
sweep   sweep x over interior(out, 1)
acc       acc = 4.0 * u[x]
near      for y in neighbors(u, x, 1)
add         acc = acc + u[y]
store     out[x] = acc / 8.0"""

EXPANDED = """\
k     kernel blur(u, out)
sweep   sweep x over interior(out, 1)
acc       acc = 4.0 * u[x]
add       acc = acc + u[x + (-1, 0)]
add       acc = acc + u[x + (0, -1)]
add       acc = acc + u[x + (0, 1)]
add       acc = acc + u[x + (1, 0)]
store     out[x] = acc / 8.0"""

SCALAR = """\
k      kernel blur(u, out)
sweep    sweep x over interior(out, 1)
centre     let acc_0: f64 = 4.0 * u[x]
add        let acc_1: f64 = acc_0 + u[x + (-1, 0)]
add        let acc_2: f64 = acc_1 + u[x + (0, -1)]
add        let acc_3: f64 = acc_2 + u[x + (0, 1)]
add        let acc_4: f64 = acc_3 + u[x + (1, 0)]
store      out[x] = acc_4 / 8.0"""

PAST = """\
k      unit
k        function blur(u: const f64*, out: f64*)
sweep      for i0 in [1, 511)  [parallel, 2 threads]
sweep        for i1 in [1, 511)  [simd]
centre         acc_0: f64 = 4.0*u[512*i0 + i1]
add            acc_1: f64 = acc_0 + u[512*i0 + i1 - 512]
add            acc_2: f64 = acc_1 + u[512*i0 + i1 - 1]
add            acc_3: f64 = acc_2 + u[512*i0 + i1 + 1]
add            acc_4: f64 = acc_3 + u[512*i0 + i1 + 512]
store          out[512*i0 + i1] = acc_4 / 8.0"""

C = """\
-      #include <math.h>
-      #include <stdint.h>
-
k      void blur(const double *restrict u, double *restrict out)
-      {
sweep    #pragma omp parallel for num_threads(2) schedule(static)
sweep    for (int64_t i0 = 1; i0 < 511; i0 += 1) {
sweep      #pragma omp simd
sweep      for (int64_t i1 = 1; i1 < 511; i1 += 1) {
u[x]         const double u_0 = u[512 * i0 + i1];
centre       const double acc_0 = 4.0 * u_0;
u[y]         const double u_1 = u[512 * i0 + i1 - 512];
add          const double acc_1 = acc_0 + u_1;
u[y]         const double u_2 = u[512 * i0 + i1 - 1];
add          const double acc_2 = acc_1 + u_2;
u[y]         const double u_3 = u[512 * i0 + i1 + 1];
add          const double acc_3 = acc_2 + u_3;
u[y]         const double u_4 = u[512 * i0 + i1 + 512];
add          const double acc_4 = acc_3 + u_4;
div          const double q = acc_4 / 8.0;
store        out[512 * i0 + i1] = q;
-          }
-        }
-      }"""


def lines(text: str) -> tuple[Line, ...]:
    """``name  text`` a line; the name is a key of SPANS, ``-`` for a line from nowhere."""
    margin = max(len(row.split(" ")[0]) for row in text.splitlines()) + 1
    margin = max(margin, 6 if "sweep   sweep" in text else 7)
    return tuple(Line(row[margin:], SPANS.get(row.split(" ")[0])) for row in text.splitlines())


def config(threads: int, tile: int, unroll: int) -> Config:
    return Config((("threads", threads), ("tile", tile), ("unroll", unroll)))


def measured(knobs: tuple[int, int, int], median_ms: float, mad_ms: float) -> Measurement:
    times = (median_ms - mad_ms, median_ms, median_ms + mad_ms)
    return Measurement(config(*knobs), "openmp", "correct", tuple(t / 1e3 for t in times))


def make_trace(cell: str = CELL) -> Trace:
    return Trace(
        KernelSource("blur", cell, "Cell In[7]"),
        (
            Step(1, "DAST", lines(DAST), 0.0004),
            Step(2, "fold constants", lines(DAST), 0.0001, changed=False),
            Step(2, "expand neighborhoods", lines(EXPANDED), 0.0003),
            Step(2, "single assignment", lines(SCALAR), 0.0002),
            Step(3, "PAST", lines(PAST), 0.0005),
            Step(4, "PAST, variant threads=2 tile=0 unroll=1", lines(PAST), 0.0001),
            Step(5, "C", lines(C), 0.0006),
        ),
    )


@pytest.fixture
def report() -> Report:
    """Eight variants tried, one a tie, one wrong; the plain Python timed on 1 600 points."""
    grid = ArrayType(F64, (512, 512), (512, 1))
    best = measured((2, 0, 1), 0.192, 0.004)
    wrong = Measurement(config(2, 64, 8), "openmp", "wrong",
                        reason="out[3, 7] is 1.5, the plain Python has 1.25")  # fmt: skip
    return Report(
        trace=make_trace(),
        signature=Signature((("u", grid), ("out", grid))),
        measurements=(
            measured((1, 0, 1), 0.371, 0.006),
            best,
            measured((2, 0, 4), 0.195, 0.003),
            measured((2, 32, 1), 0.214, 0.005),
            wrong,
            measured((2, 32, 4), 0.231, 0.004),
            measured((1, 0, 4), 0.382, 0.002),
            measured((1, 32, 4), 0.405, 0.011),
        ),
        best=best,
        work=Work(points=260_100, flops_per_point=6, bytes_=2 * 8 * 512 * 512),
        python_s=0.806,
        python_points=1_600,
        artifact=Artifact(
            key="3f" * 32,
            library="/home/ada/.cache/sejits_nb/v1/3f3f/blur.so",
            source="/home/ada/.cache/sejits_nb/v1/3f3f/blur.c",
            entry="blur",
            params=(),
            build=BuildLog(
                ("/usr/bin/gcc", "-O3", "-march=native", "-fopenmp", "-shared", "blur.c"), "", 0.41
            ),
            cached=False,
        ),
        machine="AMD EPYC 7763, 2 of 2 CPUs",
        date="2025-11-21 13:40",
        seconds=0.93,
    )


@pytest.fixture
def altered(report: Report) -> Callable[..., Report]:
    """``altered(check="off")``: the report with some fields replaced."""
    return lambda **changes: dataclasses.replace(report, **changes)
