"""One EM iteration through the phases: its optimised DAST, PAST and C as files to read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sejits_nb.contracts import Platform
from sejits_nb.ir.dast import listing
from sejits_nb.ir.dtypes import F32, F64, DType
from sejits_nb.pipeline import Pipeline
from sejits_nb.platforms.c_openmp import OPENMP
from sejits_nb.platforms.opencl import OPENCL
from sejits_nb.specializers.gmm import SPECIALIZER
from sejits_nb.specializers.gmm.calls import interface_of, native_values, signature_of
from sejits_nb.specializers.gmm.interface import E_STEP, M_STEP
from sejits_nb.specializers.gmm.samples import started, three_clusters
from sejits_nb.stages import Config, KernelSource, Trace

NORMAL = """\
%%gmm speech --components 3
def speech(x, mix):
    for n in x.events():
        for k in mix.components():
            mix.joint[n, k] = log(mix.weight[k]) + log_normal(x[n], mix.mean[k], mix.covariance[k])
        mix.responsibility[n] = softmax(mix.joint[n])
    for k in mix.components():
        r = mix.responsibility[:, k]
        mix.weight[k] = mean(r)
        mix.mean[k] = average(x, r)
        mix.covariance[k] = scatter(x, mix.mean[k], r) + 1e-6 * eye
"""
STUDENT = """\
%%gmm heavy --covariance diag
def heavy(x, mix):
    for n in x.events():
        for k in mix.components():
            far = mahalanobis(x[n], mix.mean[k], mix.covariance[k])
            mix.scale[n, k] = 6.0 / (4.0 + far)
            prior = log(mix.weight[k]) - 0.5 * log_det(mix.covariance[k])
            mix.joint[n, k] = prior - 3.0 * log(1.0 + far / 4.0)
        mix.responsibility[n] = softmax(mix.joint[n])
    for k in mix.components():
        r = mix.responsibility[:, k]
        u = r * mix.scale[:, k]
        mix.weight[k] = mean(r)
        mix.mean[k] = average(x, u)
        mix.covariance[k] = scatter(x, mix.mean[k], u) * sum(u) / sum(r)
"""
TIED = """\
%%gmm within --covariance tied
def within(x, mix):
    total = 0.0
    for n in x.events():
        for k in mix.components():
            far = mahalanobis(x[n], mix.mean[k], mix.covariance[k])
            mix.scale[n, k] = 6.0 / (4.0 + far)
            prior = log(mix.weight[k]) - 0.5 * log_det(mix.covariance[k])
            mix.joint[n, k] = prior - 3.0 * log(1.0 + far / 4.0)
        mix.responsibility[n] = softmax(mix.joint[n])
    for k in mix.components():
        r = mix.responsibility[:, k]
        u = r * mix.scale[:, k]
        mix.weight[k] = mean(r)
        mix.mean[k] = average(x, u)
        total = total + mean(r) * scatter(x, mix.mean[k], u) * sum(u) / sum(r)
    mix.covariance[:] = total
"""


def traced(
    cell: str, covariance: str, dtype: DType, platform: Platform = OPENMP, **chosen: str
) -> Trace:
    """The cell's way to code for two threads, for three clusters of the plane."""
    settings = (("components", 3), ("covariance", covariance))
    source = KernelSource(cell.split()[1], cell, "Cell In[1]", settings=settings)
    x = three_clusters(30).astype(dtype.numpy)
    arrays = started(x, 3, covariance).arrays()
    interface = interface_of(source)
    values = native_values(interface, x, arrays, E_STEP | M_STEP)
    pipeline = Pipeline(SPECIALIZER, platform)
    trace = pipeline.front(source, signature_of(interface, values))
    space = pipeline.space(trace, 2)
    config = Config(tuple((dict(space.default.items) | chosen).items()))
    trace, _ = pipeline.emit(pipeline.choose(trace, space, config))
    return trace


@pytest.mark.parametrize(
    ("name", "cell", "covariance", "dtype", "strategy", "form"),
    [
        ("normal", NORMAL, "full", F64, "fused", "cholesky"),
        ("student", STUDENT, "diag", F32, "components", "natural"),
        ("tied", TIED, "tied", F64, "fused", ""),
    ],
)
def test_phases(
    name: str, cell: str, covariance: str, dtype: DType, strategy: str, form: str,
    golden: Callable[[str, str], None],
) -> None:  # fmt: skip
    chosen = {"strategy": strategy} | ({"form": form} if form else {})
    trace = traced(cell, covariance, dtype, OPENMP, **chosen)
    optimised = "\n".join(line.text for line in listing(trace.last(2).tree))  # type: ignore[arg-type]
    past = "\n".join(line.text for line in trace.last(4).lines)
    code = trace.last(5).text
    start = code.index(f"void {trace.source.name}_kernel")
    golden(f"files/gmm-phases-{name}.txt", f"{cell}\n{optimised}\n\n{past}\n\n{code[start:]}\n")


@pytest.mark.parametrize("strategy", ["V1", "V2B"])
def test_opencl(strategy: str, golden: Callable[[str, str], None]) -> None:
    trace = traced(NORMAL, "full", F64, OPENCL, strategy=strategy)
    past = "\n".join(line.text for line in trace.last(4).lines)
    code = trace.last(5).text
    golden(f"files/gmm-opencl-{strategy}.txt", f"{past}\n\n{code[code.index('__kernel') :]}\n")


def test_every_executable_line_knows_its_place_in_the_cell() -> None:
    """The parts of the E-step come from the E-step's lines, and those of the M-step from its own."""
    trace = traced(NORMAL, "full", F64)
    lines = trace.last(5).lines
    spans = {line.text.strip(): line.loc for line in lines if line.loc}
    assert next(s for t, s in spans.items() if t.startswith("softmax(")).line == 6
    assert next(s for t, s in spans.items() if t.startswith("distance(")).line == 5
    assert next(s for t, s in spans.items() if t.startswith("weight[k] =")).line == 9
    assert next(s for t, s in spans.items() if t.startswith("mean[k * 2 + i]")).line == 10
