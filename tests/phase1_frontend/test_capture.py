"""From functions and cells to sources: text, place, and the values of free names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from sejits_nb.phase1_frontend.capture import free_names, freeze, from_function, recapture
from sejits_nb.stages import KernelSource

SCALE = 3.0


def plain(u: Any, out: Any, a: float = SCALE) -> None:
    """A kernel's docstring."""
    for x in out.interior_points():
        out[x] = a * u[x] + SCALE * np.pi


def test_a_function_becomes_its_text_place_and_constants() -> None:
    source, lookup = from_function(plain)  # type: ignore[arg-type]  # it is one
    assert source.name == "plain"
    assert source.text.startswith("def plain(u: Any")
    assert source.where == __file__
    assert source.first_line == plain.__code__.co_firstlineno
    assert ("SCALE", 3.0) in source.captured
    assert ("np.pi", math.pi) in source.captured
    assert lookup("SCALE") == 3.0


def test_a_nested_function_is_dedented_and_sees_its_closure() -> None:
    local = 7

    def inner(u: Any, out: Any) -> None:
        for x in out.interior_points():
            out[x] = u[x] + local

    source, _ = from_function(inner)  # type: ignore[arg-type]  # it is one
    assert source.text.startswith("def inner")
    assert ("local", 7) in source.captured


@pytest.mark.parametrize(
    ("body", "free"),
    [
        ("out[x] = alpha * u[x]", "alpha"),
        ("alpha = 2.0; out[x] = alpha", ""),
        ("out[x] = np.sqrt(u[x])", "np.sqrt"),
        ("out[x] = sqrt(u[x]) + np.pi * np.pi", "np.pi sqrt"),
        ("out[x] = table[1][2]", "table"),
        ("out[x] = (lambda q: q + c)(1)", "c"),
    ],
)
def test_free_names(body: str, free: str) -> None:
    code = f"def k(u, out):\n    for x in out.interior_points():\n        {body}\n"
    found = [n for n in free_names(code, "k") if n not in ("out", "q")]
    assert found == free.split()


def test_free_names_of_a_method() -> None:
    """Its object's attributes are free, its other parameters are not."""
    code = "def k(self, u, out):\n    out.data[0] = self.alpha * u.beta + gamma\n"
    assert free_names(code, "k") == ("gamma",)
    assert free_names(code, "k", method=True) == ("gamma", "self.alpha")


@pytest.mark.parametrize(
    ("value", "frozen"),
    [
        (True, True), (3, 3), (2.5, 2.5), (np.float32(0.5), np.float32(0.5)), ((1, 2), (1, 2)),
        ([1, [2, 3]], (1, (2, 3))), (np.array([1.0, 2.0]), (1.0, 2.0)), (math.sqrt, "math.sqrt"),
        (np.sqrt, "numpy.sqrt"), (np.minimum, "numpy.min"), (abs, "python.abs"),
        (math.fabs, "math.abs"), (np.float32, "numpy.float32"), (math, "object:module math"),
        ("text", "object:str"), ({}, "object:dict"), ([1, "a"], "object:list"),
        (np.zeros(5000), "object:ndarray"),
    ],
)  # fmt: skip
def test_freeze(value: object, frozen: object) -> None:
    got = freeze(value)
    assert got == frozen
    assert type(got) is type(frozen)


def test_recapturing_unchanged_names_gives_an_equal_source() -> None:
    values = {"c": 2.0}
    source = KernelSource("k", "def k(u, out):\n    out[x] = c * u[x]\n", "here")
    first = recapture(source, values.__getitem__)
    assert first.captured == (("c", 2.0),)
    assert recapture(first, values.__getitem__) == first
    values["c"] = 3.0
    assert recapture(first, values.__getitem__).captured == (("c", 3.0),)
    del values["c"]
    assert recapture(first, values.__getitem__).captured == ()


def test_a_magic_line_counts_but_is_no_code() -> None:
    source = KernelSource(
        "k", "%%stencil k --on u\n# comment\n\ndef k(u, out):\n    pass\n", "here"
    )
    assert source.code.splitlines()[:4] == ["", "# comment", "", "def k(u, out):"]
    assert source.line_count == 2
