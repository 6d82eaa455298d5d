"""What a variant of an EM iteration is compared with: the plain Python, on few events.

Random mixtures that overlap, so that every component has a share in every event, of the K, D,
covariance and dtype of the call, on numbers of events around the size of a block; then some of the
call's own events with its own mixture.  Sums over events are taken in another order than the plain
Python takes them, so that agreement is within rounding, never to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...contracts import Namespace
from ...errors import Diagnostic, OptionError
from ...ir.node import walk
from ...stages import Case, Expectation, KernelSource, Signature
from .calls import interface_of, native_values, numbers_in, signature_of
from .dast import Array as ArrayNode
from .dast import Gmm
from .interface import E_STEP, M_STEP, WRITE, GmmInterface
from .kinds import covariance_shape
from .mixture import Array
from .reference import reference

_COUNTS = (7, 64, 65, 200)
_OWN_EVENTS = 200
_PLAIN_PAIRS = 400
_ALL = E_STEP | M_STEP | WRITE
_PARAMETERS = ("weight", "mean", "covariance")


def cases(
    source: KernelSource,
    lookup: Namespace,
    optimise: Callable[[Signature], Gmm],
    signature: Signature,
    values: Mapping[str, Any],
    strict: bool,
) -> tuple[Case, ...]:
    """The comparisons that every variant for *signature* must pass.

    Raises :class:`OptionError` (O002) where *strict* asks for equality to the bit.
    """
    if strict:
        raise OptionError(Diagnostic("O002", "check is 'strict'", "sums over the events are taken in "
                                     "another order than the plain Python takes them",
                                     "check='fast': within rounding"))  # fmt: skip
    interface, margins = interface_of(source), list[float]()
    run = reference(source, lookup, margins)
    single = values["x"].dtype == np.float32 or any(_is_single(v) for _, v in source.captured)
    scales = [n.values for n in walk(optimise(signature)) if isinstance(n, ArrayNode)]
    scale = max((max(map(abs, v)) for v in scales), default=1.0)
    k, d = values["mean"].shape
    generator = np.random.default_rng(7)
    found = []
    for count in _COUNTS:
        x, parameters = _random(generator, count, k, d, interface.covariance, values["x"].dtype)
        numbers = _like(generator, numbers_in(interface, values))
        small = native_values(interface, x, parameters, _ALL, count, numbers)
        if interface.stops and count < _COUNTS[-1]:  # as if nothing had changed since
            small["history"][:] = _after(run, small)["log_likelihood"][0], 1.0
        found.append(
            _case(interface, run, small, single, scale, f"on {count} random events", margins)
        )
    only = native_values(interface, x, parameters, E_STEP | WRITE, count, numbers)
    found.append(_case(interface, run, only, single, scale, "on an E-step alone", margins))
    own, label = _own(interface, values, generator), "on some of the call's own events"
    return (*found, _case(interface, run, own, single, scale, label, margins))


def _is_single(value: Any) -> bool:
    """Whether a captured constant is float32: NumPy rounds what it computes with Python's numbers and
    it, where the generated code does not."""
    if isinstance(value, tuple):
        return any(map(_is_single, value))
    return isinstance(value, np.float32)


def _random(
    generator: np.random.Generator, count: int, k: int, d: int, covariance: str, dtype: Any
) -> tuple[Array, dict[str, Array]]:
    """Events, and a well-conditioned mixture whose components lie about one deviation apart."""
    mean = generator.standard_normal((k, d)) / np.sqrt(d)
    weight = generator.uniform(0.5, 1.5, k)
    shape = covariance_shape(covariance, k, d)
    if covariance in ("full", "tied"):
        loose = generator.standard_normal((*shape[:-1], d)) / np.sqrt(8.0 * d)
        values = np.eye(d) + loose @ np.swapaxes(loose, -1, -2)
    else:
        values = generator.uniform(0.8, 1.25, shape)
    x = mean[generator.integers(0, k, count)] + generator.standard_normal((count, d))
    parameters = {"weight": weight / weight.sum(), "mean": mean, "covariance": values}
    return np.ascontiguousarray(x, dtype), parameters


def _like(generator: np.random.Generator, numbers: Mapping[str, float]) -> dict[str, float]:
    """Numbers of the size of the call's own: what is found out holds for calls with others, too."""
    return {name: (value or 1e-3) * generator.uniform(0.5, 1.0) for name, value in numbers.items()}


def _own(
    interface: GmmInterface, values: Mapping[str, Any], generator: np.random.Generator
) -> dict[str, Any]:
    """The call's own mixture, and events from random places of its data, in their order."""
    x = values["x"]
    places = np.sort(generator.choice(len(x), min(len(x), _OWN_EVENTS), replace=False))
    parameters = {name: values[name].copy() for name in _PARAMETERS}
    numbers = numbers_in(interface, values)
    return native_values(interface, x[places], parameters, _ALL, len(places), numbers)


