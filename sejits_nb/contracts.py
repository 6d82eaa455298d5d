"""The two records that supply the parts of the five phases: no logic here.

A :class:`Specializer` is what a domain knows, a :class:`Platform` what a machine knows.  Both are
plain values, registered by entry point; built-in ones have no privilege.  ``docs/new_specializer.md``
builds one from nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from .errors import LanguageError, Rule
from .ir import past
from .ir.dast import Statement
from .results import Work
from .stages import (
    Artifact,
    Case,
    Config,
    KernelSource,
    Signature,
    SourceUnit,
    Toolchain,
    Value,
    Variant,
)

Problems = tuple[str, ...]
Namespace = Callable[[str], Any]
"""Looks a free name of the kernel up where it was defined; raises ``KeyError``."""


class Executable(Protocol):
    """A loaded entry point; the only live value of the pipeline."""

    def __call__(self, values: Mapping[str, Any]) -> None:
        """Run once on *values* (parameter name -> array or number); outputs are written in place."""

    def bound(self, values: Mapping[str, Any]) -> Callable[[], None]:
        """A call without arguments on exactly these arrays, for timing."""

    def direct(self, values: Mapping[str, Any]) -> Callable[..., None]:
        """A call on other values of the same layouts, by position, in the order of *values*."""


class StandIn(Protocol):
    """What does the same as a kernel, in NumPy, while there is none; in about ``seconds``."""

    @property
    def seconds(self) -> float: ...

    def __call__(self, values: Mapping[str, Any]) -> None:
        """Run once on *values*, in place."""


class Turns(Protocol):
    """Who runs the iterations of a method: one variant, or several in turns until the fastest is known.

    ``variants`` ran the iterations so far, one each, and took ``seconds_each``.
    """

    variants: list[str]
    seconds_each: list[float]

    def prepare(
        self, values: Mapping[str, Any], meanwhile: StandIn | None = None
    ) -> Callable[[], None]:
        """A run without arguments on exactly these values; by *meanwhile* as long as there is no
        variant."""

    def every(
        self, values: Mapping[str, Any], meanwhile: StandIn | None = None
    ) -> Callable[[], None]:
        """The same for values that all iterations run on: variants may take turns."""

    def parts(self, values: Callable[[], Mapping[str, Any]]) -> Callable[[Mapping[str, Any]], None]:
        """A run of any part of an iteration's values, such as a chunk of its events: one variant runs
        all parts, and variants may take turns.  ``values()`` stand for all parts together, as far as
        these are known: they are asked for again after the first iteration.  Raises
        :class:`BackendError` (B013) where the plain Python would run."""

    def take(self, attempt: Callable[[], str]) -> str:
        """Have *attempt* run one iteration; why it failed, or nothing.

        Called again where a variant is to blame, so that it has to begin from the same state.
        """


@dataclass(frozen=True, slots=True)
class Pass:
    """A named step of phase 2: DAST -> DAST, the same object when it changes nothing.

    ``ensures`` are the well-formedness checks that hold from this pass on; ``rounds`` marks a pass
    after which results may differ by rounding: it is left out where they must agree to the bit.
    """

    name: str
    run: Callable[[Any], Any]
    ensures: tuple[Callable[[Any], Problems], ...] = ()
    rounds: bool = False


@dataclass(frozen=True, slots=True)
class Constraint:
    """What the values of knobs must keep together; ``why`` is said of a configuration that does not."""

    holds: Callable[[Mapping[str, Any]], bool]
    why: str


@dataclass(frozen=True, slots=True)
class Knob:
    """One dimension of the variant space: its values, the default first choice, and its meaning.

    ``constraints`` are asked with the values of all knobs.
    """

    name: str
    values: tuple[Value, ...]
    default: Value
    doc: str
    constraints: tuple[Constraint, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """One of a domain's own options: ``read`` makes a setting of a user's value; ``choices`` are the
    words to offer for it, of which several may be joined by commas; ``doc`` is its meaning; ``write``
    makes a value that ``read`` reads back (``None``: the setting itself is one)."""

    read: Callable[[Any], Any]
    choices: tuple[str, ...] = ()
    doc: str = ""
    write: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class VariantSpace:
    """Phase 4's result: knobs, which combinations are allowed, and the pure builder of a variant.

    ``why_not`` gives the reason why a configuration is not allowed, empty for one that is.
    """

    knobs: tuple[Knob, ...]
    why_not: Callable[[Config], str]
    build: Callable[[Config], Variant]

    def allowed(self, config: Config) -> bool:
        """Whether *config* keeps every constraint, and has code of its own."""
        return not self.why_not(config)

    @property
    def default(self) -> Config:
        """Every knob at its default: the model's choice."""
        return Config(tuple((k.name, k.default) for k in self.knobs))


