"""The host side of OpenCL: devices, programs, launches, through PyOpenCL.

Used in two places: in this process for code that has proven itself, and as a script by the child
process in which devices are probed, programs compiled, and code is on trial: PoCL ends the whole
process where it finds no linker.  For the script's sake it imports no package of ours.

The script maps shared memory (descriptor ``argv[1]``) and answers one line of JSON for each line:

    {"op": "devices"}                                     -> {"devices": [{...}, ...]}
    {"op": "build", "device", "source", "options", "binary"}           -> {"log"}
    {"op": "run", "device", "library", "launches", "size", "args", "written"}
        an argument is ["pointer", first byte, end], ["scratch", bytes] or [dtype name, number]
        -> {"seconds"}
    -> {"error": why not, or ""} with each

With ``repeats`` a run goes that often, on this process's own copy of the memory, made when it is first
asked for; ``seconds`` are those of one.
"""

from __future__ import annotations

import json
import mmap
import os
import resource
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_TYPES = {
    "f32": np.float32, "f64": np.float64, "bool": np.uint8,
    "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64,
    "u8": np.uint8, "u16": np.uint16, "u32": np.uint32, "u64": np.uint64,
}  # fmt: skip
_CORRECT_DIVISION = "-cl-fp32-correctly-rounded-divide-sqrt"
_POCL = "Portable Computing Language"


def scalar(dtype: str, number: Any) -> Any:
    """*number* as a kernel takes it; *dtype* is the name of a strong type of ours."""
    return _TYPES[dtype](number)


@dataclass(frozen=True)
class Scratch:
    """An array that only the launches of a call see."""

    nbytes: int


def argument(octets: Any, kind: str, *told: Any) -> Any:
    """An argument of a request to the child; *octets* is the shared memory."""
    if kind == "pointer":
        return octets[told[0] : told[1]]
    return Scratch(*told) if kind == "scratch" else scalar(kind, *told)


class Host:
    """One device with a context and a queue.

    ``in_place``: the device computes in our own memory (PoCL's CPU device); any other gets copies.
    ``largest_bytes``: of an array.
    """

    def __init__(self, number: int) -> None:
        import pyopencl as cl

        self.cl, self.device = cl, _devices()[number]
        self.context = cl.Context([self.device])
        self.queue = cl.CommandQueue(self.context)
        is_cpu = bool(self.device.type & cl.device_type.CPU)
        self.in_place = is_cpu and self.device.platform.name == _POCL
        self.largest_bytes = int(self.device.max_mem_alloc_size)

    def build(self, source: str, options: Sequence[str]) -> tuple[bytes, str]:
        """The program's binary and what the compiler said; raises ``RuntimeError`` with that.

        Of PoCL it is compiled, not linked code: the other kind holds machine code for work-groups of
        any size, which nobody launches, and takes seconds.
        """
        exactly = self.cl.device_fp_config.CORRECTLY_ROUNDED_DIVIDE_SQRT
        correct = bool(self.device.single_fp_config & exactly)
        chosen = [*options, *([_CORRECT_DIVISION] if correct else [])]
        program: Any = self.cl.Program(self.context, source)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyOpenCL warns of any output of the compiler
            if not self.in_place:
                program.build(chosen, cache_dir=False)
            else:
                try:
                    program.compile(chosen)
                except self.cl.RuntimeError as problem:
                    raise RuntimeError(f"{problem}\n{self._log(program)}") from None
                self._linked(program)
            return program.get_info(self.cl.program_info.BINARIES)[0], self._log(program)

    def program(self, path: str) -> Any:
        """The program of a binary that :meth:`build` gave."""
        with open(path, "rb") as file:
            program: Any = self.cl.Program(self.context, [self.device], [file.read()])
        return self._linked(program) if self.in_place else program.build([], cache_dir=False)

    def _linked(self, program: Any) -> Any:
        link: Any = self.cl.link_program
        return link(self.context, [program])

    def _log(self, program: Any) -> str:
        return program.get_build_info(self.device, self.cl.program_build_info.LOG) or ""

    def call(
        self,
        program: Any,
        launches: Iterable[tuple[str, Sequence[int], Sequence[int], Sequence[int]]],
        args: Sequence[Any],
        written: Sequence[int],
    ) -> Callable[[], None]:
        """A call of all launches in order on *args*: byte arrays (``u8[n]``), numbers, and
        :class:`Scratch`; a launch names its kernel, sizes, and its arguments by their positions.

        It returns when the arrays at the positions *written* hold the results.
        """
        cl, flags, buffers = self.cl, self.cl.mem_flags, {}
        launches = [one for one in launches if 0 not in one[1]]
        if not launches:  # and the arrays may be empty, which no buffer is
            return lambda: None
        values = list(args)
        for position, arg in enumerate(args):
            if isinstance(arg, np.ndarray | Scratch) and not arg.nbytes:
                values[position] = None  # a buffer is never empty
            elif isinstance(arg, Scratch):
                values[position] = cl.Buffer(self.context, flags.READ_WRITE, arg.nbytes)
            elif isinstance(arg, np.ndarray):
                use = flags.READ_WRITE if position in written else flags.READ_ONLY
                values[position] = buffers[position] = (
                    cl.Buffer(self.context, use | flags.USE_HOST_PTR, hostbuf=arg)
                    if self.in_place
                    else cl.Buffer(self.context, use, arg.nbytes)
                )
        kernels = []
        for entry, global_size, local_size, positions in launches:
            kernel = cl.Kernel(program, entry)
            kernel.set_args(*(values[position] for position in positions))
            # a kernel does not keep its buffers
            kernels.append((kernel, tuple(global_size), tuple(local_size), values))

        def run() -> None:
            if not self.in_place:
                for position, buffer in buffers.items():
                    cl.enqueue_copy(self.queue, buffer, args[position], is_blocking=False)
            for kernel, global_size, local_size, _ in kernels:
                cl.enqueue_nd_range_kernel(self.queue, kernel, global_size, local_size)
            if not self.in_place:
                for position in buffers.keys() & set(written):
                    cl.enqueue_copy(self.queue, args[position], buffers[position])
            self.queue.finish()

        return run


