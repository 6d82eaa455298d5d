"""The mixture language: every cell's DAST, and its plain and native runs against NumPy."""

# The language's functions need no import:
# ruff: noqa: F821
# mypy: disable-error-code="name-defined"

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

import sejits_nb as sj
from sejits_nb import registry
from sejits_nb.decorate import kernel_of_cell
from sejits_nb.errors import ArgumentError, GmmError, OptionError
from sejits_nb.pipeline import Pipeline
from sejits_nb.specializers.gmm import SPECIALIZER
from sejits_nb.specializers.gmm.calls import native_values, signature_of
from sejits_nb.specializers.gmm.interface import E_STEP, M_STEP, WRITE
from sejits_nb.specializers.gmm.mixture import Events, Mixture
from sejits_nb.specializers.gmm.samples import started, three_clusters
from sejits_nb.stages import Step
from sejits_nb.tune.prove import Prover

from .mixture_cells import CELLS, PRIOR, Array, Cell, D, iteration

each_cell = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
each_backend = pytest.mark.parametrize("backend", ["python", "c", "openmp"])


def kernel_of(cell: Cell, **keywords: Any) -> Any:
    """The kernel of a cell, at line 2 of ``Cell In[1]``."""
    options = {"covariance": cell.covariance, "fallback": keywords.get("backend") == "python"}
    names = dict(cell.names)
    return kernel_of_cell(f"%%gmm\n{cell.text}", "Cell In[1]", "speech", names.__getitem__, "gmm",
                          options | keywords)  # fmt: skip


def data(count: int = 200, dtype: Any = float) -> Array:
    generator = np.random.default_rng(1)
    return (generator.standard_normal((count, D)) + generator.integers(0, 3, (count, 1))).astype(
        dtype
    )


X = data(60)


def mixture(covariance: str, components: int = 4) -> Mixture:
    """Components that overlap, none of them alike."""
    generator = np.random.default_rng(2)
    mix = Mixture(components, D, covariance, mean=generator.standard_normal((components, D)))
    mix.weight = generator.dirichlet(np.full(components, 9.0))
    if covariance in ("full", "tied"):
        loose = 0.3 * generator.standard_normal(mix.covariance.shape)
        mix.covariance = np.eye(D) + loose @ np.swapaxes(loose, -1, -2)
    else:
        mix.covariance = generator.uniform(0.5, 2.0, mix.covariance.shape)
    return mix


# -- the DAST


def listing(step: Step) -> str:
    """The lines of a step beside their spans."""
    rows = [f"{line.loc!s:>16} | {line.text}" for line in step.lines]
    return "\n".join(rows) + "\n"


@each_cell
def test_dast(cell: Cell, golden: Callable[[str, str], None]) -> None:
    trace = kernel_of(cell)
    values = trace._bind((data(), mixture(cell.covariance)), {}).values
    signature = signature_of(trace.interface, values)
    pipeline = Pipeline(SPECIALIZER, registry.platform("c"))
    step = pipeline.parse(trace._source, signature).first(1)
    name = cell.name.replace(", ", "-").replace(" ", "-")
    golden(f"files/gmm-{name}.txt", f"%%gmm\n{cell.text}\n{listing(step)}")


def test_lines_of_a_helper_come_from_its_own_text() -> None:
    kernel = kernel_of(CELLS[-1])
    values = kernel._bind((data(), mixture("full")), {}).values
    tree: Any = SPECIALIZER.parse(kernel._source, signature_of(kernel.interface, values))
    distance = tree.estep.body[0].value
    assert str(distance) == "mahalanobis(x[n], mean[k], covariance[k])"
    assert (distance.loc.line, distance.loc.col) == (4, 8)


# -- one iteration


@each_cell
@each_backend
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_an_iteration_is_what_numpy_gives(cell: Cell, backend: str, dtype: str) -> None:
    x, mix = data(dtype=dtype), mixture(cell.covariance)
    wanted = cell.update(x.astype(float), mix)
    likelihood = kernel_of(cell, backend=backend)(x, mix)
    assert isinstance(likelihood, float)
    near = 1e-10 if dtype == "f8" or backend == "python" else 1e-4
    assert likelihood == pytest.approx(wanted[0], rel=near)
    for got, want in zip((mix.weight, mix.mean, mix.covariance), wanted[1:], strict=True):
        np.testing.assert_allclose(got, want, rtol=near, atol=near)


