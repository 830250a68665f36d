"""The output of MONITOR."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.clients.monitors import line_of, quoted
from crdb.engine.execution.executor import receive
from crdb.engine.session import OBSERVED
from tests.crdb.raw import instance


def test_arguments_are_quoted_as_redis_does() -> None:
    assert quoted(b'a"b\\c') == b'"a\\"b\\\\c"'
    assert quoted(b"\n\r\t\x07\x08\x00\xff~") == b'"\\n\\r\\t\\a\\b\\x00\\xff~"'


def test_line_has_time_database_address_and_arguments() -> None:
    line = line_of(1_700_000_000_042, b"127.0.0.1:5", [b"GET", b"k"])
    assert line == b'+1700000000.042000 [0 127.0.0.1:5] "GET" "k"\r\n'


def test_no_client_is_flagged_without_monitor() -> None:
    database = instance()
    client, monitor = Client(database, b"a:1"), Client(database, b"a:2")
    assert receive(monitor, b"MONITOR\r\n") == b"+OK\r\n"
    late = Client(database, b"a:3")
    assert client.flags & late.flags & OBSERVED
    monitor.leave()
    assert not (client.flags | late.flags) & OBSERVED
    receive(client, b"SET k v\r\n")
    assert monitor.out == []


def test_monitor_is_shown_commands_but_no_administration() -> None:
    database = instance()
    client, monitor = Client(database, b"a:1"), Client(database, b"a:2")
    receive(monitor, b"MONITOR\r\n")
    receive(client, b"CONFIG GET hz\r\nSET k v\r\n")
    assert monitor.out == [line_of(database.wall, b"a:1", [b"SET", b"k", b"v"])]


def test_monitor_that_is_being_closed_is_shown_nothing() -> None:
    database = instance()
    client, monitor = Client(database, b"a:1"), Client(database, b"a:2")
    receive(monitor, b"MONITOR\r\n")
    monitor.kill()
    receive(client, b"SET k v\r\n")
    assert monitor.out == []
