"""The checks before a handler is called, in Redis' order."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.errors import READ_ONLY
from crdb.engine.execution.executor import receive
from tests.crdb.declared import declared
from tests.crdb.raw import instance, lines


def test_instance_may_refuse_writes() -> None:
    database = instance()
    client = Client(database)
    lines(client, "SET k v")
    database.refuse_writes = READ_ONLY
    refusal = b"-" + READ_ONLY + b"\r\n"
    assert lines(client, "SET k w", "GET k") == [refusal, b"$1\r\nv\r\n"]
    assert lines(client, "MULTI", "GET k", "EXEC")[-1] == b"*1\r\n$1\r\nv\r\n"
    assert lines(client, "MULTI", "SET k w", "EXEC")[1:] == [
        refusal,
        b"-EXECABORT Transaction discarded because of previous errors.\r\n",
    ]


def test_transaction_is_refused_if_writes_become_forbidden() -> None:
    database = instance()
    client = Client(database)
    lines(client, "MULTI", "SET k w")
    database.refuse_writes = READ_ONLY
    assert lines(client, "EXEC", "EXEC") == [
        b"-EXECABORT Transaction discarded because of: " + READ_ONLY + b"\r\n",
        b"-ERR EXEC without MULTI\r\n",
    ]


def test_queue_without_end_is_cut() -> None:
    database = instance(client_query_buffer_limit="1mb")
    client = Client(database)
    lines(client, "MULTI")
    while not client.closing:
        receive(client, b"*2\r\n$4\r\nECHO\r\n$100000\r\n" + b"x" * 100_000 + b"\r\n")
        assert client.queue_bytes < 2 << 20
    assert client.killed
    assert database.statistics.dropped_query == 1


def test_error_replaces_partial_reply() -> None:
    client = Client(instance())
    lines(client, "RPUSH l a", "SADD s a")
    assert lines(client, "SUNION s l")[0].startswith(b"-WRONGTYPE")


def test_calls_refusals_and_failures_are_counted() -> None:
    database = instance()
    client = Client(database)
    lines(client, "RPUSH l a", "GET l", "GET", "MULTI", "GET k", "GET", "EXEC", "FOO")
    text = receive(client, b"INFO commandstats errorstats\r\n").decode()
    assert "cmdstat_get:calls=1,usec=0,usec_per_call=0.00,rejected_calls=2,failed_calls=1" in text
    assert "cmdstat_exec:calls=1" in text
    assert "errorstat_ERR:count=3" in text
    assert "errorstat_EXECABORT:count=1" in text
    assert "errorstat_WRONGTYPE:count=1" in text


def test_some_commands_are_not_for_transactions() -> None:
    database = instance()
    database.commands.by_name[b"ping"] = declared("ping", nothing, "[message]", "no_multi")
    assert lines(Client(database), "ping", "MULTI", "ping", "EXEC")[2:] == [
        b"-ERR Command not allowed inside a transaction\r\n",
        b"-EXECABORT Transaction discarded because of previous errors.\r\n",
    ]


def nothing(_client: Client, _args: list[bytes]) -> None:
    """A handler that does nothing."""


def test_cross_protocol_requests_are_reported() -> None:
    database = instance()
    events: list[str] = []
    database.report = lambda event: events.append(event.name)
    client = Client(database)
    assert receive(client, b"POST / HTTP/1.1\r\nSET k v\r\n") == b""
    assert client.killed
    assert events == ["cross-protocol request"]
    assert database.keyspace.size() == 0
