"""The commands of keys: replies as a real server's, conflicts as the specification says."""

from __future__ import annotations

import random
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crdb.engine.client import Client
from crdb.engine.executor import receive
from crdt.types.registry import DEFINITIONS
from tests.crdb.raw import instance
from tests.crdb.redis_peer import Peer, Refusal, Reply, Status, Word, decode, encode
from tests.crdb.regions import Regions

FILLED: list[tuple[Word, ...]] = [
    ("SET", "string", "v"),
    ("INCRBY", "counter", "41"),
    ("SET", "brief", "v", "EX", "1000"),
    ("SADD", "set", "a", "b", "c"),
    ("SADD", "integers", "1", "2"),
    ("EXPIRE", "integers", "1000"),
    ("HSET", "hash", "f", "v", "g", "w"),
    ("HINCRBY", "hash", "n", "7"),
    ("RPUSH", "list", "a", "b", "a"),
    ("EXPIRE", "list", "1000"),
    ("ZADD", "zset", "1.5", "a", "-inf", "b"),
    ("SET", "expired", "v", "PXAT", "1"),
]
NAMES = [
    *["string", "counter", "brief", "set", "integers", "hash", "list", "zset", "expired"],
    "missing",
]
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
    ("OBJECT", "IDLETIME", "{k}"),
    ("OBJECT", "FREQ"),
    ("OBJECT", "FREQ", "{k}", "x"),
    ("OBJECT", "foo", "{k}"),
    ("OBJECT",),
]


def on(key: str, template: tuple[Word, ...]) -> list[Word]:
    """The command with its key filled in."""
    return [key if word == "{k}" else word for word in template]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("key", NAMES)
def test_commands_on_a_key_of_each_type(peer: Peer, key: str, protocol: int) -> None:
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


# -- patterns --------------------------------------------------------------------------------

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


def test_a_hostile_pattern_costs_no_more_than_its_length_times_the_texts(peer: Peer) -> None:
    peer.ours.run(encode(("SET", "a" * 10_000, "v")))
    assert peer.ours.run(encode(("KEYS", "a*" * 5_000 + "b"))) == b"*0\r\n"


# -- SCAN ------------------------------------------------------------------------------------


def walk(peer: Peer, *options: Word) -> tuple[set[bytes], set[bytes]]:
    """All keys that a scan of Redis and one of ours come by."""
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


def test_a_scan_comes_by_all_keys(peer: Peer) -> None:
    for command in [*FILLED, *((("SET", f"k{n}", n)) for n in range(60))]:
        peer.same(*command)
    for options in OPTIONS:
        theirs, ours = walk(peer, *options)
        assert ours == theirs


def test_a_scan_comes_by_what_is_there_all_the_time(peer: Peer) -> None:
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
        assert isinstance(peer.same("SCAN", cursor), Refusal)
    for cursor in ("", "+0", "00", "-0"):
        peer.same("SCAN", cursor)
    for options in ("COUNT", "COUNT 0", "COUNT -1", "COUNT x", "MATCH", "TYPE", "FOO", "FOO 1"):
        peer.same("SCAN", "0", *options.split())
    assert decode(peer.ours.run(encode(("SCAN", "18446744073709551615")))) == [b"0", []]


# -- any commands ----------------------------------------------------------------------------

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


# -- conflicts -------------------------------------------------------------------------------


def both(
    region_1: tuple[Word, ...], region_2: tuple[Word, ...], *setup: tuple[Word, ...]
) -> Regions:
    """Two regions after a concurrent write of each, and convergence."""
    regions = Regions(2)
    for words in setup:
        regions.run(1, *words)
    regions.sync()
    regions.run(1, *region_1)
    regions.now += 1
    regions.run(2, *region_2)
    regions.sync()
    return regions


SET = ("SADD", "x", "a", "b")


def test_key_1_a_delete_removes_what_it_has_seen() -> None:
    """Rules KEY-1 and KEY-10."""
    regions = both(("DEL", "x"), ("SADD", "x", "c"), SET)
    assert regions.everywhere("SMEMBERS", "x") == [b"c"]
    assert both(("DEL", "x"), ("UNLINK", "x"), SET).everywhere("EXISTS", "x") == 0


def test_key_4_what_is_dead_is_not_seen() -> None:
    regions = both(("DEL", "x"), ("INCR", "y"), ("INCRBY", "x", "5"))
    for command, answer in (("KEYS *", [b"y"]), ("DBSIZE", 1), ("TYPE x", Status(b"none"))):
        assert regions.everywhere(*command.split()) == answer
    assert regions.everywhere("RANDOMKEY") == b"y"
    assert regions.run(1, "SCAN", "0")[1] == [b"y"]


def test_flush_removes_what_it_has_seen_of_all_keys() -> None:
    regions = both(("FLUSHALL",), ("INCRBY", "n", "5"), ("INCRBY", "n", "37"), SET)
    assert regions.everywhere("KEYS", "*") == [b"n"]
    assert regions.everywhere("GET", "n") == b"5"
    regions = both(("FLUSHDB",), ("SADD", "x", "c"), SET)
    assert regions.everywhere("SMEMBERS", "x") == [b"c"]


@pytest.mark.parametrize("command", ["RENAME", "COPY"])
def test_key_8_a_copy_is_new_and_the_rest_stays(command: str) -> None:
    regions = both((command, "x", "y"), ("SADD", "x", "late"), SET)
    assert regions.everywhere("SMEMBERS", "y") == [b"a", b"b"]
    left = [b"late"] if command == "RENAME" else [b"a", b"b", b"late"]
    assert regions.everywhere("SMEMBERS", "x") == left


