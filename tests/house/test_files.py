"""House rules that a file listing can check: sizes, names, and who may hold logic."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "sejits_nb").rglob("*.py"))
MOST_LINES = 400
SPECIALIZER_FILES = {
    "__init__.py", "interface.py", "rules.py", "calls.py",
    "dast.py", "py_to_dast.py", "dast_passes.py", "dast_to_c.py", "dast_to_opencl.py",
    "knobs.py", "work.py", "reference.py", "cases.py", "rounding.py", "fusable.py",
}  # fmt: skip
"""The same file names in each specializer: who knows one finds phase 3 of every other."""
OWN_NOUNS = {
    "gmm": {
        "arithmetic.py",
        "build.py",
        "chunks.py",
        "dependence.py",
        "derived.py",
        "events_to_c.py",
        "expressions.py",
        "fitting.py",
        "forms.py",
        "intrinsics.py",
        "kinds.py",
        "layout.py",
        "mixture.py",
        "mstep_to_c.py",
        "pieces.py",
        "pooled_scatter.py",
        "pooled_to_c.py",
        "samples.py",
        "scope.py",
        "shared_covariance.py",
        "squares.py",
        "statements.py",
        "stopping.py",
        "strategies_to_opencl.py",
        "sums.py",
        "training.py",
    },
    "stencil": {
        "boundaries.py",
        "halo.py",
        "iterate.py",
        "neighborhoods.py",
        "points.py",
        "regions.py",
    },
}
"""Specializer -> files named for a noun that only this domain has."""


def _names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def test_no_module_is_longer_than_a_person_reads() -> None:
    scripts = (ROOT / "sejits_nb").rglob("*.js")
    lengths = {path: len(path.read_text().splitlines()) for path in (*MODULES, *scripts)}
    assert _names([path for path, lines in lengths.items() if lines > MOST_LINES]) == []


def test_no_module_is_named_utils_or_like_a_stdlib_module() -> None:
    taken = {"utils", "helpers", "common", "misc"} | (sys.stdlib_module_names - {"__init__"})
    folders = {path.parent for path in MODULES}
    assert _names([path for path in (*MODULES, *folders) if path.stem in taken]) == []


def test_every_folder_with_modules_is_a_package() -> None:
    """Otherwise setup.py does not find it and the wheel lacks it."""
    folders = sorted({path.parent for path in MODULES})
    assert _names([folder for folder in folders if not (folder / "__init__.py").exists()]) == []


def test_specializers_use_the_same_file_names() -> None:
    inside = [p for p in MODULES if p.parent.parent.name == "specializers"]
    assert inside
    unknown = [
        path
        for path in inside
        if path.name not in SPECIALIZER_FILES | OWN_NOUNS.get(path.parent.name, set())
    ]
    assert _names(unknown) == []


def test_kernels_hold_templates_and_no_python_logic() -> None:
    for path in (ROOT / "kernels").rglob("*.py"):
        rest = [n for n in ast.parse(path.read_text()).body if not isinstance(n, ast.Expr)]
        assert not rest, f"{path.relative_to(ROOT)} holds more than a docstring"
