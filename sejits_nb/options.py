"""The options that magics and decorators share: one frozen record, checked where it is made."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import Diagnostic, OptionError, Rule, did_you_mean
from .stages import Toolchain, Value

TUNE = ("none", "quick", "full")
CHECK = ("strict", "fast", "off")
ALIASES = {"ocl": "opencl"}
"""Other names of platforms, as the papers have them."""
SHOW = ("card", "levels", "code", "none")

RULES: dict[str, Rule] = {
    "O001": Rule("an option is unknown", "magics and decorators share one set of options",
                 "%%stencil? lists them"),
    "O002": Rule("an option has a value that it cannot take", "each option has a fixed set of values",
                 "%%stencil? lists them"),
    "O003": Rule("an option is written wrongly", "the magic's line is read as a shell reads it",
                 "quote values with blanks: --on \"u, 0.1\""),
    "O004": Rule("a specializer or platform of that name is not installed",
                 "they are found through entry points", "%sejits backends"),
    "O005": Rule("--on cannot be evaluated", "it is evaluated in the notebook's namespace, like the "
                 "arguments of a call", "--on \"u, 0.1\""),
    "O006": Rule("--diff names no kernel", "it compares with a kernel that is bound in the notebook",
                 "--diff heat, after a cell that bound heat"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Options:
    """How a kernel is specialized.

    ``backend`` are the platforms to try in order; ``tune`` how long to search (``none``: the recorded
    best or the model's choice); ``budget_s`` overrides that search's seconds; ``pins`` fixes knobs;
    ``check`` compares with the plain Python to the bit (``strict``), within rounding (``fast``) or not
    at all (``off``); ``fallback`` runs the plain Python where the language or the compiler says no;
    ``tools`` are the C compiler and flags of this kernel, or its OpenCL device; ``chooses``: a training
    may try other variants on its way, which pinned knobs and an explicit ``tune="none"`` forbid.
    """

    backend: tuple[str, ...] = ("auto",)
    tune: str = "none"
    budget_s: float | None = None
    pins: tuple[tuple[str, Value], ...] = ()
    check: str = "fast"
    fallback: bool = True
    tools: Toolchain = field(default_factory=Toolchain)
    chooses: bool = True


def make_options(
    *,
    backend: str | Iterable[str] = "auto",
    tune: str | None = None,
    budget: float | None = None,
    set: str | Mapping[str, Value] | None = None,
    check: str = "fast",
    fallback: bool = True,
    cc: str = "",
    cflags: str | Iterable[str] = "",
    device: str | int = "",
    also_known: tuple[str, ...] = (),
    **unknown: Any,
) -> Options:
    """:class:`Options` from the keywords of a decorator; raises :class:`OptionError` (O001, O002)."""
    if unknown:
        word = next(iter(unknown))
        known = ("backend", "tune", "budget", "set", "check", "fallback", "cc", "cflags", "device")
        raise _error("O001", f"unknown option {word!r}", did_you_mean(word, (*known, *also_known)))
    named = (backend,) if isinstance(backend, str) else tuple(backend)
    backends = tuple(ALIASES.get(name, name) for name in named)
    one_of("tune", tune or "none", TUNE)
    one_of("check", check, CHECK)
    if budget is not None and not (isinstance(budget, int | float) and budget > 0):
        raise _error("O002", f"budget is {budget!r}", "a positive number of seconds")
    tools = Toolchain(str(cc), _words("cflags", cflags), str(device).strip())
    pins, chooses = _pins(set), tune != "none"
    return Options(
        backends, tune or "none", budget, pins, check, bool(fallback), tools, chooses and not pins
    )


def _words(option: str, text: str | Iterable[str]) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text)) if isinstance(text, str) else tuple(map(str, text))
    except ValueError as problem:
        raise _error("O002", f"{option} is {text!r}: {problem}", "quote it as in a shell") from None


def _pins(text: str | Mapping[str, Value] | None) -> tuple[tuple[str, Value], ...]:
    if text is None:
        return ()
    pairs: Iterable[tuple[Any, Any]] = (
        text.items() if isinstance(text, Mapping)
        else (pair.partition("=")[::2] for pair in text.split(","))
    )  # fmt: skip
    pins: list[tuple[str, Value]] = []
    for knob, value in pairs:
        word = str(value).strip()
        number = re.fullmatch(r"[+-]?\d+", word)
        if not number and not word.isidentifier():
            raise _error("O002", f"set has {knob}={value!r}", 'set="unroll=4,threads=2"')
        pins.append((str(knob).strip(), int(word) if number else word))
    return tuple(pins)


def one_of(option: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raises :class:`OptionError` (O002) unless *value* is one of *allowed*."""
    if value not in allowed:
        raise _error("O002", f"{option} is {value!r}", did_you_mean(str(value), allowed))


def _error(code: str, message: str, try_: str) -> OptionError:
    return OptionError(Diagnostic(code, message, RULES[code].why, try_))
