"""Every diagnostic code: a wrong program or call, and the exact text that the user then sees.

``files/<code>.txt`` holds cells and what they answer::

    %%stencil --on u
    def k(u, out): ...
    ----
    StencilError S012: ...
    ====
    (the next cell)
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
from wcwidth import wcswidth

import sejits_nb as sj
from sejits_nb import doctor, errors, options, registry
from sejits_nb.errors import ArgumentError, LanguageError, OptionError, SejitsError, StencilError
from sejits_nb.kernel import SejitsWarning
from sejits_nb.magics.language import named_kernel
from sejits_nb.specializers.gmm import rules as gmm_rules
from sejits_nb.specializers.gmm.mixture import Mixture
from sejits_nb.specializers.stencil.rules import CALL_RULES, RULES

FILES = Path(__file__).parent / "files"
PACKAGE = Path(sj.__file__).parent
EVERY_RULE = {**gmm_rules.RULES, **gmm_rules.CALL_RULES, **RULES, **CALL_RULES, **options.RULES}
U = np.linspace(0.0, 1.0, 64).reshape(8, 8)
READ_ONLY = np.zeros((8, 8))
READ_ONLY.flags.writeable = False
NOTEBOOK = {
    "empty": [],
    "np": np, "u": U, "v": np.ones((8, 8)), "cube": np.ones((12, 12, 12)), "frozen": READ_ONLY,
    "table": [1.0, 2.0, 3.0], "word": "text", "big": 2**70, "helper": lambda a: a,
    "X": U, "mix": Mixture(3, 8), "tied": Mixture(3, 8, "tied"), "three": np.ones(3),
    "huge": np.ones((99, 99)), "outer": 7,
}  # fmt: skip
"""What the cells of ``files/`` find defined."""

RunCell = Callable[[str], SejitsError]


@pytest.fixture(scope="module")
def notebook() -> Any:
    """A shell whose next cell is always ``In[7]``."""
    new_shell: Any = InteractiveShell  # IPython has no types here
    shell = new_shell(config=Config({"HistoryManager": {"enabled": False}}))
    shell.run_line_magic("load_ext", "sejits_nb")
    shell.execution_count = 7
    return shell


@pytest.fixture
def run_cell(notebook: Any, capsys: pytest.CaptureFixture[str]) -> RunCell:
    """Run a cell that fails: its error, which is also all that the notebook shows."""

    def run(cell: str) -> SejitsError:
        notebook.user_ns.update(NOTEBOOK)
        error = notebook.run_cell(cell).error_in_exec
        shown = capsys.readouterr()
        if not isinstance(error, SejitsError):
            raise AssertionError(f"no diagnostic of ours for\n{cell}") from error
        assert shown.out.rstrip("\n") == str(error)
        assert shown.err == ""
        return error

    return run


def cells_of(path: Path) -> list[str]:
    return [case.partition("----\n")[0] for case in path.read_text("utf-8").split("====\n")]


# -- exact texts


@pytest.mark.parametrize("path", sorted(FILES.glob("*.txt")), ids=lambda path: path.stem)
def test_wrong_cells_answer_with_these_texts(
    path: Path, run_cell: RunCell, golden: Callable[[str, str], None]
) -> None:
    answers = []
    for cell in cells_of(path):
        error = run_cell(cell)
        assert path.stem in {d.code for d in error.diagnostics}, f"{cell}\n{error}"
        place = re.sub(r"<ipython-input-(\d+)-\w+>", r"<ipython-input-\1>", str(error))
        answers.append(f"{cell}----\n{place}\n")
    golden(f"../diagnostics/files/{path.name}", "====\n".join(answers))


def test_l003_a_function_without_source() -> None:
    scope: dict[str, Any] = {}
    exec("def k(u, out):\n    for x in out.interior_points():\n        out[x] = u[x]", scope)
    with pytest.raises(LanguageError) as caught:
        sj.stencil(scope["k"])
    assert str(caught.value) == (
        "LanguageError L003: the source of 'k' cannot be read\n"
        "  why:  a specializer reads the function's text (could not get source code)\n"
        "  try:  define it in a cell, or in a file\n"
        "  more: %sejits explain L003"
    )


@pytest.mark.parametrize("terms", [600, 1500, 4000])
def test_l024_an_expression_too_deep_for_python_s_stack(terms: int, run_cell: RunCell) -> None:
    cell = "%%stencil --on u -t none\ndef k(u, out):\n    for x in out.interior_points():\n"
    error = run_cell(f"{cell}        out[x] = u[x]{' + u[x]' * terms}\n")
    assert str(error).splitlines()[:2] == [
        "StencilError L024: the kernel nests too deeply",
        "  Cell In[7], line 2",
    ]


@pytest.mark.parametrize(
    ("message", "hint", "wanted"),
    [
        ("steps is -1, not a whole number of sweeps", "steps=100", {"steps": -1}),
        ("steps is 1.5, not a whole number of sweeps", "steps=100", {"steps": 1.5}),
        ("feed names 'w': one of: out, u", "feed={output: input, ...}",
         {"steps": 1, "feed": {"out": "w"}}),
        ("feed cannot be followed: 'out' is an output", "feed={output: input, ...}",
         {"steps": 1, "feed": {"out": "out"}}),
        ("feed cannot be followed: output 'out' is not fed", "feed={output: input, ...}",
         {"steps": 1, "feed": {}}),
    ],
)  # fmt: skip
def test_a008_iterate_without_a_way_back(message: str, hint: str, wanted: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError) as caught:
        copy.iterate(U, **wanted)
    assert str(caught.value) == (
        f"ArgumentError A008: {message}\n"
        "  why:  after each sweep every output becomes an input of the next\n"
        f"  try:  {hint}\n"
        "  more: %sejits explain A008"
    )


def test_a014_no_density() -> None:
    mix = Mixture(2, 8)
    mix.covariance[1] = -np.eye(8)
    with pytest.raises(ArgumentError) as caught:
        sj.gmm(normal_mixture, backend="python")(U, mix)
    assert str(caught.value) == (
        "ArgumentError A014: the covariance of component 1 is not positive definite\n"
        "  why:  its density does not exist; nothing was updated\n"
        "  try:  add a little to the diagonal: ... + 1e-6 * eye\n"
        "  more: %sejits explain A014"
    )
    assert np.array_equal(mix.weight, [0.5, 0.5])


def test_a015_no_finite_result() -> None:
    events = U.copy()
    events[2, 3] = np.inf
    with pytest.raises(ArgumentError) as caught:
        sj.gmm(normal_mixture, backend="python")(events, Mixture(2, 8))
    assert str(caught.value) == (
        "ArgumentError A015: event 2 of 'x' is not finite\n"
        "  why:  one number that is not finite spoils a whole mixture; nothing was updated\n"
        "  try:  X[np.isfinite(X).all(axis=1)]\n"
        "  more: %sejits explain A015"
    )


def normal_mixture(x, mix):  # type: ignore[no-untyped-def]  # a kernel
    for n in x.events():
        for k in mix.components():
            mix.joint[n, k] = log(mix.weight[k]) + log_normal(x[n], mix.mean[k], mix.covariance[k])  # type: ignore[name-defined]  # noqa: F821
        mix.responsibility[n] = softmax(mix.joint[n])  # type: ignore[name-defined]  # noqa: F821
    for k in mix.components():
        mix.weight[k] = mean(mix.responsibility[:, k])  # type: ignore[name-defined]  # noqa: F821


def test_o004_nothing_of_that_name_is_installed() -> None:
    with pytest.raises(OptionError) as caught:
        registry.specializer("stensil")
    assert str(caught.value) == (
        "OptionError O004: no specializer is called 'stensil'\n"
        "  why:  the packages installed here register none of that name\n"
        "  try:  did you mean 'stencil'?\n"
        "  more: %sejits explain O004"
    )


def test_o006_a_diff_with_what_is_no_kernel() -> None:
    def copy(u, out):  # type: ignore[no-untyped-def]
        for x in out.all_points():
            out[x] = u[x]

    names = {"copy": sj.stencil(copy), "other": 3}
    with pytest.raises(OptionError) as caught:
        named_kernel("copi", names)
    assert str(caught.value).splitlines()[0].endswith("O006: --diff copi: no kernel has that name")
    assert "did you mean 'copy'?" in str(caught.value)
    with pytest.raises(OptionError, match="O006"):
        named_kernel("other", names)


@pytest.mark.parametrize(
    ("code", "message", "hint", "wanted"),
    [
        ("O001", "unknown option 'tun'", "did you mean 'tune'?", {"tun": "quick"}),
        ("O002", "tune is 'quik'", "did you mean 'quick'?", {"tune": "quik"}),
        ("O002", "check is 'none'", "one of: fast, off, strict", {"check": "none"}),
        ("O002", "budget is 0", "a positive number of seconds", {"budget": 0}),
    ],
)
def test_the_decorator_checks_its_options(
    code: str, message: str, hint: str, wanted: dict[str, Any]
) -> None:
    with pytest.raises(OptionError) as caught:
        sj.stencil(**wanted)
    assert str(caught.value).splitlines() == [
        f"OptionError {code}: {message}",
        f"  why:  {options.RULES[code].why}",
        f"  try:  {hint}",
        f"  more: %sejits explain {code}",
    ]


# -- completeness


def test_every_code_has_a_wrong_program() -> None:
    tested = {path.stem for path in FILES.glob("*.txt")}
    tested |= {name[5:9].upper() for name in globals() if re.match(r"test_[a-z]\d{3}_", name)}
    assert sorted(EVERY_RULE.keys() - tested) == []
    assert sorted(tested - EVERY_RULE.keys()) == []


def test_every_raise_site_uses_a_known_code_and_every_code_a_raise_site() -> None:
    raised = set()
    for path in PACKAGE.rglob("*.py"):
        for n in ast.walk(ast.parse(path.read_text("utf-8"))):
            arguments = n.args if isinstance(n, ast.Call) else []
            texts = (str(a.value) for a in arguments if isinstance(a, ast.Constant))
            raised |= {text for text in texts if re.fullmatch(r"[A-Z]\d{3}", text)}
    known = EVERY_RULE | doctor.BACKEND_RULES
    assert sorted(raised - known.keys()) == []
    assert sorted(known.keys() - raised) == []


def test_explain_knows_every_code() -> None:
    for code in EVERY_RULE | doctor.BACKEND_RULES:
        text = doctor.explain(code.lower())
        assert text.startswith(f"{code}: ")
        assert not re.search(r"\{\w+(!r)?\}", text)  # every template is filled in


# -- the caret


@pytest.mark.parametrize(
    "line",
    [
        "out[x] = u[x] * «unknown»",
        "größe = u[x]; out[x] = größe * «unknown»",
        "长度 = u[x]; out[x] = 长度 * «unknown»",
        "out[x] = u[x] + «长度»",
        "e\u0301 = u[x]; out[x] = e\u0301 * «unknown»",
        "out[x] = u[x]\t+\t«unknown»",
        "out[x] = u[x] + «word[u[x]]»",
        'label = «"长🙂"»; out[x] = u[x]',
    ],
)
@pytest.mark.parametrize("indent", ["    ", "\t"], ids=["blanks", "tab"])
def test_the_caret_stands_under_exactly_the_offending_expression(
    line: str, indent: str, run_cell: RunCell
) -> None:
    before, offending, _ = re.split("[«»]", line)
    body = re.sub("[«»]", "", line)
    head = f"%%stencil --on u\ndef k(u, out):\n{indent}for x in out.interior_points():\n"
    error = run_cell(f"{head}{indent * 2}{body}\n")
    text, carets = str(error).splitlines()[2:4]
    gutter = text[: text.index("|") + 2]
    assert text == f"{gutter}{indent * 2}{body}"
    start = _column(gutter + indent * 2 + before)
    assert _column(carets[: carets.index("^")]) == start
    assert carets.count("^") == wcswidth(offending)


def _column(text: str) -> int:
    """Columns that a terminal gives to *text*: tabs stop at every eighth, wide characters take two."""
    column = 0
    for piece in re.split("(\t)", text):
        column = column // 8 * 8 + 8 if piece == "\t" else column + wcswidth(piece)
    return column


def test_an_expression_over_several_lines_is_marked_to_the_end_of_its_first(
    run_cell: RunCell,
) -> None:
    cell = "%%stencil --on u\ndef k(u, out):\n    for x in out.interior_points():\n"
    error = run_cell(f"{cell}        out[x] = sqrt(\n            u[x], 2.0)\n")
    assert str(error).splitlines()[1:4] == [
        "  Cell In[7], line 4",
        "    4 |         out[x] = sqrt(",
        "      |                  ^^^^^ 2 given",
    ]


@pytest.mark.parametrize("odd", ["\f", "\x1c", "\u2028", "\x85"], ids=ascii)
def test_lines_are_counted_as_python_counts_them(odd: str, run_cell: RunCell) -> None:
    """A form feed or a line separator in a comment ends no line."""
    cell = (
        f"%%stencil --on u\ndef k(u, out):  # page{odd}break\n    for x in out.interior_points():\n"
    )
    found = run_cell(f"{cell}        out[x] = u[x] + unknown\n").diagnostics[0]
    assert (found.line, found.text) == (4, "        out[x] = u[x] + unknown")
    assert found.text[found.col : found.end_col] == "unknown"


# -- several mistakes


@pytest.mark.parametrize("mistakes", [2, 5, 6, 8])
def test_the_first_five_mistakes_are_shown_in_order_of_place(
    mistakes: int, run_cell: RunCell
) -> None:
    names = [f"missing_{n}" for n in range(mistakes)]
    cell = "%%stencil --on u\ndef k(u, out):\n    for x in out.interior_points():\n"
    # the last line holds two of them: places are ordered within a line, too
    lines = [f"        out[x] = u[x] + {name}\n" for name in names[:-2]]
    lines.append(f"        out[x] = {names[-2]} + u[x] * {names[-1]}\n")
    error = run_cell(cell + "".join(lines))
    shown = re.findall(r"^StencilError L013: name '(\w+)' is not defined$", str(error), re.M)
    assert shown == names[: errors.MOST_AT_ONCE]
    assert [d.message for d in error.diagnostics] == [f"name {n!r} is not defined" for n in names]
    tail = str(error).splitlines()[-1]
    assert tail == (
        f"... and {mistakes - 5} more" if mistakes > 5 else "  more: %sejits explain L013"
    )


# -- what a failure leaves behind


WRONG = "def k(u, out):\n    for x in out.interior_points():\n        out[x] = u[x] @ u[x]\n"


def test_a_failed_cell_binds_nothing(notebook: Any, run_cell: RunCell) -> None:
    notebook.user_ns.pop("k", None)
    for line in ("--on u", "--on nowhere", "--tun quick --on u", "k --on u -b c"):
        run_cell(f"%%stencil {line}\n{WRONG}")
        assert "k" not in notebook.user_ns


def test_a_failed_cell_rebinds_nothing(notebook: Any, run_cell: RunCell) -> None:
    notebook.user_ns["k"] = before = object()
    run_cell(f"%%stencil --on u\n{WRONG}")
    assert notebook.user_ns["k"] is before


@sj.stencil
def copy(u, out):  # type: ignore[no-untyped-def]  # kernels carry no types
    for x in out.interior_points():
        out[x] = u[x]


def first_larger(u, out):  # type: ignore[no-untyped-def]  # a kernel
    for x in out.interior_points():
        both = [u[x], 0.5]
        out[x] = max(both)


def test_the_decorator_warns_once_and_runs_the_plain_python() -> None:
    kernel = sj.stencil(first_larger)
    line = first_larger.__code__.co_firstlineno + 2
    with pytest.warns(SejitsWarning) as said:
        results = [kernel(U), kernel(U), kernel(U[:4])]
    assert len(said) == 1
    text = str(said[0].message)
    assert text.startswith("first_larger runs as plain Python")
    assert "StencilError L011: a list is not in the language\n" in text
    assert f"test_diagnostics.py, line {line}\n" in text
    assert f"    {line} |         both = [u[x], 0.5]\n" in text
    assert said[0].filename == __file__
    for got, u in zip(results, (U, U, U[:4]), strict=True):
        wanted = np.zeros_like(u)
        wanted[1:-1, 1:-1] = np.maximum(u, 0.5)[1:-1, 1:-1]
        assert np.array_equal(got, wanted)


def test_the_decorator_raises_without_a_fallback() -> None:
    kernel = sj.stencil(fallback=False)(first_larger)
    out = np.full((8, 8), 7.0)
    with pytest.raises(StencilError, match="a list is not in the language"):
        kernel(U, out)
    assert (out == 7.0).all()
