"""OpenCL: the device's own compiler and PyOpenCL; PoCL's wheel makes every CPU such a device."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from ..contracts import Knob, Platform, VariantSpace
from ..ir.past import Unit
from ..phase4_variants.choose import choose
from ..phase4_variants.device_limits import misfit
from ..phase4_variants.space import variant_space
from ..phase4_variants.work_groups import work_groups
from ..phase5_backend.bench import opencl_bench
from ..phase5_backend.dialects import OPENCL as DIALECT
from ..phase5_backend.opencl_device import TRIALS, device_lines, find_device, refuse_unknown
from ..phase5_backend.print_source import print_source
from ..phase5_backend.run_opencl import compile_opencl, limits, load
from ..stages import Config, SourceUnit, Toolchain

_KNOBS = ("strategy", "blocks", "group", "rows")


def space(unit: Unit, knobs: tuple[Knob, ...], device: str = "") -> VariantSpace:
    """The variants of *unit*: its ways of doing the work, and their work-groups, as far as the device
    has room for them."""
    most, local_bytes = limits(device)

    def grouped(unit: Unit, config: Config) -> Unit:
        return work_groups(unit, config.get("group", most), config.get("rows", 1), most)

    ours = tuple(k for k in knobs if k.name in _KNOBS)
    fits = partial(misfit, most_items=most, local_bytes=local_bytes)
    return variant_space(unit, ours, (choose, grouped), fits)


def emit(unit: Unit) -> SourceUnit:
    """*unit* as OpenCL C, a kernel for each of its nests."""
    return print_source(unit, DIALECT)


def with_tools(tools: Toolchain) -> Platform:
    """OpenCL on the device that *tools* names; raises :class:`OptionError` (O002) if there is none."""
    refuse_unknown(tools.device)
    return replace(
        OPENCL, probe=partial(find_device, tools.device), space=partial(space, device=tools.device),
        build=partial(compile_opencl, wanted=tools.device),
    )  # fmt: skip


OPENCL = Platform(
    name="opencl", language="opencl", probe=find_device, space=space, emit=emit,
    build=compile_opencl, load=load, trial=TRIALS.run, settle=TRIALS.trim, with_tools=with_tools,
    tools=("device",), devices=device_lines, bench=opencl_bench,
)  # fmt: skip
