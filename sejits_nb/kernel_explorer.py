"""What ``kernel.explore()`` shows, and what its widget may ask of the kernel."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakSet

from . import config, registry
from .errors import BackendError, Diagnostic
from .machine.roofs import measured_roofs
from .pipeline import Pipeline
from .results import Measurement, Report
from .stages import Trace

if TYPE_CHECKING:
    from .kernel import Kernel
    from .widgets.explorer.actions import MachineCode
    from .widgets.explorer.widget import Explorer

_open: WeakKeyDictionary[Kernel, WeakSet[Explorer]] = WeakKeyDictionary()


def explore(kernel: Kernel) -> Explorer:
    """The explorer of *kernel*: of its last measurement, else of its last call, else of the built-in
    sample.  Raises ``ImportError`` where anywidget is not installed.
    """
    from .widgets.explorer import widget_class
    from .widgets.explorer.actions import Actions

    trace = kernel.report.trace if kernel.report else kernel.trace
    actions = Actions(
        assembly=partial(_machine_code, kernel),
        report=lambda: kernel.report,
        knobs=lambda: {knob.name: knob.doc for knob in kernel.knobs} if trace.steps else {},
        tune=kernel.tune,
        trace=partial(_trace_of, kernel),
        race=kernel.race,
        measure_roofs=partial(_measure_roofs, kernel),
    )
    explorer = widget_class()(trace, actions)
    _open.setdefault(kernel, WeakSet()).add(explorer)
    return explorer


def refresh(kernel: Kernel) -> None:
    """*kernel* was measured: its explorers show it."""
    for explorer in tuple(_open.get(kernel, ())):
        explorer.refresh()


def _machine_code(kernel: Kernel) -> MachineCode:
    """That of the best variant measured, whatever was called since; else of the last call."""
    report = kernel.report
    if report and report.best and report.artifact:
        assembly = registry.platform(report.best.platform).assembly
        if assembly:
            return report.trace, assembly(report.artifact)
    return kernel._machine_code()


def _trace_of(kernel: Kernel, m: Measurement) -> Trace:
    """All steps of a variant of the last measurement; nothing is compiled."""
    args, kwargs = kernel._measured_on or (kernel.sample_arguments(), {})
    signature = kernel._specializer.signature(kernel.interface, kernel._bind(args, kwargs).values)
    source = kernel.report.trace.source if kernel.report else kernel._source
    platform = registry.platform(m.platform, kernel.options.tools)
    pipeline = Pipeline(kernel._specializer, platform, kernel.options.check == "strict")
    trace = pipeline.front(source, signature)
    space = pipeline.space(trace, config.threads())
    return pipeline.emit(pipeline.choose(trace, space, m.config))[0]


def _measure_roofs(kernel: Kernel) -> Report | None:
    """The last report under roofs that are measured now; raises where they cannot be."""
    roofs = measured_roofs(remeasure=True)
    if roofs is None:
        raise BackendError(Diagnostic("B001", "the roofs cannot be measured",
                                      "that takes a C compiler, and none works here",
                                      "%sejits doctor"))  # fmt: skip
    with kernel._lock:
        if kernel.report:
            kernel.report = replace(kernel.report, roofs=roofs)
        return kernel.report
