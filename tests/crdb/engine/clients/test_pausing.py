"""The implementation of CLIENT PAUSE."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.clients.pausing import Pause
from crdb.engine.execution.executor import receive, run
from crdb.engine.session import PAUSED, POSTPONED
from tests.crdb.raw import instance


def test_pause_is_never_shortened_or_weakened() -> None:
    pause = Pause({}, lambda _session: None)
    pause.begin(100, holds_reads=True)
    pause.begin(50, holds_reads=False)
    assert (pause.ends_at, pause.holds_reads) == (100, True)
    pause.expire(99)
    assert pause.ends_at == 100
    pause.expire(100)
    assert (pause.ends_at, pause.holds_reads) == (None, False)


def test_writes_wait_and_go_on_in_order() -> None:
    database = instance()
    client = Client(database)
    database.pause.begin(database.now + 100, holds_reads=False)
    assert receive(client, b"GET k\r\nSET k v\r\nGET k\r\n") == b"$-1\r\n"
    assert client.flags & POSTPONED
    assert b"blocked_clients:1\r\n" in receive(Client(database), b"INFO clients\r\n")
    assert receive(client, b"PING\r\n") == b""
    assert database.deadline <= database.now + 100
    database.advance(database.now + 100)
    database.tick()
    assert database.woken == [client]
    assert receive(client, b"") == b"+OK\r\n$1\r\nv\r\n+PONG\r\n"


def test_end_of_pause_wakes_only_those_with_postponed_request() -> None:
    database = instance()
    waiting, idle = Client(database), Client(database)
    database.pause.begin(database.now + 100, holds_reads=False)
    receive(waiting, b"SET k v\r\n")
    database.pause.end()
    assert database.woken == [waiting]
    assert not (waiting.flags | idle.flags) & PAUSED


def test_transaction_that_writes_waits_at_exec() -> None:
    database = instance()
    client = Client(database)
    receive(client, b"MULTI\r\nSET k v\r\n")
    database.pause.begin(database.now + 100, holds_reads=False)
    assert receive(client, b"EXEC\r\n") == b""
    database.pause.end()
    assert receive(client, b"") == b"*1\r\n+OK\r\n"


def test_client_that_comes_during_pause_waits_too() -> None:
    database = instance()
    database.pause.begin(database.now + 100, holds_reads=True)
    client = Client(database)
    assert client.flags & PAUSED
    assert receive(client, b"PING\r\n") == b""
    run(client, b"")
    assert client.postponed is not None
    client.leave()
    database.pause.end()
    assert database.woken == []
