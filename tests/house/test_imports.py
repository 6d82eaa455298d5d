"""Who may import whom: the table of docs/architecture.md as data, and a reader of imports.

A module belongs to a *unit*: its top-level name inside the package (``phase3_lower``, ``kernel``), or
two levels of it for specializers and platforms (``specializers.stencil``), which never see each other.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PACKAGE = "sejits_nb"
ROOT = Path(__file__).parents[2] / PACKAGE

PHASES = frozenset(
    {"phase1_frontend", "phase2_optimize", "phase3_lower", "phase4_variants", "phase5_backend"}
)
RECORDS = frozenset({"ir", "stages", "results", "contracts", "errors", "config"})


@dataclass(frozen=True)
class Rule:
    """What a unit may import anywhere, and what only inside functions whose name matches."""

    anywhere: frozenset[str] = frozenset()
    lazily: dict[str, str] = field(default_factory=dict)


DOMAIN = Rule(RECORDS | PHASES | {"machine"})
KERNEL = RECORDS | {
    "direct_calls", "options", "pipeline", "registry", "reproduce", "tune", "machine", "variants",
}  # fmt: skip
TABLE = {
    "errors": Rule(),
    "config": Rule(),
    "ir": Rule(frozenset({"errors"})),
    "stages": Rule(frozenset({"ir"})),
    "results": Rule(frozenset({"stages", "errors"})),
    "contracts": Rule(frozenset({"ir", "stages", "results", "errors"})),
    **{phase: Rule(RECORDS) for phase in PHASES},
    "machine": Rule(RECORDS | {"phase5_backend"}),
    "specializers": Rule(DOMAIN.anywhere, {"mixture": "estimator"}),
    "platforms": DOMAIN,
    "options": Rule(frozenset({"errors", "config", "stages"})),
    "registry": Rule(RECORDS),
    "pipeline": Rule(RECORDS | PHASES | {"machine"}),
    "tune": Rule(RECORDS | PHASES | {"machine", "pipeline"}),
    "decorate": Rule(RECORDS | {"kernel", "options", "pipeline", "registry"}),
    "doctor": Rule(RECORDS | {"options", "registry", "machine", "phase5_backend"}),
    "widgets": Rule(frozenset({"ir", "stages", "results", "machine", "errors"})),
    "direct_calls": Rule(RECORDS | {"pipeline"}),
    "variants": Rule(RECORDS | {"machine"}, {"widgets": ".*"}),
    "reproduce": Rule(RECORDS | {"phase1_frontend", "phase5_backend"}),
    "kernel_calls": Rule(KERNEL),
    "kernel_views": Rule(KERNEL | {"kernel_calls"}, {"widgets": ".*"}),
    "kernel_explorer": Rule(
        KERNEL | {"kernel_calls"}, {"kernel": "TYPE_CHECKING", "widgets": ".*"}
    ),
    "kernel_race": Rule(KERNEL | {"kernel_calls"}, {"kernel": "TYPE_CHECKING"}),
    "kernel": Rule(
        KERNEL | {"kernel_calls", "kernel_explorer", "kernel_race", "kernel_views"},
        {"widgets": ".*"},
    ),
    "magics": Rule(
        frozenset(
            {"kernel", "decorate", "doctor", "options", "registry", "contracts", "errors", "config"}
            | {"machine", "widgets"}
        )
    ),
    "testing": Rule(RECORDS | PHASES | {"machine", "pipeline", "registry", "tune", "kernel"}),
    "stencil_kernel": Rule(
        RECORDS | PHASES | {"decorate", "kernel", "options", "specializers.stencil"}
    ),
    "mixture": Rule(RECORDS | {"decorate", "kernel", "specializers.gmm"}),
    "__init__": Rule(
        RECORDS | {"decorate", "kernel", "options", "registry"},
        {
            "mixture": "__getattr__|TYPE_CHECKING",
            "magics": "(un)?load_ipython_extension",
            "machine": "__getattr__|TYPE_CHECKING",
            "specializers.gmm": "__getattr__|TYPE_CHECKING",
            "stencil_kernel": "__getattr__|TYPE_CHECKING",
        },
    ),
}
"""Unit -> rule; the rule of ``specializers`` and of ``platforms`` holds for each unit below them."""

THIRD_PARTY = {
    "anywidget": "widgets",
    "cffi": "phase5_backend",
    "matplotlib": "widgets",
    "pyopencl": "phase5_backend",
    "sklearn": "mixture",
}
"""Heavy or optional package -> the only unit that imports it."""


@dataclass(frozen=True)
class Import:
    """``target`` is dotted and absolute; ``function`` is the one around it, or empty.

    What only type checkers import counts as inside a function ``TYPE_CHECKING``.
    """

    target: str
    function: str
    line: int


def unit_of(target: str) -> str:
    """The unit that a dotted name inside the package belongs to."""
    _, *parts = target.split(".")
    if not parts or parts[0] not in TABLE:
        return "__init__"
    depth = 2 if parts[0] in ("specializers", "platforms") else 1
    return ".".join(parts[:depth])


def imports(tree: ast.AST, package: str, function: str = "") -> Iterator[Import]:
    """Every import below *tree*, a module of *package*, constant ``import_module`` calls included."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Import(names):
                yield from (Import(alias.name, function, node.lineno) for alias in names)
            case ast.ImportFrom(module, names, level):
                above = package.split(".")[: len(package.split(".")) + 1 - level] if level else []
                base = ".".join([*above, *([module] if module else [])])
                yield from (Import(f"{base}.{a.name}", function, node.lineno) for a in names)
            case ast.Call(
                ast.Attribute(attr="import_module") | ast.Name("import_module" | "__import__"),
                [ast.Constant(str(name)), *_],
            ):
                yield Import(name, function, node.lineno)
        match node:
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.If(ast.Name(id=name)):
                inside = name
            case _:
                inside = function
        yield from imports(node, package, inside)


