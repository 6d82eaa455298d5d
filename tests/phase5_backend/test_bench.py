"""Edited code timed in a child of its own: on its CPUs, on copies of arrays, until it is stopped."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from sejits_nb.errors import BackendError
from sejits_nb.ir.dtypes import F64
from sejits_nb.phase5_backend.bench import Bench, native_bench
from sejits_nb.phase5_backend.compile_c import compile_source
from sejits_nb.stages import ArrayType, Artifact, Case, Expectation, Signature, SourceUnit

pytestmark = pytest.mark.needs("gcc")
Build = Callable[[str], Artifact]


@pytest.fixture
def build(make_unit: Callable[..., SourceUnit]) -> Build:
    return lambda body: compile_source(make_unit(body, "f64*out"), True)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = native_bench(5.0)
    yield made
    made.close()


def case(expected: Any = None) -> Case:
    """``out``, three zeros, must hold *expected*."""
    out = ArrayType(F64, (3,), (1,))
    told = () if expected is None else (Expectation("out", ..., expected, 0.0),)
    return Case(Signature((("out", out),)), {"out": np.zeros(3)}, told, "small grid")


def test_a_sample_is_the_mean_of_its_runs(bench: Bench, build: Build) -> None:
    slow, own = build("usleep(3000); out[0] += 1.0;"), case()
    assert 0.003 <= bench.sample(slow, own, 1, 5) < 0.3
    quick = build("out[1] += 1.0;")
    assert 0.0 < bench.sample(quick, own, 1, 100) < 0.003
    assert (own.values["out"] == 0.0).all()


def test_timing_leaves_alone_what_a_trial_sees(bench: Bench, build: Build) -> None:
    """Runs that are timed see what the runs before them left; a trial begins anew."""
    counting = build("out[0] += 1.0; out[1] = out[0];")
    for _ in range(3):
        bench.sample(counting, case(), 1, 4)
        assert bench.run(counting, case(np.array([1.0, 1.0, 0.0]))) == ""
    assert bench.run(counting, case(np.zeros(3))).startswith("out[0] is 1.0")
    assert bench.outputs(counting, case())["out"].tolist() == [1.0, 1.0, 0.0]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one CPU")
@pytest.mark.parametrize("threads", [1, 2])
def test_threads_stay_on_cpus_of_their_own_and_come_back(
    bench: Bench, make_unit: Callable[..., SourceUnit], threads: int
) -> None:
    """The code ends its process unless its threads are where they should be, or free again."""
    count = "cpu_set_t may; sched_getaffinity(0, sizeof may, &may); const int n = CPU_COUNT(&may);"
    loop = f"#pragma omp parallel for num_threads({threads})\nfor (int i = 0; i < {threads}; ++i)"

    def made(wanted: str) -> Artifact:
        unit = make_unit(
            f"{loop} {{ {count} if (!({wanted})) abort(); }}\nout[0] = 1.0;", "f64*out"
        )
        first, *rest = unit.lines
        defined = type(first)("#define _GNU_SOURCE"), type(first)("#include <sched.h>"), first
        return compile_source(SourceUnit("c", unit.entry, unit.params, (*defined, *rest)), True)

    bench.sample(made("n == 1"), case(), threads, 2)
    assert bench.run(made("n > 1"), case()) == ""
    with pytest.raises(BackendError, match=r"B011.*SIGABRT"):
        bench.sample(made("n > 1"), case(), threads, 2)


def test_a_crash_and_a_hang_are_told_and_end_only_the_child(build: Build) -> None:
    bench = native_bench(0.3)
    for body, said in (("abort();", "SIGABRT"), ("while (getpid()) ;", "no answer within 0.3 s")):
        with pytest.raises(BackendError, match=f"B011.*{said}"):
            bench.sample(build(body), case(), 1, 1)
        assert bench.run(build(body), case()).split(":")[0].strip() != ""
        assert not bench.finished
    assert bench.run(build("out[0] = 1.0;"), case(np.zeros(3))).startswith("out[0] is 1.0")
    assert bench.finished
    bench.close()


def test_a_stop_holds_until_the_end(bench: Bench, build: Build) -> None:
    threading.Timer(0.2, bench.stop).start()
    with pytest.raises(BackendError, match="B011: stopped"):
        bench.sample(build("while (getpid()) ;"), case(), 1, 1)
    assert bench.run(build("out[0] = 1.0;"), case()) == "stopped"
    bench.close()
    assert bench.run(build("out[0] = 1.0;"), case()) == ""


def test_memory_has_a_limit(bench: Bench, build: Build) -> None:
    fails = build("out[0] = malloc(1L << 40) == NULL; out[1] = malloc(1L << 20) != NULL;")
    assert bench.run(fails, case(np.array([1.0, 1.0, 0.0]))) == ""


def test_what_is_printed_beyond_a_limit_is_lost(bench: Bench, build: Build) -> None:
    prints = build(
        "static char row[1 << 20]; long whole = 0;\n"
        "while (whole < 100 && fwrite(row, sizeof row, 1, stdout) == 1) ++whole;\n"
        "out[0] = whole >= 60; out[1] = whole < 100;"
    )
    assert bench.run(prints, case(np.array([1.0, 1.0, 0.0]))) == ""
