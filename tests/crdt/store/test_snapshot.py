"""Snapshots: consistent while writes go on, in pieces, canonical on request."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from crdt import DecodeError, Replica
from crdt.store.snapshot import columns, pack_piece, parts_of, unpack_piece
from crdt.wire import codec
from crdt.writes import string as strings
from tests.crdt.exchange import exchange, regions


def test_snapshot_is_of_its_moment() -> None:
    replica = Replica(1)
    for index in range(10):
        replica.string(f"{index}").set("before")
    replica.set("s").add("a")
    snapshot = replica.snapshot()
    snapshot.piece_keys = 3
    first = [next(snapshot) for _ in range(2)]
    for index in range(10):
        replica.string(f"{index}").set("after")
        replica.string(f"new {index}").set("after")
    replica.set("s").add("b")
    replica.keyspace.flush()
    copy = Replica(2)
    copy.merge([*first, *snapshot])
    assert {copy.string(f"{index}").get() for index in range(10)} == {"before"}
    assert set(copy.set("s")) == {"a"}
    assert copy.string("new 1").get() is None
    assert copy.vector == {replica.origin: 11}
    assert replica.keyspace.readers == []


def test_abandoned_snapshot_watches_no_changes() -> None:
    replica = Replica(1)
    replica.set("s").add("a")
    snapshot = replica.snapshot()
    other = replica.snapshot()
    snapshot.close()
    assert replica.keyspace.readers == [other]
    assert len(list(snapshot)) == 2, "no keys are left in it"


def test_merge_in_between_changes_nothing_in_it() -> None:
    here, there = regions(2)
    here.set("s").add("a")
    snapshot = here.snapshot()
    there.set("s").add("b")
    here.merge(there.snapshot())
    copy = Replica(3)
    copy.merge(snapshot)
    assert set(copy.set("s")) == {"a"}


def test_equal_content_has_equal_bytes() -> None:
    here, there = regions(2)
    here.string("a").set("x")
    there.hash("b")["f"] = "y"
    there.counter("c").increment(3)
    exchange(here, there)
    assert here.to_bytes() == there.to_bytes()


def test_plain_strings_stand_in_columns() -> None:
    replica = Replica(1)
    replica.advance(1000)
    replica.string("a").set("x")
    replica.advance(1005)
    replica.string("b").set("y")
    replica.counter("c").increment()
    head, keys, end = [unpack_piece(piece) for piece in replica.snapshot(sort=True)]
    least, names, dots, stamps, values, flags = keys[1]
    assert (least, names, stamps, values, flags) == (
        1000,
        (b"a", b"b"),
        (0, 5),
        (b"x", b"y"),
        b"\1\1",
    )
    assert len(dots) == 2
    assert [record[0] for record in keys[2]] == [b"c"]
    assert head[5] == end[1] == 3


def test_empty_snapshot_has_no_parts() -> None:
    assert columns([]) == ()
    assert parts_of(None) == []
    assert [unpack_piece(piece)[0] for piece in Replica(1).snapshot()] == [0, 2]


def test_state_of_many_keys_is_small() -> None:
    """The limit is 2 MB for 100,000 keys, so 20 bytes a key."""
    replica = Replica(1)
    replica.advance(1_790_000_000_000)
    for index in range(5000):
        strings.assign(replica.keyspace, b"key:%d" % index, b"value %d" % index)
    assert len(replica.to_bytes()) < 20 * 5000


WRONG: dict[str, Any] = {
    "no envelope": b"",
    "no bytes": codec.pack((1, 2)),
    "not deflated": codec.pack(b"plain"),
    "cut off": codec.pack(zlib.compress(b"\x93\x00\x01\x02" * 50)[:-6]),
    "no array": codec.pack(zlib.compress(codec.pack_body(5))),
    "empty": pack_piece(()),
}


@pytest.mark.parametrize("name", WRONG)
def test_invalid_piece_is_refused(name: str) -> None:
    with pytest.raises(DecodeError):
        unpack_piece(WRONG[name])


@pytest.mark.interpreted("a compiled module has taken the constant in")
def test_piece_that_inflates_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crdt.store.snapshot.PIECE_BYTES_MAX", 1000)
    with pytest.raises(DecodeError, match="too large"):
        unpack_piece(codec.pack(zlib.compress(bytes(5000))))
