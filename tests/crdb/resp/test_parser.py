"""The parser: requests and errors do not depend on how the bytes are divided."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crdb.resp.parser import GROWING_BYTES, LINE_MAX, RELEASE_BYTES, Parser
from tests.crdb.raw import parse
from tests.crdb.redis_peer import request


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Return `data` in pieces."""
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


fragments = st.sampled_from(
    [
        b"*",
        b"$",
        b"\r\n",
        b"\n",
        b"\r",
        b"*1\r\n",
        b"*2\r\n",
        b"$4\r\n",
        b"PING\r\n",
        b"$-1\r\n",
        b"0",
        b"1",
        b"3",
        b"12",
        b"-",
        b" ",
        b'"',
        b"'",
        b"\\",
        b"x",
        b"\x00",
        b"abc\r\n",
        b"\xff",
        b"*0\r\n",
        b"*-1\r\n",
        b"*03\r\n",
        b"$01\r\n",
        b"*1000000\r\n",
        b"*3000000000\r\n",
        request([b"SET", b"key", b"value"]),
        request([b"ECHO", b"x" * 300]),
        request([b""]),
    ]
)
streams = st.lists(fragments | st.binary(max_size=8), max_size=30).map(b"".join)


@given(streams, st.lists(st.integers(0, 1 << 16), max_size=10), st.booleans())
@example(b"*1\r\n$1\r", [8], True)
def test_cutting_changes_nothing(data: bytes, places: list[int], trusted: bool) -> None:
    whole = parse([data], trusted)
    assert parse([data[i : i + 1] for i in range(len(data))], trusted) == whole
    assert parse(cut(data, places), trusted) == whole


@given(st.lists(st.lists(st.binary(max_size=40), min_size=1, max_size=12), max_size=12))
def test_requests_come_back(requests: list[list[bytes]]) -> None:
    assert parse([b"".join(map(request, requests))]) == (requests, None)


@given(st.lists(st.integers(0, 1 << 17), max_size=20), st.integers(0, 1 << 17))
@example([25, 60], 32)
def test_long_strings_come_back(places: list[int], size: int) -> None:
    requests = [[b"SET", b"k", b"v" * size], [b"GET", b"k"]]
    assert parse(cut(b"".join(map(request, requests)), places)) == (requests, None)


@given(
    st.lists(st.integers(-20, 20), max_size=3),
    st.integers(-3, 3),
    st.sampled_from([[], [b"PX", b"1"]]),
)
def test_very_long_strings_come_back(places: list[int], more: int, rest: list[bytes]) -> None:
    """Strings about as long as those that are gathered in a growing buffer, cut near their ends."""
    size = GROWING_BYTES + more
    requests = [[b"SET", b"k", b"v" * size, *rest], [b"v" * size], [b"GET", b"k"]]
    data = b"".join(map(request, requests))
    ends = [end + place for place in places for end in (30, 30 + size, 60 + 2 * size)]
    assert parse(cut(data, ends)) == (requests, None)


def test_very_long_string_takes_its_own_size() -> None:
    parser = Parser()
    parser.feed(b"*2\r\n$%d\r\nv" % GROWING_BYTES)
    assert parser.next() is None
    head = parser.pending
    parser.feed(b"v" * (GROWING_BYTES - 1) + b"\r")
    assert parser.next() is None
    assert (parser.pending, len(parser.buffer)) == (head + GROWING_BYTES, 1)
    parser.feed(b"\n$1")
    assert parser.next() is None
    assert parser.pending == head + GROWING_BYTES + 3
    parser.feed(b"\r\nx\r\n")
    assert parser.next() == [b"v" * GROWING_BYTES, b"x"]
    assert parser.pending == 0


@pytest.mark.parametrize("size", [0, 1, 12, 30])
def test_wherever_two_cuts_are(size: int) -> None:
    requests = [[b"SET", b"v" * size], [b"GET", b"k"], [b"PING"]]
    data = b"".join(map(request, requests))
    for places in combinations(range(1, len(data)), 2):
        assert parse(cut(data, list(places))) == (requests, None)


