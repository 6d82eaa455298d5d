"""THE FIVE PHASES IN ORDER.

    1  front end          source + signature -> DAST
    2  optimisation       DAST -> DAST, pass by pass
    3  lowering           DAST -> PAST
    4  variants           PAST -> a space of variants; one configuration -> its PAST
    5  back end           PAST -> source -> artifact (compiled, on disk)

Every arrow appends a :class:`~sejits_nb.stages.Step` to the trace, and every tree is checked before
the next phase sees it.  Nothing here knows a specializer or a platform by name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .contracts import Platform, Problems, Specializer, VariantSpace
from .errors import BackendError, Diagnostic, Finding, InternalError
from .ir.check import check_past, check_provenance
from .ir.dast import Statement
from .ir.node import Span
from .ir.past import Unit
from .phase1_frontend.capture import free_names, from_function, hold, recapture
from .phase1_frontend.diagnose import describe, too_deep
from .phase1_frontend.functions import with_cell_functions
from .phase1_frontend.thaw import lost_names, thawed
from .phase1_frontend.watch import Watch
from .phase3_lower.select_platform import select_platform
from .stages import Artifact, Config, KernelSource, Signature, SourceUnit, Step, Trace, lines_of

__all__ = [
    "Pipeline", "Watch", "free_names", "from_function", "hold", "lost_names", "recapture",
    "select_platform", "thawed", "too_deep", "with_cell_functions",
]  # fmt: skip
# The first and the third phase each begin with a question that only a kernel can ask: what the source
# captures, and which platform is there.


@dataclass(frozen=True)
class Pipeline:
    """One specializer on one platform; ``strict`` keeps every bit of the plain Python's results."""

    specializer: Specializer
    platform: Platform
    strict: bool = False

    # 1
    def parse(self, source: KernelSource, signature: Signature) -> Trace:
        """Raises the specializer's error for a program outside its language."""
        return self._step(
            Trace(source), 1, "DAST", lambda: self.specializer.parse(source, signature),
            (check_provenance,),
        )  # fmt: skip

    # 2
    def optimise(self, trace: Trace) -> Trace:
        """One step a pass; what a pass ensures is checked from then on."""
        for one in (p for p in self.specializer.passes if not (self.strict and p.rounds)):
            before = trace.steps[-1].tree
            checks = (check_provenance, *one.ensures)
            trace = self._step(trace, 2, one.name, lambda p=one, b=before: p.run(b), checks)  # type: ignore[misc]
        return trace

    # 3
    def lower(self, trace: Trace) -> Trace:
        """The platform's language decides which of the specializer's lowerings is used."""
        lower, dast = self.specializer.lower[self.platform.language], trace.last(2).tree
        return self._step(trace, 3, "PAST", lambda: lower(dast), (check_past,))

    # 4
    def space(self, trace: Trace, threads: int) -> VariantSpace:
        """The variants of the lowered kernel for a machine with *threads* CPUs to use."""
        unit = trace.last(3).tree
        assert isinstance(unit, Unit)
        return self.platform.space(unit, self.specializer.knobs(unit, threads))

    def choose(self, trace: Trace, space: VariantSpace, config: Config) -> Trace:
        """The trace continued with the PAST of one configuration."""
        return self._step(
            trace, 4, f"PAST, variant {config}", lambda: space.build(config).past, (check_past,)
        )

    # 5
    def emit(self, trace: Trace) -> tuple[Trace, SourceUnit]:
        """The source of the chosen variant; the printer sees nothing but its PAST."""
        start, unit = time.perf_counter(), trace.last(4).tree
        assert isinstance(unit, Unit)
        source = self.platform.emit(unit)
        seconds = time.perf_counter() - start
        name = {"c": "C", "opencl": "OpenCL C"}.get(source.language, source.language)
        return trace.then(Step(5, name, source.lines, seconds)), source

    def build(self, trace: Trace, source: SourceUnit, exact: bool) -> Artifact:
        """Compile, or find compiled; a refusal is reported at the line of the cell."""
        try:
            return self.platform.build(source, exact)
        except BackendError as error:
            raise BackendError(*(_placed(trace.source, d) for d in error.diagnostics)) from None

    def front(self, source: KernelSource, signature: Signature) -> Trace:
        """Phases 1 to 3 in one go."""
        return self.lower(self.optimise(self.parse(source, signature)))

    def _step(
        self,
        trace: Trace,
        phase: int,
        name: str,
        run: Callable[[], Any],
        checks: Iterable[Callable[[Any], Problems]],
    ) -> Trace:
        before = trace.steps[-1].tree if trace.steps else None
        start = time.perf_counter()
        try:
            tree: Statement = run()
            changed = tree is not before
            lines = lines_of(tree) if changed else trace.steps[-1].lines
        except RecursionError:
            raise self.specializer.error(too_deep(trace.source)) from None
        except Finding as finding:
            at = finding.loc if isinstance(finding.loc, Span) else None
            raise self.specializer.error(
                describe(trace.source, self.specializer.rules, finding.code, at, **finding.values)
            ) from None
        if changed and (problems := [p for check in checks for p in check(tree)]):
            why = "; ".join(problems[:3])
            raise InternalError(
                Diagnostic("X001", f"{name!r} gave an ill-formed tree", why,
                           "report it with the cell: this is a defect of the specializer",
                           where=trace.source.where)
            )  # fmt: skip
        seconds = time.perf_counter() - start
        return trace.then(Step(phase, name, lines, seconds, changed, tree))


def _placed(source: KernelSource, d: Diagnostic) -> Diagnostic:
    """*d* with the cell's name, line number and text; a back end knows only lines of the text."""
    rows = source.lines
    if not 0 < d.line <= len(rows):
        return Diagnostic(d.code, d.message, d.why, d.try_, where=source.where)
    text, (where, line) = rows[d.line - 1], source.place(d.line)
    end = d.end_col or len(text)
    return Diagnostic(d.code, d.message, d.why, d.try_, d.label, where, line, d.col, end, text)
