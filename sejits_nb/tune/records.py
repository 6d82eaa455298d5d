"""What was found out about a kernel, kept for the next process: every variant that was tried.

One file of JSON lines (:mod:`..phase5_backend.record_store`) holds the races of one kernel on one
machine for calls of about one size: a lookup reads that file only.  Two kinds of lines:

    {"v": 1, "kind": "variant", "race": …, "layout": …, "platform": …, "config": …, "times_s": …}
    {"v": 1, "kind": "race",    "race": …, "layout": …, "platform": …, "config": …, "complete": …}

A race writes its variants batch by batch, so that a killed one can be resumed, and its end: the best.
Lines that cannot be read, or are of another format, are passed over.
"""

from __future__ import annotations

import json
import math
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from .. import config
from ..machine.detect import machine_key, machine_name
from ..phase5_backend import cache, record_store
from ..results import Measurement
from ..stages import ArrayType, Config, KernelSource, Signature, Toolchain

FORMAT = 1
USABLE = ("correct", "unchecked")
_VERDICTS = (*USABLE, "wrong", "failed")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a race is about; ``layout`` and ``kernel`` are fingerprints, ``bucket`` is the layout with
    every length replaced by its power of two."""

    name: str
    kernel: str
    signature: str
    layout: str
    bucket: str
    check: str
    tools: str
    machine: str
    threads: int

    @property
    def shard(self) -> str:
        """The file that its records are in: shared by all layouts of the bucket."""
        parts = (self.kernel, self.bucket, self.check, self.tools, self.machine, str(self.threads))
        return cache.digest(*parts)


@dataclass(frozen=True, slots=True)
class Race:
    """A race as it is remembered: ``complete`` if its strategy had nothing more to try, else it was
    interrupted or its time was up; ``platforms`` took part; ``python_s`` are the plain Python's seconds
    for ``points`` points; ``total`` is how many variants it would have tried at most (0: not known)."""

    measurements: tuple[Measurement, ...] = ()
    best: Measurement | None = None
    complete: bool = False
    effort: str = "quick"
    python_s: float = 0.0
    points: int = 0
    caches: str = ""
    platforms: tuple[str, ...] = ()
    layout: str = ""
    total: int = 0
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])


def subject_of(source: KernelSource, signature: Signature, check: str, tools: Toolchain) -> Subject:
    """What a call is to the record store, on this machine with the CPUs that may be used now."""
    return Subject(
        source.name, cache.digest(*source.identity), str(signature), cache.digest(repr(signature)),
        bucket_of(signature), check, repr(tools) if tools else "", machine_key(), config.threads(),
    )  # fmt: skip


def bucket_of(signature: Signature) -> str:
    """*signature* with each length to the nearest power of two: ``u: f64[2^8, 2^8] C``.

    The best variant depends on the size of a call (the papers choose even the platform by it), but
    seldom on its last digit.
    """
    return ", ".join(f"{name}: {_bucket(kind)}" for name, kind in signature.args)


def _bucket(kind: Any) -> str:
    if not isinstance(kind, ArrayType):
        return str(kind)
    sizes = (f"2^{round(math.log2(n))}" if n else "0" for n in kind.shape)
    axes = sorted(range(len(kind.shape)), key=lambda a: -abs(kind.strides[a]))
    packed = not axes or kind.strides[axes[-1]] == 1
    order = "C" if axes == sorted(axes) else f"order {axes}"
    return f"{kind.dtype}[{', '.join(sizes)}] {order}{'' if packed else ' strided'}"


def remember(
    subject: Subject, race: Race, new: Iterable[Measurement] = (), *, ended: bool = False
) -> None:
    """Append *new* measurements of *race*, and its end."""
    head = {
        "v": FORMAT, "kind": "variant", "race": race.id, "layout": subject.layout,
        "date": time.strftime("%Y-%m-%d %H:%M:%S"), "kernel": subject.kernel, "name": subject.name,
        "signature": subject.signature, "bucket": subject.bucket, "check": subject.check,
        "machine": subject.machine, "machine_name": machine_name(), "threads": subject.threads,
    }  # fmt: skip
    rows = [head | _row(m) for m in new]
    if ended:
        best = race.best or Measurement(Config(), "", "failed")
        end = {"complete": race.complete, "effort": race.effort, "caches": race.caches,
               "python_s": race.python_s, "points": race.points, "total": race.total,
               "platforms": list(race.platforms)}  # fmt: skip
        rows.append(head | _row(best) | end | {"kind": "race"})
    if rows:
        record_store.append(subject.shard, [_line(row) for row in rows], keep)


def recall(subject: Subject) -> Race | None:
    """The race to go by at this very layout: the last complete one, else the last."""
    return next(_by_trust(_races(record_store.lines(subject.shard), subject.layout)), None)


def unfinished(subject: Subject) -> Race | None:
    """The last race of this layout, complete or not: what more tuning continues."""
    races = _races(record_store.lines(subject.shard), subject.layout)
    return races[-1] if races else None


def choice(subject: Subject, platforms: Sequence[str]) -> tuple[str, Config] | None:
    """Platform and configuration that served this layout best, else another one of its bucket; of
    races that the first of *platforms* took part in, and of whose platforms one won.

    Reads the ends of races only; where there is none for this layout, its variants.
    """
    lines = record_store.lines(subject.shard)
    ends = [line for line in reversed(lines) if b'"kind":"race"' in line]
    own = [line for line in ends if subject.layout.encode() in line]
    killed = () if own else _by_trust(_races(lines, subject.layout))
    for race in chain(_read(own), killed, _read(ends)):
        if race.best and platforms[0] in race.platforms and race.best.platform in platforms:
            return race.best.platform, race.best.config
    return None


def _read(ends: Sequence[bytes]) -> Iterator[Race]:
    """Races by their ends, read one by one: those of complete races before others."""
    complete = [b'"complete":true' in line for line in ends]
    for wanted in (True, False):
        for line, is_complete in zip(ends, complete, strict=True):
            if is_complete == wanted and (race := _end(line)):
                yield race


def _by_trust(races: Sequence[Race]) -> Iterator[Race]:
    """Complete races before others, later ones before earlier ones."""
    yield from (race for race in reversed(races) if race.complete)
    yield from (race for race in reversed(races) if not race.complete)


def best_of(measurements: Iterable[Measurement]) -> Measurement | None:
    """The fastest by median of those that may be chosen."""
    timed = [m for m in measurements if m.times_s and m.verdict in USABLE]
    return min(timed, key=lambda m: m.median_s, default=None)


def keep(lines: list[bytes]) -> list[bytes]:
    """What a file that has grown too large keeps, at most half of what it may hold.

    The newest races of each layout whole as long as there is room (the one to go by, and the one to
    continue), then the ends of older ones, in the order in which they stand; the oldest go first.
    """
    parsed = [(line, row) for line in lines if (row := _parsed(line))]
    needed: dict[str, dict[str, str]] = {}
    for _, row in parsed:
        of_layout = needed.setdefault(row["layout"], {})
        of_layout["last"] = row["race"]
        if row["kind"] == "race" and row.get("complete"):
            of_layout["complete"] = row["race"]
    races = {race for of_layout in needed.values() for race in of_layout.values()}
    room, kept = record_store.LIMIT_BYTES // 2, set()
    rows = [(n, line, row) for n, (line, row) in enumerate(parsed) if row["race"] in races]
    for ends in (True, False):
        for number, line, row in reversed(rows):
            if (row["kind"] == "race") == ends and room >= len(line) + 1:
                room -= len(line) + 1
                kept.add(number)
    return [line for number, (line, _) in enumerate(parsed) if number in kept]


def _row(m: Measurement) -> dict[str, Any]:
    return {"platform": m.platform, "config": [list(item) for item in m.config.items],
            "verdict": m.verdict, "times_s": [float(f"{t:.5g}") for t in m.times_s],
            "reason": m.reason}  # fmt: skip


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, separators=(",", ":"))


def _parsed(line: bytes) -> dict[str, Any] | None:
    """A line as a row of ours, or ``None``."""
    try:
        row = json.loads(line)
        ours = row["v"] == FORMAT and row["kind"] in ("variant", "race")
        return row if ours and isinstance(row["race"] + row["layout"], str) else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _measurement(row: Mapping[str, Any]) -> Measurement | None:
    try:
        times = tuple(float(t) for t in row["times_s"])
        found = Measurement(
            Config(tuple((str(k), v if isinstance(v, str) else int(v)) for k, v in row["config"])),
            str(row["platform"]), str(row["verdict"]), times, str(row["reason"]),
        )  # fmt: skip
        right = found.verdict in _VERDICTS and all(0 < t < math.inf for t in times)
        return found if right else None
    except (TypeError, KeyError, ValueError, OverflowError):
        return None


def _end(line: bytes) -> Race | None:
    """A race's end alone: its best, without the others."""
    row = _parsed(line)
    if row is None or row["kind"] != "race":
        return None
    best = _measurement(row)
    try:
        return Race(
            (), best if best and best.times_s and best.verdict in USABLE else None,
            row["complete"] is True, str(row["effort"]), float(row["python_s"]),
            int(row["points"]), str(row["caches"]), tuple(map(str, row["platforms"])),
            row["layout"], int(row.get("total", 0)), row["race"],
        )  # fmt: skip
    except (TypeError, KeyError, ValueError, OverflowError):
        return None


