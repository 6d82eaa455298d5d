"""Finding the C compiler: which one, its flags, and how it is run.

What a compiler can do (does ``-fopenmp`` compile, link and load?) is tried on a one-line program once
for each compiler and machine; the answer is kept in the disk cache, so that later processes only
look at the compiler's file.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Literal

from .. import config
from . import cache
from .eviction import used

Family = Literal["gcc", "clang", "zig"]
_NAMED = "--cc, SEJITS_CC or CC names"
_INSTALL = "install gcc or clang, or: pip install ziglang"
_OPENMP_RETRY_S = 86_400.0
"""When a missing OpenMP runtime is looked for again: installing one leaves the compiler as it is."""
_PROBE = "#include <math.h>\n{include}double probe(double x) {{ return sqrt(x){call}; }}\n"


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C compiler that works here; ``version`` holds no path, so that it can be part of a key."""

    command: tuple[str, ...]
    version: str
    family: Family
    openmp: bool

    @property
    def usable(self) -> bool:
        return True

    @property
    def text(self) -> str:
        """One line for ``%sejits doctor``, with the fix if OpenMP is missing."""
        package = {
            "gcc": "libgomp",
            "clang": "libomp (Debian: libomp-dev; macOS: brew install libomp)",
        }
        if self.openmp:
            return f"{self.version} with OpenMP"
        fix = f"install {package[self.family]}" if self.family in package else "install gcc"
        return f"{self.version} without OpenMP (one thread); for more threads: {fix}"


@dataclass(frozen=True, slots=True)
class NoCompiler:
    """No C compiler works here; ``text`` says why and what to do."""

    text: str

    @property
    def usable(self) -> bool:
        return False


_found: dict[tuple[str | None, str], tuple[str, Compiler]] = {}


def find_compiler(chosen: str = "") -> Compiler | NoCompiler:
    """The *chosen* one (``--cc``), ``SEJITS_CC`` or ``CC``; else the first that compiles a one-line
    program of cc, gcc, clang on the path and the ziglang wheel.  A compiler once found is kept for this
    process and this environment while its file stays what it was.
    """
    asked = chosen or config.c_compiler(), os.environ.get("PATH", os.defpath)
    known = _found.get(asked)
    if known and known[0] == _file_identity(known[1].command[0]):
        return known[1]
    found = _search(*asked)
    if isinstance(found, Compiler):
        _found[asked] = _file_identity(found.command[0]), found
    return found


