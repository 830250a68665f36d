"""Compare the replies of commands on keys with those of a real redis-server."""

from __future__ import annotations

import random
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crdb.resp.decoder import ErrorReply, Reply
from tests.crdb.commands.generic.filled import FILLED, NAMES
from tests.crdb.redis_peer import Peer, Word, decode, encode

ON_ONE_KEY: list[tuple[Word, ...]] = [
    ("TYPE", "{k}"),
    ("EXISTS", "{k}"),
    ("EXISTS", "{k}", "{k}", "set"),
    ("TOUCH", "{k}", "{k}", "missing"),
    ("DEL", "{k}"),
    ("DEL", "{k}", "{k}", "set", "missing"),
    ("UNLINK", "{k}", "string"),
    ("RENAME", "{k}", "{k}"),
    ("RENAME", "{k}", "new"),
    ("RENAMENX", "{k}", "{k}"),
    ("RENAMENX", "{k}", "new"),
    ("COPY", "{k}", "{k}"),
    ("COPY", "{k}", "{k}", "REPLACE"),
    ("COPY", "{k}", "new"),
    ("COPY", "{k}", "new", "DB", "0"),
    ("COPY", "{k}", "new", "db", "0", "replace"),
    ("COPY", "{k}", "new", "DB", "1"),
    ("COPY", "{k}", "new", "DB", "x"),
    ("COPY", "{k}", "new", "DB", "2147483648"),
    ("COPY", "{k}", "new", "DB"),
    ("COPY", "{k}", "new", "FOO"),
    ("OBJECT", "ENCODING", "{k}"),
    ("OBJECT", "refcount", "{k}"),
    ("OBJECT", "FREQ", "{k}"),
    ("OBJECT", "IDLETIME", "missing"),  # that of a key depends on the moment
    ("OBJECT", "FREQ"),
    ("OBJECT", "FREQ", "{k}", "x"),
    ("OBJECT", "foo", "{k}"),
    ("OBJECT",),
]


def on(key: str, template: tuple[Word, ...]) -> list[Word]:
    """Return the command with its key filled in."""
    return [key if word == "{k}" else word for word in template]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("key", NAMES)
def test_commands_on_key_of_each_type(peer: Peer, key: str, protocol: int) -> None:
    for template in ON_ONE_KEY:
        peer.play([*FILLED, on(key, template)], protocol)


@pytest.mark.no_cover  # what it runs is run by others here
@pytest.mark.parametrize("sink", NAMES)
@pytest.mark.parametrize("source", NAMES)
def test_from_any_type_onto_any_type(peer: Peer, source: str, sink: str) -> None:
    for command in ("RENAME", "RENAMENX", "COPY"):
        peer.play([*FILLED, (command, source, sink), ("TTL", sink), ("TYPE", source)])
    peer.play([*FILLED, ("COPY", source, sink, "REPLACE"), ("TTL", sink), ("TYPE", source)])


def test_words_that_are_missing_or_too_many(peer: Peer) -> None:
    for name in ("DEL", "UNLINK", "EXISTS", "TOUCH", "TYPE", "KEYS", "SCAN", "COPY"):
        peer.same(name)
    for name in ("TYPE", "RENAME", "RENAMENX", "KEYS"):
        peer.same(name, "a", "b", "c")
    for words in (("RANDOMKEY", "x"), ("DBSIZE", "x"), ("RENAME", "a"), ("COPY", "a")):
        peer.same(*words)


def test_object_help_names_its_subcommands(peer: Peer) -> None:
    lines = [line.text for line in decode(peer.ours.run(encode(("OBJECT", "HELP"))))]
    for name in (b"ENCODING", b"FREQ", b"HELP", b"IDLETIME", b"REFCOUNT"):
        assert any(line.startswith(name) for line in lines)
    peer.same("OBJECT", "HELP", "x")


@pytest.mark.parametrize("name", ["FLUSHALL", "FLUSHDB"])
def test_flush(peer: Peer, name: str) -> None:
    for words in ((), ("ASYNC",), ("sync",), ("FOO",), ("SYNC", "ASYNC")):
        peer.play([*FILLED, (name, *words), ("DBSIZE",), ("EXISTS", "set", "counter")])
    peer.play([*FILLED, (name,), ("INCR", "counter"), ("SADD", "set", "z"), ("TTL", "brief")])


def test_random_key(peer: Peer) -> None:
    assert peer.same("RANDOMKEY") is None
    peer.same("SET", "k", "v")
    assert peer.same("RANDOMKEY") == b"k"
    peer.same("SET", "l", "v", "PXAT", "1")
    assert all(peer.same("RANDOMKEY") == b"k" for _ in range(20))


