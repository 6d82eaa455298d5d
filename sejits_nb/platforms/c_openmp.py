"""C with OpenMP, and the same C on one thread: the system's compiler, loaded through cffi."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from ..contracts import Availability, Knob, Platform, VariantSpace
from ..ir.past import Unit
from ..phase4_variants.choose import choose
from ..phase4_variants.loops import loops
from ..phase4_variants.parallel import parallelize
from ..phase4_variants.parts import divide
from ..phase4_variants.prefetch import prefetch
from ..phase4_variants.space import variant_space
from ..phase4_variants.stream import stream
from ..phase4_variants.tile import tile
from ..phase4_variants.unroll import unroll_and_jam
from ..phase4_variants.unroll_fully import unroll_fully
from ..phase5_backend.affinity import held
from ..phase5_backend.assembly import assembly
from ..phase5_backend.bench import native_bench
from ..phase5_backend.bind_cffi import load
from ..phase5_backend.compile_c import NoCompiler, compile_source, find_compiler
from ..phase5_backend.dialects import C_OPENMP
from ..phase5_backend.print_source import print_source
from ..phase5_backend.trial import run_trial, trim
from ..stages import Config, SourceUnit, Toolchain

_MACHINES_OWN = Toolchain()

_TRANSFORMATIONS = (
    choose,
    lambda unit, config: _tiled(unit, config),
    lambda unit, config: unroll_and_jam(unit, _axes(unit)[0], config.get("unroll", 1)),
    lambda unit, config: stream(unit) if config.get("stream", 0) else unit,
    lambda unit, config: prefetch(unit, config.get("prefetch", 0)),
    lambda unit, config: divide(unit, config.get("threads", 1)),
    lambda unit, config: parallelize(unit, config.get("threads", 1)),
    lambda unit, config: unroll_fully(unit) if config.get("whole", 0) else unit,
)
"""Phase 4 on this platform, in order; each reads its own knob."""


@dataclass(frozen=True, slots=True)
class _Unusable:
    text: str
    usable: bool = False


def space(unit: Unit, knobs: tuple[Knob, ...]) -> VariantSpace:
    """The variants of *unit*: tiles, register tiles, threads, and tiny grids without loops."""
    return variant_space(unit, knobs, _TRANSFORMATIONS)


def serial_space(unit: Unit, knobs: tuple[Knob, ...]) -> VariantSpace:
    """The same on one thread."""
    one = tuple(replace(k, values=(1,), default=1) if k.name == "threads" else k for k in knobs)
    return space(unit, one)


def emit(unit: Unit) -> SourceUnit:
    """*unit* as C."""
    return print_source(unit, C_OPENMP)


def probe_openmp(tools: Toolchain = _MACHINES_OWN) -> Availability:
    """The compiler, if it has OpenMP."""
    found = find_compiler(tools.cc)
    if isinstance(found, NoCompiler) or found.openmp:
        return found
    return _Unusable(found.text)


def _axes(unit: Unit) -> tuple[int, ...]:
    """Grid axes of the loop nest, outermost first, loops over blocks aside."""
    return tuple(loop.axis for loop in loops(unit) if loop.step == 1)


def _tiled(unit: Unit, config: Config) -> Unit:
    size, axes = config.get("tile", 0), _axes(unit)
    return tile(unit, axes[1], size) if size and len(axes) > 2 else unit


def with_tools(tools: Toolchain) -> Platform:
    """C and OpenMP with the compiler and flags of *tools*."""
    build = partial(compile_source, tools=tools)
    return replace(OPENMP, probe=partial(probe_openmp, tools), build=build)


def serial_with_tools(tools: Toolchain) -> Platform:
    """C on one thread with the compiler and flags of *tools*."""
    build = partial(compile_source, tools=tools)
    return replace(SERIAL, probe=partial(find_compiler, tools.cc), build=build)


OPENMP = Platform(
    name="openmp", language="c", probe=probe_openmp, space=space, emit=emit, build=compile_source,
    load=load, trial=run_trial, settle=trim, hold=held, assembly=assembly, with_tools=with_tools,
    tools=("cc", "cflags"), bench=native_bench,
)  # fmt: skip
SERIAL = replace(
    OPENMP, name="c", probe=find_compiler, space=serial_space, with_tools=serial_with_tools
)