def test_long_string_is_joined_once_complete() -> None:
    parser = Parser()
    parser.feed(b"*1\r\n$1000000\r\n")
    assert parser.next() is None
    for _ in range(100):
        parser.feed(b"x" * 10_000)
        assert parser.next() is None
        assert len(parser.buffer) <= 10_000
    assert parser.pending == 1_000_014
    parser.feed(b"\r\n")
    assert parser.next() == [b"x" * 1_000_000]
    assert parser.pending == 0


def test_request_of_many_strings_is_read_once() -> None:
    parser = Parser()
    parser.feed(b"*10000\r\n")
    for sent in range(1, 10_000):
        parser.feed(b"$1\r\nx\r\n")
        assert parser.next() is None
        assert len(parser.args) == sent
        assert len(parser.buffer) - parser.position == 0
    parser.feed(b"$1\r\nx\r\n")
    assert parser.next() == [b"x"] * 10_000
    assert parser.args == []


def test_announcement_allocates_nothing() -> None:
    parser = Parser()
    parser.feed(b"*2147483647\r\n$536870912\r\n")
    assert parser.next() is None
    assert parser.args == []
    assert parser.pending == len(b"*2147483647\r\n$536870912\r\n")


def test_unread_bytes_are_kept() -> None:
    parser = Parser()
    for _ in range(50):
        parser.feed(b"PING\r\n")
    assert parser.pending == 300
    assert [parser.next() for _ in range(51)] == [[b"PING"]] * 50 + [None]
    assert parser.buffer == b""


@pytest.mark.parametrize("header", [b"*", b"*1\r\n$", b"a"])
def test_header_may_be_as_long_as_redis_lets_it(header: bytes) -> None:
    start = header[:-1]
    fits = start + header[-1:] * LINE_MAX
    assert parse([fits]) == ([], None)
    text = parse([fits + b"0"])[1]
    assert text is not None
    assert text.startswith(b"ERR Protocol error: too big")
    assert parse([fits + b"0\r\n"])[1] == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"*11\r\n", b"ERR Protocol error: unauthenticated multibulk length"),
        (b"*1\r\n$16385\r\n", b"ERR Protocol error: unauthenticated bulk length"),
        (b"*10\r\n$16384\r\n", None),
        (b"*9\r\n$00016384\r\n", b"ERR Protocol error: invalid bulk length"),
    ],
)
def test_unauthenticated_requests_are_small(data: bytes, text: bytes | None) -> None:
    assert parse([data], trusted=False) == ([], text)


@pytest.mark.parametrize("rest", [b"*", b"*1\r\n$4\r\nPI", b"*2\r\n$4\r\nPING\r\n", b"PI"])
def test_parsed_bytes_are_not_kept_while_waiting(rest: bytes) -> None:
    parser = Parser()
    value = bytes(2 * RELEASE_BYTES)
    parser.feed(b"*1\r\n$%d\r\n%b\r\n" % (len(value), value) + rest)
    assert parser.next() == [value]
    assert parser.next() is None
    assert len(parser.buffer) <= len(rest)
    assert parser.pending == len(rest)


def test_request_goes_on_after_its_large_string_was_taken_out() -> None:
    parser = Parser()
    value = bytes(2 * RELEASE_BYTES)
    parser.feed(b"*3\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$1" % (len(value), value))
    assert parser.next() is None
    assert len(parser.buffer) < 10
    parser.feed(b"\r\nv\r\n*1\r\n$4\r\nPING\r\n")
    assert parser.next() == [b"SET", value, b"v"]
    assert parser.next() == [b"PING"]
    assert parser.next() is None


def test_name_of_command_is_made_once() -> None:
    parser = Parser()
    parser.feed(b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n")
    first, second = parser.next(), parser.next()
    assert first == [b"GET", b"a"]
    assert second == [b"GET", b"b"]
    assert first is not None
    assert second is not None
    assert first[0] is second[0]
    parser.feed(b"*2\r\n$3\r\nTTL\r\n$1\r\nc\r\n*2\r\n$3\r\nGET\r\n$1\r\nd\r\n")
    assert [parser.next(), parser.next()] == [[b"TTL", b"c"], [b"GET", b"d"]]
