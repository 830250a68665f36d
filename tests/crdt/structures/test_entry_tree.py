"""The entries of one origin: what is found, and what is left, after many removals."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crdt.structures.entry_tree import DroppedBlocks, EntryTree

ORIGIN = 5
FIRST = (0, 0)


def filled(size: int, block_max: int = 4) -> EntryTree:
    """Return a tree with the ids 0-1, 0-2, 1-1, 1-2 ..."""
    tree = EntryTree(ORIGIN, block_max)
    for number in range(size):
        assert tree.append(number // 2, number % 2 + 1, number + 10, b"%d" % number)
    return tree


def contents(tree: EntryTree) -> list[bytes]:
    return [entry[3] for entry in tree.forward(FIRST)]


def test_only_ascending_entries_are_appended() -> None:
    tree = filled(3)
    assert not tree.append(1, 1, 99, b"the same id")
    assert not tree.append(0, 9, 99, b"a smaller id")
    assert not tree.append(9, 9, 12, b"the same sequence number")
    assert contents(tree) == [b"0", b"1", b"2"]
    tree.check()


@given(st.lists(st.integers(0, 40), max_size=40), st.integers(1, 5))
def test_removals_leave_the_others(removed: list[int], block_max: int) -> None:
    tree = filled(40, block_max)
    left = list(range(40))
    for number in removed:
        place = tree.lower_bound(number // 2, number % 2 + 1)
        is_there = tree.holds(place, number // 2, number % 2 + 1)
        assert is_there == (number in left)
        if is_there:
            tree.drop(place)
            left.remove(number)
    tree.check()
    assert contents(tree) == [b"%d" % number for number in left]
    assert [entry[3] for entry in tree.backward(tree.end())] == contents(tree)[::-1]


@given(st.integers(0, 45), st.integers(0, 60))
def test_prefixes_are_dropped(number: int, seq: int) -> None:
    tree = filled(40)
    place = max(tree.lower_bound(number // 2, number % 2 + 1), tree.after_seq(seq))
    expected = [b"%d" % n for n in range(max(number, seq - 9, 0), 40)]
    assert tree.rank(place) == 40 - len(expected)
    dropped = tree.drop_until(place)
    assert contents(tree) == expected
    assert sum(len(block.contents) for block in dropped) <= 40 - len(expected)
    tree.check()


def test_neighbours_of_places() -> None:
    tree = filled(9)
    assert tree.before(FIRST) is None
    assert tree.before(tree.end()) == tree.last() == (4, 1, ORIGIN << 40 | 18, b"8")
    assert tree.before(tree.lower_bound(1, 1)) == (0, 2, ORIGIN << 40 | 11, b"1")
    assert tree.is_at_end(tree.lower_bound(4, 2))
    assert not tree.holds(tree.end(), 9, 9)


def test_dropped_blocks_are_freed_in_slices() -> None:
    tree = filled(80)
    dropped = DroppedBlocks(tree.drop_until(tree.end()))
    assert dropped.free_slice()
    assert dropped.free_slice()
    assert not dropped.free_slice()
