"""The guarantee of SCAN: whatever is written meanwhile, a key that is there throughout is returned
exactly once, and no key twice (D-20)."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.structures import scan_order
from crdt.structures.places import CURSOR_END, CURSOR_MARK, place_of
from crdt.structures.scan_order import BUCKET_MAX, SLACK, ScanOrder

Changes = list[tuple[str, int, int]]
changes = st.lists(
    st.tuples(
        st.sampled_from(["add", "remove", "replace", "page"]),
        st.integers(0, 400),
        st.integers(1, 60),
    ),
    max_size=120,
)


def names(first: int, last: int) -> dict[bytes, int]:
    return {b"k%d" % n: n for n in range(first, last)}


def walk(order: ScanOrder, present: dict[bytes, int], count: int) -> list[list[bytes]]:
    """Return all pages of a walk during which nothing changes."""
    cursor, page = order.walk(0, count, present)
    pages = [page]
    while cursor:
        cursor, page = order.walk(cursor, count, present)
        pages.append(page)
    return pages


@given(st.integers(0, 400), changes, st.integers(1, 50))
def test_walk_returns_what_stays_exactly_once(size: int, steps: Changes, count: int) -> None:
    present = names(0, size)
    order = ScanOrder(present, len(present))
    stays = set(present)
    returned: Counter[bytes] = Counter()
    cursor, page = order.walk(0, count, present)
    returned.update(page)
    for act, first, many in steps:
        for key, n in names(first, first + many).items():
            if act in {"remove", "replace"}:
                present.pop(key, None)
            if act == "remove":
                stays.discard(key)
            if act in {"add", "replace"} and key not in present:
                present[key] = n
                order.add(key, present)
        if act == "page" and cursor:
            cursor, page = order.walk(cursor, count, present)
            assert len(page) <= count
            returned.update(page)
    while cursor:
        cursor, page = order.walk(cursor, count, present)
        returned.update(page)
    assert stays <= returned.keys()
    assert set(returned.values()) <= {1}
    assert order.entries == sum(len(bucket) for bucket in order.buckets)
    assert order.entries <= 2 * len(present) + SLACK + max(0, size)


@given(st.sets(st.binary(max_size=6), max_size=300), st.integers(1, 40))
def test_quiet_walk_returns_every_key_once_in_full_pages(keys: set[bytes], count: int) -> None:
    present = dict.fromkeys(keys, 0)
    order = ScanOrder([], 0)
    for key in keys:
        order.add(key, present)
    pages = walk(order, present, count)
    assert Counter(key for page in pages for key in page) == Counter(keys)
    assert all(len(page) == count for page in pages[:-1])
    assert pages == walk(ScanOrder(present, len(present)), present, count)


def test_key_that_was_removed_and_came_back_is_returned_once() -> None:
    present = names(0, 12)
    order = ScanOrder(present, len(present))
    del present[b"k0"]
    present[b"k0"] = 0
    order.add(b"k0", present)
    assert [sorted(page) for page in walk(order, present, 20)] == [sorted(present)]


def test_cursors_fit_doubles_and_unknown_ones_end_scan() -> None:
    present = names(0, 1000)
    order = ScanOrder(present, len(present))
    cursor, page = order.walk(0, 10, present)
    assert len(page) == 10
    assert CURSOR_MARK < cursor < 1 << 53
    for foreign in (1, CURSOR_MARK - 1):
        assert order.walk(foreign, 10, present) == (cursor, page)
    for foreign in (CURSOR_END, (1 << 64) - 1):
        assert order.walk(foreign, 10, present) == (0, [])


def test_small_remainder_is_one_page() -> None:
    present = names(0, 1000)
    order = ScanOrder(present, len(present))
    for n in range(997):
        del present[b"k%d" % n]
    cursor, page = order.walk(0, 10, present)
    assert (cursor, sorted(page)) == (0, [b"k997", b"k998", b"k999"])
    assert order.entries == 3
    present.clear()
    assert order.walk(0, 10, present) == (0, [])


def test_dead_keys_and_their_buckets_go() -> None:
    present = names(0, 5000)
    order = ScanOrder([], 0)
    for key in present:
        order.add(key, present)
    assert len(order.buckets) > 5000 // BUCKET_MAX
    assert max(map(len, order.buckets)) <= BUCKET_MAX
    for n in range(4000):
        del present[b"k%d" % n]
    present[b"new"] = 0
    order.add(b"new", present)
    assert order.entries == 1001
    assert len(order.buckets) <= 1001 // (BUCKET_MAX // 4)
    assert order.starts[0] == 0
    assert sorted(order.starts) == order.starts


def test_full_bucket_of_dead_keys_is_cleaned_not_divided() -> None:
    present = names(0, BUCKET_MAX)
    order = ScanOrder([], 0)
    for key in present:
        order.add(key, present)
    for n in range(BUCKET_MAX - 10):
        del present[b"k%d" % n]
    present[b"new"] = 0
    order.add(b"new", present)
    assert [len(bucket) for bucket in order.buckets] == [11]


@pytest.mark.interpreted("it replaces the function that hashes")
def test_keys_that_share_place_share_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their number is not bounded, but none is lost or returned twice."""

    def same(key: bytes) -> int:
        return 7 if key.startswith(b"k") else place_of(key)

    monkeypatch.setattr(scan_order, "place_of", same)
    present = {**names(0, 2 * BUCKET_MAX), b"x": 0, b"y": 1}
    order = ScanOrder([], 0)
    for key in present:
        order.add(key, present)
    pages = walk(order, present, 10)
    assert len(pages[0]) == 2 * BUCKET_MAX
    assert Counter(key for page in pages for key in page) == Counter(present.keys())
