"""Unproven code: right, wrong, harmful, deadly, endless; none of it reaches this process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sejits_nb import config
from sejits_nb.ir.dtypes import from_numpy
from sejits_nb.phase5_backend import trial
from sejits_nb.phase5_backend.compile_c import compile_source
from sejits_nb.stages import (
    ArrayType,
    Artifact,
    Case,
    Expectation,
    ScalarType,
    Signature,
    SourceUnit,
)

Build = Callable[..., Artifact]
U, OUT = "const f64*u", "f64*out"
DOUBLE = "for (int i = 0; i < 6; ++i) out[i] = 2.0 * u[i];"


@pytest.fixture
def build(make_unit: Callable[..., SourceUnit]) -> Build:
    return lambda *text: compile_source(make_unit(*text), True)


@pytest.fixture(scope="module", autouse=True)
def _end_the_child() -> Iterator[None]:
    yield
    trial.close()


def kind_of(value: Any) -> ArrayType | ScalarType:
    dtype = from_numpy(np.asarray(value).dtype)
    assert dtype is not None
    if not isinstance(value, np.ndarray):
        return ScalarType(dtype)
    return ArrayType(dtype, value.shape, tuple(s // value.itemsize for s in value.strides))


def case(
    values: dict[str, Any], expected: Any = None, tolerance: Any = 0.0, where: Any = ...
) -> Case:
    """``out[where]`` must hold *expected*; nothing is expected without it."""
    told = () if expected is None else (Expectation("out", where, expected, tolerance),)
    kinds = tuple((name, kind_of(value)) for name, value in values.items())
    return Case(Signature(kinds), values, told, "small grid")


def doubling(expected: Any, tolerance: Any = 0.0, where: Any = ...) -> Case:
    u = np.arange(6.0).reshape(2, 3)
    return case({"u": u, "out": np.zeros((2, 3))}, expected, tolerance, where)


def test_right_code_passes_and_touches_nothing_here(build: Build) -> None:
    made = build(DOUBLE, U, OUT)
    tried = doubling(2.0 * np.arange(6.0).reshape(2, 3))
    assert trial.run_trial(made, tried) == ""
    assert not tried.values["out"].any()
    for where in (np.s_[1:, ::2], (np.array([1, 0]), np.array([2, 1])), np.eye(2, 3, dtype=bool)):
        expected = (2.0 * tried.values["u"])[where]
        assert trial.run_trial(made, doubling(expected, where=where)) == ""


@pytest.mark.parametrize(
    "where",
    [
        ...,
        np.s_[1:, ::2],
        (np.array([0, 1]), np.array([1, 2])),
        np.array([[0, 1, 0], [0, 0, 1]]) > 0,
    ],
    ids=["all", "slices", "points", "mask"],
)
def test_a_wrong_value_is_named_with_its_place_in_the_array(build: Build, where: Any) -> None:
    expected = 2.0 * np.arange(6.0).reshape(2, 3)
    expected[1, 2] = 1.25
    assert trial.run_trial(build(DOUBLE, U, OUT), doubling(expected[where], where=where)) == (
        "out[1, 2] is 10.0, the plain Python gives 1.25 (small grid)"
    )


def test_within_tolerance_is_right_and_beyond_is_wrong(build: Build) -> None:
    made = build(DOUBLE, U, OUT)
    right = 2.0 * np.arange(6.0).reshape(2, 3)
    assert trial.run_trial(made, doubling(right + 1e-9, 1e-8)) == ""
    assert trial.run_trial(made, doubling(right + 1e-9, 1e-10)).startswith("out[0, 0] is 0.0")
    assert trial.run_trial(made, doubling(right + 1e-9)).startswith("out[0, 0] is 0.0")
    uneven = np.full((2, 3), 1e-8)
    uneven[1, 0] = 0.0
    assert trial.run_trial(made, doubling(right + 1e-9, uneven)).startswith("out[1, 0] is 6.0")


@pytest.mark.parametrize("tolerance", [0.0, 1e-3])
def test_special_values(build: Build, tolerance: float) -> None:
    made = build("for (int i = 0; i < 3; ++i) out[i] = u[i];", U, OUT)
    nan, inf = float("nan"), float("inf")

    def verdict(got: list[float], want: list[float]) -> str:
        values = {"u": np.array(got), "out": np.zeros(3)}
        return trial.run_trial(made, case(values, np.array(want), tolerance))

    assert verdict([nan, inf, -inf], [nan, inf, -inf]) == ""
    assert verdict([nan, -nan, 0.0], [-nan, nan, 0.0]) == ""
    assert verdict([1.0, nan, 1.0], [1.0] * 3).startswith("out[1] is nan, the plain Python gives 1")
    assert verdict([1.0] * 3, [1.0, 1.0, nan]).startswith("out[2] is 1.0, the plain Python gives n")
    assert verdict([inf, 0.0, 0.0], [-inf, 0.0, 0.0]).startswith("out[0] is inf")
    assert verdict([1e308, 0.0, 0.0], [inf, 0.0, 0.0]).startswith("out[0] is 1e+308")
    assert bool(verdict([-0.0, 0.0, 0.0], [0.0, 0.0, 0.0])) == (tolerance == 0.0)


@pytest.mark.parametrize(
    ("dtype", "value"),
    [("f4", 0.1), ("f8", 0.1), ("f8", float("nan")), ("f4", float("-inf")), ("i1", -128),
     ("i8", -(2**63)), ("u8", 2**64 - 1), ("u2", 65535), ("i4", -7), ("?", True), ("?", False)],
)  # fmt: skip
def test_scalars_of_every_type_arrive(build: Build, dtype: str, value: Any) -> None:
    scalar = np.dtype(dtype).type(value)
    kind = from_numpy(scalar.dtype)
    made = build("out[0] = a;", f"{kind}*out", f"{kind} a")
    values = {"out": np.array([not value] if dtype == "?" else [0], dtype), "a": scalar}
    assert trial.run_trial(made, case(values, np.array([scalar]))) == ""
    wrong = np.array([not value] if dtype == "?" else [0], dtype)
    assert trial.run_trial(made, case(values, wrong)).startswith(f"out[0] is {scalar}, ")


LAYOUTS: dict[str, Callable[[], Any]] = {
    "C": lambda: np.zeros((4, 5)),
    "Fortran": lambda: np.zeros((4, 5), order="F"),
    "strided": lambda: np.zeros((12, 10))[::3, ::2],
    "reversed": lambda: np.zeros((4, 5))[::-1, ::-1],
    "mixed": lambda: np.zeros((5, 8)).T[::-2],
    "column": lambda: np.zeros((4, 9))[:, 3:8],
    "one row": lambda: np.zeros((1, 5))[::-1],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_strides_are_kept(build: Build, layout: str) -> None:
    out = LAYOUTS[layout]()
    u = LAYOUTS[layout]()
    u[...] = np.arange(float(u.size)).reshape(u.shape)
    (ny, nx), (sy, sx) = u.shape, (s // 8 for s in u.strides)
    loops = f"for (int y = 0; y < {ny}; ++y) for (int x = 0; x < {nx}; ++x)"
    at = f"y * {sy} + x * {sx}"
    made = build(f"{loops} out[{at}] = u[{at}] + 1.0;", U, OUT)
    values = {"u": u, "out": out}
    assert trial.run_trial(made, case(values, u + 1.0)) == ""
    wrong = u + 1.0
    wrong[-1, 1] = 0.5
    place = f"out[{ny - 1}, 1] is {u[-1, 1] + 1.0}, the plain Python gives 0.5 (small grid)"
    assert trial.run_trial(made, case(values, wrong)) == place


@pytest.mark.parametrize("offset", range(0, 64, 8))
def test_arrays_keep_their_alignment(build: Build, offset: int) -> None:
    """Code that is right only for aligned arrays must not pass on ours and fail on the user's."""
    room = np.zeros(32)
    start = (-(room.ctypes.data // 8) % 8) + offset // 8
    out = room[start : start + 4]
    assert out.ctypes.data % 64 == offset
    made = build("out[0] = (double)((uintptr_t)out % 64);", OUT)
    assert trial.run_trial(made, case({"out": out}, float(offset), where=0)) == ""


def test_arrays_without_elements(build: Build) -> None:
    made = build("(void)u;", U, OUT)
    values = {"u": np.zeros((0, 3)), "out": np.zeros((3, 0))}
    assert trial.run_trial(made, case(values, np.zeros((3, 0)))) == ""
    harmful = build("(void)u; out[0] = 1.0;", U, OUT)
    assert trial.run_trial(harmful, case(values)) == "writes outside of out (small grid)"


@pytest.mark.parametrize("index", [-1, 6, 20, -500])
def test_a_write_outside_of_an_array_is_seen(build: Build, index: int) -> None:
    made = build(f"{DOUBLE}\nout[{index}] = 1.0;", U, OUT)
    right = 2.0 * np.arange(6.0).reshape(2, 3)
    assert trial.run_trial(made, doubling(right)) == "writes outside of out (small grid)"
    assert trial.run_trial(build(DOUBLE, U, OUT), doubling(right)) == ""


def test_a_write_between_the_elements_is_seen(build: Build) -> None:
    values = {"out": np.zeros(12)[::4]}
    assert trial.run_trial(build("out[4] = 0.0;", OUT), case(values, np.zeros(3))) == ""
    said = trial.run_trial(build("out[5] = 0.0;", OUT), case(values, np.zeros(3)))
    assert said == "writes outside of out (small grid)"


def test_a_changed_input_is_seen(build: Build) -> None:
    made = build("((double *)u)[4] = 9.5; out[0] = 0.0;", U, OUT)
    said = trial.run_trial(made, doubling(None))
    assert said == "changes its input: u[1, 1] was 4.0, is 9.5 (small grid)"
    assert trial.run_trial(replace(made, params=(replace(made.params[0], const=False),
                                                 made.params[1])), doubling(None)) == ""  # fmt: skip


def test_a_change_far_inside_a_large_input_is_seen(build: Build) -> None:
    u = np.zeros((500, 1000))
    made = build("((double *)u)[431007] = 1.0; out[0] = 0.0;", U, OUT)
    said = trial.run_trial(made, case({"u": u, "out": np.zeros(1)}))
    assert said == "changes its input: u[431, 7] was 0.0, is 1.0 (small grid)"


def test_memory_grows_under_a_child_that_stays(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = build("out[n - 1] = u[n - 1] + 1.0;", U, OUT, "i64 n")
    trial.close()
    started: list[Any] = []
    start = subprocess.Popen

    def counted(*args: Any, **options: Any) -> subprocess.Popen[str]:
        started.append(args)
        return start(*args, **options)

    monkeypatch.setattr(subprocess, "Popen", counted)
    for size in (3, 1_000_000, 5, 2_000_000, 7):
        values = {"u": np.ones(size), "out": np.zeros(size), "n": np.int64(size)}
        assert trial.run_trial(made, case(values, [0.0, 2.0], where=[0, size - 1])) == ""
    assert len(started) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("*(volatile int *)0 = 1;", "killed by signal 11 (SIGSEGV)"),
        ('fputs("oh\\nno\\n", stderr); abort();', "killed by signal 6 (SIGABRT): no"),
        ("exit(3);", "ended by itself with status 3"),
        ("while (getpid()) ;", "no answer within 0.3 s"),
    ],
    ids=["segfault", "abort", "exit", "endless"],
)
def test_deadly_code_costs_only_the_child(
    build: Build, body: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "TRIAL_TIMEOUT_S", 0.3 if "answer" in said else 30.0)
    assert trial.run_trial(build(body, OUT), case({"out": np.zeros(3)})) == said
    good = build("out[0] = 1.0;", OUT)
    monkeypatch.setattr(config, "TRIAL_TIMEOUT_S", 30.0)
    assert trial.run_trial(good, case({"out": np.zeros(1)}, np.ones(1))) == ""


def test_code_is_not_blamed_for_what_earlier_code_did(build: Build) -> None:
    """The first passes its trial and leaves the child damaged; the second is innocent."""
    values = {"out": np.zeros(1)}
    vandal = build('setenv("DAMAGED", "1", 1); out[0] = 1.0;', OUT)
    innocent = build('if (getenv("DAMAGED")) abort(); out[0] = 2.0;', OUT)
    assert trial.run_trial(vandal, case(values, np.ones(1))) == ""
    assert trial.run_trial(innocent, case(values, np.full(1, 2.0))) == ""


def test_what_the_code_prints_is_not_an_answer(build: Build) -> None:
    made = build('puts("{\\"error\\": \\"no\\"}"); fflush(stdout); out[0] = 1.0;', OUT)
    assert trial.run_trial(made, case({"out": np.zeros(1)}, np.ones(1))) == ""
    assert trial.run_trial(made, case({"out": np.zeros(1)}, np.zeros(1))).startswith("out[0] is 1")


def test_a_library_that_cannot_be_loaded_is_a_reason(build: Build) -> None:
    made = replace(build("out[0] = 1.0;", OUT), entry="absent")
    said = trial.run_trial(made, case({"out": np.zeros(1)}))
    assert said.startswith("could not be loaded: ")
    assert "absent" in said


def test_the_child_has_our_environment(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    trial.close()
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    made = build('out[0] = atof(getenv("OMP_NUM_THREADS"));', OUT)
    assert trial.run_trial(made, case({"out": np.zeros(1)}, np.full(1, 3.0))) == ""
    trial.close()


def test_threads_wait_for_one_another(build: Build) -> None:
    made = build("usleep(1000); out[0] = u[0];", U, OUT)

    def one(number: int) -> str:
        values = {"u": np.full(1, float(number)), "out": np.zeros(1)}
        return trial.run_trial(made, case(values, values["u"]))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(40))) == [""] * 40


