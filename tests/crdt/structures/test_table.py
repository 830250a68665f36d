"""A table of very small parts, compared with a dictionary."""

from __future__ import annotations

from collections import Counter
from sys import getsizeof

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.structures import table
from crdt.structures.table import PLACES, Part, Table, place_of_hash

Steps = list[tuple[str, int, int]]
steps_of_writes = st.lists(
    st.tuples(
        st.sampled_from(["put", "pop", "walk", "part"]), st.integers(0, 120), st.integers(1, 60)
    ),
    max_size=60,
)


def name(number: int) -> bytes:
    return b"k%d" % number


def fill(size: int, part_max: int = 4) -> Table:
    """Return a table of `size` keys."""
    filled = Table(part_max)
    for number in range(size):
        filled.put(name(number), number)
    return filled


def check(tested: Table) -> None:
    """Assert the invariants of the directory and of the parts."""
    parts = tested.distinct_parts()
    assert len(tested.parts) == len(tested.directory) == 1 << tested.depth
    assert [part.start for part in parts] == sorted({part.start for part in tested.parts})
    assert parts[0].start == 0
    assert [part.stop() for part in parts] == [*(part.start for part in parts[1:]), PLACES]
    for slot, part in enumerate(tested.parts):
        assert tested.directory[slot] is part.held
        assert part.start <= slot << (table.PLACE_BITS - tested.depth) < part.stop()
    for part in parts:
        assert all(part.start <= place_of_hash(key) < part.stop() for key in part.held)
    assert (tested.first is None) == (len(parts) > 1)
    assert len(parts) == 1 or tested.depth == max(part.depth for part in parts)


def compare(tested: Table, twin: dict[bytes, int]) -> None:
    """Check that both hold the same, by every method of reading."""
    check(tested)
    assert len(tested) == len(twin)
    assert bool(tested) == bool(twin)
    assert dict(tested.items()) == twin
    assert sorted(tested) == sorted(twin)
    for number in range(0, 150, 7):
        key = name(number)
        assert tested.get(key) == twin.get(key)
        assert (key in tested) == (key in twin)


@given(st.integers(2, 5), st.integers(0, 60), steps_of_writes)
def test_table_equals_dictionary_and_walk_is_exact(part_max: int, size: int, steps: Steps) -> None:
    tested = fill(size, part_max)
    twin = {name(number): number for number in range(size)}
    stays, moved = set(twin), set[bytes]()
    walked: Counter[bytes] = Counter()
    cursor, keys = tested.walk(0)
    walked.update(keys)
    for act, first, many in steps:
        numbers = range(first, first + many)
        if act == "put":
            moved.update(name(number) for number in numbers if name(number) not in twin)
            for number in numbers:
                twin[name(number)] = -number
                tested.put(name(number), -number)
        elif act == "pop":
            for number in numbers:
                assert tested.pop(name(number)) == twin.pop(name(number), None)
        elif act == "part":
            part = tested.pop_part()
            assert all(twin.pop(key) == value for key, value in part.items())
        elif cursor:
            cursor, keys = tested.walk(cursor)
            walked.update(keys)
        stays &= twin.keys()
        compare(tested, twin)
    while cursor:
        cursor, keys = tested.walk(cursor)
        walked.update(keys)
    assert stays <= walked.keys()
    assert all(count == 1 for key, count in walked.items() if key not in moved)


def test_small_table_keeps_order_of_insertion() -> None:
    tested = fill(4)
    tested.put(name(2), 22)
    tested.pop(name(0))
    tested.put(name(0), 0)
    assert list(tested) == [name(1), name(2), name(3), name(0)]
    assert list(tested.items())[1] == (name(2), 22)
    assert tested.first is not None


def test_replacement_in_full_part_does_not_divide() -> None:
    tested = fill(4)
    tested[name(3)] = 33
    assert tested.first is not None
    tested[name(4)] = 4
    assert tested.first is None
    assert [tested[name(number)] for number in range(5)] == [0, 1, 2, 33, 4]


def test_missing_key_is_an_error_or_none() -> None:
    for tested in (fill(1), fill(50)):
        with pytest.raises(KeyError):
            tested[b"missing"]
        assert tested.get(b"missing") is None
        assert tested.pop(b"missing") is None


def test_parts_stay_below_maximum() -> None:
    tested = fill(5000, 100)
    sizes = [len(held) for held in tested.dicts()]
    assert max(sizes) <= 100
    assert sum(sizes) == 5000
    assert min(sizes) > 0


def test_emptied_table_is_single_again() -> None:
    tested = fill(500, 16)
    for number in range(500):
        tested.pop(name(number))
    assert tested.first == {}
    assert tested.depth == 0
    compare(tested, {})


def test_sparse_parts_give_memory_back() -> None:
    tested = fill(20_000, 8_000)
    before = sum(getsizeof(held) for held in tested.dicts())
    twin = {name(number): number for number in range(20_000)}
    for number in range(19_900):
        assert tested.pop(name(number)) == twin.pop(name(number))
    compare(tested, twin)
    assert sum(getsizeof(held) for held in tested.dicts()) < before / 7


def test_sparse_part_with_large_neighbour_is_copied() -> None:
    tested = fill(9_000, 8_000)
    low, high = tested.distinct_parts()
    before = getsizeof(low.held)
    for key in list(low.held)[10:]:
        tested.pop(key)
    assert tested.distinct_parts() == [low, high]
    assert len(low.held) == 10
    assert getsizeof(low.held) < before / 10
    check(tested)


def test_removing_parts_empties_table() -> None:
    tested = fill(300, 8)
    removed = dict[bytes, int]()
    steps = 0
    while tested:
        steps += 1
        part = tested.pop_part()
        assert len(part) <= 9
        removed |= part
        check(tested)
    assert removed == {name(number): number for number in range(300)}
    assert 300 / 8 < steps < 300
    assert tested.pop_part() == {}
    assert tested.first == {}


def test_clear_removes_all() -> None:
    tested = fill(100)
    tested.clear()
    compare(tested, {})
    tested.put(b"k", 1)
    assert list(tested.items()) == [(b"k", 1)]


def test_part_of_one_place_is_not_divided() -> None:
    tested = Table(2)
    tested.parts[0] = Part({b"a": 1, b"b": 2, b"c": 3}, table.PLACE_BITS, 0)
    tested.divide(tested.parts[0])
    assert tested.depth == 0
    assert len(tested.parts) == 1


def test_entry_bytes_are_those_of_the_part() -> None:
    for tested in (fill(3), fill(100)):
        held = tested.dict_of(name(1))
        assert held[name(1)] == 1
        assert tested.entry_bytes(name(1)) == getsizeof(held) // len(held)


def test_range_of_places_lists_its_keys() -> None:
    tested = fill(200, 8)
    for start, stop in ((0, PLACES), (0, PLACES // 3), (PLACES // 5, PLACES // 2), (7, 7)):
        expected = [key for key in tested if start <= place_of_hash(key) < stop]
        assert sorted(tested.keys_between(start, stop)) == sorted(expected)


def test_walk_of_single_part_takes_one_call() -> None:
    assert fill(3).walk(0) == (0, [name(0), name(1), name(2)])
    assert Table().walk(0) == (0, [])
