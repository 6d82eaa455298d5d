"""The magic's options, and what a cell takes from the notebook's namespace."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sejits_nb.magics.stencil import StencilMagics

CARD = "application/vnd.sejits.summary+json"
OUTSIDE = """
def outside(u, out):
    for x in out.interior_points():
        out[x] = sum([u[x], 1.0])
"""
SCALED = """
def scaled(u, out):
    for x in out.interior_points():
        out[x] = weight * u[x]
"""
ROOT = """
def root(u, out):
    for x in out.interior_points():
        out[x] = sqrt(u[x])
"""
RACE = """\
import json
report = blur.report
print(json.dumps([[dict(m.config.items), m.platform] for m in report.measurements]))"""
RIGHT = "bool(np.allclose(blur(img), blur.reference(img), 1e-13, 0))"

CELLS = {
    "output": "%%stencil -o --on img{body}",
    "quiet": "%%stencil -q --on img{body}",
    "show none": "%%stencil -s none --on img{body}",
    "show levels": "%%stencil -s levels --on img{body}",
    "show code": "%%stencil -s code --on img{body}",
    "renamed": "%%stencil other -q --on img{body}",
    "other": "other.__name__, bool(np.allclose(other(img), blur(img)))",
    "set": "%%stencil --set unroll=2 --on img{body}",
    "set race": RACE,
    "wrong knob": "%%stencil --set unrol=2 --on img{body}",
    "c": "%%stencil -b c --on img{body}",
    "c right": RIGHT,
    "python": "%%stencil -b python --on img{body}",
    "python right": RIGHT,
    "no --on": "%%stencil{body}",
    "untimed": "%%stencil -t none --on img{body}",
    "unchecked": "%%stencil --check off --on img{body}",
    "strict": "%%stencil --check strict --on img{body}",
    "outside": "%%stencil --on img" + OUTSIDE,
    "fallback": "%%stencil --fallback --on img" + OUTSIDE,
    "fallback right": "bool(np.allclose(outside(img)[1:-1, 1:-1], img[1:-1, 1:-1] + 1.0))",
    "constant": "weight = 2.0\n",
    "scaled": "%%stencil -q --on img" + SCALED,
    "scaled by 2": "bool(np.array_equal(scaled(img), 2.0 * img))",
    "other constant": "weight = 3.0\n",
    "scaled by 3": "bool(np.array_equal(scaled(img), 3.0 * img))",
    "no earlier": "%%stencil --diff blurr --on img{body}",
    "before": "%%stencil -q -t none -b c --set unroll=1 --on img{body}",
    "diff": "%%stencil -t none -b c --set unroll=4 --diff blur --on img{body}",
    "quiet diff": "%%stencil -q --diff blur --on img{body}",
    "flags": "%%stencil -b c --cflags -O1 --on img{body}",
    "no compiler": "%%stencil --cc /no/such/cc --on img{body}",
    "wrong flags": "%%stencil -b c --cflags '-Dsqrt=fabs' --on img" + ROOT,
    "short": "%%stencil --on img" + OUTSIDE,
    "frames": "%%stencil --full-traceback --on img" + OUTSIDE,
    "help": "%%stencil?",
}


@pytest.fixture(scope="module")
def cell(run: Any) -> Any:
    """``cell(name)``: the outputs of the cell of that name; one kernel ran them all, in order."""
    sources = [source.replace("{body}", run.body) for source in CELLS.values()]
    done = run(run.setup, *sources)
    numbers = {name: number for number, name in enumerate(CELLS, 1)}
    return lambda name: done.outputs(numbers[name])


def mime(output: Any) -> set[str]:
    return set(output.get("data", {}))


def test_output_returns_the_kernel_as_the_cells_result(cell: Any) -> None:
    *shown, result = cell("output")
    assert [CARD in mime(o) for o in shown] == [True, False]
    assert result.output_type == "execute_result"


@pytest.mark.parametrize("name", ["quiet", "show none", "constant", "scaled"])
def test_a_quiet_cell_leaves_nothing(cell: Any, name: str) -> None:
    assert cell(name) == []


def test_show_levels_and_code(cell: Any) -> None:
    dast, past, code = (o.data["text/plain"] for o in cell("show levels"))
    assert "sweep x over the interior of out" in dast
    assert "for i in [1, 4" in past
    assert "const double *restrict u" in code
    (only,) = cell("show code")
    assert only.data["text/plain"] == code


def test_the_name_on_the_line_is_bound(cell: Any) -> None:
    assert cell("other")[0].data["text/plain"] == "('blur', True)"


def test_set_pins_a_knob(cell: Any) -> None:
    race = cell("set race")[0].text
    assert '"unroll": 2' in race
    assert '"unroll": 1' not in race


def test_a_wrong_knob_gets_a_hint(cell: Any) -> None:
    (error,) = cell("wrong knob")
    assert error.ename == "OptionError"
    assert "did you mean 'unroll'?" in error.evalue


@pytest.mark.parametrize("name", ["c", "python"])
def test_backend(cell: Any, name: str) -> None:
    assert cell(name)[0].data[CARD]["platform"] == name
    assert cell(f"{name} right")[0].data["text/plain"] == "True"


def test_without_on_the_built_in_sample_is_timed(cell: Any) -> None:
    assert "u: f64[256, 256]" in cell("no --on")[0].data["text/plain"]


def test_tune_none_does_not_time(cell: Any) -> None:
    summary = cell("untimed")[0].data[CARD]
    assert summary["speedup"] is None


def test_check(cell: Any) -> None:
    assert "UNCHECKED" in cell("unchecked")[0].data["text/plain"].splitlines()[0]
    assert "correct to the bit" in cell("strict")[0].data["text/plain"].splitlines()[0]


def test_fallback_binds_the_plain_python(cell: Any) -> None:
    (error,) = cell("outside")
    assert error.ename == "StencilError"
    cards = [o for o in cell("fallback") if CARD in mime(o)]
    assert cards[0].data[CARD]["platform"] == "python"
    assert "runs as plain Python" in cards[0].data["text/plain"]
    assert cell("fallback right")[-1].data["text/plain"] == "True"


def test_a_changed_constant_of_the_notebook_respecializes(cell: Any) -> None:
    assert cell("scaled by 2")[0].data["text/plain"] == "True"
    assert cell("scaled by 3")[0].data["text/plain"] == "True"


def test_diff_shows_the_code_of_both_kernels(cell: Any) -> None:
    (error,) = cell("no earlier")
    assert error.ename == "OptionError"
    assert "did you mean 'blur'?" in error.evalue
    *_, diff = cell("diff")
    assert re.match(r"blur \| blur, now: \d+ lines? of C only in blur", diff.data["text/plain"])
    assert "+++ blur, now" in diff.data["text/plain"]
    assert "<ins" in diff.data["text/html"]
    assert cell("quiet diff") == []


def test_compiler_and_flags(cell: Any) -> None:
    assert " -O1 " in cell("flags")[0].data["text/html"]
    (error,) = cell("no compiler")
    assert error.ename == "BackendError"
    assert "'/no/such/cc', which --cc, SEJITS_CC or CC names, is not on the path" in error.evalue
    (error,) = [o for o in cell("wrong flags") if o.output_type == "error"]
    assert error.ename == "WrongResult"


def test_full_traceback(cell: Any) -> None:
    (short,), (full,) = cell("short"), cell("frames")
    assert not any("language.py" in line for line in short.traceback)
    assert any("language.py" in line for line in full.traceback)
    assert full.traceback[-1] == short.traceback[-1]


def test_help_shows_examples_and_every_option() -> None:
    page = StencilMagics.stencil.__doc__ or ""
    assert page.count("\n%%stencil ") >= 3
    for flag in ("--budget", "--set", "--diff", "--cflags", "--cc", "--full-traceback", "--check"):
        assert flag in page
