"""``%%gmm`` in a notebook: the cell, its sample, Tab, ``%sejits explain``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

import sejits_nb as sj
from sejits_nb.errors import GmmError, OptionError
from sejits_nb.kernel import SejitsWarning
from sejits_nb.magics.completion import completions

CELL = """
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


TIED = CELL.replace("mix):", "mix):\n    total = 0.0").replace(
    "mix.covariance[k] = scatter(x, mix.mean[k], r) + 1e-6 * eye",
    "total = total + mix.weight[k] * scatter(x, mix.mean[k], r)\n"
    "    mix.covariance[:] = total + 1e-6 * eye",
)
RunCell = Callable[..., Any]


@pytest.fixture(scope="module")
def shell() -> Iterator[Any]:
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "sejits_nb")
    yield shell
    shell.run_line_magic("unload_ext", "sejits_nb")
    InteractiveShell.clear_instance()


@pytest.fixture
def run(shell: Any) -> RunCell:
    """Run a cell whose first line this is; the kernel that it bound."""

    def run_cell(line: str, cell: str = CELL) -> Any:
        shell.user_ns.pop("speech", None)
        shell.run_cell(f"{line}{cell}").raise_error()
        return shell.user_ns["speech"]

    return run_cell


def test_a_cell_on_the_built_in_sample(run: RunCell, capsys: Any) -> None:
    kernel = run("%%gmm --components 2 --covariance diag -t none -b c")
    shown = capsys.readouterr().out
    assert "speech: " in shown
    assert "correct" in shown
    assert "x: f64[600, 2], mix: 2 components, diag" in shown
    assert kernel.report.work.points == 600
    x, mix = kernel.sample_arguments()
    assert kernel(x, mix) < kernel(x, mix)


def test_what_stands_beside_the_functions_is_told(run: RunCell) -> None:
    with pytest.warns(SejitsWarning, match=r"`print\('hello'\)` is not run") as said:
        run("%%gmm -t none -b c -q", f"{CELL}print('hello')\n")
    assert (len(said), said[0].lineno) == (1, 12)


def test_events_alone_are_measured_with_a_mixture_that_starts_from_them(
    run: RunCell, shell: Any, capsys: Any
) -> None:
    shell.user_ns["X"] = np.random.default_rng(0).random((90, 3)).tolist()
    kernel = run("%%gmm --components 4 --covariance diag -t none -b c --on X")
    assert "x: f64[90, 3], mix: 4 components, diag" in capsys.readouterr().out
    assert kernel.report.work.points == 90


def test_the_variants_are_raced_on_the_user_s_data(run: RunCell, shell: Any) -> None:
    x = np.random.default_rng(0).standard_normal((5000, 4)).astype("f4")
    shell.user_ns |= {"X": x, "mix": sj.Mixture(3, 4, mean=x[:3])}
    before = shell.user_ns["mix"].copy()
    kernel = run('%%gmm --on "X, mix" -b openmp -b c -q')
    assert {m.verdict for m in kernel.report.measurements} == {"correct"}
    assert kernel.report.speedup > 10
    assert np.array_equal(shell.user_ns["mix"].mean, before.mean), "arrays are only read"


def test_the_script_makes_a_call_of_the_same_kind(run: RunCell, tmp_path: Any) -> None:
    kernel = run("%%gmm -t none -q -b c --covariance tied", TIED)
    path = tmp_path / "speech.py"
    path.write_text(kernel.script())
    scope: dict[str, Any] = {"__name__": "speech"}
    code = compile(path.read_text(), str(path), "exec")
    exec(code, scope)
    given = scope["arguments"]()
    assert given["x"].shape == (600, 2)
    assert np.isfinite(scope["speech"](**given))


def test_errors(run: RunCell, shell: Any) -> None:
    with pytest.raises(GmmError, match="G018") as caught:
        run("%%gmm", CELL.replace("log_normal(", "x[n] @ mix.mean[k] + log_normal("))
    assert caught.value.diagnostics[0].line == 5
    with pytest.raises(OptionError, match="did you mean 'spherical'"):
        run("%%gmm --covariance sperical")
    with pytest.raises(OptionError, match="did you mean '--components'"):
        run("%%gmm --component 3")
    assert "speech" not in shell.user_ns


def test_tab() -> None:
    def tab(line: str) -> list[str]:
        return completions(line + CELL, 0, len(line), {})[0]

    assert tab("%%gmm --co") == ["--components", "--covariance"]
    assert tab("%%gmm --covariance ") == ["full", "diag", "tied", "spherical"]
    assert tab("%%gmm --covariance=s") == ["spherical"]
    assert "--boundary" not in tab("%%gmm -")
    assert "threads=" in tab("%%gmm --set ")


def test_explain(shell: Any, capsys: Any) -> None:
    shell.run_line_magic("sejits", "explain g022")
    assert "what lasts from one to the next is a sum that starts as 0" in capsys.readouterr().out
    shell.run_line_magic("sejits", "explain G006")
    said = capsys.readouterr().out
    assert "mix.joint[n, k] = log(mix.weight[k]) + log_normal(...)" in said


def test_help_shows_examples(shell: Any) -> None:
    text = shell.find_cell_magic("gmm").__doc__
    assert text.count("%%gmm") >= 3
    assert "--covariance KIND" in text
