"""Finding OpenCL devices, always in a child process: a driver may end the process that asks it.

PoCL does so where it finds no linker when it compiles.  Where the machine has no ``ld``, a script of
that name is put on the path that calls the ziglang wheel's, without the libraries that PoCL names and
does not need.  What was found is kept in the disk cache, under everything that could change it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from .. import config
from ..errors import Diagnostic, OptionError, did_you_mean
from ..stages import Artifact, Case
from . import cache
from .c_compiler import cpu
from .launches import enqueued
from .trial import Place, Trials, arguments
from .trial_process import TrialProcess

_INSTALL = 'pip install "sejits_nb[opencl]"'
_LINKER = "install binutils (its ld), or: pip install ziglang"
_RETRY_S = 86_400.0
"""When a machine without a usable device is asked again."""
_PROBE = """\
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
__kernel __attribute__((reqd_work_group_size(8, 1, 1))) void probe(__global double *x)
{
    const long i = get_global_id(0);
    x[i] = sqrt(x[i] + i);
}
"""
_VENDORS = Path("/etc/OpenCL/vendors")


@dataclass(frozen=True, slots=True)
class Device:
    """An OpenCL device; ``most_items`` is the largest work-group it takes, ``local_bytes`` the memory
    that such a group shares, ``largest_bytes`` the largest array; ``problem`` why it does not compute,
    if it does not."""

    number: int
    name: str
    platform: str
    version: str
    most_items: int
    local_bytes: int
    largest_bytes: int
    problem: str = ""

    @property
    def usable(self) -> bool:
        return not self.problem

    @property
    def text(self) -> str:
        """One line for ``%sejits doctor``."""
        return f"{self.name} ({self.platform}, {self.version})"

    @property
    def line(self) -> str:
        """One line for ``%sejits backends``, with the number that ``--device`` takes."""
        return f"--device {self.number}: {self.name}" + f", {self.problem}" * bool(self.problem)


@dataclass(frozen=True, slots=True)
class NoDevice:
    """No OpenCL device works here; ``text`` says why and what to do."""

    text: str

    @property
    def usable(self) -> bool:
        return False


class OpenCLProcess(TrialProcess):
    """A child with PyOpenCL.  PoCL's own cache is fresh with each: after a crash it is damaged."""

    # -P: the script's folder holds modules of ours under common names
    command = (sys.executable, "-P", str(Path(__file__).with_name("opencl_host.py")))

    def __init__(self) -> None:
        super().__init__()
        self._cache = ""

    def environment(self) -> dict[str, str]:
        self._cache = tempfile.mkdtemp(prefix="sejits_nb-pocl-")
        return os.environ | settings() | {"POCL_CACHE_DIR": self._cache}

    def end(self) -> None:
        super().end()
        if self._cache:
            shutil.rmtree(self._cache, ignore_errors=True)


Devices = tuple[Device, ...]
_found: dict[str, Devices | NoDevice] = {}
_lock = threading.Lock()


def find_device(wanted: str = "") -> Device | NoDevice:
    """The first device with double precision that computes a probe, of those that are called *wanted*:
    a number as :func:`device_lines` tells it, or a part of the name in any case."""
    found = find_devices()
    if isinstance(found, NoDevice):
        return found
    called = [d for d in found if _is_called(d, wanted)]
    if works := next((d for d in called if d.usable), None):
        return works
    reasons = "; ".join(f"{d.name}: {d.problem}" for d in called)
    return NoDevice(reasons or f"no OpenCL device is called {wanted!r}")


def find_devices() -> Devices | NoDevice:
    """All devices, of which one at least works; remembered for this process, and on disk for later
    ones."""
    if importlib.util.find_spec("pyopencl") is None:
        return NoDevice(_INSTALL)
    key = _surroundings()
    with _lock:
        try:
            if key not in _found:
                _found[key] = _recall(key) or _search(key)
        except OSError as problem:  # no file or process can be had now: ask again later
            return NoDevice(f"PyOpenCL could not be asked: {problem}")
        return _found[key]


def refuse_unknown(wanted: str) -> None:
    """Raise :class:`OptionError` (O002) if there are devices, and none is called *wanted*."""
    found = find_devices()
    if isinstance(found, NoDevice) or any(_is_called(d, wanted) for d in found):
        return
    words = {w for d in found for w in (str(d.number), *re.findall(r"\w+", d.name))}
    raise OptionError(Diagnostic("O002", f"no OpenCL device is called {wanted!r}",
                                 "; ".join(device_lines()), did_you_mean(wanted, words)))  # fmt: skip


def device_lines() -> tuple[str, ...]:
    """One line for each device, with its number."""
    found = find_devices()
    return () if isinstance(found, NoDevice) else tuple(d.line for d in found)


def _is_called(device: Device, wanted: str) -> bool:
    if wanted.isdecimal():
        return device.number == int(wanted)
    return wanted.casefold() in device.name.casefold()


def linker() -> str | None:
    """The linker that PoCL finds with :func:`settings`, or ``None``."""
    return shutil.which("ld", path=settings()["PATH"])


