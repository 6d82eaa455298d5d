"""The race: all configurations built side by side, proven one by one, timed in turn.

Timing protocol: one warm-up each; then rounds in which every contender runs once, so that a slow
spell of the machine meets all of them; short runs are repeated inside a sample until it is long
enough for the clock.  A contender twice as slow as the leader leaves after the second round.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import Any

from ..errors import BackendError
from ..results import Measurement
from ..stages import ArrayType, Artifact, Config, Signature
from .prove import Cases, Prover

_SAMPLE_S = 1e-3
_MOST_ROUNDS = 15
_LEAST_ROUNDS = 3
_HOPELESS = 2.0


def race(
    prover: Prover,
    signature: Signature,
    values: Mapping[str, Any],
    configs: Sequence[Config],
    cases: Cases | None,
    budget_s: float,
) -> tuple[Measurement, ...]:
    """A measurement for each of *configs*, in their order; failures carry their reason.

    ``cases`` is ``None`` when checking is off.  *values* are only read: outputs are scratch arrays.
    """
    platform = prover.pipeline.platform
    built: list[tuple[Config, Artifact]] = []
    failed: dict[Config, Measurement] = {}
    for chosen, result in zip(
        configs, prover.build_all([(signature, c) for c in configs]), strict=True
    ):
        if isinstance(result, BackendError):
            failed[chosen] = Measurement(chosen, platform.name, "failed", reason=str(result))
        else:
            built.append((chosen, result[1]))
    verdicts = prover.verdicts(built, cases) if cases is not None else {}
    calls: dict[Config, Callable[[], None]] = {}
    scratch = _with_scratch_outputs(prover, signature, values)
    for chosen, artifact in built:
        if reason := verdicts.get(chosen, ""):
            failed[chosen] = Measurement(chosen, platform.name, "wrong", reason=reason)
        else:
            calls[chosen] = platform.load(artifact).bound(scratch)
    times = time_in_turn(calls, budget_s)
    verdict = "correct" if cases is not None else "unchecked"
    return tuple(
        failed.get(c) or Measurement(c, platform.name, verdict, tuple(times[c])) for c in configs
    )


def time_in_turn(
    calls: Mapping[Config, Callable[[], None]], budget_s: float
) -> dict[Config, list[float]]:
    """Run times of each call, seconds, several samples each."""
    stop = time.perf_counter() + budget_s
    repeats: dict[Config, int] = {}
    for chosen, call in calls.items():
        call()
        once = _timed(call, 1)
        repeats[chosen] = max(1, ceil(_SAMPLE_S / max(once, 1e-9)))
    times: dict[Config, list[float]] = {c: [] for c in calls}
    contenders = list(calls)
    for number in range(_MOST_ROUNDS):
        if number >= _LEAST_ROUNDS and time.perf_counter() > stop:
            break
        for chosen in contenders:
            times[chosen].append(_timed(calls[chosen], repeats[chosen]))
        if number == 1 and contenders:
            leader = min(min(times[c]) for c in contenders)
            contenders = [c for c in contenders if min(times[c]) <= _HOPELESS * leader]
    return times


def time_plain(run: Callable[[], None], budget_s: float = 0.15) -> float:
    """Median seconds of the plain Python's *run*: at least three, more while the budget lasts."""
    stop = time.perf_counter() + budget_s
    samples: list[float] = []
    while len(samples) < 3 or (time.perf_counter() < stop and len(samples) < 9):
        samples.append(_timed(run, 1))
    return sorted(samples)[len(samples) // 2]


def _timed(call: Callable[[], None], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def _with_scratch_outputs(
    prover: Prover, signature: Signature, values: Mapping[str, Any]
) -> dict[str, Any]:
    outputs = prover.pipeline.specializer.interface(prover.source).outputs
    kinds = dict(signature.args)
    return {
        name: value.copy(order="K")
        if name in outputs and isinstance(kinds[name], ArrayType)
        else value
        for name, value in values.items()
    }
