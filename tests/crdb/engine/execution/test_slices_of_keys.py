"""Requests for large keys that are not settled."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.command import LOCKABLE
from crdb.engine.execution.executor import receive, run
from crdb.engine.instance import Instance
from crdb.engine.session import POSTPONED, WORKING
from crdt.embed.replica import Replica
from crdt.store.unsettled import STEPS_MAX
from tests.crdb.engine.execution.test_slices import begin, finish, sliced
from tests.crdb.raw import instance, lines


def unsettled() -> Instance:
    """Return an instance that has begun to merge a set of 30 members into its own."""
    database = instance()
    lines(Client(database), "SADD s a b c")
    database.replica.work_in_slices(1)
    other = Replica(9)
    other.set("s").add(*[f"{index}" for index in range(30)])
    other.set("t").add("a")
    database.replica.merge(other.snapshot())
    return database


def test_request_waits_until_large_key_is_settled() -> None:
    database = unsettled()
    first, second, third = (Client(database) for _ in range(3))
    run(first, b"SCARD s\r\n")
    run(second, b"SADD s d\r\nSCARD s\r\n")
    run(third, b"SCARD t\r\nPING\r\n")
    assert (first.out, second.out) == ([], [])
    assert first.flags & second.flags & POSTPONED
    assert b"".join(third.out) == b":1\r\n+PONG\r\n"
    assert receive(first, b"") == b":33\r\n"
    assert receive(second, b"") == b":1\r\n:34\r\n"


def test_key_that_is_not_large_is_settled_at_once() -> None:
    database = unsettled()
    client = Client(database)
    run(client, b"SCARD t\r\n")
    assert b"".join(client.out) == b":1\r\n"
    assert not database.keyspace.unsettled.is_large(b"t", 1)
    assert database.keyspace.unsettled.is_large(b"s", 1)


def test_transaction_waits_until_large_key_is_settled() -> None:
    database = unsettled()
    client = Client(database)
    run(client, b"MULTI\r\nSADD s d\r\nSCARD s\r\nEXEC\r\n")
    assert client.flags & POSTPONED
    assert receive(client, b"").endswith(b"*2\r\n:1\r\n:34\r\n")


def test_large_key_is_not_settled_while_a_command_works() -> None:
    database = unsettled()
    database.slices.items = 1
    lines(Client(database), "SADD u a b c")
    reading, client = Client(database), Client(database)
    run(reading, b"SMEMBERS u\r\n")
    assert reading.flags & WORKING
    run(client, b"SCARD s\r\n")
    database.slices.run_slice()
    assert database.keyspace.unsettled.is_large(b"s", 1)
    database.slices.finish_all()
    assert reading.flags & WORKING == 0
    assert receive(client, b"") == b":33\r\n"


def test_request_for_all_keys_waits_until_all_are_settled() -> None:
    database = unsettled()
    sizing, random, client = (Client(database) for _ in range(3))
    run(sizing, b"DBSIZE\r\n")
    run(random, b"MULTI\r\nDEL t\r\nDBSIZE\r\nFLUSHALL\r\nDBSIZE\r\nEXEC\r\n")
    run(client, b"PING\r\n")
    assert sizing.flags & random.flags & POSTPONED
    assert database.keyspace.is_unsettled
    assert b"".join(client.out) == b"+PONG\r\n"
    assert receive(sizing, b"") == b":2\r\n"
    assert receive(random, b"").endswith(b"*4\r\n:1\r\n:1\r\n+OK\r\n:0\r\n")


def test_request_for_all_keys_does_not_wait_for_ever() -> None:
    database = unsettled()
    client = Client(database)
    run(client, b"DBSIZE\r\n")
    database.slices.run_slice()
    database.keyspace.unsettled.begun += STEPS_MAX
    database.slices.run_slice()
    assert database.keyspace.is_unsettled
    database.keyspace.unsettled.begun += 1
    database.slices.run_slice()
    assert not database.keyspace.is_unsettled
    assert receive(client, b"") == b":2\r\n"


def test_guards_are_asked_only_while_keys_wait() -> None:
    database = unsettled()
    client = Client(database)
    run(client, b"PING\r\n")
    assert database.guarded_bits & LOCKABLE
    database.keyspace.settle_all()
    run(client, b"PING\r\n")
    assert not database.guarded_bits & LOCKABLE


def test_flush_resets_counters_in_slices() -> None:
    database = sliced()
    lines(Client(database), "INCR a", "INCRBY b 2", "INCR c", "SET d x", "INCR d")
    flushing, reading = begin(database, "FLUSHALL"), Client(database)
    assert receive(reading, b"GET b\r\n") == b""
    assert finish(database, flushing) == b"+OK\r\n"
    assert receive(reading, b"") == b"$-1\r\n"
    assert lines(reading, "DBSIZE", "INCR b") == [b":0\r\n", b":1\r\n"]
    database.replica.seal()
    peer = Replica(2)
    peer.merge(database.replica.snapshot())
    assert peer.counter("b").value == 1
    assert peer.keyspace.keys() == [b"b"]


def test_flush_resets_counts_in_hashes_in_slices() -> None:
    database = sliced()
    lines(Client(database), "HINCRBY a n 1", "HINCRBY b n 1", "HINCRBY c n 1")
    flushing = begin(database, "FLUSHALL")
    assert finish(database, flushing) == b"+OK\r\n"
    assert lines(Client(database), "DBSIZE", "HINCRBY b n 2") == [b":0\r\n", b":2\r\n"]


def test_small_flush_ends_in_its_first_slice() -> None:
    database = sliced(items=1000)
    lines(Client(database), "INCR a", "HINCRBY b n 1", "SET c x")
    assert lines(Client(database), "FLUSHALL", "DBSIZE") == [b"+OK\r\n", b":0\r\n"]
    assert database.slices.is_idle()


def test_work_of_replica_goes_on_between_commands() -> None:
    database = sliced()
    replica = database.replica
    replica.work_in_slices(1)
    other = Replica(9)
    for index in range(3):
        other.set(f"{index}").add("a")
    assert database.slices.is_idle()
    replica.merge(other.snapshot())
    assert not database.slices.is_idle()
    client = begin(database, "SMEMBERS s")
    assert database.slices.run_slice() is client
    assert len(replica.keyspace.unsettled.steps) == 1
    database.slices.finish_all()
    while not database.slices.is_idle():
        assert database.slices.run_slice() is None
    assert replica.is_settled()
    assert replica.keyspace.size() == 4


@pytest.mark.parametrize(
    ("request_line", "reply"),
    [
        ("DBSIZE", b":4\r\n"),
        ("KEYS 2", b"*1\r\n$1\r\n2\r\n"),
        ("SCAN 0 MATCH 2", b"*2\r\n$1\r\n0\r\n*1\r\n$1\r\n2\r\n"),
        ("MULTI\r\nDBSIZE\r\nEXEC", b"+OK\r\n+QUEUED\r\n*1\r\n:4\r\n"),
    ],
)
def test_request_for_all_keys_waits_until_they_are_settled(request_line: str, reply: bytes) -> None:
    database = sliced(items=1000)
    database.replica.work_in_slices(1)
    other = Replica(9)
    for index in range(3):
        other.set(f"{index}").add("a")
    database.replica.merge(other.snapshot())
    client = Client(database)
    run(client, request_line.encode() + b"\r\n")
    assert database.slices.is_preparing(client)
    assert lines(Client(database), "SCARD 1") == [b":1\r\n"]
    assert receive(client, b"") == reply