@each_backend
@pytest.mark.parametrize("covariance", ["full", "diag", "tied", "spherical"])
def test_an_iteration_is_scikit_learn_s(covariance: str, backend: str) -> None:
    cell = next(c for c in CELLS if c.covariance == covariance)
    x, mix = data(), mixture(covariance)
    precisions = 1.0 / mix.covariance if mix.covariance.ndim < 3 - (covariance == "tied") else (
        np.linalg.inv(mix.covariance))  # fmt: skip
    theirs = GaussianMixture(
        len(mix.weight), covariance_type=covariance, max_iter=1, reg_covar=1e-6,
        weights_init=mix.weight, means_init=mix.mean, precisions_init=precisions,
    )  # fmt: skip
    with pytest.warns(ConvergenceWarning):
        theirs.fit(x)
    likelihood = kernel_of(cell, backend=backend)(x, mix)
    assert likelihood / len(x) == pytest.approx(theirs.lower_bound_, rel=1e-12)
    np.testing.assert_allclose(mix.weight, theirs.weights_, rtol=1e-11)
    np.testing.assert_allclose(mix.mean, theirs.means_, rtol=1e-11)
    np.testing.assert_allclose(mix.covariance, theirs.covariances_, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("count", [1, 7, 63, 64, 65, 1000])
def test_any_number_of_events(count: int) -> None:
    x = data(count)
    ours, plain = mixture("full"), mixture("full")
    kernel = kernel_of(CELLS[0], backend="openmp")
    assert kernel(x, ours) == pytest.approx(kernel.reference(x, plain), rel=1e-11)
    np.testing.assert_allclose(ours.covariance, plain.covariance, rtol=1e-9, atol=1e-12)


def test_iterations_raise_the_likelihood() -> None:
    x = three_clusters()
    mix = started(x, 3, "full")
    kernel = kernel_of(CELLS[0])
    likelihoods = [kernel(x, mix) for _ in range(30)]
    assert np.all(np.diff(likelihoods) > -1e-4)
    centres = sorted(mix.mean.round().tolist())
    assert centres == [[-6.0, 3.0], [0.0, 0.0], [20.0, 20.0]]


def test_a_captured_prior_that_changes_makes_another_kernel() -> None:
    cell = CELLS[5]
    names = dict(PRIOR)
    kernel = kernel_of_cell(f"%%gmm\n{cell.text}", "Cell In[1]", "speech", names.__getitem__, "gmm",
                            {"fallback": False})  # fmt: skip
    first, second = mixture("full"), mixture("full")
    kernel(data(), first)
    names["m0"] = PRIOR["m0"] + 1.0
    kernel(data(), second)
    count = kernel_of(CELLS[0])
    total = mixture("full")
    count(data(), total)
    share = 0.7 / (200 * total.weight + 0.7)
    np.testing.assert_allclose(second.mean - first.mean, np.outer(share, np.ones(D)), rtol=1e-9)


@each_backend
def test_a_name_keeps_the_value_that_it_was_given(backend: str) -> None:
    """``old`` is the mean that the E-step met, also after the mean is set."""
    x, mix = data(), mixture("full")
    before = mix.copy()
    step = """
    for k in mix.components():
        r = mix.responsibility[:, k]
        old = mix.mean[k]
        mix.mean[k] = average(x, r)
        mix.mean[k] += old
        mix.covariance[k] = outer(old, old) + eye
"""
    kernel_of(replace(CELLS[0], text=iteration(m_step=step)), backend=backend)(x, mix)
    wanted = CELLS[0].update(x, before)[2]
    np.testing.assert_allclose(mix.mean, wanted + before.mean, rtol=1e-10)
    outer = before.mean[:, :, None] * before.mean[:, None, :]
    np.testing.assert_allclose(mix.covariance, outer + np.eye(D), rtol=1e-12)


def test_locals_may_be_assigned_again() -> None:
    density = """
d = x[n] - mix.mean[k]
q = d @ inverse(mix.covariance[k]) @ d
q = q + log_det(mix.covariance[k])
q += len(d) * log(2 * pi)
mix.joint[n, k] = -0.5 * q
mix.joint[n, k] = mix.joint[n, k] + log(mix.weight[k])
"""
    ours, plain, mix = (mixture("full") for _ in range(3))
    kernel = kernel_of(replace(CELLS[0], text=iteration(density)))
    wanted = CELLS[0].update(X, mix)[0]
    assert kernel(X, ours) == pytest.approx(wanted, rel=1e-12)
    assert kernel.reference(X, plain) == pytest.approx(wanted, rel=1e-12)


def test_a_choice_and_functions_of_numbers() -> None:
    density = """
q = mahalanobis(x[n], mix.mean[k], mix.covariance[k])
near = 0.5 * q if q < 2.0 and not q < 0.0 else sqrt(max(q, 1.0)) * abs(2.0 - 1.0)
mix.joint[n, k] = log(mix.weight[k]) - min(near, 50.0) - 0.5 * exp(log_det(mix.covariance[k])) ** 0.5
"""
    step = """
    for k in mix.components():
        r = mix.responsibility[:, k]
        w = np.minimum(r, 0.5) ** 2 / (1.0 + r)
        mix.mean[k] = average(x, w) if sum(w) > 0.1 else mix.mean[k]
        mix.weight[k] = sum(w) / (sum(w) + 1.0)
"""
    cell = replace(CELLS[0], text=iteration(density, step), names={"np": np})
    ours, plain = mixture("full"), mixture("full")
    kernel = kernel_of(cell)
    assert kernel(X, ours) == pytest.approx(kernel.reference(X, plain), rel=1e-12)
    np.testing.assert_allclose(ours.mean, plain.mean, rtol=1e-11)
    np.testing.assert_allclose(ours.weight, plain.weight, rtol=1e-11)


# -- calls


@sj.gmm(covariance="diag", fallback=False)
def clusters(points, model):  # type: ignore[no-untyped-def]  # a kernel
    for i in points.events():
        for c in model.components():
            density = log_normal(points[i], model.mean[c], model.covariance[c])
            model.joint[i, c] = log(model.weight[c]) + density
        model.responsibility[i] = softmax(model.joint[i])
    for c in model.components():
        model.mean[c] = average(points, model.responsibility[:, c])


@pytest.mark.parametrize(
    "given",
    [X, X.tolist(), np.asfortranarray(X), X[::-1][::-1], X.astype(">f8"), X.astype(object)],
    ids=["array", "lists", "Fortran order", "strided", "other byte order", "objects"],
)
def test_events_in_any_form(given: Any) -> None:
    first, second = mixture("diag"), mixture("diag")
    assert clusters(given, first) == clusters(model=second, points=X)
    assert np.array_equal(first.mean, second.mean)
    assert np.array_equal(first.weight, mixture("diag").weight)


@pytest.mark.parametrize("given", [[[1.0, 2.0], [3.0]], [X, X[:3]]], ids=["rows", "chunks"])
def test_rows_that_are_not_alike_are_no_table(given: Any) -> None:
    with pytest.raises(
        ArgumentError, match="'points' is no table: its rows are not alike"
    ) as caught:
        clusters(given, mixture("diag"))
    assert caught.value.code == "A012"


def test_integers_become_float64_and_float32_stays() -> None:
    for given, want in (("i4", "f8"), ("bool", "f8"), ("f2", "f8"), ("f4", "f4"), ("f8", "f8")):
        bound = clusters._bind((np.ones((5, D), given), mixture("diag")), {})
        assert bound.values["x"].dtype == want
    assert bound.values["mean"].dtype == np.float64


def test_the_mixture_may_have_any_number_of_components() -> None:
    for components in (1, 2, 9):
        ours, plain = (mixture("diag", components) for _ in range(2))
        assert clusters(X, ours) == pytest.approx(clusters.reference(X, plain), rel=1e-12)
        np.testing.assert_allclose(ours.mean, plain.mean, rtol=1e-12)


@each_backend
@pytest.mark.parametrize("covariance", ["full", "diag", "tied", "spherical"])
def test_without_a_density_nothing_is_updated(covariance: str, backend: str) -> None:
    cell = next(c for c in CELLS if c.covariance == covariance)
    mix = mixture(covariance)
    mix.covariance[2 if covariance != "tied" else slice(None)] *= -1.0
    before = mix.copy()
    component = r"\d" if covariance == "tied" else 2
    with pytest.raises(ArgumentError, match=f"component {component} is not positive") as caught:
        kernel_of(cell, backend=backend)(X, mix)
    assert caught.value.code == "A014"
    for name, array in mix.arrays().items():
        assert np.array_equal(array, before.arrays()[name])


def test_check_compares_whole_calls() -> None:
    kernel = kernel_of(CELLS[0])
    for dtype in ("f8", "f4"):
        assert kernel.check(data(500, dtype), mixture("full"))
    with pytest.raises(OptionError, match="another order"):
        kernel_of(CELLS[0], check="strict")(X, mixture("full"))


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"covariance": "dig"}, "did you mean 'diag'?"),
        ({"components": 0}, "a whole number, 1 or more"),
        ({"components": "many"}, "a whole number, 1 or more"),
        ({"component": 3}, "did you mean 'components'?"),
    ],
)
def test_options(keywords: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said.replace("?", r"\?")):
        sj.gmm(**keywords)


