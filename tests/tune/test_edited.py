"""Edited code: what is wrong with it is said, what is right is timed; it never runs in this process."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sejits_nb as sj
from sejits_nb import config
from sejits_nb.decorate import kernel_of_cell
from sejits_nb.errors import BackendError
from sejits_nb.kernel import Kernel
from sejits_nb.results import EditedRace
from sejits_nb.stages import Config

from .conftest import no_names

pytestmark = pytest.mark.needs("gcc")
U = np.random.default_rng(5).random((40, 60))
HEAT = """\
%%stencil
def heat(u, out, alpha):
    for x in out.interior_points():
        acc = 0.0
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = u[x] + alpha * (acc - 4.0 * u[x])
"""
SPEECH = """\
%%gmm
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
HERE = "(at the call's own shape)"


def kernel(**options: Any) -> Kernel:
    options = {"backend": "c", "fallback": False, **options}
    return kernel_of_cell(HEAT, "Cell In[1]", "heat", no_names, "stencil", options)


@pytest.fixture(scope="module")
def heat() -> Kernel:
    return kernel()


def source(heat: Kernel, u: Any = U) -> str:
    heat(u, 0.1)
    return str(heat.source)


def race(heat: Kernel, text: str, u: Any = U, **options: Any) -> EditedRace:
    return heat.race(text, u, 0.1, **{"budget": 0.02, **options})


def at_the_start(text: str, statement: str) -> str:
    """*text* with a statement before everything that its function does."""
    head = "#include <stdlib.h>\n#include <unistd.h>\n"
    return head + text.replace("\n{\n", f"\n{{\n{statement}\n", 1)


def at_the_end(text: str, statement: str) -> str:
    return re.sub(r"\}\s*$", f"{statement}\n}}\n", text)


def test_the_generated_code_itself_is_correct_and_timed_in_rounds(heat: Kernel) -> None:
    u = U.copy()
    found = race(heat, source(heat), u)
    assert (found.measurement.verdict, found.measurement.reason) == ("correct", "")
    assert found.errors == ()
    (best,) = found.beside
    assert len(best.times_s) == len(found.measurement.times_s) == len(found.ratios) > 0
    assert found.ratio is not None
    assert (u == U).all()


def test_compile_errors_are_at_the_lines_and_columns_of_the_edited_text(heat: Kernel) -> None:
    rows = source(heat).splitlines()
    line = next(n for n, row in enumerate(rows, 1) if "t1 = " in row)
    rows[line - 1] = "        const double t1 = v[i];"
    rows.insert(0, "int broken(void) { return w + 1; }")
    found = race(heat, "\n".join(rows))
    assert found.measurement.verdict == "failed"
    assert found.measurement.reason.startswith("does not compile: 'w' undeclared")
    places = [(d.line, d.text[d.col : d.end_col]) for d in found.errors]
    assert places == [(1, "w"), (line + 1, "v")]
    assert {d.code for d in found.errors} == {"B002"}
    assert f"line {line + 1}, column 27: 'v' undeclared" in repr(found)


def test_at_most_five_errors_are_told(heat: Kernel) -> None:
    text = "".join(f"int f{n}(void) {{ return v{n}; }}\n" for n in range(9)) + source(heat)
    assert [d.line for d in race(heat, text).errors] == [1, 2, 3, 4, 5]


def test_what_the_linker_misses_is_told_without_a_line(heat: Kernel) -> None:
    found = race(heat, source(heat).replace("heat_kernel", "other_kernel"))
    assert "heat_kernel" in found.measurement.reason
    assert found.measurement.verdict == "failed"


