"""Maps of registers: the effects of writes, and the states of fields until they are collected."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.causality.dots import make_dot, make_origin
from crdt.causality.observed import Observed
from crdt.embed.replica import Replica
from crdt.errors import DecodeError
from crdt.store.keyspace import Keyspace
from crdt.types.components.fields import ADD, ASSIGN, ERASE, REMOVE, RESET, Fields
from crdt.types.components.lone_write import LoneText, LoneWrite
from crdt.types.components.register import Register
from crdt.types.hash import HASH, Hash
from crdt.types.registry import BUILT_IN
from crdt.writes import fields
from crdt.writes.fields import assign_fields, remove_fields
from crdt.writes.hash import increment
from tests.crdt.exchange import converge, exchange, regions

KEY = b"h"


@pytest.fixture
def db() -> Keyspace:
    return Keyspace(make_origin(1), BUILT_IN)


def held(db: Keyspace) -> Hash:
    value = db.remains(KEY, HASH)
    assert isinstance(value, Hash)
    return value


def kinds(db: Keyspace) -> list[int]:
    assert all(effect[0] == HASH for effect in db.outbox)
    return [effect[1] for effect in db.outbox]


def assign(db: Keyspace, *pairs: bytes) -> None:
    assign_fields(db, KEY, HASH, list(pairs))


def test_fields_share_one_effect(db: Keyspace) -> None:
    assign(db, b"a", b"1", b"b", b"2", b"a", b"3")
    assert db.outbox == [(HASH, ASSIGN, KEY, 0, b"a", b"3", b"b", b"2")]
    db.advance(5)
    assign(db, b"a", b"4", b"b", b"5")
    assert kinds(db) == [ASSIGN, ASSIGN]
    assert held(db).items() == [(b"a", b"4"), (b"b", b"5")]


def test_field_with_increments_gets_own_effect(db: Keyspace) -> None:
    """Rule ORD-7: a fast clock of one region affects only that region's writes."""
    db.advance(1_000)
    assign(db, b"fast", b"1", b"plain", b"1")
    increment(db, KEY, b"counted", 5)
    db.advance(900)
    assign(db, b"new", b"2")
    db.outbox.clear()
    assign(db, b"fast", b"2", b"counted", b"2", b"new", b"3", b"other", b"4")
    assert kinds(db) == [ASSIGN, RESET, ASSIGN, ASSIGN]
    assert {field: register.stamp for field, register in held(db).entries()} == {
        b"fast": 1_001,
        b"plain": 1_000,
        b"counted": 900,
        b"new": 901,
        b"other": 900,
    }
    assert held(db).get(b"counted") == b"2"


def test_fields_that_are_not_plain_share_one_effect(db: Keyspace) -> None:
    for field in (b"f", b"g"):
        increment(db, KEY, field, 5)
    db.outbox.clear()
    assign(db, b"f", b"1", b"g", b"2")
    assert kinds(db) == [RESET, RESET]


def test_one_field_resets_only_live_increments(db: Keyspace) -> None:
    """Rule CTR-9."""
    increment(db, KEY, b"f", 5)
    assign(db, b"f", b"1")
    assign(db, b"f", b"2")
    assert kinds(db) == [ADD, RESET, ASSIGN]
    assert held(db).get(b"f") == b"2"


def test_removal_carries_what_it_resets(db: Keyspace) -> None:
    """Rule HSH-5."""
    assert remove_fields(db, KEY, HASH, [b"f"]) == 0
    assign(db, b"a", b"1", b"b", b"2")
    increment(db, KEY, b"f", 5)
    db.outbox.clear()
    assert remove_fields(db, KEY, HASH, [b"f", b"a", b"never", b"f"]) == 2
    assert kinds(db) == [ERASE, REMOVE]
    increment(db, KEY, b"f", 5)
    db.outbox.clear()
    assert remove_fields(db, KEY, HASH, [b"f"]) == 1
    assert kinds(db) == [ERASE]
    assert held(db).items() == [(b"b", b"2")]


