"""The calling half of a kernel: construct, bind, specialize, fall back."""

from __future__ import annotations

import ast
import inspect
import os
import threading
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from math import inf
from pickle import PicklingError
from typing import Any
from weakref import WeakSet

from . import config, registry
from .contracts import BoundCall, Namespace, Platform, Specializer
from .direct_calls import SHARED, DirectCalls, layouts, repeat_of
from .errors import BackendError, Diagnostic, LanguageError, SejitsError, WrongResult
from .options import Options
from .pipeline import (
    Pipeline,
    Watch,
    hold,
    lost_names,
    recapture,
    select_platform,
    thawed,
    too_deep,
)
from .results import Listener, Report
from .stages import ArrayType, KernelSource, Signature, Trace
from .tune.ahead import Ahead
from .tune.online import OnlineRace
from .tune.specialize import Request, Specialization, specialize
from .tune.turns import Turns

Key = tuple[tuple[str, ...], Signature]
"""What a specialization is for: the captured constants and the signature of its calls."""

_kernels: WeakSet[KernelCalls] = WeakSet()


class SejitsWarning(UserWarning):
    """Said once for a kernel: it runs as plain Python or on another platform than asked for, or it has
    to copy an argument."""


class KernelCalls:
    """What a kernel needs to be called: its source, what it captured, and what is specialized.

    Safe to call from several threads.
    """

    def __init__(
        self, specializer: Specializer, source: KernelSource, lookup: Namespace, options: Options
    ) -> None:
        self._specializer, self._lookup, self.options = specializer, lookup, options
        specializer.interface(source)  # what is no function at all is refused before anything else
        for name in {*options.backend} - {"auto", "python"}:
            registry.platform(name)
        self._held = hold(source, lookup)
        watch = Watch(source, lookup, self._held)
        self._source = recapture(source, self._held)
        self._direct = DirectCalls(self._source.identity, watch)
        self.interface = specializer.interface(self._source)
        self._plain = specializer.reference(self._source, lookup)
        self._ready: dict[Key, Specialization | None] = {}
        self._races: dict[Key, OnlineRace] = {}
        self._ahead = Ahead()
        self.fitted: Any = None
        self._last: Specialization | None = None
        self._scalars: dict[Signature, dict[str, Any]] = {}
        self._said: set[str] = set()
        self._note = ""
        self._lock = threading.RLock()
        _kernels.add(self)
        self._report: Report | None = None
        self._raced: Callable[[], Report] | None = None
        self._measured_on: tuple[tuple[Any, ...], dict[str, Any]] | None = None
        self.__name__ = self.__qualname__ = source.label
        self.__doc__ = _docstring(source)

    # -- calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the kernel; returns the outputs that it allocated (``None`` if all were passed)."""
        direct, given = self._direct, (*args, *kwargs.values()) if kwargs else args
        layout = layouts(given, tuple(kwargs))
        if (repeat := direct.repeats.get(layout)) and direct.watch.unchanged():
            result = repeat(given)
            if result is not SHARED:
                return result
        bound = self._bind(args, kwargs)
        found, direct = self._specialization(bound.values)
        self._run(found, bound.values)
        if found is not None and self._specializer.by_layout:
            repeat = repeat_of(self.interface, bound, args, kwargs, found.executable)
            if repeat is not None:
                direct.repeats[layout] = repeat
        return bound.result()

    def reference(self, *args: Any, **kwargs: Any) -> Any:
        """The same call in plain Python: what every variant is compared with."""
        bound = self._bind(args, kwargs)
        self._refresh()
        self._plain(bound.values)
        return bound.result()

    def _bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> BoundCall:
        bound = self._specializer.bind(self.interface, args, kwargs)
        for name, kind in bound.copied:
            self._say(f"{name!r} of {self.__name__} is {kind}: each call copies it into an array")
        return bound

    def _run(self, found: Specialization | None, values: Mapping[str, Any]) -> None:
        if found is not None:
            found.executable(values)
            return
        self._say_plain()
        self._plain(values)

    def _bound_run(self, values: Mapping[str, Any]) -> Callable[[], None]:
        """A call without arguments on exactly these arrays."""
        found, _ = self._specialization(values)
        if found is not None:
            return found.executable.bound(values)
        self._say_plain()
        return partial(self._plain, dict(values))

    def begin(self, *args: Any, stand_in_s: float = inf, **kwargs: Any) -> None:
        """Specialize for a call like this in the background, while its arguments are still computed;
        not yet where what stands in for it would take *stand_in_s* only, less than a compiler.

        What goes wrong is said by the call itself.
        """
        values = self._bind(args, kwargs).values
        signature = self._specializer.signature(self.interface, values)
        key = self._refresh().identity, self._specializer.code_signature(signature)
        if key in self._ready or config.forked():
            self._ahead.rest()
            return

        def work() -> None:
            with suppress(SejitsError, Warning):
                self._specialization(values, "none")

        self._ahead.begin(key, work, stand_in_s)

    def _race(self, values: Mapping[str, Any]) -> OnlineRace | None:
        """Who leads at calls like this one, and who might; ``None`` where the plain Python runs."""
        found, direct = self._specialization(values, "none")
        if found is None:
            return None
        signature = self._specializer.signature(self.interface, values)
        key = direct.identity, self._specializer.code_signature(signature)
        race = self._races.get(key)
        if race is None or race.leader is not found:
            request = self._request(registry.platform(found.platform, self.options.tools), signature,
                                    values, self.options.tune)  # fmt: skip
            race = OnlineRace(request, found, self.options.chooses, partial(self._adopt, key))
            self._races[key] = race
        return race

    def _adopt(self, key: Key, found: Specialization, report: Callable[[], Report]) -> None:
        """From now on *found* runs calls like these."""
        with self._lock:
            if self._ready[key] is not found:
                self._direct = DirectCalls(self._direct.identity, self._direct.watch)
            self._ready[key] = self._last = found
            self._raced = report

    def __getattr__(self, name: str) -> Any:
        found = self.__dict__.get("_specializer")
        if found is not None and name in found.makers:
            return partial(found.makers[name], self)
        if found is not None and name in found.answers and self.fitted is not None:
            return getattr(self.fitted, name)
        if found is None or name not in found.methods:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return partial(self._method, name)

    def __copy__(self) -> KernelCalls:
        """Itself, as for a function."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> KernelCalls:
        """Itself, as for a function."""
        return self

    def __reduce__(self) -> tuple[Callable[..., KernelCalls], tuple[Any, ...]]:
        """Its text with the values that it has captured now, and its options; the code is found again.

        Raises ``pickle.PicklingError`` where it uses what neither text nor number stands for.
        """
        self._refresh()
        lost = lost_names(self._source)
        if lost or self._source.method:
            why = f"it uses {', '.join(lost)}" if lost else "it is a method: pickle its object"
            raise PicklingError(f"{self.__name__} does not pickle: {why}")
        return _unpickled, (type(self), self._specializer.name, self._source, self.options)

    def _method(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """One of the domain's methods, given what its keywords ``bind`` and ``turns`` ask for.

        A keyword that is a number parameter of the kernel, not yet given, is the kernel's.
        """
        method = self._specializer.methods[name]
        asked = _keyword_only(method)
        open_ = self.interface.params[len(args) :]
        own = {k: kwargs.pop(k) for k in asked if k in kwargs and k not in open_}
        own |= {"bind": self._bind} if "bind" in asked else {}
        with Turns(self._race, self._plain, self._ahead.pending, self._say_plain) as turns:
            own |= {"turns": turns} if "turns" in asked else {}
            try:
                return method(self.interface, self._bound_run, args, kwargs, **own)
            finally:
                self._ahead.rest()

    def __dir__(self) -> list[str]:
        domain = self._specializer
        answers = domain.answers if self.fitted is not None else ()
        return [*super().__dir__(), *domain.methods, *domain.makers, *answers]

    @property
    def report(self) -> Report | None:
        """What the last measurement, or a training's choice, has found out."""
        if self._raced is not None:
            self._report, self._raced = self._raced(), None
        return self._report

    @report.setter
    def report(self, found: Report | None) -> None:
        self._report, self._raced = found, None

    # -- specializing

    def _specialization(
        self, values: Mapping[str, Any], tune: str | None = None
    ) -> tuple[Specialization | None, DirectCalls]:
        """What runs these values (``None``: the plain Python), and where to keep how to repeat it."""
        signature = self._specializer.signature(self.interface, values)
        code = self._specializer.code_signature(signature)
        direct = self._refresh()
        key = (direct.identity, code)
        if key not in self._ready:
            with self._lock:
                direct = self._direct  # another thread may have looked the names up
                key = (direct.identity, code)
                if key not in self._ready:
                    tune = tune or (self.options.tune if not self._ready else "none")
                    self._ready[key] = self._specialize(signature, values, tune)
        return self._ready[key], direct

    def _refresh(self) -> DirectCalls:
        """Look the captured names up again; a changed value makes another kernel."""
        direct = self._direct
        if direct.watch.unchanged():
            return direct
        held = hold(self._source, self._lookup)
        watch = Watch(self._source, self._lookup, held)
        now = recapture(self._source, held)
        if now.identity == direct.identity:
            direct.watch = watch
            return direct
        with self._lock:  # not while another thread specializes for the values before
            self._source, self._held = now, held
            self._plain = self._specializer.reference(now, self._lookup)
            self._direct = DirectCalls(now.identity, watch)
            return self._direct

    def _specialize(
        self,
        signature: Signature,
        values: Mapping[str, Any],
        tune: str,
        fresh: bool = False,
        listen: Listener | None = None,
        resume: bool = False,
    ) -> Specialization | None:
        """One place of fall-back: the plain Python where language or machine says no."""
        options = self.options
        arrays = dict(t for t in signature.args if isinstance(t[1], ArrayType))
        self._scalars[signature] = {n: v for n, v in values.items() if n not in arrays}
        try:
            platform, skipped = self._platform(signature)
            self._note = "" if platform else "; ".join(skipped) or "backend 'python' was asked for"
            if platform is None:
                return None
            request = self._request(platform, signature, values, tune)
            done = specialize(replace(request, fresh=fresh, resume=resume, listen=listen))
        except (LanguageError, BackendError, WrongResult) as error:
            if not options.fallback:
                raise
            self._note = str(error)
            return None
        except RecursionError:
            raise self._specializer.error(too_deep(self._source)) from None
        if skipped and options.backend != ("auto",):
            self._say(f"{self.__name__} runs on {done.platform}; {'; '.join(skipped)}")
        self._last = done
        return done

    def _request(
        self, first: Platform, signature: Signature, values: Mapping[str, Any], tune: str
    ) -> Request:
        """What is to be specialized: the platform *first*, and others that the user would take."""
        asked, options = self._asked_platforms(), self.options
        others = tuple(p for p in asked if p is not first) if first in asked else ()
        return Request(
            self._specializer, (first, *others), self._source, self._held, values, signature,
            options.check, tune, options.budget_s, options.pins,
            self._last.config if self._last else None, tools=options.tools,
        )  # fmt: skip

    def _platform(self, signature: Signature) -> tuple[Platform | None, tuple[str, ...]]:
        """The platform to use, or ``None`` for the plain Python, and why others were passed over.

        A program outside the language is refused here, whatever the machine has; so is a machine
        without any of the platforms asked for by name, unless the kernel may fall back.
        """
        wanted = list(self._asked_platforms())
        if "python" not in self.options.backend and self.options.fallback:
            rest = (p for p in registry.platform_names() if p not in {w.name for w in wanted})
            wanted += [registry.platform(p, self.options.tools) for p in rest]
        languages = self._specializer.lower
        found, skipped = select_platform(wanted, languages)
        if found is None:
            self._front(signature)
            asked = bool(self.options.tools) or not {"auto", "python"} & {*self.options.backend}
            if asked and not self.options.fallback:
                names = " or ".join(p.name for p in wanted)
                what = f"{self.__name__!r} cannot run on {names}"
                raise BackendError(
                    Diagnostic("B001", what, "; ".join(skipped), "--fallback, or another --backend",
                               where=self._source.where)
                )  # fmt: skip
        return found, skipped

    def _asked_platforms(self) -> tuple[Platform, ...]:
        """The platforms of ``options.backend``, in order, up to the plain Python."""
        named = self.options.backend
        named = named[: named.index("python")] if "python" in named else named
        known = registry.platform_names()
        names = [p for b in named for p in (known if b == "auto" else (b,))]
        return tuple(registry.platform(p, self.options.tools) for p in dict.fromkeys(names))

    def _front(self, signature: Signature) -> Trace:
        """Phases 1 to 3, which need no compiler."""
        return Pipeline(self._specializer, registry.platform("c")).front(self._source, signature)

    def _say_plain(self, what: str = "plain Python") -> None:
        """Warn that *what* runs, unless it was asked for or a card has said so."""
        if self.options.backend != ("python",) and not (self.report and self.report.note):
            self._say(f"{self.__name__} runs as {what}; {self._note}")

    def _say(self, text: str) -> None:
        """Warn once, at the place of the kernel's own source."""
        if text not in self._said:
            self._said.add(text)
            where, line = self._source.where, self._source.first_line
            warnings.warn_explicit(text, SejitsWarning, where, line)

    def sample_arguments(self) -> tuple[Any, ...]:
        """Built-in arguments to show the kernel on: its inputs, in parameter order."""
        return self._specializer.sample(self._source, self.interface)


def _unpickled(
    cls: type[KernelCalls], specializer: str, source: KernelSource, options: Options
) -> KernelCalls:
    return cls(registry.specializer(specializer), source, thawed(source), options)


def _renew_locks() -> None:
    """In a forked process: the thread that held a lock is not there to release it."""
    for kernel in _kernels:
        kernel._lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


def _docstring(source: KernelSource) -> str | None:
    for n in ast.parse(source.code).body:
        if isinstance(n, ast.FunctionDef) and n.name == source.name:
            return ast.get_docstring(n)
    return None


@cache
def _keyword_only(method: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.getfullargspec(method).kwonlyargs)
