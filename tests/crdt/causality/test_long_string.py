"""The long string at the end of an operation, found behind its header and collected."""

from __future__ import annotations

import msgpack
import pytest

from crdt.causality.effect import Effect
from crdt.causality.long_string import HEADER_BYTES, LongString, find_long_string
from crdt.causality.op import Op
from crdt.errors import DecodeError
from crdt.wire import codec

SIZE = 1 << 16
"""The least size of a string with a header of `HEADER_BYTES`."""
LONG = bytes(range(256)) * (SIZE // 256)


def body_of(*effects: Effect) -> bytes:
    """Return an encoded operation with these effects, without its envelope."""
    op = Op(1 << 50, 1, 0, {}, effects)
    return op.to_bytes()[codec.OVERHEAD :]


@pytest.mark.parametrize("size", [1, 999, SIZE - 1, SIZE])
def test_pieces_of_each_size_give_the_string(size: int) -> None:
    string = LongString([4, 0, b"k"], SIZE)
    for start in range(0, SIZE, size):
        assert string.left == SIZE - start
        string.feed(LONG[start : start + size])
    assert string.left == 0
    assert string.buffer.getvalue() == LONG


def test_empty_string_is_complete_at_once() -> None:
    string = LongString([4, 0, b"k"], 0)
    string.feed(b"")
    assert string.left == 0
    assert string.buffer.getvalue() == b""


def test_more_than_announced_is_counted_as_negative() -> None:
    string = LongString([4, 0, b"k"], 2)
    string.feed(b"abc")
    assert string.left == -1
    assert string.buffer.getvalue() == b"abc"


@pytest.mark.parametrize("done", [0, 1, 70_000])
def test_string_is_found_behind_whole_effects(done: int) -> None:
    whole: Effect = (4, 0, b"k", b"short")
    body = body_of(*[whole] * done, (4, 0, b"k", 7, LONG))
    for end in (len(body) - SIZE, len(body) - 1, len(body)):
        found = find_long_string(body[:end], done)
        assert found is not None
        start, string = found
        assert start == len(body) - SIZE
        assert string.items == [4, 0, b"k", 7]
        assert string.left == SIZE
        assert string.buffer.getvalue() == b""


@pytest.mark.parametrize("missing", range(1, HEADER_BYTES + 1))
def test_string_is_not_found_before_its_header_is_complete(missing: int) -> None:
    body = body_of((4, 0, b"k", LONG))
    assert find_long_string(body[: len(body) - SIZE - missing], 0) is None


def test_string_of_a_shorter_header_is_not_found() -> None:
    assert find_long_string(body_of((4, 0, b"k", LONG[1:])), 0) is None


def test_string_that_is_not_the_last_item_is_not_found() -> None:
    assert find_long_string(body_of((4, 0, LONG, b"v")), 0) is None


def test_string_that_is_not_in_the_last_effect_is_not_found() -> None:
    assert find_long_string(body_of((4, 0, b"k", LONG), (4, 0, b"k", b"v")), 0) is None


@pytest.mark.parametrize("items", [b"", b"\x04\x00"])
def test_effect_that_is_cut_off_raises_what_an_unpacker_raises(items: bytes) -> None:
    body = body_of((4, 0, b"k", LONG))
    start = body.index(b"\x94\x04\x00")
    with pytest.raises(msgpack.OutOfData):
        find_long_string(body[: start + 1] + items, 0)


def test_value_that_is_not_allowed_raises_its_error() -> None:
    body = body_of((4, 0, b"k", LONG)).replace(b"\x94\x04\x00", b"\x94\x04\xc7\x00\x07", 1)
    with pytest.raises(DecodeError, match="extension 7"):
        find_long_string(body, 0)
