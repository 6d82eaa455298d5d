"""Artifact on disk -> live callable, through cffi's ABI mode.

The signature is declared to cffi's own parser in C (``_cffi_backend.FFI``, what cffi's out-of-line
modules use): ``cffi.FFI().cdef`` would import pycparser, thirty milliseconds for one prototype.
Every pointer is a ``void *``: shapes and dtypes were settled when the code was generated.  A call
releases the GIL.  Loading leaves the CPU affinity as it was, whatever ``OMP_PROC_BIND`` says.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import _cffi_backend

from ..errors import BackendError, Diagnostic
from ..ir.past import Param
from ..stages import Artifact
from .openmp_calls import LEVELS, in_turn

CODES = {"B004": "Compiled code could not be loaded: the library or its entry point is missing."}
C_TYPES = {
    "f32": "float", "f64": "double", "i8": "int8_t", "i16": "int16_t", "i32": "int32_t",
    "i64": "int64_t", "u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t",
    "bool": "_Bool",
}  # fmt: skip
"""Strong dtype -> the C type by which a scalar parameter is passed."""

# A library stays mapped to the end of the process: OpenMP's threads may still be inside its code.
_DLOPEN_FLAGS = os.RTLD_NOW | os.RTLD_LOCAL | getattr(os, "RTLD_NODELETE", 0)
_ffi = _cffi_backend.FFI()
_from_buffer = _ffi.from_buffer


class NativeKernel:
    """A loaded entry point (``contracts.Executable``); outputs are written in place.

    ``names`` are its parameters in order.
    """

    __slots__ = ("_call", "_function", "_library", "_pointers", "names")

    def __init__(self, artifact: Artifact) -> None:
        types = ", ".join(map(_c_type, artifact.params)) or "void"
        try:
            self._library = _load(artifact.library)
            self._function = self._symbol(artifact.entry, f"void(*)({types})")
            if artifact.parallel:
                get_levels = self._symbol(LEVELS[0], "int(*)(void)")
                set_levels = self._symbol(LEVELS[1], "void(*)(int)")
                self._function = in_turn(self._function, get_levels, set_levels)
        except (OSError, AttributeError) as problem:
            fix = "%sejits cache clear, then run the cell again"
            raise BackendError(Diagnostic("B004", str(problem), try_=fix)) from problem
        self.names = tuple(p.key for p in artifact.params)
        self._pointers = tuple(p.pointer for p in artifact.params)
        self._call = _unrolled(self._pointers)(self._function, _from_buffer)

    def _symbol(self, name: str, prototype: str) -> Any:
        """A function of the library, or of one that it is linked with."""
        return self._library.load_function(_ffi.typeof(prototype), name)

    def call_arrays(self, *args: Any) -> None:
        """Run once on *args* in parameter order: arrays of the signature's layout, and numbers."""
        try:
            self._call(*args)
        except (ValueError, BufferError):  # an array that is not contiguous in C's order
            self._function(*self._arguments(args))

    def __call__(self, values: Mapping[str, Any]) -> None:
        """Run once on *values* (parameter name -> array or number)."""
        self.call_arrays(*[values[name] for name in self.names])

    def bound(self, values: Mapping[str, Any]) -> Callable[[], None]:
        """A call without arguments on exactly these arrays, which it keeps alive."""
        return partial(self._function, *self._arguments([values[name] for name in self.names]))

    def direct(self, values: Mapping[str, Any]) -> Callable[..., None]:
        """A call on other values of the same layouts, by position, in the order of *values*."""
        order = {name: f"a{number}" for number, name in enumerate(values)}
        passed = []
        for name, pointer in zip(self.names, self._pointers, strict=True):
            one = "" if not pointer or _contiguous(values[name]) else _first(values[name].ndim)
            passed.append(f"b({order[name]}{one})" if pointer else order[name])
        return _compiled(tuple(order.values()), tuple(passed))(self._function, _from_buffer)  # type: ignore[no-any-return]

    def _arguments(self, args: Sequence[Any]) -> list[Any]:
        pairs = zip(args, self._pointers, strict=True)
        return [_pointer(arg) if pointer else arg for arg, pointer in pairs]


def load(artifact: Artifact) -> NativeKernel:
    """Load *artifact* into this process; raises :class:`BackendError` B004 if it cannot be."""
    return NativeKernel(artifact)


def _load(library: str) -> Any:
    """The library, mapped; GCC's runtime would bind the calling thread to one CPU for good."""
    if not hasattr(os, "sched_getaffinity"):
        return _mapped(library)
    before = os.sched_getaffinity(0)
    try:
        return _mapped(library)
    finally:
        if os.sched_getaffinity(0) != before:
            os.sched_setaffinity(0, before)


def _mapped(library: str) -> Any:
    try:
        return _cffi_backend.load_library(library, _DLOPEN_FLAGS)
    except UnicodeEncodeError:  # the locale knows fewer letters than the path has
        import ctypes

        name: Any = os.fsencode(library)  # ctypes takes bytes, though its stubs do not say so
        handle = ctypes.CDLL(name, _DLOPEN_FLAGS)._handle
        return _cffi_backend.load_library(_ffi.cast("void *", handle), _DLOPEN_FLAGS)


def _c_type(param: Param) -> str:
    return "void *" if param.pointer else C_TYPES[param.dtype.strong.name]


def _unrolled(pointers: tuple[bool, ...]) -> Any:
    names = tuple(f"a{i}" for i in range(len(pointers)))
    passed = (f"b({n})" if p else n for n, p in zip(names, pointers, strict=True))
    return _compiled(names, tuple(passed))


@lru_cache(maxsize=256)
def _compiled(names: tuple[str, ...], passed: tuple[str, ...]) -> Any:
    """``lambda f, b: lambda a0, a1: f(b(a0), a1)``: a loop over the arguments would double the cost
    of a call.
    """
    return eval(f"lambda f, b: lambda {', '.join(names)}: f({', '.join(passed)})")


def _contiguous(array: Any) -> bool:
    """Whether cffi takes the address of the array itself."""
    try:
        _from_buffer(array)
    except (ValueError, BufferError):
        return False
    return True


def _first(axes: int) -> str:
    """The index of element [0, ..., 0] as an array, in Python."""
    return f"[{', '.join(['...', *['0:1'] * axes])}]"


def _pointer(array: Any) -> Any:
    """The address of element [0, ..., 0], whatever the strides: a one-element view is contiguous."""
    return _from_buffer(array[(..., *(slice(0, 1),) * array.ndim)])
