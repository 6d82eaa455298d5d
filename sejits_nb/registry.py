"""Specializers and platforms by entry point, loaded on first use; ours register the same way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import EntryPoint, distributions

from .contracts import Platform, Specializer
from .errors import Diagnostic, OptionError, did_you_mean
from .stages import Toolchain

SPECIALIZERS, PLATFORMS = "sejits_nb.specializers", "sejits_nb.platforms"
PREFERENCE = ("openmp", "c", "opencl")
"""The platforms of ``auto``, in this order; those of other packages follow by name."""
_MACHINES_OWN = Toolchain()
_FOR = ("--cc and --cflags are for C compilers", "--device is for OpenCL")


@cache
def specializer(name: str) -> Specializer:
    """The specializer registered as *name*; raises :class:`OptionError` (O004) for an unknown one."""
    found = _load(SPECIALIZERS, name)
    assert isinstance(found, Specializer)
    return found


@dataclass(frozen=True, slots=True)
class _NoTools:
    """A platform that has no such compiler, flags or device to choose."""

    text: str
    usable: bool = False


@cache
def platform(name: str, tools: Toolchain = _MACHINES_OWN) -> Platform:
    """The platform registered as *name*, with the compiler, flags or device of *tools*.

    Raises :class:`OptionError` (O004) for an unknown one, (O002) for an unknown device.
    """
    found = _load(PLATFORMS, name)
    assert isinstance(found, Platform)
    if not tools:
        return found
    refused = {*tools.asked} - {*found.tools}
    if found.with_tools is None or refused:
        return replace(found, probe=partial(_NoTools, _FOR["device" in refused]))
    return found.with_tools(tools)


def specializer_names() -> tuple[str, ...]:
    """Names of the installed specializers, sorted."""
    return tuple(sorted(_installed(SPECIALIZERS)))


def platform_names() -> tuple[str, ...]:
    """Names of the installed platforms in the order in which ``auto`` tries them."""
    names = _installed(PLATFORMS)
    first = tuple(n for n in PREFERENCE if n in names)
    return (*first, *sorted(names.keys() - {*first}))


def _load(group: str, name: str) -> object:
    found = _installed(group)
    if name not in found:
        raise OptionError(
            Diagnostic("O004", f"no {group.partition('.')[2][:-1]} is called {name!r}",
                       "the packages installed here register none of that name",
                       did_you_mean(name, (*found, "auto", "python") if group == PLATFORMS else found))
        )  # fmt: skip
    return found[name].load()


@cache
def _installed(group: str) -> dict[str, EntryPoint]:
    """Name -> entry point of *group*."""
    return {e.name: e for e in _entry_points() if e.group == group}


@cache
def _entry_points() -> tuple[EntryPoint, ...]:
    """Those of all our groups: the installed packages are read once a process, some 10 ms."""
    groups = (SPECIALIZERS, PLATFORMS)
    return tuple(e for d in distributions() for e in d.entry_points if e.group in groups)
