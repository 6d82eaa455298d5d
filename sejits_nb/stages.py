"""Every value that flows through the five phases, in the order in which it appears.

    KernelSource + Signature -1-> Dast -2-> Dast -3-> Past -4-> VariantSpace
          -(one Config)-> Variant -5-> SourceUnit -> Artifact (on disk) -> Executable (live)

All of them are frozen, comparable and picklable, except an executable (``contracts.Executable``).
Shapes and dtypes enter once, as a :class:`Signature`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from .ir.dast import Line, Statement, listing
from .ir.dtypes import DType
from .ir.node import Node, Span
from .ir.past import Param, PExpr, Unit


@dataclass(frozen=True, slots=True)
class Helper:
    """A plain Python function that a kernel calls, as it was captured: it is inlined.

    ``text`` is its source, whose first line is line ``first_line`` of ``where``.  What the function
    itself captures has names that begin with ``scope``: ``smooth().alpha``.
    """

    name: str
    text: str
    scope: str
    where: str = field(repr=False)
    first_line: int = field(repr=False)


Captured = bool | int | float | tuple[Any, ...] | str | Helper
"""A captured value: a number (NumPy scalars keep their type), a tuple of them, or a known function."""


def source_lines(text: str) -> tuple[str, ...]:
    """*text* by line, as Python counts lines: a form feed or U+2028 ends none."""
    lines = re.split("\r\n|\r|\n", text)
    return tuple(lines if lines[-1] or len(lines) == 1 else lines[:-1])


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A compiler and flags chosen for one kernel: ``cc`` as a shell reads it (empty: the machine's),
    ``cflags`` appended to ours; ``device`` is the name or number of an OpenCL device."""

    cc: str = ""
    cflags: tuple[str, ...] = ()
    device: str = ""

    @property
    def asked(self) -> tuple[str, ...]:
        """The options that the user gave."""
        return tuple(name for name in self.__slots__ if getattr(self, name))

    def __bool__(self) -> bool:
        return bool(self.asked)


@dataclass(frozen=True, slots=True)
class KernelSource:
    """A kernel as the user wrote it.

    ``text`` is the cell (magic line included) or the function's source; spans count its lines from 1.
    ``where`` names the place for a person (``Cell In[7]``) and ``first_line`` is the line there of the
    first line of *text*.  ``captured`` holds the values that free names had when this was made, sorted
    by name: they are compile-time constants.  ``settings`` are the specializer's own options
    (``boundary``) and the kernel's own :class:`Toolchain` if it has one, sorted by name; ``receiver``
    marks a method and lists the domain's own methods.  ``title`` is what a person calls a kernel that
    is a method: its class.
    """

    name: str
    text: str
    where: str
    first_line: int = 1
    captured: tuple[tuple[str, Captured], ...] = ()
    settings: tuple[tuple[str, Any], ...] = ()
    title: str = ""

    @property
    def label(self) -> str:
        """The kernel's name for a person."""
        return self.title or self.name

    @property
    def code(self) -> str:
        """*text* as Python parses it: a magic line is blanked, so that spans stay true."""
        head, newline, rest = self.text.partition("\n")
        return newline + rest if head.lstrip().startswith("%%") else self.text

    @property
    def method(self) -> bool:
        """Whether the kernel is a method: its first parameter is the object, not an argument."""
        return any(name == "receiver" for name, _ in self.settings)

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes two kernels the same: text, captured values, settings; the parts of a key."""
        return self.code, repr(self.captured), repr(self.settings)

    @property
    def helpers(self) -> tuple[Helper, ...]:
        """The functions that the kernel calls, directly or not, and whose text stands elsewhere."""
        last = self.first_line + len(source_lines(self.text))
        found = {h.scope: h for _, h in self.captured if isinstance(h, Helper)}
        return tuple(
            h
            for h in found.values()
            if h.where != self.where or not self.first_line <= h.first_line < last
        )

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines that spans count: those of the text, then those of helpers from elsewhere."""
        return sum((source_lines(h.text) for h in self.helpers), source_lines(self.text))

    def start_of(self, helper: Helper) -> int:
        """How many lines, as spans count them, stand before the first one of *helper*."""
        start = len(source_lines(self.text))
        for one in self.helpers:
            if one.scope == helper.scope:
                return start
            start += len(source_lines(one.text))
        return helper.first_line - self.first_line

    def place(self, line: int) -> tuple[str, int]:
        """Where a line, as spans count them, stands: ``("Cell In[7]", 4)``."""
        for helper in self.helpers:
            start = self.start_of(helper)
            if start < line <= start + len(source_lines(helper.text)):
                return helper.where, helper.first_line + line - start - 1
        return self.where, self.first_line + line - 1

    @property
    def line_count(self) -> int:
        """Lines of Python that carry code: no blank lines, no comments, no magic line."""
        lines = (line.strip() for line in self.lines if not line.lstrip().startswith("%%"))
        return sum(1 for line in lines if line and not line.startswith(("#", "@")))


@dataclass(frozen=True, slots=True)
class ArrayType:
    """An array argument: ``strides`` count elements, one an axis."""

    dtype: DType
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"


