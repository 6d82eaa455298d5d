"""The size limit of the disk cache: what was used longest ago leaves first.

A *unit* leaves whole: an entry of compiled code, a kept failure, one JSON document, the store of zig's
own compiler.  Its modification time says when it was last used; the cache renews it on every hit.
The running total is one small file, so that a build counts only what it has written itself, and the
disk is read only when the total passes the limit.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from .. import config

STALE_S = 3600.0
"""Age at which what a process left behind (a scratch directory, a lock) is no longer in use."""
_LATELY_S = 600.0
"""What was used as lately as this stays: a process may be about to load it."""
_LEAVE = 0.9
_LOCKS, _TOTAL, _SCRATCH = "locks", "total", "building"
_DIGITS = 20


class Unit(NamedTuple):
    """Something that leaves whole."""

    used: float
    size_bytes: int
    path: Path


@contextmanager
def locked(root: Path, name: str, limit_s: float) -> Iterator[None]:
    """Hold the lock *name* of all processes that use *root*.

    Locks only save work (renames keep the cache right), so one that cannot be had within *limit_s*,
    or at all on this file system, is done without.
    """
    import filelock

    lock = filelock.FileLock(root / _LOCKS / f"{name}.lock", mode=0o600, poll_interval=0.02)
    # NotImplementedError is filelock's answer on a file system without locks, RuntimeError the one for
    # a lock that this thread holds already
    with suppress(OSError, NotImplementedError, RuntimeError):
        (root / _LOCKS).mkdir(exist_ok=True)
        lock.acquire(timeout=limit_s)
    try:
        yield
    finally:
        lock.release()


def count(root: Path, added_bytes: int) -> None:
    """Note that *added_bytes* were written under *root*, and keep it below the limit."""
    limit = config.cache_limit_bytes()
    with suppress(OSError), locked(root, "eviction", 1.0):
        total = _read_total(root)
        if total is None or total + added_bytes > limit:
            total = evict(root, limit) - added_bytes
        _write_total(root, total + added_bytes)


def evict(root: Path, limit_bytes: float) -> int:
    """Bytes left under *root* after the units used longest ago have gone, if it was over the limit."""
    _sweep(root)
    units = sorted(_units(root))
    total = sum(unit.size_bytes for unit in units)
    if total <= limit_bytes:
        return total
    latest = time.time() - _LATELY_S
    for unit in units:
        if total <= _LEAVE * limit_bytes or unit.used > latest:
            break
        if _remove(root, unit.path):
            total -= unit.size_bytes
    return total


def used(path: Path) -> None:
    """Note that *path*, a unit, is used now; a cache that can only be read is left as it is."""
    with suppress(OSError):
        os.utime(path)


def size_of(path: Path) -> int:
    """Bytes that *path* takes on the disk, with everything below it."""
    with suppress(OSError):
        found = path.lstat()
        own = max(found.st_size, getattr(found, "st_blocks", 0) * 512)
        if path.is_dir() and not path.is_symlink():
            return sum(map(size_of, path.iterdir()))
        return own
    return 0


def _units(root: Path) -> Iterator[Unit]:
    for folder in root.iterdir():
        if folder.name in (_LOCKS, _TOTAL, _SCRATCH):
            continue
        if folder.name == "objects":
            paths = [path for shard in folder.iterdir() for path in shard.iterdir()]
        else:
            paths = [folder] if folder.name == "zig" else list(folder.iterdir())
        for path in paths:
            with suppress(OSError):  # another process has just removed it
                yield Unit(path.stat().st_mtime, size_of(path), path)


def _sweep(root: Path) -> None:
    """Remove what processes that were killed have left behind."""
    oldest = time.time() - STALE_S
    for path in (*root.glob(f"{_SCRATCH}/*"), *root.glob(f"{_LOCKS}/*")):
        with suppress(OSError):
            if path.stat().st_mtime < oldest:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _remove(root: Path, path: Path) -> bool:
    """Move *path* aside, then delete it: nobody sees half of an entry."""
    with suppress(OSError):
        if path.is_dir():
            (root / _SCRATCH).mkdir(mode=0o700, exist_ok=True)
            aside = Path(tempfile.mkdtemp(dir=root / _SCRATCH))
            path.rename(aside / path.name)
            shutil.rmtree(aside)
        else:
            path.unlink()
        return True
    return False


def _read_total(root: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int((root / _TOTAL).read_bytes()[:_DIGITS])
    return None


def _write_total(root: Path, total: int) -> None:
    """In place: some file systems flush a file to the disk that is emptied and written anew."""
    file = os.open(root / _TOTAL, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.pwrite(file, f"{total:0{_DIGITS}}".encode(), 0)
    finally:
        os.close(file)
