"""Snapshots: one moment in pieces, whatever is written between them, and nothing else accepted."""

from __future__ import annotations

import zlib
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt import codec, snapshot
from crdt.errors import DecodeError
from crdt.replica import Replica
from crdt.snapshot import END, HEAD, KEYS, columns, pack_piece, unpack_piece
from tests.crdt.exchange import exchange, tell

NAMES = [f"{n}" for n in range(6)]
KINDS = ("string", "counter", "set", "expire", "persist", "delete", "flush")
WRITES = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(NAMES)), max_size=12)


def write(replica: Replica, kind: str, name: str) -> None:
    """One write; strings and counters share keys with each other, sets have their own."""
    if kind == "string":
        replica.string(name).set(kind)
    elif kind == "counter":
        replica.counter(f"counter {name}").increment()
    elif kind == "set":
        replica.set(f"set {name}").add(f"{replica.keyspace.seq}")
    elif kind == "delete":
        for key in (name, f"counter {name}", f"set {name}"):
            replica.keyspace.delete(key.encode())
    elif kind == "flush":
        replica.keyspace.flush()
    else:
        replica.string(name).expire_at(9_999 if kind == "expire" else None)


@given(WRITES, st.lists(WRITES, max_size=6), st.integers(1, 3))
def test_a_snapshot_stands_at_one_vector_while_writes_go_on(
    before: list[tuple[str, str]], meanwhile: list[list[tuple[str, str]]], size: int
) -> None:
    source, sink = Replica(1), Replica(2)
    for kind, name in before:
        write(source, kind, name)
    taken = source.snapshot()
    taken.piece_keys = size
    vector, content = source.vector, source.digest()
    pieces: list[bytes] = []
    for index, piece in enumerate(taken):
        pieces.append(piece)
        for kind, name in meanwhile[index] if index < len(meanwhile) else ():
            write(source, kind, name)
    sink.merge(pieces)
    assert sink.vector == vector == taken.vector
    assert sink.digest() == content
    assert source.keyspace.readers == []
    tell(source, sink)
    assert sink.digest() == source.digest()


@given(WRITES, st.randoms(use_true_random=False))
def test_equal_content_has_equal_bytes(writes: list[tuple[str, str]], rng: Random) -> None:
    replicas = [Replica(region) for region in (1, 2)]
    for kind, name in writes:
        write(rng.choice(replicas), kind, name)
    exchange(*replicas)
    here, there = (list(replica.snapshot(sort=True)) for replica in replicas)
    assert here[1:] == there[1:]


def test_the_pieces_are_a_head_the_keys_and_their_number() -> None:
    replica = Replica(1)
    for name in NAMES:
        replica.string(name).set("v")
    replica.set("set").add("m")
    taken = replica.snapshot()
    taken.piece_keys = 3
    pieces = [unpack_piece(piece) for piece in taken]
    assert [piece[0] for piece in pieces] == [HEAD, KEYS, KEYS, KEYS, END]
    assert pieces[0] == (HEAD, (replica.origin, 7), (), 7)
    assert pieces[-1] == (END, 7)
    assert next(taken, None) is None


def test_what_is_written_first_is_sent_as_it_was() -> None:
    replica = Replica(1)
    for name in ("a", "b"):
        replica.string(name).set("old")
    taken = replica.snapshot()
    replica.string("a").set("new")
    replica.string("a").set("newer")
    replica.string("c").set("too late")
    pieces = [unpack_piece(piece) for piece in taken]
    assert pieces[1][1][1] == (b"a", b"b")
    assert pieces[1][1][4] == (b"old", b"old")
    assert pieces[2] == (END, 2)


def test_a_closed_snapshot_watches_no_longer() -> None:
    replica = Replica(1)
    replica.string("a").set("old")
    other, taken = replica.snapshot(), replica.snapshot()
    taken.close()
    assert replica.keyspace.readers == [other]
    replica.string("a").set("new")
    assert taken.plain == []
    assert len(other.plain) == 1


def test_what_is_only_remembered_is_sent_too() -> None:
    replica = Replica(1)
    replica.counter("counter").increment()
    replica.counter("counter").delete()
    replica.keyspace.expire(b"gone", 9_999)
    records = unpack_piece(list(replica.snapshot(sort=True))[1])[2]
    assert [key for key, _, _ in records] == [b"counter", b"gone"]
    assert records[1][1][1] == 9_999
    assert records[1][2] == ()


def test_a_contested_key_is_sent_type_by_type() -> None:
    """Rule KEY-5."""
    here, there = Replica(1), Replica(2)
    here.string("k").set("v")
    there.set("k").add("m")
    exchange(here, there)
    ((key, _, parts),) = unpack_piece(list(here.snapshot())[1])[2]
    assert (key, [code for code, _ in parts]) == (b"k", [1, 2])


def test_columns_count_stamps_from_the_least() -> None:
    assert columns([]) == ()
    plain = [(b"a", 5, 1_000, b"x", 1), (b"b", 6, 990, b"y", 0)]
    assert columns(plain) == (990, (b"a", b"b"), (5, 6), [10, 0], (b"x", b"y"), b"\x01\x00")


@given(st.binary(max_size=60), st.integers(0, 1000), st.integers(1, 255))
def test_a_damaged_piece_is_refused(value: bytes, place: int, mask: int) -> None:
    data = bytearray(pack_piece((KEYS, value)))
    assert unpack_piece(bytes(data)) == (KEYS, value)
    data[place % len(data)] ^= mask
    with pytest.raises(DecodeError):
        unpack_piece(bytes(data))
    with pytest.raises(DecodeError):
        unpack_piece(pack_piece((KEYS, value))[: place % len(data)])


@pytest.mark.parametrize(
    "body",
    [
        7,
        b"not deflated",
        zlib.compress(codec.pack_body((1, 2)))[:-1],
        zlib.compress(codec.pack_body(())),
        zlib.compress(codec.pack_body(b"no array")),
        zlib.compress(b"\xc1"),
    ],
)
def test_what_is_well_packed_but_no_piece_is_refused(body: object) -> None:
    with pytest.raises(DecodeError):
        unpack_piece(codec.pack(body))


def test_a_piece_that_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    piece = pack_piece((KEYS, bytes(1000)))
    monkeypatch.setattr(snapshot, "PIECE_BYTES_MAX", 1000)
    with pytest.raises(DecodeError, match="too large"):
        unpack_piece(piece)
