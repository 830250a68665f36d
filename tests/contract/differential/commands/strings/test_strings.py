"""Compare the replies of commands on strings with those of a real redis-server."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crdb.resp.decoder import ErrorReply
from tests.crdb.redis_peer import Peer, Word

EXPIRES: list[tuple[Word, ...]] = [
    ("EX", "100"),
    ("px", "100000"),
    ("EXAT", "33177117420"),
    ("PXAT", "33177117420000"),
    ("KEEPTTL",),
    ("PERSIST",),
    ("EX", "0"),
    ("EX", "-1"),
    ("EX", "x"),
    ("EX", "9223372036854775807"),
    ("PX", "9223372036854775807"),
    ("EXAT", "1"),
    ("PXAT", "1"),
    ("EX",),
    ("EX", "10", "PX", "10"),
    ("EX", "10", "EX", "100"),
    ("EX", "10", "KEEPTTL"),
    ("KEEPTTL", "PXAT", "1"),
    ("KEEPTTL", "KEEPTTL"),
    ("FOO",),
    (),
]
STATES: dict[str, list[tuple[Word, ...]]] = {
    "missing": [],
    "string": [("SET", "k", "old")],
    "brief": [("SET", "k", "old", "EX", "1000")],
    "counter": [("INCRBY", "k", "41"), ("INCR", "k")],
    "set": [("SADD", "k", "x")],
    "brief set": [("SADD", "k", "x"), ("PEXPIRE", "k", "1000000")],
    "expired": [("SET", "k", "old"), ("PEXPIREAT", "k", "1")],
}


@pytest.mark.parametrize("state", STATES)
def test_set_with_all_its_options(peer: Peer, state: str) -> None:
    for condition in ((), ("NX",), ("xx",), ("NX", "XX"), ("XX", "XX")):
        for wanted in ((), ("GET",)):
            for expires in EXPIRES:
                peer.play([*STATES[state], ("SET", "k", "new", *condition, *wanted, *expires)])
                peer.play([*STATES[state], ("SET", "k", "new", *expires, *wanted, *condition)])


@pytest.mark.parametrize("state", STATES)
def test_getex_with_all_its_options(peer: Peer, state: str) -> None:
    for expires in [*EXPIRES, ("PERSIST", "EX", "10"), ("PERSIST", "PERSIST"), ("NX",), ("GET",)]:
        peer.play([*STATES[state], ("GETEX", "k", *expires)])


COMMANDS: list[tuple[Word, ...]] = [
    ("GET", "k"),
    ("GET",),
    ("GET", "k", "k"),
    ("GETSET", "k", "new"),
    ("GETDEL", "k"),
    ("SETNX", "k", "new"),
    ("SETEX", "k", "100", "new"),
    ("SETEX", "k", "0", "new"),
    ("SETEX", "k", "x", "new"),
    ("SETEX", "k", "9223372036854775807", "new"),
    ("PSETEX", "k", "100000", "new"),
    ("PSETEX", "k", "-5", "new"),
    ("MGET", "k", "other", "k"),
    ("MSET", "k", "1", "l", "2", "k", "3"),
    ("MSET", "k", "1", "l"),
    ("MSETNX", "k", "1", "l", "2"),
    ("MSETNX", "l", "1", "l", "2"),
    ("MSETNX", "k", "1", "l"),
    ("APPEND", "k", "more"),
    ("APPEND", "k", ""),
    ("STRLEN", "k"),
    ("GETRANGE", "k", "0", "-1"),
    ("GETRANGE", "k", "1", "1"),
    ("GETRANGE", "k", "-2", "-1"),
    ("GETRANGE", "k", "-1", "-2"),
    ("GETRANGE", "k", "0", "-100"),
    ("GETRANGE", "k", "-100", "1"),
    ("GETRANGE", "k", "2", "1"),
    ("GETRANGE", "k", "-1", "0"),
    ("GETRANGE", "k", "3", "0"),
    ("GETRANGE", "k", "5", "100"),
    ("GETRANGE", "k", "-9223372036854775808", "9223372036854775807"),
    ("GETRANGE", "k", "a", "0"),
    ("GETRANGE", "k", "0", "a"),
    ("SUBSTR", "k", "0", "1"),
    ("SUBSTR", "k", "0"),
    ("SETRANGE", "k", "0", "X"),
    ("SETRANGE", "k", "5", "XYZ"),
    ("SETRANGE", "k", "5", ""),
    ("SETRANGE", "k", "-1", "X"),
    ("SETRANGE", "k", "-1", ""),
    ("SETRANGE", "k", "a", "X"),
    ("SETRANGE", "k", "536870911", "XY"),
    ("SETRANGE", "k", "536870912", "X"),
    ("SETRANGE", "k", "9223372036854775807", "X"),
    ("SETRANGE", "k", "9223372036854775808", "X"),
    ("SET", "k", ""),
    ("SET", "k"),
    ("LCS", "k", "l"),
    ("LCS", "l", "k", "IDX", "LEN"),
    ("LCS", "k", "l", "MINMATCHLEN"),
    ("LCS", "k", "l", "MINMATCHLEN", "x"),
    ("LCS", "k", "l", "foo"),
]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("state", STATES)
def test_replies_and_what_is_left(peer: Peer, state: str, protocol: int) -> None:
    for command in COMMANDS:
        peer.play([*STATES[state], command], protocol)


def test_string_can_be_anything(peer: Peer) -> None:
    everything = bytes(range(256)) * 5
    peer.play(
        [
            ("SET", everything, everything),
            ("GET", everything),
            ("SETRANGE", everything, "1270", everything),
            ("GETRANGE", everything, "1000", "2000"),
            ("STRLEN", everything),
            ("SET", "", ""),
            ("GET", ""),
            ("MGET", "", everything),
        ]
    )


TEXTS = st.text("abc", max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(a=TEXTS, b=TEXTS, shortest=st.sampled_from(["-1", "0", "1", "2", "4"]))
def test_lcs_takes_turns_that_redis_takes(peer: Peer, a: str, b: str, shortest: str) -> None:
    peer.play(
        [
            ("MSET", "a", a, "b", b),
            ("LCS", "a", "b"),
            ("LCS", "a", "b", "LEN"),
            ("LCS", "a", "b", "IDX"),
            ("LCS", "a", "b", "idx", "MINMATCHLEN", shortest, "WITHMATCHLEN"),
        ]
    )
    peer.protocol(3)
    peer.same("LCS", "b", "a", "IDX")


def test_lcs_is_refused_where_table_would_not_fit(peer: Peer) -> None:
    peer.same("MSET", "a", "x" * 20_000, "b", "y" * 20_000)
    assert isinstance(peer.same("LCS", "a", "b"), ErrorReply)
    assert isinstance(peer.same("LCS", "a", "b", "LEN"), ErrorReply)
    peer.same("MSET", "a", "xy" * 2_000, "b", "yyx" * 2_000)
    peer.same("LCS", "a", "b", "LEN")
    peer.same("LCS", "a", "b", "IDX", "MINMATCHLEN", "2")


KEYS = st.sampled_from(["a", "b"])
VALUES = st.sampled_from(["", "x", "hello world", "-7", "3.50", "10"])
PLACES = st.sampled_from(["0", "1", "-1", "3", "-3", "100", "-100"])
TIMES = st.sampled_from([(), ("EX", "100"), ("KEEPTTL",), ("PXAT", "33177117420000")])
CONDITIONS = st.sampled_from([(), ("NX",), ("XX",)])
COMMAND = st.one_of(
    st.tuples(st.just("SET"), KEYS, VALUES),
    st.tuples(KEYS, VALUES, CONDITIONS, TIMES).map(lambda t: ("SET", t[0], t[1], *t[2], *t[3])),
    st.tuples(st.just("SETRANGE"), KEYS, st.sampled_from(["0", "2", "9"]), VALUES),
    st.tuples(st.just("GETRANGE"), KEYS, PLACES, PLACES),
    st.tuples(st.sampled_from(["APPEND", "SETNX", "GETSET"]), KEYS, VALUES),
    st.tuples(st.sampled_from(["GET", "GETDEL", "STRLEN", "INCR", "DECR", "DEL", "TTL"]), KEYS),
    st.tuples(st.just("INCRBY"), KEYS, st.sampled_from(["5", "-100", "x"])),
    st.tuples(st.just("INCRBYFLOAT"), KEYS, st.sampled_from(["0.1", "-3", "1.50", "x"])),
    st.tuples(st.just("EXPIRE"), KEYS, st.sampled_from(["1000", "-1"])),
    st.tuples(st.just("PERSIST"), KEYS),
    st.tuples(st.just("RENAME"), KEYS, KEYS),
    st.tuples(st.just("COPY"), KEYS, KEYS, st.just("REPLACE")),
    st.tuples(st.just("MSETNX"), KEYS, VALUES, KEYS, VALUES),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=st.lists(COMMAND, max_size=30))
def test_any_commands_reply_as_redis_does(peer: Peer, commands: list[tuple[Word, ...]]) -> None:
    peer.play(commands)
