"""``kernel.iterate(...)``: many sweeps, the outputs of one fed into the inputs of the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import cycle, islice
from typing import Any

import numpy as np

from ...contracts import BoundCall, Interface
from ...errors import ArgumentError, Diagnostic, did_you_mean
from ...machine.placement import copy_of

Bind = Callable[[tuple[Any, ...], Mapping[str, Any]], BoundCall]
Prepare = Callable[[Mapping[str, Any]], Callable[[], None]]


def iterate(
    interface: Interface,
    prepare: Prepare,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    bind: Bind,
    steps: int,
    feed: Mapping[str, str] | None = None,
) -> Any:
    """*steps* sweeps from the given inputs, which are left untouched; returns the last output(s).

    After each sweep output *i* becomes input *i*; ``feed`` says otherwise, from -> to:
    ``{"u_new": "u", "u": "u_old"}`` rotates three time levels.  Every buffer starts as a copy of the
    input that it feeds, so that a ghost zone keeps its values.
    ``bind`` binds the arguments of a call, ``prepare`` makes a call without arguments of bound values.
    Raises :class:`ArgumentError` (A008).
    """
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 0:
        raise _error(f"steps is {steps!r}, not a whole number of sweeps", "steps=100")
    values = dict(bind(args, kwargs).values)
    links = _links(interface, feed)
    for source, target in links.items():
        if values[source].dtype != values[target].dtype:
            raise _error(f"{source!r} is {values[source].dtype}, {target!r} is "
                         f"{values[target].dtype}", "pass grids of one dtype")  # fmt: skip
    for target in {*links.values()}:
        values[target] = values[target].copy(order="K")
    for number, output in enumerate(interface.outputs):
        values[output] = copy_of(values[links[output]], number)
    states = [values]
    while len(states) <= steps:
        after = _rotated(states[-1], links)
        if all(after[name] is values[name] for name in interface.grids):
            break  # the buffers stand as they stood at first
        states.append(after)
    calls = [prepare(state) for state in states[:steps]]
    for call in islice(cycle(calls), steps):
        call()
    last = states[steps % len(states)]
    results = tuple(last[links[output]] for output in interface.outputs)
    return results[0] if len(results) == 1 else results


def _rotated(values: Mapping[str, Any], links: Mapping[str, str]) -> dict[str, Any]:
    """Every target takes its source's buffer; a source that is no target takes what became free."""
    after = dict(values)
    free = [values[target] for target in links.values() if target not in links]
    for source, target in links.items():
        after[target] = values[source]
    for source in links:
        if source not in links.values():
            after[source] = free.pop(0)
    return after


def _links(interface: Interface, feed: Mapping[str, str] | None) -> dict[str, str]:
    inputs = [g for g in interface.grids if g not in interface.outputs]
    if feed is None:
        if len(inputs) < len(interface.outputs):
            raise _error(
                f"{len(interface.outputs)} outputs cannot feed {len(inputs)} input grids",
                "write the kernel with one input grid for each output",
            )
        return dict(zip(interface.outputs, inputs, strict=False))
    if not isinstance(feed, Mapping):
        raise _error(f"feed is a {type(feed).__name__}", "feed={output: input, ...}")
    for name in (*feed, *feed.values()):
        if name not in interface.grids:
            raise _error(f"feed names {name!r}: {did_you_mean(name, interface.grids)}",
                         "feed={output: input, ...}")  # fmt: skip
    wrong = [t for t in feed.values() if t in interface.outputs]
    unfed = [o for o in interface.outputs if o not in feed]
    if wrong or unfed or len(set(feed.values())) < len(feed):
        what = f"{wrong[0]!r} is an output" if wrong else (
            f"output {unfed[0]!r} is not fed" if unfed else "two grids feed one input")  # fmt: skip
        raise _error(f"feed cannot be followed: {what}", "feed={output: input, ...}")
    return dict(feed)


def _error(message: str, try_: str) -> ArgumentError:
    why = "after each sweep every output becomes an input of the next"
    return ArgumentError(Diagnostic("A008", message, why, try_))
