"""The record of keys that expire."""

from __future__ import annotations

from crdt.causality.schema import FOREVER
from crdt.embed.replica import Replica
from crdt.types.components.expiry_record import ExpiryRecord

NOW = 1000


def never(_key: bytes) -> int:
    """Return the deadline of a key without one."""
    return FOREVER


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def read(self) -> int:
        return self.now


def test_keys_are_returned_once_in_order_of_deadlines() -> None:
    clock = Clock()
    record = ExpiryRecord(clock.read, never)
    for key, deadline in ((b"b", 1020), (b"a", 1010), (b"c", 1030), (b"a", 1005)):
        record.add(key, deadline)
    assert record.take(9) == []
    clock.now = 1025
    assert record.take(1) == [b"a"]
    assert record.take(9) == [b"b"]
    assert record.take(9) == []
    assert list(record.current) == [b"c"]


def test_deadline_that_changes_in_time_counts() -> None:
    clock = Clock()
    record = ExpiryRecord(clock.read, never)
    for key in (b"a", b"b", b"c"):
        record.add(key, 1010)
    record.add(b"a", 2000)
    record.add(b"b", FOREVER)
    record.remove(b"c")
    clock.now = 1500
    assert record.take(9) == []


def test_key_that_is_removed_after_its_time_is_returned() -> None:
    clock = Clock()
    record = ExpiryRecord(clock.read, never)
    record.add(b"a", 1010)
    clock.now = 1500
    record.remove(b"a")
    record.clear()
    record.remove(b"unknown")
    assert record.take(9) == [b"a"]


def test_deadline_in_the_past_counts_for_nothing() -> None:
    record = ExpiryRecord(Clock().read, never)
    record.add(b"a", 1010)
    record.add(b"a", 990)
    record.add(b"b", 990)
    assert not record.current


def test_known_deadlines_are_taken_over_in_slices() -> None:
    clock = Clock()
    deadlines = {b"k%d" % n: 1010 for n in range(4999)}
    known = [(1010, b"k%d" % n) for n in range(5000)]
    record = ExpiryRecord(clock.read, lambda key: deadlines.get(key, 2000), known)
    clock.now = NOW + 5
    calls = 0
    while record.others:
        record.take(9)
        calls += 1
    assert calls == 3
    clock.now = 1500
    assert len(record.take(9999)) == 4999


def test_replica_records_what_expires() -> None:
    replica = Replica(1)
    db = replica.keyspace
    replica.advance(NOW)
    replica.string("before").set("x")
    db.expire(b"before", 1010)
    assert not db.records_expiry()
    assert db.take_expired(9) == []
    db.record_expiry(True)
    for key in (b"a", b"b", b"c"):
        replica.string(key.decode()).set("x")
        db.expire(key, 1020)
    db.expire(b"b", None)
    replica.string("c").set("y")
    replica.advance(1100)
    assert db.take_expired(9) == [b"before", b"a"]
    db.flush()
    assert db.records_expiry()
    db.record_expiry(False)
    assert not db.records_expiry()


def test_flushed_keys_do_not_expire() -> None:
    replica = Replica(1)
    db = replica.keyspace
    replica.advance(NOW)
    db.record_expiry(True)
    replica.string("a").set("x")
    db.expire(b"a", 1010)
    db.flush()
    replica.advance(1100)
    assert db.take_expired(9) == []


def test_merged_deadlines_are_recorded() -> None:
    here, there = Replica(1), Replica(2)
    for each in (here, there):
        each.advance(NOW)
    here.keyspace.record_expiry(True)
    there.string("a").set("x")
    there.keyspace.expire(b"a", 1010)
    here.merge(there.snapshot())
    here.advance(1100)
    assert here.keyspace.take_expired(9) == [b"a"]
