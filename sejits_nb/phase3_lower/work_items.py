"""Loops -> work-items: the independent loops of each nest become dimensions of a launch.

    for i in [1, 511)                 for i in [1, 511)  [work-item 1]
      for j in [1, 511)  [simd]  ->     for j in [1, 511)  [work-item 0]
        out[i*512 + j] = ..               out[i*512 + j] = ..

The innermost loop is dimension 0, whose neighbors share a work-group.  A launch has at most three
dimensions: of a nest of four the outermost stays a loop.
"""

from __future__ import annotations

import dataclasses

from ..ir import past
from ..ir.dast import Statement
from ..ir.past import For, Literal

_MOST_DIMENSIONS = 3


def map_to_work_items(unit: past.Unit) -> past.Unit:
    """*unit* with a work-item for each iteration of its perfect, independent, constant loop nests.

    A function that does anything beside its nests is left to a single work-item.
    """
    body = unit.function.body
    if all(isinstance(s, For) for s in body):
        body = tuple(_mapped(s) for s in body)
    function = dataclasses.replace(unit.function, body=body)
    return dataclasses.replace(unit, function=function)


def _mapped(s: Statement) -> Statement:
    """A nest with its innermost loops as dimensions 0, 1, 2."""
    chain = []
    inner = s
    while isinstance(inner, For) and _constant(inner):
        chain.append(inner)
        inner = inner.body[0] if len(inner.body) == 1 else inner
        if inner is chain[-1]:
            break
    body = chain[-1].body if chain else ()
    for depth, loop in enumerate(reversed(chain)):
        dimension = depth if depth < _MOST_DIMENSIONS else None
        body = (dataclasses.replace(loop, body=body, simd=False, work_item=dimension),)
    return body[0] if chain else s


def _constant(loop: For) -> bool:
    known = isinstance(loop.start, Literal) and isinstance(loop.stop, Literal)
    return known and loop.independent and loop.step == 1
