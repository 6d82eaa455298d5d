"""Finding the OpenCL device, always in a child process: a driver may end the process that asks it.

PoCL does so where it finds no linker when it compiles.  Where the machine has no ``ld``, a script of
that name is put on the path that calls the ziglang wheel's, without the libraries that PoCL names and
does not need.  What was found is kept in the disk cache, under everything that could change it.
"""

from __future__ import annotations

import importlib.util
import os
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
from ..stages import Artifact, Case
from . import cache
from .c_compiler import cpu
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
    """An OpenCL device that computed a probe; ``most_items`` is the largest work-group it takes."""

    number: int
    name: str
    platform: str
    version: str
    most_items: int

    @property
    def usable(self) -> bool:
        return True

    @property
    def text(self) -> str:
        """One line for ``%sejits doctor``."""
        return f"{self.name} ({self.platform}, {self.version})"


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


_found: dict[str, Device | NoDevice] = {}
_lock = threading.Lock()


def find_device() -> Device | NoDevice:
    """The first device with double precision that computes a probe; remembered for this process, and
    on disk for later ones."""
    if importlib.util.find_spec("pyopencl") is None:
        return NoDevice(_INSTALL)
    key = _surroundings()
    with _lock:
        if key not in _found:
            _found[key] = _recall(key) or _search(key)
        return _found[key]


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


def _recall(key: str) -> Device | NoDevice | None:
    known = cache.read_json("opencl", key)
    try:
        if known and "device" in known:
            return Device(**known["device"])
        if known and time.time() - known["when"] < _RETRY_S:
            return NoDevice(known["text"])
    except (TypeError, KeyError):
        pass
    return None


def _search(key: str) -> Device | NoDevice:
    found = _try_all()
    known: dict[str, Any] = {"when": time.time()}
    if isinstance(found, Device):
        known["device"] = {n: getattr(found, n) for n in Device.__slots__}
    else:
        known["text"] = found.text
    cache.write_json("opencl", key, known)
    return found


def _try_all() -> Device | NoDevice:
    reason, answer = TRIALS.ask({"op": "devices"}, config.TRIAL_TIMEOUT_S)
    if reason:
        return NoDevice(f"PyOpenCL {reason}; {_INSTALL}")
    devices = [d for d in answer["devices"] if d["double"]]
    reasons = []
    for d in devices:
        if not (reason := _try(d["number"])):
            return Device(d["number"], d["name"], d["platform"], d["version"], d["group"])
        reasons.append(f"{d['name']}: {reason}")
    if linker() is None and reasons:
        return NoDevice(f"PoCL needs a linker: {_LINKER}")
    kind = "device with double precision" if answer["devices"] else "OpenCL device"
    return NoDevice(f"{'; '.join(reasons) or f'there is no {kind}'}; {_INSTALL}")


def _try(number: int) -> str:
    """Compile and run the probe on a device; why it does not work there, or nothing."""

    def attempt(directory: Path) -> str:
        source, binary = directory / cache.SOURCE, directory / cache.LIBRARY
        source.write_text(_PROBE, encoding="utf-8")
        build = {"op": "build", "source": str(source), "options": [], "binary": str(binary)}
        reason, _ = TRIALS.ask(build | {"device": number}, config.TRIAL_TIMEOUT_S)
        run = {"op": "run", "library": str(binary), "launches": [["probe", [8], [8]]],
               "args": [["pointer", 0, 64]], "written": [0]}  # fmt: skip
        return reason or TRIALS.ask(run | {"device": number}, config.TRIAL_TIMEOUT_S, 64)[0]

    return cache.in_scratch(attempt)


def _request(artifact: Artifact, case: Case, places: Any) -> dict[str, Any]:
    """How the child is asked to run *artifact* on arrays in the shared memory."""
    device = find_device()
    assert isinstance(device, Device)

    def span(place: Place) -> tuple[int, ...]:
        return place.low, place.high

    return {
        "op": "run",
        "device": device.number,
        "library": artifact.library,
        "launches": [[x.entry, x.global_size, x.local_size] for x in artifact.launches],
        "args": arguments(artifact, case, places, span),
        "written": [n for n, p in enumerate(artifact.params) if p.pointer and not p.const],
    }


TRIALS = Trials(OpenCLProcess, _request)
