"""The micro-kernels of ``kernels/machine/``: made into one library and run in a child process.

The child is started by exec with OpenMP's threads bound to cores: its affinity ends with it, and a
micro-kernel that crashes costs only it.  Rates come back through the memory that both map.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from string import Template

from .. import config
from ..ir.dast import Line
from ..phase5_backend.compile_c import compile_source
from ..phase5_backend.trial_process import TrialProcess
from ..stages import SourceUnit

C_TYPES = {"f64": "double", "f32": "float"}
_BINDING = {"OMP_PROC_BIND": "spread", "OMP_PLACES": "cores", "OMP_DYNAMIC": "false"}
_OWN_BINDING = ("GOMP_CPU_AFFINITY", "KMP_AFFINITY")
"""These would win over :data:`_BINDING`."""
_RATES = 8
_LIMIT_S = 0.5
"""A measurement that other work slows down ends with the round that passes this."""


class BoundProcess(TrialProcess):
    """A child whose OpenMP threads are bound, each to a core of its own as far as there are any."""

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k not in _OWN_BINDING}
        return kept | _BINDING


@cache
def source() -> str:
    """All micro-kernels as one C file."""
    folder = files("sejits_nb.kernels") / "machine"
    common, bandwidth, peak = (
        (folder / f"{name}.c").read_text(encoding="utf-8")
        for name in ("common", "bandwidth", "peak")
    )
    peaks = [Template(peak).substitute(T=kind) for kind in C_TYPES.values()]
    return "\n".join([common, bandwidth, *peaks])


class MicroKernels:
    """The compiled micro-kernels; a context that ends the child process.

    Raises :class:`~sejits_nb.errors.BackendError` where they do not compile.
    """

    def __init__(self) -> None:
        lines = tuple(map(Line, source().splitlines()))
        self._library = compile_source(SourceUnit("c", "bandwidth", (), lines), False).library
        self._process = BoundProcess()

    def __enter__(self) -> MicroKernels:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.close()

    def bandwidth(
        self, threads: int, thread_bytes: int, pieces: int, kinds: int, rounds: int
    ) -> Sequence[float]:
        """Bytes/s of the first *kinds* of read, copy, triad, non-temporal copy and triad, on
        *thread_bytes* a thread, timed in *pieces*; 0 for what could not be measured.
        """
        sweeps = max(1, int(1e8) // thread_bytes)  # a millisecond in a fast cache
        numbers = threads, thread_bytes, pieces, sweeps, kinds, rounds
        return self._rates("bandwidth", kinds, *numbers)

    def peak(self, dtype: str, threads: int, rounds: int) -> float:
        """Operations/s on ``f32`` or ``f64``; 0 if they could not be measured."""
        return self._rates(f"peak_{C_TYPES[dtype]}", 1, threads, 150_000, rounds)[0]

    def _rates(self, entry: str, count: int, *numbers: int) -> Sequence[float]:
        memory = self._process.memory(8 * _RATES)
        memory[: 8 * _RATES] = bytes(8 * _RATES)
        arguments = [["pointer", 0], *(["i64", n] for n in numbers), ["f64", _LIMIT_S]]
        request = {
            "library": self._library, "entry": entry, "size": len(memory), "args": arguments
        }  # fmt: skip
        if self._process.ask(request, config.TRIAL_TIMEOUT_S):
            return (0.0,) * count
        return struct.unpack_from(f"{count}d", memory)
