"""A bug in a handler affects one client, and is reported."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.clients.crash_guard import contain_crash
from crdb.engine.execution.executor import receive, run
from crdb.engine.instance import Instance
from tests.crdb.declared import declared
from tests.crdb.events import Named, collector
from tests.crdb.raw import instance


def broken(_client: Client, _args: list[bytes]) -> None:
    """A handler with a bug."""
    raise ZeroDivisionError("by mistake")


@pytest.fixture
def database() -> Instance:
    """An instance whose PING has a bug."""
    made = instance()
    made.commands.by_name[b"PING"] = declared("ping", broken, "[message]")
    return made


def test_crash_closes_one_client_only(database: Instance) -> None:
    events: list[Named] = []
    database.report = collector(events)
    guilty, innocent = Client(database), Client(database)
    replies = receive(guilty, b"ECHO a\r\nPING\r\nECHO b\r\n")
    assert replies == b"$1\r\na\r\n-ERR internal error, the connection is closed\r\n"
    assert guilty.closing
    assert receive(innocent, b"ECHO a\r\n") == b"$1\r\na\r\n"
    [(event, details)] = events
    assert event == "internal error"
    assert details["client"] == guilty.id
    assert "ZeroDivisionError: by mistake" in str(details["traceback"])


def test_no_more_is_read_from_it(database: Instance) -> None:
    client = Client(database)
    run(client, b"PING\r\n")
    run(client, b"ECHO more\r\n")
    assert b"more" not in b"".join(client.out)


def test_result_without_crash_is_returned() -> None:
    client = Client(instance())
    assert contain_crash(client, lambda _event: None, lambda: True)
    assert not client.closing