def test_components_are_part_of_the_kernel() -> None:
    three, four = (kernel_of(CELLS[0], components=k) for k in ("3", 4))
    assert three._source.identity != four._source.identity
    assert len(three.sample_arguments()[1].components()) == 3
    with pytest.raises(ArgumentError, match="has 3 components, the kernel 4"):
        four(X, mixture("full", 3))


# -- parts of an iteration


@pytest.mark.parametrize("backend", ["python", "c"])
def test_an_e_step_alone_writes_responsibilities(backend: str) -> None:
    kernel = kernel_of(CELLS[0], backend=backend)
    mix = mixture("full")
    before = mix.copy()
    values = native_values(kernel.interface, X, mix.arrays(), E_STEP | WRITE, len(X))
    found, _ = kernel._specialization(values)
    kernel._run(found, values) if found else kernel._plain(values)
    np.testing.assert_allclose(values["responsibility"].sum(axis=1), 1.0)
    assert values["log_prob"].sum() == pytest.approx(values["log_likelihood"][0])
    assert values["log_likelihood"][0] == pytest.approx(CELLS[0].update(X, before)[0])
    assert np.array_equal(mix.mean, before.mean)


def test_events_in_two_parts_are_one_iteration() -> None:
    kernel = kernel_of(CELLS[4])
    whole, parts = mixture("full"), mixture("full")
    likelihood = kernel(X, whole)
    first = native_values(kernel.interface, X[:23], parts.arrays(), E_STEP)
    for x, steps in ((X[:23], E_STEP), (X[23:], E_STEP), (X[:1], M_STEP)):
        values = first | {"x": np.ascontiguousarray(x), "steps": steps, "count": len(x)}
        found, _ = kernel._specialization(values)
        found.executable(values)
    assert first["log_likelihood"][0] == pytest.approx(likelihood, rel=1e-12)
    np.testing.assert_allclose(parts.covariance, whole.covariance, rtol=1e-10)


