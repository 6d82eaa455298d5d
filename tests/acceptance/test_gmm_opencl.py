"""EM iterations on OpenCL: every published strategy against NumPy; parts, chunks and limits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sejits_nb import registry
from sejits_nb.errors import ArgumentError
from sejits_nb.ir.past import Unit
from sejits_nb.phase4_variants.space import configurations
from sejits_nb.phase5_backend import run_opencl
from sejits_nb.pipeline import Pipeline
from sejits_nb.platforms import opencl
from sejits_nb.specializers.gmm import SPECIALIZER, chunks
from sejits_nb.specializers.gmm.calls import signature_of
from sejits_nb.stages import Config

from .mixture_cells import CELLS, Array, Cell, D, iteration
from .test_gmm_language import data, kernel_of, mixture

pytestmark = pytest.mark.needs("opencl")
STRATEGIES = ("V1", "V2A", "V2B", "V3")
BY_NAME = {cell.name: cell for cell in CELLS}
QUICK = (
    ("normal", "V1", "f8"),
    ("diag", "V2A", "f4"),
    ("student", "V2B", "f8"),
    ("tied", "V3", "f8"),
)
"""Every strategy, covariance and dtype once, and a column that is no responsibility."""
EACH = [(cell.name, strategy, "f8") for cell in CELLS[:6] for strategy in STRATEGIES]
EACH += [(cell.name, STRATEGIES[n % 4], "f8") for n, cell in enumerate(CELLS[6:])]
EACH += [(cell.name, STRATEGIES[n % 4], "f4") for n, cell in enumerate(CELLS[:6])]
"""What the cells after the first six spell out is one of those: a strategy for each will do."""


def on_opencl(cell: Cell, strategy: str = "V2B", **keywords: Any) -> Any:
    options = {"tune": "none", "set": {"strategy": strategy}}
    return kernel_of(cell, backend="opencl", **options | keywords)


def parameters() -> list[Any]:
    slow = [pytest.param(*one, marks=pytest.mark.platforms) for one in EACH if one not in QUICK]
    return [*QUICK, *slow]


@pytest.mark.parametrize(("name", "strategy", "dtype"), parameters())
def test_an_iteration_is_what_numpy_gives(name: str, strategy: str, dtype: str) -> None:
    cell = BY_NAME[name]
    x, mix = data(dtype=dtype), mixture(cell.covariance)
    wanted = cell.update(x.astype(float), mix)
    kernel = on_opencl(cell, strategy)
    near = 1e-10 if dtype == "f8" else 1e-4
    assert kernel(x, mix) == pytest.approx(wanted[0], rel=near)
    for got, want in zip((mix.weight, mix.mean, mix.covariance), wanted[1:], strict=True):
        np.testing.assert_allclose(got, want, rtol=near, atol=near)
    assert kernel._last.platform == "opencl"


def test_whole_trainings_densities_and_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """All on one kernel, whose launches have as many work-items as a call has events."""
    ours, native = (kernel_of(CELLS[0], backend=b, tune="none", check="off")
                    for b in ("opencl", "c"))  # fmt: skip
    x = data(1000)
    for count in (1, 64, 65, 1000):
        assert_alike(ours, native, x[:count])
    one, other, pieces = (mixture("full") for _ in range(3))
    done = ours.train(x, one, max_iter=5, tol=0.0)
    wanted = native.train(x, other, max_iter=5, tol=0.0)
    np.testing.assert_allclose(done.log_likelihoods, wanted.log_likelihoods, rtol=1e-10)
    monkeypatch.setattr(chunks, "FEW", 1)
    in_chunks = ours.train([x[:10], x[10:700], x[700:]], pieces, max_iter=5, tol=0.0)
    np.testing.assert_allclose(in_chunks.log_likelihoods, wanted.log_likelihoods, rtol=1e-10)
    np.testing.assert_allclose(pieces.covariance, other.covariance, rtol=1e-8)
    for got, want in zip(ours.evaluate(x, one), native.evaluate(x, other), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-8, atol=1e-12)
    broken = mixture("full")
    broken.covariance[2] *= -1.0
    before = broken.copy()
    with pytest.raises(ArgumentError, match="component 2 is not positive"):
        ours(x, broken)
    for name, array in broken.arrays().items():
        np.testing.assert_array_equal(array, before.arrays()[name])
    for host in run_opencl._hosts.values():  # as on a device with memory of its own
        monkeypatch.setattr(host, "in_place", False)
    assert_alike(ours, native, x)


def assert_alike(ours: Any, native: Any, x: Array) -> None:
    one, other = mixture("full"), mixture("full")
    assert ours(x, one) == pytest.approx(native(x, other), rel=1e-11)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-8, atol=1e-12)


@pytest.mark.platforms
def test_an_export_says_what_to_make_and_to_launch(tmp_path: Path) -> None:
    kernel = on_opencl(CELLS[0])
    kernel(data(), mixture("full"))
    kernel.export(tmp_path)
    told = (tmp_path / "README.md").read_text().splitlines()
    assert "- `origin`: an array of 24 bytes" in told
    assert any(row.startswith("- `xs`: an array of 32*(((count + 64 - 1)") for row in told)
    last = "- `speech_kernel_5`: global size (4), local size (1), if (steps & 2) != 0"
    assert last in told


def space_of(monkeypatch: pytest.MonkeyPatch, most_items: int, local_bytes: int) -> Any:
    """The variants of the first cell on a device with these limits."""
    monkeypatch.setattr(opencl, "limits", lambda device: (most_items, local_bytes))
    kernel = kernel_of(CELLS[0])
    values = kernel._bind((data(), mixture("full")), {}).values
    pipeline = Pipeline(SPECIALIZER, registry.platform("opencl"))
    return pipeline.space(pipeline.front(kernel._source, signature_of(kernel.interface, values)), 2)


def config(strategy: str, group: int = 64, blocks: int = 32) -> Config:
    return Config((("strategy", strategy), ("blocks", blocks), ("group", group)))


def test_a_device_with_little_memory_has_fewer_variants(monkeypatch: pytest.MonkeyPatch) -> None:
    """V3 needs a sum for each of the 4 components and each item of a group, V1 one for each item."""
    space = space_of(monkeypatch, 128, 1024)
    assert space.why_not(config("V3")) == (
        "2048 bytes of memory for each work-group: the device has 1024 bytes"
    )
    assert space.allowed(config("V3", group=32))
    assert space.allowed(config("V1", group=128))
    assert space.why_not(config("V1", group=256)) == (
        "work-groups of 256 items: the device has at most 128"
    )
    assert space.why_not(config("V1", blocks=128)) == "only V2B takes the events in blocks"


def test_the_space_is_that_of_the_four_strategies(monkeypatch: pytest.MonkeyPatch) -> None:
    found = list(configurations(space_of(monkeypatch, 1024, 1 << 20)))
    count = {s: sum(c["strategy"] == s for c in found) for s in STRATEGIES}
    assert count == {"V1": 4, "V2A": 4, "V2B": 12, "V3": 4}
    assert str(found[0]) == "strategy=V2B blocks=32 group=64"


def test_every_line_knows_its_place_in_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    space = space_of(monkeypatch, 1024, 1 << 20)
    for strategy in STRATEGIES:
        unit: Unit = space.build(config(strategy)).past
        for line in registry.platform("opencl").emit(unit).lines:
            where = {"distance(": 5, "softmax(": 6, "weight[k] =": 9, "mean[k * 3 + i] =": 10}
            for text, row in where.items():
                if line.text.strip().startswith(text) or f"= {text}" in line.text:
                    assert line.loc is not None
                    assert line.loc.line == row, line.text


@pytest.mark.parametrize("backend", ["c", pytest.param("opencl", marks=pytest.mark.platforms)])
def test_captured_arrays_may_have_any_name(backend: str) -> None:
    """``origin``, ``left`` and ``sums`` are names of the generated code, too."""
    step = """
    for k in mix.components():
        r = mix.responsibility[:, k]
        mix.mean[k] = average(x, r) + origin + left
        mix.covariance[k] = scatter(x, mix.mean[k], r) + sums
"""
    names = {"origin": np.arange(float(D)), "left": np.ones(D), "sums": np.eye(D)}
    cell = replace(CELLS[0], text=iteration(m_step=step), names=names)
    ours, plain = mixture("full"), mixture("full")
    kernel = kernel_of(cell, backend=backend, tune="none")
    assert kernel(data(), ours) == pytest.approx(kernel.reference(data(), plain), rel=1e-11)
    np.testing.assert_allclose(ours.mean, plain.mean, rtol=1e-10)


def test_float32_events_far_from_the_origin_keep_their_digits() -> None:
    x = (data(dtype="f8") + 1000.0).astype("f4")
    ours, plain = (mixture("full") for _ in range(2))
    for mix in (ours, plain):
        mix.mean = mix.mean + 1000.0
    kernel = on_opencl(BY_NAME["normal"])
    assert kernel(x, ours) == pytest.approx(kernel.reference(x, plain), rel=1e-6)
    np.testing.assert_allclose(ours.covariance, plain.covariance, rtol=1e-4, atol=1e-4)
