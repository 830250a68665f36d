"""Requests of clients, and the decoder of replies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdb.resp.decoder import ErrorReply, ReplyDecoder, Status, decode_replies, encode_request

REPLIES: list[tuple[bytes, object]] = [
    (b"+OK\r\n", Status(b"OK")),
    (b"-ERR no\r\n", ErrorReply(b"ERR no")),
    (b":-7\r\n", -7),
    (b"(123456789012345678901\r\n", 123456789012345678901),
    (b"$4\r\na\r\nb\r\n", b"a\r\nb"),
    (b"$0\r\n\r\n", b""),
    (b"$-1\r\n", None),
    (b"=5\r\ntxt:x\r\n", b"txt:x"),
    (b"*-1\r\n", None),
    (b"*0\r\n", []),
    (b"*2\r\n*1\r\n:1\r\n$-1\r\n", [[1], None]),
    (b">1\r\n+x\r\n", [Status(b"x")]),
    (b"_\r\n", None),
    (b",1.5\r\n", 1.5),
    (b"#t\r\n", True),
    (b"#f\r\n", False),
    (b"%2\r\n+a\r\n:1\r\n+b\r\n_\r\n", ("map", [[Status(b"a"), 1], [Status(b"b"), None]])),
    (b"~1\r\n:1\r\n", ("set", [1])),
]


def test_request_is_an_array_of_bulk_strings() -> None:
    assert encode_request([b"SET", b"k\r\n"]) == b"*2\r\n$3\r\nSET\r\n$3\r\nk\r\n\r\n"


@pytest.mark.parametrize(("data", "reply"), REPLIES)
def test_types_are_decoded(data: bytes, reply: object) -> None:
    assert decode_replies(data) == [reply]
    assert decode_replies(data * 2) == [reply, reply]


@pytest.mark.parametrize(("data", "reply"), REPLIES)
def test_incomplete_reply_is_waited_for(data: bytes, reply: object) -> None:
    decoder = ReplyDecoder()
    for end in range(len(data) - 1):
        decoder.feed(data[end : end + 1])
        assert decoder.next() is None
    assert decoder.pending == data[:-1]
    decoder.feed(data[-1:] + b"+next")
    assert decoder.next() == (data, reply)
    assert decoder.pending == b"+next"


@given(st.lists(st.sampled_from(REPLIES)), st.integers(1, 9))
def test_pieces_of_any_size_give_the_same_replies(
    replies: list[tuple[bytes, object]], size: int
) -> None:
    data = b"".join(raw for raw, _ in replies)
    decoder = ReplyDecoder()
    found: list[tuple[bytes, object]] = []
    for start in range(0, len(data), size):
        decoder.feed(data[start : start + size])
        while (reply := decoder.next()) is not None:
            found.append(reply)
    assert found == replies


def test_bytes_that_are_not_replies_are_refused() -> None:
    with pytest.raises(ValueError, match="no reply begins with"):
        decode_replies(b"?\r\n")
    with pytest.raises(ValueError, match="ends within a reply"):
        decode_replies(b"+OK\r\n$3\r\nab")
