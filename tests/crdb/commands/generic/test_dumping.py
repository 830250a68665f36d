"""DUMP and RESTORE in slices, under the policies of eviction, and what is refused."""

from __future__ import annotations

from typing import Any

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive, run
from crdb.engine.session import WORKING
from crdb.rdb.payload import seal
from tests.crdb.raw import instance, lines
from tests.crdb.redis_peer import Word, decode, encode, request
from tests.crdb.regions import Regions


def ask(client: Client, *words: Word) -> Any:
    """Return the decoded reply to a request."""
    return decode(receive(client, request(encode(words))))


def test_large_values_go_in_slices_and_come_back_equal() -> None:
    database = instance()
    client = Client(database)
    ask(client, "RPUSH", "list", *map(str, range(500)))
    ask(client, "HSET", "hash", *map(str, range(1000)))
    ask(client, "ZADD", "zset", *map(str, range(1000)))
    ask(client, "SET", "string", "x" * 500_000)
    database.slices.items = 50
    for key in ("list", "hash", "zset", "string"):
        run(client, request(encode(("DUMP", key))))
        assert client.flags & WORKING, key
        payload = decode(receive(client, b""))
        run(client, request(encode(("RESTORE", f"{key}:2", "0", payload))))
        assert client.flags & WORKING, key
        assert decode(receive(client, b"")).text == b"OK"
        assert ask(client, "DUMP", f"{key}:2") == payload


def test_damaged_large_payload_is_refused_and_changes_nothing() -> None:
    database = instance()
    client = Client(database)
    database.slices.items = 2
    ask(client, "SET", "k", "v")
    members = b"".join(b"\x02%02d" % (n % 90) for n in range(100))
    payload = seal([b"\x02\x40\x64" + members])
    assert ask(client, "RESTORE", "k", "0", payload, "REPLACE").text == b"ERR Bad data format"
    wrong = payload[:-1] + bytes([payload[-1] ^ 1])
    reply = ask(client, "RESTORE", "k", "0", wrong, "REPLACE")
    assert reply.text == b"ERR DUMP payload version or checksum are wrong"
    assert ask(client, "GET", "k") == b"v"


def test_frequency_is_restored_under_policy_that_counts() -> None:
    client = Client(instance(maxmemory_policy="allkeys-lfu"))
    payload = seal([b"\x00\x01a"])
    ask(client, "RESTORE", "k", "0", payload, "FREQ", "77")
    assert ask(client, "OBJECT", "FREQ", "k") == 77
    ask(client, "RESTORE", "l", "0", payload)
    assert ask(client, "OBJECT", "FREQ", "l") == 5


def test_deadline_beyond_the_last_one_is_refused() -> None:
    client = Client(instance())
    reply = ask(client, "RESTORE", "k", str(1 << 60), seal([b"\x00\x01a"]))
    assert reply.text == b"ERR invalid expire time in 'restore' command"


def test_dump_of_streams_and_documents_is_refused_with_reason() -> None:
    client = Client(instance())
    ask(client, "XADD", "stream", "*", "f", "v")
    ask(client, "JSON.SET", "document", "$", "{}")
    for key, other in (("stream", b"XRANGE and XADD"), ("document", b"JSON.GET and JSON.SET")):
        assert ask(client, "DUMP", key).text.startswith(b"ERR DUMP of a ")
        assert ask(client, "DUMP", key).text.endswith(other)


def test_dump_of_hash_with_fields_that_expire_is_refused() -> None:
    """Redis 7.2 has no form for them. Without their deadlines they would stay for ever."""
    database = instance()
    client = Client(database)
    for count in (3, 300):
        ask(client, "HSET", "h", *map(str, range(2 * count)))
        payload = ask(client, "DUMP", "h")
        ask(client, "HEXPIRE", "h", "100", "FIELDS", "1", "2")
        refusal = ask(client, "DUMP", "h").text
        assert refusal.startswith(b"ERR DUMP of a hash with fields that expire")
        ask(client, "HPERSIST", "h", "FIELDS", "1", "2")
        assert ask(client, "DUMP", "h") == payload
        assert ask(client, "PING").text == b"PONG"


def test_migrate_is_refused_with_reason() -> None:
    [refused] = lines(Client(instance()), "MIGRATE 127.0.0.1 6379 k 0 1000")
    assert refused.startswith(b"-ERR MIGRATE is not supported by crdb: ")


def test_restored_value_survives_in_other_regions() -> None:
    """A concurrent addition merges with what REPLACE writes, as with COPY (D-09)."""
    regions = Regions(2)
    regions.run(1, "SADD", "s", "old")
    regions.sync()
    regions.run(2, "SADD", "s", "new")
    regions.run(1, "RESTORE", "s", "0", seal([b"\x02\x01\x01a"]), "REPLACE")
    regions.sync()
    assert regions.everywhere("SMEMBERS", "s") == [b"a", b"new"]
