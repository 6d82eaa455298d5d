"""The data caches of the CPUs that this process may use, as the operating system describes them."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_CPUS = Path("/sys/devices/system/cpu")
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


@dataclass(frozen=True, slots=True)
class Cache:
    """One level: the size of one cache, bytes, and how many of them our CPUs have."""

    level: int
    size_bytes: int
    count: int

    def holds_bytes(self, threads: int) -> int:
        """What it holds for *threads* threads, spread over as many caches as there are."""
        return self.size_bytes * min(threads, self.count)


def assumed(cpus: int) -> tuple[Cache, ...]:
    """Sizes to go by where the system says nothing (macOS, some containers): small, common ones."""
    return Cache(1, 32 << 10, cpus), Cache(2, 512 << 10, cpus), Cache(3, 16 << 20, 1)


def data_caches(folder: Path = _CPUS) -> tuple[Cache, ...]:
    """The levels from the first, or nothing where the system does not describe them."""
    sizes: dict[int, int] = {}
    shared: dict[int, set[str]] = {}
    for cpu in allowed_cpus():
        for index in (folder / f"cpu{cpu}" / "cache").glob("index*"):
            with suppress(OSError, ValueError, KeyError, IndexError):
                if _text(index / "type") == "Instruction":
                    continue
                level, size = int(_text(index / "level")), _text(index / "size")
                number = int(size[:-1]) * _UNITS[size[-1]] if size[-1] in _UNITS else int(size)
                if number > 0:
                    sizes[level] = min(number, sizes.get(level, number))
                    shared.setdefault(level, set()).add(_text(index / "shared_cpu_list"))
    return tuple(Cache(level, sizes[level], len(shared[level])) for level in sorted(sizes))


def allowed_cpus() -> tuple[int, ...]:
    """The numbers of the CPUs that this process may use."""
    try:
        return tuple(sorted(os.sched_getaffinity(0)))
    except AttributeError:
        return tuple(range(os.cpu_count() or 1))


def available_bytes() -> int:
    """Memory that can be had without swapping: the system's, at most the control group's."""
    found = [4 << 30]
    with suppress(OSError, ValueError, IndexError):
        rows = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found = [int(row.split()[1]) << 10 for row in rows if row.startswith("MemAvailable")]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            found.append(int(Path("/sys/fs/cgroup", name).read_text(encoding="ascii")))
    return min(found, default=4 << 30)


def _text(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()
