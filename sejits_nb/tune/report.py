"""Reports: what a card shows of a kernel that was raced, of one that was not, of the plain Python."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Any

from ..contracts import Namespace, Specializer
from ..machine.detect import machine_name
from ..machine.roofs import recall_roofs
from ..phase5_backend.opencl_device import Device, find_device
from ..results import Measurement, Report, Work
from ..stages import Artifact, KernelSource, Signature, Trace
from .timing import time_plain


def plain_seconds(
    specializer: Specializer,
    source: KernelSource,
    lookup: Namespace,
    dast: Any,
    values: Mapping[str, Any],
) -> tuple[float, int]:
    """Seconds of the plain Python on some points of this call, and how many points those are."""
    run, points = specializer.plain_run(source, lookup, dast, values)
    return time_plain(run), points


def make_report(
    trace: Trace,
    signature: Signature,
    measurements: tuple[Measurement, ...],
    best: Measurement | None,
    *,
    work: Work,
    plain: tuple[float, int],
    artifact: Artifact | None,
    seconds: float,
    check: str,
    note: str = "",
    device: str = "",
) -> Report:
    """A report of here and now; ``plain`` are seconds and points of :func:`plain_seconds`."""
    return Report(
        trace=trace,
        signature=signature,
        measurements=measurements,
        best=best,
        work=work,
        python_s=plain[0] * work.points / max(1, plain[1]),
        python_points=plain[1],
        artifact=artifact,
        machine=machine_name(),
        date=time.strftime("%Y-%m-%d %H:%M"),
        seconds=seconds,
        check=check,
        note=note,
        roofs=recall_roofs(),
        elsewhere=elsewhere({m.platform for m in measurements}, device),
    )


def elsewhere(platforms: Collection[str], device: str = "") -> tuple[str, ...]:
    """Which of *platforms* run on another device than the CPU whose roofs are measured, as far as the
    name tells: PoCL's for CPUs are known.  *device* is the OpenCL device that was asked for.
    """
    if "opencl" not in platforms:
        return ()
    found = find_device(device)
    ours = isinstance(found, Device) and found.name.startswith(("cpu", "pthread", "basic"))
    return () if ours else ("opencl",)
