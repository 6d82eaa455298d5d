"""Errors by line and column, in the words of each compiler."""

from __future__ import annotations

from dataclasses import replace

from sejits_nb.ir.dast import Line
from sejits_nb.ir.node import Span
from sejits_nb.phase5_backend.compiler_log import Complaint, complaints, refused
from sejits_nb.stages import SourceUnit

GCC = """\
kernel.c: In function 'k':
kernel.c:4:14: error: 'v' undeclared (first use in this function)
    4 |     out[i] = v[i];
kernel.c:4:14: note: each undeclared identifier is reported only once
kernel.c:9:1: warning: control reaches end
kernel.c:6: fatal error: too many errors
"""
CLANG = "kernel.c:4:14: error: use of undeclared identifier 'v'\n1 error generated.\n"
POCL = """\
BUILD_PROGRAM_FAILURE
error: /tmp/sejits x/tempfile_UQLhsf.cl:11:32: use of undeclared identifier 'uu'
warning: /tmp/sejits x/tempfile_UQLhsf.cl:12:3: unused
"""
NVIDIA = "<kernel>:3:7: error: expected ';'\n"
HEADER = "/usr/include/odd.h:2:1: error: inside\nkernel.c:1:10: error: included here\n"
LINKER = (
    "/usr/bin/ld: /tmp/x.o: in function `k':\nkernel.c:(.text+0x5): undefined reference to `w'\n"
)
UNIT = SourceUnit("c", "k", (), (Line("void k(void)", Span(3, 4, 3, 9)), Line("{ return v + w; }")))


def test_every_error_has_its_place() -> None:
    assert complaints(GCC) == (
        Complaint(4, 14, "'v' undeclared (first use in this function)"),
        Complaint(6, 0, "too many errors"),
    )
    assert complaints(CLANG) == (Complaint(4, 14, "use of undeclared identifier 'v'"),)
    assert complaints(POCL) == (Complaint(11, 32, "use of undeclared identifier 'uu'"),)
    assert complaints(NVIDIA) == (Complaint(3, 7, "expected ';'"),)


def test_errors_of_headers_do_not_count_where_the_file_is_known() -> None:
    assert complaints(HEADER, "kernel.c") == (Complaint(1, 10, "included here"),)


def test_what_names_no_place_is_told_by_its_most_telling_line() -> None:
    (said,) = complaints(LINKER)
    assert said == Complaint(0, 0, "kernel.c:(.text+0x5): undefined reference to `w'")
    assert complaints("killed\n") == (Complaint(0, 0, "killed"),)
    assert complaints("") == ()


def test_generated_code_points_at_the_cell_and_edited_code_at_itself() -> None:
    found = (Complaint(1, 6, "odd"), Complaint(2, 10, "'v' undeclared"), Complaint(7, 1, "gone"))
    assert refused(UNIT, (), "why", "try")[0].message.endswith("the compiler says nothing")
    (one,) = refused(UNIT, found, "why", "try")
    assert one.message == "the C generated for line 3 does not compile: odd"
    assert (one.line, one.col, one.end_col) == (3, 4, 9)
    first, second, third = refused(replace(UNIT, edited=True), found, "why", "try")
    assert (first.line, first.text[first.col : first.end_col]) == (1, "k")
    assert (second.line, second.text[second.col : second.end_col]) == (2, "v")
    assert (second.message, second.where) == ("'v' undeclared", "the edited C")
    assert (third.line, third.message) == (0, "gone")


def test_columns_count_bytes() -> None:
    text = (Line("\tx = /* \N{GREEK SMALL LETTER ALPHA} */\tv;"),)
    unit = replace(UNIT, lines=text, edited=True)
    (one,) = refused(unit, (Complaint(1, 15, "odd"),), "why", "try")
    assert (one.text[one.col : one.end_col], one.col) == ("v", 13)
