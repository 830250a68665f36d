"""OBJECT ENCODING. The limits are those of Redis 7.2."""

from __future__ import annotations

import random
from typing import Any

import pytest

from crdb.commands.table import build_table
from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.instance import Instance
from crdb.engine.parameters.encodings import encoding_of
from crdt.embed.replica import Replica
from crdt.writes import content as contents
from tests.crdb.raw import instance
from tests.crdb.regions import Regions

STRING, SET, HASH, ZSET, LIST = 1, 2, 3, 4, 5


def numbered(count: int, size: int = 1) -> list[bytes]:
    """Return different items of at least `size` bytes."""
    return [b"%d" % n + b"x" * size for n in range(count)]


CASES: list[tuple[int, list[Any], bytes]] = [
    (STRING, [b"12345678901234567"], b"int"),
    (STRING, [b"012"], b"embstr"),
    (STRING, [b"x" * 44], b"embstr"),
    (STRING, [b"x" * 45], b"raw"),
    (SET, [b"%d" % n for n in range(512)], b"intset"),
    (SET, [b"%d" % n for n in range(513)], b"hashtable"),
    (SET, numbered(128), b"listpack"),
    (SET, numbered(129), b"hashtable"),
    (SET, [b"x" * 65], b"hashtable"),
    (HASH, [item for name in numbered(512) for item in (name, b"v")], b"listpack"),
    (HASH, [item for name in numbered(513) for item in (name, b"v")], b"hashtable"),
    (HASH, [b"f", b"x" * 65], b"hashtable"),
    (ZSET, [item for name in numbered(128) for item in (name, 1.0)], b"listpack"),
    (ZSET, [item for name in numbered(129) for item in (name, 1.0)], b"skiplist"),
    (ZSET, [b"x" * 65, 1.0], b"skiplist"),
    (LIST, [b"x" * 1000] * 8, b"listpack"),
    (LIST, [b"x" * 1000] * 9, b"quicklist"),
    (LIST, [b""] * 4096, b"listpack"),
    (LIST, [b""] * 4097, b"quicklist"),
]


@pytest.mark.parametrize(("code", "content", "encoding"), CASES)
def test_limits(code: int, content: list[Any], encoding: bytes) -> None:
    db = Replica(1).keyspace
    contents.put(db, b"k", code, content, None)
    value = db.lookup(b"k")
    assert value is not None
    assert encoding_of(db.types.definition(value), value) == encoding


@pytest.mark.parametrize(
    ("code", "content", "parameter", "value", "encoding"),
    [
        (SET, [b"1", b"2"], "set-max-intset-entries", "1", b"hashtable"),
        (SET, [b"1", b"a"], "set-max-intset-entries", "1", b"listpack"),
        (SET, [b"a", b"b"], "set-max-listpack-entries", "1", b"hashtable"),
        (SET, [b"abc"], "set-max-listpack-value", "2", b"hashtable"),
        (HASH, [b"a", b"1", b"b", b"2"], "hash-max-listpack-entries", "1", b"hashtable"),
        (HASH, [b"a", b"123"], "hash-max-listpack-value", "2", b"hashtable"),
        (ZSET, [b"a", 1.0, b"b", 2.0], "zset-max-listpack-entries", "1", b"skiplist"),
        (ZSET, [b"abc", 1.0], "zset-max-ziplist-value", "2", b"skiplist"),
        (ZSET, [b"abc", 1.0], "zset-max-listpack-value", "3", b"listpack"),
        (LIST, [b"a", b"b"], "list-max-listpack-size", "1", b"quicklist"),
        (LIST, [b"a"], "list-max-listpack-size", "0", b"listpack"),
        (LIST, [b"x" * 9000], "list-max-listpack-size", "5", b"quicklist"),
        (LIST, [b"x" * 9000], "list-max-listpack-size", "-3", b"listpack"),
        (LIST, [b"x" * 60_000], "list-max-listpack-size", "-9", b"listpack"),
    ],
)
def test_limits_follow_their_parameters(
    code: int, content: list[Any], parameter: str, value: str, encoding: bytes
) -> None:
    database = instance()
    client = Client(database)
    contents.put(client.db, b"k", code, content, None)
    assert receive(client, f"CONFIG SET {parameter} {value}\r\n".encode()) == b"+OK\r\n"
    reported = receive(client, b"OBJECT ENCODING k\r\n")
    assert reported == b"$%d\r\n%b\r\n" % (len(encoding), encoding)


def test_remote_value_is_encoded_by_content() -> None:
    regions = Regions(2)
    regions.transaction(1, ("SET", "k", "1"), ("APPEND", "k", "2"))
    regions.sync()
    assert regions.run(1, "OBJECT", "ENCODING", "k") == b"raw"
    assert regions.run(2, "OBJECT", "ENCODING", "k") == b"int"
    regions.now += 1
    regions.run(2, "SET", "k", "3")
    regions.merge(2, 1)
    assert regions.run(1, "OBJECT", "ENCODING", "k") == b"int"


def test_type_without_encoding_is_raw() -> None:
    replica = Replica(1)
    replica.multi_value("k").set("a")
    client = Client(Instance(replica, build_table(), name="test", rng=random.Random(1)))
    assert receive(client, b"OBJECT ENCODING k\r\n") == b"$3\r\nraw\r\n"
