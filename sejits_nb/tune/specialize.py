"""One signature of one kernel, from source to something that runs: choose, build, prove, load."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from .. import config
from ..contracts import Executable, Namespace, Platform, Specializer, VariantSpace
from ..errors import BackendError, Diagnostic, OptionError, WrongResult, did_you_mean
from ..phase4_variants.space import configurations
from ..pipeline import Pipeline
from ..results import Listener, Measurement, Report
from ..stages import Artifact, Case, Config, KernelSource, Signature, Trace
from .prove import Cases, Prover
from .records import best_of, recall, record_key, remember
from .report import make_report, plain_seconds
from .runner import race

_MOST_CONFIGS = {"none": 1, "quick": 12, "full": 60}


@dataclass(frozen=True)
class Request:
    """What is to be specialized: the kernel, the call, and how much effort to spend.

    ``prefer`` is the configuration that served another shape best; ``fresh`` ignores records;
    ``listen`` is told between timings how a race stands.
    """

    specializer: Specializer
    platform: Platform
    source: KernelSource
    lookup: Namespace
    values: Mapping[str, Any]
    signature: Signature
    check: str = "fast"
    tune: str = "none"
    budget_s: float | None = None
    pins: tuple[tuple[str, int], ...] = ()
    prefer: Config | None = None
    fresh: bool = False
    listen: Listener | None = None


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


def specialize(request: Request) -> Specialization:
    """All five phases for one call, as :func:`_specialize` does it.

    Where contracted code differs from the plain Python by more than rounding (a sum that overflows,
    unless fused), everything is done once more without contraction.
    """
    try:
        return _specialize(request, always_exact=False)
    except WrongResult:
        return _specialize(request, always_exact=True)


def _specialize(request: Request, always_exact: bool) -> Specialization:
    """All five phases for one call.

    With ``tune="none"`` the recorded best or the model's choice is built and proven; else the space is
    raced (or its record recalled) and the result carries a :class:`Report`.
    Raises the specializer's error, :class:`BackendError`, :class:`WrongResult`.
    """
    start = time.perf_counter()
    strict = request.check == "strict"
    pipeline = Pipeline(request.specializer, request.platform, strict)
    prover = Prover(pipeline, request.source, always_exact)
    _, space = prover.front(request.signature)
    key = record_key(request.source, request.signature, request.platform.name, request.check)
    cases = None if request.check == "off" else _cases(request, prover)
    recorded = None if request.fresh or request.pins else recall(key)
    if request.tune == "none":
        measured = recorded[0] if recorded else ()
        chosen = _choice(request, space, measured)
        return _prove_one(request, prover, chosen, cases)
    if recorded and best_of(recorded[0]):
        measurements, plain = recorded[0], recorded[1:]
    else:
        wanted = _configs(request, space)
        budget = request.budget_s or config.TUNE_BUDGET_S[request.tune]
        measurements = race(prover, request.signature, request.values, wanted, cases, budget)
        dast = prover.optimised(request.signature)
        plain = plain_seconds(
            request.specializer, request.source, request.lookup, dast, request.values
        )
        remember(key, measurements, *plain)
    best = best_of(measurements)
    if best is None:
        raise _none_left(request, measurements)
    done = _prove_one(request, prover, best.config, cases)
    work = request.specializer.work(prover.optimised(request.signature))
    report = make_report(
        done.trace, request.signature, measurements, best, work=work, plain=plain,
        artifact=done.artifact, seconds=time.perf_counter() - start, check=request.check,
    )  # fmt: skip
    return dataclasses.replace(done, report=report)


def _prove_one(
    request: Request, prover: Prover, chosen: Config, cases: Cases | None
) -> Specialization:
    """One configuration, built and, unless *cases* is ``None``, proven; raises :class:`WrongResult`."""
    platform = request.platform
    trace, artifact = prover.build(request.signature, chosen)
    if cases is not None and (reason := prover.verdicts([(chosen, artifact)], cases)[chosen]):
        wrong = Measurement(chosen, platform.name, "wrong", reason=reason)
        raise _none_left(request, (wrong,))
    executable = platform.load(artifact)
    return Specialization(request.signature, trace, artifact, executable, chosen, platform.name)


def _cases(request: Request, prover: Prover) -> Cases:
    """The specializer's comparisons for this call, made when first asked for."""

    @cache
    def cases() -> tuple[Case, ...]:
        return request.specializer.cases(
            request.source, request.lookup, prover.optimised, request.signature, request.values,
            request.check == "strict",
        )  # fmt: skip

    return cases


def _configs(request: Request, space: VariantSpace) -> list[Config]:
    found = [c for c in configurations(space) if set(request.pins) <= set(c.items)]
    if not found:
        found = [_choice(request, space, ())]
    return found[: _MOST_CONFIGS[request.tune]]


def _choice(request: Request, space: VariantSpace, measured: tuple[Measurement, ...]) -> Config:
    """The recorded best; else the model's choice, with what served another shape, and the pins."""
    best = best_of(measured)
    knobs = {k.name: k for k in space.knobs}
    if best is not None and [name for name, _ in best.config.items] == list(knobs):
        return best.config
    chosen = dict(space.default.items)
    for name, value in request.prefer.items if request.prefer else ():
        if name != "threads" and name in knobs and value in knobs[name].values:
            chosen[name] = value
    for name, value in request.pins:
        if name not in knobs:
            raise OptionError(Diagnostic("O002", f"this kernel has no knob {name!r}",
                                         "knobs depend on the kernel and the platform",
                                         did_you_mean(name, knobs)))  # fmt: skip
        if value < 0 or (value == 0 and 0 not in knobs[name].values):
            default = f"set='{name}={knobs[name].default}'"
            what = f"knob {name} cannot be {value}"
            raise OptionError(Diagnostic("O002", what, knobs[name].doc, default))
        chosen[name] = value
    return Config(tuple(chosen.items()))


def _none_left(
    request: Request, measurements: tuple[Measurement, ...]
) -> BackendError | WrongResult:
    """No variant may be chosen: a failed build if all failed, a wrong result otherwise."""
    first = measurements[0]
    if all(m.verdict == "failed" for m in measurements):
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
