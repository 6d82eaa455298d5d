"""The roofs of this machine: bandwidths as STREAM counts them, cache by cache, and peak arithmetic.

They are measured once, in two to three seconds, and kept in the disk cache under the machine, the
number of threads and the micro-kernels' text.  A rate is the best of several rounds: a roof is what the
machine can do, and everything else that runs on it only lowers a sample.
"""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from .. import config
from ..errors import BackendError
from ..phase5_backend import cache
from ..phase5_backend.c_compiler import Compiler, find_compiler
from ..phase5_backend.eviction import locked
from ..results import Bandwidth, Listener, Peak, Progress, Roofs, Work
from .caches import Cache, assumed, available_bytes, data_caches
from .detect import machine_key, machine_name
from .micro_kernels import MicroKernels, source

KINDS = ("read", "copy", "triad", "copy past the caches", "triad past the caches")
MEMORY = "DRAM"
_PASSES, _PASSES_S = 3, 1.5
"""Everything is measured in turn, as often as this if it takes no longer: so that a slow spell of the
machine does not hit one roof only."""
_MEMORY_ROUNDS, _CACHE_ROUNDS, _PEAK_ROUNDS = 6, 8, 20
_STREAM_SETS = 12
"""STREAM's rule: each of its three arrays has four times the size of the last cache."""
_MOST_BYTES = 2 << 30
_STREAMING_STORES = ("x86_64", "AMD64", "i686")
"""Machines on which ``kernels/machine/bandwidth.c`` has stores past the caches."""
_LOCK_S = 30.0
_USUAL_S = 3.0
_KIND = "roofs"


def measured_roofs(remeasure: bool = False) -> Roofs | None:
    """The roofs of this machine, measured now if they are not known or *remeasure* is set.

    One process measures at a time, and who waited takes what the other found.  ``None`` without a
    C compiler that works.
    """
    compiler = find_compiler()
    if not isinstance(compiler, Compiler):
        return None
    found = None if remeasure else recall_roofs()
    if found:
        return found
    asked = time.time()
    with locked(cache.place(), _KIND, _LOCK_S):
        found = _recall(_key(compiler), since=asked if remeasure else 0.0)
        if found:
            return found
        try:
            with MicroKernels() as kernels:
                roofs = measure(kernels, _threads(compiler))
        except (BackendError, OSError):
            return None
        if roofs:
            document = {"roofs": asdict(roofs), "when": time.time()}
            cache.write_json(_KIND, _key(compiler), document)
    return roofs


def roofs_for_race(kernel: str, listen: Listener | None) -> None:
    """Measure the roofs before *kernel* is tuned, if they are not known and ``SEJITS_ROOFS`` allows
    it; *listen* is told before.
    """
    if not config.measures_roofs() or recall_roofs():
        return
    if listen:
        phase = "measuring what this machine can do, once"
        listen(Progress(kernel, "", phase, 0, 0, (), Work(0, 0, 0), 0.0, _USUAL_S))
    measured_roofs()


def recall_roofs() -> Roofs | None:
    """The roofs that an earlier measurement left, for this machine and as many threads; measures
    nothing.
    """
    compiler = find_compiler()
    return _recall(_key(compiler)) if isinstance(compiler, Compiler) else None


def measure(kernels: MicroKernels, threads: int) -> Roofs | None:
    """Roofs of one thread and of *threads*, measured; ``None`` if nothing could be."""
    caches = data_caches()
    streaming = platform.machine() in _STREAMING_STORES
    kinds = len(KINDS) if streaming else 3
    notes = [] if caches else ["the system does not say how large the caches are: assumed"]
    notes += [] if streaming else ["only plain stores: this CPU's non-temporal ones are not used"]
    counts = sorted({1, threads})
    bandwidths: dict[tuple[str, str, int], Bandwidth] = {}
    peaks: dict[tuple[str, int], Peak] = {}
    for t in counts:
        stop = time.perf_counter() + _PASSES_S
        for number in range(_PASSES):
            if number and time.perf_counter() > stop:
                break
            for b in _bandwidths(kernels, caches or assumed(threads), t, kinds):
                key = b.level, b.kind, t
                bandwidths[key] = max(b, bandwidths.get(key, b), key=lambda b: b.bytes_per_s)
            for p in (Peak(d, t, kernels.peak(d, t, _PEAK_ROUNDS)) for d in ("f64", "f32")):
                best = max(p, peaks.get((p.dtype, t), p), key=lambda p: p.flops_per_s)
                peaks[p.dtype, t] = best
    date = time.strftime("%Y-%m-%d %H:%M")
    found = tuple(bandwidths.values()), tuple(peaks.values())
    if _disturbed(found[0], threads):
        notes.append("other work disturbed the measurement: %sejits machine --remeasure")
    roofs = Roofs(*found, threads, machine_name(), date, tuple(notes))
    return roofs if _whole(roofs) else None


