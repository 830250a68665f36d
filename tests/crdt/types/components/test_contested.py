"""A key with several types: the visible one, and that none is lost (D-02)."""

from __future__ import annotations

from typing import Any

import pytest

from crdt import DecodeError, Replica, WrongType
from crdt.types.components.contested import Contested, carried, carry
from crdt.types.hash import Hash
from crdt.types.registry import BUILT_IN
from crdt.types.string import String
from tests.crdt.exchange import converge, exchange, held, regions


def contest() -> tuple[Replica, Replica]:
    """Let region 1 make a hash under k, and region 2 a counter. Both know of it."""
    here, there = regions(2)
    here.hash("k")["f"] = "a"
    there.counter("k").increment(5)
    exchange(here, there)
    return here, there


def test_lower_origin_is_shown_everywhere() -> None:
    here, there = contest()
    for replica in (here, there):
        assert replica.hash("k")["f"] == "a"
        with pytest.raises(WrongType):
            replica.counter("k").increment(1)
        assert replica.keyspace.size() == 1
        assert isinstance(held(replica), Contested)


def test_of_one_origin_lower_type_is_shown() -> None:
    here, there = contest()
    third = Replica(3)
    third.merge(here.snapshot())
    contested = held(third)
    assert isinstance(contested, Contested)
    assert contested.code() == 0
    assert contested.min_dot() == contested.shown().min_dot()
    assert contested.visible() == [(b"f", b"a")]
    assert {type(value) for value in contested.values()} == {Hash, String}
    assert contested.is_live()
    assert not contested.is_empty()
    assert [value for _, value in contested.siblings()] == [(b"f", b"a")]
    there.string("k").set("x")
    exchange(there, third)
    assert third.string("k").get() == "x"


def test_unseen_value_is_shown_after_delete() -> None:
    here, there = regions(2)
    here.hash("k")["f"] = "a"
    there.set("k").add("x")
    here.hash("k").delete()
    exchange(here, there)
    assert set(here.set("k")) == set(there.set("k")) == {"x"}


def test_delete_removes_all_types_that_it_saw() -> None:
    here, there = contest()
    here.hash("k").delete()
    there.hash("k")["g"] = "b"
    exchange(here, there)
    assert dict(here.hash("k")) == {"g": "b"}
    converge(here, there)
    assert not isinstance(held(here), Contested)
    assert here.to_bytes() == there.to_bytes()


def test_all_types_may_be_dead_and_one_remembered() -> None:
    here, there = contest()
    here.hash("k").delete()
    assert b"k" in here.keyspace.tombstones
    assert here.keyspace.lookup(b"k") is None
    here.keyspace.flush()
    exchange(here, there)
    converge(here, there)
    assert not here.keyspace.tombstones


def test_contested_value_passes_effects_and_states_on() -> None:
    here, _ = contest()
    contested = held(here)
    assert isinstance(contested, Contested)
    counter: Any = contested.parts[1]
    seen = here.keyspace.local
    contested.apply((1, 2, b"k", 1, 9), there_dot(contested), seen)
    assert counter.read() == b"9"
    copy = Replica(3)
    copy.merge(here.snapshot())
    other = held(copy)
    contested.merge(other, here.keyspace.vector, copy.keyspace.vector)
    assert contested.state() == ((1, counter.state()), (3, contested.parts[3].state()))
    assert not contested.has_garbage()
    assert not contested.collect({})
    with pytest.raises(DecodeError):
        contested.load(())


def there_dot(contested: Contested) -> int:
    """Return the dot of the increment in a contest."""
    return contested.parts[1].min_dot()


def test_delete_carries_what_each_type_resets() -> None:
    here, _ = contest()
    flat = carry(held(here))
    assert flat[0] == 1
    assert carried(flat, 1) == flat[1]
    assert carried(flat, 3) is None


def test_last_value_of_contest_stands_alone() -> None:
    here, _ = contest()
    contested = held(here)
    assert isinstance(contested, Contested)
    assert contested.resolve() is contested
    del contested.parts[1]
    assert contested.resolve() is contested.parts[3]
    empty = Contested()
    first = empty.part(2, BUILT_IN.makers[2])
    assert empty.part(2, Contested) is first
    assert empty.shown() is first
    assert empty.resolve() is first
