"""The M-step's part of phase 3: parameters of every component from the sums over the events.

for k: weight[k] = moments[k] / moments[last]           <- mean(r)
       for i: mean[k, i] = ...                          <- average(x, r)
       for i: for j: covariance[k, i, j] = ...          <- scatter(x, m, r)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...ir.dast import Let, Statement
from ...ir.dtypes import F64, I64
from ...ir.past import Buffer, Literal, Ternary
from .build import index, loop, store
from .dast import Accumulate, Kind, MStep, StoreComponent, StoreShared
from .expressions import RANK, Elements
from .kinds import KIND_OF_COVARIANCE
from .stopping import Stop


def lower_mstep(
    mstep: MStep, elements: Elements, fresh: Callable[[str], str]
) -> Iterator[Statement]:
    """The M-step, component by component, then what follows from sums over all components."""
    lay = elements.layout
    for s in mstep.body:
        if isinstance(s, Accumulate) and s.name not in elements.names:
            kind = s.kind
            array, size = fresh(s.name), lay.dimension ** RANK[kind]
            yield Buffer(array, F64, size, loc=s.loc)
            zero = store(array, index("n"), Literal(0.0, dtype=F64), s.loc)
            yield loop("n", size, zero, loc=s.loc)
            elements.names[s.name] = Literal(0), array, kind
    yield loop("k", lay.components, *updates(elements, mstep.body), loc=mstep.loc)
    yield from updates(elements, mstep.after)


def stopped(stop: Stop, elements: Elements) -> Iterator[Statement]:
    """The answer of the stopping rule."""
    condition = yield from elements.summed(stop.condition, stop.loc)
    answer = Ternary(elements.element(condition, ()), Literal(1), Literal(0), dtype=I64)
    yield store("converged", Literal(0), answer, stop.loc)


def updates(elements: Elements, body: tuple[Statement, ...]) -> Iterator[Statement]:
    """The statements of *body* for component ``k``, or after the last one."""
    for s in body:
        match s:
            case Let(name, value) if elements.kind(value) != "column":
                yield from elements.let(name, value, s.loc or value.loc)
            case Accumulate(name, value):
                base, array, kind = elements.names[name]
                yield from elements.stored(value, kind, array, base, s.loc, add=True)
            case StoreComponent(field, value):
                own: dict[str, Kind] = {"weight": "scalar", "mean": "vector"}
                kind = own.get(field) or KIND_OF_COVARIANCE[elements.layout.covariance]
                yield from elements.stored(value, kind, field, elements.base(field), s.loc)
            case StoreShared(value):
                yield from elements.stored(value, "matrix", "covariance", Literal(0), s.loc)
