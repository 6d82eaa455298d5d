"""The one printer: PAST -> lines of C-like source, each with the span of the cell it computes.

It reads nothing but the PAST and a :class:`Dialect`, and keeps to the fewest parentheses that C's
precedence needs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from string import Template

from ..ir import past
from ..ir.dast import Line, Statement
from ..ir.dtypes import DType
from ..ir.node import Span
from ..stages import SourceUnit
from .dialects import Dialect
from .launches import Plan
from .narrowings import narrowings
from .routine_spans import routine_spans

_PRECEDENCE = {
    "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, "<=": 7, ">": 7, ">=": 7,
    "<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10,
}  # fmt: skip
_UNARY, _ATOM = 11, 12
_LONGEST_LINE = 100


def print_source(unit: past.Unit, dialect: Dialect) -> SourceUnit:
    """*unit* as a file of *dialect*."""
    lines = [Line(text) for text in dialect.header]
    lines += [Line(f"enum {{ {name} = {value} }};") for name, value in unit.constants]
    for helper in unit.helpers:
        lines += [Line(""), *(Line(text) for text in _helper(helper, dialect))]
    routines = [_routine(routine) for routine in unit.routines]
    for text, span in zip(routines, routine_spans(unit.function, routines), strict=True):
        lines += [Line(""), *(Line(row, span if row else None) for row in text.splitlines())]
    for table in unit.tables:
        numbers = ", ".join(expression(v, dialect) for v in table.values)
        array = f"{dialect.table} {dialect.types[table.dtype.name]} {table.name}"
        lines += [Line(""), Line(f"{array}[{len(table.values)}] = {{{numbers}}};")]
    function = unit.function
    name, params = function.name, function.params
    if not dialect.kernel:
        lines += [Line(""), *_function(function, dialect)]
        return SourceUnit(dialect.name, name, params, tuple(lines), narrowings=narrowings(unit))
    plan = Plan(unit)
    for kernel, launch in plan.kernels:
        sizes = ", ".join(map(str, (*launch.local_size, 1, 1)[:3]))
        head = Line(dialect.kernel.format(sizes=sizes), function.loc)
        lines += [Line(""), head, *_function(kernel, dialect)]
    launches = tuple(launch for _, launch in plan.kernels)
    return SourceUnit(dialect.name, name, params, tuple(lines), launches, tuple(plan.made))


def _helper(name: str, dialect: Dialect) -> list[str]:
    """The text of ``kernels/`` for a helper such as ``mod_f64``, for its one type."""
    operation, _, dtype = name.rpartition("_")
    family = {"f": "float", "i": "int", "u": "uint", "b": "uint"}[dtype[0]]
    text = _template(operation, family)
    kind = dialect.types[dtype]
    filled = Template(text).substitute(
        head=f"{dialect.helper} {kind}", procedure=f"{dialect.helper} {dialect.entry}", name=name,
        T=kind, I64=dialect.types["i64"], U64=dialect.types["u64"], helper=dialect.helper,
        f=dialect.math_suffixes.get(dtype, ""),
    )  # fmt: skip
    return filled.rstrip().splitlines()


def _routine(routine: past.Routine) -> str:
    """A routine's text, filled in."""
    path = files("sejits_nb.kernels").joinpath(*f"{routine.template}.c".split("/"))
    values = {name: str(value) for name, value in routine.values}
    return Template(path.read_text(encoding="utf-8")).substitute(values).rstrip()


@cache
def _template(operation: str, family: str) -> str:
    for folder in ("arithmetic", "memory"):
        for candidate in (f"{operation}_{family}.c", f"{operation}.c"):
            if (found := files("sejits_nb.kernels") / folder / candidate).is_file():
                return found.read_text(encoding="utf-8")
    raise KeyError(f"kernels/ has no {operation} for {family}")


def _function(function: past.Function, dialect: Dialect) -> Iterator[Line]:
    params = ", ".join(_param(p, dialect) for p in function.params)
    yield Line(f"{dialect.entry} {function.name}({params})", function.loc)
    yield Line("{")
    yield from _block(function.body, 1, dialect)
    yield Line("}")


