"""The places that a group reads next."""

from __future__ import annotations

from crdt.structures.entry_tree import EntryTree
from crdt.types.components.stream_groups import ID_MAX, Group, after_id, mark_before


def filled() -> EntryTree:
    tree = EntryTree(1)
    for number in range(1, 5):
        tree.append(number, 0, number, b"*0\r\n")
    return tree


def test_places_behind_ids() -> None:
    tree = filled()
    assert after_id(tree, (2, 0)) == (0, 2)
    assert after_id(tree, (2, (1 << 64) - 1)) == (0, 2)
    assert after_id(tree, ID_MAX) == tree.end()
    assert mark_before(tree, (1, 0)) is None
    assert mark_before(tree, (3, 0)) == (2, 2, 0)


def test_position_and_floor_bound_the_next_place() -> None:
    group, tree = Group(), filled()
    assert group.next_place(tree) == (0, 0)
    group.floor = (2, 0)
    assert group.next_place(tree) == (0, 2)
    group.advance(1, (3, 3, 0))
    assert group.next_place(tree) == (0, 3)
    group.advance(1, (1, 1, 0))
    assert group.next_place(tree) == (0, 3)
