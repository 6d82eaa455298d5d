"""Caches that cannot be written, no home, odd paths: kernels still run natively, or say why not."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sejits_nb import config

from .conftest import Outcome, Probe, needs_gcc

pytestmark = needs_gcc
PATH = os.environ.get("PATH", os.defpath)


def kept_for_this_process_only(found: Outcome) -> bool:
    """Everything ran natively, from a private directory, and that was said once."""
    said = [text for t in (found.fallback, found.strict) for text in t.said]
    return found.all_native and len(said) == 1 and "the cache cannot be used" in said[0]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 KiB; skipped where none can be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k,mode=700", "none", str(place)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting needs root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_cache_below_a_regular_file(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert kept_for_this_process_only(probe({"SEJITS_CACHE_DIR": str(tmp_path / "file" / "c")}))


def test_a_full_disk(probe: Probe, small_disk: Path) -> None:
    assert kept_for_this_process_only(probe({"SEJITS_CACHE_DIR": str(small_disk)}))


def test_a_cache_that_can_only_be_read(probe: Probe, small_disk: Path) -> None:
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(remount, check=True)
    assert kept_for_this_process_only(probe({"SEJITS_CACHE_DIR": str(small_disk)}))


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_cache_without_the_right_to_write(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    found = probe({"SEJITS_CACHE_DIR": str(tmp_path / "closed" / "cache")})
    assert kept_for_this_process_only(found)


def test_a_filled_cache_serves_where_nothing_can_be_written(probe: Probe, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,rw,size=16m", str(small_disk)], check=True)
    env = {"SEJITS_CACHE_DIR": str(small_disk)}
    assert probe(env).all_native
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    found = probe({**env, "SEJITS_CC": shutil.which("gcc")})
    assert found.all_native
    assert found.fallback.said == []


def test_no_place_to_write_at_all(probe: Probe, tmp_path: Path) -> None:
    meanwhile = f"import tempfile; tempfile.tempdir = {str(tmp_path / 'missing')!r}"
    found = probe({"SEJITS_CACHE_DIR": "/dev/null/cache"}, meanwhile=meanwhile + NEW_PROCESS)
    assert found.fallback.right
    assert "compiled code can be kept nowhere" in found.fallback.said[0]
    assert found.strict.error == found.cell.error == "B006"


def fill(disk: Path) -> None:
    with suppress(OSError):
        (disk / "filler").write_bytes(bytes(40_000))


def test_a_disk_full_of_files_holds_the_temporary_ones(probe: Probe, small_disk: Path) -> None:
    """The compiler's own, too: it is not blamed."""
    fill(small_disk)
    env = {"SEJITS_CACHE_DIR": str(small_disk / "cache"), "TMPDIR": str(small_disk)}
    assert kept_for_this_process_only(probe(env))


def test_disks_that_are_full_everywhere(probe: Probe, small_disk: Path) -> None:
    """Directories can still be made, files cannot be filled."""
    fill(small_disk)
    meanwhile = f"import tempfile; tempfile.tempdir = {str(small_disk)!r}" + NEW_PROCESS
    found = probe({"SEJITS_CACHE_DIR": str(small_disk / "cache")}, meanwhile=meanwhile)
    assert found.fallback.right
    assert "compiled code can be kept nowhere" in found.fallback.said[-1]
    assert found.strict.error == found.cell.error == "B006"


def test_no_more_open_files(probe: Probe) -> None:
    meanwhile = """
import resource
files, most = [], resource.getrlimit(resource.RLIMIT_NOFILE)
used = max(map(int, os.listdir("/proc/self/fd")))
resource.setrlimit(resource.RLIMIT_NOFILE, (used + 2, most[1]))
new = sj.stencil(kernel, backend="opencl")
with warnings.catch_warnings(record=True) as said:
    assert np.allclose(new(u[:, ::2].copy())[1:-1, 1:2], new.reference(u[:, ::2].copy())[1:-1, 1:2])
assert "Too many open files" in str(said[0].message), said
resource.setrlimit(resource.RLIMIT_NOFILE, most)
"""
    assert probe(meanwhile=meanwhile).all_native


NEW_PROCESS = """
from sejits_nb.phase5_backend import cache, c_compiler
cache._private.clear(), c_compiler._found.clear()
"""


def test_an_empty_environment(probe: Probe) -> None:
    """``env -i``: no PATH, no home; the libraries' own defaults find the compiler."""
    assert probe(only=True).all_native


def test_no_home_directory(probe: Probe, tmp_path: Path) -> None:
    env = {
        "HOME": str(tmp_path / "gone" / "away"),
        "XDG_CACHE_HOME": None,
        "SEJITS_CACHE_DIR": None,
    }
    (tmp_path / "gone").write_text("")
    assert kept_for_this_process_only(probe(env))


def test_without_a_home_the_cache_is_no_folder_named_tilde(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def nobody(_: int) -> None:
        raise KeyError("no such user")

    for name in ("HOME", "XDG_CACHE_HOME", "SEJITS_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.chdir(tmp_path)
    assert config.cache_dir().is_absolute()
    assert "~" not in str(config.cache_dir())


def test_a_home_that_is_unknown_is_said(probe: Probe) -> None:
    assert kept_for_this_process_only(probe({"SEJITS_CACHE_DIR": "~nobody-of-that-name/cache"}))


def test_blanks_and_letters_everywhere(probe: Probe, tmp_path: Path) -> None:
    odd = tmp_path / "mes données $HOME 'q' \"z\" 网格;&"
    odd.mkdir()
    compiler = odd / "mon gcc"
    compiler.symlink_to(shutil.which("gcc") or "")
    env = {"SEJITS_CACHE_DIR": str(odd / "c"), "TMPDIR": str(odd), "HOME": str(odd)}
    env["PATH"] = f"{odd}{os.pathsep}{PATH}"
    assert probe({**env, "SEJITS_CC": '"mon gcc"'}, cwd=odd).all_native
    assert probe({**env, "LC_ALL": "C", "PYTHONUTF8": "0"}, cwd=odd).all_native


def test_a_relative_cache_stays_where_it_was(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    assert probe({"SEJITS_CACHE_DIR": "own"}, cwd=tmp_path / "work").all_native
    assert (tmp_path / "work" / "own" / "v1" / "objects").is_dir()


@pytest.mark.parametrize("place", [None, "file"])
def test_temporary_directories_that_are_none(
    probe: Probe, tmp_path: Path, place: str | None
) -> None:
    (tmp_path / "file").write_text("")
    assert probe({"TMPDIR": str(tmp_path / place) if place else None}).all_native
