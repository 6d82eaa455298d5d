"""The process that runs unproven code: started by exec, standard library only, no package of ours.

It maps the shared memory that the parent gave it (descriptor ``argv[1]``) and answers one line of JSON
for each line it reads:

    {"library", "entry", "size", "limit_s", "args": [["pointer", byte offset] | [dtype name, number]]}
    -> {"error": "", "seconds": of one run} or {"error": why the code could not be loaded}

With ``repeats`` the code runs that often, on this process's own copy of the memory, made when it is
first asked for; ``cpus`` are where its threads stay meanwhile, by ``hold`` and ``release`` of the
library ``hold`` if there are several.

A crash is an answer too: the parent sees the signal.  Every message goes to stderr, so that nothing
that the code prints can be taken for an answer.
"""

import contextlib
import ctypes
import json
import mmap
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

_TYPES = {
    "f32": ctypes.c_float, "f64": ctypes.c_double, "bool": ctypes.c_bool,
    "i8": ctypes.c_int8, "i16": ctypes.c_int16, "i32": ctypes.c_int32, "i64": ctypes.c_int64,
    "u8": ctypes.c_uint8, "u16": ctypes.c_uint16, "u32": ctypes.c_uint32, "u64": ctypes.c_uint64,
}  # fmt: skip
_MOST_BYTES = 4 << 30
"""What the code may allocate: an allocation beyond fails, before the machine's memory is used up."""
_MOST_PRINTED_BYTES = 64 << 20
"""What it may print, or write to a file; the rest is lost: a loop over a grid soon fills a disk."""


class Memory:
    """The shared memory, mapped anew whenever its size changes, and a copy of it."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self.size = descriptor, 0
        self.copied: mmap.mmap | None = None

    def address(self, size: int) -> int:
        """Where the first of *size* bytes lies in this process."""
        if size != self.size:
            self.mapped = mmap.mmap(self.descriptor, size)
            self.first = ctypes.c_char.from_buffer(self.mapped)
            self.size = size
        return ctypes.addressof(self.first)

    def copy(self, size: int) -> int:
        """Where the first byte of the copy lies: in pages as large as NumPy's arrays have."""
        if self.copied is None:
            self.copied = private(size)
            self.first_copied = ctypes.c_char.from_buffer(self.copied)
            ctypes.memmove(ctypes.addressof(self.first_copied), self.address(size), size)
        return ctypes.addressof(self.first_copied)


def private(size: int) -> mmap.mmap:
    """*size* bytes that nobody shares, in huge pages where the system has them."""
    limit(resource.RLIMIT_DATA, _MOST_BYTES + size)
    made = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        made.madvise(mmap.MADV_HUGEPAGE)
    return made


@contextlib.contextmanager
def held(cpus: Sequence[int], library: str) -> Iterator[None]:
    """The caller, and its team if there are several *cpus*, stay on them."""
    if len(cpus) < 2:
        before = os.sched_getaffinity(0) if cpus else None
        if cpus:
            os.sched_setaffinity(0, cpus)
        yield
        if before:
            os.sched_setaffinity(0, before)
        return
    calls, threads = ctypes.CDLL(library), ctypes.c_int64(len(cpus))
    calls.hold(threads, (ctypes.c_int64 * len(cpus))(*cpus))
    yield
    calls.release(threads)


def run(request: dict[str, Any], memory: Memory) -> dict[str, Any]:
    """Load and call what *request* names."""
    try:
        entry = getattr(ctypes.CDLL(request["library"]), request["entry"])
    except (OSError, AttributeError) as problem:
        return {"error": str(problem)}
    size, repeats = request["size"], request.get("repeats", 0)
    base = memory.copy(size) if repeats else memory.address(size)
    args = [
        ctypes.c_void_p(base + given) if kind == "pointer" else _TYPES[kind](given)
        for kind, given in request["args"]
    ]
    entry.restype = None
    with held(request.get("cpus", ()), request.get("hold", "")):
        start = time.perf_counter()
        for _ in range(repeats or 1):
            entry(*args)
        seconds = time.perf_counter() - start
    return {"error": "", "seconds": seconds / (repeats or 1)}


def limit(resource_: int, most_bytes: int) -> None:
    """Let this process have at most *most_bytes* of it, or what it may have anyway if that is less."""
    _, hard = resource.getrlimit(resource_)
    if hard == resource.RLIM_INFINITY or most_bytes < hard:
        resource.setrlimit(resource_, (most_bytes, hard))


def main() -> None:
    """Answer requests until the parent closes the pipe."""
    memory = Memory(int(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit(resource.RLIMIT_FSIZE, _MOST_PRINTED_BYTES)
    limit(resource.RLIMIT_DATA, _MOST_BYTES)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # the first to go where memory is short
    for line in sys.stdin:
        request = json.loads(line)
        signal.alarm(
            int(request["limit_s"]) + 2
        )  # in case the parent is no longer there to stop it
        answer = run(request, memory)
        signal.alarm(0)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
