"""Passes on real programs: a sweep's body goes in as Python and comes out as a listing."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from sejits_nb.ir.check import check_provenance
from sejits_nb.ir.dtypes import F64, PY_FLOAT, DType
from sejits_nb.specializers.stencil import SPECIALIZER
from sejits_nb.stages import ArrayType, KernelSource, ScalarType, Signature, lines_of

RunPass = Callable[..., str]
UNCHANGED = "(the same object)"


@pytest.fixture
def run_pass() -> RunPass:
    """``run_pass("dead code", body, u=F32)``: the body's listing after that pass.

    The kernel takes the grids ``u``, ``v`` and ``out`` (which it writes) and the number ``a``.  A pass
    that leaves the listing as it was must give the same object: ``(the same object)``.
    """

    def run(name: str, body: str, **kinds: DType) -> str:
        text = "def k(u, v, out, a):\n    for x in out.interior_points():\n"
        text += textwrap.indent(textwrap.dedent(body).strip(), " " * 8)
        grids = [(g, ArrayType(kinds.get(g, F64), (8, 8), (8, 1))) for g in ("u", "v", "out")]
        signature = Signature((*grids, ("a", ScalarType(kinds.get("a", PY_FLOAT)))))
        tree = SPECIALIZER.parse(KernelSource("k", text, "here"), signature)
        for one in SPECIALIZER.passes:
            before, tree = tree, one.run(tree)
            assert check_provenance(tree) == ()
            assert not [p for check in one.ensures for p in check(tree)]
            if one.name == name:
                break
        if tree is before:
            return UNCHANGED
        rows = ["\n".join(line.text[4:] for line in lines_of(t)[2:]) for t in (before, tree)]
        assert rows[0] != rows[1] or name == "infer types"
        return rows[1]

    return run
