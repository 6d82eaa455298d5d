"""Kernels from text: what a test varies is a part of the program."""

from __future__ import annotations

import linecache
import math
import types
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import pytest

import sejits_nb as sj
from sejits_nb import registry

MakeKernel = Callable[..., Any]
_numbers = count()


@pytest.fixture
def make() -> MakeKernel:
    """``make(text, names, **options)``: the last function of *text* as a kernel, and its module.

    The source can be read, as a file's can; a test may change in the module what was captured.
    """

    def make_kernel(
        text: str, names: dict[str, Any] | None = None, **options: Any
    ) -> tuple[Any, types.ModuleType]:
        place = f"<acceptance {next(_numbers)}>"
        linecache.cache[place] = (len(text), None, text.splitlines(keepends=True), place)
        module = types.ModuleType("acceptance")
        vars(module).update(names or {}, np=np, math=math, sj=sj)
        exec(compile(text, place, "exec"), vars(module))
        last = [v for v in vars(module).values() if isinstance(v, types.FunctionType)][-1]
        return sj.stencil(last, **({"fallback": False} | options)), module

    return make_kernel


def body(*lines: str, params: str = "u, out", before: str = "") -> str:
    """A kernel ``k`` whose sweep has *lines*; ``before`` stands before the sweep."""
    inner = "\n".join(f"        {row}" for line in lines for row in line.split("\n"))
    head = f"def k({params}):\n" + (f"    {before}\n" if before else "")
    return f"{head}    for x in out.interior_points():\n{inner}\n"


BOTH = {"test_kernels", "test_boundaries", "test_integers"}
"""Modules whose kernels run on both platforms."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    module = metafunc.module.__name__.rpartition(".")[2]
    if module in BOTH and "pins" not in metafunc.fixturenames:
        opencl = pytest.param("opencl", marks=pytest.mark.platforms)
        metafunc.parametrize("first_platform", ["openmp", opencl], indirect=True)


@pytest.fixture(autouse=True)
def first_platform(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """``auto`` takes this platform first, where a module runs on both; it must be there."""
    wanted = getattr(request, "param", None)
    if wanted:
        assert registry.platform(wanted).probe().usable
        monkeypatch.setattr(registry, "PREFERENCE", (wanted, *registry.PREFERENCE))
