"""The keyspace: changes, time to live, and change notifications."""

from __future__ import annotations

import random
from typing import Any

import pytest

from crdt import DotReused, Replica
from crdt.causality.dots import SEQ_MAX, make_dot, make_origin
from crdt.causality.effect import ANY_TYPE, DELETE, LARGE_BYTES
from crdt.causality.op import Op
from crdt.causality.schema import KEY_BITS, STAMP_MAX
from crdt.store.keyspace import CLOCK_SLACK_MS, Keyspace
from crdt.writes import set as sets
from crdt.writes import string as strings
from tests.crdt.exchange import exchange, regions

K = b"k"


def keyspace(now: int = 1000) -> Keyspace:
    replica = Replica(1)
    replica.advance(now)
    return replica.keyspace


def test_every_effect_gets_next_dot() -> None:
    """Rule ORD-1."""
    db = keyspace()
    strings.assign(db, K, b"a")
    strings.assign(db, b"l", b"b")
    assert db.vector == {db.origin: 2}
    op = db.seal()
    assert op is not None
    assert (op.first, op.last, op.deps) == (1, 2, {})
    assert db.seal() is None


def test_when_all_dots_are_used_nothing_is_written() -> None:
    db = keyspace()
    db.seq = SEQ_MAX
    with pytest.raises(DotReused):
        strings.assign(db, K, b"a")
    assert not db.outbox
    assert db.lookup(K) is None


def test_expired_key_stays_hidden_when_clock_goes_back_little() -> None:
    db = keyspace(1000)
    strings.assign(db, K, b"a")
    db.expire(K, 1500)
    db.advance(2000)
    db.advance(2000 - CLOCK_SLACK_MS)
    assert (db.now, db.expiry_clock) == (2000 - CLOCK_SLACK_MS, 2000)
    assert db.lookup(K) is None
    assert db.keys() == []
    assert db.size() == 1


def test_expiry_follows_clock_that_goes_back_far() -> None:
    db = keyspace(1000)
    strings.assign(db, K, b"a")
    db.expire(K, 60_000)
    db.advance(7_200_000)
    assert db.lookup(K) is None
    db.advance(1000)
    assert (db.now, db.expiry_clock) == (1000, 1000)
    assert db.lookup(K) is not None


def test_stamps_count_from_time_of_first_effect() -> None:
    db = keyspace(1000)
    strings.assign(db, K, b"a")
    db.advance(1050)
    strings.assign(db, b"l", b"b")
    op = db.seal()
    assert op is not None
    assert op.base == 1000
    assert [effect[3] for effect in op.effects] == [0, 50]
    assert db.base == 1050


STAMPED: list[tuple[Any, ...]] = [
    (1, 0, K, STAMP_MAX, b"x"),
    (3, 0, K, STAMP_MAX, b"f", b"x"),
    (4, 0, K, STAMP_MAX, b"m", 5),
    (5, 17, K, STAMP_MAX, (0, make_dot(make_origin(2), 0), 1 << KEY_BITS), b"x"),
]


@pytest.mark.parametrize(
    "effect", STAMPED, ids=lambda effect: f"type {effect[0]}, operation {effect[1]}"
)
def test_greatest_stamp_can_still_be_exceeded_once(
    effect: tuple[Any, ...],
) -> None:
    """Rule ORD-7: a wrong clock in one region must not block writes of others."""
    here, there = Replica(1), Replica(3)
    for replica in (here, there):
        if effect[0] == 5:
            replica.accept(Op(make_origin(2), 1, 0, {}, ((5, 16, K, (), 0, 1, b"old"), effect)))
        else:
            replica.accept(Op(make_origin(2), 1, STAMP_MAX, {}, (effect,)))
    here.advance(1000)
    match effect[0]:
        case 1:
            here.string(K).set("ours")
        case 3:
            here.hash(K)["f"] = "ours"
        case 4:
            here.sorted_set(K)["m"] = 7
        case _:
            here.list(K)[0] = "ours"
    exchange(here, there)
    assert there.digest() == here.digest()
    assert there.keyspace.data[K].visible() in (b"ours", [(b"f", b"ours")], [(b"m", 7)], [b"ours"])


