"""``python -m benchmarks.record_lookup``: the remembered choice among 100 000 records.

Records are those of races of 15 variants, 12 sizes of each of 525 kernels, in a directory of its own.
One more kernel has been tuned at ever new sizes, until its file was as large as one gets.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace

from sejits_nb.machine.detect import machine_key
from sejits_nb.phase5_backend import record_store
from sejits_nb.phase5_backend.cache import digest
from sejits_nb.results import Measurement
from sejits_nb.stages import Config
from sejits_nb.tune.records import Race, Subject, choice, remember

from .report import command_of, save

KERNELS, SIZES, VARIANTS, LOOKUPS = 525, 12, 15, 200
MARK_S = 5e-3
_PLATFORMS = ("openmp",)
_BUCKET = "u: f64[2^8, 2^8, 2^8] C, out: f64[2^8, 2^8, 2^8] C"


def subject(kernel: int, size: int) -> Subject:
    """A kernel at one of its sizes, which are of one bucket: all are in the kernel's one file."""
    signature = f"u: f64[{size}, 256, 256], out: f64[{size}, 256, 256]"
    return Subject(
        "heat", digest(str(kernel)), signature, digest(signature), _BUCKET, "fast", "",
        machine_key(), 2,
    )  # fmt: skip


def race(subject: Subject) -> Config:
    """Remember a race of that subject; the best configuration."""
    measured = [
        Measurement(Config((("threads", 2), ("unroll", 1 + k), ("tile", 32), ("stream", 1))),
                    "openmp", "correct", tuple((6 + k) * 1e-3 + i * 1e-6 for i in range(9)))
        for k in range(VARIANTS)
    ]  # fmt: skip
    done = Race(tuple(measured), measured[0], complete=True, platforms=_PLATFORMS)
    remember(subject, done, measured, ended=True)
    return measured[0].config


def fill(kernels: int, sizes: int) -> int:
    """Remember a race of every kernel at every size; how many records that makes."""
    for kernel in range(kernels):
        for size in range(sizes):
            race(subject(kernel, 240 + size))
    return kernels * sizes * (VARIANTS + 1)


def fill_one_file(kernel: int) -> Subject:
    """Races of one kernel until one more would have its file written anew; its first subject."""
    first, size, before = subject(kernel, 0), 0, -1
    while (now := _file_bytes(first)) > before and now < 0.95 * record_store.LIMIT_BYTES:
        before = now
        race(subject(kernel, size))
        size += 1
    return replace(first, layout=digest("a size that was never tuned"))


def seconds(lookup: Callable[[], object]) -> float:
    """Seconds of one call, whose result has to be there."""
    start = time.perf_counter()
    found = lookup()
    taken = time.perf_counter() - start
    if found is None:
        raise AssertionError("nothing is remembered")
    return taken


def _file_bytes(of: Subject) -> int:
    return sum(len(line) + 1 for line in record_store.lines(of.shard))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SEJITS_CACHE_DIR"] = folder
        count = fill(KERNELS, SIZES)
        chance = random.Random(0)
        known = [subject(chance.randrange(KERNELS), 240 + chance.randrange(SIZES))
                 for _ in range(LOOKUPS)]  # fmt: skip
        spread = [seconds(lambda of=of: choice(of, _PLATFORMS)) for of in known]  # type: ignore[misc]
        full = fill_one_file(KERNELS)
        largest = [seconds(lambda: choice(full, _PLATFORMS)) for _ in range(LOOKUPS)]
    figures = {
        "records": count,
        "remembered choice, ms": 1e3 * statistics.median(spread),
        "slowest of them, ms": 1e3 * max(spread),
        "from the largest file, ms": 1e3 * statistics.median(largest),
    }
    for name, value in figures.items():
        print(f"{name:<40} {value:9.6g}")
    print(f"the mark is {1e3 * MARK_S:g} ms")
    save("record-lookup", command_of("record_lookup", ()), {"figures": figures})


if __name__ == "__main__":
    main()
