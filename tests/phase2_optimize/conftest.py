"""Passes on real programs: a sweep's body goes in as Python and comes out as a listing."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable

import pytest

from sejits_nb.ir.check import check_provenance
from sejits_nb.ir.dtypes import F32, F64, I32, PY_FLOAT, PY_INT, U8, U64
from sejits_nb.specializers.stencil import SPECIALIZER
from sejits_nb.stages import ArrayType, KernelSource, ScalarType, Signature, lines_of

CheckPass = Callable[[str, str], None]
UNCHANGED = "(the same object)"
TYPES = {"f32": F32, "f64": F64, "i32": I32, "u8": U8, "u64": U64,
         "int": PY_INT, "float": PY_FLOAT}  # fmt: skip


@pytest.fixture
def check_pass() -> CheckPass:
    """``check_pass("dead code", case)``, where *case* is a sweep's body before and after the pass::

    # u: f32                           types of u, v, out (f64) and of the number a (float)
    b = u[x]
    out[x] = v[x] + 2 * 3
    ->
    out[x] = v[x] + 6.0                or: (the same object)
    """

    def check(name: str, case: str) -> None:
        body, _, wanted = textwrap.dedent(case).strip().partition("\n->\n")
        assert _after(name, body) == wanted

    return check


def _after(name: str, body: str) -> str:
    kinds = {g: TYPES[kind] for g, kind in re.findall(r"(\w+): (\w+)", body.splitlines()[0])}
    text = "def k(u, v, out, a):\n    for x in out.interior_points():\n"
    text += textwrap.indent(body, " " * 8)
    grids = [(g, ArrayType(kinds.get(g, F64), (8, 8), (8, 1))) for g in ("u", "v", "out")]
    signature = Signature((*grids, ("a", ScalarType(kinds.get("a", PY_FLOAT)))))
    tree = SPECIALIZER.parse(KernelSource("k", text, "here"), signature)
    for one in SPECIALIZER.passes:
        before, tree = tree, one.run(tree)
        assert check_provenance(tree) == ()
        assert not [problem for check in one.ensures for problem in check(tree)]
        if one.name == name:
            break
    if tree is before:
        return UNCHANGED
    assert tree != before, "a pass that changes nothing gives the same object"
    return "\n".join(line.text[4:] for line in lines_of(tree)[2:])
