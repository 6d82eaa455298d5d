"""What was found out about a kernel, kept for the next process: every measurement and the best."""

from __future__ import annotations

from typing import Any

from .. import config
from ..machine.detect import machine_key
from ..phase5_backend import cache
from ..results import Measurement
from ..stages import Config, KernelSource, Signature

_KIND = "choices"


def record_key(source: KernelSource, signature: Signature, platform: str, check: str) -> str:
    """Key of a tuning record: the kernel's text and constants, the call's layout, the machine and how
    many of its CPUs may be used.
    """
    machine = f"{machine_key()} {config.threads()}"
    return cache.digest(*source.identity, repr(signature), platform, check, machine)


def remember(key: str, measurements: tuple[Measurement, ...], python_s: float, points: int) -> None:
    """Store a race under *key*; the plain Python took *python_s* seconds for *points* points."""
    rows = [
        {"config": list(m.config.items), "platform": m.platform, "verdict": m.verdict,
         "times_s": list(m.times_s), "reason": m.reason}
        for m in measurements
    ]  # fmt: skip
    cache.write_json(_KIND, key, {"measurements": rows, "python_s": python_s, "points": points})


def recall(key: str) -> tuple[tuple[Measurement, ...], float, int] | None:
    """What :func:`remember` stored, or ``None`` (also for a record of another format)."""
    found: Any = cache.read_json(_KIND, key)
    try:
        rows = tuple(
            Measurement(
                Config(tuple((str(k), int(v)) for k, v in row["config"])),
                row["platform"], row["verdict"], tuple(row["times_s"]), row["reason"],
            )
            for row in found["measurements"]
        )  # fmt: skip
        return rows, float(found["python_s"]), int(found["points"])
    except (TypeError, KeyError, ValueError):
        return None


def best_of(measurements: tuple[Measurement, ...]) -> Measurement | None:
    """The fastest by median of those that may be chosen."""
    timed = [m for m in measurements if m.times_s and m.verdict in ("correct", "unchecked")]
    return min(timed, key=lambda m: m.median_s, default=None)
