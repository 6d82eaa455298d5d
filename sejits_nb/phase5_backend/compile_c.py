"""Source -> compiled library on disk: the compiler runs when the disk cache misses."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .. import config
from ..errors import BackendError, Diagnostic
from ..stages import Artifact, BuildLog, SourceUnit, Toolchain
from . import cache
from .c_compiler import Compiler, NoCompiler, columns_in_bytes, cpu, find_compiler, flags, run
from .compiler_log import Complaint, complaints, refused

__all__ = ["CODES", "Compiler", "NoCompiler", "compile_many", "compile_source", "find_compiler"]

_MACHINES_OWN = Toolchain()

CODES = {
    "B001": "No C compiler was found, or the chosen one does not compile a one-line program.",
    "B002": "The C compiler refused code that we generated: a defect of ours unless it was edited.",
    "B003": "The C compiler did not finish in time and was stopped.",
}


def compile_source(unit: SourceUnit, exact: bool, tools: Toolchain = _MACHINES_OWN) -> Artifact:
    """The library of *unit*, from the disk cache or the compiler; ``exact`` forbids contraction to FMA.

    Raises :class:`BackendError`: B001 without a compiler, B002 when it refuses, B003 when it hangs,
    B006 when there is no place to write, B007 when ``SEJITS_CFLAGS`` cannot be read.
    """
    compiler = find_compiler(tools.cc)
    if isinstance(compiler, NoCompiler):
        raise BackendError(Diagnostic("B001", "no C compiler works here", try_=compiler.text))
    options = (*flags(compiler, exact, unit.narrowings), *_extra_flags(), *tools.cflags)
    options += columns_in_bytes(compiler) if unit.edited else ()
    # what stands behind the compiler's name ("gcc -m32") is flags, too
    key = cache.digest(
        unit.text, shlex.join((*compiler.command[1:], *options)), compiler.version, cpu()
    )
    if entry := cache.lookup(key):
        return _artifact(unit, key, entry)

    def make(directory: Path) -> dict[str, Any]:
        (directory / cache.SOURCE).write_bytes(unit.text.encode())
        files = (cache.SOURCE, "-o", cache.LIBRARY, "-lm")
        command = (*compiler.command, *options, *files)
        start = time.perf_counter()
        status = run(command, directory)
        seconds = time.perf_counter() - start
        log = (directory / "build.log").read_text(encoding="utf-8", errors="replace")
        if "No space left on device" in log:
            raise OSError("no space left on device")
        if status != 0 or not (directory / cache.LIBRARY).is_file():
            kept = cache.keep_failed(directory, key)
            raise BackendError(*_refusal(unit, command, kept, log, status))
        (directory / "build.log").unlink()
        return {"command": command, "log": log, "seconds": seconds}

    return _artifact(unit, key, cache.build(key, make))


def compile_many(
    jobs: Sequence[tuple[SourceUnit, bool]], workers: int | None = None
) -> list[Artifact | BackendError]:
    """:func:`compile_source` of each (unit, exact), several at a time; failures are values."""

    def one(job: tuple[SourceUnit, bool]) -> Artifact | BackendError:
        try:
            return compile_source(*job)
        except BackendError as problem:
            return problem

    with ThreadPoolExecutor(workers or config.threads()) as pool:
        return list(pool.map(one, jobs))


def _extra_flags() -> tuple[str, ...]:
    try:
        return config.extra_cflags()
    except ValueError as problem:
        what = f"SEJITS_CFLAGS cannot be read: {problem}"
        raise BackendError(Diagnostic("B007", what, "it is split as a shell splits it",
                                      "quote it as in a shell, or unset it")) from None  # fmt: skip


def _artifact(unit: SourceUnit, key: str, entry: cache.Entry) -> Artifact:
    library, source = str(entry.directory / cache.LIBRARY), str(entry.directory / cache.SOURCE)
    build = BuildLog(tuple(entry.meta["command"]), entry.meta["log"], entry.meta["seconds"])
    return Artifact(
        key, library, source, unit.entry, unit.params, build, cached=not entry.built_here,
        parallel="omp parallel" in unit.text,
    )  # fmt: skip


def _refusal(
    unit: SourceUnit, command: Sequence[str], kept: Path, log: str, status: int | None
) -> tuple[Diagnostic, ...]:
    """B003, or B002 at the place that the compiler names."""
    why = (
        f"source kept in {kept / cache.SOURCE}; command: {shlex.join(command)}; "
        f"log: {kept / 'build.log'}"
    )
    if status is None:
        limit = f"{config.COMPILE_TIMEOUT_S:g} s"
        return (Diagnostic("B003", f"the C compiler did not finish within {limit}", why,
                           "tune=\"none\", or another compiler by SEJITS_CC"),)  # fmt: skip
    silent = Complaint(0, 0, f"the compiler ended with status {status} and said nothing")
    found = complaints(log, cache.SOURCE) or (silent,)
    return refused(
        unit, found, why,
        "report it with the kept file, or look at SEJITS_CFLAGS and --cflags if you set them",
    )  # fmt: skip
