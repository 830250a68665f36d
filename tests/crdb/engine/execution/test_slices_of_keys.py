"""Requests for large keys that are not settled."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.command import LOCKABLE
from crdb.engine.execution.executor import receive, run
from crdb.engine.instance import Instance
from crdb.engine.session import POSTPONED, WORKING
from crdt.embed.replica import Replica
from crdt.store.unsettled import STEPS_MAX
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
