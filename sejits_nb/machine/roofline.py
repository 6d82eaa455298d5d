"""The roofline model (Williams, Waterman, Patterson 2009): what bounds a variant, and how closely.

The least time of a sweep is the larger of its compulsory bytes over the bandwidth and its operations
over the peak, both measured, for the variant's threads and type.  The bandwidth is that of the
memory that holds the working set.  Unless the caches are flushed between runs, a set a few times the
last cache is in part still there: between the size of the cache and the one that STREAM ran on,
seconds are interpolated.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from ..results import Bandwidth, Measurement, Placement, Progress, Report, Roofs, Work
from .roofs import MEMORY

NOISE = 0.1
"""How far over a roof a point may lie before it is marked: roofs move from run to run."""
_NEAR = 0.8
_SMALL_BYTES = 64 << 10


def place(
    work: Work, seconds: float, dtype: str, threads: int, roofs: Roofs, flushed: bool = False
) -> Placement:
    """Where a sweep that took *seconds* on *threads* threads stands; *dtype* is ``f32`` or ``f64``;
    *flushed* caches held none of the grids before.

    Raises ``ValueError`` where there is nothing to place: no time, or no traffic.
    """
    if not (0 < seconds < math.inf and work.bytes_ > 0):
        raise ValueError(f"no point: {work.bytes_} bytes in {seconds} s")
    reached = levels(roofs, threads, mostly_read=4 * work.written_bytes < work.bytes_)
    reached = reached[-1:] if flushed else reached
    level, least_s = _least_seconds(reached, work.bytes_)
    peak = peak_of(roofs, dtype, threads)
    compute_s = work.flops / peak
    bound = "memory" if least_s >= compute_s else "compute"
    fraction = max(least_s, compute_s) / seconds
    above = fraction > 1 + NOISE
    stream = "STREAM" if level.level == MEMORY else level.level
    roof = f"measured {stream} roof" if bound == "memory" else f"measured {dtype} peak"
    words = f"{bound} bound: {fraction:.2f} of the {roof}{_part_kept(reached, level, work.bytes_)}"
    return Placement(
        intensity=work.flops / work.bytes_,
        bytes_per_s=work.bytes_ / seconds,
        flops_per_s=work.flops / seconds,
        bytes_roof=work.bytes_ / least_s,
        flops_roof=peak,
        level=level.level,
        bound=bound,
        fraction=fraction,
        above=above,
        words=f"above its roof; {words}" if above else words,
        advice=_ABOVE if above else _advice(work, dtype, threads, roofs, level, bound, fraction),
    )


def placement(race: Report | Progress, m: Measurement) -> Placement | None:
    """Where *m* stands; ``None`` if it was not timed, or its roofs are not known."""
    work, roofs = race.work, race.roofs
    if roofs is None or not m.times_s or not work.bytes_ or m.platform in race.elsewhere:
        return None
    flushed = race.caches == "flushed"
    return place(work, m.median_s, work.dtype, threads_of(m, roofs), roofs, flushed)


def threads_of(m: Measurement, roofs: Roofs) -> int:
    """The threads of a variant: its knob, or all where the platform decides (OpenCL on the CPU)."""
    return int(m.config.get("threads", 1 if m.platform == "c" else roofs.threads))


def levels(roofs: Roofs, threads: int, mostly_read: bool = False) -> tuple[Bandwidth, ...]:
    """The memories from the nearest to the farthest, each at its best rate for *threads* threads;
    between one thread and all of them no more than in proportion.

    Reading alone counts where a kernel writes less than a quarter of what it moves.
    """
    names = sorted({b.level for b in roofs.bandwidths}, key=lambda name: (name == MEMORY, name))
    rows = [b for b in roofs.bandwidths if mostly_read or b.kind != "read"]
    found = []
    for name in names:
        one, most = (_best(rows, name, t) for t in (1, roofs.threads))
        if threads in (1, roofs.threads) or threads > roofs.threads:
            found.append(one if threads == 1 else most)
        elif one and most:
            found.append(_scaled(one, most, threads))
    return tuple(b for b in found if b)


def _best(rows: Iterable[Bandwidth], level: str, threads: int) -> Bandwidth | None:
    mine = (b for b in rows if b.level == level and b.threads == threads)
    return max(mine, key=lambda b: b.bytes_per_s, default=None)


def _scaled(one: Bandwidth, most: Bandwidth, threads: int) -> Bandwidth:
    return replace(
        most,
        threads=threads,
        bytes_per_s=min(threads * one.bytes_per_s, most.bytes_per_s),
        set_bytes=min(threads * one.set_bytes, most.set_bytes),
        holds_bytes=min(threads * one.holds_bytes, most.holds_bytes),
    )


def peak_of(roofs: Roofs, dtype: str, threads: int) -> float:
    """Operations/s of *threads* threads; between one and all of them no more than in proportion."""
    rates = {p.threads: p.flops_per_s for p in roofs.peaks if p.dtype == dtype}
    if threads == 1 or threads >= roofs.threads:
        return rates[min(threads, roofs.threads)]
    return min(threads * rates[1], rates[roofs.threads])


def _least_seconds(reached: tuple[Bandwidth, ...], size: int) -> tuple[Bandwidth, float]:
    """The memory that holds *size* bytes, and the least time to move them."""
    before: Bandwidth | None = None
    for level in reached:
        if before and size < level.set_bytes:
            low, high = before.holds_bytes / before.bytes_per_s, level.set_bytes / level.bytes_per_s
            part = (size - before.holds_bytes) / (level.set_bytes - before.holds_bytes)
            return level, low + part * (high - low)
        if size <= level.holds_bytes:
            return level, size / level.bytes_per_s
        before = level
    return reached[-1], size / reached[-1].bytes_per_s


def _part_kept(reached: tuple[Bandwidth, ...], level: Bandwidth, size: int) -> str:
    cached = [other.level for other in reached if other.holds_bytes]
    if level.level == MEMORY and cached and size < level.set_bytes:
        return f", {cached[-1]} keeping a part"
    return ""


_ABOVE = (
    "a point above its roof is no winner: the roof was measured in a slower spell of the machine, or "
    "less was moved than counted; %sejits machine --remeasure"
)


def _advice(
    work: Work,
    dtype: str,
    threads: int,
    roofs: Roofs,
    level: Bandwidth,
    bound: str,
    fraction: float,
) -> str:
    """One sentence: what to try next."""
    narrower = " or float32" if dtype == "f64" else ""
    if fraction >= _NEAR and bound == "compute":
        return f"at the peak: only fewer operations{narrower} make it faster"
    if fraction >= _NEAR:
        return f"at the roof: only less traffic{narrower}, or several sweeps a pass, make it faster"
    if threads < roofs.threads and work.bytes_ > _SMALL_BYTES:
        return f"below the roof of {threads} of {roofs.threads} threads: try all of them"
    if work.bytes_ <= _SMALL_BYTES:
        return "the grid is so small that the call itself takes a good part of the time"
    if bound == "compute":
        return "below the peak: divisions, roots and chains of operations wait; try --tune full"
    if level.level != MEMORY:
        return f"the grids stay in {level.level}, where loads and arithmetic bound too: try --tune full"
    return "below the roof: try --tune full (tiles, prefetch, non-temporal stores)"