def settings() -> dict[str, str]:
    """The environment variables under which PoCL works: a path with a linker, and our threads."""
    path = os.environ.get("PATH", os.defpath)
    if shutil.which("ld", path=path) is None and (zig := _zig()):
        path = os.pathsep.join(filter(None, (path, str(_linker_script(zig)))))
    threads = os.environ.get("POCL_MAX_PTHREAD_COUNT") or str(config.threads())
    return {"PATH": path, "POCL_MAX_PTHREAD_COUNT": threads}


def _zig() -> Path | None:
    wheel = importlib.util.find_spec("ziglang")
    return Path(wheel.origin).parent / "zig" if wheel and wheel.origin else None


def _linker_script(zig: Path) -> Path:
    """The folder with an ``ld`` that is *zig*'s."""
    folder = cache.folder("bin")
    text = (
        "#!/bin/sh\n# ld for PoCL: the linker of the ziglang wheel, which has no system libraries\n"
        'for given do\n  shift\n  case "$given" in -l*|-L*) ;; *) set -- "$@" "$given" ;; esac\ndone\n'
        f'exec {shlex.quote(str(zig))} ld.lld "$@"\n'
    )
    script = folder / "ld"
    if not script.exists() or script.read_text(encoding="utf-8") != text:
        handle, name = tempfile.mkstemp(dir=folder)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(name, 0o700)
        os.replace(name, script)
    return folder


def _surroundings() -> str:
    """Everything that decides which device is found and whether it works."""
    packages = ("pyopencl", "pocl-binary-distribution", "ziglang")
    versions = [f"{name} {_version(name)}" for name in packages]
    drivers = [f"{k}={v}" for k, v in sorted(os.environ.items()) if k.startswith(("OCL_", "POCL_"))]
    drivers += sorted(p.name for p in _VENDORS.iterdir()) if _VENDORS.is_dir() else []
    found = linker()
    ld = f"{os.path.realpath(found)} {os.stat(found).st_mtime_ns}" if found else "no ld"
    return "\n".join([sys.executable, *versions, *drivers, ld, cpu()])


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"


def _recall(key: str) -> Devices | NoDevice | None:
    known = cache.read_json("opencl", key)
    try:
        if known and "devices" in known:
            return tuple(Device(**told) for told in known["devices"])
        if known and time.time() - known["when"] < _RETRY_S:
            return NoDevice(known["text"])
    except (TypeError, KeyError):
        pass
    return None


def _search(key: str) -> Devices | NoDevice:
    found = _try_all()
    known: dict[str, Any] = {"when": time.time()}
    if isinstance(found, NoDevice):
        known["text"] = found.text
    else:
        known["devices"] = [{n: getattr(d, n) for n in Device.__slots__} for d in found]
    cache.write_json("opencl", key, known)
    return found


def _try_all() -> Devices | NoDevice:
    reason, answer = TRIALS.ask({"op": "devices"}, config.TRIAL_TIMEOUT_S)
    if reason:
        return NoDevice(f"PyOpenCL {reason}; {_INSTALL}")
    found = tuple(
        Device(d["number"], d["name"], d["platform"], d["version"], d["group"], d["local"],
               d["largest"], _try(d["number"]) if d["double"] else "it has no double precision")
        for d in answer["devices"]
    )  # fmt: skip
    if any(d.usable for d in found):
        return found
    if found and linker() is None:
        return NoDevice(f"PoCL needs a linker: {_LINKER}")
    reasons = "; ".join(f"{d.name}: {d.problem}" for d in found)
    return NoDevice(f"{reasons or 'there is no OpenCL device'}; {_INSTALL}")


def _try(number: int) -> str:
    """Compile and run the probe on a device; why it does not work there, or nothing."""

    def attempt(directory: Path) -> str:
        source, binary = directory / cache.SOURCE, directory / cache.LIBRARY
        source.write_text(_PROBE, encoding="utf-8")
        build = {"op": "build", "source": str(source), "options": [], "binary": str(binary)}
        reason, _ = TRIALS.ask(build | {"device": number}, config.TRIAL_TIMEOUT_S)
        run = {"op": "run", "library": str(binary), "launches": [["probe", [8], [8], [0]]],
               "args": [["pointer", 0, 64]], "written": [0]}  # fmt: skip
        return reason or TRIALS.ask(run | {"device": number}, config.TRIAL_TIMEOUT_S, 64)[0]

    return cache.in_scratch(attempt)


def opencl_request(artifact: Artifact, case: Case, places: Any) -> dict[str, Any]:
    """How the child is asked to run *artifact* on arrays in the shared memory."""

    def span(place: Place) -> tuple[int, ...]:
        return place.low, place.high

    launches, made = enqueued(artifact, case.values)
    return {
        "op": "run",
        "device": artifact.device,
        "library": artifact.library,
        "launches": launches,
        "args": [*arguments(artifact, case, places, span), *made],
        "written": [n for n, p in enumerate(artifact.params) if p.pointer and not p.const],
    }


TRIALS = Trials(OpenCLProcess, opencl_request).kept()
