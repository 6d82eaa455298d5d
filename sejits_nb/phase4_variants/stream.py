"""Streaming: the innermost loop by cache lines of results, which go to memory past the caches.

    for k in [1, 255)  [simd]          first = min(255, 1 + gap(&out[i*256 + 1]))
      out[i*256 + k] = ...             last = first + ((255 - first) & -8)
                               ->      for k in [1, first)           (up to a line's start, as it was)
                                       for k in [first, last) step 8
                                         line: f64[8]
                                         for lane in [0, 8)  [simd]
                                           line[lane] = ...
                                         stream(&out[i*256 + k], line)
                                       for k in [last, 255)          (what fills no line)

Only for loops that are independent, whose stores move by one element an iteration.  The fence after
the nest orders the streamed lines before everything that follows.
"""

from __future__ import annotations

import dataclasses

from ..ir.dast import Statement
from ..ir.dtypes import I64
from ..ir.node import Node, rewrite
from ..ir.past import (
    Address,
    Binary,
    Buffer,
    CallC,
    Declare,
    Do,
    For,
    Literal,
    Store,
    Unit,
    Variable,
)
from .affine import linear_form
from .loops import fresh, substitute, trip_count

LINE_BYTES = 64
_LEAST_LINES = 4


def stream(unit: Unit) -> Unit:
    """*unit* with its long innermost loops streamed; itself if none can be."""
    names = {n: fresh(unit, n) for n in ("first", "last", "lane")}
    streamed = _Streamed(unit, names)
    body: list[Statement] = []
    for s in unit.function.body:
        new = streamed.nest(s) if isinstance(s, For) else s
        fence = Do(CallC("fence_f64", ()), loc=s.loc)
        body += (s,) if new is s else (new, fence)
    if not streamed.helpers:
        return unit
    function = dataclasses.replace(unit.function, body=tuple(body))
    helpers = {*unit.helpers, *streamed.helpers, "fence_f64", "min_i64"}
    return dataclasses.replace(unit, function=function, helpers=tuple(sorted(helpers)))


class _Streamed:
    """One unit's rewriting; ``helpers`` are those that the new loops call."""

    def __init__(self, unit: Unit, names: dict[str, str]) -> None:
        self.unit, self.names = unit, names
        self.kinds = {p.name: p.dtype for p in unit.function.params}
        self.helpers: set[str] = set()

    def nest(self, loop: For) -> For:
        if loop.simd:
            return loop  # a grid of one dimension has no rows
        body: list[Statement] = []
        for s in loop.body:
            if isinstance(s, For):
                body += self.row(s) if s.simd else (self.nest(s),)
            else:
                body.append(s)
        same = len(body) == len(loop.body) and all(
            a is b for a, b in zip(body, loop.body, strict=True)
        )
        return loop if same else dataclasses.replace(loop, body=tuple(body))

    def row(self, loop: For) -> tuple[Statement, ...]:
        """*loop* by lines; itself where that is not possible or not worth it."""
        stores = [s for s in loop.body if isinstance(s, Store)]
        kinds = self.kinds
        sizes = {kinds[s.array].numpy.itemsize for s in stores}
        forms = [linear_form(s.index) for s in stores]
        consecutive = all(f is not None and f[0].get(loop.var) == 1 for f in forms)
        lanes = LINE_BYTES // max(sizes, default=LINE_BYTES)
        long = (trip_count(loop) or 0) >= _LEAST_LINES * lanes
        if not (loop.independent and len(sizes) == 1 and consecutive and long):
            return (loop,)
        start, stop, var = loop.start, loop.stop, loop.var
        first, last = Variable(self.names["first"]), Variable(self.names["last"])
        dtype = kinds[stores[0].array].name
        self.helpers |= {f"gap_{dtype}", *(f"stream_{kinds[s.array].name}" for s in stores)}
        at = substitute(stores[0], var, start)
        assert isinstance(at, Store)
        gap = CallC(f"gap_{dtype}", (Address(at.array, at.index),))
        left = Binary("&", Binary("-", stop, first), Literal(-lanes))
        edge = dataclasses.replace(loop, simd=False)
        return (
            Declare(first.name, I64, CallC("min_i64", (stop, Binary("+", start, gap))),
                    loc=loop.loc),
            Declare(last.name, I64, Binary("+", first, left), loc=loop.loc),
            dataclasses.replace(edge, stop=first),
            For(var, first, last, self.lines(loop, lanes), step=lanes, axis=loop.axis,
                independent=True, loc=loop.loc),
            dataclasses.replace(edge, start=last),
        )  # fmt: skip

    def lines(self, loop: For, lanes: int) -> tuple[Statement, ...]:
        """One line of every store of *loop*: computed lane by lane, then streamed."""
        lane = Variable(self.names["lane"])
        moved = Binary("+", Variable(loop.var), lane)
        lines: list[Statement] = []
        inner: list[Statement] = []
        streams: list[Statement] = []
        for s in loop.body:
            there = rewrite(substitute(s, loop.var, moved), _flat)
            if isinstance(s, Store):
                assert isinstance(there, Store)
                dtype = self.kinds[s.array]
                line = fresh(self.unit, f"{s.array}_line") + (f"__{len(lines)}" if lines else "")
                lines.append(Buffer(line, dtype, lanes, loc=s.loc))
                there = dataclasses.replace(there, array=line, index=lane)
                ends = Address(s.array, s.index), Address(line, Literal(0))
                streams.append(Do(CallC(f"stream_{dtype.name}", ends), loc=s.loc))
            inner.append(there)
        computed = For(lane.name, Literal(0), Literal(lanes), tuple(inner), axis=loop.axis,
                       independent=True, simd=True, loc=loop.loc)  # fmt: skip
        return (*lines, computed, *streams)


def _flat(n: Node) -> Node | None:
    """``i*512 + (k + lane)`` as ``i*512 + k + lane``; indices only."""
    match n:
        case Binary("+", left, Binary("+", Variable() as a, Variable() as b)) if n.dtype == I64:
            return Binary("+", Binary("+", left, a), b)
        case _:
            return None


def is_streamed(loop: For) -> bool:
    """Whether *loop* runs by lines."""
    return any(isinstance(n, Buffer) for n in loop.body)
