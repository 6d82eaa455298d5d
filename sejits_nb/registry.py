"""Specializers and platforms by entry point, loaded on first use; built-in ones register the same way."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import entry_points

from .contracts import Platform, Specializer
from .errors import Diagnostic, OptionError, did_you_mean

SPECIALIZERS, PLATFORMS = "sejits_nb.specializers", "sejits_nb.platforms"
PREFERENCE = ("openmp", "c")
"""The platforms of ``auto``, in this order; those of other packages follow by name."""


@lru_cache(maxsize=None)
def specializer(name: str) -> Specializer:
    """The specializer registered as *name*; raises :class:`OptionError` (O004) for an unknown one."""
    found = _load(SPECIALIZERS, name)
    assert isinstance(found, Specializer)
    return found


@lru_cache(maxsize=None)
def platform(name: str) -> Platform:
    """The platform registered as *name*; raises :class:`OptionError` (O004) for an unknown one."""
    found = _load(PLATFORMS, name)
    assert isinstance(found, Platform)
    return found


def specializer_names() -> tuple[str, ...]:
    """Names of the installed specializers, sorted."""
    return tuple(sorted(entry_points(group=SPECIALIZERS).names))


def platform_names() -> tuple[str, ...]:
    """Names of the installed platforms in the order in which ``auto`` tries them."""
    names = entry_points(group=PLATFORMS).names
    return tuple(sorted(names, key=lambda n: (n not in PREFERENCE, n != PREFERENCE[0], n)))


def _load(group: str, name: str) -> object:
    found = {e.name: e for e in entry_points(group=group)}
    if name not in found:
        raise OptionError(
            Diagnostic("O004", f"no {group.partition('.')[2][:-1]} is called {name!r}",
                       "the packages installed here register none of that name",
                       did_you_mean(name, found))
        )  # fmt: skip
    return found[name].load()  # type: ignore[no-any-return]
