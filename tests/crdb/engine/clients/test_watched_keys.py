"""Keys that somebody wants to hear about."""

from __future__ import annotations

from crdb.engine.clients.watched_keys import WatchedKeys


def test_key_leaves_with_its_last_holder() -> None:
    keys: set[bytes] = set()
    interest = WatchedKeys(keys)
    interest.hold(b"a")
    interest.hold(b"a")
    interest.hold(b"b")
    assert keys == {b"a", b"b"}
    interest.release(b"a")
    interest.release(b"b")
    assert keys == {b"a"}
    interest.release(b"a")
    assert keys == set()
    assert interest.counts == {}
