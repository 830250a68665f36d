"""Visible keys, and effects that change what is visible (TXN-3, D-16)."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from crdt import Replica
from crdt.causality.effect import ANY_TYPE, DELETE, FLUSH
from crdt.causality.schema import FOREVER
from crdt.store.key_table import KeyTable
from crdt.types.components.register import Register
from crdt.types.string import String
from crdt.writes import list as lists
from tests.crdt.exchange import exchange

Write = Callable[[Replica], object]


def table(*keys: bytes) -> KeyTable:
    made = KeyTable()
    for key in keys:
        made.data.put(key, String())
    return made


def test_expired_keys_are_not_seen() -> None:
    """Rules EXP-5 and KEY-12: expired keys still count in the size."""
    keys = table(b"a", b"b")
    assert keys.keys() == [b"a", b"b"]
    assert keys.keys_from(0) == (0, [b"a", b"b"])
    keys.deadlines.put(b"a", (1, 1000))
    keys.expiry_clock = 1001
    assert keys.keys_from(0) == (0, [b"b"])
    assert keys.lookup(b"a") is None
    assert keys.lookup(b"b") is not None
    assert keys.keys() == [b"b"]
    assert keys.size() == 2
    assert not keys.has_scan_order()
    assert keys.scan(0, 10) == (0, [b"b"])
    assert keys.has_scan_order()
    assert keys.random_key(random.Random(1)) == b"b"
    assert (keys.deadline(b"a"), keys.deadline(b"b")) == (1000, None)
    assert keys.hidden({b"absent", b"b", b"a"}) == [b"a"]


def test_new_keys_are_walked_and_sampled() -> None:
    keys = table()
    assert keys.random_key(random.Random(1)) is None
    assert keys.scan(0, 10) == (0, [])
    for name in (b"a", b"b"):
        keys.data.put(name, String())
    rng = random.Random(1)
    assert {keys.random_key(rng) for _ in range(50)} == {b"a", b"b"}
    assert sorted(keys.scan(0, 10)[1]) == [b"a", b"b"]


def test_random_key_is_found_among_expired() -> None:
    keys = table(b"alive", *(b"%d" % n for n in range(3000)))
    for n in range(3000):
        keys.deadlines.put(b"%d" % n, (1, 1000))
    keys.expiry_clock = 1001
    assert keys.random_key(random.Random(1)) == b"alive"
    keys.deadlines.put(b"alive", (1, 1000))
    assert keys.random_key(random.Random(1)) is None


REMOTE: list[tuple[Write, Write, bool]] = [
    (lambda r: r.set("k").add("a"), lambda r: r.set("k").add("a"), False),
    (lambda r: r.set("k").add("a"), lambda r: r.set("k").add("b"), True),
    (lambda r: r.hash("k").update(f="v"), lambda r: r.hash("k").update(f="v"), False),
    (lambda r: r.hash("k").update(f="v"), lambda r: r.hash("k").update(f="w", g="v"), True),
    (lambda r: r.hash("k").update(f="v"), lambda r: r.hash("k").pop("f"), True),
    (lambda r: r.hash("k").update(f="5"), lambda r: r.hash("k").increment("f", 0), False),
    (lambda r: r.hash("k").update(f="5"), lambda r: r.hash("k").increment("f", 2), True),
    (lambda r: r.hash("k").increment("f", 5), lambda r: r.hash("k").update(f="5"), False),
    (lambda r: r.hash("k").increment("f", 5), lambda r: r.hash("k").update(f="6"), True),
    (lambda r: r.list("k").append("a"), lambda r: r.list("k").append("a"), True),
    (lambda r: r.list("k").append("a"), lambda r: lists.assign(r.keyspace, b"k", 0, b"a"), False),
    (lambda r: r.list("k").append("a"), lambda r: lists.assign(r.keyspace, b"k", 0, b"b"), True),
    (lambda r: r.multi_value("k").set("a"), lambda r: r.multi_value("k").set("a"), False),
    (lambda r: r.multi_value("k").set("a"), lambda r: r.multi_value("k").set("b"), True),
    (lambda r: r.flag("k").enable(), lambda r: r.flag("k").enable(), False),
    (lambda r: r.flag("k").enable(), lambda r: r.flag("k").disable(), True),
    (lambda r: r.set("k").add("a"), lambda r: r.set("k").expire_at(1 << 45), True),
    (lambda r: r.set("other").add("a"), lambda r: r.set("other").add("b"), False),
]


@pytest.mark.parametrize("by_snapshot", [False, True])
@pytest.mark.parametrize("case", range(len(REMOTE)))
def test_watched_key_is_touched_if_readers_see_difference(case: int, by_snapshot: bool) -> None:
    before, write, is_seen = REMOTE[case]
    here, there = Replica(1), Replica(2)
    here.advance(1)
    before(here)
    exchange(here, there)
    there.keyspace.watched_keys.add(b"k")
    write(here)
    if by_snapshot:
        there.merge(here.snapshot())
    else:
        for op in here.since(there.vector):
            there.accept(op)
    assert (b"k" in there.keyspace.dirty_keys) == is_seen


def test_another_type_under_key_is_seen_if_it_is_shown() -> None:
    """If a key holds several types, the one of the lowest origin is visible (D-02)."""
    for watcher, other, is_seen in ((1, 2, False), (2, 1, True)):
        here, there = Replica(watcher), Replica(other)
        here.set("k").add("a")
        there.counter("k").increment(1)
        here.keyspace.watched_keys.add(b"k")
        here.keyspace.dirty_keys.clear()
        for op in there.since({}):
            here.accept(op)
        assert (b"k" in here.keyspace.dirty_keys) == is_seen


def test_lookup_for_deletion_covers_whole_key() -> None:
    replica = Replica(1)
    replica.set("k").add("a")
    before = replica.keyspace.visible_state((ANY_TYPE, DELETE, b"k"))
    assert replica.keyspace.visible_state((ANY_TYPE, DELETE, b"none")) is None
    replica.set("k").add("b")
    assert replica.keyspace.visible_state((ANY_TYPE, DELETE, b"k")) != before


def test_snapshot_into_empty_replica_dirties_keys() -> None:
    here, there = Replica(1), Replica(2)
    here.set("k").add("a")
    there.keyspace.watched_keys.update((b"k", b"other"))
    there.merge(here.snapshot())
    assert there.keyspace.dirty_keys == [b"k"]


def test_clients_reads_are_counted_and_mark_what_they_use() -> None:
    keys = table(b"a")
    value = keys.data[b"a"]
    keys.second = 7
    assert (keys.read(b"a"), keys.read(b"none")) == (value, None)
    assert (keys.hits, keys.misses, value.accessed) == (1, 1, 7)
    keys.second = 8
    assert (keys.inspect(b"a"), keys.inspect(b"none")) == (value, None)
    assert (keys.hits, keys.misses, value.accessed) == (2, 2, 7)
    keys.marks_use = False
    assert keys.read(b"a") is value
    assert (keys.hits, keys.misses, value.accessed) == (3, 2, 7)


def test_flush_is_deletion_of_each_watched_key() -> None:
    keys = table(b"a", b"b", b"c")
    keys.watched_keys |= {b"a", b"none"}
    seen = keys.visible_states(((ANY_TYPE, FLUSH, b""),))
    assert seen == {
        b"a": ((ANY_TYPE, DELETE, b"a"), keys.visible_state((ANY_TYPE, DELETE, b"a"))),
        b"none": ((ANY_TYPE, DELETE, b"none"), None),
    }


def test_held_keys_are_all_that_hold_something() -> None:
    keys = table(b"a", b"b", b"c", b"d", b"e")
    keys.deadlines.put(b"a", (1, 1000))
    keys.expiry_clock = 1001
    assert keys.held_keys() == [b"a", b"b", b"c", b"d", b"e"]
    assert keys.held(b"a") is not None
    assert keys.held(b"z") is None
    assert keys.sample_ends(2) == [b"a", b"b", b"e", b"d"]
    assert keys.sample_ends(3) == keys.held_keys()


def test_live_parts_are_those_of_all_types() -> None:
    here, there = Replica(1), Replica(2)
    here.set("k").add("a")
    there.list("k").append("b")
    there.string("s").set("v")
    here.merge(there.snapshot())
    keys = here.keyspace
    assert [part.code() for part in keys.live_parts(b"k")] == [2, 5]
    assert [part.code() for part in keys.live_parts(b"s")] == [1]
    assert keys.live_parts(b"z") == []
    assert keys.is_contested(b"k")
    assert not keys.is_contested(b"s")
    assert not keys.is_contested(b"z")


def test_tombstone_of_another_type_makes_no_key_contested() -> None:
    here = Replica(1)
    here.counter("k").increment(5)
    here.counter("k").delete()
    here.set("k").add("a")
    assert [part.code() for part in here.keyspace.live_parts(b"k")] == [2]
    assert not here.keyspace.is_contested(b"k")


def test_entries_of_a_key_are_its_value_and_its_deadlines() -> None:
    keys = table(b"a", b"b")
    keys.deadlines.put(b"a", (1, 1000, 2, FOREVER))
    (size, held), (more, deadlines) = keys.memory_entries(b"a")
    assert size > 0 < more
    assert held is keys.held(b"a")
    assert deadlines == (1, 1000, 2, FOREVER)
    assert len(keys.memory_entries(b"b")) == 1
    assert keys.deadline_siblings(b"a") == [(1, 1000), (2, FOREVER)]
    assert keys.deadline_siblings(b"b") == []
    plain = keys.held(b"b")
    assert isinstance(plain, Register)
    plain.no_expiry = True
    assert keys.deadline_siblings(b"b") == [(plain.dot, FOREVER)]
    plain.no_expiry = False
    keys.deadlines.put(b"b", (3, 5000))
    assert keys.deadline_count() == keys.count_deadlines() == 1
    keys.expiry_clock = 2000
    assert keys.time_left(10) == 3000


def test_keys_are_watched_until_they_are_not() -> None:
    keys = table()
    keys.watch(b"a")
    keys.watch(b"b")
    keys.unwatch(b"a")
    keys.unwatch(b"c")
    assert keys.watched() == {b"b"}


def test_uses_are_marked_and_lookups_counted() -> None:
    keys = table(b"a")
    keys.mark_uses(7)
    value = keys.read(b"a")
    assert value is not None
    assert value.accessed == 7
    keys.mark_uses(8)
    keys.set_marking(False)
    assert keys.read(b"a") is value
    assert value.accessed == 7
    assert keys.read(b"z") is None
    assert (keys.hits, keys.misses) == (2, 1)
    keys.reset_lookup_counts()
    assert (keys.hits, keys.misses) == (0, 0)
    keys.expiry_clock = 5
    keys.restart_expiry()
    assert keys.expiry_clock == 0
