"""Number parameters of an iteration: given at each call, never compiled in."""

from __future__ import annotations

import pickle
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sejits_nb as sj
from sejits_nb import registry
from sejits_nb.errors import ArgumentError
from sejits_nb.pipeline import Pipeline
from sejits_nb.specializers.gmm import SPECIALIZER
from sejits_nb.specializers.gmm.calls import signature_of
from sejits_nb.tune.prove import Prover

from .mixture_cells import Cell
from .test_gmm_language import data, kernel_of, mixture

SOFT = """
def tail(q, nu):
    return 0.5 * (nu + 3.0) * log(1.0 + q / nu)


def speech({params}):
    for n in x.events():
        for k in mix.components():
            q = mahalanobis(x[n], mix.mean[k] * keep, mix.covariance[k] + reg * eye)
            mix.scale[n, k] = (nu + x.dimension) / (nu + q)
            mix.joint[n, k] = log(mix.weight[k]) - 0.5 * log_det(mix.covariance[k]) - tail(q, nu)
        mix.responsibility[n] = softmax(mix.joint[n])
    for k in mix.components():
        r = mix.responsibility[:, k]
        w = r * mix.scale[:, k] ** keep
        mix.weight[k] = (sum(r) + reg) / (len(x) + reg * len(mix.components()))
        mix.mean[k] = average(x, w) if sum(keep * r) > reg else mix.mean[k]
        mix.covariance[k] = scatter(x, mix.mean[k], w) * sum(w) / sum(r) + reg * eye
"""
"""Numbers wherever a captured one may stand: densities, their parameters, columns, updates, tests."""
TAKEN = Cell("numbers", SOFT.format(params="x, mix, nu, reg=1e-3, keep=1"))
GIVEN = ({"nu": 4.0, "reg": 1e-2, "keep": 0.75}, {"nu": 7, "reg": 0.5, "keep": 1.0})
X = data(130)


def captured(numbers: dict[str, float]) -> Any:
    """The same program with these numbers compiled in, as plain Python."""
    return kernel_of(
        Cell("captured", SOFT.format(params="x, mix"), names=numbers), backend="python"
    )


@pytest.mark.parametrize(
    ("backend", "dtype"), [("python", "f8"), ("openmp", "f8"), ("openmp", "f4"), ("opencl", "f8")]
)
def test_a_number_is_what_a_captured_one_is_and_no_code_of_its_own(
    backend: str, dtype: str
) -> None:
    kernel, x = kernel_of(TAKEN, backend=backend, check="off"), X.astype(dtype)
    near = 1e-10 if dtype == "f8" or backend == "python" else 1e-4
    for numbers in GIVEN:
        ours, theirs = mixture("full"), mixture("full")
        wanted = captured(numbers)(x, theirs)
        assert kernel(x, ours, **numbers) == pytest.approx(wanted, rel=near)
        for name, array in theirs.arrays().items():
            np.testing.assert_allclose(ours.arrays()[name], array, rtol=near, atol=near)
    assert len(kernel._ready) == 1


def test_numbers_come_as_python_takes_them() -> None:
    kernel = kernel_of(TAKEN, backend="c", tune="none")
    wanted = kernel(X, mixture("full"), 4.0, 1e-3, 1.0)
    for args, keywords in (
        ((4,), {}), ((), {"nu": 4.0}), ((np.float32(4.0), np.array(1e-3)), {"keep": True}),
    ):  # fmt: skip
        assert kernel(X, mixture("full"), *args, **keywords) == wanted
    before = mixture("full")
    wrong: Any
    for wrong in ((), (1.0, 2.0, 3.0, 4.0), ("4",), (np.nan,), ([4.0],), (None,), (1j,)):
        with pytest.raises(ArgumentError, match=r"A010|A016"):
            kernel(X, before, *wrong)
    np.testing.assert_array_equal(before.mean, mixture("full").mean)


def test_a_default_is_what_the_notebook_has() -> None:
    names: dict[str, Any] = {"LEAST": 1e-2}
    cell = Cell(
        "default", SOFT.format(params="x, mix, nu=2 * 2, reg=LEAST / 2, keep=1"), names=names
    )
    kernel = kernel_of(cell, backend="c", tune="none")
    assert kernel.interface.defaults == (("nu", 4), ("reg", 0.005), ("keep", 1))
    assert kernel(X, mixture("full")) == kernel(X, mixture("full"), 4, 0.005)


