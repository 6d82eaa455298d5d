"""How many programs a test generates, and what has to become of them.

In ``make test`` a few, the same in each run.  ``make test-properties`` sets
``SEJITS_PROPERTY_SECONDS``: each test then runs a quarter more than :data:`LEAST`, or stops after so
many seconds (three tenths on OpenCL); fewer than :data:`LEAST` is a failure.  Further programs
come with another ``SEJITS_PROPERTY_SEED``.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from .mixtures import MixtureProgram
from .programs import Program

SECONDS = float(os.environ.get("SEJITS_PROPERTY_SECONDS", "0"))
SEED = int(os.environ.get("SEJITS_PROPERTY_SEED", "0"))
QUICK = {"core": {"c": 60, "opencl": 5}, "wider": {"c": 25, "opencl": 5}, "mixtures": {"c": 6}}
LEAST = {("core", "c"): 160, ("wider", "c"): 160, ("core", "opencl"): 8, ("wider", "opencl"): 8,
         ("mixtures", "c"): 12}  # fmt: skip
"""Programs of a test: of grids there are 2 languages x 3 numbers of axes, 1 008 in all."""
LEAST_NATIVE = 0.95
PINS = {
    ("c", 1): ("threads=1", "threads=2"),
    ("c", 2): (
        "unroll=1,threads=1", "unroll=2,threads=2", "unroll=4,threads=1", "unroll=2,threads=1",
    ),
    ("c", 3): ("unroll=1,tile=16", "unroll=2,tile=2", "unroll=4,tile=3,threads=2", "tile=1,threads=2"),
    **{("opencl", n): ("group=4096", "group=4", "group=64,rows=2") for n in (1, 2, 3)},
    ("c", 0): (  # mixtures
        "threads=1", "strategy=fused,threads=2", "strategy=separate,block=32", "strategy=components",
        "strategy=cells,threads=2", "form=natural", "form=natural,strategy=separate",
    ),
}  # fmt: skip
PLATFORMS = [pytest.param(p, marks=pytest.mark.needs(p)) for p in ("c", "opencl")]
_PLATFORM = {"c": "openmp", "opencl": "opencl"}
_AT_ONCE = 20

Outcome = Callable[[Any, dict[str, Any], Random], str]
"""Program, options and chance -> ``native``, or the code of the error that refused it; nothing where
the plain Python itself raises, which is no program.  What none can be blamed for is raised."""


def run(
    language: str,
    platform: str,
    ndim: int,
    programs: st.SearchStrategy[Program] | st.SearchStrategy[MixtureProgram],
    outcome: Outcome,
    tell: Callable[[str, object], None],
) -> None:
    """Generate, run and count; ``tell`` is pytest's ``record_property``."""
    tally: Counter[str] = Counter()
    start = time.monotonic()
    box = SECONDS * (1 if platform == "c" else 0.3)
    wanted = 5 * LEAST[language, platform] // 4 if SECONDS else QUICK[language][platform]

    def full() -> bool:
        late = bool(SECONDS) and time.monotonic() - start > box
        return late or tally.total() >= wanted

    for number in count(SEED * 10_000):  # in batches: Hypothesis would start over after a while

        @seed(number)
        @settings(
            max_examples=_AT_ONCE,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(programs, st.sampled_from(PINS[platform, ndim]), st.integers(0, 2**32 - 1))
        def batch(program: Program | MixtureProgram, pins: str, chance: int) -> None:
            if not full():
                options = {"backend": _PLATFORM[platform], "set": pins}
                if found := outcome(program, options, Random(chance)):
                    tally[found] += 1

        batch()
        if full():
            break
    tell("generated programs", (language, _PLATFORM[platform], tally.total(), tally["native"]))
    rejected = {code: n for code, n in tally.items() if code != "native"}
    assert tally["native"] >= LEAST_NATIVE * tally.total(), f"rejected: {rejected}"
    least = LEAST[language, platform] if SECONDS else wanted
    if tally.total() < least:
        pytest.fail(f"only {tally.total()} of at least {least} programs ran within {box:.0f} s")
