"""OpenCL C -> program binary on disk -> live callable, on the device that :mod:`opencl_device` found.

Programs are compiled in the child process; this one loads binaries of code that has proven itself.
PoCL turns a binary into machine code at its first launch, some 0.1 s, and keeps that in a directory of
this process.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import config
from ..errors import BackendError, Diagnostic
from ..stages import Artifact, BuildLog, SourceUnit
from . import cache
from .compiler_log import complaints, refused
from .launches import enqueued
from .opencl_device import TRIALS, Device, NoDevice, find_device, linker, settings
from .opencl_host import Host, argument, scalar

CODES = {
    "B008": "The OpenCL device cannot be used: it is gone, or this process was forked.",
    "B010": "A call needs more memory than the OpenCL device gives to an array.",
}


def compile_opencl(unit: SourceUnit, exact: bool, wanted: str = "") -> Artifact:
    """The program of *unit* for the device called *wanted*, from the disk cache or the device's
    compiler; ``exact`` forbids contraction to FMA.

    Raises :class:`BackendError`: B001 without a device, B002 when it refuses, B003 when it hangs.
    """
    device = _device(wanted)
    options = ("-cl-std=CL1.2", *(("-DEXACT",) if exact else ()))
    key = cache.digest(
        unit.text, repr(unit.launches), repr(unit.host_arguments), " ".join(options), device.text,
        str(device.number),
    )  # fmt: skip
    if entry := cache.lookup(key):
        return _artifact(unit, key, entry, device, cached=True)

    def make(directory: Path) -> dict[str, Any]:
        source, binary = directory / cache.SOURCE, directory / cache.LIBRARY
        source.write_bytes(unit.text.encode())
        start = time.perf_counter()
        reason, answer = TRIALS.ask(
            {"op": "build", "device": device.number, "source": str(source),
             "options": list(options), "binary": str(binary)},
            config.COMPILE_TIMEOUT_S,
        )  # fmt: skip
        seconds = time.perf_counter() - start
        if reason or not binary.is_file():
            (directory / "build.log").write_text(reason, encoding="utf-8")
            raise BackendError(*_refusal(unit, cache.keep_failed(directory, key), reason))
        command = ("clBuildProgram", device.name, *options)
        return {"command": command, "log": answer["log"], "seconds": seconds}

    return _artifact(unit, key, cache.build(key, make), device, cached=False)


class OpenCLKernel:
    """A loaded program (``contracts.Executable``).

    PoCL computes in the arrays themselves.  Any other device gets copies, in and out at each call, so
    that a time then holds the transfers.
    """

    def __init__(self, artifact: Artifact) -> None:
        self._host = _host(artifact.device)
        self._program = self._host.program(artifact.library)
        self._params = artifact.params
        self._artifact = artifact
        self._fixed = None if artifact.host_arguments else enqueued(artifact, {})
        self._written = [n for n, p in enumerate(self._params) if p.pointer and not p.const]
        self._compiled = False

    def __call__(self, values: Mapping[str, Any]) -> None:
        """Run once on *values* (parameter name -> array or number)."""
        self.bound(values)()

    def bound(self, values: Mapping[str, Any]) -> Callable[[], None]:
        """A call without arguments on exactly these arrays: enqueue, and wait for the end.

        Raises :class:`BackendError` (B010) where the device has no array as large as it needs.
        """
        args: list[Any] = []
        staged: list[tuple[Any, Any, bool]] = []
        for number, param in enumerate(self._params):
            value = values[param.key]
            if not param.pointer:
                args.append(scalar(param.dtype.strong.name, value))
                continue
            octets, low = _span(value)
            if not self._host.in_place:  # gaps belong to others: only the elements go back
                octets = octets.copy()
                place = value.__array_interface__["data"][0] - low
                copy = np.ndarray(value.shape, value.dtype, octets, place, value.strides)
                staged.append((value, copy, number in self._written))
            args.append(octets)
        launches, made = self._fixed or enqueued(self._artifact, values)
        self._refuse_large(max((size for kind, size in made if kind == "scratch"), default=0))
        args += [argument(None, *each) for each in made]
        run = self._host.call(self._program, launches, args, self._written)
        return lambda: self._run(run, staged)

    def direct(self, values: Mapping[str, Any]) -> Callable[..., None]:
        """A call on other values of the same layouts, by position, in the order of *values*."""
        names = tuple(values)
        return lambda *args: self(dict(zip(names, args, strict=True)))

    def _refuse_large(self, needed_bytes: int) -> None:
        most = self._host.largest_bytes
        if needed_bytes > most:
            what = f"the call needs an array of {needed_bytes / 1e9:.3g} GB on the device"
            allowed = f"it allows {most / 1e9:.3g} GB"
            raise _error("B010", what, allowed, 'the data in parts, or backend="c"')

    def _run(self, run: Callable[[], None], staged: list[tuple[Any, Any, bool]]) -> None:
        if os.getpid() != _owner:
            raise _error("B008", "OpenCL cannot be used in a forked process",
                         "the device's threads stay with the parent", "start it by spawn")  # fmt: skip
        if not self._compiled and linker() is None:
            raise _error("B008", "PoCL finds no linker any more", "", "%sejits doctor")
        for array, copy, _ in staged:
            copy[...] = array
        run()
        self._compiled = True
        for array, copy, written in staged:
            if written:
                array[...] = copy


def load(artifact: Artifact) -> OpenCLKernel:
    """Load *artifact* into this process; raises :class:`BackendError` (B004, B008)."""
    return OpenCLKernel(artifact)


def limits(wanted: str = "") -> tuple[int, int]:
    """The largest work-group of the device here, and the bytes of memory that one shares; OpenCL's
    usual 1 024 and 32 768 where there is no device."""
    found = find_device(wanted)
    return (found.most_items, found.local_bytes) if isinstance(found, Device) else (1024, 32_768)


def _device(wanted: str) -> Device:
    found = find_device(wanted)
    if isinstance(found, NoDevice):
        raise BackendError(Diagnostic("B001", "no OpenCL device works here", try_=found.text))
    return found


_hosts: dict[int, Host] = {}
_hosts_lock = threading.Lock()
_owner = os.getpid()


def _host(number: int) -> Host:
    """A device in this process, opened when first needed, under PoCL's settings."""
    with _hosts_lock:
        if number not in _hosts:
            os.environ.update(settings())
            if "POCL_CACHE_DIR" not in os.environ:
                os.environ["POCL_CACHE_DIR"] = tempfile.mkdtemp(prefix="sejits_nb-pocl-")
                atexit.register(_remove, os.environ["POCL_CACHE_DIR"], _owner)
            _hosts[number] = Host(number)
        return _hosts[number]


