"""``kernel.race(text)``: edited code of a kernel against the code in use."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import config, registry
from .contracts import Platform
from .errors import BackendError, Diagnostic
from .results import EditedRace, Measurement
from .stages import Config
from .tune.edited import Edit, EditedRunner
from .tune.request import Request, Specialization, front, usable

if TYPE_CHECKING:
    from .kernel import Kernel

_OPENCL = re.compile(r"^\s*(__)?kernel\b", re.MULTILINE)


def arguments(
    kernel: Kernel, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The values that a race is on.  Raises :class:`BackendError` (B012) where that would be the
    built-in sample, and the code that the kernel shows was made for another call."""
    if args or kwargs:
        return kernel._bind(args, kwargs).values
    if kernel._measured_on:
        return kernel._bind(*kernel._measured_on).values
    values = kernel._bind(kernel.sample_arguments(), {}).values
    sample = kernel._specializer.signature(kernel.interface, values)
    code = kernel._specializer.code_signature
    if kernel._last and code(kernel._last.signature) != code(sample):
        what = f"{kernel.__name__!r} was called, not measured"
        raise _error(
            what, "its arguments are not kept", f"{kernel.__name__}.tune(...) on them first"
        )
    return values


def race(
    kernel: Kernel,
    text: str,
    values: Mapping[str, Any],
    base: Measurement | None,
    budget_s: float | None,
    stop: threading.Event | None,
) -> EditedRace:
    """*text* against what runs *values* now; *base* is the variant that it was made from, else it is
    taken to be the best of the text's language.  Raises :class:`BackendError` (B012) where there is
    nothing to race against.
    """
    found, _ = kernel._specialization(values)
    if found is None:
        raise _error(
            f"{kernel.__name__!r} runs as plain Python", "there is no code to race against"
        )
    tools, names = kernel.options.tools, registry.platform_names()
    platforms = tuple(registry.platform(name, tools) for name in names)
    request = Request(
        kernel._specializer, platforms, kernel._source, kernel._held, values, found.signature,
        kernel.options.check, tools=tools,
    )  # fmt: skip
    if not registry.platform(found.platform).bench:
        raise _error(
            f"{kernel.__name__!r} runs on {found.platform}", "which has no process for trials"
        )
    edit = Edit(text, *_base(kernel, request, found, text, base))
    serial = next((p for p in platforms if p.name == "c"), None)
    runner = EditedRunner(
        request, edit, found, serial, budget_s or config.RACE_BUDGET_S, stop or threading.Event()
    )
    return runner.run()


def _base(
    kernel: Kernel, request: Request, found: Specialization, text: str, base: Measurement | None
) -> tuple[Platform, Config]:
    """The variant that *text* was made from."""
    language = "opencl" if _OPENCL.search(text) else "c"
    ours = {p.name: p for p in request.platforms if usable(request, p) and p.bench}
    known = [base] if base else [Measurement(found.config, found.platform, ""), *kernel.variants]
    for m in known:
        if m.platform in ours and (base or ours[m.platform].language == language):
            return ours[m.platform], m.config
    for platform in ours.values():
        if platform.language == language and not base:
            return platform, front(request, platform)[1].default
    wanted = base.platform if base else {"c": "C", "opencl": "OpenCL C"}[language]
    raise _error(f"{kernel.__name__!r} has no {wanted} here", "%sejits backends tells what runs")


def _error(message: str, why: str, try_: str = "") -> BackendError:
    return BackendError(Diagnostic("B012", f"{message}: edited code cannot be raced", why, try_))
