"""The tour's kernels, phase by phase, as files to read: ``make golden`` writes them anew.

Each line of a listing stands beside the span of the cell that it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count

import pytest

from sejits_nb.ir.dast import Line, Statement
from sejits_nb.ir.dtypes import F32, F64, DType
from sejits_nb.ir.node import Span, walk
from sejits_nb.ir.past import Declare, For, Store, Unit
from sejits_nb.pipeline import Pipeline
from sejits_nb.platforms.c_openmp import OPENMP
from sejits_nb.platforms.opencl import OPENCL
from sejits_nb.specializers.stencil import SPECIALIZER
from sejits_nb.stages import (
    ArrayType,
    Config,
    KernelSource,
    ScalarType,
    Signature,
    SourceUnit,
    Step,
    Trace,
)

PIPELINE = Pipeline(SPECIALIZER, OPENMP)
THREADS = 2


@dataclass(frozen=True)
class Kernel:
    """A cell and the one call that it is lowered for: C-ordered grids of one shape, then numbers."""

    cell: str
    grids: tuple[str, ...]
    shape: tuple[int, ...]
    configs: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    dtype: DType = F64

    @property
    def name(self) -> str:
        found = re.search(r"def (\w+)", self.cell)
        assert found
        return found[1]

    @property
    def signature(self) -> Signature:
        strides = [1]
        for length in reversed(self.shape[1:]):
            strides.insert(0, strides[0] * length)
        array = ArrayType(self.dtype, self.shape, tuple(strides))
        kinds: list[tuple[str, ArrayType | ScalarType]] = [(g, array) for g in self.grids]
        return Signature((*kinds, *((n, ScalarType(F64)) for n in self.numbers)))

    def front(self, pipeline: Pipeline = PIPELINE) -> Trace:
        return pipeline.front(KernelSource(self.name, self.cell, "Cell In[1]"), self.signature)

    def variant(self, text: str, pipeline: Pipeline = PIPELINE) -> tuple[Trace, SourceUnit]:
        """Phases 4 and 5 of the configuration ``unroll=4 threads=2``."""
        pairs = (pair.split("=") for pair in text.split())
        config = Config(tuple((knob, int(value)) for knob, value in pairs))
        trace = self.front(pipeline)
        space = pipeline.space(trace, THREADS)
        return pipeline.emit(pipeline.choose(trace, space, config))


KERNELS = (
    Kernel("""\
%%stencil blur --on img
def blur(u, out):
    for x in out.interior_points():
        acc = 4.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = acc / 8.0
""", ("u", "out"), (512, 512), ("threads=1 unroll=1", "threads=2 unroll=4")),
    Kernel("""\
%%stencil laplacian --on "grid, 0.5, 0.1"
def laplacian(u, out, alpha, beta):
    for x in out.interior_points():
        acc = 0.0
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = alpha * u[x] + beta * acc
""", ("u", "out"), (256, 256, 256), ("threads=2 unroll=1 tile=0", "threads=2 unroll=4 tile=16",
        "threads=2 unroll=2 tile=32 stream=1 prefetch=1"), ("alpha", "beta")),
    Kernel("""\
%%stencil divergence --on "vx, vy, vz, 0.5, 0.4, 0.3"
def divergence(vx, vy, vz, out, alpha, beta, gamma):
    for x in out.interior_points():
        out[x] = (
            alpha * (vx[x + (1, 0, 0)] - vx[x - (1, 0, 0)])
            + beta * (vy[x + (0, 1, 0)] - vy[x - (0, 1, 0)])
            + gamma * (vz[x + (0, 0, 1)] - vz[x - (0, 0, 1)])
        )
""", ("vx", "vy", "vz", "out"), (256, 256, 256),
       ("threads=2 unroll=2 tile=0", "threads=1 unroll=1 tile=64"), ("alpha", "beta", "gamma")),
    Kernel("""\
%%stencil limiter --on "image, weights"
def limiter(u, w, out):
    for x in out.interior_points():
        left = u[x] - u[x - (0, 1)]
        right = u[x + (0, 1)] - u[x]
        if left * right > 0.0:
            slope = 2.0 * left * right / (left + right)
        else:
            slope = 0.0
        out[x] = w[x] * sqrt(abs(slope)) + min(left, right) ** 2 % 1.5
""", ("u", "w", "out"), (100, 200), ("threads=2 unroll=2",), dtype=F32),
    Kernel("""\
%%stencil upwind --on "wave, 0.8"
def upwind(u, out, c):
    for x in out.interior_points():
        out[x] = u[x] - c * (u[x] - u[x - (1,)])
""", ("u", "out"), (100_000,), ("threads=2",), ("c",)),
)  # fmt: skip
VARIANTS = [(kernel, config) for kernel in KERNELS for config in kernel.configs]
each_kernel = pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
each_variant = pytest.mark.parametrize(
    ("kernel", "config"), VARIANTS, ids=[f"{k.name}-{c}" for k, c in VARIANTS]
)


def listing(steps: list[Step]) -> str:
    """The steps' lines beside their spans (``line:columns``); a step that did nothing in one line."""
    rows = []
    for step in steps:
        rows.append(f"== {step.phase} {step.name}" + ("" if step.changed else ": nothing to do"))
        for line in step.lines if step.changed else ():
            rows.append(f"{_place(line.loc):>10} | {line.text}".rstrip())
    return "\n".join(rows) + "\n"


