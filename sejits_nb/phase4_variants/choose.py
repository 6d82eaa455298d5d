"""Choose: one of several ways of doing the work, and the numbers that the code calls by a name.

    BLOCK = 64                                BLOCK = 128
    when strategy = fused             ->      one()                 strategy=fused, BLOCK=128
      one()
    when strategy = separate
      two()

The lowering writes every way that a domain knows, each under the knob that asks for it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from ..ir.dast import Statement
from ..ir.past import For, Function, If, Team, Unit, When
from ..stages import Config


def choose(unit: Unit, config: Config) -> Unit:
    """*unit* as *config* has it, which knows every knob that is asked for; the same object where
    nothing is left to choose."""
    constants = tuple(
        (name, int(config.get(name.lower(), value))) for name, value in unit.constants
    )
    routines = tuple(r for r in unit.routines if r.only is None or config[r.only[0]] in r.only[1])
    body = tuple(_chosen(unit.function.body, config))
    if body == unit.function.body and constants == unit.constants and routines == unit.routines:
        return unit
    function: Function = dataclasses.replace(unit.function, body=body)
    return dataclasses.replace(unit, function=function, constants=constants, routines=routines)


def _chosen(body: tuple[Statement, ...], config: Config) -> Iterator[Statement]:
    for s in body:
        match s:
            case When(knob, values, inner):
                if config[knob] in values:
                    yield from _chosen(inner, config)
            case For() | If() | Team():
                yield dataclasses.replace(s, body=tuple(_chosen(s.body, config)))
            case _:
                yield s
