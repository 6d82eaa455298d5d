"""Names of the program as identifiers of C: valid, apart from one another, and the same each time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sejits_nb.phase3_lower.identifiers import Identifiers


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("acc", "acc"), ("i2", "i2"), ("α", "u3b1"), ("größe", "gru0xf6u0xdfe"), ("长", "u957f"),
        ("double", "double_"), ("restrict", "restrict_"), ("sqrt", "sqrt_"), ("main", "main_"),
    ],
)  # fmt: skip
def test_spelling(name: str, spelled: str) -> None:
    assert Identifiers()[name] == spelled.replace("u0x", "u")


def test_the_same_name_gives_the_same_identifier() -> None:
    names = Identifiers()
    assert names["a"] == names["a"] == "a"
    assert names.fresh("a") == "a_"
    assert names["a"] == "a"


def test_names_that_would_meet_are_kept_apart() -> None:
    names = Identifiers({"t1"})
    assert [names[n] for n in ("t1", "α", "u3b1", "double", "double_")] == [
        "t1_", "u3b1", "u3b1_", "double_", "double__",
    ]  # fmt: skip


def test_names_that_unrolling_makes_are_left_to_it() -> None:
    """``a__1`` is what copy 1 of ``a`` is called."""
    assert Identifiers()["a__1"] != "a__1"


@given(st.lists(st.from_regex(r"[^\W\d]\w{0,6}", fullmatch=True), unique=True, max_size=12))
def test_any_names_become_different_valid_identifiers(words: list[str]) -> None:
    names = Identifiers()
    given_out = [names[w] for w in words]
    assert len(set(given_out)) == len(words)
    assert all(re.fullmatch(r"[A-Za-z]\w*", g, re.ASCII) for g in given_out)