PATTERNS = [
    *["*", "**", "", "?", "h?llo", "h*llo", "h[ae]llo", "h[^e]llo", "h[a-b]llo", "h[b-a]llo"],
    *["h[a-]llo", "h[]llo", "h[^]llo", "h[", "h[a", "h[^", "h[a-", "h\\", "h\\?llo", "\\h*"],
    *["*o", "*l*l*", "h**o", "[\\]]", "[\\", "[]]", "[^a]", "[a\\-z]*", "*\\", "*[", "*?", "?*"],
    *["[a-\\]]", "h\n*", "[\n]*", "*\x00*", "hello*", "HELLO", "*****x", "[^\\^]"],
]
TEXTS = [
    *["hello", "hallo", "hbllo", "hllo", "heeello", "h?llo", "h", "h[", "h\\", "]", "-", "^"],
    *["", "h\nllo", "\n", "a\x00b", "hello*", "[", "\\", "a", "HELLO", "a-z", "h-llo"],
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns(peer: Peer, pattern: str) -> None:
    peer.play([*(("SET", text, "v") for text in TEXTS), ("KEYS", pattern)])


SIGNS = st.text("ab*?[]^-\\", max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(patterns=st.lists(SIGNS, max_size=10), texts=st.lists(SIGNS.filter(bool), max_size=10))
def test_any_pattern(peer: Peer, patterns: list[str], texts: list[str]) -> None:
    peer.play([*(("SET", text, "v") for text in texts), *(("KEYS", each) for each in patterns)])


def test_hostile_pattern_takes_bounded_time(peer: Peer) -> None:
    peer.ours.run(encode(("SET", "a" * 10_000, "v")))
    assert peer.ours.run(encode(("KEYS", "a*" * 5_000 + "b"))) == b"*0\r\n"


def walk(peer: Peer, *options: Word) -> tuple[set[bytes], set[bytes]]:
    """Return all keys that a scan of Redis returns, and those that ours returns."""
    found: list[set[bytes]] = []
    for side in (peer.server, peer.ours):
        cursor, names = b"0", set[bytes]()
        while True:
            page = cast("list[Reply]", decode(side.run(encode(("SCAN", cursor, *options)))))
            names |= set(cast("list[bytes]", page[1]))
            cursor = cast("bytes", page[0])
            if cursor == b"0":
                break
        found.append(names)
    return found[0], found[1]


OPTIONS: list[tuple[Word, ...]] = [
    (),
    ("COUNT", "1"),
    ("count", "3", "MATCH", "k1*"),
    ("COUNT", "100000"),
    ("MATCH", "*"),
    ("MATCH", "[xk]?"),
    ("MATCH", "nothing"),
    ("TYPE", "string"),
    ("TYPE", "SET", "COUNT", "7"),
    ("TYPE", "zset"),
    ("TYPE", "list", "MATCH", "l*", "COUNT", "50", "COUNT", "2"),
    ("TYPE", "nonsense"),
]


def test_scan_comes_by_all_keys(peer: Peer) -> None:
    for command in [*FILLED, *((("SET", f"k{n}", n)) for n in range(60))]:
        peer.same(*command)
    for options in OPTIONS:
        theirs, ours = walk(peer, *options)
        assert ours == theirs


def test_scan_returns_keys_that_stay(peer: Peer) -> None:
    rng = random.Random(7)
    stay = {b"stay%d" % n for n in range(50)}
    for name in stay:
        peer.ours.run([b"SET", name, b"v"])
    cursor, seen = b"0", set[bytes]()
    while True:
        page = cast("list[Reply]", decode(peer.ours.run([b"SCAN", cursor, b"COUNT", b"5"])))
        seen |= set(cast("list[bytes]", page[1]))
        for _ in range(10):
            name = b"come%d" % rng.randrange(40)
            peer.ours.run([b"DEL", name] if rng.random() < 0.5 else [b"SET", name, b"v"])
        cursor = cast("bytes", page[0])
        if cursor == b"0":
            break
    assert stay <= seen


def test_cursors_and_options_that_make_no_sense(peer: Peer) -> None:
    for cursor in ("x", "1x", " 1", "1 ", "0x1", "18446744073709551616", "-x", "1.5"):
        assert isinstance(peer.same("SCAN", cursor), ErrorReply)
    for cursor in ("", "+0", "00", "-0"):
        peer.same("SCAN", cursor)
    for options in ("COUNT", "COUNT 0", "COUNT -1", "COUNT x", "MATCH", "TYPE", "FOO", "FOO 1"):
        peer.same("SCAN", "0", *options.split())
    assert decode(peer.ours.run(encode(("SCAN", "18446744073709551615")))) == [b"0", []]


KEYS = st.sampled_from(["a", "b", "c"])
STEP = st.one_of(
    st.tuples(st.just("SET"), KEYS, st.just("7")),
    st.tuples(st.just("SADD"), KEYS, st.sampled_from("xyz")),
    st.tuples(st.just("HSET"), KEYS, st.sampled_from("fg"), st.just("v")),
    st.tuples(st.just("RPUSH"), KEYS, st.sampled_from("xyz")),
    st.tuples(st.just("ZADD"), KEYS, st.sampled_from("123"), st.sampled_from("xyz")),
    st.tuples(st.sampled_from(["RENAME", "RENAMENX", "COPY"]), KEYS, KEYS),
    st.tuples(st.just("COPY"), KEYS, KEYS, st.just("REPLACE")),
    st.tuples(st.sampled_from(["DEL", "TYPE", "PERSIST", "INCR", "TTL"]), KEYS),
    st.tuples(st.just("EXPIRE"), KEYS, st.sampled_from(["1000", "-1"])),
    st.just(("DBSIZE",)),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=st.lists(STEP, max_size=30))
def test_any_commands_reply_as_redis_does(peer: Peer, commands: list[tuple[Word, ...]]) -> None:
    peer.play(commands)


@pytest.mark.parametrize("text", ["0", "9999", "10000", "-1", "007", "x", "12345678901234567890"])
def test_small_integers_are_shared_as_in_redis(peer: Peer, text: str) -> None:
    peer.same("SET", "k", text)
    peer.same("OBJECT", "REFCOUNT", "k")
    peer.same("RPUSH", "l", text)
    peer.same("OBJECT", "REFCOUNT", "l")


@pytest.mark.parametrize(
    "writes",
    ["SETRANGE k 0 5", "APPEND k 5", "SET k 5|INCRBYFLOAT k 1", "SET q 7|BITOP OR k q", "INCR k"],
)
def test_digits_that_are_held_as_bytes_are_not_shared(peer: Peer, writes: str) -> None:
    for words in [*writes.split("|"), "OBJECT REFCOUNT k", "OBJECT ENCODING k"]:
        peer.same(*words.split())
