"""Encoders of replies, checked by a decoder of both protocols."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdb.resp import reply
from crdb.resp.decoder import ErrorReply, Status
from tests.crdb.redis_peer import decode

protocols = st.sampled_from((2, 3))


def encoded(write: Callable[[list[bytes]], None]) -> bytes:
    """Return the bytes that `write` appends."""
    out: list[bytes] = []
    write(out)
    return b"".join(out)


@given(st.binary(max_size=3000), protocols)
def test_strings(value: bytes, protocol: int) -> None:
    assert decode(encoded(lambda out: reply.bulk(out, value))) == value
    assert decode(encoded(lambda out: reply.bulk_or_null(out, protocol, value))) == value
    assert decode(encoded(lambda out: reply.verbatim(out, 2, value))) == value
    assert decode(encoded(lambda out: reply.verbatim(out, 3, value))) == b"txt:" + value


def test_string_in_parts() -> None:
    parts = [b"ab", memoryview(b"cdef")[1:], b"g"]
    assert decode(encoded(lambda out: reply.bulk_parts(out, 6, parts))) == b"abdefg"


@given(st.integers())
def test_integers(value: int) -> None:
    assert decode(encoded(lambda out: reply.integer(out, value))) == value


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 5000])
def test_arrays(size: int) -> None:
    assert decode(encoded(lambda out: reply.bulks(out, [b"x"] * size))) == [b"x"] * size


def test_lines() -> None:
    assert decode(encoded(reply.ok)) == Status(b"OK")
    assert decode(encoded(reply.queued)) == Status(b"QUEUED")
    assert decode(encoded(lambda out: reply.simple(out, b"RESET"))) == Status(b"RESET")
    assert decode(encoded(lambda out: reply.error(out, b"ERR no"))) == ErrorReply(b"ERR no")


Write = Callable[[list[bytes], int], None]
DIFFERENT: list[tuple[Write, bytes, bytes]] = [
    (reply.null, b"$-1\r\n", b"_\r\n"),
    (reply.null_array, b"*-1\r\n", b"_\r\n"),
    (lambda out, p: reply.bulk_or_null(out, p, None), b"$-1\r\n", b"_\r\n"),
    (lambda out, p: reply.map_header(out, p, 2), b"*4\r\n", b"%2\r\n"),
    (lambda out, p: reply.set_header(out, p, 2), b"*2\r\n", b"~2\r\n"),
    (lambda out, p: reply.double(out, p, 3.1), b"$3\r\n3.1\r\n", b",3.1\r\n"),
    (lambda out, p: reply.double(out, p, float("inf")), b"$3\r\ninf\r\n", b",inf\r\n"),
    (lambda out, p: reply.boolean(out, p, True), b":1\r\n", b"#t\r\n"),
    (lambda out, p: reply.boolean(out, p, False), b":0\r\n", b"#f\r\n"),
    (
        lambda out, p: reply.verbatim(out, p, b"ab", b"mkd"),
        b"$2\r\nab\r\n",
        b"=6\r\nmkd:ab\r\n",
    ),
]


@pytest.mark.parametrize(("write", "second", "third"), DIFFERENT)
def test_replies_that_differ_between_protocols(write: Write, second: bytes, third: bytes) -> None:
    assert encoded(lambda out: write(out, 2)) == second
    assert encoded(lambda out: write(out, 3)) == third
