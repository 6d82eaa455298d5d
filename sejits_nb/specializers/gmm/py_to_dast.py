"""Phase 1 of the mixture specializer: Python -> mixture DAST.

    for n in x.events():                                    EStep((
        for k in mix.components():                              Let("q", Mahalanobis(...)),
            q = mahalanobis(x[n], mix.mean[k], ...)             StorePair("joint", ...)))
            mix.joint[n, k] = ...                    ->
        mix.responsibility[n] = softmax(mix.joint[n])
    for k in mix.components():                              MStep((
        r = mix.responsibility[:, k]                            StoreComponent("weight",
        mix.weight[k] = mean(r)                                     Mean(Responsibility())),))

Columns, and vectors of the E-step, stand for their value; other locals become a ``Let``.
Nothing is raised until the whole iteration has been read.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import cast

from ...errors import GmmError
from ...ir.dast import Let, Statement
from ...ir.dtypes import F64
from ...ir.expr import Const, Name
from ...ir.node import Node, rewrite
from ...phase1_frontend.definition import header
from ...phase1_frontend.diagnose import Findings, describe
from ...phase1_frontend.subset import ExpressionReader, describe_node
from ...stages import ArrayType, KernelSource, Signature
from .arithmetic import FUNCTIONS as ARITHMETIC
from .arithmetic import plain
from .dast import (
    Covariance,
    EStep,
    Events,
    Gmm,
    LogDet,
    LogNormal,
    Mahalanobis,
    Mixture,
    MStep,
    Softmax,
)
from .forms import FormReader
from .interface import GmmInterface, inlined, read_interface
from .rules import RULES
from .scope import AFTER, FUNCTIONS, E, M, Scope, index_form
from .statements import StatementReader
from .stopping import Stop, sets_rule


def parse(source: KernelSource, signature: Signature) -> Gmm:
    """The DAST of *source* for the dtype, D and K of *signature*.

    Raises :class:`GmmError` with up to all findings of the iteration, each at its smallest span.
    """
    x, weight = signature["x"], signature["weight"]
    assert isinstance(x, ArrayType) and isinstance(weight, ArrayType)
    gmm, findings = read(source, x, weight.shape[0])
    if findings.found:
        raise GmmError(*sorted(findings.found, key=lambda d: (d.line, d.col)))
    return gmm


def read(
    source: KernelSource, x: ArrayType | None = None, components: int | None = None
) -> tuple[Gmm, Findings]:
    """The DAST and what is wrong with the program; without *x* the dimension stays open."""
    kernel, interface = inlined(source), read_interface(source)
    findings = Findings(source, RULES, list(kernel.found), kernel.written)
    try:
        reader = _Reader(source, interface, findings, x, components)
        return reader.iteration(kernel.function), findings
    except RecursionError:
        line = header(source, kernel.function)
        raise GmmError(describe(source, RULES, "L024", line)) from None


@dataclass(slots=True)
class _Reader:
    source: KernelSource
    interface: GmmInterface
    findings: Findings
    x: ArrayType | None
    components: int | None
    scope: Scope = field(init=False)
    statements: StatementReader = field(init=False)

    # -- the iteration and its steps

    def iteration(self, function: ast.FunctionDef) -> Gmm:
        events, mixture = self.interface.params[:2]
        body = _without_docstring(function.body)
        self.scope = Scope(
            events, mixture, self.interface.covariance, self.x.shape[1] if self.x else None,
            self.components, self.interface.numbers, any(sets_rule(s, mixture) for s in body),
            frozenset(_stored(body)), _sums(body, mixture),
        )  # fmt: skip
        forms = FormReader(self.scope, self.findings, dict(self.source.captured))
        expressions = ExpressionReader(
            self.source, self.findings, forms.domain, (), functions=ARITHMETIC, own=FUNCTIONS
        )
        forms.read = expressions.read
        self.statements = StatementReader(self.scope, self.findings, expressions.read)
        at = header(self.source, function)
        estep: EStep | None = None
        mstep: MStep | None = None
        after: list[Statement] = []
        for s in body:
            match s:
                case ast.For() if _loops_over(s, events, "events"):
                    if estep:
                        self.findings.add("G008", s.iter, step=E)
                    else:
                        estep = self._estep(s)
                case ast.For() if _loops_over(s, mixture, "components") and estep:
                    if mstep:
                        self.findings.add("G008", s.iter, step=M)
                    else:
                        mstep = self._mstep(s)
                case ast.For():
                    if not _loops_over(s, mixture, "components"):  # an M-step that comes too early
                        self.statements.other_loop(s)
                case _ if mstep or sets_rule(s, mixture):
                    after += self.statements.statement(s)
                case _:
                    self._before(s)
        if estep is None:
            self.findings.add("G002", at, x=events)
        elif mstep is None:
            self.findings.add("G003", at, mix=mixture)
        covariance = cast(Covariance, self.scope.covariance)
        data = (self.x.dtype, self.x.shape[1], self.x.shape[0]) if self.x else (F64, 0, 0)
        steps = mstep or MStep((), loc=at)
        stop = next((s for s in after if isinstance(s, Stop)), None)
        updates = tuple(s for s in after if s is not stop)
        gmm = Gmm(
            function.name,
            Events(events, *data, loc=at),
            Mixture(mixture, self.components or 1, covariance, loc=at),
            estep or EStep((), loc=at),
            MStep(steps.body, updates, loc=steps.loc),
            self.interface.numbers,
            stop,
            loc=at,
        )
        return rewrite(gmm, plain)

    def _before(self, s: ast.stmt) -> None:
        """A number in front of the steps, or 0 where a sum over the components begins."""
        match s:
            case ast.Pass() | ast.AnnAssign(_, _, None):
                return
            case (ast.Assign([ast.Name(id) as target], value) | ast.AnnAssign(
                ast.Name(id) as target, _, ast.expr() as value)):  # fmt: skip
                if self.statements.is_role(target):
                    return
                read = self.statements.value(value)
                if id in self.scope.sums:
                    if not isinstance(read, Const) or read.value != 0:
                        self.findings.add("G022", value, name=id, label="not 0")
                else:
                    self.scope.known[id] = read
            case _:
                what = "an update" if isinstance(s, ast.AugAssign) else describe_node(s)
                self.findings.add("G007", s, what=what)

    def _estep(self, loop: ast.For) -> EStep:
        scope, at = self.scope, self.findings.span(loop.iter)
        if not any(isinstance(s, ast.For) for s in loop.body):
            self.findings.add("G004", loop.iter, mix=scope.mixture, k="k")
            return EStep((), loc=at)
        scope.step, scope.event = E, self._variable(loop)
        outer = dict(scope.known), dict(scope.names)
        body: list[Statement] = []
        inner: ast.For | None = None
        ended = False
        for s in loop.body:
            match s:
                case ast.For() if _loops_over(s, scope.mixture, "components"):
                    if inner:
                        self.findings.add("G008", s.iter, step="loop over the components")
                        continue
                    inner, scope.component = s, self._variable(s)
                    for one in s.body:
                        body += self.statements.statement(one)
                case ast.For():
                    self.statements.other_loop(s)
                case _ if sets_rule(s, scope.mixture):
                    self.statements.statement(s)
                case _ if inner and not ended:
                    ended = self._softmax(s)
                    body.append(Softmax(loc=self.findings.span(s)))
                case _ if inner:
                    self.findings.add("G005", s, label="after it", **self._loop_names())
                case _:
                    body += self.statements.statement(s)
        if inner is None:
            self.findings.add("G004", loop.iter, mix=scope.mixture, k="k")
        elif "joint" not in scope.stored:
            self.findings.add("G006", inner.iter, **self._loop_names())
        elif not ended:
            self.findings.add("G005", loop.iter, label="no softmax", **self._loop_names())
        scope.known, scope.names = outer
        scope.step = scope.event = scope.component = ""
        return EStep(_of_parameters(body), loc=at)

    def _softmax(self, s: ast.stmt) -> bool:
        """Whether *s* is the end of an event's E-step; anything else is found wrong."""
        scope = self.scope
        match s:
            case ast.Assign(
                [ast.Subscript(ast.Attribute(ast.Name(mix), "responsibility"), index)],
                ast.Call(
                    ast.Name("softmax"),
                    [ast.Subscript(ast.Attribute(ast.Name(also), "joint"), of)],
                    [],
                ),
            ) if {mix, also} == {scope.mixture} and "softmax" not in dict(self.source.captured):
                if index_form(scope, index) == index_form(scope, of) == "n":
                    return True
        self.findings.add("G005", s, label="not this softmax", **self._loop_names())
        return True

    def _mstep(self, loop: ast.For) -> MStep:
        scope, at = self.scope, self.findings.span(loop.iter)
        scope.step, scope.component = M, self._variable(loop)
        outer = dict(scope.known), dict(scope.names)
        body = [one for s in loop.body for one in self.statements.statement(s)]
        scope.known, scope.names = outer
        scope.names |= {name: name for name in scope.sums if name in scope.kinds}
        scope.step, scope.component, scope.sums = AFTER, "", frozenset()
        return MStep(tuple(body), loc=at)

    def _variable(self, loop: ast.For) -> str:
        if loop.orelse:
            self.findings.add("L010", loop.orelse[0], what="for ... else")
        if not isinstance(loop.target, ast.Name):
            self.findings.add("L017", loop.target, what=describe_node(loop.target))
            return ""
        return "" if self.statements.is_role(loop.target) else loop.target.id

    def _loop_names(self) -> dict[str, str]:
        scope = self.scope
        return {"mix": scope.mixture, "n": scope.event or "n", "k": scope.component or "k"}


