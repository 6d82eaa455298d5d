"""The variant space: knobs, the combinations that make sense, and the transformations in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import product

from ..contracts import Knob, VariantSpace
from ..ir.past import Unit
from ..stages import Config, Variant

Transformation = Callable[[Unit, Config], Unit]


def variant_space(
    unit: Unit,
    knobs: tuple[Knob, ...],
    transformations: tuple[Transformation, ...],
    misfit: Callable[[Unit], str] = lambda unit: "",
) -> VariantSpace:
    """The space over *knobs*; a configuration that repeats another one's code is not allowed: the one
    that was asked for first is.  Nor is one that is a *misfit*: why the device cannot run its code.

    ``build`` is pure: the same configuration gives the same PAST.
    """

    def build(config: Config) -> Variant:
        past = unit
        for transform in transformations:
            past = transform(past, config)
        return Variant(config, past)

    seen: dict[Unit, Config] = {}
    constraints = [c for knob in knobs for c in knob.constraints]

    @cache
    def why_not(config: Config) -> str:
        values = dict(config.items)
        broken = next((c.why for c in constraints if not c.holds(values)), "")
        if broken:
            return broken
        past = build(config).past
        first = seen.setdefault(past, config)
        return misfit(past) if first == config else f"the same code as {first}"

    return VariantSpace(knobs, why_not, build)


def configurations(space: VariantSpace) -> Iterator[Config]:
    """Every allowed configuration, the default first, then in the order of the knobs' values."""
    space.allowed(space.default)  # it keeps its place whatever repeats it
    yield space.default
    for values in product(*(k.values for k in space.knobs)):
        config = Config(tuple((k.name, v) for k, v in zip(space.knobs, values, strict=True)))
        if config != space.default and space.allowed(config):
            yield config
