"""What is found out about a kernel once it runs: its work, measurements, roofs, the report.

Stages (``stages.py``) flow through the five phases; these values come after them.  All are frozen,
comparable and picklable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .errors import Diagnostic
from .stages import Artifact, Config, Signature, Step, Trace


@dataclass(frozen=True, slots=True)
class Work:
    """What one sweep has to do at least, derived from its optimised DAST.

    ``bytes_`` is the compulsory traffic (each grid read once, each output written once),
    ``written_bytes`` the part of it that is written, ``dtype`` the type of most operations.
    ``point`` is what the domain calls a point; ``arguments`` is what a call looks like, where its own
    arguments are not those of the native code.
    """

    points: int
    flops_per_point: int
    bytes_: int
    written_bytes: int = 0
    dtype: str = "f64"
    point: str = "point"
    arguments: str = ""

    @property
    def flops(self) -> int:
        """Floating-point operations of the whole sweep."""
        return self.points * self.flops_per_point


@dataclass(frozen=True, slots=True)
class Measurement:
    """What became of one variant: checked, timed, or failed with a reason."""

    config: Config
    platform: str
    verdict: str
    times_s: tuple[float, ...] = ()
    reason: str = ""

    @property
    def median_s(self) -> float:
        """Median run time, seconds; infinite for a variant that was not timed."""
        ordered = sorted(self.times_s)
        middle = len(ordered) // 2
        if not ordered:
            return float("inf")
        return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2

    @property
    def mad_s(self) -> float:
        """Median absolute deviation of the run times, seconds."""
        if not self.times_s:
            return float("inf")
        centre = self.median_s
        return sorted(abs(t - centre) for t in self.times_s)[len(self.times_s) // 2]


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """Bytes a second that *threads* threads move in one level of the memory, measured.

    ``level`` is ``L1``, ``L2``, ``L3`` or ``DRAM``; ``kind`` is ``read``, ``copy`` or ``triad``, with
    `` past the caches`` where stores were non-temporal.  ``set_bytes`` is the working set of the
    measurement, ``holds_bytes`` what the level holds for that many threads (DRAM: 0, no limit).
    """

    level: str
    kind: str
    threads: int
    bytes_per_s: float
    set_bytes: int
    holds_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Peak:
    """Fused multiply-adds of *threads* threads on ``f32`` or ``f64``, two operations each."""

    dtype: str
    threads: int
    flops_per_s: float


@dataclass(frozen=True, slots=True)
class Roofs:
    """What a machine can do at most, measured on one thread and on all (``threads``).

    ``notes`` say what could not be measured as it should be.
    """

    bandwidths: tuple[Bandwidth, ...]
    peaks: tuple[Peak, ...]
    threads: int
    machine: str
    date: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a variant stands under its roof.

    ``intensity`` is flop/byte; ``bound`` is ``memory`` or ``compute``; ``level`` is the memory that
    the working set comes from; ``bytes_roof`` and ``flops_roof`` are the rates that bound it, and
    ``fraction`` is its share of the lower roof.  ``above`` marks more than noise over the roof: a
    diagnostic, not a winner.
    """

    intensity: float
    bytes_per_s: float
    flops_per_s: float
    bytes_roof: float
    flops_roof: float
    level: str
    bound: str
    fraction: float
    above: bool
    words: str
    advice: str


@dataclass(frozen=True)
class EditedRace:
    """What became of code that a person has edited: of its ``measurement`` platform and configuration
    are those of the variant that the text was made from.

    ``beside`` was timed in the same rounds of the same child process: the variant in use, and the
    serial one if that is another.  ``ratios`` are the edited code's time by that of the variant in use,
    one a round.  ``errors`` are the compiler's, at lines and columns of *text*; ``log`` is all it said.
    """

    kernel: str
    language: str
    text: str
    measurement: Measurement
    beside: tuple[Measurement, ...] = ()
    ratios: tuple[float, ...] = ()
    errors: tuple[Diagnostic, ...] = ()
    log: str = ""

    @property
    def ratio(self) -> float | None:
        """Median of the ratios, less than 1 for faster code; ``None`` where it was not timed."""
        return _quantile(self.ratios, 0.5) if self.ratios else None

    @property
    def spread(self) -> tuple[float, float] | None:
        """The quartiles of the ratios: half of the rounds lie between them."""
        return (_quantile(self.ratios, 0.25), _quantile(self.ratios, 0.75)) if self.ratios else None


