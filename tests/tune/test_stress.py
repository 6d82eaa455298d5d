"""Several processes tune and record at once: nothing is lost, nothing is corrupt.

Eight processes for ``SEJITS_STRESS_S`` seconds (8; ``make test-stress``: 60).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sejits_nb.phase5_backend import record_store
from sejits_nb.stages import Config
from sejits_nb.tune.records import Subject, choice, recall

PROCESSES = 8
SECONDS = float(os.environ.get("SEJITS_STRESS_S", "8"))
WORKER = """
import json, random, sys, time
import numpy as np
import sejits_nb as sj
from sejits_nb.results import Measurement
from sejits_nb.stages import Config
from sejits_nb.tune.records import Race, Subject, remember

worker, seconds, ledger = int(sys.argv[1]), float(sys.argv[2]), open(sys.argv[3], "w")
chance, stop, races = random.Random(worker), time.monotonic() + seconds, 0

def shifted(u, out):
    for x in out.interior_points():
        out[x] = FACTOR * u[x + (0, 1)]

while time.monotonic() < stop or races < 3:
    if races % 100 == 0:  # a real race: the first of all processes is about the same kernel
        FACTOR = 1.5 if races == 0 else worker + races
        kernel = sj.stencil(shifted, backend="c", fallback=False)
        u = np.ones((20, 24))
        report = kernel.tune(u, budget=0.2)
        assert report.best.verdict == "correct"
        assert np.array_equal(kernel(u)[:, 1:-1], FACTOR * u[:, 2:])
    layout = f"{worker}-{races}"
    subject = Subject("k", f"kernel {chance.randrange(64)}", "u", layout, "b", "fast", "", "m", 2)
    found = [Measurement(Config((("unroll", n),)), "c", "correct", (n * 1e-3, worker + 1.0))
             for n in range(1, chance.randrange(2, 5))]
    race = Race(tuple(found), found[0], True, platforms=("c",), layout=layout)
    for one in found:
        remember(subject, race, [one])
    remember(subject, race, ended=True)
    races += 1
    print(json.dumps([subject.kernel, layout, len(found), race.id]), file=ledger, flush=True)
    time.sleep(0.05)
"""


@pytest.mark.needs("gcc")
@pytest.mark.timeout(240)
def test_nothing_is_lost_and_nothing_is_corrupt(own_cache: Path, tmp_path: Path) -> None:
    program = tmp_path / "worker.py"
    program.write_text(WORKER)
    ledgers = [tmp_path / f"ledger{n}" for n in range(PROCESSES)]
    processes = [
        subprocess.Popen([sys.executable, str(program), str(n), str(SECONDS), str(ledger)],
                         stderr=subprocess.PIPE, text=True)
        for n, ledger in enumerate(ledgers)
    ]  # fmt: skip
    said = [process.communicate(timeout=SECONDS + 170)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * PROCESSES, said
    assert not any(said), said

    told = [json.loads(line) for ledger in ledgers for line in ledger.read_text().splitlines()]
    assert len(told) >= 3 * PROCESSES
    for kernel, layout, variants, race in told:
        subject = Subject("k", kernel, "u", layout, "b", "fast", "", "m", 2)
        found = recall(subject)
        assert found is not None, (kernel, layout)
        assert (found.id, found.complete, len(found.measurements)) == (race, True, variants)
        assert choice(subject, ("c",)) == ("c", Config((("unroll", 1),)))
    shards = list(own_cache.glob("v1/records/*.jsonl"))
    lines = [line for shard in shards for line in record_store.lines(shard.stem)]
    rows = [json.loads(line) for line in lines]
    real = [row for row in rows if row["kind"] == "race" and row["machine"] != "m"]
    assert len(real) >= PROCESSES
    print(f"{PROCESSES} processes, {SECONDS:g} s: {len(told)} races, {len(rows)} records")
