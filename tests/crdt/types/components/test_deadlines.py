"""Deadlines: siblings with dots, of which the latest applies."""

from __future__ import annotations

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
    assert deadlines.heap == []


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
    assert len(deadlines.heap) <= HEAP_SLACK + 3
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
    assert len(deadlines.heap) == 2
    assert deadlines.due(11, 10) == [K]


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
