"""Examining a replica leaves everything that waits as it was."""

from __future__ import annotations

from crdt import Replica
from crdt.testing.peeking import Peek, keys_that_may_exist
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


def test_peek_copies_only_keys_that_wait_and_are_touched() -> None:
    here, there = lazy_regions()
    here.merge(there.snapshot())
    begun = here.keyspace.steps_begun()
    unsettled = here.keyspace.unsettled
    with Peek(here.keyspace) as peek:
        assert here.keyspace.steps_begun() == begun
        assert here.keyspace.live_parts(b"unknown") == []
        assert not peek.touched
        assert len(here.keyspace.live_parts(b"both")) == 1
        assert list(peek.touched) == [b"both"]
        assert here.keyspace.steps_begun() == begun
    assert here.keyspace.unsettled is unsettled
    assert not here.is_settled()


def test_peek_in_slices_settles_nothing() -> None:
    here, there = lazy_regions()
    here.merge(there.snapshot())
    with Peek(here.keyspace):
        while here.work():
            pass
        assert here.is_settled()
        with Peek(here.keyspace):
            assert here.keyspace.size() == 3
    assert not here.is_settled()
    assert len(here.keyspace.data) == 0


def test_peek_in_peek_uses_the_copies_of_the_outer_one() -> None:
    here, there = lazy_regions()
    here.merge(there.snapshot())
    with Peek(here.keyspace) as outer:
        with Peek(here.keyspace) as inner:
            assert len(here.keyspace.live_parts(b"both")) == 1
        assert (list(outer.touched), inner.touched) == ([b"both"], {})
        assert len(here.keyspace.live_parts(b"both")) == 1
        assert here.string("contested").get() == "a"
        assert not here.is_settled()
    assert not here.is_settled()


def test_keys_that_wait_are_listed_without_being_settled() -> None:
    here, there = lazy_regions()
    here.merge(there.snapshot())
    here.set("new").add("a")
    keys = keys_that_may_exist(here.keyspace)
    assert keys.keys() == {b"new", b"both", b"contested", b"dead", b"gone", b"theirs"}
    assert not here.is_settled()
    assert keys.keys() >= {*here.keyspace.held_keys()}
    assert keys_that_may_exist(here.keyspace).keys() == {*here.keyspace.held_keys()}
