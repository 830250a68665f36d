"""Commands on keys, and conflicts between regions as the specification resolves them."""

from __future__ import annotations

import random

import pytest

from crdb.commands.table import build_table
from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.instance import Instance
from crdb.resp.decoder import Status
from crdt import Replica
from crdt.types.registry import DEFINITIONS
from tests.crdb.commands.generic.filled import FILLED, NAMES
from tests.crdb.raw import instance
from tests.crdb.redis_peer import Word
from tests.crdb.regions import Regions, both

SET = ("SADD", "x", "a", "b")


@pytest.mark.rule("KEY-1")
def test_delete_removes_what_it_has_seen() -> None:
    """Rules KEY-1 and KEY-10."""
    regions = both(("DEL", "x"), ("SADD", "x", "c"), SET)
    assert regions.everywhere("SMEMBERS", "x") == [b"c"]
    assert both(("DEL", "x"), ("UNLINK", "x"), SET).everywhere("EXISTS", "x") == 0


@pytest.mark.rule("KEY-4")
def test_deleted_keys_are_not_seen() -> None:
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
@pytest.mark.rule("KEY-8")
def test_concurrent_add_stays_at_source(command: str) -> None:
    regions = both((command, "x", "y"), ("SADD", "x", "late"), SET)
    assert regions.everywhere("SMEMBERS", "y") == [b"a", b"b"]
    left = [b"late"] if command == "RENAME" else [b"a", b"b", b"late"]
    assert regions.everywhere("SMEMBERS", "x") == left


@pytest.mark.rule("KEY-8")
def test_what_is_added_to_destination_merges_with_copy() -> None:
    regions = both(("RENAME", "x", "y"), ("SADD", "y", "late"), SET, ("SADD", "y", "gone"))
    assert regions.everywhere("SMEMBERS", "y") == [b"a", b"b", b"late"]


@pytest.mark.rule("KEY-8")
def test_counter_is_copied_as_number_that_it_shows() -> None:
    regions = both(("RENAME", "x", "y"), ("INCRBY", "x", "5"), ("INCRBY", "x", "37"))
    assert regions.everywhere("GET", "y") == b"37"
    assert regions.everywhere("GET", "x") == b"5"
    regions.run(1, "INCR", "y")
    regions.run(2, "INCR", "y")
    regions.sync()
    assert regions.everywhere("GET", "y") == b"39"


@pytest.mark.rule("D-09")
def test_two_destinations_are_both_left() -> None:
    regions = both(("RENAME", "x", "y"), ("RENAME", "x", "z"), ("SET", "x", "v"))
    assert regions.everywhere("MGET", "y", "z") == [b"v", b"v"]
    assert regions.everywhere("EXISTS", "x") == 0


@pytest.mark.parametrize("write", [SET, ("SET", "x", "v"), ("INCR", "x"), ("HSET", "x", "f", "v")])
@pytest.mark.rule("D-09")
def test_time_to_live_travels_with_copy(write: tuple[Word, ...]) -> None:
    for command in ("RENAME", "COPY"):
        regions = both((command, "x", "y"), ("DEL", "z"), write, ("EXPIRE", "x", "100"))
        assert regions.everywhere("TTL", "y") == 100


@pytest.mark.parametrize("write", [SET, ("SET", "x", "v"), ("HSET", "x", "f", "v")])
@pytest.mark.rule("D-10")
def test_rename_onto_key_ends_its_time_to_live(write: tuple[Word, ...]) -> None:
    onto = [("SADD", "y", "old"), ("EXPIRE", "y", "100")]
    regions = both(("RENAME", "x", "y"), ("EXPIRE", "y", "1000"), write, *onto)
    assert regions.everywhere("TTL", "y") == -1


def test_rename_is_one_operation() -> None:
    regions = Regions(2)
    regions.run(1, *SET)
    before = regions.replicas[1].vector
    regions.run(1, "RENAME", "x", "y")
    assert len(regions.replicas[1].since(before)) == 1


@pytest.mark.rule("D-02")
def test_key_of_two_types_shows_that_of_lower_region() -> None:
    regions = both(("SADD", "x", "a"), ("HSET", "x", "f", "v"))
    assert regions.everywhere("TYPE", "x") == Status(b"set")
    regions.run(2, "RENAME", "x", "y")
    regions.sync()
    assert regions.everywhere("KEYS", "*") == [b"y"]
    regions = both(("SADD", "x", "a"), ("HSET", "x", "f", "v"))
    regions.run(1, "DEL", "x")
    regions.sync()
    assert regions.everywhere("EXISTS", "x") == 0


def test_every_type_has_name() -> None:
    regions = Regions(1)
    others = (("JSON.SET", "document", "$", "{}"), ("XADD", "stream", "*", "f", "v"))
    for command in (*FILLED, *others):
        regions.run(1, *command)
    names = (*NAMES, "document", "stream")
    shown = {regions.run(1, "TYPE", name).text for name in names} - {b"none"}
    assert shown == {each.redis_name for each in DEFINITIONS if each.redis_name is not None}


def test_idle_time_counts_from_latest_use() -> None:
    database = instance()
    client = Client(database)
    start = database.now

    def idle(seconds: int, *requests: bytes) -> int:
        """Return the idle time of `k` so many seconds after the start, after these requests."""
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


def test_remote_write_resets_idle_time() -> None:
    regions = Regions(2)
    regions.run(1, "SET", "k", "v")
    regions.sync()
    assert regions.run(2, "OBJECT", "IDLETIME", "k") == 0
    regions.run(1, "SADD", "s", "m")
    regions.merge(1, 2)
    assert regions.run(2, "OBJECT", "IDLETIME", "s") == 0


def test_value_that_snapshot_adds_to_another_type_counts_as_used() -> None:
    regions = Regions(2)
    regions.run(2, "RPUSH", "k", "element")
    regions.run(1, "SADD", "k", "member")
    regions.merge(1, 2)
    assert regions.run(2, "TYPE", "k") == Status(b"set")
    assert regions.run(2, "OBJECT", "IDLETIME", "k") == 0


@pytest.mark.parametrize("line", [b"COPY k l", b"COPY k l REPLACE", b"RENAME k l", b"RENAMENX k m"])
def test_type_without_content_is_not_copied(line: bytes) -> None:
    """Redis has no command that makes such a value, but an embedding program can."""
    replica = Replica(1)
    replica.multi_value("k").set("a")
    replica.set("l").add("x")
    before = replica.digest()
    client = Client(Instance(replica, build_table(), name="test", rng=random.Random(1)))
    reply = b"-ERR the type of the key has no content that can be copied\r\n"
    if line == b"COPY k l":
        reply = b":0\r\n"  # the destination exists
    assert receive(client, line + b"\r\n") == reply
    assert replica.digest() == before
