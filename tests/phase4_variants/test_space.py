"""The variant space: pure, the default first, no two configurations with the same code."""

from __future__ import annotations

from collections.abc import Callable

from sejits_nb.contracts import Knob
from sejits_nb.ir.past import Unit
from sejits_nb.phase4_variants.space import configurations, variant_space
from sejits_nb.platforms.c_openmp import OPENMP, SERIAL
from sejits_nb.specializers.stencil.knobs import knobs
from sejits_nb.stages import Config

Nest = Callable[..., Unit]


def names(unit: Unit, threads: int) -> list[str]:
    return [str(c) for c in configurations(OPENMP.space(unit, knobs(unit, threads)))]


def test_small_spaces_default_first(nest: Nest) -> None:
    assert names(nest(20), 2) == ["threads=1", "threads=2"]
    assert names(nest(10), 2) == ["threads=1 whole=1", "threads=1 whole=0", "threads=2 whole=0"]
    assert names(nest(10, 10), 1) == ["threads=1 unroll=1", "threads=1 unroll=2",
                                      "threads=1 unroll=4", "threads=1 unroll=8"]  # fmt: skip
    assert names(nest(40_000), 2) == ["threads=2", "threads=1"]


def test_configurations_that_repeat_another_s_code_are_left_out(nest: Nest) -> None:
    """Three rows cannot be unrolled by four, nor tiled by sixteen."""
    assert names(nest(3, 3, 3), 1) == ["threads=1 unroll=1 tile=0", "threads=1 unroll=2 tile=0"]
    assert names(nest(0, 3), 1) == ["threads=1 unroll=1"]
    assert names(nest(1, 1, 1), 8) == [
        "threads=1 unroll=1 tile=0 whole=1",
        "threads=1 unroll=1 tile=0 whole=0",
    ]


def test_every_combination_of_knobs_is_a_variant_of_its_own(nest: Nest) -> None:
    unit = nest(40, 100, 8)
    space = OPENMP.space(unit, knobs(unit, 2))
    found = list(configurations(space))
    assert len(found) == 2 * 3 * 4
    assert len({space.build(c).past for c in found}) == len(found)


def test_long_rows_of_large_grids_can_stream(nest: Nest) -> None:
    unit = nest(600, 64)
    found = [k.name for k in knobs(unit, 1)]
    assert found == ["threads", "unroll", "stream", "prefetch"]
    texts = names(unit, 1)
    assert "threads=1 unroll=1 stream=1 prefetch=256" in texts
    assert not [t for t in texts if "stream=0" in t and "prefetch=0" not in t]
    assert {k.name: k.default for k in knobs(unit, 1)} == dict.fromkeys(
        ("threads", "unroll"), 1
    ) | dict.fromkeys(("stream", "prefetch"), 0)


def test_grids_in_memory_stream_unless_told_otherwise(nest: Nest) -> None:
    defaults = {k.name: k.default for k in knobs(nest(256, 256, 256), 2)}
    assert defaults == {"threads": 2, "unroll": 2, "tile": 32, "stream": 1, "prefetch": 1}


def test_building_is_pure(nest: Nest) -> None:
    unit = nest(20, 20)
    space = OPENMP.space(unit, knobs(unit, 2))
    config = Config((("threads", 2), ("unroll", 4)))
    assert space.build(config) == space.build(config)
    assert space.build(config).config == config
    assert space.build(Config((("threads", 1), ("unroll", 1)))).past is unit


def test_the_serial_platform_has_one_thread(nest: Nest) -> None:
    unit = nest(300, 300)
    space = SERIAL.space(unit, knobs(unit, 8))
    assert {c["threads"] for c in configurations(space)} == {1}
    assert space.default["threads"] == 1


def test_a_transformation_reads_its_own_knob(nest: Nest) -> None:
    seen = []

    def spy(unit: Unit, config: Config) -> Unit:
        seen.append(str(config))
        return unit

    space = variant_space(nest(4), (Knob("a", (1, 2), 2, "doc"),), (spy, spy))
    assert [str(c) for c in configurations(space)] == ["a=2"]
    assert seen[:2] == ["a=2", "a=2"]