def _param(p: past.Param, dialect: Dialect) -> str:
    base = dialect.storage.get(p.dtype.name) or dialect.types[p.dtype.name]
    if not p.pointer:
        return f"const {base} {p.name}"
    kind = f"{dialect.address_space}{'const ' if p.const else ''}{base}"
    return f"{kind} *{dialect.restrict} {p.name}"


def _block(
    body: tuple[Statement, ...], depth: int, dialect: Dialect, teamed: bool = False
) -> Iterator[Line]:
    for s in body:
        yield from _statement(s, depth, dialect, teamed)
    for s in body:
        if isinstance(s, past.Buffer) and s.heap:
            yield Line("    " * depth + dialect.release.format(name=s.name), s.loc)


def _statement(
    s: Statement, depth: int, dialect: Dialect, teamed: bool = False, grouped: bool = False
) -> Iterator[Line]:
    blank = "    " * depth
    match s:
        case past.Declare(name, dtype, value):
            head = f"const {dialect.types[dtype.name]} {name} ="
            yield from _assignment(blank + head, value, s.origin(), dialect)
        case past.Store(array, index, value):
            head = f"{array}[{expression(index, dialect)}] ="
            yield from _assignment(blank + head, value, s.origin(), dialect)
        case past.Buffer():
            yield Line(f"{blank}{_buffer(s, dialect)};", s.loc)
        case past.Do(call):
            yield Line(f"{blank}{expression(call, dialect)};", s.loc)
        case past.If(test, body):
            yield Line(f"{blank}if ({expression(test, dialect)}) {{", s.loc)
            yield from _block(body, depth + 1, dialect, teamed)
            yield Line(blank + "}")
        case past.Team(threads, body):
            yield Line(blank + dialect.team.format(threads=threads), s.loc)
            yield Line(blank + "{")
            yield from _block(body, depth + 1, dialect, teamed=True)
            yield Line(blank + "}")
        case past.For(var, start, _, body) if s.work_item is not None or s.work_group is not None:
            moved = f" + {expression(start, dialect)}" if start != past.Literal(0) else ""
            here = f"{_index(s, dialect, grouped)}{moved}"
            yield Line(f"{blank}const {dialect.types['i64']} {var} = {here};", s.loc)
            for inner in body:
                yield from _statement(inner, depth, dialect, grouped=s.work_group is not None)
        case past.For(var, start, stop, body, step):
            if s.parallel:
                simd = " simd" if s.simd else ""
                spelled = dialect.team_for if teamed else dialect.parallel_for
                # a loop over parts of the work is as wide as there are parts
                parts = s.stop.name if isinstance(s.stop, past.Variable) else s.parallel
                pragma = spelled.format(simd=simd, threads=parts)
                yield Line(blank + pragma, s.loc)
            elif s.simd:
                yield Line(blank + dialect.simd, s.loc)
            advance = f"{var}++" if step == 1 else f"{var} += {step}"
            head = (
                f"for ({dialect.types['i64']} {var} = {expression(start, dialect)}; "
                f"{var} < {expression(stop, dialect)}; {advance})"
            )
            yield Line(f"{blank}{head} {{", s.loc)
            yield from _block(body, depth + 1, dialect, teamed)
            yield Line(blank + "}")
        case _:
            raise TypeError(f"{type(s).__name__} is no PAST statement")


def _index(loop: past.For, dialect: Dialect, grouped: bool) -> str:
    """Where along its dimension the iteration of a loop that is not run stands."""
    if loop.work_group is not None:
        return dialect.work_group.format(dimension=loop.work_group)
    spelled = dialect.item_of_group if grouped else dialect.work_item
    return spelled.format(dimension=loop.work_item)


def _buffer(b: past.Buffer, dialect: Dialect) -> str:
    """The array's declaration; one on the heap is a whole number of cache lines."""
    kind, size = dialect.types[b.dtype.name], b.length * b.dtype.size_bytes
    times = b.times and _expression(b.times, dialect)
    factor = times and (times[0] if times[1] >= _PRECEDENCE["*"] else f"({times[0]})")
    if not b.heap:
        length = (f"{b.length} * " if b.length > 1 else "") + factor if factor else b.length
        local = dialect.local if b.local else ""
        return f"{local}{kind} {b.name}[{length}] {dialect.line}".rstrip()
    lines = f"{-(-size // 64) * 64}"
    if factor:
        lines = f"{size} * {factor}" if size % 64 == 0 else f"({size} * {factor} + 63) / 64 * 64"
    return f"{kind} *const {b.name} = {dialect.allocate.format(bytes=lines)}"


