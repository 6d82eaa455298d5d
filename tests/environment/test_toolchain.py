"""A compiler and flags for one kernel: ``cc=`` and ``cflags=`` of a decorator, as of a magic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sejits_nb as sj

from .conftest import needs_gcc

pytestmark = needs_gcc
GRID = np.random.default_rng(0).random((9, 11)) + 1.5


def root_sum(**options: Any) -> Any:
    @sj.stencil(backend="c", fallback=False, **options)  # type: ignore[untyped-decorator]
    def kernel(u: Any, out: Any) -> None:
        for x in out.interior_points():
            out[x] = sqrt(u[x]) + u[x + (0, 1)]  # type: ignore[name-defined]  # noqa: F821

    return kernel


def test_flags_reach_the_compiler_and_the_key() -> None:
    plain, flagged = root_sum(), root_sum(cflags="-O1 -DSOME='a b'")
    assert np.array_equal(plain(GRID), flagged(GRID))
    assert flagged.build.command[-6:-4] == ("-O1", "-DSOME=a b")
    assert "-O1" not in plain.build.command
    assert plain._last.artifact.key != flagged._last.artifact.key
    assert plain._source.identity != flagged._source.identity


def test_flags_that_change_the_result_are_caught() -> None:
    with pytest.raises(sj.WrongResult, match="equals the plain Python"):
        root_sum(cflags="-Dsqrt=fabs")(GRID)


@pytest.mark.needs("clang")
def test_the_compiler_of_one_kernel() -> None:
    kernel = root_sum(cc="clang")
    kernel(GRID)
    assert kernel.build.command[0].endswith("clang")
    kernel = root_sum()
    kernel(GRID)
    assert not kernel.build.command[0].endswith("clang")


@pytest.mark.parametrize("backend", ["c", "auto", ("openmp", "c")])
def test_a_compiler_that_is_not_there(backend: Any) -> None:
    @sj.stencil(cc="/no/such/cc", backend=backend, fallback=False)  # type: ignore[untyped-decorator]
    def copy(u: Any, out: Any) -> None:
        for x in out.interior_points():
            out[x] = u[x]

    with pytest.raises(sj.BackendError, match="'/no/such/cc', which --cc") as raised:
        copy(GRID)
    assert raised.value.code == "B001"


def test_a_decorator_says_so_and_falls_back() -> None:
    @sj.stencil(cc="/no/such/cc")  # type: ignore[untyped-decorator]
    def copy(u: Any, out: Any) -> None:
        for x in out.interior_points():
            out[x] = u[x]

    with pytest.warns(sj.kernel.SejitsWarning, match="'/no/such/cc', which --cc"):
        assert np.array_equal(copy(GRID), GRID)


def test_opencl_has_no_c_compiler() -> None:
    @sj.stencil(backend="opencl", cflags="-O1", fallback=False)  # type: ignore[untyped-decorator]
    def copy(u: Any, out: Any) -> None:
        for x in out.interior_points():
            out[x] = u[x]

    with pytest.raises(sj.BackendError, match="--cc and --cflags are for C compilers"):
        copy(GRID)


def test_flags_that_cannot_be_read() -> None:
    with pytest.raises(sj.OptionError, match='cflags is "-D\'open"') as raised:
        root_sum(cflags="-D'open")
    assert raised.value.code == "O002"