def violations(module: str, source: str, *, is_package: bool = False) -> list[str]:
    """What *module* (dotted) imports against the table, one sentence each."""
    here = "__init__" if module == PACKAGE else unit_of(module)
    if here == "__init__" and module != PACKAGE:
        return [f"{module} is not in the import table"]
    rule = TABLE[here.partition(".")[0]]
    found = []
    for item in imports(ast.parse(source), module if is_package else module.rpartition(".")[0]):
        top = item.target.partition(".")[0]
        if top == PACKAGE:
            there = unit_of(item.target)
            lazily = rule.lazily.get(there)
            if there == here or there in rule.anywhere:
                continue
            if lazily and item.function and re.fullmatch(lazily, item.function):
                continue
            found.append(f"{module}:{item.line} imports {there}")
        elif THIRD_PARTY.get(top, here) != here:
            found.append(f"{module}:{item.line} imports {top}, which only {THIRD_PARTY[top]} may")
    return found


def modules() -> Iterator[tuple[str, Path]]:
    """Dotted name and file of every module of the package."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def test_the_package_keeps_to_the_table() -> None:
    found = [
        problem
        for module, path in modules()
        for problem in violations(module, path.read_text(), is_package=path.stem == "__init__")
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("module", "source", "unit"),
    [
        ("sejits_nb.phase2_optimize.fold", "from ..phase3_lower import lower", "phase3_lower"),
        ("sejits_nb.phase3_lower.lower", "import sejits_nb.specializers", "specializers"),
        ("sejits_nb.specializers.stencil.knobs", "from ..gmm import dast", "specializers.gmm"),
        ("sejits_nb.specializers.stencil.dast", "from ...platforms.c_openmp import PLATFORM",
         "platforms.c_openmp"),
        ("sejits_nb.pipeline", "from .specializers.stencil import SPECIALIZER",
         "specializers.stencil"),
        ("sejits_nb.pipeline", "import importlib\nimportlib.import_module('sejits_nb.kernel')",
         "kernel"),
        ("sejits_nb.ir.node", "from ..stages import Trace", "stages"),
        ("sejits_nb.widgets.card", "def card():\n    from ..kernel import Kernel", "kernel"),
        ("sejits_nb.kernel", "from .widgets import card", "widgets"),
        ("sejits_nb.errors", "from sejits_nb import stencil", "__init__"),
        ("sejits_nb", "from . import magics", "magics"),
        ("sejits_nb", "from .stencil_kernel import StencilGrid", "stencil_kernel"),
        ("sejits_nb", "def stencil():\n    from .magics import stencil", "magics"),
        ("sejits_nb.platforms.c_openmp", "def load():\n    import cffi", "cffi"),
        ("sejits_nb.magics.stencil", "from matplotlib.figure import Figure", "matplotlib"),
        ("sejits_nb.helpers", "", "sejits_nb.helpers is not in the import table"),
    ],
)  # fmt: skip
def test_a_planted_violation_is_found(module: str, source: str, unit: str) -> None:
    (problem,) = violations(module, source, is_package=module == PACKAGE)
    assert unit in problem


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("sejits_nb.kernel", "def _repr_html_(self):\n    from .widgets.card import html"),
        ("sejits_nb", "def load_ipython_extension(ip):\n    from . import magics"),
        ("sejits_nb", "if TYPE_CHECKING:\n    from .stencil_kernel import StencilGrid"),
        ("sejits_nb.specializers.stencil.dast", "from ...ir import expr\nfrom . import knobs"),
        ("sejits_nb.machine.roofs", "from ..phase5_backend.compile_c import compile_c"),
        ("sejits_nb.phase5_backend.bind_cffi", "def bind():\n    import cffi"),
    ],
)
def test_what_the_table_allows_is_left_alone(module: str, source: str) -> None:
    assert violations(module, source, is_package=module == PACKAGE) == []