def working_sets(caches: tuple[Cache, ...], threads: int, free_bytes: int) -> Mapping[str, int]:
    """Bytes a thread works on to meet each level, in three arrays: half of a private cache, a quarter
    of the last one but past the one before, and for the memory as STREAM does.

    A cache too small to be told from the one before it is left out.
    """
    sets: dict[str, int] = {}
    below = 0
    for level in caches:
        share = level.holds_bytes(threads) // threads
        part = max(share // (2 if level.level < 3 else 4), 2 * below)
        if part <= 3 * share // 4:
            sets[f"L{level.level}"] = part
        below = share
    last = caches[-1].holds_bytes(threads)
    sets[MEMORY] = min(_STREAM_SETS * last, free_bytes // 4, _MOST_BYTES) // threads
    return sets


def _bandwidths(
    kernels: MicroKernels, caches: tuple[Cache, ...], threads: int, kinds: int
) -> Iterator[Bandwidth]:
    holds = {f"L{c.level}": c.holds_bytes(threads) for c in caches}
    for level, part in working_sets(caches, threads, available_bytes()).items():
        if level == MEMORY:
            rates = kernels.bandwidth(threads, part, _STREAM_SETS, kinds, _MEMORY_ROUNDS)
        else:  # non-temporal stores leave the caches
            rates = kernels.bandwidth(threads, part, 1, 3, _CACHE_ROUNDS)
        for kind, rate in zip(KINDS, rates, strict=False):
            if rate > 0:
                yield Bandwidth(level, kind, threads, rate, part * threads, holds.get(level, 0))


def _disturbed(bandwidths: tuple[Bandwidth, ...], threads: int) -> bool:
    """Whether all threads moved less than one alone does, anywhere."""
    rates = {(b.level, b.kind, b.threads): b.bytes_per_s for b in bandwidths}
    return any(
        rates.get((level, kind, threads), rate) < 0.9 * rate
        for (level, kind, count), rate in rates.items()
        if count == 1
    )


def _threads(compiler: Compiler) -> int:
    return config.threads() if compiler.openmp else 1


def _key(compiler: Compiler) -> str:
    return f"{machine_key()} {_threads(compiler)} {cache.digest(source())}"


def _recall(key: str, since: float = 0.0) -> Roofs | None:
    """The document under *key*, unless it is older than *since* or not what we write."""
    found: Any = cache.read_json(_KIND, key)
    try:
        kept = found["roofs"]
        roofs = Roofs(
            tuple(Bandwidth(**row) for row in kept["bandwidths"]),
            tuple(Peak(**row) for row in kept["peaks"]),
            int(kept["threads"]), str(kept["machine"]), str(kept["date"]), tuple(kept["notes"]),
        )  # fmt: skip
        return roofs if found["when"] >= since and _whole(roofs) else None
    except (TypeError, KeyError, ValueError):
        return None


def _whole(roofs: Roofs) -> bool:
    """Whether there is a number for the memory and both types, on one thread and on all."""
    rates = [*(b.bytes_per_s for b in roofs.bandwidths), *(p.flops_per_s for p in roofs.peaks)]
    counts = {1, roofs.threads}
    return (
        all(math.isfinite(r) and r > 0 for r in rates)
        and counts <= {b.threads for b in roofs.bandwidths if (b.level, b.kind) == (MEMORY, "copy")}
        and all(counts <= {p.threads for p in roofs.peaks if p.dtype == d} for d in ("f32", "f64"))
    )
