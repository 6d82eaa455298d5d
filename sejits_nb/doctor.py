"""What works on this machine, with the exact fix for what does not; and what every code means."""

from __future__ import annotations

import platform

import numpy as np

from . import config, registry
from .errors import Diagnostic, OptionError, Rule, did_you_mean
from .machine.detect import machine_name
from .options import RULES as OPTION_RULES
from .phase5_backend import cache

BACKEND_RULES: dict[str, Rule] = {
    "B001": Rule("no C compiler or OpenCL device was found, or the chosen one does not work",
                 "the platforms compile what they generate", "%sejits doctor"),
    "B002": Rule("the compiler refused generated code", "a defect of ours, unless SEJITS_CFLAGS or "
                 "the code was edited", "report it with the file that the message names"),
    "B003": Rule("the compiler did not finish in time", "it was stopped, with all its children",
                 "another compiler by SEJITS_CC"),
    "B004": Rule("compiled code could not be loaded", "the library or its entry point is missing",
                 "%sejits cache clear, then run the cell again"),
    "B005": Rule("no variant compiles", "each failed build is listed with its reason",
                 "fallback=True runs the plain Python"),
    "B006": Rule("compiled code can be kept nowhere", "neither the cache nor a temporary directory "
                 "can be written",
                 "set SEJITS_CACHE_DIR or TMPDIR to a directory of yours with some space"),
    "B007": Rule("SEJITS_CFLAGS cannot be read", "it is split as a shell splits it",
                 "quote it as in a shell, or unset it"),
    "B008": Rule("the OpenCL device cannot be used any more", "its threads do not live on in a forked "
                 "process, and PoCL links what it compiles", "%sejits doctor"),
    "B009": Rule("the assembly of a variant cannot be shown", "it is the C compiler's: plain Python "
                 "and OpenCL have none", "backend=\"openmp\", or %sejits doctor"),
    "B010": Rule("a call needs an array that is larger than the OpenCL device allows", "work-items "
                 "share what they compute in the device's memory", "the data in parts"),
    "B011": Rule("code on trial ended its process while it was timed", "it runs in a child process",
                 "race it again; what it says last is in the message"),
    "B012": Rule("edited code cannot be raced", "it is raced against generated code of the same call",
                 "%sejits backends"),
    "B013": Rule("an iteration in parts needs native code", "the plain Python runs it as a whole",
                 "all events in one array, or %sejits doctor"),
    "W001": Rule("every variant differs from the plain Python", "a variant runs only after it gave "
                 "what the plain Python gives", "check=\"fast\" allows for rounding; else report it"),
    "X001": Rule("a pass produced an ill-formed tree", "trees are checked between all phases",
                 "report it with the cell: a defect of the specializer"),
}  # fmt: skip


def doctor() -> str:
    """One line for each backend and for what surrounds them."""
    return "\n".join(
        [
            f"machine   {machine_name()}; up to {config.threads()} threads",
            f"python    {platform.python_version()}, NumPy {np.__version__}: always works",
            backends(),
            f"cache     {cache_line()}",
        ]
    )


def backends() -> str:
    """One line a platform, in the order in which ``auto`` tries them."""
    rows = []
    for name in registry.platform_names():
        one = registry.platform(name)
        found = one.probe()
        rows.append(f"{name:<9} {'works' if found.usable else 'MISSING'}: {found.text}")
        rows += [f"{'':<9} {line}" for line in one.devices()]
    return "\n".join(rows)


def cache_line() -> str:
    """Where the disk cache is, what it holds, and its limit."""
    entries, size_bytes = cache.usage()
    limit = f"{config.cache_limit_bytes() / 1e6:g} MB (SEJITS_CACHE_LIMIT_MB)"
    return f"{cache.place()}: {entries} entries, {size_bytes / 1e6:.1f} MB of at most {limit}"


def clear_cache() -> str:
    """Empty the disk cache; kernels in use keep running."""
    return f"removed {cache.clear()} entries from {cache.place()}"


def rules() -> dict[str, Rule]:
    """Every diagnostic code of what is installed, and what it says."""
    found = OPTION_RULES | BACKEND_RULES
    for name in registry.specializer_names():
        found |= dict(registry.specializer(name).rules)
    return found


def explain(code: str) -> str:
    """What a diagnostic code means; raises :class:`OptionError` (O001) for an unknown one."""
    known = rules()
    if code.upper() not in known:
        raise OptionError(Diagnostic("O001", f"no diagnostic has the code {code!r}",
                                     "codes are printed at the head of each error",
                                     did_you_mean(code.upper(), known)))  # fmt: skip
    rule = known[code.upper()]
    message, why, try_ = (text.format_map(_Example()) for text in rule[:3])
    return f"{code.upper()}: {message}\n  why:  {why}\n  try:  {try_}"


class _Example(dict[str, str]):
    """Values that make a rule's templates readable without a program at hand."""

    def __missing__(self, key: str) -> str:
        return _EXAMPLES.get(key, "...")


_EXAMPLES = {
    "grid": "u", "point": "x", "offset": "(0, 1)", "name": "name", "op": "and",
    "x": "x", "mix": "mix", "n": "n", "k": "k", "field": "NAME", "target": "mix.NAME",
    "step": "E-step", "place": "notebook", "dimension": "D",
    **dict.fromkeys(("why", "hint", "form"), "(the error itself says it for its place)"),
}  # fmt: skip
