"""Append-only files of lines, ``<root>/records/<shard>.jsonl``, that several processes write at once.

What is appended goes out in one write under the file's lock, and begins and ends with a line end: what
a killed process left of a line spoils no other.  A file that outgrows its limit is written anew with
the lines that its owner keeps, and renamed into place; who waited for the old file's lock notices and
takes the new one.  A lock that cannot be had is done without, but then nothing is written anew.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from . import cache, eviction

LIMIT_BYTES = 1 << 19
"""Size at which a file is compacted; a lookup reads one file, so that this bounds its time, too."""
_LOCK_S = 10.0
Keep = Callable[[list[bytes]], list[bytes]]


def lines(shard: str) -> list[bytes]:
    """Every line of *shard*, in the order in which they were appended; empty without the file."""
    found: list[bytes] = []
    for root in reversed(list(cache.roots())):  # a private directory came into use last
        with suppress(OSError):
            path = _path(root, shard)
            found += path.read_bytes().split(b"\n")
            eviction.used(path)
    return [line for line in found if line]


def append(shard: str, new: Sequence[str], keep: Keep) -> None:
    """Append the lines *new*; ``keep`` says what stays when the file has grown too large."""
    data = "".join(f"\n{line}\n" for line in new).encode()

    def attempt(root: Path) -> None:
        path = _path(root, shard)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with _locked(path) as (file, held):
            before = os.fstat(file).st_size
            if os.write(file, data) != len(data):  # the disk is full
                if held:
                    os.ftruncate(file, before)
                raise OSError("no space left on device")
            if held and before + len(data) > LIMIT_BYTES:
                _compact(path, keep)
        eviction.count(root, len(data))

    cache.on_writable_root(attempt)


@contextmanager
def _locked(path: Path) -> Iterator[tuple[int, bool]]:
    """*path*, open for appending, and whether its lock could be had."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            held = _lock(file)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file), os.stat(path)):  # else: compacted meanwhile
                    yield file, held
                    return
        finally:
            os.close(file)


def _lock(file: int) -> bool:
    stop = time.monotonic() + _LOCK_S
    while time.monotonic() < stop:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.002)
        except OSError:  # a file system without locks
            return False
    return False


def _compact(path: Path, keep: Keep) -> None:
    """Put what *keep* keeps of *path* in its place; its lock is held."""
    kept = keep([line for line in path.read_bytes().split(b"\n") if line])
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with open(handle, "wb") as file:
            file.write(b"".join(line + b"\n" for line in kept))
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _path(root: Path, shard: str) -> Path:
    return root / "records" / f"{shard}.jsonl"