@pytest.mark.parametrize(
    ("edit", "verdict", "reason"),
    [
        (lambda t: t.replace("acc_1 +", "acc_1 -"), "wrong", "out[1, 1] is "),
        (lambda t: at_the_end(t, "out[40 * 60] = 1.0;"), "wrong", f"writes outside of out {HERE}"),
        (lambda t: at_the_end(t, "out[-1] = 1.0;"), "wrong", f"writes outside of out {HERE}"),
        (lambda t: at_the_end(t, "((double *)u)[61] = 7.0;"), "wrong",
         "changes its input: u[1, 1] was "),
        (lambda t: at_the_start(t, "*(volatile int *)0 = 1;"), "failed",
         f"killed by signal 11 (SIGSEGV) {HERE}"),
        (lambda t: at_the_start(t, "abort();"), "failed", "killed by signal 6 (SIGABRT)"),
        (lambda t: at_the_start(t, "exit(0);"), "failed", "ended by itself with status 0"),
        (lambda t: at_the_start(t, "while (getpid()) ;"), "failed", f"no answer within 0.5 s {HERE}"),
        (lambda t: at_the_start(t, "((volatile char *)malloc(1L << 40))[0] = 1;"), "failed",
         "killed by signal 11 (SIGSEGV)"),
        (lambda t: at_the_start(t, "static int runs; if (runs++ > 3) return;"), "wrong",
         "out[1, 1] is 0.0, the plain Python gives "),
    ],
    ids=["value", "past the end", "before the start", "input", "segfault", "abort", "exit", "endless",
         "huge allocation", "first runs only"],
)  # fmt: skip
def test_harm_is_said_and_stays_in_the_child(
    heat: Kernel, monkeypatch: pytest.MonkeyPatch, edit: Any, verdict: str, reason: str
) -> None:
    monkeypatch.setattr(config, "EDIT_TIMEOUT_S", 0.5)
    u, before = U.copy(), heat(U, 0.1)
    found = race(heat, edit(source(heat)), u)
    assert found.measurement.verdict == verdict
    assert found.measurement.reason.startswith(reason)
    assert (found.ratio, found.measurement.times_s) == (None, ())
    assert (u == U).all()
    assert (heat(U, 0.1) == before).all()


def test_one_wrong_element_between_the_sampled_points_is_found(heat: Kernel) -> None:
    """A large call is compared with the plain Python at points, with the variant in use everywhere."""
    u = np.random.default_rng(6).random((300, 400))
    text = at_the_end(source(heat, u), "out[157 * 400 + 211] += 1e-6;")
    found = race(heat, text, u)
    assert re.match(r"out\[157, 211\] is .*, the variant in use gives", found.measurement.reason), (
        found.measurement.reason
    )


def test_code_that_leaves_an_output_as_it_was_is_wrong_even_where_that_was_right(
    heat: Kernel,
) -> None:
    u = np.random.default_rng(7).random((300, 400))
    text = source(heat, u)
    out = heat(u, 0.1)
    found = heat.race(at_the_start(text, "if (u) return;"), u, out, 0.1, budget=0.02)
    assert found.measurement.verdict == "wrong"
    assert "the variant in use gives" in found.measurement.reason


def test_faster_code_is_told_by_its_ratio_and_changes_nothing() -> None:
    heat = kernel(cflags="-O0", tune="quick", budget=0.5)
    u = np.random.default_rng(8).random((400, 500))
    report = heat.measure(u, 0.1)
    text = '#pragma GCC optimize("O3")\n' + str(heat.source)
    found = race(heat, text, u, budget=0.3)
    assert found.measurement.verdict == "correct"
    assert found.ratio is not None
    assert found.spread is not None
    assert found.spread[0] <= found.ratio <= found.spread[1]
    assert found.ratio < 0.8
    assert "× as fast as the variant in use (" in repr(found)
    assert "<table" in found._repr_html_()  # type: ignore[attr-defined]
    assert heat.report == report
    assert heat.measure(u, 0.1).measurements[0].config == report.measurements[0].config
    text = at_the_start(str(heat.source), "for (volatile int n = 0; n < 3000000; n++) ;")
    slow = race(heat, text, u, budget=0.1)
    assert slow.measurement.verdict == "correct"
    assert slow.ratio is not None
    assert slow.ratio > 1.5


