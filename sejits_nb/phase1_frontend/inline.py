"""Calls of helper functions inlined: Python -> Python, every node at its place in its own text.

    def average(a, b):
        s = a + b                                 average_s = u[x] + v[x]
        return 0.5 * s                    ->      average_value = 0.5 * average_s
    ...                                           out[x] = 2.0 * average_value
        out[x] = 2.0 * average(u[x], v[x])

A name, a number or a point takes the parameter's place; any other argument is computed once, before.
Early returns become the branches of an ``if``.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..errors import Diagnostic
from ..stages import Helper, KernelSource
from .diagnose import PYTHON_RULES, Findings
from .subset import describe_node, dotted_name

MOST_CALLS = 1000


@dataclass(frozen=True, slots=True)
class Inlined:
    """A kernel without calls of helpers; ``written`` are the names of their locals in their own text.

    ``found`` is what is wrong with the calls and the helpers' forms.
    """

    function: ast.FunctionDef
    written: Mapping[str, str] = field(default_factory=dict)
    found: tuple[Diagnostic, ...] = ()


def inline(source: KernelSource, function: ast.FunctionDef) -> Inlined:
    """*function*, the kernel of *source*, with every call of a captured function inlined."""
    helpers = {name: value for name, value in source.captured if isinstance(value, Helper)}
    if not helpers:
        return Inlined(function)
    inliner = _Inliner(source, Findings(source, PYTHON_RULES), helpers, _names(function))
    inliner.points |= _loop_targets(function)
    function.body = inliner.block(function.body)
    return Inlined(function, inliner.written, tuple(inliner.findings.found))


@dataclass(slots=True)
class _Inliner:
    source: KernelSource
    findings: Findings
    helpers: Mapping[str, Helper]
    taken: set[str]
    written: dict[str, str] = field(default_factory=dict)
    points: set[str] = field(default_factory=set)
    active: list[str] = field(default_factory=list)
    calls: int = 0

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Statements, each after what its calls compute."""
        out: list[ast.stmt] = []
        for s in body:
            calls = _Calls(self, out)
            match s:
                case ast.If():
                    s.test = calls.visit(s.test)
                    s.body, s.orelse = self.block(s.body), self.block(s.orelse)
                case ast.For():
                    s.iter = calls.visit(s.iter)
                    s.body = self.block(s.body)
                case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.Expr():
                    s = calls.visit(s)
            out.append(s)
        return out

    def call(self, call: ast.Call, helper: Helper, out: list[ast.stmt]) -> ast.expr:
        """The value of *call*, once the statements appended to *out* have run."""
        nothing = ast.copy_location(ast.Constant(0.0), call)
        if helper.scope in self.active:
            self.findings.add("L027", call, name=helper.name)
            return nothing
        if self.spent(1, call, helper):
            return nothing
        function = self.parsed(helper)
        given = self.bound(call, helper, function)
        if given is None:
            return nothing
        value = self.fresh(helper.name, "value")
        self.written[value] = f"{helper.name}()"
        body = _without_docstring(function.body)
        for n in (n for s in body for n in ast.walk(s)):
            if isinstance(n, ast.Subscript | ast.Attribute) and isinstance(n.ctx, ast.Store):
                hint = "return the value, and store it in the kernel"
                self.refuse(n, helper, "stores to a grid", "a store", hint)
        stored = {n.id for s in body for n in ast.walk(s)
                  if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}  # fmt: skip
        names = {name: self.fresh(helper.name, name) for name in sorted(stored)}
        self.points |= {names[name] for name in _loop_targets(function)}
        replaced: dict[str, ast.expr] = {}
        for name, argument in given.items():
            if name in stored or not self.plain(argument):
                names.setdefault(name, self.fresh(helper.name, name))
                target = ast.copy_location(ast.Name(names[name], ast.Store()), argument)
                out.append(ast.copy_location(ast.Assign([target], argument), argument))
            else:
                replaced[name] = argument
        renamed = _Renamed(helper.scope, names, replaced)
        body = [renamed.visit(s) for s in body]
        self.active.append(helper.scope)
        out += self.block(self.valued(body, value, helper, function))
        self.active.pop()
        return ast.copy_location(ast.Name(value, ast.Load()), call)

    def parsed(self, helper: Helper) -> ast.FunctionDef:
        """The function, its lines counted as the source's spans count them."""
        tree = ast.parse(helper.text)
        function = next(n for n in reversed(tree.body) if isinstance(n, ast.FunctionDef))
        ast.increment_lineno(function, self.source.start_of(helper))
        return function

    def bound(
        self, call: ast.Call, helper: Helper, function: ast.FunctionDef
    ) -> dict[str, ast.expr] | None:
        """Parameter -> argument or default, as Python binds them."""
        args = function.args
        for odd, what in ((args.vararg, "*args"), (args.kwarg, "**kwargs")):
            if odd:
                self.findings.add("L004", odd, what=what, name=helper.name)
                return None
        positional = [a.arg for a in (*args.posonlyargs, *args.args)]
        every = [*positional, *(a.arg for a in args.kwonlyargs)]
        named = {k.arg or "": k.value for k in call.keywords}
        by_position = dict(zip(positional, call.args, strict=False))
        known = {name for name, _ in self.source.captured}
        given = {
            p: ast.copy_location(ast.Name(f"{helper.scope}={p}", ast.Load()), call)
            for p in every
            if f"{helper.scope}={p}" in known
        } | by_position | named  # fmt: skip
        unknown = named.keys() - (set(every) - {a.arg for a in args.posonlyargs})
        twice = named.keys() & by_position.keys()
        starred = "" in named or any(isinstance(a, ast.Starred) for a in call.args)
        if (
            starred
            or unknown
            or twice
            or len(call.args) > len(positional)
            or (len(given) < len(every))
        ):
            count = len(call.args) + len(named)
            got = (
                "*args" if starred
                else f"unknown keyword {min(unknown)}" if unknown
                else f"{min(twice)} twice" if twice
                else f"{count} argument{'' if count == 1 else 's'}"
            )  # fmt: skip
            example = f"{helper.name}({', '.join(every)})"
            want = f"({', '.join(every)})" if every else "no arguments"
            self.findings.add("L026", call, name=helper.name, want=want, got=got, example=example)
            return None
        return given

    def plain(self, e: ast.expr) -> bool:
        """Whether *e* may stand wherever its parameter stood: names, constants, and points."""
        match e:
            case ast.Name() | ast.Constant():
                return True
            case ast.Attribute(value) | ast.UnaryOp(ast.USub(), value):
                return self.plain(value)
            case ast.Tuple(items) | ast.List(items):
                return all(map(self.plain, items))
            case ast.BinOp(left, ast.Add() | ast.Sub(), right):
                return self._is_point(left) and self.plain(right)
            case _:
                return False

    def _is_point(self, e: ast.expr) -> bool:
        while isinstance(e, ast.BinOp):
            e = e.left
        return isinstance(e, ast.Name) and e.id in self.points

    def fresh(self, helper: str, name: str) -> str:
        """A name for the local *name* of a helper that nothing in the kernel has."""
        made, number = f"{helper}_{name}", 1
        while made in self.taken:
            number += 1
            made = f"{helper}{number}_{name}"
        self.taken.add(made)
        self.written[made] = name
        return made

    def spent(self, calls: int, at: ast.AST, helper: Helper) -> bool:
        """Whether *calls* more are too many, which is said once."""
        before, self.calls = self.calls, self.calls + calls
        if before <= MOST_CALLS < self.calls:
            self.findings.add("L029", at, count=MOST_CALLS, name=helper.name)
        return self.calls > MOST_CALLS

    def refuse(self, at: ast.AST, helper: Helper, what: str, label: str, hint: str) -> None:
        self.findings.add("L028", at, name=helper.name, what=what, label=label, hint=hint)

    def valued(
        self, body: list[ast.stmt], value: str, helper: Helper, function: ast.FunctionDef
    ) -> list[ast.stmt]:
        """*body* with an assignment to *value* for each return; all paths end in one."""

        def assigned(result: ast.expr, at: ast.AST) -> ast.stmt:
            target = ast.copy_location(ast.Name(value, ast.Store()), at)
            return ast.copy_location(ast.Assign([target], result), at)

        def refused(at: ast.AST, what: str, label: str) -> list[ast.stmt]:
            self.refuse(at, helper, what, label, "end every path with: return ...")
            return [*out, assigned(ast.copy_location(ast.Constant(0.0), at), at)]

        out: list[ast.stmt] = []
        for number, s in enumerate(body):
            match s:
                case ast.Return(None):
                    return refused(s, "returns nothing", "no value")
                case ast.Return(ast.expr() as result):
                    return [*out, assigned(result, s)]
                case ast.If() if any(_returns(s)):
                    rest = body[number + 1 :]
                    if self.spent(len(rest), s, helper):  # doubled where both branches go on
                        return out
                    later = copy.deepcopy(rest)
                    s.body = self.valued([*s.body, *rest], value, helper, function)
                    s.orelse = self.valued([*s.orelse, *later], value, helper, function)
                    return [*out, s]
            for inner in _returns(s):
                return refused(inner, f"returns from inside {describe_node(s)}", "not at its end")
            out.append(s)
        return refused(function, "may end without a value", "no return on some path")


