"""What only the mixture language has in expressions: values of the mixture, densities, sums.

    d = x[n] - mix.mean[k]
    d @ inverse(mix.covariance[k]) @ d        ->   Mahalanobis(mean[k], covariance[k])

An event's own coordinates are read, but all that may be left of them is a squared distance.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...ir.dtypes import PY_FLOAT, PY_INT, of_value
from ...ir.expr import Binary, Const, Expr, Name
from ...ir.node import Span, walk
from ...phase1_frontend.diagnose import Findings
from ...phase1_frontend.subset import bare_name, dotted_name
from ...stages import Captured
from .dast import (
    Array,
    Average,
    Count,
    Dimension,
    Event,
    Eye,
    Kind,
    Kinded,
    LogDet,
    LogNormal,
    Mahalanobis,
    Mean,
    Number,
    Outer,
    PairValue,
    Parameter,
    Responsibility,
    Scatter,
    Summed,
    Total,
)
from .scope import (
    AFTER,
    FUNCTIONS,
    PARAMETERS,
    PLACES,
    E,
    Inverse,
    M,
    Refused,
    Scope,
    Solved,
    index_form,
    roles,
    sound,
)
from .squares import Squares
from .stopping import PROGRESS, Progress


@dataclass(slots=True)
class FormReader:
    """The hook of an :class:`~...phase1_frontend.subset.ExpressionReader`."""

    scope: Scope
    findings: Findings
    captured: dict[str, Captured]
    read: Callable[[ast.expr], Expr] = field(init=False)
    squares: Squares = field(init=False)

    def __post_init__(self) -> None:
        self.squares = Squares(self.scope, self._refuse)

    def domain(self, e: ast.expr) -> Expr | None:
        """The expression *e* where the language has a form of its own for it."""
        events, mixture = self.scope.events, self.scope.mixture
        at = self.findings.span(e)
        match e:
            case ast.Name(id):
                return self._name(e, id)
            case ast.Attribute(ast.Name(id), "dimension") if id == events:
                return Dimension(loc=at)
            case ast.Attribute(value, "T"):
                vector = self.read(value)
                return vector if self.scope.kind(vector) == "vector" else None
            case ast.Attribute(ast.Name(id), name) if id == mixture and name in PROGRESS:
                if self.scope.step == AFTER and self.scope.stops:
                    return Progress(name, loc=at)
                return self._refuse("G034", e, mix=mixture, field=name, x=events)
            case ast.Attribute(ast.Name(id), name) if id in (events, mixture):
                return self._odd(e, f"{id}.{name}", self._form(id, name))
            case ast.Attribute() if isinstance(self.captured.get(dotted_name(e) or ""), tuple):
                return self._array(e, dotted_name(e) or "")
            case ast.Subscript(ast.Name(id), index) if id == events:
                if index_form(self.scope, index) == "n":
                    return Event(kind="vector", loc=at)
                return self._odd(e, id, self._form(id, ""))
            case ast.Subscript(ast.Attribute(ast.Name(id), name), index) if id == mixture:
                return self._field(e, name, index)
            case ast.Subscript(ast.Name(id), _) if self.scope.is_value(id):
                return self._refuse("L011", e, what="this subscript")
            case ast.BinOp(left, ast.MatMult(), right):
                return self.squares.product(at, self.read(left), self.read(right))
            case ast.Call(ast.Attribute(ast.Name(id), name)) if id in (events, mixture):
                return self._odd(e, f"{id}.{name}()", self._form(id, name))
            case ast.Call(ast.Name(id), args, keywords) if bare_name(id) in FUNCTIONS:
                return self._call(e, id, args, keywords)
            case ast.Call(ast.Attribute() as func, args, keywords) if name := self._numpys(func):
                return self._call(e, name, args, keywords)
            case ast.Call(ast.Attribute(of, "sum" | "mean" as name), [], []):
                if self.scope.kind(self.read(of)) in ("vector", "column"):
                    return self._call(e, name, [of], [])
        return None

    def _numpys(self, func: ast.Attribute) -> str:
        """The language's function that ``np.mean`` is the same as, or nothing."""
        value = self.captured.get(dotted_name(func) or "")
        origin, _, name = value.partition(".") if isinstance(value, str) else ("", "", "")
        same = name in ("sum", "mean") or self.scope.square == "matrix"
        return name if origin == "numpy" and name in FUNCTIONS and same else ""

    def _refuse(self, code: str, at: ast.AST | Span, **values: object) -> Expr:
        self.findings.add(code, at, **values)
        span = at if isinstance(at, Span) else self.findings.span(at)
        return Refused(loc=span)

    def _odd(self, e: ast.expr, what: str, form: str) -> Expr:
        return self._refuse("G013", e, what=what, form=form)

    def _form(self, owner: str, name: str) -> str:
        """How something of the events or the mixture is read here."""
        n, k = self.scope.event or "n", self.scope.component or "k"
        if owner == self.scope.events:
            return f"{owner}[{n}], {owner}.dimension, len({owner})"
        if name in PARAMETERS:
            return f"{owner}.{name}[{k}]"
        if name == "converged":
            return f"{owner}.converged = ..., once, after the M-step"
        if name == "components":
            return f"for {k} in {owner}.components():, or len({owner}.components())"
        if self.scope.step == E and name != "responsibility":
            return f"{owner}.{name}[{n}, {k}]"
        return f"{owner}.{name}[:, {k}], in the M-step"

    def _name(self, e: ast.Name, id: str) -> Expr | None:
        scope, at = self.scope, self.findings.span(e)
        if id in (scope.events, scope.mixture, scope.event, scope.component):
            return self._refuse("G027", e, name=id, **roles(scope)[id])
        if id in scope.numbers:
            return Number(id, loc=at)
        if id in scope.known:
            if scope.step == E and any(isinstance(n, Count) for n in walk(scope.known[id])):
                return self._refuse("G028", e)
            return scope.known[id]
        if id in scope.names:
            return Name(scope.names[id], loc=at)
        if id in scope.sums:
            return self._refuse("G022", e, name=id, label="read in the loop")
        if id in scope.assigned:
            return self._refuse("L019", e, name=id)
        value, bare = self.captured.get(id), bare_name(id)
        if value is None and bare == "eye":
            return Eye(kind=scope.square, loc=at)
        if value is None and bare == "pi":
            return Const(math.pi, dtype=PY_FLOAT, loc=at)
        if isinstance(value, str) and bare in ("eye", "pi"):
            return self._hidden(e, id, value)
        return self._array(e, id) if isinstance(value, tuple) or value == "object:ndarray" else None

    def _hidden(self, e: ast.expr, id: str, value: object) -> Expr:
        kind, name = type(value).__name__, bare_name(id)
        if isinstance(value, str):
            kind = value.removeprefix("object:")
        hint = f"del {name}, or write the notebook's under another name"
        return self._refuse("G025", e, name=name, kind=kind, place="notebook", hint=hint)

    def _array(self, e: ast.expr, id: str) -> Expr:
        """A captured array as a constant of the DAST."""
        value: Any = self.captured[id]
        d = self.scope.dimension
        shape: tuple[int, ...] | None = None
        if isinstance(value, tuple) and value:
            rows = value if isinstance(value[0], tuple) else (value,)
            if len({len(r) if isinstance(r, tuple) else -1 for r in rows}) == 1:
                flat = [v for row in rows for v in row]
                if flat and not any(isinstance(v, tuple) or of_value(v) is None for v in flat):
                    shape = (len(rows),) * (rows is value) + (len(rows[0]),)
        wanted = ((d,), (d, d)) if d is not None else (shape,)
        if shape is None or shape not in wanted:
            got = "not such a table" if shape is None else f"[{', '.join(map(str, shape))}]"
            return self._refuse("G021", e, name=bare_name(id), got=got, dimension=d or "D")
        kind: Kind = "vector" if len(shape) == 1 else "matrix"
        return Array(
            bare_name(id), tuple(map(float, flat)), kind=kind, loc=self.findings.span(e)
        )  # fmt: skip

    def _field(self, e: ast.Subscript, name: str, index: ast.expr) -> Expr:
        scope, at, form = self.scope, self.findings.span(e), index_form(self.scope, e.slice)
        if name in PARAMETERS and form == "k":
            kinds: dict[str, Kind] = {"mean": "vector", "covariance": scope.square}
            return Parameter(name, kind=kinds.get(name, "scalar"), loc=at)
        column = scope.step == M and form == ":, k"
        if name == "responsibility" and column:
            return Responsibility(kind="column", loc=at)
        right = column or (scope.step == E and form == "n, k")
        if right and name not in (*PARAMETERS, "responsibility", "components"):
            if name not in scope.stored:
                target = f"{scope.mixture}.{name}[{scope.event or 'n'}, {scope.component}]"
                hint = f"first, in the E-step: {target} = ..."
                return self._refuse("G012", e, mix=scope.mixture, field=name, hint=hint)
            return PairValue(name, kind="column" if column else "scalar", loc=at)
        return self._odd(e, f"{scope.mixture}.{name}", self._form(scope.mixture, name))

    # -- functions

    def _call(
        self, e: ast.Call, id: str, args: list[ast.expr], keywords: list[ast.keyword]
    ) -> Expr:
        name, at = bare_name(id), self.findings.span(e)
        steps, want, _ = FUNCTIONS[name]
        if id in (self.scope.events, self.scope.mixture, *self.scope.numbers):
            return self._refuse("G025", e.func, name=name, kind="a parameter", place="parameters",
                                hint="another name for the parameter")  # fmt: skip
        value = self.captured.get(id)
        same = (f"numpy.{name}", *["object:function"] * (name in ("sum", "len")))
        if value is not None and value not in same:
            return self._hidden(e.func, id, value)
        if self.scope.step not in steps:
            return self._refuse("G016", e.func, name=name, step=self.scope.step or "first lines",
                                **PLACES[name == "softmax", steps == (E,)])  # fmt: skip
        example = self._example(name)
        if keywords or len(args) != want or any(isinstance(a, ast.Starred) for a in args):
            got = "keywords" if keywords else f"{len(args)} given"
            counted = f"{want} argument{'s' if want > 1 else ''}"
            return self._refuse("G017", e, name=name, want=counted, example=example, got=got)
        if name == "len":
            return self._length(e, args[0], example)
        made: Callable[..., Expr] = getattr(self, f"_{name}")
        if name in ("average", "scatter"):
            match args[0]:
                case ast.Name(first) if first == self.scope.events:
                    return made(at, *args[1:])
            return self._first(args[0], name, f"the events, {self.scope.events}", example)
        if name in ("log_normal", "mahalanobis"):
            if not isinstance(self.read(args[0]), Event | Refused):
                want_event = f"the event, {self.scope.events}[{self.scope.event}]"
                return self._first(args[0], name, want_event, example)
            return made(at, *args[1:])
        return made(at, *args)

    def _first(self, at: ast.expr, name: str, want: str, example: str) -> Expr:
        return self._refuse("G017", at, name=name, want=f"{want}, first", example=example,
                            got="something else")  # fmt: skip

    def _argument(self, e: ast.expr, function: str, want: Kind, value: Expr | None = None) -> Expr:
        """An argument of the kind that *function* takes, unless its *value* has been read already."""
        value = self.read(e) if value is None else value
        got = self.scope.kind(value)
        if got != want and sound(value):
            return self._refuse("G017", e, name=function, want=f"a {want} here", got=f"a {got}",
                                example=self._example(function))  # fmt: skip
        return value

    def _example(self, function: str) -> str:
        scope = self.scope
        n, k = scope.event or "n", scope.component or "k"
        return FUNCTIONS[function][2].format(x=scope.events, mix=scope.mixture, n=n, k=k)

    def _of_component(self, e: ast.expr, function: str, want: Kind, role: str) -> Expr:
        value = self._argument(e, function, want)
        return value if self.scope.free(value) else self._refuse("G019", e, role=role)

    def _log_normal(self, at: Span, mean: ast.expr, covariance: ast.expr) -> Expr:
        m = self._of_component(mean, "log_normal", "vector", "mean")
        c = self._of_component(covariance, "log_normal", self.scope.square, "covariance")
        return LogNormal(m, c, loc=at)

    def _mahalanobis(self, at: Span, mean: ast.expr, covariance: ast.expr) -> Expr:
        m = self._of_component(mean, "mahalanobis", "vector", "mean")
        c = self._of_component(covariance, "mahalanobis", self.scope.square, "covariance")
        return Mahalanobis(m, c, loc=at)

    def _log_det(self, at: Span, covariance: ast.expr) -> Expr:
        return LogDet(
            self._of_component(covariance, "log_det", self.scope.square, "covariance"), loc=at
        )

    def _inverse(self, at: Span, covariance: ast.expr) -> Expr:
        c = self._of_component(covariance, "inverse", self.scope.square, "covariance")
        return Inverse(c, kind="matrix", loc=at)

    def _solve(self, at: Span, covariance: ast.expr, vector: ast.expr) -> Expr:
        c = self._of_component(covariance, "solve", self.scope.square, "covariance")
        return Solved(c, self._argument(vector, "solve", "vector"), kind="vector", loc=at)

    def _sum(self, at: Span, of: ast.expr) -> Expr:
        if self.scope.step == M and self.scope.kind(self.read(of)) != "vector":
            return Total(self._weights(of, "sum"), loc=at)
        value = self._argument(of, "sum", "vector")
        return self.squares.summed(at, value) if sound(value) else value

    def _trace(self, at: Span, of: ast.expr) -> Expr:
        value = self._argument(of, "trace", self.scope.square)
        if self.scope.kind(value) == "scalar":
            return Binary("*", Dimension(loc=at), value, loc=at)
        return Summed(value, loc=at)

    def _mean(self, at: Span, of: ast.expr) -> Expr:
        return Mean(self._weights(of, "mean"), loc=at)

    def _average(self, at: Span, weights: ast.expr) -> Expr:
        return Average(self._weights(weights, "average"), kind="vector", loc=at)

    def _scatter(self, at: Span, centre: ast.expr, weights: ast.expr) -> Expr:
        c = self._argument(centre, "scatter", "vector")
        return Scatter(c, self._weights(weights, "scatter"), kind=self.scope.square, loc=at)

    def _outer(self, at: Span, a: ast.expr, b: ast.expr) -> Expr:
        left, right = (self._argument(v, "outer", "vector") for v in (a, b))
        return Outer(left, right, kind=self.scope.square, loc=at)

    def _weights(self, e: ast.expr, function: str, value: Expr | None = None) -> Expr:
        """A column, made of what the E-step leaves and constants."""
        value = self._argument(e, function, "column", value)
        for n in walk(value):
            if isinstance(n, Name | Kinded) and not isinstance(
                n, PairValue | Responsibility | Number | Refused
            ):
                shown = n.id if isinstance(n, Name) else str(n)
                what = f"{shown}, which is the same for all events"
                example = "sum(c * r) is c * sum(r)"
                self.findings.add("G020", n.loc, what=what, example=example)
                break
        return value

    def _length(self, e: ast.Call, of: ast.expr, example: str) -> Expr:
        at, scope = self.findings.span(e), self.scope
        match of:
            case ast.Name(id) if id == scope.events:
                return Count(loc=at) if scope.step != E else self._refuse("G028", e)
            case ast.Call(ast.Attribute(ast.Name(id), "components"), [], []) if id == scope.mixture:
                return Const(scope.components or 1, dtype=PY_INT, loc=at)
        value = self.read(of)
        if scope.kind(value) == "vector" or not sound(value):
            return Dimension(loc=at)
        return self._refuse("G017", of, name="len", want="the events, or a vector",
                            example=example, got=f"a {scope.kind(value)}")  # fmt: skip
