"""The runs in the middle of a list: when they are forgotten, and what a hostile peer can name."""

from __future__ import annotations

import pytest

from crdt.causality.dots import make_dot, make_origin
from crdt.causality.observed import Observed
from crdt.errors import DecodeError
from crdt.structures.runs import INDEX_BITS
from crdt.types.components.run_tree import RunTree, element_dot, is_top, with_dot

A, B = make_origin(1), make_origin(2)
TOP = make_dot(A, 0)
FIRST, SECOND, THIRD = make_dot(A, 1), make_dot(B, 2), make_dot(A, 3)


def tree_of_three() -> RunTree:
    """Return a run below an element that was pushed, one below that, and another one, with an
    element each."""
    tree = RunTree()
    for parent, dot in (((0, TOP, 7), FIRST), ((0, FIRST, 8), SECOND), ((0, FIRST, 8), THIRD)):
        tree.count(tree.open(parent, 1, dot), 1)
    return tree


def test_run_is_kept_until_removal_is_stable() -> None:
    tree = tree_of_three()
    assert not tree.collect({A: 99, B: 99})
    tree.record_removal(tree.runs[SECOND], make_dot(B, 9))
    tree.record_removal(tree.runs[SECOND], make_dot(A, 5))
    tree.count(tree.runs[SECOND], -1)
    assert list(tree.empty) == [SECOND]
    assert tree.collect({A: 4, B: 9})
    assert tree.collect({A: 5, B: 8})
    assert not tree.collect({A: 5, B: 9})
    assert set(tree.runs) == {FIRST, THIRD}


def test_empty_parent_is_forgotten_after_last_child() -> None:
    tree = tree_of_three()
    for dot in (FIRST, SECOND):
        tree.count(tree.runs[dot], -1)
    assert not tree.collect({})
    assert set(tree.runs) == {FIRST, THIRD}  # the parent of one that has an element
    tree.count(tree.runs[THIRD], -1)
    assert not tree.collect({})
    assert (tree.runs, tree.tops, tree.empty) == ({}, {}, {})


def test_run_that_gets_element_again_is_no_garbage() -> None:
    tree = tree_of_three()
    tree.count(tree.runs[SECOND], -1)
    tree.count(tree.runs[SECOND], 1)
    assert not tree.empty
    tree.open((0, SECOND, 1), -1, make_dot(B, 7))
    assert list(tree.empty) == [make_dot(B, 7)]


def test_run_opened_again_is_the_same() -> None:
    tree = tree_of_three()
    assert tree.open((0, TOP, 7), 1, FIRST) is tree.runs[FIRST]
    assert tree.tops[0, TOP].children == 1


def test_delete_is_recorded_where_run_was_observed() -> None:
    tree = tree_of_three()
    tree.record_delete(Observed({A: 1}, B, 2, 0))
    assert tree.runs[FIRST].removed == (make_dot(B, 2),)
    assert tree.runs[SECOND].removed == ()  # the effect itself came later
    own = Observed({}, A, 9, 0)
    own.is_local = True
    tree.record_delete(own)
    assert tree.runs[SECOND].removed == (make_dot(A, 9),)
    assert tree.runs[FIRST].removed == (make_dot(A, 9), make_dot(B, 2))
    tree.clear()
    assert set(tree.empty) == {SECOND, THIRD}


def test_unknown_run_that_hostile_peer_names_is_found_again() -> None:
    tree = RunTree()
    found = tree.open((0, make_dot(B, 77), 5), 1, FIRST)
    assert found.parent is None
    assert tree.find(FIRST) is found
    assert not tree.collect({})
    assert not tree.runs


def test_state_reads_back_and_is_joined() -> None:
    tree = tree_of_three()
    tree.record_removal(tree.runs[THIRD], make_dot(A, 9))
    copy = RunTree()
    copy.load(tree.state())
    assert copy.state() == tree.state()
    copy.record_removal(copy.runs[THIRD], make_dot(B, 9))
    tree.take_over(copy)
    assert tree.state() == copy.state()
    other = RunTree()
    other.take_over(copy)
    assert other.state() == copy.state()
    assert not copy.covered({A: 9, B: 8})
    assert copy.covered({A: 9, B: 9})


def test_run_without_parent_reads_back() -> None:
    tree, copy = RunTree(), RunTree()
    tree.find(FIRST)
    copy.load(tree.state())
    assert copy.runs[FIRST].parent is None


@pytest.mark.parametrize(
    "state",
    [
        b"",
        (1, FIRST, 0, TOP, 7),
        (1 << 54, FIRST, 0, TOP, 7, ()),
        (1, TOP, 0, TOP, 7, ()),
        (1, FIRST, 0, 5, 7, ()),
        (1, FIRST, 0, b"", 7, ()),
        (1, FIRST, 1 << 54, TOP, 7, ()),
        (1, FIRST, 0, TOP, 1 << 62, ()),
        (1, FIRST, 0, FIRST, 7, ()),  # its own parent
        (1, FIRST, 0, SECOND, 7, ()),
        (1, FIRST, 0, TOP, 7, b""),
        (1, FIRST, 0, TOP, 7, (b"",)),
        (1, FIRST, 0, TOP, 7, (), 1, FIRST, 0, TOP, 7, ()),
    ],
)
def test_invalid_runs_are_refused(state: object) -> None:
    with pytest.raises(DecodeError):
        RunTree().load(state)


def test_dots_of_removals_are_the_latest_of_each_origin() -> None:
    dots = with_dot(with_dot((), SECOND), FIRST)
    assert dots == (FIRST, SECOND)
    assert with_dot(dots, THIRD) == (THIRD, SECOND)
    assert with_dot((THIRD,), FIRST) == (THIRD,)


def test_key_names_effect_that_inserted() -> None:
    assert element_dot(FIRST, -(12 << INDEX_BITS | 3)) == make_dot(A, 12)
    assert is_top(TOP)
    assert not is_top(FIRST)
