"""The disk cache: compiled code by content, and small JSON documents, under one private root.

    <root>/objects/ab/<sha256>/{kernel.c, kernel.so, meta.json}   compiled code, whole or not at all
    <root>/failed/<sha256>/{kernel.c, build.log}                  what a compiler refused, kept
    <root>/<kind>/<sha256 of key>.json                            remembered choices, known compilers
    <root>/building/, <root>/locks/, <root>/total                 where entries are written first; who
                                                                  writes; bytes in all

An entry is written beside its place and then renamed: who renames first wins and the others use the
winner's.  A file lock for each key lets one process compile while the others wait for its entry.  An
entry counts only if the digests in its ``meta.json`` match its files.  A root that cannot be written,
or that others can write to, is replaced by a private directory of this process, and that is said once.
What was used longest ago leaves when the root grows over ``SEJITS_CACHE_LIMIT_MB``
(:mod:`.eviction`).
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import shutil
import stat
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from .. import config
from ..errors import BackendError, Diagnostic
from . import eviction

SOURCE, LIBRARY = "kernel.c", "kernel.so"
_WAIT_S = config.COMPILE_TIMEOUT_S + 10.0
_T = TypeVar("_T")
_verified: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {}
_private: list[Path] = []
_private_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Entry:
    """Compiled code on disk, and what its build left to tell (``command``, ``log``, ``seconds``).

    ``built_here``: by this very call of :func:`build`.
    """

    directory: Path
    meta: dict[str, Any]
    built_here: bool = False


def digest(*parts: str) -> str:
    """SHA-256 of the parts, each delimited by its length."""
    sha = hashlib.sha256()
    for part in parts:
        data = part.encode()
        sha.update(f"{len(data)}:".encode() + data)
    return sha.hexdigest()


def lookup(key: str) -> Entry | None:
    """The valid entry of *key*, or ``None``."""
    found = (_entry(_object(root, key)) for root in roots())
    return next((entry for entry in found if entry), None)


def build(key: str, make: Callable[[Path], dict[str, Any]]) -> Entry:
    """The entry that *make* writes: it fills a fresh directory with ``kernel.c`` and ``kernel.so`` and
    returns what to remember.  While one process builds, others wait for its entry.  What *make* raises
    passes through and leaves no entry, but for an ``OSError`` of an unusable root, which is tried
    again in a private directory.
    """

    def fill(directory: Path) -> Entry:
        root = directory.parent.parent
        place = _object(root, key)
        with eviction.locked(root, key, _WAIT_S):
            if entry := _entry(place):
                return entry
            meta = make(directory)
            meta["sha256"] = {name: _sha256_of(directory / name) for name in (SOURCE, LIBRARY)}
            (directory / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
            entry = replace(_publish(directory, place), built_here=True)
        eviction.count(root, eviction.size_of(place))
        return entry

    return in_scratch(fill)


def in_scratch(action: Callable[[Path], _T]) -> _T:
    """*action* on a fresh directory ``<root>/building/...``, which is removed afterwards."""

    def attempt(root: Path) -> _T:
        (root / "building").mkdir(mode=0o700, exist_ok=True)
        directory = Path(tempfile.mkdtemp(dir=root / "building"))
        try:
            return action(directory)
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    return on_writable_root(attempt)


def folder(name: str) -> Path:
    """The private directory ``<root>/<name>``, made if it is not there."""

    def attempt(root: Path) -> Path:
        (root / name).mkdir(mode=0o700, exist_ok=True)
        return root / name

    return on_writable_root(attempt)


def keep_failed(directory: Path, key: str) -> Path:
    """Move a *directory* that :func:`build` gave out to where a person can look at it."""
    kept = directory.parent.parent / "failed" / key
    shutil.rmtree(kept, ignore_errors=True)
    kept.parent.mkdir(exist_ok=True)
    try:
        directory.rename(kept)
    except OSError:  # another process has just kept the same failure
        if not kept.is_dir():
            raise
    eviction.count(kept.parent.parent, eviction.size_of(kept))
    return kept


def read_json(kind: str, key: str) -> Any | None:
    """The document that was stored under *key*, or ``None`` if there is none or it is damaged."""
    for root in roots():
        with suppress(OSError, ValueError, KeyError, TypeError):
            path = _document(root, kind, key)
            document = json.loads(path.read_bytes())
            if document["key"] == key:
                eviction.used(path)
                return document["value"]
    return None


def write_json(kind: str, key: str, value: Any) -> None:
    """Store *value* under *key* in the folder *kind* (``"choices"``), whole or not at all."""
    text = json.dumps({"key": key, "value": value})

    def attempt(root: Path) -> None:
        path = _document(root, kind, key)
        path.parent.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
        eviction.count(root, eviction.size_of(path))

    on_writable_root(attempt)


def place() -> Path:
    """The directory that is written to, as far as is known now."""
    try:
        return _private[0] if _private else config.cache_dir()
    except RuntimeError as problem:  # no home directory to expand
        return _fallback(problem)


def usage() -> tuple[int, int]:
    """Entries of compiled code, and bytes that everything in the cache takes on the disk."""
    found = list(roots())
    entries = sum(1 for root in found for _ in root.glob("objects/*/*/meta.json"))
    return entries, sum(map(eviction.size_of, found))


def clear() -> int:
    """Remove everything but what is being written right now; how many entries there were."""
    entries, _ = usage()
    for root in roots():
        for path in (*root.glob("building/*"), *root.iterdir()):
            with suppress(OSError):
                age_s = time.time() - path.stat().st_mtime
                if path.name != "building" and (path.parent == root or age_s > eviction.STALE_S):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
    _verified.clear()
    return entries


def roots() -> Iterator[Path]:
    """Where to read: the private directory if there is one, then the configured root if trusted."""
    if _private:
        yield _private[0]
    with suppress(OSError, RuntimeError):
        root = config.cache_dir()
        if root.is_dir():
            _refuse_foreign(root)
            yield root


def on_writable_root(action: Callable[[Path], _T]) -> _T:
    """*action* in the configured root, or in the private directory when that one fails."""
    try:
        root = config.cache_dir()
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_foreign(root)
        return action(root)
    except (OSError, RuntimeError) as problem:  # RuntimeError: no home directory to expand
        private = _fallback(problem)
        try:
            return action(private)
        except OSError as second:
            raise _nowhere(problem, second) from second


def _fallback(problem: Exception) -> Path:
    """A private directory of this process, removed at its end; said when it is made."""
    with _private_lock:
        if not _private:
            _private.append(_own_directory(problem))
            atexit.register(_remove_own, _private[0], os.getpid())
            warnings.warn(
                f"the cache cannot be used ({problem}): compiled code is kept for this process only; "
                "set SEJITS_CACHE_DIR to a directory of yours",
                stacklevel=3,
            )
        return _private[0]


def _own_directory(problem: Exception) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix="sejits_nb-"))
    except OSError as second:
        raise _nowhere(problem, second) from second


def _nowhere(problem: Exception, second: Exception) -> BackendError:
    what = f"compiled code can be kept nowhere: {problem}; {second}"
    return BackendError(Diagnostic("B006", what, "neither the cache nor a temporary directory can be "
                                   "written", "set SEJITS_CACHE_DIR or TMPDIR to a directory of yours "
                                   "with some space"))  # fmt: skip


def _remove_own(directory: Path, owner: int) -> None:
    """At exit; a forked process leaves its parent's directory alone."""
    if os.getpid() == owner:
        shutil.rmtree(directory, ignore_errors=True)


