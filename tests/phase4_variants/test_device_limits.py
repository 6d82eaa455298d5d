"""Device limits: what a device has no room for is left out of the space, with the reason."""

from __future__ import annotations

from sejits_nb.contracts import Knob
from sejits_nb.ir.dtypes import F64
from sejits_nb.ir.node import Span
from sejits_nb.ir.past import Buffer, For, Function, Literal, Unit, Variable
from sejits_nb.phase4_variants.choose import choose
from sejits_nb.phase4_variants.device_limits import misfit
from sejits_nb.phase4_variants.space import variant_space
from sejits_nb.stages import Config

HERE = Span(1, 0, 1, 5)
GROUP = Variable("group")


def unit() -> Unit:
    """Work-groups that share 16 numbers for each of their items."""
    item = For("item", Literal(0), GROUP, (), work_item=0, loc=HERE)
    sums = Buffer("sums", F64, 16, local=True, times=GROUP, loc=HERE)
    groups = For("k", Literal(0), Literal(3), (sums, item), work_group=0, loc=HERE)
    return Unit(Function("k", (), (groups,), loc=HERE), constants=(("group", 64),), loc=HERE)


def test_a_group_fits_in_every_respect() -> None:
    assert misfit(unit(), 64, 8192) == ""
    assert misfit(unit(), 32, 8192) == "work-groups of 64 items: the device has at most 32"
    assert misfit(unit(), 64, 8191) == (
        "8192 bytes of memory for each work-group: the device has 8191 bytes"
    )


def test_a_space_says_why_not() -> None:
    knobs = (Knob("group", (32, 64), 32, ""),)
    space = variant_space(unit(), knobs, (choose,), lambda past: misfit(past, 256, 4096))
    assert space.allowed(Config((("group", 32),)))
    assert "8192 bytes" in space.why_not(Config((("group", 64),)))
