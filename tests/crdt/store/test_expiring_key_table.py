"""Keys and fields of hashes that expire, in a keyspace."""

from __future__ import annotations

from crdt.causality.dots import make_origin
from crdt.store.keyspace import Keyspace
from crdt.types.hash import Hash
from crdt.types.registry import BUILT_IN
from crdt.writes import hash as hashes
from crdt.writes import set as sets

NOW = 1_000


def keyspace() -> Keyspace:
    """Return a keyspace whose hash `k` has a field that expires at NOW + 10, and one that does
    not."""
    db = Keyspace(make_origin(1), BUILT_IN)
    db.advance(NOW)
    hashes.assign(db, b"k", [b"brief", b"1", b"lasting", b"2"])
    hashes.expire(db, b"k", [b"brief"], NOW + 10)
    return db


def fields(db: Keyspace) -> list[bytes]:
    """Return the visible fields of `k`."""
    value = db.lookup(b"k")
    assert isinstance(value, Hash)
    return sorted(value.names())


def test_field_is_hidden_when_its_time_has_passed() -> None:
    db = keyspace()
    db.move_expiry(NOW + 10)
    assert fields(db) == [b"brief", b"lasting"]
    db.move_expiry(NOW + 11)
    assert fields(db) == [b"lasting"]


def test_field_is_visible_again_when_the_clock_is_set_back() -> None:
    db = keyspace()
    db.move_expiry(NOW + 11)
    db.move_expiry(NOW)
    assert fields(db) == [b"brief", b"lasting"]


def test_nothing_is_hidden_while_a_command_works_in_slices() -> None:
    db = keyspace()
    db.keep_parts(True)
    db.expiry_clock = NOW + 11
    db.move_parts()
    assert fields(db) == [b"brief", b"lasting"]
    db.keep_parts(False)
    db.move_parts()
    assert fields(db) == [b"lasting"]


def test_hidden_fields_are_removed_once_all_clocks_have_passed() -> None:
    db = keyspace()
    db.move_expiry(NOW + 11)
    assert db.removals_of_parts(NOW + 10, 100) == []
    (removal,) = db.removals_of_parts(NOW + 11, 100)
    assert b"brief" in removal
    assert b"lasting" not in removal


def test_keys_that_expire_are_recorded_while_asked_for() -> None:
    db = keyspace()
    sets.add(db, b"early", [b"m"])
    db.expire(b"early", NOW + 5)
    db.record_expiry(True)
    assert db.records_expiry()
    sets.add(db, b"late", [b"m"])
    db.expire(b"late", NOW + 7)
    db.move_expiry(NOW + 6)
    assert db.take_expired(9) == [b"early"]
    db.move_expiry(NOW + 8)
    assert db.take_expired(9) == [b"late"]
    db.record_expiry(False)
    assert not db.records_expiry()
    assert db.take_expired(9) == []