def test_write_to_what_has_expired_removes_it_first() -> None:
    """Rule EXP-6."""
    db = keyspace(1000)
    strings.increment(db, K, 5)
    db.expire(K, 1500)
    db.advance(2000)
    assert db.lookup_for_write(K) is None
    assert strings.increment(db, K, 1) == 1
    assert db.deadline(K) is None
    assert [effect[:2] for effect in db.outbox] == [(1, 2), (0, 1), (0, 0), (1, 2)]
    assert db.expired == 1


def test_deadline_that_outlived_its_key_is_cleared_first() -> None:
    here, there = regions(2)
    here.set("k").add("a")
    exchange(here, there)
    here.set("k").delete()
    there.set("k").expire_at(9000)
    exchange(here, there)
    assert here.keyspace.deadlines.table[K]
    here.set("k").add("b")
    assert here.keyspace.deadline(K) is None
    exchange(here, there)
    assert there.keyspace.deadline(K) is None
    assert set(there.set("k")) == {"b"}


def test_delete_returns_whether_key_was_visible() -> None:
    db = keyspace(1000)
    assert not db.delete(K)
    assert db.seq == 0
    strings.assign(db, K, b"a")
    assert db.delete(K)
    strings.assign(db, K, b"a")
    db.expire(K, 1001)
    db.advance(2000)
    assert not db.delete(K)
    assert db.size() == 0


def test_watched_key_is_reported() -> None:
    here, there = regions(2)
    here.keyspace.watched_keys |= {K, b"gone"}
    here.set("k").add("a")
    here.set("other").add("a")
    there.set("k").add("b")
    exchange(here, there)
    assert here.keyspace.dirty_keys == [K, K]


@pytest.mark.parametrize("key", [b"", K])
def test_flush_changes_watched_key_only_if_readers_saw_it(key: bytes) -> None:
    """The effect of FLUSHALL has the empty key, which is a key like any other."""
    here = regions(1)[0]
    here.keyspace.watch(key)
    here.set("other").add("a")
    here.keyspace.flush()
    assert here.keyspace.drain_changes() == []
    here.set(key).add("a")
    here.keyspace.drain_changes()
    here.keyspace.flush()
    assert here.keyspace.drain_changes() == [key]


def test_keys_are_walked_and_sampled() -> None:
    db = keyspace()
    assert db.random_key(random.Random(1)) is None
    for index in range(30):
        strings.assign(db, b"%d" % index, b"x")
    cursor, found = db.scan(0, 7)
    strings.assign(db, b"new", b"x")
    while cursor:
        cursor, more = db.scan(cursor, 7)
        found += more
    assert set(found) >= {b"%d" % index for index in range(30)}
    assert db.random_key(random.Random(1)) in db.held_keys()
    for index in range(30):
        db.expire(b"%d" % index, 1)
    assert db.keys() == [b"new"]
    assert db.random_key(random.Random(1)) == b"new"
    assert b"5" not in db.scan(0, 100)[1]


def test_random_key_is_found_among_many_that_have_expired() -> None:
    db = keyspace()
    for index in range(2000):
        strings.assign(db, b"%d" % index, b"x")
        db.expire(b"%d" % index, 1)
    strings.assign(db, b"alive", b"x")
    assert db.random_key(random.Random(3)) == b"alive"
    db.expire(b"alive", 1)
    assert db.random_key(random.Random(3)) is None


def test_new_name_counts_from_where_it_was() -> None:
    here, there = regions(2)
    here.set("k").add("a")
    there.set("k").add("b")
    exchange(here, there)
    db = here.keyspace
    db.adopt_origin(make_origin(1, 1))
    here.set("k").add("c")
    op = db.seal()
    assert op is not None
    assert op.first == 1
    assert op.deps == {make_origin(1): 1, make_origin(2): 1}
    assert db.vector[make_origin(1, 1)] == 1


