"""Examining a replica leaves everything that waits as it was."""

from __future__ import annotations

from crdt import Replica
from crdt.testing.peeking import Peek
from tests.crdt.exchange import exchange, regions


def lazy_regions() -> tuple[Replica, Replica]:
    """Return two regions with common keys, contested ones too, the first of which is lazy."""
    here, there = regions(2)
    here.set("both").add("a")
    here.string("gone").set("a")
    here.counter("dead").increment(1)
    here.counter("dead").delete()
    here.set("both").expire_at(5000)
    exchange(here, there)
    here.work_in_slices(1)
    here.string("contested").set("a")
    there.set("contested").add("b")
    there.string("gone").delete()
    there.set("both").add("b")
    there.list("theirs").append("c")
    return here, there


def test_peek_shows_settled_state_and_settles_nothing() -> None:
    here, there = lazy_regions()
    here.merge(there.snapshot())
    with Peek(here.keyspace):
        assert here.keyspace.size() == 3
        seen = here.digest()
        assert here.is_settled()
    assert not here.is_settled()
    assert len(here.keyspace.data) == len(here.keyspace.garbage) == 0
    assert here.string("contested").get() == "a"
    while here.work():
        with Peek(here.keyspace):
            assert here.digest() == seen
    there.merge(here.snapshot())
    assert there.digest() == here.digest() == seen


def test_peek_copies_a_flush() -> None:
    here, there = lazy_regions()
    there.keyspace.flush()
    exchange(there, here)
    assert not here.is_settled()
    with Peek(here.keyspace):
        assert here.keyspace.keys() == [b"contested"]
    assert not here.is_settled()
    assert here.keyspace.keys() == [b"contested"]


def test_peek_at_settled_replica_does_nothing() -> None:
    here, _ = lazy_regions()
    with Peek(here.keyspace):
        assert here.keyspace.size() == 3
    assert here.is_settled()