def _assignment(
    head: str, value: past.PExpr, origin: Span | None, dialect: Dialect
) -> Iterator[Line]:
    """``head value;`` on one line; a long sum has a line, and the span, for each of its terms."""
    text = f"{head} {expression(value, dialect)};"
    terms = _terms(value)
    if len(text) <= _LONGEST_LINE or len(terms) == 1:
        yield Line(text, origin)
        return
    blank = " " * (len(head) - len(head.lstrip()) + 4)
    yield Line(head, origin)
    for number, (sign, term) in enumerate(terms):
        shown, level = _expression(term, dialect)
        binds = level > _PRECEDENCE["+"] or (number == 0 and level == _PRECEDENCE["+"])
        shown = shown if binds else f"({shown})"
        end = ";" if number == len(terms) - 1 else ""
        yield Line(f"{blank}{sign}{shown}{end}", term.loc or origin)


def _terms(e: past.PExpr) -> list[tuple[str, past.PExpr]]:
    """A left-associated sum as signs and terms, the first without a sign."""
    if isinstance(e, past.Binary) and e.op in ("+", "-"):
        return [*_terms(e.left), (f"{e.op} ", e.right)]
    return [("", e)]


def expression(e: past.PExpr, dialect: Dialect) -> str:
    """*e* in C, with minimal parentheses."""
    return _expression(e, dialect)[0]


def _expression(e: past.PExpr, dialect: Dialect) -> tuple[str, int]:
    def inside(child: past.PExpr, least: int) -> str:
        text, level = _expression(child, dialect)
        return text if level >= least else f"({text})"

    match e:
        case past.Literal(value):
            text, level = _literal(value, e.dtype, dialect)
            return (f"{text}L" if e.wide and text[-1] != ")" else text), level
        case past.Variable(name):
            return name, _ATOM
        case past.Load(array, index):
            return f"{array}[{expression(index, dialect)}]", _ATOM
        case past.Address(array, index):
            if index == past.Literal(0):
                return array, _ATOM
            return f"&{array}[{expression(index, dialect)}]", _UNARY
        case past.Unary(op, operand):
            text = inside(operand, _UNARY)
            return f"{op}{' ' if text.startswith(op) else ''}{text}", _UNARY
        case past.Binary(op, left, right):
            level = _PRECEDENCE[op]
            mixes = op in ("&", "|", "^", "<<", ">>", "&&", "||")
            tight = 9 if mixes else level  # what gcc -Wparentheses would ask for
            return f"{inside(left, tight)} {op} {inside(right, max(tight, level + 1))}", level
        case past.Ternary(test, then, orelse):
            return f"{inside(test, 1)} ? {inside(then, 1)} : {inside(orelse, 0)}", 0
        case past.CallC(func, args):
            name = dialect.functions.get((func, e.dtype.name), func)
            return f"{name}({', '.join(expression(a, dialect) for a in args)})", _ATOM
        case past.Convert(operand):
            return f"({dialect.types[e.dtype.name]}){inside(operand, _UNARY)}", _UNARY
        case _:
            raise TypeError(f"{type(e).__name__} is no PAST expression")


def _literal(value: bool | int | float, dtype: DType, dialect: Dialect) -> tuple[str, int]:
    if dtype.kind != "f":
        if value == -(2**63):
            return "(-9223372036854775807L - 1)", _ATOM
        text = str(int(value)) + ("u" if dtype.kind == "u" else "")
        return text, _ATOM if value >= 0 else _UNARY
    suffix = dialect.suffixes[dtype.name]
    spelled = dialect.nonfinite.format(type=dialect.types[dtype.name], name="{name}")
    if math.isnan(value):
        return spelled.format(name="NAN"), _UNARY if "(" in spelled else _ATOM
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    level = _UNARY if sign else _ATOM
    if math.isinf(value):
        return f"{sign}{spelled.format(name='INFINITY')}", _UNARY if "(" in spelled else level
    text = str(dtype.numpy.type(abs(value))) if dtype.bits == 32 else repr(float(abs(value)))
    text = text if any(c in text for c in ".en") else text + ".0"
    return f"{sign}{text}{suffix}", level