def _devices() -> list[Any]:
    """All devices of all platforms, always in the same order."""
    import pyopencl as cl

    try:
        return [device for platform in cl.get_platforms() for device in platform.get_devices()]
    except cl.Error:  # PLATFORM_NOT_FOUND: there is no driver
        return []


def describe_devices() -> list[dict[str, Any]]:
    """What decides whether a device can be used, and what identifies its compiler."""
    return [
        {
            "number": number,
            "name": device.name.strip(),
            "platform": device.platform.name.strip(),
            "version": f"{device.version} {device.driver_version}".strip(),
            "double": "cl_khr_fp64" in device.extensions.split(),
            "group": int(min(device.max_work_group_size, device.max_work_item_sizes[0])),
            "local": int(device.local_mem_size),
            "largest": int(device.max_mem_alloc_size),
        }
        for number, device in enumerate(_devices())
    ]


class _Child:
    """The script's state: hosts by device, and the shared memory."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self.size = descriptor, 0
        self.hosts: dict[int, Host] = {}
        self.ready: dict[str, Callable[[], None]] = {}
        self.copy: mmap.mmap | None = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["op"] == "devices":
            return {"devices": describe_devices()}
        number = request["device"]
        if number not in self.hosts:
            self.hosts[number] = Host(number)
        host = self.hosts[number]
        if request["op"] == "build":
            with open(request["source"], encoding="utf-8") as file:
                binary, log = host.build(file.read(), request["options"])
            with open(request["binary"], "wb") as out:
                out.write(binary)
            return {"log": log}
        repeats = request.get("repeats", 0)
        run = self.call(host, request, own=bool(repeats))
        start = time.perf_counter()
        for _ in range(repeats or 1):
            run()
        return {"seconds": (time.perf_counter() - start) / (repeats or 1)}

    def call(self, host: Host, request: dict[str, Any], own: bool) -> Callable[[], None]:
        """What *request* runs; on memory of its *own* it stays ready for the next one."""
        key = json.dumps([request[k] for k in ("device", "library", "launches", "args")])
        if own and key in self.ready:
            return self.ready[key]
        octets = self.copied(request["size"]) if own else self.octets(request["size"])
        args = [argument(octets, *given) for given in request["args"]]
        program = host.program(request["library"])
        run = host.call(program, request["launches"], args, request["written"])
        if own:
            self.ready[key] = run
        return run

    def octets(self, size: int) -> Any:
        if size != self.size:
            self.memory, self.size = mmap.mmap(self.descriptor, size), size
        return np.frombuffer(self.memory, np.uint8)

    def copied(self, size: int) -> Any:
        """A copy of the shared memory, in pages as large as NumPy's arrays have."""
        if self.copy is None:
            self.copy = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            if hasattr(mmap, "MADV_HUGEPAGE"):
                self.copy.madvise(mmap.MADV_HUGEPAGE)
            self.copy[:] = self.octets(size).data
        return np.frombuffer(self.copy, np.uint8)


def main() -> None:
    """Answer requests until the parent closes the pipe."""
    child = _Child(int(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        request = json.loads(line)
        signal.alarm(int(request["limit_s"]) + 2)  # if the parent is no longer there to stop it
        try:
            answer = {"error": ""} | child.answer(request)
        except Exception as problem:  # PyOpenCL's errors cannot be named before it is imported
            answer = {"error": f"{type(problem).__name__}: {problem}"}
        signal.alarm(0)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
