"""A function whose nests are mapped to work-items -> kernels, one a nest, and how to launch them."""

from __future__ import annotations

import dataclasses

from ..ir import past
from ..ir.past import For, Literal
from ..stages import Launch

Kernel = tuple[past.Function, Launch]


def kernels(function: past.Function) -> tuple[Kernel, ...]:
    """The kernels of *function*, in the order in which they have to run.

    A nest that is not mapped, and a body that is not made of nests alone, is run by one work-item.
    """
    whole = all(isinstance(s, For) for s in function.body)
    bodies = [(s,) for s in function.body] if whole else [function.body]
    found = []
    for number, body in enumerate(bodies):
        name = function.name if number == 0 else f"{function.name}_{number}"
        found.append((dataclasses.replace(function, name=name, body=body), _launch(name, body)))
    return tuple(found)


def _launch(name: str, body: tuple[object, ...]) -> Launch:
    sizes: dict[int, tuple[int, int]] = {}
    while len(body) == 1 and isinstance(loop := body[0], For):
        if loop.work_item is not None:
            assert isinstance(loop.start, Literal) and isinstance(loop.stop, Literal)
            count = max(0, int(loop.stop.value) - int(loop.start.value))
            sizes[loop.work_item] = count, loop.group or 1
        body = loop.body
    ordered = [sizes[d] for d in sorted(sizes)] or [(1, 1)]
    return Launch(name, tuple(c for c, _ in ordered), tuple(g for _, g in ordered))
