"""Reading an operation while its bytes come, compared with reading it as a whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.causality.op import Op
from crdt.causality.op_pieces import PIECE_BYTES, OpPieces
from crdt.causality.op_reader import OpReader
from crdt.embed.replica import Replica
from crdt.errors import DecodeError
from crdt.types.set import ADD, SET_TYPE
from crdt.wire import codec


def encoded(*members: bytes) -> bytes:
    """Return an operation that adds each of the members."""
    replica = Replica(1)
    for member in members:
        replica.keyspace.emit((SET_TYPE, ADD, b"k", member))
    op = replica.keyspace.pending()
    assert op is not None
    return op.to_bytes()


def read(data: bytes, size: int) -> OpReader:
    """Return a reader that got `data` in parts of `size` bytes."""
    reader = OpReader()
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
    return reader


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=20), st.integers(1, 99))
def test_parts_give_the_same_op(members: list[bytes], size: int) -> None:
    data = encoded(*members)
    reader = read(data, size)
    assert reader.is_readable
    op = reader.finish()
    assert op.effects == Op.from_bytes(data).effects
    assert op == Op.from_bytes(data)


def test_pieces_are_not_smaller_than_needed() -> None:
    data = encoded(*(b"%03d" % number * 100 for number in range(500)))
    kept = read(data, 100).finish().data()
    assert isinstance(kept, OpPieces)
    assert max(map(len, kept.pieces)) < PIECE_BYTES + 100
    assert len(kept.pieces) == 3


@pytest.mark.parametrize("size", [1, 10, 1000])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01abcd",
        encoded(b"a")[:-1],
        encoded(b"a") + b"\x01",
        b"\x02" + encoded(b"a")[1:],
        encoded(b"a")[:-1] + b"b",
        codec.pack((2, 1 << 50, 1, 0, 0, ())),
        codec.pack((3, 1 << 50, 1, 0, 0, (), ((SET_TYPE, ADD, b"k", b"a"),))),
        codec.pack((2, "origin", 1, 0, 0, (), ((SET_TYPE, ADD, b"k", b"a"),))),
        codec.pack((2, 1 << 50, 1, 0, 0, (), (7,))),
        codec.pack((2, 1 << 50, 1, 0, 0, (), ())),
        codec.pack((2, 1 << 50, 1, 0, 0, (3,), ((SET_TYPE, ADD, b"k", b"a"),))),
    ],
)
def test_damaged_op_raises_the_error_of_a_whole_one(data: bytes, size: int) -> None:
    with pytest.raises(DecodeError) as whole:
        Op.from_bytes(data)
    with pytest.raises(DecodeError) as parts:
        read(data, size).finish()
    assert str(parts.value) == str(whole.value)


LONG = bytes(3 * codec.READ_BYTES_MAX)
"""A string that is longer than the buffer of an unpacker."""


def encoded_effects(*effects: tuple[object, ...]) -> Op:
    """Return an operation with these effects."""
    replica = Replica(1)
    for effect in effects:
        replica.keyspace.emit(effect)
    op = replica.keyspace.pending()
    assert op is not None
    return op


@pytest.mark.parametrize(
    "effects",
    [
        [(SET_TYPE, ADD, b"k", LONG, b"m")],
        [(SET_TYPE, ADD, b"k", LONG), (SET_TYPE, ADD, b"k", b"m")],
        [(SET_TYPE, ADD, b"k", *[b"m"] * codec.READ_ITEMS_MAX)],
    ],
    ids=["item", "effect", "items"],
)
def test_large_effect_is_read_as_a_whole(effects: list[tuple[object, ...]]) -> None:
    op = encoded_effects(*effects)
    reader = read(op.to_bytes(), 50_000)
    assert not reader.is_readable
    assert reader.finish() == op


@pytest.mark.parametrize("size", [999, 100_000, 1 << 22])
@pytest.mark.parametrize("count", [0, 2])
def test_long_string_at_the_end_is_kept_once(size: int, count: int) -> None:
    small = [(SET_TYPE, ADD, b"k", b"%d" % number) for number in range(count)]
    op = encoded_effects(*small, (SET_TYPE, ADD, b"k", b"m", LONG))
    received = read(op.to_bytes(), size).finish()
    assert received == op
    assert received.effects == op.effects
    data = received.data()
    assert isinstance(data, OpPieces)
    assert data.pieces[-1] is received.effects[-1][-1]
    assert len(data.pieces) == 2


@pytest.mark.parametrize("change", ["cut", "more", "version", "damaged"])
def test_damaged_long_string_raises_the_error_of_a_whole_one(change: str) -> None:
    data = encoded_effects((SET_TYPE, ADD, b"k", LONG)).to_bytes()
    data = {
        "cut": data[:-1],
        "more": data + b"\x01",
        "version": b"\x02" + data[1:],
        "damaged": data[:-1] + b"x",
    }[change]
    with pytest.raises(DecodeError) as whole:
        Op.from_bytes(data)
    with pytest.raises(DecodeError) as parts:
        read(data, 100_000).finish()
    assert str(parts.value) == str(whole.value)


def test_long_string_is_joined_after_giving_up() -> None:
    op = encoded_effects((SET_TYPE, ADD, b"k", LONG))
    data = op.to_bytes()
    reader = read(data[:-10], 100_000)
    assert reader.string is not None
    reader.give_up()
    reader.feed(data[-10:])
    assert reader.string is None
    assert reader.finish() == op