def test_methods_take_numbers_and_a_number_is_no_option_of_theirs() -> None:
    """``max_iter`` is a parameter of this iteration until it is given."""
    params = "x, mix, max_iter, reg=1e-3, keep=1"
    cell = Cell("methods", SOFT.format(params=params).replace("nu", "max_iter"))
    kernel = kernel_of(cell, backend="openmp", tune="none")
    by_hand, trained, parts = (mixture("full") for _ in range(3))
    found = [kernel(X, by_hand, 4.0) for _ in range(3)]
    done = kernel.train(X, trained, 4.0, max_iter=3, tol=0)
    assert done.log_likelihoods == pytest.approx(found, rel=1e-12)
    np.testing.assert_allclose(trained.mean, by_hand.mean, rtol=1e-12)
    chunked = kernel.train([X[:50], X[50:]], parts, 4.0, max_iter=3, tol=0)
    assert chunked.log_likelihoods == pytest.approx(found, rel=1e-10)
    assert kernel.train(X, mixture("full"), max_iter=4.0, tol=1e9).iterations == 2
    log_prob, _ = kernel.evaluate(X, mixture("full"), max_iter=4.0)
    assert log_prob.sum() == pytest.approx(found[0])


def test_a_pickled_kernel_and_a_script_have_the_numbers(tmp_path: Path) -> None:
    kernel = kernel_of(TAKEN, backend="c", tune="none")
    wanted = kernel(X, mixture("full"), 3.5)
    assert pickle.loads(pickle.dumps(kernel))(X, mixture("full"), 3.5) == wanted
    scope: dict[str, Any] = {"__name__": "made_again"}
    path = tmp_path / "speech.py"
    path.write_text(kernel.script())
    exec(compile(path.read_text(), path, "exec"), scope)
    given = scope["arguments"]()
    assert {name: given[name] for name in ("nu", "reg", "keep")} == {
        "nu": 3.5,
        "reg": 1e-3,
        "keep": 1,
    }
    kernel.export(tmp_path)
    header = (tmp_path / "speech.h").read_text()
    assert "const double nu, const double reg, const double keep);" in header
    assert "| `numbers.nu` | f64 |" in (tmp_path / "README.md").read_text()


def test_a_name_of_ours_is_free_for_a_number() -> None:
    """``count`` and ``steps`` are parameters of the native function, too."""
    text = textwrap.dedent("""
        def speech(x, mix, count, steps=0.5):
            for n in x.events():
                for k in mix.components():
                    mix.joint[n, k] = count * log_normal(x[n], mix.mean[k], mix.covariance[k])
                mix.responsibility[n] = softmax(mix.joint[n])
            for k in mix.components():
                mix.weight[k] = steps * mean(mix.responsibility[:, k])
    """)
    kernel, ours, plain = (
        kernel_of(Cell("names", text), backend="c"),
        mixture("full"),
        mixture("full"),
    )
    assert kernel(X, ours, 0.5) == pytest.approx(kernel.reference(X, plain, 0.5), rel=1e-12)
    np.testing.assert_allclose(ours.weight, plain.weight, rtol=1e-12)
    assert kernel.trace.steps[0].lines[0].text == (
        "gmm speech(x: f64[N, 3]; mix: 4 components, full; count, steps)"
    )


@pytest.mark.parametrize(
    ("dtype", "right", "wrong"),
    [
        ("f4", "sum(r) + reg * eye", "sum(r) + 2.0 * reg * eye"),
        ("f8", "nu + 3.0", "1.0001 * nu + 3.0"),
    ],
)
def test_a_variant_that_has_a_number_wrong_is_found_whatever_its_value(
    dtype: str, right: str, wrong: str
) -> None:
    """The call's own regularisation is none."""
    kernel = kernel_of(TAKEN)
    other = kernel_of(Cell("wrong", TAKEN.text.replace(right, wrong)))
    values = kernel._bind((data(300, dtype), mixture("full"), 4.0, 0.0), {}).values
    signature = signature_of(kernel.interface, values)
    pipeline = Pipeline(SPECIALIZER, registry.platform("c"))
    provers = [Prover(pipeline, k._source) for k in (kernel, other)]
    cases = SPECIALIZER.cases(kernel._source, kernel._lookup, provers[0].optimised, signature,
                              values, False)  # fmt: skip
    for prover, fine in zip(provers, (True, False), strict=True):
        artifact = prover.build(signature, prover.front(signature)[1].default)[1]
        assert all(not pipeline.platform.trial(artifact, case) for case in cases) == fine


def test_the_built_in_sample_has_numbers() -> None:
    kernel = sj.gmm(lambda_free)
    assert kernel.sample_arguments()[2:] == (0.1, 2.0)
    assert kernel.check()


def lambda_free(x, mix, reg, alpha=2.0):  # type: ignore[no-untyped-def]
    for n in x.events():
        for k in mix.components():
            mix.joint[n, k] = log(mix.weight[k]) + log_normal(  # type: ignore[name-defined]  # noqa: F821
                x[n], mix.mean[k], mix.covariance[k]
            )
        mix.responsibility[n] = softmax(mix.joint[n])  # type: ignore[name-defined]  # noqa: F821
    for k in mix.components():
        mix.weight[k] = (sum(mix.responsibility[:, k]) + alpha * reg) / len(x)
