"""More events than memory: a process that may take less than its events do trains on them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = [
    pytest.mark.needs("gcc"),
    pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit this memory"),
]

_BOUNDED = """
import resource, sys
from dataclasses import replace
from pathlib import Path
import numpy as np
from sejits_nb.mixture.cells import iteration
from sejits_nb.specializers.gmm import chunks
from sejits_nb.specializers.gmm.samples import started

chunks.CHUNK_BYTES = 8 << 20
rows, limit_bytes, iterations = map(int, sys.argv[1:4])
part = np.random.default_rng(0).normal(size=(10_000, 16)) + np.repeat([[0.0], [4.0]], 5_000, axis=0)
files, shape = {"native": "<f8", "foreign": ">f8"}, (rows, 16)
for name, dtype in files.items():
    events = np.memmap(name, dtype, "w+", shape=shape)
    for first in range(0, rows, len(part)):
        events[first : first + len(part)] = part
native, foreign = (np.memmap(*file, "r", shape=shape) for file in files.items())
ways = native, foreign, lambda: (part + 0.0 for _ in range(0, rows, len(part)))
kernel, start = iteration("diag"), started(part, 2, "diag")
kernel.options = replace(kernel.options, tune=sys.argv[4])
for events in ways:
    kernel.train(events, start.copy(), max_iter=1)  # compiled, its threads started
status = Path("/proc/self/status").read_text()
now = int(status.partition("VmData:")[2].split()[0]) << 10
resource.setrlimit(resource.RLIMIT_DATA, (now + limit_bytes,) * 2)
try:
    np.array(native)
except MemoryError:
    print("one copy is too much")
for events in ways:
    mixture = start.copy()
    done = kernel.train(events, mixture, max_iter=iterations, tol=0)
    print(len({*done.variants}), *done.log_likelihoods, *mixture.covariance.ravel())
"""


@pytest.mark.parametrize(
    ("events", "megabytes", "iterations", "tune"),
    [
        (400_000, 38, 3, "none"),
        pytest.param(
            8_000_000, 128, 8, "quick", marks=[pytest.mark.long, pytest.mark.timeout(400)]
        ),
    ],
    ids=["51 MB", "1 GB, and variants"],
)
def test_more_events_than_memory(
    tmp_path: Path, events: int, megabytes: int, iterations: int, tune: str
) -> None:
    """16 coordinates each, in so many megabytes more than the process has before."""
    numbers = map(str, (events, megabytes << 20, iterations))
    done = subprocess.run(
        [sys.executable, "-c", _BOUNDED, *numbers, tune],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    first, *found = done.stdout.splitlines() or [""]
    assert first == "one copy is too much", done.stderr
    native, foreign, pieces = (np.array(line.split(), float) for line in found)
    assert len(native) == 1 + iterations + 2 * 16
    np.testing.assert_allclose(foreign[1:], native[1:], 1e-10)
    np.testing.assert_allclose(pieces[1:], native[1:], 1e-10)
