"""The benchmarks on tiny grids: everybody computes the same, and the result has what tables need."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import record_lookup, report
from benchmarks.cases import CASES, Case, chosen, parsed
from benchmarks.figure import draw
from benchmarks.hand.sweeps import ENTRIES, all_settings, unfit
from benchmarks.kernels import OURS, SCALARS
from benchmarks.peers import numpy_slices, scipy_ndimage
from benchmarks.rounds import LEAST_ROUNDS, Rounds, in_turn
from benchmarks.sweep import compare, measure
from sejits_nb.tune.records import choice

KERNELS = tuple(OURS)


def _plain(case: Case) -> tuple[tuple[np.ndarray[Any, Any], ...], np.ndarray[Any, Any]]:
    grids = case.grids()
    out = np.zeros_like(grids[0])
    OURS[case.kernel].reference(*grids, out, *SCALARS[case.kernel])
    return grids, out


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("peer", [numpy_slices, scipy_ndimage])
def test_numpy_and_scipy_compute_our_sweeps(kernel: str, peer: Callable[..., Any]) -> None:
    case = Case(kernel, 7, "f32")
    grids, expected = _plain(case)
    out = np.zeros_like(expected)
    peer(kernel, grids, out)()
    compare(peer.__name__, out, expected)


@pytest.mark.parametrize("kernel", KERNELS)
def test_numba_computes_our_sweeps(kernel: str) -> None:
    pytest.importorskip("numba")
    from benchmarks.numba_peers import numba_loops

    grids, expected = _plain(Case(kernel, 7, "f32"))
    out = np.zeros_like(expected)
    call = numba_loops(kernel, grids, out)
    compiled: Any = call.func
    compiled.py_func(*call.args)  # the same loops, not compiled: that takes seconds each
    compare("Numba", out, expected)


@pytest.mark.parametrize("kernel", sorted(ENTRIES))
def test_c_by_hand_computes_our_sweeps_at_each_setting(kernel: str) -> None:
    shape = (9, 37, 24)  # planes and rows left over, whatever the step and the tile
    if reason := unfit(kernel, np.dtype("f8"), shape):
        pytest.skip(reason)
    grids = [
        np.random.default_rng(k).random(shape) for k in range(3 if kernel == "divergence" else 1)
    ]
    expected = np.zeros(shape)
    numpy_slices(kernel, grids, expected)()
    runs, out = all_settings(kernel, grids, SCALARS[kernel], threads=2)
    for setting, run in runs.items():
        out[...] = 0
        run()
        compare(f"{kernel} {setting}", out, expected)
        out[1:-1, 1:-1, 1:-1] = 0
        assert not out.any(), f"{setting} wrote to the rim"


def test_a_wrong_result_is_not_timed() -> None:
    _, expected = _plain(Case("jacobi", 9, "f64"))
    wrong = expected.copy()
    wrong[4, 4] *= 1 + 1e-12
    with pytest.raises(AssertionError, match="nobody differs from NumPy"):
        compare("nobody", wrong, expected)


def test_rounds_time_stream_first_and_then_each_in_turn() -> None:
    seen: list[str] = []
    found = in_turn(partial(seen.append, "stream"),
                    {name: partial(seen.append, name) for name in "ab"}, rounds=2)  # fmt: skip
    assert seen == 2 * (["stream"] * 3 + ["a"] * 3 + ["b"] * 3)
    assert {name: len(taken) for name, taken in found.samples_s.items()} == {"a": 2, "b": 2}


def test_ratios_are_those_of_one_round() -> None:
    found = Rounds((1.0, 2.0, 2.0), {"ours": (1.0, 2.0, 4.0), "slow": (10.0, 20.0)})
    assert found.share_of_stream("ours", 50, 100) == 0.5
    assert found.times("ours", "slow") == 10.0
    assert LEAST_ROUNDS >= 3


def test_a_measured_case_goes_to_file_table_and_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    monkeypatch.setattr("benchmarks.sweep.find_spec", lambda name: name == "scipy" or None)
    case = Case("laplacian", 24, "f64")
    result = measure(case, rounds=2, tune="none", stream_bytes=1 << 20)
    assert set(result["samples_s"]) >= {"ours", report.OWN_OUTPUT, "SciPy", "NumPy"}
    assert all(len(taken) == 2 for taken in result["samples_s"].values())
    assert "not installed" in result["missing"]["Numba"]
    path = report.save("smoke", "make bench CASES=smoke", {"cases": [result]})
    document = json.loads(path.read_text())
    assert document["versions"]["numpy"] == np.__version__
    assert parsed(document["cases"][0]["case"]) == case
    assert "laplacian-24-f64" in report.table(document)
    assert "no Numba: not installed" in report.table(document)
    assert "`make bench CASES=smoke`" in report.markdown(document)
    draw(document, path.with_suffix(".png"))
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_the_record_benchmark_remembers_what_it_looks_up() -> None:
    assert record_lookup.fill(kernels=2, sizes=2) == 4 * (record_lookup.VARIANTS + 1)
    platform, best = choice(record_lookup.subject(1, 241), ("openmp",)) or ("", None)
    assert platform == "openmp"
    assert best == record_lookup.race(record_lookup.subject(1, 242))


def test_cases_are_chosen_by_parts_of_their_names() -> None:
    assert chosen("") == CASES
    assert {case.kernel for case in chosen("laplacian,conv")} == {"laplacian", "conv3x3"}
    with pytest.raises(ValueError, match="no case has 'heat'"):
        chosen("heat")


def test_the_page_shows_the_file_that_it_names() -> None:
    """Figures in the documentation are never typed: they are those of a result."""
    (named,) = report.named_results(report.PAGE.read_text(encoding="utf-8"))
    document = json.loads(named.read_text(encoding="utf-8"))
    assert report.page_part() == report.markdown(document)
