"""The looking half of a kernel: its levels, passes, links, build, and how it shows itself."""

from __future__ import annotations

from typing import Any

from . import registry
from .kernel_calls import KernelCalls
from .pipeline import Pipeline
from .stages import BuildLog, Step, Trace


class KernelViews(KernelCalls):
    """What can be seen of a kernel; nothing here changes what a call does."""

    @property
    def trace(self) -> Trace:
        """All steps of the last specialization; of the built-in sample before the first call."""
        if self._last is not None:
            return self._last.trace
        values = self._bind(self.sample_arguments(), {}).values
        signature = self._specializer.signature(self.interface, values)
        pipeline = Pipeline(self._specializer, registry.platform("c"))
        trace = pipeline.front(self._source, signature)
        space = pipeline.space(trace, 1)
        return pipeline.emit(pipeline.choose(trace, space, space.default))[0]

    @property
    def dast(self) -> Any:
        """The optimised DAST, beside the cell."""
        return self._view(self.trace.last(2))

    @property
    def past(self) -> Any:
        """The PAST of the chosen variant, beside the cell."""
        return self._view(self.trace.last(4))

    @property
    def source(self) -> Any:
        """The generated source, beside the cell; ``str()`` of it is the file."""
        return self._view(self.trace.last(5))

    def _view(self, step: Step) -> Any:
        from .widgets.levels import View

        return View(self.trace, step)

    @property
    def passes(self) -> tuple[tuple[str, bool], ...]:
        """Phase 2 as it went: each pass, and whether it changed anything."""
        return tuple((s.name, s.changed) for s in self.trace.steps if s.phase == 2)

    @property
    def links(self) -> tuple[Any, ...]:
        """The provenance table: (span of the cell, step, 1-based line of that step)."""
        return self.trace.links()

    @property
    def build(self) -> BuildLog | None:
        """How the library in use was compiled; ``None`` before the first call."""
        return self._last.artifact.build if self._last else None

    def show(self, what: str = "card") -> None:
        """Display the last report in the notebook: ``card`` (with figure), ``levels``, ``code``."""
        from IPython.display import publish_display_data

        from .widgets.show import card_bundle, figure_bundle, view_bundle

        bundles = []
        if what == "levels":
            bundles = [view_bundle(view) for view in (self.dast, self.past, self.source)]
        elif what == "code":
            bundles = [view_bundle(self.source)]
        elif what == "card" and self.report is not None:
            bundles = [card_bundle(self.report)]
            bundles += [figure_bundle(self.report)] if self.report.measurements else []
        for data, metadata in bundles:
            publish_display_data(data, metadata)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        if self.report is not None:
            from .widgets.card_text import card_text

            return card_text(self.report)
        return (
            f"<{self._specializer.name} kernel {self.__name__}({', '.join(self.interface.params)})>"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        if self.report is None:
            return {"text/plain": repr(self)}
        from .widgets.show import card_bundle

        return card_bundle(self.report)