@dataclass(frozen=True, slots=True)
class ScalarType:
    """A scalar argument, passed by value."""

    dtype: DType

    def __str__(self) -> str:
        return str(self.dtype)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a call says about its arguments, in parameter order, outputs included."""

    args: tuple[tuple[str, ArrayType | ScalarType], ...]

    def __getitem__(self, name: str) -> ArrayType | ScalarType:
        return dict(self.args)[name]

    def __str__(self) -> str:
        return ", ".join(f"{name}: {kind}" for name, kind in self.args)


Value = int | str
"""Of a knob: a number, or a word where it names one of several ways."""


@dataclass(frozen=True, slots=True)
class Config:
    """One value for each knob; comparable, and its text is the key that records use."""

    items: tuple[tuple[str, Value], ...] = ()

    def __getitem__(self, knob: str) -> Any:
        return dict(self.items)[knob]

    def get(self, knob: str, default: Value) -> Any:
        """The value of *knob*, or *default* where the platform has no such one."""
        return dict(self.items).get(knob, default)

    def __str__(self) -> str:
        return " ".join(f"{k}={v}" for k, v in self.items) or "default"


@dataclass(frozen=True, slots=True)
class Variant:
    """One point of the variant space: a configuration and the PAST that it gives."""

    config: Config
    past: Unit


Size = int | PExpr
"""A number, or what it is computed from at a call: an expression of scalar parameters."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A kernel of a source, run by one work-item for each index of ``global_size`` (dimension 0
    first), in work-groups of ``local_size``, which divides it, and only ``when`` that is not 0.

    ``args`` names its parameters, where they are not those of the whole function: what the host makes
    is among them.
    """

    entry: str
    global_size: tuple[Size, ...]
    local_size: tuple[int, ...]
    when: Size = 1
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostArgument:
    """What the host makes for the launches of a call: a number, of the dtype that ``kind`` names, or an
    array of the device (``scratch``) of so many bytes, which all of them share."""

    name: str
    kind: str
    value: Size


@dataclass(frozen=True)
class SourceUnit:
    """Generated source, line by line with the span of the cell that each line computes.

    ``launches`` are the kernels to run, in order, where the language has kernels; else one function,
    ``entry``, is called.  ``host_arguments`` are what they need beside those of the call.
    ``edited``: a person wrote these lines, which errors are to name.  ``narrowings``: what floats are
    converted to and back from, as ``phase5_backend/narrowings.py`` tells.
    """

    language: str
    entry: str
    params: tuple[Param, ...]
    lines: tuple[Line, ...]
    launches: tuple[Launch, ...] = ()
    host_arguments: tuple[HostArgument, ...] = ()
    edited: bool = False
    narrowings: tuple[str, ...] = ()

    @cached_property
    def text(self) -> str:
        """The file as the compiler reads it."""
        return "\n".join(line.text for line in self.lines) + "\n"


@dataclass(frozen=True, slots=True)
class BuildLog:
    """How an artifact came to be: the command, what the compiler said, how long it took."""

    command: tuple[str, ...]
    log: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Artifact:
    """Compiled code on disk; ``key`` is the SHA-256 of source, flags, compiler and CPU.

    ``parallel``: the code starts OpenMP threads.  ``device`` is the number of the device that it is
    for, on a platform that has some.
    """

    key: str
    library: str
    source: str
    entry: str
    params: tuple[Param, ...]
    build: BuildLog
    cached: bool
    launches: tuple[Launch, ...] = ()
    host_arguments: tuple[HostArgument, ...] = ()
    parallel: bool = False
    device: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One arrow of the pipeline as it was taken: its result as lines, and whether it did anything."""

    phase: int
    name: str
    lines: tuple[Line, ...]
    seconds: float = 0.0
    changed: bool = True
    tree: Node | None = field(default=None, repr=False)

    @property
    def text(self) -> str:
        """The listing as one string."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True)
class Trace:
    """All steps of one specialization, in order: the only list of stages that anything shows."""

    source: KernelSource
    steps: tuple[Step, ...] = ()

    def then(self, step: Step) -> Trace:
        """This trace with *step* appended."""
        return Trace(self.source, (*self.steps, step))

    def last(self, phase: int) -> Step:
        """The last step taken in *phase*."""
        return next(s for s in reversed(self.steps) if s.phase == phase)

    def first(self, phase: int) -> Step:
        """The first step taken in *phase*."""
        return next(s for s in self.steps if s.phase == phase)

    def links(self) -> tuple[tuple[Span, str, int], ...]:
        """The provenance table: (span of the cell, step name, 1-based line of that step)."""
        return tuple(
            (line.loc, step.name, number)
            for step in self.steps
            for number, line in enumerate(step.lines, 1)
            if line.loc is not None
        )

    def to_json(self) -> str:
        """The trace without its trees, for a viewer in another process."""
        return json.dumps(
            {
                "source": asdict(self.source),
                "steps": [
                    {"phase": s.phase, "name": s.name, "seconds": s.seconds, "changed": s.changed,
                     "lines": [[line.text, str(line.loc) if line.loc else None] for line in s.lines]}
                    for s in self.steps
                ],
            },
            default=repr,
        )  # fmt: skip


def lines_of(tree: Statement) -> tuple[Line, ...]:
    """The listing of a DAST or PAST."""
    return tuple(listing(tree))


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one array must hold after a run: ``value`` at ``where`` (an index for NumPy), each element
    within ``tolerance`` of it (0: to the bit, NaN equal to NaN)."""

    name: str
    where: Any
    value: Any
    tolerance: Any


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison with the plain Python: run on ``values``, then meet every expectation.

    ``oracle`` is who gave those, if it was not the plain Python itself.
    """

    signature: Signature
    values: Mapping[str, Any]
    expectations: tuple[Expectation, ...]
    label: str
    oracle: str = "the plain Python"

    def arrays(self) -> Iterator[tuple[str, Any]]:
        """The array arguments, in parameter order."""
        return ((n, self.values[n]) for n, t in self.signature.args if isinstance(t, ArrayType))
