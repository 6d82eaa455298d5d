"""Edited code on trial and timed, in a child process of its own that lives for one race.

A sample runs on the child's private copy of the arrays, with the same threads on the same CPUs as in
this process: times of several artifacts are comparable, and none of them runs here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import BackendError, Diagnostic
from ..stages import Artifact, Case
from .affinity import cpus_for, holder
from .opencl_device import OpenCLProcess, opencl_request
from .trial import Request, Trials, layout, native_request
from .trial_process import TrialProcess

_FIRST_LAUNCH_S = 10.0
CODES = {"B011": "Code on trial ended its process, or did not end, while it was timed."}


class Bench(Trials):
    """``contracts.Bench``; with ``holds`` threads are kept on CPUs of their own."""

    def __init__(
        self, new_process: Callable[[], TrialProcess], request: Request, limit_s: float, holds: bool
    ) -> None:
        super().__init__(new_process, request, limit_s)
        self._holds = holds
        self._filled: Case | None = None

    def sample(self, artifact: Artifact, case: Case, threads: int, repeats: int) -> float:
        """Seconds of one run, the mean of *repeats*, on the arrays of the first *case* timed."""
        places, size = layout(case)
        with self._lock:
            memory = self._process.memory(size)
            if self._filled is None:
                self._filled = case
                for name, place in places.items():
                    np.copyto(place.view(memory), case.values[name])
            cpus = cpus_for(threads) if self._holds else ()
            cpus = cpus if len(cpus) < 2 or self._library else ()
            told = {"size": len(memory), "repeats": repeats, "cpus": cpus, "hold": self._library}
            request = self._request(artifact, case, places) | told
            if reason := self._process.ask(request, self.limit_s):
                raise BackendError(Diagnostic("B011", reason))
            return float(self._process.answer["seconds"])

    def outputs(self, artifact: Artifact, case: Case) -> dict[str, Any]:
        """What proven code leaves in the arrays that it may write."""
        places, size = layout(case)
        with self._lock:
            memory = self._process.memory(size)
            request = self._request(artifact, case, places) | {"size": len(memory)}
            if reason := self._attempt(memory, places, case, (), request):
                raise BackendError(Diagnostic("B011", reason))
            written = [p.key for p in artifact.params if p.pointer and not p.const]
            return {name: places[name].view(memory).copy() for name in written}

    def stop(self) -> None:
        """From any thread: end what runs, and let nothing begin until :meth:`close`."""
        self._process.stop()

    @cached_property
    def _library(self) -> str:
        built = holder() if self._holds else None
        return built.library if built else ""


def native_bench(limit_s: float) -> Bench:
    """For C."""
    return Bench(TrialProcess, native_request, limit_s, holds=True)


def opencl_bench(limit_s: float) -> Bench:
    """For OpenCL C; its device keeps its own threads, and compiles once more at a first launch."""
    return Bench(OpenCLProcess, opencl_request, limit_s + _FIRST_LAUNCH_S, holds=False)