def test_nothing_is_recorded(own_cache: Path) -> None:
    heat = kernel()
    text = source(heat)

    def known() -> list[Path]:
        places = [own_cache / "v1" / name for name in ("verdicts", "records")]
        return sorted(path for place in places for path in place.rglob("*"))

    before = known()
    assert before
    race(heat, text.replace("double t1", "double t2").replace("t1", "t2"))
    assert known() == before


def test_without_checking_it_is_unchecked_and_still_in_the_child() -> None:
    heat = kernel(check="off")
    found = race(heat, source(heat).replace("acc_1 +", "acc_1 -"))
    assert found.measurement.verdict == "unchecked"
    assert "UNCHECKED" in repr(found)


def test_another_variant_may_be_the_base(heat: Kernel) -> None:
    text = source(heat)
    config_ = Config(tuple((k, 2 if k == "unroll" else v) for k, v in heat._last.config.items))  # type: ignore[union-attr]
    base = type(race(heat, text).measurement)(config_, "c", "correct")
    assert race(heat, text, base=base).measurement.config == config_
    with pytest.raises(BackendError, match="B012"):
        race(heat, text, base=type(base)(config_, "absent", "correct"))


def test_a_stop_from_another_thread_ends_the_code_that_runs(heat: Kernel) -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    start = time.perf_counter()
    found = race(heat, at_the_start(source(heat), "while (getpid()) ;"), stop=stop)
    assert found.measurement.reason.startswith("stopped")
    assert time.perf_counter() - start < config.EDIT_TIMEOUT_S / 2


def test_without_arguments_it_is_on_those_that_the_code_was_made_for() -> None:
    heat = kernel()
    heat(*heat.sample_arguments())
    text = str(heat.source)
    assert heat.race(text, budget=0.02).measurement.verdict == "correct"
    source(heat)
    with pytest.raises(BackendError, match=r"B012.*was called, not measured"):
        heat.race(text)
    heat.tune(U, 0.1, budget=0.1)
    assert heat.race(str(heat.source), budget=0.02).measurement.verdict == "correct"


def test_plain_python_has_no_code_to_race_against() -> None:
    with pytest.raises(BackendError, match="B012"):
        race(kernel(backend="python"), "void f(void) {}")


def test_a_mixture_is_compared_on_all_of_its_cases_and_stays_as_it_was() -> None:
    options = {"backend": "c", "fallback": False}
    speech = kernel_of_cell(SPEECH, "Cell In[2]", "speech", no_names, "gmm", options)
    x = np.random.default_rng(0).standard_normal((3000, 3))
    mix = sj.Mixture(2, 3, "full", mean=x[:2].copy())
    speech(x, mix)
    text, before = str(speech.source), {n: a.copy() for n, a in mix.arrays().items()}
    assert speech.race(text, x, mix, budget=0.02).measurement.verdict == "correct"
    wrong = speech.race(at_the_end(text, "mean[0] += 1e-3;"), x, mix).measurement
    assert (wrong.verdict, "the plain Python gives" in wrong.reason) == ("wrong", True)
    assert all((before[name] == array).all() for name, array in mix.arrays().items())


@pytest.mark.needs("opencl")
def test_opencl_c_is_raced_beside_c() -> None:
    heat = kernel(backend="opencl")
    text = source(heat)
    c = kernel()
    source(c)
    found = race(c, text)
    assert (found.language, found.measurement.verdict) == ("opencl", "correct")
    assert {m.platform for m in found.beside} == {
        "c"
    }  # and the first choice, if another one is in use
    broken = race(c, text.replace("acc_1 +", "zz +"))
    (error,) = broken.errors
    assert (error.text[error.col : error.end_col], error.where) == ("zz", "the edited OpenCL C")
    assert text.splitlines()[error.line - 1].startswith("    const double acc_2")
    crash = race(
        c, text.replace("    const long i", "*(volatile __global int *)0 = 1; const long i", 1)
    )
    assert crash.measurement.verdict == "failed"
    assert "SIGSEGV" in crash.measurement.reason