def _of_parameters(body: list[Statement]) -> tuple[Statement, ...]:
    """*body* with densities of values in place of locals: they are prepared before any local is."""
    lets = {s.name: s.value for s in body if isinstance(s, Let)}

    def value(n: Node) -> Node | None:
        return rewrite(lets[n.id], value) if isinstance(n, Name) and n.id in lets else None

    def rule(n: Node) -> Node | None:
        return rewrite(n, value) if isinstance(n, LogNormal | Mahalanobis | LogDet) else None

    return tuple(rewrite(s, rule) for s in body)


def _loops_over(loop: ast.For, owner: str, method: str) -> bool:
    match loop.iter:
        case ast.Call(ast.Attribute(ast.Name(id), name), [], []):
            return (id, name) == (owner, method)
    return False


def _stored(body: list[ast.stmt]) -> set[str]:
    return {n.id for s in body for n in ast.walk(s)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}  # fmt: skip


def _sums(body: list[ast.stmt], mixture: str) -> frozenset[str]:
    """The names that are set in front of the M-step and again in it."""
    before: set[str] = set()
    for s in body:
        if isinstance(s, ast.For):
            if _loops_over(s, mixture, "components"):
                return frozenset(before & _stored(s.body))
        else:
            before |= _stored([s])
    return frozenset()


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(ast.Constant(str())), *rest]:
            return rest
        case _:
            return body
