"""A function whose nests are mapped to work-items -> kernels, one a nest, and how to launch them.

    rows: i64 = (count + 63)/64*64                  the host computes rows, and makes xs
    xs: f64[rows]  (on the heap)
    for n in [0, rows)  [work-item 0]        ->     kernel k       (count + 63)/64*64 work-items
    if steps & 2 != 0
      for k in [0, 16)  [work-item 0]               kernel k_1     16 work-items, when steps & 2 != 0

What stands beside nests is done on the host's side, before they are launched, from the scalar
parameters: a number there is an argument of the kernels, as an array is (PoCL turns loops inside out
only if their bounds are arguments).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..ir import past
from ..ir.dast import Statement
from ..ir.evaluate import evaluate
from ..ir.node import Node, rewrite, walk
from ..ir.past import Binary, Buffer, Declare, For, If, Literal, Param, PExpr, Variable
from ..stages import Artifact, HostArgument, Launch, Size

Kernel = tuple[past.Function, Launch]
Enqueued = tuple[str, tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""A kernel's name, its global and its local size, and the positions of its arguments."""


@dataclass
class Plan:
    """The kernels of a unit in the order in which they have to run, and what the host makes for them.

    A nest that is not mapped, and a body that is not made of nests alone, is run by one work-item.
    """

    unit: past.Unit
    kernels: list[Kernel] = field(default_factory=list)
    made: list[HostArgument] = field(default_factory=list)
    _params: list[Param] = field(default_factory=list)
    _known: dict[str, PExpr] = field(default_factory=dict)

    def __post_init__(self) -> None:
        function = self.unit.function
        self._known = {name: Literal(value) for name, value in self.unit.constants}
        if all(isinstance(s, For) for s in function.body):
            for s in function.body:
                self._add((s,), function.params)
        elif any(isinstance(n, For) and n.work_item is not None for n in walk(function)):
            self._params = list(function.params)
            self._visit(function.body, Literal(1))
        else:
            self._add(function.body, function.params)

    def _visit(self, body: tuple[Statement, ...], when: PExpr) -> None:
        for s in body:
            match s:
                case Declare(name, dtype, value):
                    self._known[name] = self._resolved(value)
                    self._make(Param(name, dtype, loc=s.loc), dtype.name, self._known[name])
                case Buffer(name, dtype, length, heap=True):
                    size: PExpr = Literal(length * dtype.size_bytes)
                    size = Binary("*", size, self._resolved(s.times)) if s.times else size
                    self._make(Param(name, dtype, True, const=False, loc=s.loc), "scratch", size)
                case If(test, inner):
                    test = self._resolved(test)
                    self._visit(inner, test if when == Literal(1) else Binary("&&", when, test))
                case _:
                    used = _names(s)
                    params = tuple(p for p in self._params if p.name in used)
                    self._add((s,), params, _number(when), tuple(p.name for p in params))

    def _make(self, param: Param, kind: str, value: PExpr) -> None:
        self._params.append(param)
        self.made.append(HostArgument(param.name, kind, _number(value)))

    def _add(
        self,
        body: tuple[Statement, ...],
        params: tuple[Param, ...],
        when: Size = 1,
        args: tuple[str, ...] = (),
    ) -> None:
        function = self.unit.function
        name = function.name if not self.kernels else f"{function.name}_{len(self.kernels)}"
        launch = Launch(name, *self._sizes(body), when, args)
        kernel = dataclasses.replace(function, name=name, params=params, body=body)
        self.kernels.append((kernel, launch))

    def _sizes(self, body: tuple[Statement, ...]) -> tuple[tuple[Size, ...], tuple[int, ...]]:
        """Work-items and those of a group, along each dimension."""
        items: dict[int, tuple[PExpr, int]] = {}
        groups: dict[int, PExpr] = {}
        for loop in _chain(body):
            stop = self._resolved(loop.stop)
            if loop.work_group is not None:
                groups[loop.work_group] = stop
            elif loop.work_item is not None:
                start = self._resolved(loop.start)
                count = stop if start == Literal(0) else Binary("-", stop, start)
                items[loop.work_item] = count, loop.group or 1
        if groups:
            inside = {d: evaluate(count, {}) for d, (count, _) in items.items()}
            items = {d: (Binary("*", count, Literal(inside.get(d, 1))), inside.get(d, 1))
                     for d, count in groups.items()}  # fmt: skip
        ordered = [items[d] for d in sorted(items)] or [(Literal(1), 1)]
        return tuple(_number(count) for count, _ in ordered), tuple(size for _, size in ordered)

    def _resolved(self, e: PExpr) -> PExpr:
        """*e* in terms of scalar parameters alone."""

        def rule(n: Node) -> Node | None:
            return self._known.get(n.name) if isinstance(n, Variable) else None

        return rewrite(e, rule)


def enqueued(
    artifact: Artifact, values: Mapping[str, Any]
) -> tuple[list[Enqueued], list[tuple[str, int]]]:
    """What to launch for these *values*, and the kind and value of each argument that the host makes;
    positions count the parameters first, and then those."""
    whole = [p for p in artifact.params if not p.pointer and p.dtype.kind in "iu"]
    scalars = {p.name: int(values[p.key]) for p in whole if p.key in values}
    names = [*(p.name for p in artifact.params), *(a.name for a in artifact.host_arguments)]
    everything = tuple(range(len(names)))
    found: list[Enqueued] = []
    for launch in artifact.launches:
        if evaluate(launch.when, scalars):
            sizes = tuple(max(0, evaluate(size, scalars)) for size in launch.global_size)
            args = tuple(names.index(name) for name in launch.args) or everything
            found.append((launch.entry, sizes, launch.local_size, args))
    return found, [(a.kind, evaluate(a.value, scalars)) for a in artifact.host_arguments]


def _chain(body: tuple[Statement, ...]) -> Iterator[For]:
    """The loops of a nest, outermost first, as far as one holds nothing but the next, and buffers."""
    while len(nests := [s for s in body if not isinstance(s, Buffer)]) == 1:
        if not isinstance(loop := nests[0], For):
            return
        yield loop
        body = loop.body


def _names(s: Statement) -> set[str]:
    """Every variable and array that *s* mentions, bounds aside that the launch knows."""

    def unbounded(n: Node) -> Node | None:
        if isinstance(n, For) and (n.work_item, n.work_group) != (None, None):
            return dataclasses.replace(n, stop=Literal(0))
        return None

    nodes = list(walk(rewrite(s, unbounded)))
    arrays = {n.array for n in nodes if isinstance(n, past.Load | past.Address | past.Store)}
    return arrays | {n.name for n in nodes if isinstance(n, Variable)}


def _number(e: PExpr) -> Size:
    """*e*, as a number if it is one already."""
    try:
        return evaluate(e, {})
    except KeyError:
        return e
