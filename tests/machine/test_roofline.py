"""Placements by hand: roofs of round numbers, work that can be counted on the fingers."""

from __future__ import annotations

import dataclasses

import pytest

from sejits_nb.machine.roofline import levels, peak_of, place, threads_of
from sejits_nb.results import Bandwidth, Measurement, Peak, Roofs, Work
from sejits_nb.stages import Config

MIB, GB = 1 << 20, 10**9
LARGE = Work(points=50_000_000, flops_per_point=8, bytes_=800_000_000, written_bytes=400_000_000)
"""A copy with eight operations a point: 0.5 flop/byte, far past the caches."""


def test_a_sweep_at_half_of_the_stream_roof(roofs: Roofs) -> None:
    point = place(LARGE, 0.04, "f64", 1, roofs)
    assert point.intensity == 0.5
    assert point.bytes_per_s == pytest.approx(20e9)
    assert point.flops_per_s == pytest.approx(10e9)
    assert point.bytes_roof == pytest.approx(40e9)
    assert point.flops_roof == 50e9
    assert (point.level, point.bound) == ("DRAM", "memory")
    assert point.fraction == pytest.approx(0.5)
    assert point.words == "memory bound: 0.50 of the measured STREAM roof"
    assert not point.above
    assert "1 of 2 threads" in point.advice


def test_roofs_are_those_of_the_threads_and_the_type(roofs: Roofs) -> None:
    assert place(LARGE, 0.04, "f64", 2, roofs).fraction == pytest.approx(20 / 60)
    heavy = dataclasses.replace(LARGE, flops_per_point=160)  # 8e9 operations
    double, single = (place(heavy, 0.2, t, 1, roofs) for t in ("f64", "f32"))
    assert (double.bound, single.bound) == ("compute", "compute")
    assert double.fraction == pytest.approx(8 / 50 / 0.2)
    assert single.fraction == pytest.approx(8 / 100 / 0.2)
    assert double.words == "compute bound: 0.80 of the measured f64 peak"


def test_reading_alone_counts_where_little_is_written(roofs: Roofs) -> None:
    sums = dataclasses.replace(LARGE, written_bytes=8)
    assert place(sums, 0.02, "f64", 1, roofs).bytes_roof == pytest.approx(60e9)


@pytest.mark.parametrize(
    ("size", "threads", "level", "roof"),
    [(16_000, 1, "L1", 200), (600_000, 1, "L2", 100), (2 * MIB, 2, "L2", 200),
     (20 * MIB, 1, "L3", 80), (32 * MIB, 2, "L3", 160), (384 * MIB, 1, "DRAM", 40),
     (10_000 * MIB, 2, "DRAM", 60)],
)  # fmt: skip
def test_a_working_set_is_placed_under_the_memory_that_holds_it(
    roofs: Roofs, size: int, threads: int, level: str, roof: float
) -> None:
    point = place(Work(1, 1, size, size // 2), 1.0, "f64", threads, roofs)
    assert point.level == level
    assert point.bytes_roof / GB == pytest.approx(roof)


def test_between_the_last_cache_and_stream_seconds_are_interpolated(roofs: Roofs) -> None:
    # 32 MiB at 80 GB/s and 384 MiB at 40 GB/s; half way, 208 MiB take the mean of the two times
    seconds = (32 * MIB / 80e9 + 384 * MIB / 40e9) / 2
    point = place(Work(1, 1, 208 * MIB, 104 * MIB), seconds, "f64", 1, roofs)
    assert point.fraction == pytest.approx(1.0)
    assert 40e9 < point.bytes_roof < 80e9
    assert point.words == "memory bound: 1.00 of the measured STREAM roof, L3 keeping a part"


def test_a_point_above_its_roof_is_marked_and_noise_is_not(roofs: Roofs) -> None:
    least = 0.02
    assert not place(LARGE, least / 1.09, "f64", 1, roofs).above
    above = place(LARGE, least / 1.2, "f64", 1, roofs)
    assert above.above
    assert above.words.startswith("above its roof; memory bound: 1.20")
    assert "remeasure" in above.advice


def test_threads_between_one_and_all_get_no_more_than_their_share(roofs: Roofs) -> None:
    eight = Roofs(
        tuple(Bandwidth("DRAM", "copy", t, r, MIB) for t, r in ((1, 10e9), (8, 50e9))),
        (Peak("f64", 1, 5e9), Peak("f64", 8, 30e9)), 8, "", "",
    )  # fmt: skip
    assert [levels(eight, t)[0].bytes_per_s / GB for t in (1, 2, 4, 6, 8, 16)] == [
        10, 20, 40, 50, 50, 50
    ]  # fmt: skip
    assert [peak_of(eight, "f64", t) / GB for t in (1, 2, 4, 6, 8, 16)] == [5, 10, 20, 30, 30, 30]


def test_a_level_that_was_not_measured_is_passed_over(roofs: Roofs) -> None:
    rows = tuple(b for b in roofs.bandwidths if b.level != "L2" or b.threads == 1)
    holes = dataclasses.replace(roofs, bandwidths=rows)
    assert [b.level for b in levels(holes, 2)] == ["L1", "L3", "DRAM"]
    assert place(Work(1, 1, 2 * MIB, MIB), 1.0, "f64", 2, holes).level == "L3"


def test_the_threads_of_a_variant(roofs: Roofs) -> None:
    def of(platform: str, *items: tuple[str, int]) -> int:
        return threads_of(Measurement(Config(items), platform, "correct"), roofs)

    assert of("openmp", ("threads", 1), ("tile", 4)) == 1
    assert of("c") == 1
    assert of("opencl", ("group", 64)) == 2


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("inf"), float("nan")])
def test_no_time_no_point(roofs: Roofs, seconds: float) -> None:
    with pytest.raises(ValueError, match="no point"):
        place(LARGE, seconds, "f64", 1, roofs)
    with pytest.raises(ValueError, match="no point"):
        place(Work(0, 0, 0), 1.0, "f64", 1, roofs)


def test_advice_names_what_to_try(roofs: Roofs) -> None:
    def advice(work: Work, fraction: float, dtype: str = "f64", threads: int = 2) -> str:
        seconds = place(work, 1.0, dtype, threads, roofs).fraction / fraction
        return place(work, seconds, dtype, threads, roofs).advice

    assert "only less traffic or float32" in advice(LARGE, 0.9)
    assert "float32" not in advice(LARGE, 0.9, "f32")
    assert "non-temporal" in advice(LARGE, 0.5)
    assert "stay in L3" in advice(Work(1, 1, 16 * MIB, MIB), 0.5)
    assert "call itself" in advice(Work(1, 1, 4096, 2048), 0.1, threads=1)
    heavy = dataclasses.replace(LARGE, flops_per_point=1000)
    assert "fewer operations" in advice(heavy, 0.9)
    assert "divisions" in advice(heavy, 0.3)
