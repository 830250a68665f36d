"""Deadlines: siblings with dots, of which the latest applies."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crdt.causality.dots import make_dot
from crdt.causality.observed import Observed
from crdt.causality.schema import FOREVER
from crdt.types.components.deadlines import HEAP_SLACK, Deadlines

K = b"k"
A, B = make_dot(1, 1), make_dot(2, 1)


def test_longest_holds() -> None:
    """Rules EXP-1 and EXP-2."""
    deadlines = Deadlines()
    assert deadlines.deadline(K) == FOREVER
    deadlines.add(K, B, 50)
    assert deadlines.deadline(K) == 50
    deadlines.add(K, A, 20)
    assert deadlines.deadline(K) == 50
    assert deadlines.table[K] == (A, 20, B, 50)
    assert not deadlines.no_expiry(K)
    deadlines.add(K, A, FOREVER)
    assert deadlines.deadline(K) == FOREVER


def test_observed_deadline_is_dropped() -> None:
    """Rule EXP-3."""
    deadlines = Deadlines()
    assert not deadlines.drop(K, Observed({}, 3, 1, 0))
    deadlines.add(K, A, 20)
    deadlines.add(K, B, 50)
    assert deadlines.drop(K, Observed({2: 1}, 3, 1, 0))
    assert deadlines.table[K] == (A, 20)
    assert not deadlines.drop(K, Observed({1: 1}, 3, 2, 0))
    assert K not in deadlines.table


def test_endless_deadline_is_known() -> None:
    deadlines = Deadlines()
    assert not deadlines.no_expiry(K)
    deadlines.add(K, A, FOREVER)
    assert deadlines.no_expiry(K)
    assert list(deadlines.heaps) == [[]]


def test_due_deadline_is_found_once() -> None:
    deadlines = Deadlines()
    for index in range(5):
        deadlines.put(b"%d" % index, (make_dot(1, index + 1), 10 * index))
    deadlines.put(b"1", (A, 90))
    assert deadlines.due(25, 10) == [b"0", b"2"]
    assert deadlines.due(25, 10) == []
    assert deadlines.due(1000, 1) == [b"3"]
    assert deadlines.due(1000, 10) == [b"4", b"1"]


def test_outdated_entries_do_not_pile_up() -> None:
    deadlines = Deadlines()
    for step in range(3 * HEAP_SLACK):
        deadlines.put(K, (A, step))
    assert deadlines.entries == sum(map(len, deadlines.heaps)) <= HEAP_SLACK + 3
    assert deadlines.due(1 << 40, 10) == [K]


def test_merge_keeps_what_is_held_or_unseen() -> None:
    here = Deadlines()
    here.put(K, (A, 10, B, 20))
    here.merge(K, (A, 10, make_dot(3, 1), 5), {1: 1, 2: 1}, {1: 1, 2: 1, 3: 1})
    assert here.table[K] == (A, 10, make_dot(3, 1), 5)
    here.merge(K, (), {1: 1, 2: 1, 3: 1}, {1: 1, 2: 1, 3: 1})
    assert K not in here.table


def test_deadline_that_was_put_twice_is_due_once() -> None:
    deadlines = Deadlines()
    deadlines.put(K, (A, 10))
    deadlines.put(K, (A, 10, B, 5))
    assert deadlines.entries == 2
    assert deadlines.due(11, 10) == [K]


@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "due"]), st.integers(0, 30), st.integers(1, 60)),
        max_size=80,
    ),
    st.integers(1, 4),
)
def test_small_heaps_find_what_is_due(steps: list[tuple[str, int, int]], heap_max: int) -> None:
    deadlines, ends = Deadlines(heap_max), dict[bytes, int]()
    for number, (act, name, moment) in enumerate(steps):
        key = b"%d" % name
        if act == "put":
            ends[key] = moment
            deadlines.put(key, (make_dot(1, number + 1), moment))
        else:
            due = [each for each, end in ends.items() if end < moment]
            found = deadlines.due(moment, name)
            assert len(found) == len(set(found)) == min(len(due), name)
            assert set(found) <= set(due)
            for each in found:
                del ends[each]
                deadlines.put(each, ())
        if number % 3 == 0:
            deadlines.compact()
        assert deadlines.entries == sum(map(len, deadlines.heaps))
        assert all(len(heap) <= heap_max for heap in deadlines.heaps)
    assert sorted(deadlines.due(100, 1000)) == sorted(ends)


def test_compaction_takes_one_heap() -> None:
    deadlines = Deadlines(100)
    for number in range(HEAP_SLACK):
        deadlines.put(b"%d" % number, (A, number))
    for number in range(HEAP_SLACK):
        deadlines.put(b"%d" % number, (A, 1000 + number))
    before = len(deadlines.heaps)
    for number in range(HEAP_SLACK + 1):
        deadlines.put(b"%d" % number, (A, 5000 + number))
    assert deadlines.entries <= 2 * len(deadlines.table) + HEAP_SLACK
    assert len(deadlines.heaps) <= before + HEAP_SLACK // 100 + 1
    assert len(deadlines.due(9000, 5000)) == HEAP_SLACK + 1
    assert list(deadlines.heaps) == [[]]


def test_number_and_average_of_deadlines() -> None:
    """Rule EXP-10: a persistent key does not count."""
    deadlines = Deadlines()
    assert deadlines.time_left(0, 10) == 0
    deadlines.put(K, (A, 100))
    deadlines.put(K, (A, 100, B, 300))
    deadlines.put(b"other", (A, 100))
    deadlines.put(b"lasting", (A, 100, B, FOREVER))
    assert deadlines.timed == 2
    assert deadlines.time_left(50, 10) == (250 + 50) // 2
    assert deadlines.time_left(200, 10) == (100 + 0) // 2, "one has passed"
    assert deadlines.time_left(50, 1) == 250
    deadlines.put(K, (A, FOREVER))
    deadlines.put(b"lasting", ())
    deadlines.put(b"nothing", ())
    assert deadlines.timed == 1
    deadlines.put(b"other", ())
    assert deadlines.timed == 0