def test_removed_counter_field_is_kept_then_collected() -> None:
    """Rule MEM-2."""
    here, there = regions(2)
    here.hash("h").increment("f", 5)
    here.hash("h")["g"] = "v"
    exchange(here, there)
    del there.hash("h")["f"]
    exchange(here, there)
    for replica in (here, there):
        assert list(held(replica.keyspace).tombstones or ()) == [b"f"]
        assert fields.remains_of(replica.keyspace, KEY, HASH, b"f") is not None
        assert held(replica.keyspace).has_garbage()
    converge(here, there)
    for replica in (here, there):
        assert held(replica.keyspace).tombstones is None
        assert not held(replica.keyspace).has_garbage()
        assert fields.remains_of(replica.keyspace, KEY, HASH, b"f") is None
        assert list(replica.hash("h")) == ["g"]


def test_unstable_tombstone_is_kept(db: Keyspace) -> None:
    increment(db, KEY, b"f", 5)
    assert not held(db).collect({})
    remove_fields(db, KEY, HASH, [b"f"])
    value = held(db)
    assert value.collect({})
    assert value.has_garbage()
    assert not value.is_live()
    assert not value.is_empty()
    assert not value.collect({db.origin: 2})
    assert value.is_empty()


def test_living_field_with_dead_counter_is_swept(db: Keyspace) -> None:
    increment(db, KEY, b"f", 5)
    assign(db, b"f", b"1")
    assert held(db).collect({})
    assert not held(db).collect({db.origin: 2})
    assert type(held(db).thing(b"f")) is LoneText


def test_removed_field_is_restored_from_tombstone(db: Keyspace) -> None:
    increment(db, KEY, b"f", 5)
    remove_fields(db, KEY, HASH, [b"f"])
    assert increment(db, KEY, b"f", 2) == 2
    assert held(db).get(b"f") == b"2"
    assert not held(db).tombstones


def test_two_removals_of_one_counter_take_it_back_once() -> None:
    """Rule CTR-4."""
    here, there = Replica(1), Replica(2)
    here.hash("h").increment("f", 5)
    exchange(here, there)
    del here.hash("h")["f"], there.hash("h")["f"]
    exchange(here, there)
    assert dict(here.hash("h")) == dict(there.hash("h")) == {}
    here.hash("h").increment("f", 1)
    exchange(here, there)
    assert dict(there.hash("h")) == {"f": "1"}


def test_increment_from_before_reset_leaves_field_dead() -> None:
    """Only a peer that breaks the order sends such an effect. It must not restore the sum."""
    value = Hash()
    seen = Observed({}, 1, 1, 0)
    value.apply((HASH, ADD, KEY, b"f", 1, 5), make_dot(1, 2), seen)
    value.apply((HASH, ERASE, KEY, b"f", (1, 1, 2, 5)), make_dot(2, 1), Observed({1: 2}, 2, 1, 0))
    value.apply((HASH, ADD, KEY, b"f", 1, 3), make_dot(1, 1), seen)
    assert not value.is_live()
    assert b"f" in (value.tombstones or ())


def test_delete_resets_field_by_field(db: Keyspace) -> None:
    """Rule HSH-7."""
    assign(db, b"a", b"1")
    increment(db, KEY, b"f", 5)
    assert held(db).resets() == (b"f", (db.origin, 2, 2, 5))
    assert held(db).min_dot() == make_dot(db.origin, 1)
    db.delete(KEY)
    assert held(db).resets() is None
    assert held(db).min_dot() == 0
    assert held(db).entries() == []


@given(st.randoms(use_true_random=False))
def test_merge_gives_what_operations_give(rng: Random) -> None:
    """Rule ORD-4."""
    here, there = Replica(1), Replica(2)
    for _ in range(rng.randrange(20)):
        replica, field = rng.choice((here, there)), rng.choice("fg")
        action = rng.randrange(4)
        if action == 0:
            replica.hash("h")[field] = "7"
        elif action == 1:
            replica.hash("h").increment(field, rng.randrange(9))
        elif action == 2:
            replica.hash("h").pop(field, None)
        elif rng.random() < 0.5:
            exchange(here, there)
        else:
            replica.hash("h").delete()
    copy = Replica(3)
    copy.merge(here.snapshot())
    copy.merge(there.snapshot())
    exchange(here, there)
    assert dict(copy.hash("h")) == dict(here.hash("h")) == dict(there.hash("h"))