def _races(lines: Sequence[bytes], layout: str) -> list[Race]:
    """The races of one layout in the order of their last lines, each with its variants."""
    mark = layout.encode()
    variants: dict[str, dict[tuple[str, Config], Measurement]] = {}
    ends: dict[str, Race] = {}
    for line in lines:
        row = _parsed(line) if mark in line else None
        if row is None or row["layout"] != layout:
            continue
        of_race = variants.setdefault(row["race"], {})
        variants[row["race"]] = variants.pop(row["race"])  # last
        if row["kind"] == "race":
            ends |= {row["race"]: end} if (end := _end(line)) else {}
        elif found := _measurement(row):
            of_race[found.platform, found.config] = found
    return [_whole(tuple(of_race.values()), ends.get(race) or Race(layout=layout, id=race))
            for race, of_race in variants.items()]  # fmt: skip


def _whole(measurements: tuple[Measurement, ...], end: Race) -> Race:
    """A race with its variants; one without an end was killed."""
    named = [m for m in measurements if end.best
             and (m.platform, m.config) == (end.best.platform, end.best.config)]  # fmt: skip
    best = named[0] if named else end.best or best_of(measurements)
    rows = measurements if named or best is None else (*measurements, best)
    raced = end.platforms or tuple(dict.fromkeys(m.platform for m in rows))
    return replace(end, measurements=rows, best=best, platforms=raced)
