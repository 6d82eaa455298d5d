"""Every environment variable and every default, in one table.

| variable                  | default                      | meaning                                  |
|---------------------------|------------------------------|------------------------------------------|
| ``SEJITS_CACHE_DIR``      | the user's cache directory   | where compiled code and records live     |
| ``SEJITS_CACHE_LIMIT_MB`` | 500                          | size that the cache is kept below        |
| ``SEJITS_CC``, ``CC``     | first of cc, gcc, clang, zig | the C compiler                           |
| ``SEJITS_CFLAGS``         | (empty)                      | appended to the compiler's flags         |
| ``SEJITS_THREADS``        | ``OMP_NUM_THREADS``, else    | most OpenMP threads a variant may take;  |
|                           | the CPUs we may use          | ``OMP_THREAD_LIMIT`` caps all of them    |
| ``SEJITS_FLUSH``          | (empty)                      | 1: caches are swept before each timed    |
|                           |                              | run whose grids fit them                 |
| ``SEJITS_ROOFS``          | 1                            | 0: tuning cells do not measure the       |
|                           |                              | machine's roofs; ``%sejits machine`` does |

The CPUs we may use are those of the affinity mask, at most the container's quota (cgroup), rounded up.
"""

from __future__ import annotations

import math
import os
import shlex
import tempfile
from contextlib import suppress
from pathlib import Path

CACHE_LAYOUT = "v1"
CACHE_LIMIT_MB = 500.0
COMPILE_TIMEOUT_S = 120.0
TRIAL_TIMEOUT_S = 60.0
EDIT_TIMEOUT_S = 10.0
"""What one run of edited code may take, if the best variant does not take as long itself."""
RACE_BUDGET_S = 3.0
"""Most seconds for which edited code is timed beside others."""
TUNE_BUDGET_S = {"none": 0.0, "quick": 12.0, "full": 60.0}
"""Most seconds of a race, builds and checks included; a batch that has begun is finished."""
PLAIN_PYTHON_POINTS = 2_000
"""Largest number of points that the plain Python is run on to check and to time it."""


def cache_dir() -> Path:
    """Root of the disk cache; falls back to a private temporary directory without a home."""
    if chosen := os.environ.get("SEJITS_CACHE_DIR"):
        return Path(chosen).expanduser().absolute() / CACHE_LAYOUT
    import platformdirs

    try:
        root = Path(platformdirs.user_cache_dir("sejits_nb", appauthor=False))
    except (RuntimeError, KeyError):
        root = Path()
    if not root.is_absolute():  # no home directory: "~" stays as it is
        root = Path(tempfile.gettempdir()) / f"sejits_nb-{os.getuid()}"
    return root / CACHE_LAYOUT


def c_compiler() -> str | None:
    """The compiler that the user asked for, or ``None``."""
    names = ("SEJITS_CC", "CC")
    return next(filter(None, (os.environ.get(name, "").strip() for name in names)), None)


def extra_cflags() -> tuple[str, ...]:
    """Flags that the user wants appended; raises ``ValueError`` for an open quotation."""
    return tuple(shlex.split(os.environ.get("SEJITS_CFLAGS", "")))


def cache_limit_bytes() -> float:
    """Size that the disk cache is kept below; a wrong ``SEJITS_CACHE_LIMIT_MB`` counts as none."""
    with suppress(ValueError):
        wanted = float(os.environ.get("SEJITS_CACHE_LIMIT_MB", ""))
        if wanted >= 0:
            return wanted * 1e6
    return CACHE_LIMIT_MB * 1e6


def flush() -> bool:
    """Whether caches are swept before a run is timed."""
    return os.environ.get("SEJITS_FLUSH", "") == "1"


def measures_roofs() -> bool:
    """Whether a cell that tunes measures the machine's roofs if they are not known."""
    return os.environ.get("SEJITS_ROOFS", "") != "0"


def threads() -> int:
    """Most OpenMP threads that a variant may take; one in a forked process.

    OpenMP's threads do not survive a fork, and who forks workers has shared the CPUs out already.
    """
    if _process["forked"]:
        return 1
    wanted = _positive("SEJITS_THREADS") or _positive("OMP_NUM_THREADS") or _cpus()
    return min(wanted, _positive("OMP_THREAD_LIMIT") or wanted)


def forked() -> bool:
    """Whether this process is a fork of one that had imported us."""
    return _process["forked"]


def _positive(variable: str) -> int | None:
    """The first number of a variable's list (``OMP_NUM_THREADS=4,2``: one number a nesting level)."""
    first = os.environ.get(variable, "").partition(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else None


def _cpus() -> int:
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:
        allowed = os.cpu_count() or 1
    return max(1, math.ceil(min(allowed, _quota(Path("/sys/fs/cgroup")))))


def _quota(mount: Path, own: Path = Path("/proc/self/cgroup")) -> float:
    """CPUs that the control groups of this process, and those above them, grant it."""
    quota = math.inf
    with suppress(OSError):
        for row in own.read_text(encoding="utf-8").splitlines():
            number, controllers, group = row.split(":", 2)
            if number == "0" or "cpu" in controllers.split(","):
                top = mount / controllers  # version 2 has one tree and names no controllers
                here = top / group.lstrip("/")
                above = (folder for folder in here.parents if folder.is_relative_to(top))
                quota = min([quota, *map(_granted, (here, *above))])
    return quota


def _granted(folder: Path) -> float:
    """CPUs that one control group grants: version 2 has one file for it, version 1 two."""
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        with suppress(OSError, ValueError):
            text = " ".join((folder / name).read_text(encoding="ascii") for name in names)
            most, period = map(int, text.split())
            if most > 0:
                return most / period
    return math.inf


_process = {"forked": False}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _process.update(forked=True))
