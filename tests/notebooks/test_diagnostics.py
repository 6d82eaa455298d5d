"""What a refused cell leaves in the notebook: a short, real error, and the names as they were."""

from __future__ import annotations

from typing import Any

import pytest
from nbclient.exceptions import CellExecutionError

BAD = """\
%%stencil blur --on "img, 1"
def blur(u, out, k):
    for x in out.interior_points():
        out[x] = u[x + (0, k)]
"""
DIAGNOSTIC = """\
StencilError S012: neighbor offset must be constant
  Cell In[{count}], line 4
    4 |         out[x] = u[x + (0, k)]
      |                        ^^^^^^ runtime value
  why:  tiling needs a fixed halo
  try:  u[x + (0, 1)]
  more: %sejits explain S012"""


@pytest.fixture(scope="module")
def done(run: Any) -> Any:
    """Cells 2 to 6: a refused cell, what is left; an unknown flag, a bad --on, invalid Python."""
    return run(
        run.setup,
        "%%stencil blur --on img" + run.body,
        BAD,
        "bool(abs(blur(img) - blur.reference(img)).max() < 1e-12)",
        "%%stencil blur --oon img" + run.body,
        "%%stencil blur --on imag" + run.body,
        "%%stencil blur --on img\ndef blur(u, out:\n    pass\n",
        "%%stencil fresh --on img\ndef fresh(u, out):\n    out[0] = u[0]\n",
        "'fresh' in globals()",
        "%%stencil blur -b fortran --on img" + run.body,
        "%sejits docter",
    )


def test_a_refused_cell_is_an_error_output_without_frames(done: Any) -> None:
    (error,) = done.outputs(2)
    expected = DIAGNOSTIC.format(count=3)
    assert (error.output_type, error.ename) == ("error", "StencilError")
    assert error.evalue == expected
    assert error.traceback == expected.splitlines()


def test_the_cell_number_is_the_one_that_the_notebook_saves(done: Any) -> None:
    for number in (2, 6, 7):
        count = done.node.cells[number].execution_count
        assert count == number + 1
        assert f"Cell In[{count}], line " in done.outputs(number, "error")[0].evalue


def test_the_name_from_before_is_untouched(done: Any) -> None:
    assert done.text(3) == "True"


def test_a_refused_cell_binds_no_new_name(done: Any) -> None:
    assert done.text(8) == "False"


@pytest.mark.parametrize(
    ("number", "name", "said"),
    [
        (4, "OptionError", "did you mean '--on'?"),
        (5, "OptionError", "NameError: name 'imag' is not defined"),
        (6, "StencilError", "L001"),
        (7, "StencilError", "S001"),
        (9, "OptionError", "openmp"),
        (10, "OptionError", "did you mean 'doctor'?"),
    ],
)
def test_every_kind_of_mistake_is_an_error_output(
    done: Any, number: int, name: str, said: str
) -> None:
    (error,) = done.outputs(number)
    assert error.ename == name
    assert said in error.evalue
    assert not any("site-packages" in line or "sejits_nb/" in line for line in error.traceback)


def test_run_all_stops_at_a_refused_cell(run: Any) -> None:
    with pytest.raises(CellExecutionError) as caught:
        run(run.setup, BAD, "after = 1", allow_errors=False)
    cells = caught.value.args[-1].node.cells
    assert [cell.execution_count for cell in cells] == [1, 2, None]
    assert cells[1].outputs[0].evalue == DIAGNOSTIC.format(count=2)
