"""Visits to all keys of one moment, while writes go on."""

from __future__ import annotations

import random

import pytest

from crdt import Replica
from crdt.store import key_table
from crdt.store.keyspace import Keyspace
from crdt.store.walk import KeyWalk
from crdt.structures.table import Table
from tests.crdt.exchange import regions

pytestmark = pytest.mark.interpreted("the walk of these tests inherits from a compiled class")


class Listing(KeyWalk):
    """A walk that notes the live keys."""

    def __init__(self, db: Keyspace) -> None:
        super().__init__(db)
        self.keys: dict[bytes, object] = {}

    def visit(self, key: bytes) -> None:
        assert key not in self.keys
        value = self.db.data.get(key)
        if value is not None:
            self.keys[key] = value.visible()

    def step(self, count: int) -> bool:
        """Visit at most `count` keys. Return whether more are left."""
        return all(self.visit_next() for _ in range(count))


def filled(size: int) -> Replica:
    """Return a replica of `size` keys in a table of many parts. Some keys expire."""
    replica = Replica(1)
    replica.keyspace.advance(1000)
    replica.keyspace.data.index = Table(4)
    for number in range(size):
        replica.set(f"k{number}").add("a")
        if number % 5 == 0:
            replica.set(f"k{number}").expire_at(2000 + number)
    return replica


def change(replica: Replica, rng: random.Random, number: int) -> None:
    """Write to a key, new or not, delete one, or let one expire later."""
    key = f"k{rng.randrange(120)}"
    kind = rng.randrange(5)
    if kind == 0:
        replica.set(key).delete()
    elif kind == 1:
        replica.set(f"new{number}").add("x")
    elif kind == 2 and replica.set(key):
        replica.set(key).expire_at(9000)
    else:
        replica.set(key).add(f"b{number}")


@pytest.mark.parametrize("size", [0, 3, 100])
@pytest.mark.parametrize("seed", range(3))
def test_walk_sees_one_moment(size: int, seed: int) -> None:
    replica, rng = filled(size), random.Random(seed)
    db = replica.keyspace
    expected = {key: db.data[key].visible() for key in db.held_keys()}
    listing = Listing(db)
    for number in range(10_000):
        change(replica, rng, number)
        if number == 20:
            replica.keyspace.advance(2050)
        if not listing.step(1):
            break
    assert listing.keys == expected
    assert db.reader_count() == 0


def test_changes_before_first_step_are_not_seen() -> None:
    replica = filled(10)
    listing = Listing(replica.keyspace)
    replica.set("k3").delete()
    replica.set("new").add("a")
    replica.set("new").delete()
    while listing.step(3):
        pass
    assert sorted(listing.keys) == [b"k%d" % number for number in range(10)]


def test_closed_walk_is_no_reader() -> None:
    replica = filled(30)
    listing = Listing(replica.keyspace)
    assert listing.step(3)
    assert replica.keyspace.reader_count() == 1
    listing.close()
    assert replica.keyspace.reader_count() == 0
    assert not listing.step(3)
    assert len(listing.keys) == 3


def two_regions(size: int) -> tuple[Replica, Replica]:
    """Return regions of the same keys. The table of the second one has many parts."""
    here, there = regions(2)
    for number in range(size):
        here.set(f"{number}").add("a")
    there.keyspace.data.index = Table(2)
    there.merge(here.snapshot())
    there.work_in_slices(2)
    return here, there


def test_keys_that_wait_for_a_flush_are_listed() -> None:
    _, there = two_regions(20)
    listing = Listing(there.keyspace)
    assert listing.step(2)
    there.keyspace.flush()
    assert not there.is_settled()
    there.set("5").add("b")
    while listing.step(1):
        pass
    assert sorted(listing.keys) == sorted(b"%d" % number for number in range(20))
    assert there.keyspace.keys() == [b"5"]


def test_keys_that_wait_for_a_merge_are_listed() -> None:
    here, there = two_regions(20)
    here.counter("tombstone").increment(1)
    here.counter("tombstone").delete()
    there.merge(here.snapshot())
    assert not there.is_settled()
    listing = Listing(there.keyspace)
    assert there.is_settled()
    here.set("new").add("a")
    assert listing.step(2)
    there.merge(here.snapshot())
    assert not there.is_settled()
    while listing.step(1):
        pass
    assert sorted(listing.keys) == sorted(b"%d" % number for number in range(20))
    assert there.keyspace.size() == 21


def test_keys_that_an_empty_replica_adopts_are_not_listed() -> None:
    here, there = regions(2)
    there.work_in_slices(2)
    here.set("s").add("a")
    listing = Listing(there.keyspace)
    there.merge(here.snapshot())
    assert not there.is_settled()
    assert not listing.step(9)
    assert listing.keys == {}
    assert there.keyspace.keys() == [b"s"]


def test_walk_without_purpose_is_refused() -> None:
    replica = filled(1)
    with pytest.raises(NotImplementedError):
        KeyWalk(replica.keyspace).visit_next()


def test_snapshot_may_lack_garbage_that_was_collected() -> None:
    replica = Replica(1)
    replica.counter("c").increment(1)
    replica.counter("c").delete()
    replica.set("s").add("a")
    replica.seal()
    assert replica.keyspace.remembered_keys()[1] == [b"c"]
    snapshot = replica.snapshot()
    replica.garbage.collect(dict(replica.keyspace.vector), 0, leads=True)
    assert replica.keyspace.remembered_keys()[1] == []
    other = Replica(2)
    other.merge(snapshot)
    assert other.keyspace.remembered_keys()[1] == []
    assert other.keyspace.keys() == [b"s"]


def test_reader_protocol_is_met() -> None:
    reader: key_table.Reader = Listing(filled(0).keyspace)
    reader.before_change(b"x")