def test_the_plain_python_has_no_m_step_alone() -> None:
    kernel = kernel_of(CELLS[0])
    values = native_values(kernel.interface, X, mixture("full").arrays(), M_STEP)
    with pytest.raises(ValueError, match="an iteration as a whole"):
        kernel._plain(values)


# -- what is compared, and the least work


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("+ 1e-6 * eye", "+ 1e-1 * eye"),
        ("mix.weight[k] = mean(r)", "mix.weight[k] = 1.01 * mean(r)"),
        ("average(x, r)", "1.01 * average(x, r)"),
        ("log(mix.weight[k]) +", "0.9 * log(mix.weight[k]) +"),
    ],
)
def test_a_wrong_variant_is_found(right: str, wrong: str, dtype: str) -> None:
    kernel, other = (
        kernel_of(replace(CELLS[0], text=CELLS[0].text.replace(right, text)))
        for text in (right, wrong)
    )
    values = kernel._bind((data(300, dtype), mixture("full")), {}).values
    signature = signature_of(kernel.interface, values)
    pipeline = Pipeline(SPECIALIZER, registry.platform("c"))
    provers = [Prover(pipeline, k._source) for k in (kernel, other)]
    cases = SPECIALIZER.cases(kernel._source, kernel._lookup, provers[0].optimised, signature,
                              values, False)  # fmt: skip
    assert [len(case.values["x"]) for case in cases] == [7, 64, 65, 200, 200, 200]
    for prover, fine in zip(provers, (True, False), strict=True):
        config = prover.front(signature)[1].default
        artifact = prover.build(signature, config)[1]
        verdicts = [pipeline.platform.trial(artifact, case) for case in cases]
        assert all(not v for v in verdicts) == fine, verdicts


