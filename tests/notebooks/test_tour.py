"""The tour as ``make demo`` runs it, with a compiler and without one, and what it leaves behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).parents[2]
TOUR = ROOT / "notebooks" / "00_tour.ipynb"
KERNELS = ["blur", "laplacian", "divergence", "heat"]
UNCHECKED = """\
%%stencil --check off --set unroll=1 --on [[1.0]*9]*9
def double(u, out):
    for x in out.interior_points():
        out[x] = 2.0 * u[x]
"""
NO_COMPILER = {"SEJITS_CC": "/nonexistent/cc", "PATH": "/nonexistent"}
NATIVE = re.compile(
    r"(\w+) +\d\S* (?:s|ms|µs) +[\d ]+× faster  \d lines of Python → \d+ lines of (?:OpenCL )?C"
    r"  (\w+)  correct"
)


class Demo(NamedTuple):
    status: int
    said: str
    notebook: Any
    page: str

    def cell(self, id: str) -> Any:
        return next(cell for cell in self.notebook.cells if cell.id == id)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def demo(to: Path, notebook: Path = TOUR, /, **env: str) -> Demo:
    command = (sys.executable, ROOT / "notebooks" / "run.py", notebook, "--to", to)
    done = subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    page = to / notebook.with_suffix(".html").name
    return Demo(
        done.returncode,
        done.stdout + done.stderr,
        read(to / notebook.name),
        page.read_text(encoding="utf-8"),
    )


def cells_with_errors(notebook: Any) -> list[str]:
    return [
        cell.id
        for cell in notebook.cells
        if any(output.output_type == "error" for output in cell.get("outputs", ()))
    ]


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return demo(tmp_path_factory.mktemp("plain"), **NO_COMPILER, OCL_ICD_VENDORS="/nonexistent")


def test_the_tour_is_saved_clean() -> None:
    tour = read(TOUR)
    nbformat.validate(tour)
    assert (tour.nbformat, tour.nbformat_minor) == (4, 5)
    assert tour.metadata.kernelspec.name == "python3"
    ran = [c for c in tour.cells if c.cell_type == "code" and (c.outputs or c.execution_count)]
    assert ran == []


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_every_kernel_of_the_tour_is_native_and_correct(native: Demo) -> None:
    assert native.status == 0, native.said
    assert [name for name, _ in NATIVE.findall(native.said)] == KERNELS, native.said


@pytest.mark.slow
def test_only_the_wrong_cell_fails_and_it_binds_nothing(native: Demo) -> None:
    assert cells_with_errors(native.notebook) == ["wrong"]
    error = native.cell("wrong").outputs[0]
    assert error.ename == "StencilError"
    assert f"Cell In[{native.cell('wrong').execution_count}], line 4" in error.evalue
    assert native.cell("still").outputs[0].data["text/plain"] == "True"


@pytest.mark.slow
def test_the_tours_own_checks_hold(native: Demo) -> None:
    def said(id: str) -> str:
        return "".join(output.text for output in native.cell(id).outputs)

    assert "checked: True" in said("check")
    assert "[6.]" in said("divergence-check")
    assert "[4.]" in said("divergence-check")
    assert "same as the plain Python: True" in said("script-run")
    assert "works" in said("doctor")


@pytest.mark.slow
def test_of_the_explorer_its_text_stays(native: Demo) -> None:
    (shown,) = native.cell("explore").outputs
    text = "<explorer of blur: Cell In[2], DAST as parsed, DAST optimised, PAST, variant PAST, C>"
    assert shown.data == {"text/plain": text}
    assert text.replace("<", "&lt;").replace(">", "&gt;") in native.page
    assert "widgets" not in native.notebook.metadata


@pytest.mark.slow
def test_the_web_page_needs_no_network(native: Demo) -> None:
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", native.page)
    assert "@import" not in native.page
    assert "× faster than Python" in native.page


@pytest.mark.timeout(240)
def test_without_a_compiler_the_tour_runs_as_plain_python(plain: Demo) -> None:
    assert plain.status == 0, plain.said
    assert plain.said.count("runs as plain Python") >= len(KERNELS)
    assert not NATIVE.search(plain.said)
    assert cells_with_errors(plain.notebook) == ["wrong"]
    assert "runs as plain Python" in plain.cell("blur").outputs[-1].data["text/plain"]
    said = plain.cell("doctor").outputs[0].text
    assert "pip install ziglang" in said
    assert 'pip install "sejits_nb[opencl]"' in said


@pytest.mark.platforms
@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("env", "platforms"),
    [(NO_COMPILER, {"opencl"}), ({"PATH": "/nonexistent"}, {"c", "opencl"})],
    ids=["PoCL with the linker of the ziglang wheel", "the ziglang wheel's compiler"],
)
def test_the_wheels_carry_the_tour_where_the_path_is_empty(
    env: dict[str, str], platforms: set[str], tmp_path: Path
) -> None:
    ran = demo(tmp_path, **env, SEJITS_CACHE_DIR=str(tmp_path / "cache"))
    assert ran.status == 0, ran.said
    found = NATIVE.findall(ran.said)
    assert [name for name, _ in found] == list(KERNELS), ran.said
    assert {platform for _, platform in found} <= platforms  # they race
    assert cells_with_errors(ran.notebook) == ["wrong"]


@pytest.mark.parametrize(
    ("cell", "said"),
    [("raise ValueError('planted')", "planted"), (UNCHECKED, "UNCHECKED")],
    ids=["a failing cell", "an unchecked kernel"],
)
def test_run_py_ends_with_status_1_after(cell: str, said: str, tmp_path: Path) -> None:
    cells = [new_code_cell("%load_ext sejits_nb"), new_code_cell(cell)]  # type: ignore[no-untyped-call]
    notebook = new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    nbformat.write(notebook, tmp_path / "planted.ipynb")  # type: ignore[no-untyped-call]
    done = demo(tmp_path / "out", tmp_path / "planted.ipynb")
    assert done.status == 1
    assert said in done.said
