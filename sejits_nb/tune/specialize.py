"""One signature of one kernel, from source to something that runs: choose, build, prove, load."""

from __future__ import annotations

from collections.abc import Iterator

from ..contracts import Platform, VariantSpace
from ..errors import BackendError, WrongResult
from ..stages import Config
from . import records
from .prove import Cases, Prover
from .raced import raced
from .request import Request, Specialization, cases_of, fitting, front, prove_one, usable

__all__ = ["Request", "Specialization", "specialize"]


def specialize(request: Request) -> Specialization:
    """All five phases for one call.

    With ``tune="none"`` the recorded best (of this layout, else of its size bucket) or the model's
    choice is built and proven; else the platforms race (or the record of a race is recalled) and the
    result carries a :class:`Report`.
    Raises the specializer's error, :class:`BackendError`, :class:`WrongResult`.
    """
    request = fitting(request)
    return _chosen(request) if request.tune == "none" else raced(request)


def _chosen(request: Request) -> Specialization:
    """The first choice that can be built and is right."""
    cases: Cases | None = None
    first: BackendError | WrongResult | None = None
    fronts: dict[str, tuple[Prover, VariantSpace]] = {}
    for platform, recorded in _choices(request):
        try:
            if platform.name not in fronts:
                fronts[platform.name] = front(request, platform)
            prover, space = fronts[platform.name]
            cases = cases or cases_of(request, prover)
            known = [knob.name for knob in space.knobs]
            if recorded and [name for name, _ in recorded.items] != known:
                continue  # of another version of ours
            return prove_one(request, prover, recorded or space.default, cases)
        except (BackendError, WrongResult) as error:
            first = first or error
    assert first is not None
    raise first


def _choices(request: Request) -> Iterator[tuple[Platform, Config | None]]:
    """What the records say, then the model's choice (``None``) on each platform that is usable."""
    if not (request.fresh or request.pins):
        found = records.choice(request.subject, request.names)
        for platform in request.platforms if found else ():
            if found and platform.name == found[0] and usable(request, platform):
                yield platform, found[1]
    for number, platform in enumerate(request.platforms):
        if number == 0 or usable(request, platform):
            yield platform, None
