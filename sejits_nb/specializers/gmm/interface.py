"""What an EM iteration looks like from outside: its parameters, its settings, the native arrays."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from ...contracts import Interface
from ...errors import Diagnostic, GmmError, OptionError, did_you_mean
from ...phase1_frontend.definition import default_values, definition, header, parameters
from ...phase1_frontend.diagnose import describe
from ...phase1_frontend.inline import Inlined, inline
from ...stages import KernelSource
from .kinds import COVARIANCES
from .rules import RULES

NATIVE = (
    "x", "weight", "mean", "covariance", "moments", "responsibility", "log_prob", "log_likelihood",
    "status", "steps", "count",
)  # fmt: skip
"""The parameters of every native function, in order; a cell's numbers come after them."""
STOPPING = ("history", "converged")
"""Those of a stopping rule: log-likelihood and number of the iterations before, f64[2]; the answer."""
OUTPUTS = ("weight", "mean", "covariance", "responsibility", "log_prob", "log_likelihood", "status")
"""Those that an iteration writes for others to read (``moments`` are its own business)."""
E_STEP, M_STEP, WRITE = 1, 2, 4
"""Bits of ``steps``: add the events to moments and log-likelihood; update the parameters from the
moments; write responsibilities and the log-likelihood of each event."""


@dataclass(frozen=True, slots=True)
class GmmInterface(Interface):
    """``components`` is ``None`` where the mixture of the call says it; ``columns`` are the different
    weights of sums over the events, each with moments of its own; ``defaults`` those of numbers;
    ``stops`` says that the cell has a stopping rule."""

    components: int | None = None
    covariance: str = "full"
    columns: int = 1
    stops: bool = False

    @property
    def numbers(self) -> tuple[str, ...]:
        """The number parameters: all after the events and the mixture."""
        return self.params[2:]

    @property
    def native(self) -> tuple[str, ...]:
        """The parameters of the native function, in order."""
        return (*NATIVE, *(STOPPING if self.stops else ()), *map(number_key, self.numbers))

    @property
    def sums(self) -> tuple[str, ...]:
        """Those that begin each iteration as 0."""
        return ("moments", "log_likelihood", "status", *(("converged",) if self.stops else ()))

    def having(self, columns: int, stops: bool) -> GmmInterface:
        """The same with what reading the whole cell has found."""
        outputs = (*OUTPUTS, *(("converged",) if stops else ()))
        return replace(self, columns=columns, stops=stops, outputs=outputs)


def number_key(name: str) -> str:
    """What a number parameter is called among native values, where ``count`` means something else."""
    return f"numbers.{name}"


@lru_cache(maxsize=256)
def read_interface(source: KernelSource) -> GmmInterface:
    """The names of the events, the mixture and the numbers, and the settings.

    Raises :class:`GmmError` (L001, L002, L004, L018, G001).
    """
    function = inlined(source).function
    params = parameters(source, function, RULES, GmmError)
    if len(params) < 2:
        line, got = header(source, function), len(params)
        raise GmmError(describe(source, RULES, "G001", line, got=got, name=source.name))
    settings = dict(source.settings)
    covariance = settings.get("covariance", "full")
    given = default_values(source, function, RULES, GmmError)
    defaults = tuple((name, value) for name, value in given if name in params[2:])
    return GmmInterface(params, OUTPUTS, (), defaults, settings.get("components"), covariance)


@lru_cache(maxsize=256)
def inlined(source: KernelSource) -> Inlined:
    """The iteration's function definition with the helper functions that it calls inlined."""
    return inline(source, written(source))


def written(source: KernelSource) -> ast.FunctionDef:
    """The iteration's function definition; raises :class:`GmmError` (L001, L002)."""
    return definition(source, RULES, GmmError)


def read_components(wanted: Any) -> int:
    """The option ``components``; raises :class:`OptionError` (O002)."""
    try:
        count = int(wanted)
    except (TypeError, ValueError):
        count = 0
    if count < 1 or count != (wanted if isinstance(wanted, float) else count):
        raise _error(f"components is {wanted!r}", "a whole number, 1 or more")
    return count


def read_covariance(wanted: Any) -> str:
    """The option ``covariance``; raises :class:`OptionError` (O002)."""
    if wanted not in COVARIANCES:
        raise _error(f"covariance is {wanted!r}", did_you_mean(str(wanted), COVARIANCES))
    return str(wanted)


def _error(message: str, try_: str) -> OptionError:
    return OptionError(Diagnostic("O002", message, "each option has a fixed set of values", try_))