@dataclass(frozen=True, slots=True)
class Interface:
    """A kernel's parameters in order; ``outputs`` are those it stores to, ``defaults`` as written."""

    params: tuple[str, ...]
    outputs: tuple[str, ...]
    grids: tuple[str, ...]
    defaults: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class BoundCall:
    """The arguments of one call by parameter name, and the outputs that the call allocated itself.

    Number *n* of those is ``allocate(values[like], n)``.  ``answer`` makes of the values,
    after the run, what the call returns instead of outputs.
    """

    values: Mapping[str, Any]
    allocated: tuple[str, ...] = ()
    like: str = ""
    copied: tuple[tuple[str, str], ...] = field(default=(), kw_only=True)
    """Parameters whose arguments were no arrays and have been copied, with what they were."""
    allocate: Callable[[Any, int], Any] | None = None
    answer: Callable[[Mapping[str, Any]], Any] | None = None

    def result(self) -> Any:
        """What the call returns: ``None``, the allocated output, a tuple of them, or the answer."""
        if self.answer:
            return self.answer(self.values)
        made = tuple(self.values[name] for name in self.allocated)
        return made[0] if len(made) == 1 else made or None


def _as_given(
    interface: Interface, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    return args, kwargs


def _no_examples(
    interface: Interface, signature: Signature, scalars: Mapping[str, Any]
) -> Mapping[str, str]:
    return {}


def _itself(signature: Signature) -> Signature:
    return signature


@dataclass(frozen=True, slots=True)
class Specializer:
    """What a domain knows.  Fields come in the order in which the pipeline uses them."""

    name: str
    error: type[LanguageError]
    interface: Callable[[KernelSource], Interface]
    bind: Callable[[Interface, tuple[Any, ...], Mapping[str, Any]], BoundCall]
    signature: Callable[[Interface, Mapping[str, Any]], Signature]
    parse: Callable[[KernelSource, Signature], Statement]
    passes: tuple[Pass, ...]
    lower: Mapping[str, Callable[[Any], past.Unit]]
    knobs: Callable[[past.Unit, int], tuple[Knob, ...]]
    work: Callable[[Any], Work]
    exact: Callable[[Any], bool]
    """Whether an optimised DAST must be computed to the bit (a comparison may flip on rounding)."""
    reference: Callable[[KernelSource, Namespace], Callable[[Mapping[str, Any]], None]]
    """The plain Python: runs on values in place.  Fall-back and oracle."""
    cases: Callable[..., tuple[Case, ...]]
    """``cases(source, lookup, optimise, signature, values, strict)``: the comparisons that a variant
    has to pass, the small ones first; ``optimise(signature)`` gives the optimised DAST."""
    plain_run: Callable[..., tuple[Callable[[], None], int]]
    """``plain_run(source, lookup, dast, values)``: a call of the plain Python on some points, for
    timing, and how many points those are."""
    sample: Callable[[KernelSource, Interface], tuple[Any, ...]]
    """Arguments to show a kernel on when the user names none."""
    completed: Callable[..., tuple[tuple[Any, ...], Mapping[str, Any]]] = _as_given
    """``completed(interface, args, kwargs)``: arguments to show a kernel on, with those that the user
    may leave out."""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """Diagnostic code -> what it says."""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    """The domain's own options (``boundary``) by name."""
    methods: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """Further methods of the bound object (``iterate``): called with its interface, with what prepares
    a run of bound values, and with the call's arguments; by keyword, if they ask, with ``bind`` (what
    binds a call) and ``turns`` (:class:`Turns`)."""
    makers: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    """What is made of the bound object itself, which comes first (``estimator``)."""
    answers: frozenset[str] = frozenset()
    """Attributes of what a maker has left as the object's ``fitted`` (``predict``), which the object
    has from then on."""
    code_signature: Callable[[Signature], Signature] = _itself
    """The signature for all calls that the code of this one's specialization serves."""
    examples: Callable[[Interface, Signature, Mapping[str, Any]], Mapping[str, str]] = _no_examples
    """Expressions that make arguments like those of a call, for parameters that are no arrays or
    numbers of its signature; they may use ``numpy``, ``sejits_nb`` and ``rng``.  The call's numbers
    come last."""
    by_layout: bool = False
    """Whether ``bind`` asks for nothing but types, dtypes, shapes, strides, flags, ints of 64 bits, and
    whether an output shares memory with another grid: a later call of the same layouts skips it."""


def _held_nowhere(threads: int) -> AbstractContextManager[None]:
    return nullcontext()


class Bench(Protocol):
    """A child process in which code that has been edited is tried and timed."""

    finished: bool
    """Whether the code of the last :meth:`run` came to its end."""

    def run(self, artifact: Artifact, case: Case) -> str:
        """As :attr:`Platform.trial`."""

    def outputs(self, artifact: Artifact, case: Case) -> Mapping[str, Any]:
        """What proven code leaves in the arrays that it may write; raises :class:`BackendError`
        (B011)."""

    def sample(self, artifact: Artifact, case: Case, threads: int, repeats: int) -> float:
        """Seconds of one run, the mean of *repeats*, on the arrays of the first *case* that is timed;
        raises :class:`BackendError` (B011)."""

    def stop(self) -> None:
        """From any thread: end what runs, and let nothing begin until :meth:`close`."""

    def close(self) -> None:
        """End the child."""


class Availability(Protocol):
    """A platform's answer to "can you run here?"."""

    @property
    def usable(self) -> bool: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Platform:
    """What a machine knows: how PAST becomes variants, source, and something that runs."""

    name: str
    language: str
    probe: Callable[[], Availability]
    """Compiler or device found here, or why none; cheap after the first time."""
    space: Callable[[past.Unit, tuple[Knob, ...]], VariantSpace]
    emit: Callable[[past.Unit], SourceUnit]
    build: Callable[[SourceUnit, bool], Artifact]
    """Compile, or find in the disk cache; the flag asks for bit-exact arithmetic."""
    load: Callable[[Artifact], Executable]
    trial: Callable[[Artifact, Case], str]
    """Run unproven code on a case in a child process; the reason of a failure, or empty."""
    settle: Callable[[], None]
    """Give back what the trials of a large call hold."""
    hold: Callable[[int], AbstractContextManager[None]] = _held_nowhere
    """Keep the caller and its threads, that many, on CPUs of their own while something is timed."""
    with_tools: Callable[[Toolchain], Platform] | None = None
    """This platform with a compiler, flags or a device of the user's."""
    tools: tuple[str, ...] = ()
    """What :attr:`with_tools` understands of a :class:`Toolchain`, by the names of its fields."""
    devices: Callable[[], tuple[str, ...]] = tuple
    """A line for each device to choose from."""
    assembly: Callable[[Artifact], tuple[tuple[str, int], ...]] | None = None
    """The machine code as text, each row with its line of the source (0: none)."""
    bench: Callable[[float], Bench] | None = None
    """A child process for edited code, a run of which may take that many seconds; ``None`` where
    such code cannot be tried."""
