"""Pinned knobs (``set="unroll=4"``): which of them a platform has, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..contracts import Knob
from ..errors import Diagnostic, OptionError, did_you_mean
from ..stages import Value

Pins = tuple[tuple[str, Value], ...]


def pins_for(pins: Pins, own: Iterable[Knob], others: Callable[[], Iterable[Knob]]) -> Pins:
    """Those of *pins* that are for *own*, a platform's knobs for a kernel.

    *others* gives the knobs of the further platforms that would be taken: a pin of theirs is left out.
    Raises :class:`OptionError` (O002) for a knob that none has, or a value that it cannot have.
    """
    mine = {knob.name: knob for knob in own}
    known = dict(mine)
    if any(name not in mine for name, _ in pins):
        known |= {knob.name: knob for knob in others() if knob.name not in mine}
    for name, value in pins:
        if name not in known:
            raise OptionError(Diagnostic("O002", f"this kernel has no knob {name!r}",
                                         "knobs depend on the kernel and the platform",
                                         did_you_mean(name, known)))  # fmt: skip
        knob = known[name]
        if not _takes(knob, value):
            raise OptionError(Diagnostic("O002", f"knob {name} cannot be {value}", knob.doc,
                                         f"set='{name}={knob.default}'"))  # fmt: skip
    return tuple((name, value) for name, value in pins if name in mine)


def fit(pins: Pins, own: Iterable[Knob]) -> bool:
    """Whether a platform with the knobs *own* can have them as they are pinned."""
    mine = {knob.name: knob for knob in own}
    return all(_takes(mine[name], value) for name, value in pins if name in mine)


def _takes(knob: Knob, value: Value) -> bool:
    return value in knob.values or (_positive(value) and _positive(knob.default, 0))


def _positive(value: Value, least: int = 1) -> bool:
    """Whether it is a number that a knob of numbers may be pinned to, though it would not try it."""
    return isinstance(value, int) and value >= least
