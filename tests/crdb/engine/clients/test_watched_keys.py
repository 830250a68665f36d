"""Watched keys."""

from __future__ import annotations

from crdb.engine.clients.watched_keys import WatchedKeys
from crdt import Replica


def test_key_leaves_with_its_last_holder() -> None:
    db = Replica(1).keyspace
    interest = WatchedKeys(db)
    interest.hold(b"a")
    interest.hold(b"a")
    interest.hold(b"b")
    assert db.watched() == {b"a", b"b"}
    interest.release(b"a")
    interest.release(b"b")
    assert db.watched() == {b"a"}
    interest.release(b"a")
    assert db.watched() == set()
    assert interest.counts == {}
