"""Notebooks run headless, each in a new kernel of this Python."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

SUMMARY = "application/vnd.sejits.summary+json"


@dataclass(frozen=True)
class Executed:
    """A notebook after *Run All*; cells are numbered from 0."""

    node: Any

    def outputs(self, number: int, kind: str = "") -> list[Any]:
        """The outputs of a cell, of one type if given: ``error``, ``stream``, ``display_data``."""
        return [o for o in self.node.cells[number].outputs if kind in ("", o.output_type)]

    def summary(self, number: int) -> dict[str, Any]:
        """What the only card of a cell says in numbers."""
        (found,) = [o.data[SUMMARY] for o in self.outputs(number) if SUMMARY in o.get("data", {})]
        return dict(found)

    def text(self, number: int) -> str:
        """The plain text of a cell's last output."""
        return str(self.outputs(number)[-1].data["text/plain"])


class Runner:
    """``run(cell, cell, ..., env={})``: run the cells in order; errors do not stop it unless asked."""

    setup = """\
%load_ext sejits_nb
import numpy as np
img = np.random.default_rng(0).random((48, 64))"""
    body = """
def blur(u, out):
    for x in out.interior_points():
        acc = 4.0 * u[x]
        for y in u.neighbors(x, 1):
            acc += u[y]
        out[x] = acc / 8.0
"""

    def __call__(
        self, *cells: str, env: Mapping[str, str] | None = None, allow_errors: bool = True
    ) -> Executed:
        done = Executed(new_notebook(cells=[new_code_cell(text) for text in cells]))  # type: ignore[no-untyped-call]
        kernels = KernelSpecManager(kernel_dirs=[])
        client = NotebookClient(
            done.node,
            km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=kernels),
            timeout=100,
            allow_errors=allow_errors,
            extra_arguments=["--log-level=ERROR"],
        )
        try:
            client.execute(env={**os.environ, **(env or {})}, cleanup_kc=True)
        except Exception as error:
            error.args = (*error.args, done)
            raise
        return done


@pytest.fixture(scope="session")
def run() -> Runner:
    return Runner()
