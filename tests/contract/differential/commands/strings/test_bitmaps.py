"""Compare the replies of commands on bitmaps with those of a real redis-server."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.crdb.redis_peer import Peer, Word

STATES: dict[str, list[tuple[Word, ...]]] = {
    "missing": [],
    "text": [("SET", "k", "foobar")],
    "zeros": [("SET", "k", b"\x00\x00\x00")],
    "ones": [("SET", "k", b"\xff\xff\xff")],
    "mixed": [("SET", "k", b"\x00\xff\xf0"), ("EXPIRE", "k", "1000")],
    "empty": [("APPEND", "k", "")],
    "counter": [("INCRBY", "k", "255")],
    "hash": [("HSET", "k", "f", "v")],
}
COMMANDS: list[tuple[Word, ...]] = [
    ("GETBIT", "k", "0"),
    ("GETBIT", "k", "9"),
    ("GETBIT", "k", "1000000"),
    ("GETBIT", "k", "4294967295"),
    ("GETBIT", "k", "4294967296"),
    ("GETBIT", "k", "-1"),
    ("GETBIT", "k", "x"),
    ("SETBIT", "k", "0", "1"),
    ("SETBIT", "k", "9", "0"),
    ("SETBIT", "k", "100", "1"),
    ("SETBIT", "k", "100", "0"),
    ("SETBIT", "k", "4294967296", "0"),
    ("SETBIT", "k", "-1", "0"),
    ("SETBIT", "k", "#1", "0"),
    ("SETBIT", "k", "0", "2"),
    ("SETBIT", "k", "0", "-1"),
    ("SETBIT", "k", "0", "x"),
    ("SETBIT", "k", "0", "9223372036854775808"),
    ("BITCOUNT", "k"),
    ("BITCOUNT", "k", "0", "-1", "BYTES"),
    ("BITCOUNT", "k", "0", "-1", "BIT", "BIT"),
    ("BITPOS", "k", "2"),
    ("BITPOS", "k", "x"),
    ("BITPOS", "k", "1", "0", "-1", "BIT", "BIT"),
    ("BITPOS", "k", "1", "0", "-1", "BITS"),
    ("BITCOUNT", "k", "0"),
    ("BITCOUNT", "k", "0", "x"),
    ("BITPOS", "k", "0", "x"),
    ("BITPOS", "k", "2", "x"),
    ("BITOP", "AND", "k", "k", "l"),
    ("BITOP", "or", "k", "k", "l"),
    ("BITOP", "XOR", "k", "k", "k", "l"),
    ("BITOP", "XOR", "m", "l", "k"),
    ("BITOP", "NOT", "k", "k"),
    ("BITOP", "NOT", "k", "l"),
    ("BITOP", "NOT", "k", "k", "l"),
    ("BITOP", "NAND", "k", "k", "l"),
    ("BITOP", "AND", "k", "nothing"),
    ("BITFIELD", "k"),
    ("BITFIELD_RO", "k"),
    ("BITFIELD", "k", "GET", "u8", "0", "GET", "i8", "#1", "get", "i64", "3"),
    ("BITFIELD_RO", "k", "GET", "u8", "0", "GET", "u63", "1000"),
    ("BITFIELD_RO", "k", "GET", "u8", "0", "SET", "u8", "0", "1"),
    ("BITFIELD_RO", "k", "OVERFLOW", "FAIL", "GET", "u8", "0"),
    ("BITFIELD", "k", "SET", "u8", "4", "300", "SET", "i8", "#2", "-129", "SET", "u8", "0", "-1"),
    ("BITFIELD", "k", "OVERFLOW", "SAT", "SET", "u8", "4", "300", "SET", "i8", "0", "-1000"),
    ("BITFIELD", "k", "OVERFLOW", "SAT", "SET", "u8", "4", "-1", "SET", "i8", "0", "1000"),
    ("BITFIELD", "k", "OVERFLOW", "FAIL", "SET", "u8", "4", "300", "SET", "i8", "0", "1"),
    ("BITFIELD", "k", "OVERFLOW", "FAIL", "INCRBY", "u2", "100", "4"),
    ("BITFIELD", "k", "INCRBY", "i5", "100", "1", "GET", "u4", "0"),
    ("BITFIELD", "k", "INCRBY", "i64", "0", "9223372036854775807", "INCRBY", "i64", "0", "9"),
    ("BITFIELD", "k", "OVERFLOW", "sat", "INCRBY", "u63", "0", "9223372036854775807"),
    ("BITFIELD", "k", "GET", "u64", "0"),
    ("BITFIELD", "k", "GET", "i65", "0"),
    ("BITFIELD", "k", "GET", "u0", "0"),
    ("BITFIELD", "k", "GET", "U8", "0"),
    ("BITFIELD", "k", "GET", "8", "0"),
    ("BITFIELD", "k", "GET", "u", "0"),
    ("BITFIELD", "k", "GET", "", "0"),
    ("BITFIELD", "k", "GET", "u8", "#"),
    ("BITFIELD", "k", "GET", "u8", "-1"),
    ("BITFIELD", "k", "GET", "u8", "#-1"),
    ("BITFIELD", "k", "GET", "u8", "#536870911"),
    ("BITFIELD", "k", "GET", "u8", "#536870912"),
    ("BITFIELD", "k", "GET", "u8"),
    ("BITFIELD", "k", "SET", "u8", "0"),
    ("BITFIELD", "k", "SET", "u8", "0", "x"),
    ("BITFIELD", "k", "OVERFLOW", "x"),
    ("BITFIELD", "k", "OVERFLOW"),
    ("BITFIELD", "k", "FOO", "u8", "0"),
    ("BITFIELD", "k", "OVERFLOW", "WRAP"),
]
NUMBERS = ["0", "1", "7", "8", "12", "100", "-1", "-2", "-100", "x"]
COUNTS: list[tuple[Word, ...]] = [
    ("BITCOUNT", "k", first, last, *unit)
    for first in NUMBERS
    for last in NUMBERS
    for unit in ((), ("BIT",), ("byte",))
]
SEARCHES: list[tuple[Word, ...]] = [
    ("BITPOS", "k", bit, first, *last)
    for bit in "01"
    for first in NUMBERS
    for last in [(), *((n, *unit) for n in NUMBERS for unit in ((), ("BIT",), ("BYTE",)))]
]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("state", STATES)
def test_replies_and_what_is_left(peer: Peer, state: str, protocol: int) -> None:
    for command in COMMANDS:
        peer.play([*STATES[state], ("SET", "l", b"abc\xff"), command], protocol)


@pytest.mark.parametrize("state", STATES)
def test_ranges(peer: Peer, state: str) -> None:
    peer.play([*STATES[state], *COUNTS, *SEARCHES])


FIELDS = st.sampled_from(["u1", "u4", "u7", "u8", "u9", "u32", "u63", "i1", "i5", "i8", "i64"])
OFFSETS = st.sampled_from(["0", "1", "7", "8", "13", "#0", "#1", "#3", "40"])
AMOUNTS = st.sampled_from(["0", "1", "-1", "5", "-9", "200", "70000", "-9000000000000000000"])
STEPS = st.one_of(
    st.tuples(st.just("GET"), FIELDS, OFFSETS),
    st.tuples(st.sampled_from(["SET", "INCRBY"]), FIELDS, OFFSETS, AMOUNTS),
    st.tuples(st.just("OVERFLOW"), st.sampled_from(["WRAP", "SAT", "FAIL"])),
)
COMMAND = st.one_of(
    st.lists(STEPS, max_size=4).map(
        lambda steps: ("BITFIELD", "k", *(word for step in steps for word in step))
    ),
    st.tuples(st.just("SETBIT"), st.just("k"), st.integers(0, 60), st.integers(0, 1)),
    st.tuples(st.just("BITCOUNT"), st.just("k"), st.integers(-9, 9), st.integers(-9, 9)),
    st.tuples(st.just("BITPOS"), st.just("k"), st.integers(0, 1), st.integers(-9, 9)),
    st.tuples(st.just("BITOP"), st.sampled_from(["AND", "OR", "XOR"]), *map(st.just, "lkl")),
    st.tuples(st.just("BITOP"), st.just("NOT"), st.sampled_from("kl"), st.sampled_from("kl")),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=st.lists(COMMAND, max_size=15))
def test_any_commands_reply_as_redis_does(peer: Peer, commands: list[tuple[Word, ...]]) -> None:
    peer.play(commands)