@dataclass(frozen=True)
class Report:
    """All that a card shows of one specialization: the trace, the race, and where it was run.

    ``python_s`` is the plain Python's time for one whole sweep, seconds: measured on
    ``python_points`` points and scaled to ``work.points``.  ``best`` is ``None`` when the plain
    Python itself is what a call runs; ``note`` then says why.  ``roofs`` are those of the CPU, if
    they have been measured; ``elsewhere`` names platforms that run on another device; ``script`` is a
    Python file that makes the result anew.
    ``caches`` says where a run finds its grids: ``warm``, ``flushed`` before each run, or in memory as
    they ``exceed`` the last-level cache; ``complete`` is false for a race that was interrupted or ran
    out of time, which would have tried ``total`` variants at most (0: not known).
    """

    trace: Trace
    signature: Signature
    measurements: tuple[Measurement, ...]
    best: Measurement | None
    work: Work
    python_s: float
    python_points: int
    artifact: Artifact | None
    machine: str
    date: str
    seconds: float
    check: str = "fast"
    note: str = ""
    roofs: Roofs | None = None
    elsewhere: tuple[str, ...] = ()
    caches: str = ""
    complete: bool = True
    total: int = 0
    script: str = ""

    @property
    def speedup(self) -> float | None:
        """Plain Python over the best variant, or ``None`` if either was not timed."""
        if self.best is None or not self.best.times_s or not self.python_s:
            return None
        return self.python_s / self.best.median_s

    @property
    def generated(self) -> Step | None:
        """The step that holds the best variant's source, if there is one."""
        return next((s for s in reversed(self.trace.steps) if s.phase == 5), None)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a race stands, told between two timings: ``done`` of ``total`` variants are decided
    (timed out of the race, failed, or timed to the end).

    ``measurements`` has every variant that is known so far, with the samples taken so far;
    ``python_s`` is the plain Python's time for the same sweep, seconds (0: not known yet);
    ``left_s`` an estimate of the seconds still to come; ``roofs``, ``elsewhere`` and ``caches``
    as in a :class:`Report`.
    """

    kernel: str
    platform: str
    phase: str
    done: int
    total: int
    measurements: tuple[Measurement, ...]
    work: Work
    python_s: float
    left_s: float
    roofs: Roofs | None = None
    elsewhere: tuple[str, ...] = ()
    caches: str = ""


Listener = Callable[[Progress], None]
"""Is told how a race stands; called between timings only, and never from two threads at once."""


class RaceStopped(Exception):
    """Raised by a :data:`Listener`: the race ends here and keeps the best so far, as at an interrupt;
    where nothing is known yet, it goes on to the caller."""


@dataclass(frozen=True, slots=True)
class Training:
    """How a training went, or stands: the log-likelihood of all events in each iteration, of the
    mixture that the iteration started from.

    ``converged`` says that it stopped as its stopping rule, or the tolerance, has it; ``note`` why it
    stopped otherwise, and what else happened; ``limit`` is the most iterations there may be.
    ``variants`` ran the iterations, one each, and took ``seconds_each``.
    """

    log_likelihoods: tuple[float, ...]
    events: int
    limit: int
    seconds: float
    converged: bool = False
    interrupted: bool = False
    note: str = ""
    variants: tuple[str, ...] = ()
    seconds_each: tuple[float, ...] = ()

    @property
    def iterations(self) -> int:
        """Whole iterations that the mixture has been through."""
        return len(self.log_likelihoods)

    @property
    def log_likelihood(self) -> float:
        """That of the last iteration; -inf before the first."""
        return self.log_likelihoods[-1] if self.log_likelihoods else float("-inf")

    def __repr__(self) -> str:
        end = "converged" if self.converged else self.note or "not converged"
        count = f"{self.iterations} iteration{'s' if self.iterations != 1 else ''}"
        return f"Training({count}, log-likelihood {self.log_likelihood:.10g}, {end})"


TrainingListener = Callable[[Training], None]
"""Is told after each iteration how a training stands."""


def _quantile(values: tuple[float, ...], share: float) -> float:
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
