"""The compiler's assembly: code without directives, each row with its line of the C."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from sejits_nb.errors import BackendError
from sejits_nb.phase5_backend.assembly import assembly, read_assembly
from sejits_nb.phase5_backend.compile_c import compile_source
from sejits_nb.stages import SourceUnit

LISTING = """\
\t.file\t"kernel.c"
\t.text
.Ltext0:
\t.file 0 "/tmp/somewhere" "kernel.c"
\t.section\t.rodata.cst8,"aM",@progbits,8
.LC0:
\t.long\t1073741824
\t.text
\t.globl\tk
\t.type\tk, @function
k:
.LFB1:
\t.file 1 "kernel.c"
\t.file 2 "/usr/include/math.h"
\t.loc 1 8 1
\t.cfi_startproc
\tvmovsd\t.LC0(%rip), %xmm0
.L3:
\t.loc 1 9 3 is_stmt 1
\tvmulsd\t(%rdi), %xmm0, %xmm0     # 8-byte Reload
\t.loc 2 70 1
\tvsqrtsd\t%xmm0, %xmm0, %xmm0
\t.loc 1 9 3
\tjne\t.L3
.L9:
\tret
\t.section\t.debug_info,"",@progbits
.Ldebug_info0:
\t.long\t0x3a
"""


def test_directives_data_and_unused_labels_are_left_out() -> None:
    assert read_assembly(LISTING) == (
        ("k:", 0),
        ("    vmovsd       .LC0(%rip), %xmm0", 8),
        (".L3:", 0),
        ("    vmulsd       (%rdi), %xmm0, %xmm0", 9),
        ("    vsqrtsd      %xmm0, %xmm0, %xmm0", 0),
        ("    jne          .L3", 9),
        ("    ret", 9),
    )


def test_rows_lead_to_the_lines_that_they_compute(make_unit: Callable[..., SourceUnit]) -> None:
    unit = make_unit(
        "double s = sqrt(a);\nfor (int i = 0; i < 64; ++i) out[i] = s / u[i];",
        "const f64*u", "f64*out", "f64 a",
    )  # fmt: skip
    rows = assembly(compile_source(unit, True))
    assert ("kernel:", 0) in rows
    source = [row.text for row in unit.lines]
    root, divide = (
        1 + next(n for n, text in enumerate(source) if word in text) for word in ("sqrt", "s / u")
    )
    assert {line for text, line in rows if "sqrt" in text.split()[0]} == {root}
    assert {line for text, line in rows if "div" in text.split()[0]} == {divide}
    assert not any(text.lstrip().startswith(".") and not text.endswith(":") for text, _ in rows)


def test_what_has_no_assembly_says_so(make_unit: Callable[..., SourceUnit]) -> None:
    made = compile_source(make_unit("out[0] = 2.0;", "f64*out"), True)
    with pytest.raises(BackendError, match=r"B009.*no C"):
        assembly(replace(made, build=replace(made.build, command=("clBuildProgram", "cpu"))))
    broken = ("no-such-compiler", *made.build.command[1:])
    with pytest.raises(BackendError, match=r"B009.*no-such-compiler"):
        assembly(replace(made, build=replace(made.build, command=broken)))
