"""A pin is for the platforms that have the knob; a knob that none has is refused."""

# The kernel is written as users write them: without types.
# ruff: noqa: F821
# mypy: disable-error-code="no-untyped-def, name-defined"

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sejits_nb as sj
from sejits_nb import registry
from sejits_nb.contracts import Knob
from sejits_nb.errors import OptionError
from sejits_nb.tune.pins import pins_for

UNROLL = Knob("unroll", (1, 2, 4), 1, "rows a step")
TILE = Knob("tile", (0, 16), 0, "rows a block")
GROUP = Knob("group", (64, 256), 64, "work-items in a group")


def smooth(u, out):
    for x in out.interior_points():
        out[x] = u[x + (0, 1)] + u[x - (1, 0)]


def test_a_pin_of_another_platform_is_left_out() -> None:
    pins = (("group", 32), ("unroll", 3), ("tile", 0))
    assert pins_for(pins, (UNROLL, TILE), lambda: (GROUP, UNROLL)) == pins[1:]
    assert pins_for(pins, (GROUP,), lambda: (UNROLL, TILE)) == pins[:1]


def test_other_platforms_are_not_asked_without_need() -> None:
    assert pins_for((("tile", 7),), (TILE,), lambda: pytest.fail("asked")) == (("tile", 7),)


@pytest.mark.parametrize(
    ("pin", "said"),
    [
        (("unrol", 2), "did you mean 'unroll'"),
        (("grup", 2), "did you mean 'group'"),
        (("unroll", 0), "knob unroll cannot be 0"),
        (("group", -1), "knob group cannot be -1"),
    ],
)
def test_what_no_knob_can_be_is_refused(pin: tuple[str, int], said: str) -> None:
    with pytest.raises(OptionError, match=said) as caught:
        pins_for((pin,), (UNROLL,), lambda: (GROUP,))
    assert caught.value.code == "O002"


@pytest.mark.parametrize(
    ("backend", "pins", "platform", "kept"),
    [
        ("c", "unroll=2,group=64", None, {}),
        ("opencl", "unroll=2", None, {}),
        (("c", "opencl"), "unroll=2,group=64", "c", {"unroll": 2}),
        (("opencl", "c"), "unroll=2,group=64", "opencl", {"group": 64}),
        ("auto", "group=64", "openmp", {}),
        (("c", "opencl"), "unroll=2,colour=1", None, {}),
    ],
)
def test_with_several_platforms_each_takes_its_own(
    backend: Any, pins: str, platform: str | None, kept: dict[str, int]
) -> None:
    kernel = sj.stencil(smooth, backend=backend, set=pins, fallback=platform is None)
    u = np.random.default_rng(0).random((7, 9))
    if platform is None:
        with pytest.raises(OptionError, match="this kernel has no knob"):
            kernel(u)
        return
    assert registry.platform(platform).probe().usable
    np.testing.assert_array_equal(kernel(u), kernel.reference(u))
    used = kernel._last
    assert used.platform == platform
    assert kept.items() <= dict(used.config.items).items()


def em(x, mix):
    for n in x.events():
        for k in mix.components():
            mix.joint[n, k] = log_normal(x[n], mix.mean[k], mix.covariance[k])
        mix.responsibility[n] = softmax(mix.joint[n])
    for k in mix.components():
        mix.mean[k] = average(x, mix.responsibility[:, k])


@pytest.mark.needs("gcc", "opencl")
@pytest.mark.parametrize(
    ("backend", "pins", "platform"),
    [
        (("opencl", "c"), "strategy=cells,form=natural", "c"),
        (("c", "opencl"), "strategy=V3", "opencl"),
        (("c", "opencl"), "strategy=V4", None),
    ],
)
def test_a_platform_that_cannot_have_the_value_is_passed_over(
    backend: Any, pins: str, platform: str | None
) -> None:
    kernel = sj.gmm(em, backend=backend, set=pins, fallback=False)
    x = np.random.default_rng(0).random((70, 2))
    mix = sj.Mixture(2, 2, mean=x[:2])
    if platform is None:
        with pytest.raises(OptionError, match="strategy cannot be V4"):
            kernel(x, mix)
        return
    kernel(x, mix)
    assert kernel._last.platform == platform
    assert pins in str(kernel._last.config).replace(" ", ",")
