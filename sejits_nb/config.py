"""Every environment variable and every default, in one table.

| variable              | default                    | meaning                                        |
|-----------------------|----------------------------|------------------------------------------------|
| ``SEJITS_CACHE_DIR``  | the user's cache directory | where compiled code and tuning records live    |
| ``SEJITS_CC``, ``CC`` | first of cc, gcc, clang, zig | the C compiler                               |
| ``SEJITS_CFLAGS``     | (empty)                    | appended to the compiler's flags               |
| ``SEJITS_THREADS``    | the CPUs we may use        | most OpenMP threads a variant may take         |
"""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path

CACHE_LAYOUT = "v1"
COMPILE_TIMEOUT_S = 120.0
TRIAL_TIMEOUT_S = 60.0
TUNE_BUDGET_S = {"none": 0.0, "quick": 2.0, "full": 20.0}
PLAIN_PYTHON_POINTS = 2_000
"""Largest number of points that the plain Python is run on to check and to time it."""


def cache_dir() -> Path:
    """Root of the disk cache; falls back to a private temporary directory without a home."""
    if chosen := os.environ.get("SEJITS_CACHE_DIR"):
        return Path(chosen).expanduser() / CACHE_LAYOUT
    import platformdirs

    try:
        root = Path(platformdirs.user_cache_dir("sejits_nb", appauthor=False))
    except (RuntimeError, KeyError):
        root = Path(tempfile.gettempdir()) / f"sejits_nb-{os.getuid()}"
    return root / CACHE_LAYOUT


def c_compiler() -> str | None:
    """The compiler that the user asked for, or ``None``."""
    return os.environ.get("SEJITS_CC") or os.environ.get("CC") or None


def extra_cflags() -> tuple[str, ...]:
    """Flags that the user wants appended."""
    return tuple(shlex.split(os.environ.get("SEJITS_CFLAGS", "")))


def threads() -> int:
    """CPUs that this process may use, or ``SEJITS_THREADS`` if it is a positive number."""
    wanted = os.environ.get("SEJITS_THREADS", "")
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