def _refuse_foreign(root: Path) -> None:
    """Loading code from a directory that others can write to would run theirs."""
    found = root.stat()
    if found.st_uid not in (os.getuid(), 0):
        raise PermissionError(f"{root} belongs to another user")
    if stat.S_IMODE(found.st_mode) & 0o022:
        root.chmod(0o700)


def _object(root: Path, key: str) -> Path:
    return root / "objects" / key[:2] / key


def _document(root: Path, kind: str, key: str) -> Path:
    return root / kind / f"{digest(key)}.json"


def _publish(directory: Path, place: Path) -> Entry:
    """Rename *directory* to *place*, unless a valid entry got there first."""
    place.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(3):
        with suppress(OSError):
            directory.rename(place)
        if entry := _entry(place):
            return entry
        with suppress(OSError):  # a damaged entry: aside with it, then try again
            place.rename(directory.parent / f"{directory.name}.damaged")
        shutil.rmtree(directory.parent / f"{directory.name}.damaged", ignore_errors=True)
    raise OSError(f"cannot place an entry at {place}")


def _entry(place: Path) -> Entry | None:
    """The entry at *place* if its files are the ones it was written with.

    Digests are compared once a process for each state (inode, time, size) of the files.
    """
    try:
        files = (place / "meta.json", place / SOURCE, place / LIBRARY)
        stamp = tuple(n for s in map(os.stat, files) for n in (s.st_ino, s.st_mtime_ns, s.st_size))
        known = _verified.get(str(place))
        if known and known[0] == stamp:
            eviction.used(place)
            return Entry(place, known[1])
        meta = json.loads(files[0].read_bytes())
        if any(meta["sha256"][path.name] != _sha256_of(path) for path in files[1:]):
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    eviction.used(place)
    _verified[str(place)] = stamp, meta
    return Entry(place, meta)


def _sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
