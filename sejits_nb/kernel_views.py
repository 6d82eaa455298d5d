"""The looking half of a kernel: its levels, passes, links, build, and how it shows itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import config, registry
from .contracts import Knob
from .errors import BackendError, Diagnostic
from .ir.dast import Line
from .kernel_calls import KernelCalls
from .pipeline import Pipeline
from .results import Training, TrainingListener
from .stages import BuildLog, Step, Trace

if TYPE_CHECKING:
    from .widgets.code_diff import CodeDiff

Publish = Callable[[dict[str, Any], dict[str, Any]], None]


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
    def knobs(self) -> tuple[Knob, ...]:
        """What the variants of this kernel differ in, on any of the platforms."""
        spec, found = self._specializer, dict[str, Knob]()
        dast = self.trace.last(2).tree
        for lower in spec.lower.values():
            for knob in spec.knobs(lower(dast), config.threads()):
                found.setdefault(knob.name, knob)
        return tuple(found.values())

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

    @property
    def assembly(self) -> Any:
        """The machine code of the variant in use, beside the cell; of the built-in sample's before the
        first call.  Raises :class:`BackendError` (B009) where there is none.
        """
        trace, rows = self._machine_code()
        code = trace.last(5).lines
        lines = (Line(row, code[n - 1].loc if n else None) for row, n in rows)
        return self._view(Step(5, "assembly", tuple(lines)))

    def _machine_code(self) -> tuple[Trace, tuple[tuple[str, int], ...]]:
        """Instructions, each with its line of the generated code, and that code's trace."""
        if self._last is None:
            self._specialization(self._bind(self.sample_arguments(), {}).values)
        last = self._last
        assembly = registry.platform(last.platform).assembly if last else None
        if last is None or assembly is None:
            what = f"{self.__name__!r} runs on {last.platform if last else 'plain Python'}"
            raise BackendError(Diagnostic("B009", what, "assembly is what the C compiler makes",
                                          'backend="openmp"', where=self._source.where))  # fmt: skip
        return last.trace, assembly(last.artifact)

    def _method(
        self, name: str, *args: Any, verbose: bool | TrainingListener = False, **kwargs: Any
    ) -> Any:
        """One of the domain's methods; ``verbose=True`` draws a training while it goes on.  Where
        nothing can be drawn, a listener given as *verbose* is told instead."""
        if not verbose:
            return super()._method(name, *args, **kwargs)
        from .widgets.live import live_training
        from .widgets.training_text import training_html, training_line

        with live_training() as shown:
            told = (shown.listen or (verbose if callable(verbose) else None), kwargs.get("listen"))
            listeners = [one for one in told if one]

            def listen(training: Training) -> None:
                for one in listeners:
                    one(training)

            found = super()._method(name, *args, **kwargs | {"listen": listen})
            if shown.listen:
                html, line = training_html(found), training_line(found)
                shown.publish({"text/plain": line, "text/html": html}, {})
        return found

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

    def show(
        self, what: str = "card", publish: Publish | None = None, diff: CodeDiff | None = None
    ) -> None:
        """Display the last report in the notebook: ``card`` (with figure), ``levels``, ``code``.

        ``publish`` takes each output's data and metadata by MIME type instead of the notebook;
        ``diff``, from :meth:`diff`, is shown below.
        """
        from .widgets.live import publish as to_notebook
        from .widgets.show import cell_bundles, view_bundles

        if what == "card" and self.report is not None:
            bundles = cell_bundles(self.report, diff)
        else:
            views: dict[str, tuple[Any, ...]] = {"code": (self.source,)} if what == "code" else {}
            views |= {"levels": (self.dast, self.past, self.source)} if what == "levels" else {}
            bundles = view_bundles(views.get(what, ()), diff)
        for data, metadata in bundles:
            (publish or to_notebook)(data, metadata)

    def diff(self, earlier: KernelViews, name: str = "") -> CodeDiff:
        """The generated code beside that of an *earlier* kernel, which *name* calls."""
        from .widgets.code_diff import CodeDiff

        name = name or earlier.__name__
        mine = self.__name__ if name != self.__name__ else f"{name}, now"
        return CodeDiff(earlier.trace.last(5), self.trace.last(5), name, mine)

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
