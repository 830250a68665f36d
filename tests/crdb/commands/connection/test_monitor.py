"""MONITOR."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.resp.decoder import ErrorReply
from tests.crdb.raw import instance
from tests.crdb.redis_peer import decode


def test_commands_of_all_clients_are_shown_in_order() -> None:
    database = instance()
    monitor, one, two = (Client(database, b"a:%d" % n) for n in range(3))
    receive(monitor, b"MONITOR\r\n")
    receive(one, b"SET k v\r\nget k\r\n")
    receive(two, b"MULTI\r\nINCR n\r\nEXEC\r\n")
    shown = [line.split(b"] ", 1)[1] for line in b"".join(monitor.out).split(b"\r\n")[:-1]]
    assert shown == [b'"SET" "k" "v"', b'"get" "k"', b'"MULTI"', b'"INCR" "n"', b'"EXEC"']


def test_neither_secrets_nor_administration_is_shown() -> None:
    database = instance(requirepass="hidden")
    monitor, client = Client(database), Client(database)
    receive(monitor, b"AUTH hidden\r\nMONITOR\r\n")
    receive(client, b"AUTH wrong\r\nHELLO 3 AUTH default hidden\r\nCONFIG SET timeout 5\r\n")
    shown = b"".join(monitor.out)
    assert b"hidden" not in shown
    assert b"wrong" not in shown
    assert b"CONFIG" not in shown
    assert b'"AUTH" "(redacted)"' in shown


def test_reset_ends_it() -> None:
    database = instance()
    monitor, client = Client(database), Client(database)
    assert receive(monitor, b"MONITOR\r\nRESET\r\n") == b"+OK\r\n+RESET\r\n"
    receive(client, b"SET k v\r\n")
    assert monitor.out == []


def test_monitor_that_does_not_read_is_closed() -> None:
    database = instance(client_output_buffer_limit="normal 2000 0 0")
    monitor, client = Client(database), Client(database)
    receive(monitor, b"MONITOR\r\n")
    for _ in range(100):
        receive(client, b"SET k " + b"x" * 40 + b"\r\n")
    assert monitor.killed
    assert database.statistics.dropped_output == 1
    assert client.out == []


def test_it_is_refused_inside_transaction() -> None:
    client = Client(instance())
    receive(client, b"MULTI\r\nMONITOR\r\n")
    assert isinstance(decode(receive(client, b"EXEC\r\n"))[0], ErrorReply)
