"""What the bound object says of its measurements: times, variants, check, completeness, assembly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sejits_nb.errors import BackendError, WrongResult
from sejits_nb.kernel import SejitsWarning

from .conftest import MakeKernel, body

BLUR = body("acc = u[x]", "for y in u.neighbors(x, 1):\n    acc += u[y]", "out[x] = acc / 5.0")


def test_a_race_fills_the_measuring_half(make: MakeKernel) -> None:
    kernel, _ = make(BLUR, set={"threads": 1, "unroll": 1})
    assert (len(kernel.variants), kernel.timing, kernel.roof, kernel.complete) == (
        0,
        None,
        None,
        False,
    )
    u = np.random.default_rng(0).random((70, 80))
    report = kernel.tune(u, budget=0.05)
    assert kernel.complete
    assert kernel.variants.best is report.best
    assert {m.config for m in kernel.variants} == {m.config for m in report.measurements}
    assert kernel.timing.all_runs == report.best.times_s
    assert kernel.timing.best <= kernel.timing.median <= kernel.timing.worst
    assert kernel.timing.compile_time == kernel.build.seconds
    assert len(kernel.variants.to_records()) == len(report.measurements)


def test_complete_is_lost_with_a_layout_that_falls_back(make: MakeKernel) -> None:
    kernel, _ = make(BLUR, fallback=True)
    kernel(np.ones((6, 7)))
    assert kernel.complete
    other, _ = make("def k(u, out):\n    out[(1, 1)] = sorted(u)\n", fallback=True)
    with pytest.warns(SejitsWarning), pytest.raises(ValueError, match="ambiguous"):
        other(np.ones((6, 7)))
    assert not other.complete


def test_check_compares_every_element(make: MakeKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, _ = make(BLUR)
    assert kernel.check()  # the built-in sample
    u = np.asfortranarray(np.random.default_rng(0).random((30, 20)))
    kernel(u)
    known = len(kernel._ready)
    assert kernel.check(u)
    assert len(kernel._ready) == known  # the layout of the call, not of a copy

    def wrong(found: Any, values: dict[str, Any]) -> None:
        kernel._plain(values)
        values["out"][-2, -2] += 1e-6

    monkeypatch.setattr(kernel, "_run", wrong)
    with pytest.raises(WrongResult, match="W001"):
        kernel.check(u)


def test_assembly_is_linked_to_the_cell(make: MakeKernel) -> None:
    kernel, _ = make(BLUR, backend="c")
    view = kernel.assembly  # of the built-in sample
    rows = repr(view).splitlines()
    divide = [row for row in rows if "div" in row or "mul" in row]
    assert divide
    code = [row for row in repr(kernel.source).splitlines() if "/ 5.0" in row]
    assert {row.split()[0] for row in divide} <= {row.split()[0] for row in code}
    assert "k_kernel:" in str(view)
    assert "<table" in view._repr_html_()


@pytest.mark.parametrize("backend", ["python", pytest.param("opencl", marks=pytest.mark.platforms)])
def test_without_c_there_is_no_assembly(make: MakeKernel, backend: str) -> None:
    kernel, _ = make(BLUR, backend=backend)
    with pytest.raises(BackendError, match="B009"):
        kernel.assembly  # noqa: B018  # it is a property


def test_records_go_to_a_file(make: MakeKernel, tmp_path: Path) -> None:
    kernel, _ = make(BLUR, set={"threads": 1})
    kernel.measure(np.ones((9, 9)))
    kernel.variants.to_csv(tmp_path / "v.csv")
    assert (tmp_path / "v.csv").read_text().startswith("platform,")