def test_key_8_what_is_added_to_the_destination_merges_with_the_copy() -> None:
    regions = both(("RENAME", "x", "y"), ("SADD", "y", "late"), SET, ("SADD", "y", "gone"))
    assert regions.everywhere("SMEMBERS", "y") == [b"a", b"b", b"late"]


def test_key_8_a_counter_is_copied_as_the_number_that_it_shows() -> None:
    regions = both(("RENAME", "x", "y"), ("INCRBY", "x", "5"), ("INCRBY", "x", "37"))
    assert regions.everywhere("GET", "y") == b"37"
    assert regions.everywhere("GET", "x") == b"5"
    regions.run(1, "INCR", "y")
    regions.run(2, "INCR", "y")
    regions.sync()
    assert regions.everywhere("GET", "y") == b"39"


def test_d_09_two_destinations_are_both_left() -> None:
    regions = both(("RENAME", "x", "y"), ("RENAME", "x", "z"), ("SET", "x", "v"))
    assert regions.everywhere("MGET", "y", "z") == [b"v", b"v"]
    assert regions.everywhere("EXISTS", "x") == 0


@pytest.mark.parametrize("write", [SET, ("SET", "x", "v"), ("INCR", "x"), ("HSET", "x", "f", "v")])
def test_d_09_the_time_to_live_travels_with_the_copy(write: tuple[Word, ...]) -> None:
    for command in ("RENAME", "COPY"):
        regions = both((command, "x", "y"), ("DEL", "z"), write, ("EXPIRE", "x", "100"))
        assert regions.everywhere("TTL", "y") == 100


@pytest.mark.parametrize("write", [SET, ("SET", "x", "v"), ("HSET", "x", "f", "v")])
def test_d_10_a_rename_onto_a_key_ends_its_time_to_live(write: tuple[Word, ...]) -> None:
    onto = [("SADD", "y", "old"), ("EXPIRE", "y", "100")]
    regions = both(("RENAME", "x", "y"), ("EXPIRE", "y", "1000"), write, *onto)
    assert regions.everywhere("TTL", "y") == -1


def test_a_rename_is_one_operation() -> None:
    regions = Regions(2)
    regions.run(1, *SET)
    before = regions.replicas[1].vector
    regions.run(1, "RENAME", "x", "y")
    assert len(regions.replicas[1].since(before)) == 1


def test_d_02_a_key_of_two_types_shows_that_of_the_lower_region() -> None:
    regions = both(("SADD", "x", "a"), ("HSET", "x", "f", "v"))
    assert regions.everywhere("TYPE", "x") == Status(b"set")
    regions.run(2, "RENAME", "x", "y")
    regions.sync()
    assert regions.everywhere("KEYS", "*") == [b"y"]
    regions = both(("SADD", "x", "a"), ("HSET", "x", "f", "v"))
    regions.run(1, "DEL", "x")
    regions.sync()
    assert regions.everywhere("EXISTS", "x") == 0


def test_every_type_has_a_name() -> None:
    regions = Regions(1)
    for command in FILLED:
        regions.run(1, *command)
    shown = {regions.run(1, "TYPE", name).text for name in NAMES} - {b"none"}
    assert shown == {each.redis_name for each in DEFINITIONS if each.redis_name is not None}


def test_idle_time_counts_from_the_latest_use() -> None:
    database = instance()
    client = Client(database)
    start = database.now

    def idle(seconds: int, *requests: bytes) -> int:
        """The idle time of `k` that many seconds after the start, after these requests."""
        database.advance(start + seconds * 1000)
        for request in requests:
            receive(client, request + b"\r\n")
        return int(receive(client, b"OBJECT IDLETIME k\r\n")[1:-2])

    assert idle(0, b"SET k v") == 0
    assert idle(2) == 2
    assert idle(3, b"EXISTS k", b"TYPE k", b"TTL k", b"OBJECT ENCODING k") == 3
    assert idle(4, b"GET k") == 0
    assert idle(7, b"TOUCH k") == 0
    assert idle(9, b"APPEND k x") == 0
    assert idle(11, b"CLIENT NO-TOUCH ON", b"GET k") == 2
    assert idle(13, b"TOUCH k") == 0
    assert idle(15, b"CLIENT NO-TOUCH OFF", b"GET k") == 0
    assert receive(client, b"OBJECT IDLETIME none\r\n") == b"$-1\r\n"


def test_what_comes_from_another_region_counts_as_used_when_it_comes() -> None:
    regions = Regions(2)
    regions.run(1, "SET", "k", "v")
    regions.sync()
    assert regions.run(2, "OBJECT", "IDLETIME", "k") == 0
    regions.run(1, "SADD", "s", "m")
    regions.merge(1, 2)
    assert regions.run(2, "OBJECT", "IDLETIME", "s") == 0


@pytest.mark.parametrize("text", ["0", "9999", "10000", "-1", "007", "x", "12345678901234567890"])
def test_small_integers_are_shared_as_in_redis(peer: Peer, text: str) -> None:
    peer.same("SET", "k", text)
    peer.same("OBJECT", "REFCOUNT", "k")
    peer.same("RPUSH", "l", text)
    peer.same("OBJECT", "REFCOUNT", "l")
