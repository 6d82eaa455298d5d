"""The process that runs unproven code: started by exec, standard library only, no package of ours.

It maps the shared memory that the parent gave it (descriptor ``argv[1]``) and answers one line of JSON
for each line it reads:

    {"library", "entry", "size", "limit_s", "args": [["pointer", byte offset] | [dtype name, number]]}
    -> {"error": ""} or {"error": why the code could not be loaded}

A crash is an answer too: the parent sees the signal.  Every message goes to stderr, so that nothing
that the code prints can be taken for an answer.
"""

import ctypes
import json
import mmap
import os
import resource
import signal
import sys

_TYPES = {
    "f32": ctypes.c_float, "f64": ctypes.c_double, "bool": ctypes.c_bool,
    "i8": ctypes.c_int8, "i16": ctypes.c_int16, "i32": ctypes.c_int32, "i64": ctypes.c_int64,
    "u8": ctypes.c_uint8, "u16": ctypes.c_uint16, "u32": ctypes.c_uint32, "u64": ctypes.c_uint64,
}  # fmt: skip


class Memory:
    """The shared memory, mapped anew whenever its size changes."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self.size = descriptor, 0

    def address(self, size: int) -> int:
        """Where the first of *size* bytes lies in this process."""
        if size != self.size:
            self.mapped = mmap.mmap(self.descriptor, size)
            self.first = ctypes.c_char.from_buffer(self.mapped)
            self.size = size
        return ctypes.addressof(self.first)


def run(request: dict[str, object], memory: Memory) -> str:
    """Load and call what *request* names; why it could not be loaded, or nothing."""
    try:
        entry = getattr(ctypes.CDLL(str(request["library"])), str(request["entry"]))
    except (OSError, AttributeError) as problem:
        return str(problem)
    base = memory.address(int(str(request["size"])))
    args = request["args"]
    assert isinstance(args, list)
    entry.restype = None
    entry(*[ctypes.c_void_p(base + v) if t == "pointer" else _TYPES[t](v) for t, v in args])
    return ""


def main() -> None:
    """Answer requests until the parent closes the pipe."""
    memory = Memory(int(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        request = json.loads(line)
        signal.alarm(
            int(request["limit_s"]) + 2
        )  # in case the parent is no longer there to stop it
        error = run(request, memory)
        signal.alarm(0)
        print(json.dumps({"error": error}), file=answers, flush=True)


if __name__ == "__main__":
    main()