def test_without_anonymous_memory_a_temporary_file_serves(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.close()
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    right = 2.0 * np.arange(6.0).reshape(2, 3)
    assert trial.run_trial(build(DOUBLE, U, OUT), doubling(right)) == ""
    trial.close()


def test_memory_that_cannot_be_had_is_a_reason(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.close()

    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    said = trial.run_trial(build(DOUBLE, U, OUT), doubling(None))
    assert said.startswith("could not be tried: ")
    assert "No space left" in said


def test_a_forked_process_and_its_parent_share_nothing(build: Build) -> None:
    made = build("usleep(1000); out[0] = u[0];", U, OUT)
    code = (
        "import os\n"
        "import numpy as np\n"
        "from sejits_nb.ir.dtypes import F64; from sejits_nb.ir.past import Param\n"
        "from sejits_nb.phase5_backend import trial\n"
        "from sejits_nb.stages import *\n"
        "params = Param('u', F64, True), Param('out', F64, True, False)\n"
        f"made = Artifact('', {made.library!r}, '', 'kernel', params, BuildLog((), '', 0.0), True)\n"
        "kind = ArrayType(F64, (1,), (1,))\n"
        "signature = Signature((('u', kind), ('out', kind)))\n"
        "def failures(number, runs):\n"
        "    case = Case(signature, {'u': np.full(1, number), 'out': np.zeros(1)},\n"
        "                (Expectation('out', 0, number, 0.0),), '')\n"
        "    return sum(trial.run_trial(made, case) != '' for _ in range(runs))\n"
        "first = failures(1.0, 1)\n"
        "if (pid := os.fork()) == 0: os._exit(failures(2.0, 50))\n"
        "print(first, failures(3.0, 50), os.waitpid(pid, 0)[1])\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["0", "0", "0"], said.stderr
    assert said.stderr == ""
