"""``kernel.train(X, mixture)`` and ``kernel.evaluate(X, mixture)``: whole trainings, and densities.

An iteration of a training is one native call on arrays that are prepared once.  Events that do not
fit the memory come in chunks: each adds its part to the sufficient statistics.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...contracts import Interface, StandIn, Turns
from ...errors import ArgumentError, Diagnostic
from ...results import Training, TrainingListener
from .calls import answer, bind, native_values, not_finite, numbers_in
from .chunks import Passes, Source, source_of
from .interface import E_STEP, M_STEP, WRITE, GmmInterface
from .mixture import Array, Mixture
from .reference import first_indefinite

Prepare = Callable[[Mapping[str, Any]], Callable[[], None]]
_PARAMETERS = ("weight", "mean", "covariance")
_EMPTY = 1e-10
"""Events: a component with a smaller share than that has none of them."""


def train(
    interface: Interface,
    prepare: Prepare,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    turns: Turns,
    max_iter: int = 100,
    min_iter: int = 1,
    tol: float | None = None,
    since: float = float("-inf"),
    warn: bool = True,
    listen: TrainingListener | None = None,
    meanwhile: StandIn | None = None,
) -> Training:
    """``kernel.train(X, mixture)``: iterations until the cell's stopping rule says so, or, where it has
    none, the mean log-likelihood of an event changes by less than *tol* (1e-3); at least *min_iter* and
    at most *max_iter* of them.  The mixture is trained in place, and begins anew.

    *since* is the log-likelihood of all events before, where a training goes on; *meanwhile* does the
    same iteration in NumPy, as long as the kernel is still being built.

    X is an array [N, D], a memory map, or chunks of rows: something that can be iterated again and
    again, or a callable that returns an iterator.  A component without events keeps its mean and
    covariance, which is said once.  Where an iteration finds no log-likelihood, the last good mixture
    stays; an interrupt keeps the mixture as it is.  Raises :class:`ArgumentError` (A010 to A013).
    """
    assert isinstance(interface, GmmInterface)
    _check_numbers(interface, max_iter, min_iter, tol)
    source, mixture = source_of(interface, args, kwargs)
    mixture.begin(since)
    start = time.perf_counter()
    found: list[float] = []
    least = 1e-3 if tol is None else tol
    run = _Run(interface, turns, source, mixture, meanwhile)

    def so_far(**how: Any) -> Training:
        seconds, count = time.perf_counter() - start, len(found)
        return Training(
            tuple(found), run.events, max_iter, seconds, variants=tuple(turns.variants[:count]),
            seconds_each=tuple(turns.seconds_each[:count]), **how,
        )  # fmt: skip

    converged = False
    try:
        while len(found) < max_iter and not converged:
            value = run.iterate()
            if run.problem:
                break
            found.append(value)
            if listen is not None:
                listen(so_far())
            small = abs(value - mixture.log_likelihood) < least * run.events
            converged = (run.converged if interface.stops else small) and len(found) >= min_iter
            mixture.advance(value, converged)
    except KeyboardInterrupt:
        run.finish()
        return so_far(interrupted=True, note=f"interrupted after iteration {len(found)}")
    run.finish()
    if warn:
        for text in filter(None, (run.note, run.problem)):
            warnings.warn(text, RuntimeWarning, stacklevel=4)
    note = "; ".join(filter(None, (run.problem, run.note)))
    mixture.converged = converged and not run.problem
    return so_far(converged=mixture.converged, note=note)


def evaluate(
    interface: Interface, prepare: Prepare, args: tuple[Any, ...], kwargs: Mapping[str, Any],
    *, turns: Turns, meanwhile: StandIn | None = None,
) -> tuple[Array, Array]:  # fmt: skip
    """``kernel.evaluate(X, mixture)`` → the log-density of each event [N] and its responsibilities
    [N, K], in the events' dtype; the mixture stays as it is.  *meanwhile* stands in for the kernel
    as long as that is still being built.

    Raises :class:`ArgumentError` (A010 to A015).
    """
    assert isinstance(interface, GmmInterface)
    bound = bind(interface, args, kwargs)
    parameters = {name: bound.values[name] for name in _PARAMETERS}
    events = bound.values["x"]
    numbers = numbers_in(interface, bound.values)
    values = native_values(interface, events, parameters, WRITE, len(events), numbers=numbers)
    (turns.prepare(values, meanwhile) if meanwhile else prepare(values))()
    answer(values)
    if np.isnan(values["log_prob"]).any():
        raise not_finite(interface, events, parameters)
    return values["log_prob"], values["responsibility"]


class _Run:
    """The arrays of a training and what an iteration does to them."""

    def __init__(
        self, interface: GmmInterface, turns: Turns, source: Source, mixture: Mixture,
        meanwhile: StandIn | None,
    ) -> None:  # fmt: skip
        self.interface, self.turns, self.source = interface, turns, source
        self.arrays, self.mixture = mixture.arrays(), mixture
        self.history = np.array(mixture.history)
        self.before = {name: array.copy() for name, array in self.arrays.items()}
        self.good = {name: array.copy() for name, array in self.arrays.items()}
        self.events, self.problem, self.note = 0, "", ""
        self.emptied: set[int] = set()
        self.started = 0
        if source.whole is None:
            self.passes = Passes(interface, turns, source, self.arrays, self.history)
            self.sums, self.calls = self.passes.sums, self.chunked
        else:
            steps = E_STEP | M_STEP
            values = native_values(
                interface, source.whole, self.arrays, steps, numbers=source.numbers,
                history=self.history,
            )  # fmt: skip
            self.sums = {n: values[n] for n in interface.sums}
            self.calls, self.events = turns.every(values, meanwhile), len(source.whole)

    @property
    def converged(self) -> bool:
        """What the stopping rule said last."""
        return bool(self.sums["converged"][0])

    def iterate(self) -> float:
        """One whole iteration; the log-likelihood that it found, or a ``problem``."""
        self._copy(self.arrays, self.before)
        self.history[:] = self.mixture.history
        try:
            problem = self.turns.take(self._attempt)
        except BaseException:
            self._copy(self.before, self.arrays)  # nothing stays of what was broken off
            raise
        self.started += 1
        if problem:
            self._stop(problem)
        else:
            self._keep_empty()
            self._copy(self.before, self.good)
        return float(self.sums["log_likelihood"][0])

    def _attempt(self) -> str:
        """An iteration from the mixture before it; why it has no log-likelihood, or nothing."""
        self._copy(self.before, self.arrays)
        for array in self.sums.values():
            array.fill(0)
        self.calls()
        if status := int(self.sums["status"][0]):
            return f"the covariance of component {status - 1} collapsed"
        finite = np.isfinite(self.sums["log_likelihood"][0])
        return "" if finite else "the log-likelihood is no finite number"

    def _stop(self, what: str) -> None:
        """Go back to the last mixture whose log-likelihood was found."""
        self._copy(self.good, self.arrays)
        where = f"in iteration {self.started - 1}" if self.started > 1 else "at the start"
        self.problem = f"training stopped: {what} {where}; the mixture before it is kept"

    def chunked(self) -> None:
        """An iteration over chunks."""
        self.passes.once()
        self.events = self.passes.events

    def finish(self) -> None:
        """No mixture stays that has no density: the next iteration would have found that."""
        if self.problem or not self.started:
            return
        covariance = self.arrays["covariance"]
        finite = all(np.isfinite(array).all() for array in self.arrays.values())
        wrong = first_indefinite(covariance, self.interface.covariance) if finite else None
        if not finite or wrong is not None:
            self.started += 1
            self._stop("the mixture is not finite" if wrong is None
                       else f"the covariance of component {wrong} collapsed")  # fmt: skip

    def _keep_empty(self) -> None:
        """Components without events keep their mean and covariance; said once for each."""
        weight, mean, covariance = (self.arrays[name] for name in _PARAMETERS)
        with np.errstate(all="ignore"):
            if weight.min() * self.events > _EMPTY and np.isfinite(mean.sum() + covariance.sum()):
                return
        k = len(weight)
        per_component = {"weight": weight, "mean": mean}
        if self.interface.covariance != "tied":
            per_component["covariance"] = covariance
        lost = ~(weight * self.events > _EMPTY)
        for array in per_component.values():
            lost |= ~np.isfinite(array.reshape(k, -1)).all(axis=1)
        if not np.isfinite(covariance).all() and self.interface.covariance == "tied":
            covariance[...] = self.before["covariance"]
        if not lost.any():
            return
        for name in ("mean", "covariance"):
            if name in per_component:
                self.arrays[name][lost] = self.before[name][lost]
        weight[lost] = np.where(np.isfinite(weight[lost]), weight[lost], 0.0)
        if new := sorted({int(n) for n in np.flatnonzero(lost)} - self.emptied):
            self.emptied |= set(new)
            which = ", ".join(map(str, sorted(self.emptied)))
            self.note = (
                f"component {which} has no events any more and keeps its mean and covariance"
            )

    @staticmethod
    def _copy(source: Mapping[str, Array], to: Mapping[str, Array]) -> None:
        for name, array in source.items():
            np.copyto(to[name], array)


def _check_numbers(
    interface: GmmInterface, max_iter: int, min_iter: int, tol: float | None
) -> None:
    if interface.stops and tol is not None:
        what = f"tol is {tol!r}, and the iteration has a stopping rule of its own"
        try_ = "leave tol out, or have the rule take it as a number"
        raise ArgumentError(Diagnostic("A010", what, "one of them has to decide", try_))
    whole = all(isinstance(n, int | np.integer) and n >= 0 for n in (max_iter, min_iter))
    if not whole or not (tol is None or tol >= 0):
        what = f"max_iter is {max_iter!r}, min_iter {min_iter!r}, tol {tol!r}"
        raise ArgumentError(Diagnostic("A010", what, "iterations are whole numbers, a tolerance is not "
                                       "negative", "max_iter=100, min_iter=1, tol=1e-3"))  # fmt: skip