def flags(compiler: Compiler, exact: bool, narrowings: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The flags of every build, and those that keep *narrowings* of its code as they are written.

    Never ``-ffast-math``: NaN and infinities must come out right.
    """
    arm = platform.machine() in ("aarch64", "arm64")
    chosen = ["-O3", "-mcpu=native" if arm else "-march=native", "-std=gnu11", "-fPIC", "-shared"]
    chosen += ["-fno-math-errno", "-fno-trapping-math", "-fwrapv"]  # integers wrap, as NumPy's do
    # gcc's vectoriser makes sqrt(x) of pow(x, 0.5), which differs for -inf and -0.0
    chosen += ["-fno-builtin-pow", "-fno-builtin-powf"]
    chosen += ["-ffp-contract=off" if exact else "-ffp-contract=fast"]
    chosen += ["-fopenmp"] if compiler.openmp else []
    chosen += ["-fno-sanitize=undefined"] if compiler.family == "zig" else []
    if compiler.family == "gcc":
        chosen += [flag for kind in narrowings for flag in _kept(kind, arm)]
    return tuple(chosen)


def columns_in_bytes(compiler: Compiler) -> tuple[str, ...]:
    """The flag for errors with columns in bytes, as others count: since 11, gcc counts a tab as 8."""
    number = re.search(r"\) (\d+)\.", compiler.version)
    counts = compiler.family == "gcc" and number is not None and int(number[1]) >= 11
    return ("-fdiagnostics-column-unit=byte",) if counts else ()


def _kept(narrowing: str, arm: bool) -> tuple[str, ...]:
    """What makes gcc keep ``(double)(float)x`` or ``(double)(int64_t)x`` (``docs/decisions/0028``)."""
    if narrowing == "i":
        return ("-ftrapping-math",)
    # vectors of as many doubles as floats: made of straight code; on Arm of loops, too
    return ("-fno-tree-slp-vectorize", *(("-fno-tree-loop-vectorize",) if arm else ()))


def run(command: Sequence[str], directory: Path) -> int | None:
    """Run *command* in *directory*, its output in ``build.log``; ``None`` if it was stopped for time.

    File names are relative, so that no path (blanks, letters) reaches the command or the library; the
    compiler gets a process group of its own, killed whole: its passes are children that would go on.
    """
    zig_cache = str(directory.parent.parent / "zig")
    used(Path(zig_cache))
    environment = {"ZIG_GLOBAL_CACHE_DIR": zig_cache, "ZIG_LOCAL_CACHE_DIR": zig_cache}
    environment |= os.environ | {"LC_ALL": "C"}
    with suppress(OSError):  # a TMPDIR that can be written to, whatever the user's is
        environment["TMPDIR"] = tempfile.gettempdir()
    with open(directory / "build.log", "wb") as log:
        try:
            process = subprocess.Popen(
                command, cwd=directory, env=environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        except OSError as problem:
            log.write(f"error: {problem}\n".encode())
            return 127
        # Popen.wait with a limit looks every 50 ms, a good part of what a small kernel takes
        limit = threading.Timer(config.COMPILE_TIMEOUT_S, os.killpg, (process.pid, signal.SIGKILL))
        limit.daemon = True
        limit.start()
        try:
            status = process.wait()
        finally:
            limit.cancel()
            limit.join()
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return None if status == -signal.SIGKILL else status


def _search(chosen: str | None, path: str) -> Compiler | NoCompiler:
    if chosen:
        try:
            command = shlex.split(chosen)
        except ValueError as problem:
            return NoCompiler(f"{chosen!r}, which {_NAMED}, cannot be read: {problem}")
        found = _probed(command, path)
        return found or NoCompiler(
            f"{chosen!r}, which {_NAMED}, {_defect(command, path)}; unset it or {_INSTALL}"
        )
    candidates = [[name] for name in ("cc", "gcc", "clang")]
    wheel = importlib.util.find_spec("ziglang")
    if wheel and wheel.origin:
        candidates.append([str(Path(wheel.origin).parent / "zig"), "cc"])
    found = next(filter(None, (_probed(command, path) for command in candidates)), None)
    return found or NoCompiler(_INSTALL)


def _defect(command: Sequence[str], path: str) -> str:
    here = shutil.which(command[0], path=path)
    return "does not compile a one-line program" if here else "is not on the path"


def _probed(command: Sequence[str], path: str) -> Compiler | None:
    """The compiler behind *command* if it works: remembered by its file's identity, else tried."""
    file = shutil.which(command[0], path=path)
    if file is None:
        return None
    identity = shlex.join([_file_identity(file), *command[1:]])
    known = cache.read_json("compilers", identity)
    if known and (known["openmp"] or time.time() - known["when"] < _OPENMP_RETRY_S):
        return Compiler((file, *command[1:]), known["version"], known["family"], known["openmp"])
    found = _try((file, *command[1:]))
    if found:
        about_it = {"version": found.version, "family": found.family, "openmp": found.openmp}
        cache.write_json("compilers", identity, about_it | {"when": time.time()})
    return found


def _file_identity(file: str) -> str:
    """The file behind a name, and what changes when another is put in its place; empty without one."""
    real = os.path.realpath(file)
    try:
        about = os.stat(real)
    except OSError:
        return ""
    return shlex.join([real, str(about.st_mtime_ns), str(about.st_size)])


def _try(command: tuple[str, ...]) -> Compiler | None:
    """Ask for the version and build the probe, with OpenMP and without."""

    def ask(directory: Path) -> Compiler | None:
        if run((*command, "--version"), directory) != 0:
            return None
        said = (directory / "build.log").read_text(encoding="utf-8", errors="replace")
        zig = Path(command[0]).stem == "zig" or "ziglang" in command
        family: Family = "zig" if zig else "clang" if "clang" in said else "gcc"
        for openmp in (False,) if zig else (True, False):
            compiler = Compiler(command, _identity(said, family), family, openmp)
            if _builds(compiler, directory):
                return compiler
        return None

    return cache.in_scratch(ask)


def _identity(said: str, family: str) -> str:
    """A compiler's ``--version`` as one line without the paths and names it was called by."""
    first, *rest = said.splitlines() or [""]
    target = next(
        (line.removeprefix("Target: ") for line in rest if line.startswith("Target: ")), ""
    )
    name = re.sub(r"^\S+ (?=\()", f"{family} ", first)  # "cc (Debian ...) 12.2.0": argv[0] leads
    return " ".join(filter(None, ("zig" if family == "zig" else "", name, target)))


def _builds(compiler: Compiler, directory: Path) -> bool:
    """Whether the probe compiles, links, and loads in a process of its own."""
    include = "#include <omp.h>\n" if compiler.openmp else ""
    call = " + omp_get_max_threads()" if compiler.openmp else ""
    text = _PROBE.format(include=include, call=call)
    (directory / cache.SOURCE).write_text(text, encoding="utf-8")
    files = (cache.SOURCE, "-o", cache.LIBRARY, "-lm")
    if run((*compiler.command, *flags(compiler, exact=True), *files), directory) != 0:
        return False
    load = f"import ctypes; ctypes.CDLL('./{cache.LIBRARY}').probe"
    return run((sys.executable, "-I", "-S", "-c", load), directory) == 0


@lru_cache(maxsize=1)
def cpu() -> str:
    """Model and instruction sets of the CPU that ``-march=native`` compiles for."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            first = list(takewhile(str.strip, file))
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    wanted = ("model name", "flags", "Features", "CPU implementer", "CPU part")
    return platform.machine() + "".join(line for line in first if line.startswith(wanted))
