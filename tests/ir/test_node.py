"""Trees: children from the fields, rewriting that keeps identity and provenance."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, replace

import pytest

from sejits_nb.ir.expr import Binary, Call, Const, Name, Select, Unary
from sejits_nb.ir.node import Node, Span, children, map_children, rewrite, walk

HERE, THERE = Span(3, 4, 3, 9), Span(5, 0, 6, 2)
A, B, TWO = Name("a"), Name("b"), Const(2.0)
TREE = Binary("+", Unary("-", A, loc=HERE), Call("min", (B, TWO)), loc=THERE)


def test_children_and_walk_go_left_to_right_parents_first() -> None:
    assert list(children(TREE)) == [TREE.left, TREE.right]
    assert list(walk(TREE)) == [TREE, TREE.left, A, TREE.right, B, TWO]
    assert list(children(A)) == []


def test_loc_takes_no_part_in_equality_but_dtype_and_fields_do() -> None:
    assert replace(TREE, loc=None) == TREE
    assert Name("a") != Name("b")
    assert hash(replace(TREE, loc=HERE)) == hash(TREE)


def test_nodes_are_frozen_and_picklable() -> None:
    with pytest.raises(FrozenInstanceError):
        A.id = "c"  # type: ignore[misc]  # that is the point
    copy = pickle.loads(pickle.dumps(TREE))
    assert (copy, copy.loc) == (TREE, THERE)


def test_a_rule_that_never_matches_gives_the_same_object() -> None:
    assert rewrite(TREE, lambda n: None) is TREE
    assert rewrite(TREE, lambda n: n) is TREE
    assert map_children(TREE, lambda n: n) is TREE


def test_only_the_path_to_a_change_is_new() -> None:
    new = rewrite(TREE, lambda n: Name("c") if n == B else None)
    assert new == Binary("+", Unary("-", A), Call("min", (Name("c"), TWO)))
    assert new.left is TREE.left
    assert new.loc == THERE


def test_children_are_rewritten_before_their_parents() -> None:
    def rule(n: Node) -> Node | None:
        match n:
            case Name("a"):
                return Const(1.0)
            case Unary("-", Const(value)):
                return Const(-value)
        return None

    assert rewrite(TREE, rule).left == Const(-1.0)


def test_a_replacement_inherits_the_span_unless_it_has_its_own() -> None:
    assert rewrite(TREE, lambda n: Const(0.0) if isinstance(n, Unary) else None).left.loc == HERE
    own = rewrite(TREE, lambda n: Const(0.0, loc=THERE) if isinstance(n, Unary) else None)
    assert own.left.loc == THERE


def test_spans_contain_themselves_and_what_lies_inside() -> None:
    whole = Span(2, 0, 7, 10)
    assert whole.contains(whole)
    assert whole.contains(HERE)
    assert not HERE.contains(whole)
    assert not Span(3, 5, 3, 9).contains(HERE)
    assert str(HERE) == "3:4-3:9"


def test_select_has_three_children() -> None:
    assert list(children(Select(A, B, TWO))) == [A, B, TWO]
