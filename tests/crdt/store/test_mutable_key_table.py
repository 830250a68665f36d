"""The result of effects on keys: deadlines, tombstones, and several types under one key."""

from __future__ import annotations

import random

from crdt import Replica
from crdt.causality.dots import make_dot, make_origin
from crdt.causality.effect import ANY_TYPE, DELETE
from crdt.causality.op import Op
from crdt.causality.schema import FOREVER
from crdt.store.keyspace import Keyspace
from crdt.types.components.register import Register
from crdt.types.flag import DISABLE_WINS
from crdt.writes import flag
from crdt.writes import string as strings
from tests.crdt.exchange import exchange, regions

K = b"k"


def keyspace(now: int = 1000) -> Keyspace:
    replica = Replica(1)
    replica.advance(now)
    return replica.keyspace


def test_assignment_ends_deadline_by_flag() -> None:
    db = keyspace()
    strings.assign(db, K, b"a")
    value = db.data[K]
    assert isinstance(value, Register)
    assert value.no_expiry
    assert not db.deadlines.table
    db.expire(K, 5000)
    value = db.data[K]
    assert isinstance(value, Register)
    assert not value.no_expiry
    strings.assign(db, K, b"b", keep_ttl=True)
    assert db.deadline(K) == 5000
    strings.assign(db, K, b"c")
    assert db.deadline(K) is None


def test_flag_becomes_deadline_on_concurrent_change() -> None:
    here, there = regions(2)
    here.string("k").set("a")
    exchange(here, there)
    there.string("k").expire_at(5000)
    here.string("k").set("b")
    exchange(here, there)
    for replica in (here, there):
        assert replica.keyspace.deadline(K) is None
        assert FOREVER in replica.keyspace.deadlines.table[K]
    here.string("k").set("c")
    assert K not in here.keyspace.deadlines.table


def test_persist_without_deadline_is_kept() -> None:
    """The documented example of D-10 needs it."""
    here, there = regions(2)
    here.set("k").add("a")
    exchange(here, there)
    here.set("k").expire_at(None)
    there.set("k").expire_at(5000)
    exchange(here, there)
    assert here.keyspace.deadline(K) is None
    assert there.keyspace.deadline(K) is None


def test_flush_removes_what_was_observed() -> None:
    here, there = regions(2)
    here.counter("k").increment(5)
    here.set("s").add("a")
    here.set("s").expire_at(9000)
    exchange(here, there)
    here.keyspace.flush()
    there.counter("k").increment(1)
    there.set("s").add("b")
    there.keyspace.watched_keys.add(b"s")
    exchange(here, there)
    for replica in (here, there):
        assert replica.counter("k").value == 1
        assert set(replica.set("s")) == {"b"}
        assert replica.keyspace.deadline(b"s") is None
    assert b"s" in there.keyspace.dirty_keys


def test_tombstones_are_not_visible_keys() -> None:
    db = keyspace()
    strings.increment(db, K, 5)
    db.delete(K)
    assert K in db.tombstones
    assert db.remains(K, 1) is db.tombstones[K]
    assert db.remains(K, 2) is None
    assert db.remains(b"none", 1) is None
    assert db.size() == 0
    strings.increment(db, K, 1)
    assert K not in db.tombstones


def test_flag_is_compacted_only_if_equal() -> None:
    db = keyspace()
    strings.assign(db, K, b"a")
    value = db.data[K]
    assert isinstance(value, Register)
    db.materialise_deadline(K, value)
    db.data.put(K, value)
    assert db.deadlines.table[K] == (make_dot(db.origin, 1), FOREVER)
    db.compact_deadline(K)
    value = db.data[K]
    assert isinstance(value, Register)
    assert value.no_expiry
    assert not db.deadlines.table
    db.expire(K, 5000)
    db.compact_deadline(K)
    db.compact_deadline(b"none")
    assert db.deadline(K) == 5000


def test_key_revealed_by_delete_is_scanned_and_sampled() -> None:
    """A delete may remove the disable that holds a flag off, while a concurrent enable remains."""
    here, there = Replica(1), Replica(2)
    db = here.keyspace
    flag.disable(db, K, DISABLE_WINS)
    db.scan(0, 10)
    db.sampled_keys()
    flag.enable(there.keyspace, K, DISABLE_WINS)
    op = there.seal()
    assert op is not None
    here.seal()
    past = dict(db.vector)
    here.accept(op)
    assert db.held_keys() == []
    assert db.remembered_keys() == ([K], [K])
    remover = Op(make_origin(3), 1, 0, past, ((ANY_TYPE, DELETE, K, ()),))
    here.accept(remover)
    assert db.held_keys() == [K]
    assert db.scan(0, 10) == (0, [K])
    assert db.random_key(random.Random(1)) == K
    assert db.remembered_keys()[1] == []