def _place(at: Span | None) -> str:
    if at is None:
        return ""
    end = f"{at.end_col}" if at.end_line == at.line else f"{at.end_line}:{at.end_col}"
    return f"{at.line}:{at.col}-{end}"


@each_kernel
def test_front(kernel: Kernel, golden: Callable[[str, str], None]) -> None:
    golden(f"files/{kernel.name}.txt", f"{kernel.cell}\n{listing(list(kernel.front().steps))}")


@each_variant
def test_variant(kernel: Kernel, config: str, golden: Callable[[str, str], None]) -> None:
    trace, _ = kernel.variant(config)
    later = [step for step in trace.steps if step.phase > 3]
    golden(f"files/{kernel.name}-{_file_part(config)}.txt", listing(later))


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("blur", "group=4096 rows=2"),
        ("laplacian", "group=64 rows=1"),
        ("limiter", "group=4096 rows=1"),
    ],
)
def test_opencl(name: str, chosen: str, golden: Callable[[str, str], None]) -> None:
    kernel = next(k for k in KERNELS if k.name == name)
    trace, _ = kernel.variant(chosen, Pipeline(SPECIALIZER, OPENCL))
    later = [step for step in trace.steps if step.phase > 3]
    golden(f"files/{name}-opencl-{_file_part(chosen)}.txt", listing(later))


def _file_part(config: str) -> str:
    return config.replace("=", "").replace(" ", "-")


# -- provenance


def executable(source: SourceUnit) -> list[Line]:
    """The lines that compute something: no directive, no brace, nothing of the helpers."""
    texts = [line.text for line in source.lines]
    start = next(n for n, text in enumerate(texts) if source.entry in text)
    body = source.lines[start + 1 :]
    return [line for line in body if not re.match(r"\s*(#|[{}]?$)", line.text)]


def code_at(kernel: Kernel, at: Span) -> str:
    """What stands in the cell at a span of one line."""
    assert at.line == at.end_line, at
    return kernel.cell.splitlines()[at.line - 1][at.col : at.end_col]


@each_variant
def test_every_line_of_c_comes_from_a_line_of_the_cell(kernel: Kernel, config: str) -> None:
    _, source = kernel.variant(config)
    for line in executable(source):
        assert line.loc is not None, line.text
        assert line.loc.line > 2, f"{line.text} comes from the head of the cell"
        statement = kernel.cell.splitlines()[line.loc.line - 1]
        head = line.text.endswith(" =")  # of a statement whose terms have lines of their own
        assert head or line.loc.line == line.loc.end_line, line.text
        assert line.loc.col >= len(statement) - len(statement.lstrip())


def test_lines_of_blur_come_from_these_expressions() -> None:
    blur = KERNELS[0]
    _, source = blur.variant("threads=1 unroll=1")
    origins = [code_at(blur, line.loc) for line in executable(source) if line.loc]
    sweep = "out.interior_points()"
    assert origins[:2] == [sweep, sweep]
    assert origins[2] == "4.0 * u[x]"
    assert origins[-1] in ("out[x] = acc / 8.0", "acc / 8.0")
    assert set(origins[3:-1]) <= {"acc += u[y]", "u[y]"}
    assert len(origins) == 8


def test_terms_of_divergence_come_from_lines_of_their_own() -> None:
    divergence = KERNELS[2]
    _, source = divergence.variant("threads=2 unroll=2 tile=0")
    for name, row in (("alpha", 5), ("beta", 6), ("gamma", 7)):
        lines = [line for line in executable(source) if f"{name} *" in line.text]
        assert len(lines) == 2, "one for each of the two rows of a step"
        for line in lines:
            assert line.loc is not None
            assert (line.loc.line, line.loc.end_line) == (row, row)
            assert code_at(divergence, line.loc).startswith(f"{name} * (v")


def test_lines_of_limiter_come_from_the_right_lines_of_the_cell() -> None:
    limiter = KERNELS[3]
    _, source = limiter.variant("threads=2 unroll=2")
    wanted = {"left": 4, "right": 5, "test": 6, "slope": 7, "slope_1": 9, "slope_2": 9, "out": 10}
    seen = set()
    for line in executable(source):
        found = re.match(r"\s*(?:const \w+ )?(\w+?)(?:__\d)?(?:\[.*?\])? = ", line.text)
        if found and found[1] in wanted and line.loc:
            seen.add(found[1])
            assert line.loc.line == wanted[found[1]], line.text
    assert {"left", "right", "out"} <= seen


# -- the printer reads the PAST and nothing else


def test_every_statement_of_blur_is_in_the_c() -> None:
    """Delete any one statement of the PAST: the C changes, each time in another way."""
    trace, source = KERNELS[0].variant("threads=2 unroll=4")
    unit = trace.last(4).tree
    assert isinstance(unit, Unit)
    statements = sum(isinstance(n, Declare | Store | For) for n in walk(unit))
    assert statements == 34
    texts = {OPENMP.emit(without(unit, number)).text for number in range(statements)}
    assert len(texts - {source.text}) == statements


def without(unit: Unit, number: int) -> Unit:
    """*unit* less its statement of that number, counted from the top."""
    numbers = count()

    def body(of: tuple[Statement, ...]) -> tuple[Statement, ...]:
        return tuple(kept(s) for s in of if next(numbers) != number)

    def kept(s: Statement) -> Statement:
        return replace(s, body=body(s.body)) if isinstance(s, For) else s

    return replace(unit, function=replace(unit.function, body=body(unit.function.body)))
