"""A table of very small parts, compared with a dictionary."""

from __future__ import annotations

from collections import Counter
from random import Random
from sys import getsizeof

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.structures import part as part_module
from crdt.structures.part import SLACK, Part
from crdt.structures.places import (
    CURSOR_END,
    CURSOR_MARK,
    HASH_BITS,
    HASH_PLACES,
    is_later_page,
    place_of_hash,
)
from crdt.structures.sample_order import Order
from crdt.structures.scan_order import ScanOrder
from crdt.structures.table import SMALL_SHARE, SORTED_MAX, Table

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
    assert [part.stop() for part in parts] == [*(part.start for part in parts[1:]), HASH_PLACES]
    for slot, part in enumerate(tested.parts):
        assert tested.directory[slot] is part.held
        assert part.start <= slot << (HASH_BITS - tested.depth) < part.stop()
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


def test_copy_is_separate() -> None:
    for size in (3, 100):
        tested = fill(size)
        copy = tested.copy()
        compare(copy, {name(number): number for number in range(size)})
        copy.put(b"new", 1)
        assert b"new" not in tested


def test_forgotten_orders_are_made_again() -> None:
    for size in (3, 100):
        tested = fill(size)
        tested.pick(Random(1))
        tested.scan(0, 10)
        tested.scan(CURSOR_MARK + 1, 10)
        assert tested.has_scan_order()
        tested.forget_orders()
        assert not tested.has_scan_order()
        assert all(part.order is None and part.names is None for part in tested.parts)
        tested.put(b"new", 1)
        assert b"new" in {key for page in scan_all(tested, 5) for key in page}
        assert set(tested.sampled_keys()) == set(tested)


def test_some_keys_and_ends_of_the_table() -> None:
    tested = fill(4)
    assert tested.some(2) == [name(3), name(2)]
    assert tested.ends(1) == [name(0), name(3)]
    assert tested.ends(2) == list(tested)
    assert Table().some(3) == []
    tested = fill(100, 10)
    assert 0 < len(tested.some(3)) <= 3
    assert len(set(tested.ends(20))) == 40
    removed = set[bytes]()
    while tested:
        for key in tested.some(3):
            tested.pop(key)
            removed.add(key)
    assert len(removed) == 100


def test_clear_removes_all() -> None:
    tested = fill(100)
    tested.clear()
    compare(tested, {})
    tested.put(b"k", 1)
    assert list(tested.items()) == [(b"k", 1)]


def test_parts_are_not_divided_together() -> None:
    tested = fill(100_000, 2_000)
    size, most = len(tested), 0
    while size < 200_000:
        parts, stop = len(tested.distinct_parts()), size + size // 20
        for number in range(size, stop):
            tested.put(name(number), number)
        most = max(most, (len(tested.distinct_parts()) - parts) * 100 // parts)
        size = stop
    assert most < 50, "a twentieth more keys divide less than half of the parts"


def ordered(size: int) -> list[bytes]:
    """Return names in the order of their places."""
    return sorted(map(name, range(size)), key=place_of_hash)


def test_keys_in_order_of_places_are_moved_seldom() -> None:
    tested, part_max, moved = Table(50), 50, [0]
    names = ordered(4_000)
    for number, key in enumerate(names):
        before = {id(held): held for held in tested.dicts()}
        tested.put(key, number)
        moved.append(sum(len(held) for held in tested.dicts() if id(held) not in before))
        if number % 97 == 0:
            check(tested)
    check(tested)
    assert list(tested.items()) == [(key, number) for number, key in enumerate(names)]
    assert max(map(len, tested.dicts())) <= part_max
    most = max(sum(moved[index : index + 10]) for index in range(len(moved)))
    assert part_max / 2 < most <= 2 * part_max, "ten keys divide one part, not at each depth"


@pytest.mark.interpreted("it replaces what compiled code calls directly")
def test_keys_of_one_place_stay_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_module, "place_of_hash", len)
    tested = Table(4)
    for number in range(100, 200):
        tested[name(number)] = number
    assert len(tested.parts) == 1
    assert tested.parts[0].keys_max == 128
    assert len(tested) == 100


