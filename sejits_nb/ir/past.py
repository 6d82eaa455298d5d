"""The platform AST (PAST): closed, C-shaped, and all that the printer ever reads.

    Unit      ::= Unit(function, helpers, tables, routines)
    Function  ::= Function(name, params, body)
    Param     ::= Param(name, dtype, pointer, const)
    Stmt      ::= Declare(name, dtype, value) | Buffer(name, dtype, length, heap)
                | Store(array, index, value) | Do(call) | If(test, body)
                | For(var, start, stop, step, body, parallel, simd, independent, axis,
                      work_item, group, work_group)
                | Team(threads, body)
    Expr      ::= Literal | Variable | Load(array, index) | Address(array, index)
                | Unary | Binary | Ternary | CallC | Convert

Operators mean what they mean in C; whatever Python means differently (``//``, ``%``, ``min``) has
become a call of a helper by then.  Every expression has a ``dtype``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .dast import Statement
from .dtypes import I64, DType
from .node import Node, Span, node


@dataclass(frozen=True, slots=True)
class PExpr(Node):
    """Base of PAST expressions."""

    dtype: DType = field(default=I64, kw_only=True)


@node
class Literal(PExpr):
    """A number; 0.0 and -0.0 are two.

    ``wide`` marks an integer of the user's program, which is computed in all its 64 bits; an index
    always meets a variable that is as wide.
    """

    value: bool | int | float
    wide: bool = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[str, DType]:
        return repr(self.value), self.dtype


@node
class Variable(PExpr):
    name: str


@node
class Load(PExpr):
    """``array[index]``; *index* counts elements."""

    array: str
    index: PExpr


@node
class Address(PExpr):
    """``&array[index]``; may point past the end, if it is only a hint."""

    array: str
    index: PExpr


@node
class Unary(PExpr):
    """``op`` is one of ``- ! ~``."""

    op: str
    operand: PExpr


@node
class Binary(PExpr):
    """``op`` is a C binary operator: ``+ - * / % & | ^ << >> < <= > >= == != && ||``."""

    op: str
    left: PExpr
    right: PExpr


@node
class Ternary(PExpr):
    """``test ? then : orelse``."""

    test: PExpr
    then: PExpr
    orelse: PExpr


@node
class CallC(PExpr):
    """A call of a C library function or of a helper of :class:`Unit`."""

    func: str
    args: tuple[PExpr, ...]


@node
class Convert(PExpr):
    """``(dtype) operand``."""

    operand: PExpr


@node
class Declare(Statement):
    """``const dtype name = value;``"""

    name: str
    dtype: DType
    value: PExpr

    def headline(self) -> str:
        return f"{self.name}: {self.dtype} = {show(self.value)}"

    def origin(self) -> Span | None:
        return self.value.loc or self.loc


@node
class Store(Statement):
    """``array[index] = value;``"""

    array: str
    index: PExpr
    value: PExpr

    def headline(self) -> str:
        return f"{self.array}[{show(self.index)}] = {show(self.value)}"


@node
class Buffer(Statement):
    """``dtype name[length * times];`` on a cache line's boundary: on the stack, or on the *heap* until
    the end of the block that it stands in, where *times* may be known at run time only.  With
    *by_parts* phase 4 makes it so long for each part of the work.  A *local* one is shared by the
    work-items of a group; on the heap beside nests of work-items it is an array of the device."""

    name: str
    dtype: DType
    length: int
    heap: bool = False
    by_parts: bool = False
    times: PExpr | None = None
    local: bool = False

    def headline(self) -> str:
        times = f"*{_atom(self.times)}" if self.times else ""
        local = "local " if self.local else ""
        return f"{local}{self.name}: {self.dtype}[{self.length}{times}]"


@node
class Do(Statement):
    """A call for its effect."""

    call: CallC

    def headline(self) -> str:
        return show(self.call)


@node
class If(Statement):
    """*body* where *test* holds."""

    test: PExpr
    body: tuple[Statement, ...]

    def headline(self) -> str:
        return f"if {show(self.test)}"

    def nested(self) -> tuple[Node, ...]:
        return self.body


@node
class When(Statement):
    """*body* in the variants whose *knob* has one of *values*; phase 4 keeps it or takes it out.  What
    *body* declares is known inside of it only."""

    knob: str
    values: tuple[int | str, ...]
    body: tuple[Statement, ...]

    def headline(self) -> str:
        return f"when {self.knob} = {' | '.join(map(str, self.values))}"

    def nested(self) -> tuple[Node, ...]:
        return self.body


@node
class For(Statement):
    """``for var in range(start, stop, step)``.

    ``axis`` is the grid axis that the loop runs along.  ``independent`` is the lowering's promise
    that its iterations may run in any order; every transformation of phase 4 rests on it.
    ``parallel`` is the number of threads (0: none); ``simd`` asks for vector code.  A loop with a
    ``work_item`` is not run: each of its iterations is a work-item along that dimension of the
    launch, in work-groups of ``group`` (0: not chosen yet).  Nor is one with a ``work_group``: each of
    its iterations is a work-group along that dimension, and a ``work_item`` inside of it one of the
    group's.
    """

    var: str
    start: PExpr
    stop: PExpr
    body: tuple[Statement, ...]
    step: int = 1
    axis: int = 0
    independent: bool = False
    parallel: int = 0
    simd: bool = False
    work_item: int | None = None
    group: int = 0
    work_group: int | None = None

    def headline(self) -> str:
        step = f" step {self.step}" if self.step != 1 else ""
        marks = [f"parallel, {self.parallel} threads"] if self.parallel else []
        marks += ["simd"] if self.simd else []
        groups = f", groups of {self.group}" if self.group else ""
        marks += [f"work-item {self.work_item}{groups}"] if self.work_item is not None else []
        marks += [f"work-group {self.work_group}"] if self.work_group is not None else []
        tail = f"  [{', '.join(marks)}]" if marks else ""
        return f"for {self.var} in [{show(self.start)}, {show(self.stop)}){step}{tail}"

    def nested(self) -> tuple[Node, ...]:
        return self.body


@node
class Team(Statement):
    """All of *body* by one team of threads: each takes its share of a parallel loop and goes on
    without waiting for the others.  Loops of *body* are independent of one another."""

    threads: int
    body: tuple[Statement, ...]

    def headline(self) -> str:
        return f"team of {self.threads} threads"

    def nested(self) -> tuple[Node, ...]:
        return self.body


@node
class Param(Node):
    """A parameter: a pointer to elements (``const`` if only read) or a scalar by value.

    ``argument`` is the user's name for it where C reserves that one.
    """

    name: str
    dtype: DType
    pointer: bool = False
    const: bool = True
    argument: str = ""

    @property
    def key(self) -> str:
        """The user's name, under which a call's values are found."""
        return self.argument or self.name

    def __str__(self) -> str:
        return f"{self.name}: {'const ' if self.pointer and self.const else ''}{self.dtype}" + (
            "*" if self.pointer else ""
        )


@node
class Function(Statement):
    """The one entry point; pointers do not alias one another."""

    name: str
    params: tuple[Param, ...]
    body: tuple[Statement, ...]

    def headline(self) -> str:
        return f"function {self.name}({', '.join(map(str, self.params))})"

    def nested(self) -> tuple[Node, ...]:
        return self.body


@node
class Table(Node):
    """A constant array of the file."""

    name: str
    dtype: DType
    values: tuple[Literal, ...]


@node
class Routine(Node):
    """A routine of the efficiency programmer's: a template of ``kernels/`` and what fills it; with
    *only* in the variants whose knob has one of those values."""

    template: str
    values: tuple[tuple[str, str | int], ...] = ()
    only: tuple[str, tuple[int | str, ...]] | None = None


@node
class Unit(Statement):
    """A translation unit; ``helpers`` names the helper functions (``kernels/``) that it calls, and
    ``routines`` are printed in their order, before the function.  ``constants`` are names for numbers;
    a knob of the same name says which."""

    function: Function
    helpers: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    routines: tuple[Routine, ...] = ()
    constants: tuple[tuple[str, int], ...] = ()

    def headline(self) -> str:
        return "unit" + (f" with helpers {', '.join(self.helpers)}" if self.helpers else "")

    def nested(self) -> tuple[Node, ...]:
        return (self.function,)


def show(e: PExpr) -> str:
    """*e* in short, fully parenthesised but for sums and products."""
    match e:
        case Literal(value):
            return repr(value)
        case Variable(name):
            return name
        case Load(array, index):
            return f"{array}[{show(index)}]"
        case Address(array, index):
            return array if index == Literal(0) else f"&{array}[{show(index)}]"
        case Unary(op, operand):
            return f"{op}{_atom(operand)}"
        case Binary("*", left, right):
            return f"{_atom(left)}*{_atom(right)}"
        case Binary("+" | "-" as op, Binary("+" | "-") as left, right):
            return f"{show(left)} {op} {_term(right)}"
        case Binary(op, left, right):
            return f"{_term(left)} {op} {_term(right)}"
        case Ternary(test, then, orelse):
            return f"{_atom(test)} ? {_atom(then)} : {_atom(orelse)}"
        case CallC(func, args):
            return f"{func}({', '.join(map(show, args))})"
        case Convert(operand):
            return f"{e.dtype}({show(operand)})"
        case _:
            return repr(e)


def _atom(e: PExpr) -> str:
    return f"({show(e)})" if isinstance(e, Binary | Ternary) else show(e)


def _term(e: PExpr) -> str:
    return show(e) if isinstance(e, Binary) and e.op == "*" else _atom(e)
