"""Values behind one interface: the suite of the types also runs over a store of bytes."""

from __future__ import annotations

import random

import pytest

from crdt import Replica
from crdt.causality.dots import make_origin
from crdt.causality.effect import LARGE_BYTES
from crdt.store.keyspace import Keyspace
from crdt.store.values import MemoryStore, ValueStore
from crdt.testing import SUBJECTS, World
from crdt.testing.worlds.steps import draw
from crdt.types.hash import HASH
from crdt.types.registry import BUILT_IN
from crdt.types.set import Set
from crdt.types.string import String
from crdt.writes import hash as hashes
from crdt.writes import string as strings
from tests.crdt.store.serialising import SerialisingStore, serialised

INTERPRETED = pytest.mark.interpreted("the store derives from a compiled class")


def test_a_store_keeps_keys_in_order_and_values() -> None:
    store = MemoryStore()
    one, two = Set(), Set()
    store.put(b"b", one)
    store.put(b"a", two)
    store.put(b"b", two)
    assert list(store) == [b"b", b"a"]
    assert len(store) == 2
    assert b"a" in store
    assert store.get(b"b") is store[b"b"] is two
    store.drop(b"b")
    store.drop(b"b")
    assert store.get(b"b") is None
    with pytest.raises(KeyError):
        store[b"b"]
    store.clear()
    assert not len(store)


def test_store_must_declare_copying() -> None:
    store = ValueStore()
    with pytest.raises(NotImplementedError):
        store.get(b"k")
    with pytest.raises(NotImplementedError):
        store.put(b"k", Set())


@INTERPRETED
def test_replaced_large_string_is_put_back_beside_tombstone() -> None:
    db = Keyspace(make_origin(1), BUILT_IN, SerialisingStore)
    hashes.increment(db, b"k", b"field", 1)
    db.delete(b"k")
    for digit in (b"1", b"2"):
        strings.assign(db, b"k", b"x" * LARGE_BYTES + digit, True)
        strings.mark(db, b"k", is_raw=True)
    value = db.lookup(b"k")
    assert isinstance(value, String)
    assert value.read() == b"x" * LARGE_BYTES + b"2"
    assert db.pending_count() == 3
    assert db.remains(b"k", HASH) is not None


@INTERPRETED
def test_a_change_that_is_not_put_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    with serialised(monkeypatch):
        replica = Replica(1)
    replica.set("k").add("a")
    value = replica.keyspace.data[b"k"]
    assert isinstance(replica.keyspace.data, SerialisingStore)
    assert isinstance(value, Set)
    value.members.clear()
    assert replica.set("k") == {"a"}
    replica.keyspace.data.put(b"k", value)
    assert replica.set("k") == set()


@INTERPRETED
@pytest.mark.parametrize("name", SUBJECTS)
def test_types_work_over_a_store_of_bytes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serialised(monkeypatch):
        for number in range(10):
            World(SUBJECTS[name]).run_on(draw(random.Random(number), 80))


@INTERPRETED
@pytest.mark.parametrize("name", ["contest", "keyspace", "expiry"])
def test_both_stores_give_equal_bytes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = World(SUBJECTS[name])
    steps = draw(random.Random(7), 200)
    plain.run_on(steps)
    with serialised(monkeypatch):
        other = World(SUBJECTS[name])
        other.run_on(steps)
    for mine, theirs in zip(plain.sites, other.sites, strict=True):
        assert mine.replica.to_bytes() == theirs.replica.to_bytes()
