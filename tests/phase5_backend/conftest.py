"""Hand-written sources, and a cache of its own where a test looks into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sejits_nb.ir.dast import Line
from sejits_nb.ir.dtypes import BOOL, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, DType
from sejits_nb.ir.node import Span
from sejits_nb.ir.past import Param
from sejits_nb.phase5_backend import c_compiler, cache
from sejits_nb.phase5_backend.bind_cffi import C_TYPES
from sejits_nb.stages import SourceUnit

MakeUnit = Callable[..., SourceUnit]
DTYPES: dict[str, DType] = {
    d.name: d for d in (F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, BOOL)
}


def _param(text: str) -> Param:
    """``const f64*u``, ``f64*out`` or ``f32 a``, as ``Param`` prints them but with the name last."""
    const, rest = text.startswith("const "), text.removeprefix("const ")
    pointer = "*" in rest
    kind, name = rest.split("*" if pointer else " ")
    return Param(name, DTYPES[kind], pointer, const or not pointer)


@pytest.fixture
def make_unit() -> MakeUnit:
    """``make_unit("out[0] = a;", "f64*out", "f64 a")``: a source whose every line has a span."""

    def make(body: str, *params: str, entry: str = "kernel") -> SourceUnit:
        made = tuple(map(_param, params))
        declared = [
            f"{'const ' if p.const and p.pointer else ''}{C_TYPES[p.dtype.name]} "
            f"{'*' if p.pointer else ''}{p.name}"
            for p in made
        ]
        head = ["stdint", "stdlib", "stdio", "math", "string", "unistd"]
        lines = [*(Line(f"#include <{h}.h>") for h in head), Line("")]
        lines.append(Line(f"void {entry}({', '.join(declared) or 'void'}) {{"))
        # the body's n-th line computes line 10 + n of the cell
        rows = enumerate(body.strip().splitlines())
        lines += [Line(f"  {row.strip()}", Span(10 + n, 4, 10 + n, 9)) for n, row in rows]
        return SourceUnit("c", entry, made, (*lines, Line("}")))

    return make


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for this test, nothing remembered from earlier ones; its root."""
    forget_memory(monkeypatch)
    monkeypatch.setenv("SEJITS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "v1"


def forget_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a fresh process would not know."""
    monkeypatch.setattr(cache, "_private", [])
    monkeypatch.setattr(cache, "_verified", {})
    monkeypatch.setattr(c_compiler, "_found", {})


@pytest.fixture
def fresh_memory(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it to forget what a fresh process would not know."""
    return lambda: forget_memory(monkeypatch)
