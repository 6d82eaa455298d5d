"""Assignments inside of the steps: locals, sums over the components, values of the mixture."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from ...ir.dast import Let, Statement
from ...ir.expr import Const, Expr
from ...phase1_frontend.diagnose import Findings
from ...phase1_frontend.subset import describe_node
from .arithmetic import checked
from .dast import Accumulate, Kind, StoreComponent, StorePair, StoreShared
from .mixture import Mixture
from .scope import AFTER, PARAMETERS, E, M, Scope, index_form
from .stopping import PROGRESS, Stop, is_condition

_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.MatMult)
_HINTS: dict[tuple[Kind, Kind], str] = {
    ("scalar", "column"): "sum(r) or mean(r) of the column",
    ("vector", "column"): "average(x, r) of the column r",
    ("matrix", "column"): "scatter(x, mean, r) of the column r",
    ("matrix", "scalar"): "a multiple of eye, the identity matrix",
}


@dataclass(slots=True)
class StatementReader:
    """Reads one statement at a time, where the *scope* says; ``read`` reads its expressions."""

    scope: Scope
    findings: Findings
    read: Callable[[ast.expr], Expr]
    ruled: bool = False

    def value(self, e: ast.expr, number: bool = True) -> Expr:
        return checked(self.read(e), self.scope, self.findings, number=number)

    def statement(self, s: ast.stmt) -> list[Statement]:
        match s:
            case ast.Assign([ast.Tuple(targets)], ast.Tuple(values)) if _apart(targets, values):
                pairs = zip(targets, values, strict=True)
                return [one for pair in pairs for one in self._assign(s, *pair)]
            case ast.Assign([target], value) | ast.AnnAssign(target, _, ast.expr() as value):
                return self._assign(s, target, value)
            case ast.AugAssign(ast.Name(id), op) if self._is_array(id):
                kind = self.scope.kind(self.read(ast.copy_location(ast.Name(id), s.target)))
                sign = ast.unparse(ast.BinOp(ast.Name("a"), op, ast.Name("b"))).split()[1]
                self.findings.add("G030", s, name=id, kind=kind, op=sign)
            case ast.AugAssign(target, op, value) if isinstance(op, _OPERATORS):
                old = ast.copy_location(_as_load(target), target)
                return self._assign(s, target, ast.copy_location(ast.BinOp(old, op, value), s))
            case ast.AugAssign():
                self.findings.add("G024", s, what="this operator")
            case ast.Assign(targets):
                self.findings.add("L017", targets[1], what="a second target")
            case ast.If():
                self.findings.add("G023", s.test)
            case ast.For():
                self.other_loop(s)
            case ast.Pass() | ast.AnnAssign(_, _, None) | ast.Expr(ast.Constant(str())):
                pass
            case _:
                self.findings.add("L010", s, what=describe_node(s))
        return []

    def _is_array(self, id: str) -> bool:
        """Whether the name is a local that is no number."""
        scope = self.scope
        if id in scope.known:
            return scope.kind(scope.known[id]) != "scalar"
        return id in scope.names and scope.kinds[scope.names[id]] != "scalar"

    def _assign(self, s: ast.stmt, target: ast.expr, value: ast.expr) -> list[Statement]:
        match target:
            case ast.Name(id) if not self.is_role(target):
                return self._sum(s, id, value) if id in self.scope.sums else (
                    self._local(s, id, self.value(value, number=False)))  # fmt: skip
            case ast.Name():
                pass
            case ast.Attribute(ast.Name(owner), "converged") if owner == self.scope.mixture:
                return self._stop(s, target, value)
            case ast.Subscript(ast.Attribute(ast.Name(owner), name), index) if (
                owner == self.scope.mixture
            ):
                return self._store(s, target, name, index_form(self.scope, index), value)
            case _:
                self.findings.add("L017", target, what=describe_node(target))
        return []

    def _local(self, s: ast.stmt, id: str, value: Expr) -> list[Statement]:
        """A number, a vector or a matrix; what does not become a ``Let`` stands for its value."""
        scope = self.scope
        kind = scope.kind(value)
        scope.names.pop(id, None)
        if kind == "column" or (scope.step == E and kind != "scalar"):
            scope.known[id] = value
            return []
        value = checked(value, scope, self.findings, number=True)
        scope.known.pop(id, None)
        name, number = id, 1
        while name in scope.kinds:
            name, number = f"{id}_{number}", number + 1
        scope.names[id], scope.kinds[name] = name, kind
        if not scope.free(value):
            scope.dependent.add(name)
        return [Let(name, value, loc=self.findings.span(s))]

    def _sum(self, s: ast.stmt, id: str, value: ast.expr) -> list[Statement]:
        """``total = total + value``, in the loop over the components."""
        scope, added = self.scope, _without(id, value)
        if added is None:
            self.findings.add("G022", value, name=id, label="no sum")
            return []
        read = self.value(added)
        kind = scope.kind(read)
        known = scope.kinds.setdefault(id, kind)
        if kind == "column":
            self.findings.add("G022", added, name=id, label="a column")
        elif kind != known:
            self.findings.add("G010", value, what="+", left=f"a {known}", right=f"a {kind}",
                              hint="add values of one kind")  # fmt: skip
        return [Accumulate(id, read, kind=known, loc=self.findings.span(s))]

    def _store(
        self, s: ast.stmt, target: ast.expr, name: str, form: str, value: ast.expr
    ) -> list[Statement]:
        """``mix.name[form] = value``."""
        scope, at = self.scope, self.findings.span(s)
        before, shown = len(self.findings.found), f"{scope.mixture}.{name}"
        shared = name == "covariance" and scope.covariance == "tied"
        read = self.value(value)
        self._place(target, name, form, shown, shared)
        pair = scope.step == E and name not in (*PARAMETERS, "responsibility")
        kinds: dict[str, Kind] = {"mean": "vector", "covariance": scope.square}
        want = "scalar" if pair else kinds.get(name, "scalar")
        if pair:
            scope.stored.add(name)
        if len(self.findings.found) > before or not self._fits(value, read, want, shown):
            return []
        if shared:
            return [StoreShared(read, loc=at)]
        return [StorePair(name, read, loc=at) if pair else StoreComponent(name, read, loc=at)]

    def _stop(self, s: ast.stmt, target: ast.expr, value: ast.expr) -> list[Statement]:
        """``mix.converged = condition``."""
        scope, add, before = self.scope, self.findings.add, len(self.findings.found)
        if scope.step != AFTER:
            place = f"in the {scope.step}" if scope.step else "before the M-step"
            add("G031", target, mix=scope.mixture, k=scope.component or "k", place=place)
            return []
        if self.ruled:
            add("G032", target, mix=scope.mixture)
        self.ruled = True
        read = checked(self.read(value), scope, self.findings, number=True, truth=True)
        if len(self.findings.found) == before:
            kind = scope.kind(read)
            if kind != "scalar" or not is_condition(read):
                number = "a constant" if isinstance(read, Const) else "a number"
                got = number if kind == "scalar" else f"a {kind}"
                add("G033", value, got=got, mix=scope.mixture, x=scope.events)
        return [Stop(read, loc=self.findings.span(s))]

    def _place(self, target: ast.expr, name: str, form: str, shown: str, shared: bool) -> None:
        """Finds what is wrong with the place that a value of the mixture is set at."""
        scope, add = self.scope, self.findings.add
        mix, k, n = scope.mixture, scope.component or "k", scope.event or "n"
        if name == "responsibility":
            line = f"{mix}.responsibility[{n}] = softmax({mix}.joint[{n}])"
            add("G026", target, target=shown, step=scope.step, hint=f"{line}, after the loop over "
                "components", why="responsibilities are one softmax for each event")  # fmt: skip
        elif name not in PARAMETERS and scope.step != E:
            add("G026", target, target=shown, step=scope.step, why="it is a value of events and "
                "components", hint="set it in the E-step")  # fmt: skip
        elif name not in PARAMETERS:
            own = name in (*PROGRESS, "converged") or hasattr(Mixture, name)
            if form != "n, k" or own:
                called = f"{mix}.name_of_yours" if own else shown
                add("G013", target, what=shown, form=f"{called}[{n}, {k}] = ...")
        elif scope.step == E:
            add("G026", target, target=shown, step=E, hint="set it in the M-step",
                why="all events must meet the same mixture")  # fmt: skip
        elif name == "covariance" and form == ":" and not shared:
            add("G015", target, kind=scope.covariance, mix=mix, k=k)
        elif shared and (form == "k" or (form == ":" and scope.step == M)):
            add("G014", target, mix=mix)
        elif form != (":" if shared else "k"):
            add("G013", target, what=shown, form=f"{shown}[{':' if shared else k}] = ...")

    def _fits(self, at: ast.expr, value: Expr, want: Kind, target: str) -> bool:
        got = self.scope.kind(value)
        if got != want:
            hint = _HINTS.get((want, got), f"compute a {want}")
            self.findings.add("G011", at, target=target, want=f"a {want}", got=f"a {got}",
                              hint=hint)  # fmt: skip
        return got == want

    def other_loop(self, loop: ast.For) -> None:
        """Finds what is wrong with a loop that has no place here."""
        scope, n, k = self.scope, self.scope.event or "n", self.scope.component or "k"
        self.findings.add("G009", loop.iter, x=scope.events, mix=scope.mixture, n=n, k=k)

    def is_role(self, target: ast.Name) -> bool:
        """Whether *target* is a name that keeps its meaning, which is then found wrong."""
        scope = self.scope
        loops = (scope.event, scope.component)
        if target.id not in (scope.events, scope.mixture, *scope.numbers, *loops):
            return False
        role = "loop variable" if target.id in loops else "parameter"
        self.findings.add("L020", target, name=target.id, role=role)
        return True


def _apart(targets: list[ast.expr], values: list[ast.expr]) -> bool:
    """Whether ``a, b = p, q`` is ``a = p`` and then ``b = q``: no value has one of the names."""
    set_ = {t.id for t in targets if isinstance(t, ast.Name)}
    read = {n.id for v in values for n in ast.walk(v) if isinstance(n, ast.Name)}
    return len(set_) == len(targets) == len(values) and not set_ & read


def _without(id: str, sum_: ast.expr) -> ast.expr | None:
    """What a sum adds to the name *id*, which is its first or last term."""
    match sum_:
        case ast.BinOp(ast.Name(left), ast.Add(), added) if left == id:
            return added
        case ast.BinOp(added, ast.Add(), ast.Name(right)) if right == id:
            return added
        case ast.BinOp(left, ast.Add() | ast.Sub() as op, right):
            if (rest := _without(id, left)) is not None:
                return ast.copy_location(ast.BinOp(rest, op, right), sum_)
    return None


def _as_load(target: ast.expr) -> ast.expr:
    match target:
        case ast.Name(id):
            return ast.copy_location(ast.Name(id, ast.Load()), target)
        case ast.Subscript(value, index):
            return ast.copy_location(ast.Subscript(value, index, ast.Load()), target)
        case _:
            return target
