"""Compilers that fail, hang, lie or vanish: a clear error, or the plain Python's result."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Probe, needs_gcc

Script = Callable[[str, str], str]
pytestmark = needs_gcc
ONLY_KERNELS = 'case "$*" in *-shared*) grep -q probe kernel.c || {{ {action}; }};; esac\n'
"""A compiler that works until it meets a kernel: the one-line program still compiles."""


def gone(pid_file: Path) -> bool:
    """Whether the process that noted its number is no more."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(int(pid_file.read_text()), 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_a_compiler_that_always_fails(probe: Probe, script: Script) -> None:
    found = probe({"SEJITS_CC": script("cc", "echo no licence >&2; exit 3")})
    assert found.fallback.right
    assert not found.fallback.native
    (said,) = found.fallback.said
    assert "does not compile a one-line program" in said
    # a cell's "auto" ends in the plain Python; so does the decorator's
    assert [(t.right, t.native) for t in (found.strict, found.cell)] == [(True, False)] * 2


def test_a_compiler_that_refuses_the_kernel(probe: Probe, script: Script) -> None:
    refuses = ONLY_KERNELS.format(action="echo 'kernel.c:5:1: error: boom' >&2; exit 1")
    found = probe({"SEJITS_CC": script("cc", refuses + 'exec gcc "$@"')})
    assert found.fallback.right
    (said,) = found.fallback.said
    assert "does not compile: boom" in said
    assert (found.strict.error, found.cell.error) == ("B002", "B002")


@pytest.mark.long
def test_a_compiler_that_hangs_is_stopped_with_its_children(
    probe: Probe, script: Script, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    hangs = ONLY_KERNELS.format(action=f"sleep 1000 & echo $! > {shlex.quote(str(pid))}; wait")
    found = probe({"SEJITS_CC": script("cc", hangs + 'exec gcc "$@"')}, limit_s=2)
    assert found.fallback.right
    (said,) = found.fallback.said
    assert "did not finish within 2 s" in said
    assert (found.strict.error, found.cell.error) == ("B003", "B003")
    assert gone(pid)


def test_a_compiler_that_writes_no_library(probe: Probe, script: Script) -> None:
    lies = ONLY_KERNELS.format(action="echo garbage > kernel.so; exit 0")
    found = probe({"SEJITS_CC": script("cc", lies + 'exec gcc "$@"')})
    assert found.fallback.right
    assert not found.fallback.native
    assert "could not be loaded" in found.fallback.said[0]
    assert found.strict.error == found.cell.error == "W001"


def test_a_compiler_that_vanishes_between_calls(
    probe: Probe, script: Script, tmp_path: Path
) -> None:
    """What is loaded runs on; a new layout has no compiler and says so; another one takes over."""
    compiler = script("bin/cc", 'exec /usr/bin/env -S gcc "$@"')
    meanwhile = f"""
own = sj.stencil(kernel, backend=BACKENDS)
own(u)
os.remove({compiler!r})
assert own.build is not None
assert np.allclose(own(u), wanted)
with warnings.catch_warnings(record=True) as said:
    assert np.allclose(own(u[:, ::2].copy())[1:-1, 1:2], own.reference(u[:, ::2].copy())[1:-1, 1:2])
assert "is not on the path" in str(said[0].message), said
"""
    found = probe({"SEJITS_CC": compiler}, meanwhile=meanwhile)
    for told in (found.fallback, found.strict, found.cell):
        assert (told.right, told.native) == (True, False)
    assert "is not on the path" in found.fallback.said[0]


def test_another_compiler_on_the_path_takes_over(
    probe: Probe, script: Script, tmp_path: Path
) -> None:
    gcc = shutil.which("gcc")
    compiler = script("bin/cc", f'exec {gcc} "$@"')
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    env = {"SEJITS_CC": None, "CC": None, "PATH": path}
    assert probe(env, meanwhile=f"os.remove({compiler!r})").all_native


@pytest.mark.needs("clang")
def test_two_compilers_share_a_cache(probe: Probe, tmp_path: Path) -> None:
    """Each has its own entry, and so have two sets of flags behind one compiler's name."""
    others = "".join(
        f"os.environ['SEJITS_CC'] = {name!r}\nown = sj.stencil(kernel)\n"
        "assert np.allclose(own(u), wanted) and own.build is not None\n"
        for name in ("clang", "gcc -O1")
    )
    assert probe({"SEJITS_CC": "gcc"}, meanwhile=others).all_native
    commands = [
        json.loads(path.read_text())["command"]
        for path in (tmp_path / "cache").glob("v1/objects/*/*/meta.json")
    ]
    called = sorted({(Path(c[0]).name, c[1] == "-O1") for c in commands})
    assert called == [("clang", False), ("gcc", False), ("gcc", True)]


@pytest.mark.parametrize(
    ("flags", "error", "why"),
    [
        ("-DX='open", "B007", "SEJITS_CFLAGS cannot be read: No closing quotation"),
        ("--no-such-flag", "B002", "look at SEJITS_CFLAGS"),
        ("-S", "W001", "could not be loaded"),
    ],
)
def test_flags_that_are_nonsense(probe: Probe, flags: str, error: str, why: str) -> None:
    found = probe({"SEJITS_CFLAGS": flags})
    assert found.fallback.right
    assert why in found.fallback.said[0]
    assert (found.strict.error, found.cell.error) == (error, error)


def test_flags_that_are_harmless(probe: Probe) -> None:
    assert probe({"SEJITS_CFLAGS": "-DANSWER=42 -g '-DTEXT=\"a b\"'"}).all_native


@pytest.mark.parametrize("name", ["gcc 'open", "no such compiler"])
def test_names_of_compilers_that_are_nonsense(probe: Probe, name: str) -> None:
    found = probe({"SEJITS_CC": name})
    assert found.fallback.right
    assert name in found.fallback.said[0]


def test_a_blank_name_is_none(probe: Probe) -> None:
    assert probe({"SEJITS_CC": "  ", "CC": ""}).all_native
