"""constraints.txt: complete for what is installed, and fit for the oldest Python that we promise."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OLDEST_PYTHON = PROJECT["requires-python"].removeprefix(">=") + ".0"
PINNED = {
    canonicalize_name(name): version
    for name, version in re.findall(
        r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE
    )
}


def test_every_requirement_is_pinned_within_its_bounds() -> None:
    extras = PROJECT["optional-dependencies"].values()
    wanted = [Requirement(r) for r in (*PROJECT["dependencies"], *(r for e in extras for r in e))]
    for requirement in wanted:
        if (name := canonicalize_name(requirement.name)) != canonicalize_name(PROJECT["name"]):
            assert requirement.specifier.contains(PINNED[name]), requirement


def test_every_pin_installs_on_the_oldest_python() -> None:
    """A pin made by a newer patch release once asked for Python >= 3.11.5: Debian 12 has 3.11.2."""
    too_new = [
        f"{package.name} {package.version} needs Python {python}"
        for package in metadata.distributions()
        if PINNED.get(canonicalize_name(package.name)) == package.version
        and (python := package.metadata["Requires-Python"])
        and not SpecifierSet(python).contains(OLDEST_PYTHON)
    ]
    assert too_new == []
