"""The stored uses of keys, whatever they hold."""

from __future__ import annotations

from crdt.embed.replica import Replica
from crdt.store.uses import read_use, settled_keys_from, store_use


def test_use_is_stored_for_all_kinds_of_values() -> None:
    replica, other = Replica(1), Replica(2)
    replica.string("short").set(b"a")
    replica.string("long").set(b"a" * 1000)
    replica.counter("n").add(3)
    replica.set("s").add("a")
    replica.string("both").set(b"a")
    other.set("both").add("a")
    replica.apply(other.changes_for(replica.vector))
    db = replica.keyspace
    for word, key in enumerate((b"short", b"long", b"n", b"s", b"both"), 1000):
        store_use(db, key, word)
        assert read_use(db, key) == word
    store_use(db, b"missing", 5)
    assert read_use(db, b"missing") is None
    value = db.lookup(b"short")
    assert value is not None
    assert value.text() == b"a"


def test_counted_uses_replace_time() -> None:
    replica = Replica(1)
    replica.string("k").set(b"a")
    replica.set("s").add("a")
    db = replica.keyspace
    db.mark_uses(77)
    db.count_uses(lambda word: word + 1)
    for key in (b"k", b"s"):
        store_use(db, key, 5)
        db.read(key)
        assert read_use(db, key) == 6
    db.count_uses(None)
    for key in (b"k", b"s"):
        db.read(key)
        assert read_use(db, key) == 77


def test_keys_that_expire_are_listed_apart() -> None:
    replica = Replica(1)
    replica.string("k").set(b"a")
    replica.string("t").set(b"a")
    replica.keyspace.expire(b"t", 1000)
    assert settled_keys_from(replica.keyspace, 0, timed=True) == (0, [b"t"])
    assert settled_keys_from(replica.keyspace, 0, timed=False) == (0, [b"k", b"t"])