def test_all_can_be_lost_but_our_count() -> None:
    replica = Replica(1)
    db = replica.keyspace
    db.watched_keys.add(K)
    strings.assign(db, K, b"a")
    db.expire(K, 1)
    replica.seal()
    snapshot = replica.snapshot()
    db.dirty_keys.clear()
    db.clear()
    assert db.dirty_keys == [K, K]
    assert db.vector == {db.origin: 2}
    assert not db.data
    assert not db.deadlines.table
    copy = Replica(2)
    copy.merge(snapshot)
    assert K in copy.keyspace.data
    empty = Replica(3).keyspace
    empty.clear()
    assert empty.vector == {}


def test_key_revived_by_clock_set_back_has_changed() -> None:
    replica = Replica(1)
    db = replica.keyspace
    replica.advance(10_000)
    for key, deadline in (
        (K, 20_000),
        (b"early", 10_500),
        (b"unwatched", 20_000),
        (b"late", 99_000),
    ):
        strings.assign(db, key, b"a")
        db.expire(key, deadline)
    db.watched_keys |= {K, b"early", b"late", b"absent"}
    replica.advance(30_000)
    replica.advance(29_000)
    assert (db.lookup(K), db.dirty_keys) == (None, [])
    replica.advance(15_000)
    assert db.lookup(K) is not None
    assert db.dirty_keys == [K]


def test_change_of_watched_key_can_be_noted_without_effect() -> None:
    db = keyspace()
    db.note_change(b"other")
    db.watched_keys.add(b"k")
    db.note_change(b"k")
    assert db.dirty_keys == [b"k"]


def test_local_deletion_touches_watched_key_that_readers_saw() -> None:
    replica = Replica(1)
    replica.advance(1000)
    db = replica.keyspace
    db.watched_keys.add(K)
    replica.set("k").add("a")
    assert db.dirty_keys == [K]
    db.dirty_keys.clear()
    replica.set("k").add("a")
    assert db.dirty_keys == [], "the member was there already"
    db.emit((ANY_TYPE, DELETE, K, ()))
    assert db.dirty_keys == [K]
    db.dirty_keys.clear()
    db.emit((ANY_TYPE, DELETE, K, ()))
    assert db.dirty_keys == [], "there was nothing to delete"


def test_changes_are_taken_once() -> None:
    db = keyspace()
    db.watch(K)
    assert not db.has_changes()
    strings.assign(db, K, b"a")
    strings.assign(db, K, b"b")
    assert db.has_changes()
    assert db.drain_changes() == [K]
    assert db.drain_changes() == []


def test_what_is_pending_is_counted() -> None:
    db = keyspace()
    assert (db.pending_count(), db.pending_bytes()) == (0, 0)
    strings.assign(db, K, bytes(100_000))
    sets.add(db, b"s", [b"a"])
    assert (db.pending_count(), db.pending_bytes()) == (2, 100_000)
    assert [effect[2] for effect in db.pending_effects()] == [K, b"s"]


def test_large_string_that_ends_expiry_does_not_replace_one_that_keeps_it() -> None:
    db, value = keyspace(), bytes(LARGE_BYTES + 1)
    strings.assign(db, K, value)
    db.expire(K, 2000)
    db.seal()
    strings.assign(db, K, value, True)
    assert db.deadline(K) == 2000
    strings.assign(db, K, value)
    assert (db.pending_count(), db.deadline(K)) == (2, None)
    strings.assign(db, K, value, True)
    assert (db.pending_count(), db.deadline(K)) == (2, None)


class Seeing:
    """A reader that records its notifications."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def before_change(self, key: bytes) -> None:
        """Record the key."""
        self.seen.append(key)

    def before_flush(self, key: bytes) -> None:
        self.before_change(key)


def test_readers_know_of_changes_until_they_are_removed() -> None:
    db, one, two = keyspace(), Seeing(), Seeing()
    db.add_reader(one)
    db.add_reader(two)
    sets.add(db, K, [b"a"])
    db.remove_reader(one)
    sets.add(db, K, [b"b"])
    assert db.reader_count() == 1
    assert (one.seen, two.seen) == ([K], [K, K])
