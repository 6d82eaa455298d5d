"""What is asked for one call of a kernel, what comes of it, and the steps that every choice shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from .. import config
from ..contracts import Executable, Knob, Namespace, Platform, Specializer, VariantSpace
from ..errors import BackendError, Diagnostic, WrongResult
from ..pipeline import Pipeline
from ..results import Listener, Measurement, Report
from ..stages import Artifact, Case, Config, KernelSource, Signature, Toolchain, Trace
from . import records
from .pins import Pins, fit, pins_for
from .prove import Cases, Prover
from .strategies import restricted, starting_at

_CACHED_S = 0.02
"""A build that takes longer has not been cached."""


@dataclass(frozen=True)
class Request:
    """What is to be specialized: the kernel, the call, and how much effort to spend.

    ``platforms`` are those that the user would take: the first is usable, the others may be; a race is
    between them.  ``prefer`` is the configuration that served another shape best; ``fresh`` ignores
    records; ``resume`` continues the last race; ``listen`` is told between timings how a race stands.
    """

    specializer: Specializer
    platforms: tuple[Platform, ...]
    source: KernelSource
    lookup: Namespace
    values: Mapping[str, Any]
    signature: Signature
    check: str = "fast"
    tune: str = "none"
    budget_s: float | None = None
    pins: Pins = ()
    prefer: Config | None = None
    fresh: bool = False
    resume: bool = False
    listen: Listener | None = None
    tools: Toolchain = field(default_factory=Toolchain)

    @property
    def subject(self) -> records.Subject:
        """What this call is to the record store."""
        code = self.specializer.code_signature(self.signature)
        return records.subject_of(self.source, code, self.check, self.tools)

    @property
    def names(self) -> tuple[str, ...]:
        """The platforms by name."""
        return tuple(platform.name for platform in self.platforms)


@dataclass(frozen=True)
class Specialization:
    """A signature's result; ``executable`` is live, everything else can be kept."""

    signature: Signature
    trace: Trace
    artifact: Artifact
    executable: Executable
    config: Config
    platform: str
    report: Report | None = None


def usable(request: Request, platform: Platform) -> bool:
    """Whether the kernel can run on *platform* here."""
    return platform.language in request.specializer.lower and platform.probe().usable


def fitting(request: Request) -> Request:
    """*request* for those of its platforms that can have the knobs as they are pinned; as it is where
    none has one of them so."""
    if not any(isinstance(value, str) for _, value in request.pins):
        return request
    there = [(p, tuple(_knobs_of(request, [p]))) for p in request.platforms if usable(request, p)]
    able = [(platform, own) for platform, own in there if fit(request.pins, own)]
    had = {knob.name for _, own in able for knob in own}
    if not had.issuperset(name for name, _ in request.pins):
        return request
    return replace(request, platforms=tuple(platform for platform, _ in able))


def front(request: Request, platform: Platform) -> tuple[Prover, VariantSpace]:
    """What builds and proves variants on *platform*; the space, pins fixed, from the model's choice."""
    strict = request.check == "strict"
    prover = Prover(Pipeline(request.specializer, platform, strict), request.source)
    _, space = prover.front(request.signature)
    others = [p for p in request.platforms if p is not platform]
    pins = dict(pins_for(request.pins, space.knobs, lambda: _knobs_of(request, others)))
    known = {name: value for name, value in request.prefer.items if name != "threads"} \
        if request.prefer else {}  # fmt: skip
    return prover, restricted(starting_at(space, known), pins)


def prove_one(
    request: Request, prover: Prover, chosen: Config, cases: Cases | None
) -> Specialization:
    """One configuration, built and, unless *cases* is ``None``, proven; raises :class:`WrongResult`.

    What the plain Python gives is computed while the compiler runs, if it has to.
    Where contracted code differs from the plain Python by more than rounding (a sum that overflows,
    unless fused), it is built once more without contraction.
    """
    platform = prover.pipeline.platform
    prover.front(request.signature)
    if cases and not config.forked():
        with ThreadPoolExecutor(1) as pool:
            building = pool.submit(prover.build, request.signature, chosen)
            if wait([building], _CACHED_S).not_done:
                for case in cases():
                    prover.front(case.signature)
            building.result()
    trace, artifact = prover.build(request.signature, chosen)
    reason = prover.verdicts([(chosen, artifact)], cases)[chosen] if cases else ""
    prover.settle()
    if not reason:
        executable = platform.load(artifact)
        return Specialization(request.signature, trace, artifact, executable, chosen, platform.name)
    if prover.always_exact:
        raise none_left(request, (Measurement(chosen, platform.name, "wrong", reason=reason),))
    exact = Prover(prover.pipeline, prover.source, always_exact=True)
    return prove_one(request, exact, chosen, cases)


def cases_of(request: Request, prover: Prover) -> Cases | None:
    """The specializer's comparisons for this call, made when first asked for."""
    if request.check == "off":
        return None

    @cache
    def cases() -> tuple[Case, ...]:
        return request.specializer.cases(
            request.source, request.lookup, prover.optimised, request.signature, request.values,
            request.check == "strict",
        )  # fmt: skip

    return cases


def none_left(
    request: Request, measurements: tuple[Measurement, ...]
) -> BackendError | WrongResult:
    """No variant may be chosen: a failed build if all failed, a wrong result otherwise."""
    wrong = [m for m in measurements if m.verdict == "wrong"]
    first = (*wrong, *measurements)[0]
    if not wrong:
        return BackendError(Diagnostic("B005", f"no variant of {request.source.label!r} compiles",
                                       first.reason.replace("\n", " "),
                                       "run with fallback=True for the plain Python",
                                       where=request.source.where))  # fmt: skip
    return WrongResult(Diagnostic("W001", f"no variant of {request.source.label!r} equals the plain "
                                  f"Python: {first.reason}",
                                  f"check={request.check!r} compares every variant before it may run",
                                  "check=\"fast\" allows rounding" if request.check == "strict"
                                  else "report it with the cell: this is a defect of ours",
                                  where=request.source.where))  # fmt: skip


def _knobs_of(request: Request, platforms: list[Platform]) -> Iterator[Knob]:
    """The knobs that the kernel has on *platforms*."""
    for platform in platforms:
        if platform.language in request.specializer.lower:
            pipeline = Pipeline(request.specializer, platform, request.check == "strict")
            yield from Prover(pipeline, request.source).front(request.signature)[1].knobs
