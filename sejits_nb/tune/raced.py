"""The choice among all variants of a call: recalled from an earlier race, or raced now."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Any

from .. import config
from ..contracts import Platform
from ..errors import BackendError
from ..results import Measurement, Report
from ..stages import Config
from . import records
from .progress import Teller
from .prove import Prover
from .records import Race
from .report import make_report, plain_seconds
from .request import Request, Specialization, cases_of, front, none_left, prove_one, usable
from .runner import Entrant, Runner
from .strategies import EFFORTS
from .timing import cache_state

_RANK = {"quick": 0, "full": 1}


def raced(request: Request) -> Specialization:
    """The best variant of all platforms, with a report.

    A record that holds all of these platforms is enough, even one that was interrupted, unless the
    request asks for more; then the race goes on from there, or begins anew where it had its end.
    """
    start = time.perf_counter()
    known = _known(request)
    runnable = [p for p in request.platforms if usable(request, p)]
    race, provers = known, dict[str, Prover]()
    if race is None or request.resume or not {p.name for p in runnable} <= {*race.platforms}:
        race, provers = _race(request, runnable, known or Race(effort=request.tune))
    mine = tuple(m for m in race.measurements if m.platform in request.names)
    best = race.best if race.best in mine else records.best_of(mine)
    if best is None:
        raise none_left(request, mine)
    platform = next(p for p in runnable if p.name == best.platform)
    prover = provers.get(platform.name) or front(request, platform)[0]
    done = prove_one(request, prover, best.config, cases_of(request, prover))
    report = _report(request, done, dataclasses.replace(race, measurements=mine, best=best))
    return dataclasses.replace(
        done, report=dataclasses.replace(report, seconds=time.perf_counter() - start)
    )


def _known(request: Request) -> Race | None:
    """The race to go by, or to continue; ``None`` to begin one."""
    if request.pins or (request.fresh and not request.resume):
        return None
    if not request.resume:
        found = records.recall(request.subject)
        runs = {p.name for p in request.platforms if usable(request, p)}
        return found if found and any(m.platform in runs for m in found.measurements) else None
    found = records.unfinished(request.subject)
    ended = found and found.complete and _RANK.get(found.effort, 0) >= _RANK[request.tune]
    return None if ended else found


def _race(
    request: Request, platforms: Sequence[Platform], known: Race
) -> tuple[Race, dict[str, Prover]]:
    """The platforms against one another, from what is *known*; kept batch by batch.  With it what
    built their variants."""
    entrants, failed = list[Entrant](), list[Measurement]()
    for platform in platforms:
        try:
            entrants.append(Entrant(*front(request, platform)))
        except BackendError as error:
            failed.append(Measurement(Config(), platform.name, "failed", reason=str(error)))
    if not entrants:
        raise none_left(request, tuple(failed))
    dast = entrants[0].prover.optimised(request.signature)
    work = request.specializer.work(dast)
    teller = Teller(request.listen, request.source.name, work, request.tools.device)
    teller("the plain Python")
    plain = known.python_s, known.points
    if not known.python_s:
        plain = plain_seconds(
            request.specializer, request.source, request.lookup, dast, request.values
        )
    spaces = {entrant.name: [k.name for k in entrant.space.knobs] for entrant in entrants}
    decided = {(m.platform, m.config): m for m in known.measurements
               if [name for name, _ in m.config.items] == spaces.get(m.platform)}  # fmt: skip
    subject, budget_s = request.subject, request.budget_s or config.TUNE_BUDGET_S[request.tune]
    race = dataclasses.replace(
        known, effort=request.tune, python_s=plain[0], points=plain[1],
        caches=cache_state(work.bytes_), platforms=tuple(p.name for p in platforms),
    )  # fmt: skip

    def keep(new: Sequence[Measurement]) -> None:
        if not request.pins:
            records.remember(subject, race, new)

    keep(failed)
    runner = Runner(
        entrants, request.signature, request.values,
        cases_of(request, entrants[0].prover), EFFORTS[request.tune], budget_s, decided, keep,
    )  # fmt: skip
    teller.follow(runner, plain[0] * work.points / max(1, plain[1]), budget_s)
    found = runner.run()
    race = dataclasses.replace(
        race, measurements=(*found.measurements, *failed), best=found.best,
        complete=found.complete, total=runner.total,
    )  # fmt: skip
    if not request.pins:
        records.remember(subject, race, ended=True)
    return race, {entrant.name: entrant.prover for entrant in entrants}


def _report(request: Request, done: Specialization, race: Race) -> Report:
    work: Any = request.specializer.work(done.trace.last(2).tree)
    report = make_report(
        done.trace, request.signature, race.measurements, race.best, work=work,
        plain=(race.python_s, race.points), artifact=done.artifact, seconds=0.0,
        check=request.check, device=request.tools.device,
    )  # fmt: skip
    return dataclasses.replace(report, caches=race.caches, complete=race.complete, total=race.total)
