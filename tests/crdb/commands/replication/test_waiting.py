"""WAIT."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.resp.decoder import ErrorReply
from tests.crdb.raw import instance
from tests.crdb.redis_peer import decode


def waiting_client() -> tuple[Client, list[int]]:
    """Return a client, and the vectors that two regions have acknowledged."""
    database = instance()
    held = [0, 0]
    database.surroundings.count_acknowledged = lambda seq: sum(each >= seq for each in held)
    return Client(database), held


def test_wait_counts_regions_that_have_caught_up() -> None:
    client, held = waiting_client()
    assert receive(client, b"WAIT 2 0\r\n") == b":2\r\n"
    receive(client, b"SET a 1\r\nSET b 2\r\n")
    held[0] = 2
    assert receive(client, b"WAIT 1 1000\r\n") == b":1\r\n"
    assert receive(client, b"WAIT 2 0\r\nPING\r\n") == b""
    held[1] = 1
    client.instance.advance(client.instance.now + 10)
    client.instance.tick()
    assert client.blocked
    held[1] = 2
    client.instance.advance(client.instance.now + 100)
    client.instance.tick()
    assert receive(client, b"") == b":2\r\n+PONG\r\n"


def test_timeout_replies_number_of_replicas() -> None:
    client, held = waiting_client()
    receive(client, b"SET a 1\r\n")
    held[0] = 1
    assert receive(client, b"WAIT 2 50\r\n") == b""
    client.instance.advance(client.instance.now + 50)
    client.instance.tick()
    assert b"".join(client.out) == b":1\r\n"


def test_writes_that_come_later_do_not_hold_it_up() -> None:
    client, held = waiting_client()
    receive(client, b"SET a 1\r\n")
    held[0] = 1
    assert receive(client, b"WAIT 2 0\r\n") == b""
    receive(Client(client.instance), b"SET b 2\r\n")
    held[1] = 1
    client.instance.polling.poll(client.instance.now)
    assert b"".join(client.out) == b":2\r\n"


def test_inside_transaction_it_never_waits() -> None:
    client, _ = waiting_client()
    receive(client, b"SET a 1\r\nMULTI\r\nWAIT 1 0\r\n")
    assert receive(client, b"EXEC\r\n") == b"*1\r\n:0\r\n"


def test_follower_has_no_regions_to_wait_for() -> None:
    client, _ = waiting_client()
    client.instance.role = b"replica"
    assert isinstance(decode(receive(client, b"WAIT 0 0\r\n")), ErrorReply)


def test_far_deadline_is_refused() -> None:
    client, _ = waiting_client()
    assert isinstance(decode(receive(client, b"WAIT 0 1000000000000000\r\n")), ErrorReply)


def test_waitaof_is_refused_with_reason() -> None:
    client, _ = waiting_client()
    reply = decode(receive(client, b"WAITAOF 1 0 0\r\n"))
    assert reply == ErrorReply(b"ERR WAITAOF is not supported by crdb: data lives in memory only")