def test_state_is_read_back_and_invalid_one_refused(db: Keyspace) -> None:
    assign(db, b"a", b"1")
    increment(db, KEY, b"f", 5)
    increment(db, KEY, b"dead", 5)
    remove_fields(db, KEY, HASH, [b"dead"])
    copy = Hash()
    copy.load(held(db).state())
    assert copy.state() == held(db).state()
    assert copy.items() == [(b"a", b"1"), (b"f", b"5")]
    assert list(copy.tombstones or ()) == [b"dead"]
    assert copy.siblings() == [(make_dot(db.origin, 1), (b"a", b"1"))]
    for wrong in (b"", (b"a",), (1, (1, 0, b"v", 0)), (b"a", ())):
        with pytest.raises(DecodeError):
            Hash().load(wrong)


def test_walks_and_samples_know_of_later_changes(db: Keyspace) -> None:
    assign(db, b"a", b"1", b"b", b"1")
    assert held(db).scan(0, 10) == (0, [b"b", b"a"])
    assign(db, b"c", b"1")
    remove_fields(db, KEY, HASH, [b"b"])
    assert held(db).scan(0, 10) == (0, [b"c", b"a"])
    assert {held(db).pick(Random(seed)) for seed in range(20)} == {b"a", b"c"}
    increment(db, KEY, b"d", 1)
    assert set(held(db).scan(0, 10)[1]) == {b"a", b"c", b"d"}


def test_register_class_comes_from_subclass() -> None:
    with pytest.raises(NotImplementedError):
        Fields().make()


def test_later_clock_stamps_single_field(db: Keyspace) -> None:
    for now, expected in ((100, 100), (200, 200), (150, 201)):
        db.advance(now)
        assign(db, b"f", b"v")
        assert held(db).content()[b"f"].stamp == expected


def test_reset_of_field_that_was_forgotten_finds_nothing(db: Keyspace) -> None:
    increment(db, KEY, b"dead", 5)
    remove_fields(db, KEY, HASH, [b"dead"])
    value, before = held(db), held(db).state()
    value.apply((HASH, ERASE, KEY, b"other", (1, 1, 1, 5)), make_dot(2, 1), Observed({}, 2, 1, 0))
    assert value.state() == before


def test_names_are_fields_that_are_live(db: Keyspace) -> None:
    assign_fields(db, KEY, HASH, [b"f", b"1", b"g", b"2"])
    remove_fields(db, KEY, HASH, [b"g"])
    value = db.lookup(KEY)
    assert isinstance(value, Fields)
    assert (value.has(b"f"), value.has(b"g"), value.size()) == (True, False, 1)
    assert list(value.names()) == [b"f"]


def test_field_is_lone_write_while_it_holds_nothing_else(db: Keyspace) -> None:
    assign(db, b"f", b"1")
    assert type(held(db).thing(b"f")) is LoneText
    increment(db, KEY, b"f", 2)
    assert isinstance(held(db).thing(b"f"), Register)
    assert held(db).get(b"f") == b"3"


def test_concurrent_write_unfolds_field_and_later_one_folds_it() -> None:
    here, there = Replica(1), Replica(2)
    assign(here.keyspace, b"f", b"1")
    assign(there.keyspace, b"f", b"2")
    exchange(here, there)
    for replica in (here, there):
        assert isinstance(held(replica.keyspace).thing(b"f"), Register)
        assert len(held(replica.keyspace).siblings()) == 2
    assign(here.keyspace, b"f", b"3")
    exchange(here, there)
    for replica in (here, there):
        thing = held(replica.keyspace).thing(b"f")
        assert isinstance(thing, LoneWrite)
        assert thing.written() == b"3"
    assert held(here.keyspace).state() == held(there.keyspace).state()


def test_merge_copies_lone_writes() -> None:
    here, there = Replica(1), Replica(2)
    assign(here.keyspace, b"f", b"1")
    assign(there.keyspace, b"g", b"2")
    value, other = held(here.keyspace), held(there.keyspace)
    value.merge(other, here.keyspace.vector, there.keyspace.vector)
    assert value.get(b"g") == b"2"
    assert value.thing(b"g") is not other.thing(b"g")
    assert [name for name, _ in value.registers()] == []