@dataclass(slots=True)
class _Calls(ast.NodeTransformer):
    """Replaces calls of helpers, the innermost first, by the names of their values."""

    inliner: _Inliner
    out: list[ast.stmt]

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        helper = self.inliner.helpers.get(dotted_name(node.func) or "")
        return node if helper is None else self.inliner.call(node, helper, self.out)


@dataclass(slots=True)
class _Renamed(ast.NodeTransformer):
    """A helper's own names in the kernel: locals, parameters, and what it captures."""

    scope: str
    names: Mapping[str, str]
    replaced: Mapping[str, ast.expr]

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.replaced:
            argument = copy.deepcopy(self.replaced[node.id])
            for n in ast.walk(argument):
                ast.copy_location(n, node)
            return argument
        name = self.names.get(node.id, self.scope + node.id)
        return ast.copy_location(ast.Name(name, node.ctx), node)


def _names(function: ast.FunctionDef) -> set[str]:
    names = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
    return names | {a.arg for a in function.args.args}


def _loop_targets(function: ast.FunctionDef) -> set[str]:
    """The variables of loops over points."""
    targets = (n.target for n in ast.walk(function) if isinstance(n, ast.For))
    firsts = (t.elts[0] if isinstance(t, ast.Tuple) and t.elts else t for t in targets)
    return {t.id for t in firsts if isinstance(t, ast.Name)}


def _returns(s: ast.AST) -> Iterator[ast.Return]:
    """The returns in *s*; a nested function's are its own."""
    if isinstance(s, ast.Return):
        yield s
    for inner in ast.iter_child_nodes(s) if not isinstance(s, ast.FunctionDef) else ():
        yield from _returns(inner)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(ast.Constant(str())), *rest]:
            return rest
        case _:
            return body