def test_part_of_one_place_is_not_divided() -> None:
    tested = Table(2)
    tested.parts[0] = Part({b"a": 1, b"b": 2, b"c": 3}, HASH_BITS, 0, 2)
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
    for start, stop in (
        (0, HASH_PLACES),
        (0, HASH_PLACES // 3),
        (HASH_PLACES // 5, HASH_PLACES // 2),
        (7, 7),
    ):
        expected = [key for key in tested if start <= place_of_hash(key) < stop]
        assert sorted(tested.keys_between(start, stop)) == sorted(expected)


def test_walk_of_single_part_takes_one_call() -> None:
    assert fill(3).walk(0) == (0, [name(0), name(1), name(2)])
    assert Table().walk(0) == (0, [])


@given(st.integers(2, 5), st.integers(0, 60), steps_of_writes, st.integers(1, 20))
def test_scan_returns_what_stays_exactly_once(
    part_max: int, size: int, steps: Steps, count: int
) -> None:
    tested = fill(size, part_max)
    stays = set(tested)
    cursor, page = tested.scan(0, count)
    scanned = Counter(page)
    for act, first, many in steps:
        for key in [name(number) for number in range(first, first + many)]:
            if act == "put":
                tested.put(key, 0)
            elif act == "pop":
                tested.pop(key)
        if act == "part":
            tested.pop_part()
        elif act == "walk" and cursor:
            cursor, page = tested.scan(cursor, count)
            scanned.update(page)
        stays.intersection_update(tested)
        check(tested)
    while cursor:
        cursor, page = tested.scan(cursor, count)
        scanned.update(page)
    assert stays <= scanned.keys()
    assert set(scanned.values()) <= {1}


@given(st.integers(2, 5), steps_of_writes)
def test_orders_hold_every_key(part_max: int, steps: Steps) -> None:
    tested, rng = Table(part_max), Random(1)
    for act, first, many in steps:
        for key in [name(number) for number in range(first, first + many)]:
            if act == "put":
                tested.put(key, 0)
            elif act == "pop":
                tested.pop(key)
        if act == "walk":
            tested.scan(CURSOR_MARK + many, 10)
        elif act == "part" and tested:
            assert tested.pick(rng) in tested
        for part in tested.distinct_parts():
            assert part.order is None or part.held.keys() <= set(part.order.keys)
            if part.names is not None:
                assert part.held.keys() <= set(part.names)
                assert len(part.names) <= 2 * len(part.held) + SLACK
                assert part.names == sorted(part.names, key=place_of_hash)
                assert part in tested.sorted
        assert {*map(id, tested.sorted)} <= {*map(id, tested.parts)}


def scan_all(tested: Table, count: int) -> list[list[bytes]]:
    """Return all pages of a walk during which nothing changes."""
    cursor, page = tested.scan(0, count)
    pages = [page]
    while cursor:
        assert is_later_page(cursor)
        cursor, page = tested.scan(cursor, count)
        pages.append(page)
    return pages


@pytest.mark.parametrize("size", [0, 3, 40, 1000])
def test_quiet_scan_has_full_pages(size: int) -> None:
    tested = fill(size, 50)
    pages = scan_all(tested, 7)
    assert sorted(key for page in pages for key in page) == sorted(tested)
    assert all(len(page) >= 7 for page in pages[:-1])
    assert tested.has_scan_order()


def test_scan_of_one_part_is_that_of_its_dictionary() -> None:
    tested = fill(40, 50)
    held = tested.dict_of(b"")
    order = ScanOrder(held, len(held))
    cursor, page = order.walk(0, 7, held)
    assert tested.scan(0, 7) == (cursor, page)
    tested.put(b"new", 0)
    order.add(b"new", held)
    assert tested.scan(cursor, 50) == order.walk(cursor, 50, held)


def test_scan_goes_on_after_table_was_divided() -> None:
    tested = fill(50, 50)
    cursor, page = tested.scan(0, 20)
    for number in range(50, 2000):
        tested.put(name(number), number)
    pages = [page]
    while cursor:
        cursor, page = tested.scan(cursor, 20)
        assert len(page) <= 51
        pages.append(page)
    scanned = Counter(key for page in pages for key in page)
    assert {name(number) for number in range(50)} <= scanned.keys()
    assert max(scanned.values()) == 1


def test_scan_goes_on_after_parts_were_joined() -> None:
    """Keys on both sides of the cursor stay: as few as are in one part whatever their hashes are
    (see SMALL_SHARE)."""
    tested = fill(2000, 50)
    cursor, page = tested.scan(0, 1000)
    following = tested.scan(cursor, 3)[1][:3]
    kept = {*page[-3:], *following}
    assert len(kept) == 50 // SMALL_SHARE
    for key in set(tested) - kept:
        tested.pop(key)
    assert tested.first is not None
    assert set(tested) == kept
    end, rest = tested.scan(cursor, 20)
    assert end == 0
    assert sorted(rest) == sorted(following)


def test_only_few_parts_stay_sorted() -> None:
    tested = fill(3000, 20)
    assert len(tested.distinct_parts()) > 2 * SORTED_MAX
    scan_all(tested, 10)
    parts = [part for part in tested.distinct_parts() if part.names is not None]
    assert parts == tested.sorted
    assert len(parts) == SORTED_MAX


def test_removed_keys_leave_sorted_part() -> None:
    tested = fill(40, 50)
    tested.scan(CURSOR_MARK + 1, 10)
    part = tested.parts[0]
    for number in range(1000):
        tested.put(b"x%d" % number, 0)
        tested.pop(b"x%d" % number)
    assert part is tested.parts[0]
    assert part.names is None or len(part.names) <= 2 * 40 + SLACK + 1
    assert sorted(tested.scan(CURSOR_MARK, 100)[1]) == sorted(tested)


def test_foreign_cursor_ends_scan() -> None:
    assert fill(30, 5).scan(CURSOR_END, 10) == (0, [])


def test_every_key_is_picked_about_as_often() -> None:
    tested, rng = fill(60, 5), Random(7)
    assert len({part.depth for part in tested.distinct_parts()}) > 1
    picked = Counter(tested.pick(rng) for _ in range(6000))
    assert picked.keys() == set(tested)
    assert min(picked.values()) > 50
    assert max(picked.values()) < 170


def test_picks_are_prepared_part_by_part() -> None:
    tested = fill(60, 5)
    steps = 0
    while not tested.prepare_picks(5):
        steps += 1
        assert sum(part.order is not None for part in tested.distinct_parts()) >= steps
    assert steps > 5
    assert tested.prepare_picks(0)
    tested.put(b"new", 1)
    assert b"new" in tested.sampled_keys()


def test_pick_of_one_part_is_that_of_its_keys() -> None:
    tested = fill(4, 5)
    order = Order([name(number) for number in range(4)])
    held = tested.dict_of(b"")
    one, other = Random(3), Random(3)
    assert [tested.pick(one) for _ in range(9)] == [order.pick(other, held) for _ in range(9)]
    tested.put(b"new", 1)
    assert tested.parts[0].sampled().keys[-1] == b"new"