def _remove(directory: str, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(directory, ignore_errors=True)


class _Octets:
    """The bytes from the lowest to the highest of an array, which it keeps alive."""

    def __init__(self, array: Any, low: int, high: int) -> None:
        self.array = array
        self.__array_interface__ = {
            "data": (low, False), "shape": (high - low,), "typestr": "|u1", "version": 3,
        }  # fmt: skip


def _span(array: Any) -> tuple[Any, int]:
    """All bytes between an array's elements as ``u8[n]``, and the lowest address."""
    low, high = np.lib.array_utils.byte_bounds(array)
    return np.asarray(_Octets(array, low, high)), low


def _artifact(
    unit: SourceUnit, key: str, entry: cache.Entry, device: Device, cached: bool
) -> Artifact:
    library, source = str(entry.directory / cache.LIBRARY), str(entry.directory / cache.SOURCE)
    build = BuildLog(tuple(entry.meta["command"]), entry.meta["log"], entry.meta["seconds"])
    return Artifact(key, library, source, unit.entry, unit.params, build, cached, unit.launches,
                    unit.host_arguments, device=device.number)  # fmt: skip


def _refusal(unit: SourceUnit, kept: Path, log: str) -> tuple[Diagnostic, ...]:
    """B003, or B002 at the place that the compiler names."""
    why = f"source kept in {kept / cache.SOURCE}; log: {kept / 'build.log'}"
    if log.startswith("no answer"):
        return (Diagnostic("B003", f"the OpenCL compiler gave {log}", why, 'backend="c"'),)
    return refused(unit, complaints(log), why, "report it with the kept file")


def _error(code: str, message: str, why: str, try_: str) -> BackendError:
    return BackendError(Diagnostic(code, message, why, try_))
