"""Source to library: every compiler here, the cache, and all that can be wrong with a compiler."""

from __future__ import annotations

import ctypes
import dataclasses
import importlib.util
import os
import pickle
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sejits_nb import config
from sejits_nb.errors import BackendError, Diagnostic
from sejits_nb.phase5_backend import c_compiler, compile_c
from sejits_nb.stages import Artifact, SourceUnit

MakeUnit = Callable[..., SourceUnit]


def _ziglang() -> str:
    wheel = importlib.util.find_spec("ziglang")
    assert wheel is not None
    assert wheel.origin is not None
    return shlex.join([str(Path(wheel.origin).parent / "zig"), "cc"])


HERE = [name for name in ("gcc", "clang") if shutil.which(name)]
HERE += ["zig"] if importlib.util.find_spec("ziglang") else []


@pytest.fixture(params=HERE)
def compiler(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each compiler of this machine, chosen as a user does."""
    name: str = request.param
    monkeypatch.setenv("SEJITS_CC", _ziglang() if name == "zig" else name)
    return name


@pytest.fixture
def fake_cc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """``fake_cc(script)``: alone on the path, a ``cc`` that runs *script*, then the real compiler."""

    real, path = shutil.which("gcc") or shutil.which("clang"), os.environ["PATH"]
    assert real, "these tests need gcc or clang"

    def make(script: str, name: str = "cc") -> Path:
        fake = tmp_path / "bin" / name
        fake.parent.mkdir(exist_ok=True)
        fake.write_text(f'#!/bin/sh\nPATH={shlex.quote(path)}\n{script}\nexec {real} "$@"\n')
        fake.chmod(0o755)
        monkeypatch.delenv("CC", raising=False)
        monkeypatch.delenv("SEJITS_CC", raising=False)
        monkeypatch.setenv("PATH", str(fake.parent))
        return fake

    return make


def call(artifact: Artifact, *args: float) -> float:
    """What the artifact stores to its first parameter, an ``f64*``."""
    out = ctypes.c_double()
    getattr(ctypes.CDLL(artifact.library), artifact.entry)(
        ctypes.byref(out), *map(ctypes.c_double, args)
    )
    return out.value


def refused(unit: SourceUnit, exact: bool = False) -> Diagnostic:
    with pytest.raises(BackendError) as caught:
        compile_c.compile_source(unit, exact)
    return caught.value.diagnostics[0]


def test_every_compiler_here_builds_what_runs(compiler: str, make_unit: MakeUnit) -> None:
    unit = make_unit(f"out[0] = sqrt(a) + 1.0;  /* {compiler} */", "f64*out", "f64 a")
    made = compile_c.compile_source(unit, False)
    assert call(made, 2.25) == 2.5
    assert Path(made.source).read_bytes() == unit.text.encode()
    assert made.build.seconds > 0
    again = compile_c.compile_source(unit, False)
    assert (made.cached, again.cached) == (False, True)
    assert (again.key, again.library, again.build) == (made.key, made.library, made.build)
    found = compile_c.find_compiler()
    assert isinstance(found, compile_c.Compiler)
    assert found.family == compiler
    assert "/" not in found.version
    assert found.openmp == ("-fopenmp" in made.build.command)
    assert ("without OpenMP" in found.text) == (not found.openmp)
    assert made.build.command[:1] == found.command[:1]
    assert "-ffast-math" not in made.build.command


def test_nan_and_infinity_come_out_right(compiler: str, make_unit: MakeUnit) -> None:
    unit = make_unit("out[0] = a != a ? 1.0 : (isinf(a) ? 2.0 : 3.0);", "f64*out", "f64 a")
    made = compile_c.compile_source(unit, False)
    assert [call(made, x) for x in (float("nan"), float("-inf"), 0.0)] == [1.0, 2.0, 3.0]


def test_exact_builds_do_not_contract(compiler: str, make_unit: MakeUnit) -> None:
    unit = make_unit("out[0] = a * b + c;", "f64*out", "f64 a", "f64 b", "f64 c")
    exact, fast = (compile_c.compile_source(unit, e) for e in (True, False))
    a, b = 1 + 2.0**-30, 1 - 2.0**-30
    assert call(exact, a, b, -1.0) == a * b - 1.0 == 0.0
    assert call(fast, a, b, -1.0) in (0.0, -(2.0**-60))
    assert exact.key != fast.key


def test_a_second_process_finds_it(make_unit: MakeUnit) -> None:
    first = compile_c.compile_source(make_unit("out[0] = 41.0;", "f64*out"), True)
    code = (
        "import pickle, sys, time\n"
        "from sejits_nb.phase5_backend import c_compiler, compile_c\n"
        "unit = pickle.load(sys.stdin.buffer)\n"
        "c_compiler.run = None  # whoever runs a compiler fails\n"
        "start = time.perf_counter()\n"
        "made = compile_c.compile_source(unit, True)\n"
        "print(made.cached, made.key, time.perf_counter() - start < 0.05)\n"
    )
    unit = pickle.dumps(make_unit("out[0] = 41.0;", "f64*out"))
    said = subprocess.run(
        [sys.executable, "-c", code], input=unit, stdout=subprocess.PIPE, check=True
    )
    assert said.stdout.decode().split() == ["True", first.key, "True"]


@pytest.mark.parametrize("fresh", [True, False], ids=["fresh process", "same process"])
def test_a_damaged_library_is_compiled_again(
    own_cache: Path, make_unit: MakeUnit, fresh_memory: Callable[[], None], fresh: bool
) -> None:
    unit = make_unit("out[0] = 7.0;", "f64*out")
    library = Path(compile_c.compile_source(unit, False).library)
    library.write_bytes(library.read_bytes()[:1000])
    if fresh:
        fresh_memory()
    again = compile_c.compile_source(unit, False)
    assert not again.cached
    assert call(again) == 7.0


def test_paths_may_have_blanks_and_letters_of_any_script(
    own_cache: Path, tmp_path: Path, make_unit: MakeUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEJITS_CACHE_DIR", str(tmp_path / "mein Cache ü 日本 'q' \"d\""))
    made = compile_c.compile_source(make_unit("out[0] = 8.0;", "f64*out"), False)
    assert "日本" in made.library
    assert call(made) == 8.0


def test_compiling_goes_on_without_a_usable_cache(
    own_cache: Path, tmp_path: Path, make_unit: MakeUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a directory")
    monkeypatch.setenv("SEJITS_CACHE_DIR", str(tmp_path / "file"))
    unit = make_unit("out[0] = 9.0;", "f64*out")
    with pytest.warns(UserWarning, match="cannot be used"):
        made = compile_c.compile_source(unit, False)
    assert call(made) == 9.0
    assert compile_c.compile_source(unit, False).cached


def test_a_refusal_names_the_line_of_the_cell_and_keeps_the_source(
    compiler: str, make_unit: MakeUnit
) -> None:
    unit = make_unit("out[0] = 1.0;\nout[1] = missing;\nout[2] = absent;", "f64*out")
    found = refused(unit)
    assert found.code == "B002"
    assert found.message.startswith("the C generated for line 11 does not compile: ")
    assert "missing" in found.message
    assert (found.line, found.col, found.end_col) == (11, 4, 9)
    kept = config.cache_dir() / "failed"
    (directory,) = (d for d in kept.iterdir() if str(d) in found.why)
    assert (directory / "kernel.c").read_bytes() == unit.text.encode()
    assert "missing" in (directory / "build.log").read_text()
    assert str(directory / "build.log") in found.why
    assert "-O3" in found.why
    assert compile_c.compile_source(make_unit("out[0] = 1.0;", "f64*out"), False)


def test_a_refusal_outside_of_the_cell_names_no_line(make_unit: MakeUnit) -> None:
    found = refused(make_unit("out[0] = 1.0;", "f64*out", entry="two words"))
    assert found.message.startswith("the generated C does not compile: ")
    assert found.line == 0


def test_a_refusal_of_edited_code_is_at_the_word_beyond_tabs_and_letters(
    compiler: str, make_unit: MakeUnit
) -> None:
    unit = make_unit("out[0] =\t1.0 /* \N{GREEK SMALL LETTER ALPHA} */ +\tmissing;", "f64*out")
    found = refused(dataclasses.replace(unit, edited=True))
    assert found.text[found.col : found.end_col] == "missing"


def test_flags_of_the_user_come_last_and_make_another_entry(
    make_unit: MakeUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = make_unit("#ifndef X\n#define X 1.0\n#endif\nout[0] = X;", "f64*out")
    assert call(compile_c.compile_source(unit, False)) == 1.0
    monkeypatch.setenv("SEJITS_CFLAGS", "-DX=6.0 '-DY=a b'")
    made = compile_c.compile_source(unit, False)
    assert call(made) == 6.0
    assert "-DY=a b" in made.build.command
    monkeypatch.setenv("SEJITS_CFLAGS", "--no-such-flag")
    found = refused(unit)
    assert "no-such-flag" in found.message
    assert "SEJITS_CFLAGS" in found.try_


def test_a_compiler_that_hangs_is_stopped_with_its_children(
    own_cache: Path,
    tmp_path: Path,
    fake_cc: Callable[[str], Path],
    make_unit: MakeUnit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pid_file = tmp_path / "pid"
    hang = f"sleep 100 & echo $! > {shlex.quote(str(pid_file))}; wait"
    fake_cc(f"if grep -q HANG kernel.c 2> /dev/null; then {hang}; fi")
    assert compile_c.find_compiler().usable
    monkeypatch.setattr(config, "COMPILE_TIMEOUT_S", 0.3)
    start = time.perf_counter()
    found = refused(make_unit("out[0] = 1.0; /* HANG */", "f64*out"))
    assert time.perf_counter() - start < 5
    assert found.code == "B003"
    assert found.message == "the C compiler did not finish within 0.3 s"
    child, deadline = pid_file.read_text().strip(), time.monotonic() + 5
    while _alive(child):
        assert time.monotonic() < deadline, "the compiler's child lives on"
        time.sleep(0.01)


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_no_compiler_at_all_says_what_to_install(
    own_cache: Path, make_unit: MakeUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = os.environ["PATH"]
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("SEJITS_CC", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = compile_c.find_compiler()
    assert not found.usable
    assert found.text == "install gcc or clang, or: pip install ziglang"
    problem = refused(make_unit("out[0] = 1.0;", "f64*out"))
    assert (problem.code, problem.try_) == ("B001", found.text)
    monkeypatch.setenv("PATH", path)
    assert compile_c.find_compiler().usable


@pytest.mark.needs("ziglang")
def test_the_ziglang_wheel_serves_where_nothing_else_is(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("SEJITS_CC", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(c_compiler, "_builds", lambda *_: True)  # tried by the tests above
    found = compile_c.find_compiler()
    assert isinstance(found, compile_c.Compiler)
    assert (found.family, found.openmp) == ("zig", False)


def test_a_compiler_that_was_asked_for_is_not_replaced_by_another(
    own_cache: Path, fake_cc: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEJITS_CC", "no-such-cc")
    assert compile_c.find_compiler().text == (
        "'no-such-cc', which --cc, SEJITS_CC or CC names, is not on the path; "
        "unset it or install gcc or clang, or: pip install ziglang"
    )
    broken = fake_cc("exit 1")
    monkeypatch.setenv("CC", str(broken))
    assert "does not compile a one-line program" in compile_c.find_compiler().text


def test_a_broken_compiler_on_the_path_is_passed_over(
    own_cache: Path, fake_cc: Callable[..., Path]
) -> None:
    fake_cc("exit 1", "cc")
    good = fake_cc("", "gcc")
    found = compile_c.find_compiler()
    assert isinstance(found, compile_c.Compiler)
    assert found.command == (str(good),)


@pytest.fixture
def without_openmp(own_cache: Path, fake_cc: Callable[[str], Path]) -> c_compiler.Compiler:
    """A compiler whose OpenMP runtime is missing."""
    fake_cc('case "$*" in *-fopenmp*) echo "ld: cannot find -lomp"; exit 1;; esac')
    found = compile_c.find_compiler()
    assert isinstance(found, compile_c.Compiler)
    return found


def test_openmp_is_used_only_where_it_links(
    without_openmp: c_compiler.Compiler, make_unit: MakeUnit
) -> None:
    assert not without_openmp.openmp
    made = compile_c.compile_source(make_unit("out[0] = 3.0;", "f64*out"), False)
    assert "-fopenmp" not in made.build.command
    assert call(made) == 3.0


def test_a_missing_openmp_is_looked_for_again_after_a_day(
    without_openmp: c_compiler.Compiler,
    fresh_memory: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[tuple[str, ...]] = []
    monkeypatch.setattr(c_compiler, "_try", tried.append)
    fresh_memory()
    assert compile_c.find_compiler() == without_openmp
    assert tried == []
    fresh_memory()
    tomorrow = time.time() + 90_000
    monkeypatch.setattr(time, "time", lambda: tomorrow)
    compile_c.find_compiler()
    assert tried[0] == without_openmp.command


def test_a_changed_compiler_is_tried_again(
    own_cache: Path, fake_cc: Callable[[str], Path], fresh_memory: Callable[[], None]
) -> None:
    answer = 'case "$*" in *--version*) echo "cc (Test) {}"; exit;; esac'
    versions = []
    for number in ("1.0", "22.0"):
        fake_cc(answer.format(number))
        fresh_memory()
        versions.append(compile_c.find_compiler().text.removesuffix(" with OpenMP"))
    assert versions == ["gcc (Test) 1.0", "gcc (Test) 22.0"]


def test_many_are_built_in_order_and_failures_are_values(make_unit: MakeUnit) -> None:
    bodies = [f"out[0] = {n}.0;" if n != 2 else "out[0] = oops;" for n in range(5)]
    made = compile_c.compile_many([(make_unit(body, "f64*out"), True) for body in bodies])
    assert isinstance(made[2], BackendError)
    assert [call(m) for m in made if isinstance(m, Artifact)] == [0.0, 1.0, 3.0, 4.0]
