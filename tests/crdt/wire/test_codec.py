"""The envelope: equal contents have equal bytes, and a changed bit is detected."""

from __future__ import annotations

import zlib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import DecodeError
from crdt.wire import codec

values: Any = st.recursive(
    st.integers(-(1 << 63), (1 << 128) - 1) | st.floats(allow_nan=False) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4).map(tuple),
    max_leaves=12,
)


@given(values)
def test_value_comes_back(value: object) -> None:
    assert codec.unpack(codec.pack(value)) == value


SIZES = st.sampled_from((0, 1, 31, 32, 255, 256, 65535, 65536))
NUMBERS = st.sampled_from(
    (0, 1, 127, 128, 255, 256, 65535, 65536, (1 << 32) - 1, 1 << 32, -1, True)
)
parts: Any = st.recursive(
    values | NUMBERS | SIZES.map(bytes) | st.just(None) | st.just([1]),
    lambda inner: st.lists(inner, max_size=4).map(tuple),
    max_leaves=8,
)


@given(st.lists(parts, max_size=4).map(tuple))
def test_joined_array_is_that_of_msgpack(items: tuple[object, ...]) -> None:
    packed = codec.pack_body(items)
    assert codec.joined_array(items) == packed
    assert codec.pack_tuple(items) == codec.envelope(packed)
    assert b"".join(codec.pack_large(items)) == codec.envelope(packed)


@pytest.mark.parametrize("count", [15, 16, 255, 256, 65536])
def test_joined_array_of_many_items_is_that_of_msgpack(count: int) -> None:
    items = (b"item",) * count
    assert codec.joined_array(items) == codec.pack_body(items)


def test_large_bytes_come_back() -> None:
    value = (b"large" * codec.LARGE_BYTES, 5)
    packed = b"".join(codec.pack_large(value))
    assert packed == codec.pack(value)
    assert codec.unpack(packed) == value
    with pytest.raises(DecodeError, match="checksum"):
        codec.unpack(packed[:-1] + b"\x00")


@given(values, st.data())
def test_flipped_bit_is_noticed(value: object, data: st.DataObject) -> None:
    packed = bytearray(codec.pack(value))
    bit = data.draw(st.integers(0, 8 * len(packed) - 1))
    packed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DecodeError):
        codec.unpack(bytes(packed))


@given(st.binary(max_size=40))
def test_any_bytes_are_value_or_error(data: bytes) -> None:
    for body in (data, b"\x01" + zlib.crc32(data).to_bytes(4, "big") + data):
        with suppress(DecodeError):
            codec.unpack(body)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "too few"),
        (b"\x01\x00\x00\x00\x00", "too few"),
        (b"\x02\x00\x00\x00\x00\xc0", "version 2"),
        (b"\x01\x00\x00\x00\x00\xc0", "checksum"),
    ],
)
def test_error_names_mistake(data: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        codec.unpack(data)


def test_bytes_that_nest_without_end_are_refused() -> None:
    with pytest.raises(DecodeError, match="not msgpack"):
        codec.unpack_body(b"\x91" * 100_000)


@given(st.lists(values, max_size=20))
def test_array_may_be_put_together_from_packed_items(items: list[object]) -> None:
    packed = [codec.pack_body(item) for item in items]
    assert codec.pack_array(packed) == codec.pack_body(tuple(items))


def test_packer_does_not_keep_memory_of_large_value() -> None:
    packer = codec.packers[0]
    codec.pack_body(bytes(1000))
    assert codec.packers[0] is packer
    large = bytes(codec.PACKER_BYTES_MAX)
    assert codec.unpack_body(codec.pack_body(large)) == large
    assert codec.packers[0] is not packer


def test_packer_is_replaced_when_memory_runs_out() -> None:
    def exhausted(_value: object) -> bytes:
        raise MemoryError

    codec.packers[0] = exhausted
    with pytest.raises(MemoryError):
        codec.pack_body(1)
    assert codec.pack_body(1) == b"\x01"


@pytest.mark.interpreted("it replaces a function of a module that is compiled")
def test_packer_that_cannot_be_replaced_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found with injected failures: later operations began with the rest of a value."""
    failing = codec.MSGPACK.Packer(autoreset=False)
    failures = [MemoryError()]

    def pack(value: object) -> bytes:
        failing.pack(value)
        if failures:
            raise failures.pop()
        return failing.bytes()

    def raise_memory_error() -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(codec, "new_packer", raise_memory_error)
        patch.setattr(codec, "packer", [failing])
        patch.setattr(codec, "packers", [pack])
        with pytest.raises(MemoryError):
            codec.pack_body(b"rest")
        assert codec.pack_body(1) == b"\x01"


def test_integers_of_more_than_64_bits_are_extension() -> None:
    assert codec.pack_body(1 << 64).hex() == "d801" + (1 << 64).to_bytes(16, "big").hex()
    assert codec.pack_body((1 << 64) - 1)[:1] == b"\xcf"


@pytest.mark.parametrize("value", [1 << 128, -(1 << 63) - 1])
def test_integers_beyond_all_forms_are_not_written(value: int) -> None:
    with pytest.raises(OverflowError, match="more than 128 bits, or below"):
        codec.pack(value)


def test_invalid_value_is_not_encoded() -> None:
    with pytest.raises(TypeError, match="a set has no form in bytes"):
        codec.pack({1})


@pytest.mark.parametrize(
    "body",
    [
        b"\xd4\5x",
        b"\xd8\2" + b"\1" * 16,
        b"\xd7\1" + b"\1" * 8,
        b"\xd8\1" + bytes(8) + b"\xff" * 8,  # an integer that has a shorter form
    ],
)
def test_other_extensions_are_refused(body: bytes) -> None:
    with pytest.raises(DecodeError, match="not a value: extension"):
        codec.unpack_body(body)