def _case(
    interface: GmmInterface,
    run: Callable[[Mapping[str, Any]], None],
    values: Mapping[str, Any],
    single: bool,
    scale: float,
    label: str,
    margins: list[float],
) -> Case:
    """Run the plain Python on a copy, and note what it gave and how near a variant must come."""
    margins.clear()
    after = _after(run, values)
    signature = signature_of(interface, values)
    if after["status"][0]:  # of several components without a density any may be named
        k = len(values["weight"])
        refused = Expectation("status", slice(None), np.array([(k + 1) / 2]), (k - 1) / 2)
        return Case(signature, values, (refused, *_unchanged(values)), label)
    fine = Expectation("status", slice(None), after["status"], 0.0)
    near = _near(interface, values, after, single, scale)
    slack = max(float(np.max(e.tolerance)) for e in near)
    if interface.stops and min(margins, default=np.inf) > 4.0 * slack:  # rounding decides no other
        near.append(Expectation("converged", slice(None), after["converged"], 0.0))
    return Case(signature, values, (fine, *near), label)


def _after(run: Callable[[Mapping[str, Any]], None], values: Mapping[str, Any]) -> dict[str, Any]:
    """Copies of *values*, which the plain Python has then run on."""
    after = {n: v.copy() if isinstance(v, np.ndarray) else v for n, v in values.items()}
    run(after)
    return after


def _unchanged(values: Mapping[str, Any]) -> list[Expectation]:
    return [Expectation(n, slice(None), values[n].copy(), 0.0) for n in _PARAMETERS]


def _near(
    interface: GmmInterface,
    values: Mapping[str, Any],
    after: Mapping[str, Any],
    single: bool,
    scale: float,
) -> list[Expectation]:
    """Expectations within rounding.

    A log-density of the size of *q* is off by about *u* times the condition of the covariance times
    *q*, where *u* is the unit round-off of the events' dtype; a responsibility, and what is weighted
    with it, by as large a share; both where an event is that many deviations away from the origin,
    too.  Second moments come from sums of squares about a common origin, so that the error of a
    covariance is relative to the squared extent of the events.  Components with next to no share in
    the events are averages of rounding errors: they are left out.
    """
    unit, least = (6e-8, 1e-4) if single else (1.2e-16, 1e-9)
    log_prob = np.asarray(after["log_prob"], np.float64)
    size = float(np.nanmax(np.abs(log_prob), initial=1.0)) + values["mean"].shape[1]
    worse = max(size * _condition(interface, values), _distance(interface, values))
    slack = max(least, 16.0 * unit * worse)
    found = [
        Expectation("log_prob", slice(None), after["log_prob"], slack * size),
        Expectation("responsibility", slice(None), after["responsibility"], slack),
        Expectation("log_likelihood", slice(None), after["log_likelihood"],
                    slack * size * max(1, len(log_prob))),
    ]  # fmt: skip
    share = np.asarray(after["responsibility"], np.float64).sum(axis=0)
    steady = np.flatnonzero(share > (1e-1 if single else 1e-3))
    extent = float(np.max(np.abs(values["x"] - values["mean"].mean(axis=0)), initial=scale))
    whole = interface.covariance == "tied" and len(steady) < len(share)
    for name, power in zip(_PARAMETERS, (0, 1, 2), strict=True):
        where: Any = (
            slice(None) if name == "covariance" and interface.covariance == "tied" else steady
        )
        if (whole and name == "covariance") or not np.size(after[name][where]):
            continue
        want = after[name][where]
        reach = np.abs(want) + extent**power
        found.append(Expectation(name, where, want, slack * reach))
    return found


def _condition(interface: GmmInterface, values: Mapping[str, Any]) -> float:
    """The worst condition number of the covariances."""
    covariance = values["covariance"]
    if interface.covariance in ("full", "tied"):
        return float(np.max(np.linalg.cond(covariance)))
    rows = covariance.reshape(len(covariance), -1)
    return float(np.max(rows.max(axis=1) / rows.min(axis=1)))


def _distance(interface: GmmInterface, values: Mapping[str, Any]) -> float:
    """How many of the smallest deviations an event or a mean may be away from the origin."""
    covariance, origin = values["covariance"], values["weight"] @ values["mean"]
    whole = interface.covariance in ("full", "tied")
    least = np.min(np.linalg.eigvalsh(covariance) if whole else covariance)
    reach = max(np.max(np.abs(a - origin), initial=0.0) for a in (values["x"], values["mean"]))
    return float(reach / np.sqrt(max(least, 1e-300)))


def plain_run(
    source: KernelSource, lookup: Namespace, gmm: Gmm, values: Mapping[str, Any]
) -> tuple[Callable[[], None], int]:
    """An iteration of the plain Python over some hundred pairs of an event and a component, in scratch
    arrays; and the number of events."""
    count = min(len(values["x"]), max(20, _PLAIN_PAIRS // gmm.mixture.components))
    scratch = {name: values[name].copy() for name in _PARAMETERS}
    interface, steps = interface_of(source), E_STEP | M_STEP
    numbers = numbers_in(interface, values)
    few = native_values(interface, values["x"][:count], scratch, steps, numbers=numbers)
    before = {name: array.copy() for name, array in scratch.items()}
    run = reference(source, lookup)

    def once() -> None:
        for name, array in before.items():
            scratch[name][...] = array
        run(few)

    return once, count
