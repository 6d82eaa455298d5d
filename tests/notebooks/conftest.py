"""Notebooks run headless, in kernels of this Python: ``run(cells)`` gives the executed notebook."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

SUMMARY = "application/vnd.sejits.summary+json"
SETUP = """\
%load_ext sejits_nb
import numpy as np
img = np.random.default_rng(0).random((48, 64))"""
BLUR_BODY = """\
def blur(u, out):
    for x in out.interior_points():
        acc = 4.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = acc / 8.0
"""
BLUR = "%%stencil blur --on img\n" + BLUR_BODY

Run = Callable[..., nbformat.NotebookNode]


def execute(
    cells: Sequence[str], *, env: Mapping[str, str] | None = None, allow_errors: bool = True
) -> nbformat.NotebookNode:
    """The notebook of *cells* after Run All in a new kernel; *env* is added to our environment."""
    notebook = new_notebook(cells=[new_code_cell(text) for text in cells])  # type: ignore[no-untyped-call]
    kernels = KernelSpecManager(kernel_dirs=[])
    client = NotebookClient(
        notebook,
        km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=kernels),
        timeout=100,
        allow_errors=allow_errors,
        extra_arguments=["--log-level=ERROR"],
    )
    client.execute(env={**os.environ, **(env or {})})
    return notebook


@pytest.fixture(scope="session")
def run() -> Run:
    """:func:`execute`."""
    return execute


def outputs_of(cell: Any, kind: str) -> list[Any]:
    """The outputs of a cell of one type: ``error``, ``stream``, ``display_data`` ..."""
    return [output for output in cell.outputs if output.output_type == kind]


def summary_of(cell: Any) -> dict[str, Any]:
    """What the card of a cell says in numbers; the cell has exactly one card."""
    (found,) = [o.data[SUMMARY] for o in cell.outputs if SUMMARY in o.get("data", {})]
    return dict(found)


def text_of(cell: Any) -> str:
    """The plain text of a cell's last result."""
    return str(cell.outputs[-1].data["text/plain"])