def test_a_variant_is_right_on_data_far_from_the_origin() -> None:
    x = data(300) + 1e4
    mix = started(x, 3, "full")
    assert kernel_of(CELLS[0])(x, mix) < 0.0


def test_the_least_work_of_an_iteration() -> None:
    kernel = kernel_of(CELLS[0])
    values = kernel._bind((data(1000), mixture("full")), {}).values
    tree: Any = SPECIALIZER.parse(kernel._source, signature_of(kernel.interface, values))
    found = SPECIALIZER.work(tree)
    parameters = 8 * (4 + 4 * D + 4 * D * D)
    assert (found.points, found.written_bytes) == (1000, parameters)
    assert found.bytes_ == 1000 * D * 8 + 2 * parameters
    # distance 12 + 9, log and +, softmax 4, moments 1 + 2 * (3 + 6); products of coordinates 6
    assert found.flops_per_point == 4 * (21 + 2 + 4 + 19) + 6


# -- the values


def test_a_mixture_of_arrays() -> None:
    k, d = 2, 3
    for covariance, shape in (("full", (k, d, d)), ("diag", (k, d)), ("tied", (d, d)),
                              ("spherical", (k,))):  # fmt: skip
        mix = Mixture.of(np.full(k, 0.5), np.zeros((k, d)), np.ones(shape))
        assert (mix.covariance_kind, mix.covariance.shape) == (covariance, shape)
    with pytest.raises(ValueError, match="diag or tied"):
        Mixture.of(np.full(d, 1 / 3), np.zeros((d, d)), np.eye(d))
    assert Mixture.of(np.ones(d), np.eye(d), np.eye(d), "tied").covariance_kind == "tied"


def test_a_mixture_s_shapes_and_values() -> None:
    mix = Mixture(2, 3, "tied")
    assert np.array_equal(mix.covariance[1], np.eye(3))
    mix.covariance[:] = 2.0 * np.eye(3)
    assert np.array_equal(mix.copy().covariance[0], 2.0 * np.eye(3))
    assert repr(mix) == "Mixture(2 components, 3 dimensions, tied)"
    with pytest.raises(ValueError, match=r"mean has shape \[2, 3\], not \[3\]"):
        mix.mean = np.zeros(3)
    with pytest.raises(AttributeError, match="no attribute 'joint'"):
        _ = mix.joint
    with pytest.raises(ValueError, match="covariance is 'round'"):
        Mixture(2, 3, "round")
    with pytest.raises(ValueError, match="0 components"):
        Mixture(0, 3)


def test_events() -> None:
    x = Events(X)
    assert (len(x), x.dimension, x.events()) == (60, D, range(60))
    assert np.array_equal(x[3], X[3])
    assert np.array_equal(np.asarray(x), X)


def test_the_built_in_sample_is_always_the_same_and_has_the_kernel_s_dimension() -> None:
    x, mix = kernel_of(CELLS[0]).sample_arguments()
    assert x.shape == (600, 2)
    assert np.array_equal(x, three_clusters())
    assert mix.covariance_kind == "full"
    assert kernel_of(CELLS[5]).sample_arguments()[0].shape == (600, D)


def test_outside_of_the_language_the_plain_python_runs() -> None:
    text = iteration().replace("log_normal(", "float(x[n] @ x[n]) + log_normal(")
    kernel = kernel_of(replace(CELLS[0], text=text), fallback=True)
    mix = mixture("full")
    with pytest.warns(sj.kernel.SejitsWarning, match="G018"):
        assert kernel(X, mix) == pytest.approx(
            CELLS[0].update(X, mixture("full"))[0] + (X**2).sum()
        )
    with pytest.raises(GmmError, match="G018"):
        kernel_of(replace(CELLS[0], text=text))(X, mix)


def test_functions_need_no_import_in_helpers_of_a_module() -> None:
    scope: dict[str, Any] = {}
    exec(textwrap.dedent("def plain(d):\n    return log_det(d)\n"), scope)
    kernel = kernel_of(replace(CELLS[0], names=scope, text=CELLS[0].text.replace(
        "log_normal(", "0.0 * plain(mix.covariance[k]) + log_normal(")), backend="python")  # fmt: skip
    mix = mixture("full")
    assert kernel(X, mix) == pytest.approx(CELLS[0].update(X, mixture("full"))[0])
