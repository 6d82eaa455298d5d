"""The callable that a cell or a decorator binds.

Its calling half is in ``kernel_calls.py``, its looking half in ``kernel_views.py``; here it measures.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import config
from .direct_calls import DirectCalls
from .errors import Diagnostic, LanguageError, WrongResult
from .kernel_calls import SejitsWarning
from .kernel_explorer import explore, refresh
from .kernel_race import arguments, race
from .kernel_views import KernelViews
from .machine.roofline import placement
from .reproduce.export import export
from .reproduce.script import Subject, script
from .results import Listener, Measurement, Placement, Report, Work
from .stages import Signature, Trace
from .tune.report import make_report, plain_seconds
from .tune.specialize import Specialization
from .variants import Timing, Variants, timing_of

if TYPE_CHECKING:
    from .widgets.crossovers import Crossovers
    from .widgets.edited_race import ShownRace
    from .widgets.explorer.widget import Explorer

__all__ = ["Kernel", "SejitsWarning"]


class Kernel(KernelViews):
    """A specialized kernel, called like the Python function that it was written as.

    Each new layout of arguments (:class:`~sejits_nb.stages.Signature`) is specialized at its first
    call; captured constants that changed make a new specialization.  Safe to call from several threads.
    """

    def completed(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """Arguments to measure on, with those that the language lets out (a mixture to start with)."""
        return self._specializer.completed(self.interface, args, kwargs)

    def measure(
        self,
        *args: Any,
        fresh: bool = False,
        listen: Listener | None = None,
        resume: bool = False,
        **kwargs: Any,
    ) -> Report:
        """Specialize for this call, race the variants as ``options.tune`` says, and report.

        Arrays are only read.  Without ``--on`` a magic measures on the built-in sample.  What an
        earlier race found is recalled; *fresh* races anew, *resume* goes on from there.  *listen* is
        told between timings how the race stands.  The arguments are kept for :meth:`tune`.
        """
        values = self._bind(args, kwargs).values
        self._measured_on = args, kwargs
        signature = self._specializer.signature(self.interface, values)
        start = time.perf_counter()
        with self._lock:
            direct = self._refresh()
            found = self._specialize(signature, values, self.options.tune, fresh, listen, resume)
            self._ready[direct.identity, self._specializer.code_signature(signature)] = found
            self._direct = DirectCalls(direct.identity, direct.watch)  # another variant from now on
        seconds = time.perf_counter() - start
        raced = found.report if found else None
        self.report = raced or self._untuned_report(found, signature, values, seconds)
        self.report = replace(self.report, script=self.script())
        refresh(self)
        return self.report

    def tune(
        self,
        *args: Any,
        budget: float | None = None,
        resume: bool = True,
        listen: Listener | None = None,
        **kwargs: Any,
    ) -> Report:
        """Race the variants on these arguments for at most *budget* seconds; the best is used from
        now on.

        Without arguments the race is on those of the last measurement, else on the built-in sample.
        With *resume* a race that was interrupted, ran out of time or was a smaller one goes on:
        what it has tried is not tried again.  One that came to its end begins anew.
        """
        if not (args or kwargs):
            args, kwargs = self._measured_on or (self.sample_arguments(), {})
        full = self.options.tune == "full" or (budget or 0.0) > config.TUNE_BUDGET_S["quick"]
        with self._lock:
            before = self.options
            self.options = replace(
                before, tune="full" if full else "quick", budget_s=budget or before.budget_s
            )
            try:
                return self.measure(*args, fresh=True, resume=resume, listen=listen, **kwargs)
            finally:
                self.options = before

    def race(
        self,
        text: str,
        *args: Any,
        base: Measurement | None = None,
        budget: float | None = None,
        stop: threading.Event | None = None,
        **kwargs: Any,
    ) -> ShownRace:
        """Race edited code, C or OpenCL C, against the code in use; nothing changes by it.

        *text* is the generated source of a variant (*base*; else the best one of its language), edited.
        It is compiled, compared with the plain Python and then timed for *budget* seconds, all in a
        child process that *stop*, once set, ends.  Without arguments the race is on those of the last
        measurement, else on the built-in sample.
        """
        from .widgets.edited_race import ShownRace

        return ShownRace.of(race(self, text, arguments(self, args, kwargs), base, budget, stop))

    def crossovers(self, *calls: tuple[Any, ...]) -> Crossovers:
        """The platforms raced at several sizes, one call's arguments each: which is the fastest where.

        What is remembered of a size is not raced again.
        """
        from .widgets.crossovers import Crossovers

        with self._lock:
            before = self.options
            effort = before.tune if before.tune != "none" else "quick"
            self.options = replace(before, tune=effort)
            try:
                return Crossovers(tuple(self.measure(*call) for call in calls))
            finally:
                self.options = before

    def check(self, *args: Any, **kwargs: Any) -> bool:
        """Compare this whole call, every element, with the plain Python; raises ``WrongResult``.

        Without arguments the built-in sample is compared.
        """
        bound = self._bind(args if args or kwargs else self.sample_arguments(), kwargs).values
        ours, plain = (
            {n: v.copy("K") if isinstance(v, np.ndarray) else v for n, v in bound.items()}
            for _ in range(2)
        )
        found, _ = self._specialization(ours)
        self._run(found, ours)
        self._plain(plain)
        single = any(getattr(v, "dtype", None) == np.float32 for v in bound.values())
        for name in self.interface.outputs:
            tolerance = 1e-10 if ours[name].dtype == np.float64 and not single else 1e-4
            scale = float(np.nanmax(np.abs(plain[name]), initial=0.0))
            if not np.allclose(
                ours[name], plain[name], tolerance, tolerance * scale, equal_nan=True
            ):
                raise WrongResult(Diagnostic("W001", f"{name!r} differs from the plain Python",
                                             where=self._source.where))  # fmt: skip
        return True

    @property
    def variants(self) -> Variants:
        """Every variant that the last measurement tried; empty before the first one."""
        return Variants(self.report)

    @property
    def timing(self) -> Timing | None:
        """Run times of the variant in use, as they were measured; ``None`` if they were not."""
        return timing_of(self.report)

    @property
    def roof(self) -> Placement | None:
        """Where the variant in use stands under the measured roofs; ``None`` if that is not known."""
        best = self.report.best if self.report else None
        return placement(self.report, best) if self.report and best else None

    @property
    def complete(self) -> bool:
        """Whether it ran, and every layout that it was called with runs as compiled code."""
        identity = self._direct.identity
        found = [one for (known, _), one in self._ready.items() if known == identity]
        return bool(found) and None not in found

    def script(self) -> str:
        """A Python script that makes the last measured (else the last) call's result anew, checks and
        times it, in a fresh process and without a notebook.
        """
        return script(self._subject())

    def export(self, path: str | os.PathLike[str]) -> Path:
        """Write generated code, a C header, a README and :meth:`script` to the folder *path*."""
        export(self._subject(), Path(path))
        return Path(path)

    def explore(self) -> Explorer:
        """Levels, passes and measurements of this kernel in one widget, in the notebook.

        Raises ``ImportError`` where anywidget is not installed: ``pip install 'sejits_nb[lab]'``.
        """
        return explore(self)

    def _subject(self) -> Subject:
        """The measured call, else the last one, else that of the built-in sample."""
        if not self._scalars:
            self._specialization(self._bind(self.sample_arguments(), {}).values)
        shown, best = self.report or self._last, self.report.best if self.report else self._last
        signature = shown.signature if shown else [*self._scalars][-1]
        keywords: dict[str, Any] = {"backend": "python"}
        if best is not None:
            keywords = {"backend": best.platform, "set": dict(best.config.items),
                        "check": self.options.check, "fallback": False}  # fmt: skip
            tools = self.options.tools
            keywords |= {name: getattr(tools, name) for name in tools.asked}
        for name, value in self._source.settings:
            if setting := self._specializer.settings.get(name):
                keywords[name] = setting.write(value) if setting.write else value
        report = self.report
        when = f"measured on {report.machine}, {report.date}" if report else "as it was specialized"
        source = shown.trace.source if shown else self._source
        return Subject(
            self.__name__, self._specializer.name, source, self.interface, signature,
            self._scalars[signature], keywords, when, shown.artifact if shown and best else None,
            shown.trace.last(5) if shown and best else None,
            self._specializer.examples(self.interface, signature, self._scalars[signature]),
        )  # fmt: skip

    def _untuned_report(
        self,
        found: Specialization | None,
        signature: Signature,
        values: Mapping[str, Any],
        seconds: float,
    ) -> Report:
        """The card of a kernel that was not raced: its one variant, or the plain Python."""
        spec, work, plain = self._specializer, Work(0, 0, 0), (0.0, 0)
        try:
            trace = found.trace if found else self._front(signature)
        except LanguageError:
            trace = Trace(self._source)
        else:
            dast = trace.last(2).tree
            work = spec.work(dast)
            plain = plain_seconds(spec, self._source, self._lookup, dast, values)
        checked = "unchecked" if self.options.check == "off" else "correct"
        best = Measurement(found.config, found.platform, checked) if found else None
        return make_report(
            trace, signature, (best,) if best else (), best, work=work, plain=plain,
            artifact=found.artifact if found else None, seconds=seconds, check=self.options.check,
            note=self._note,
        )  # fmt: skip
