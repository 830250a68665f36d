"""The time of a command in slices: as of when keys expire, and how long it took."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.execution.executor import run
from tests.crdb.engine.execution.test_slices import begin, finish, sliced
from tests.crdb.raw import NOW, lines


def test_expiry_stands_still_for_a_work() -> None:
    database = sliced()
    lines(Client(database), "SET k v PX 5")
    client = Client(database)
    run(client, b"MULTI\r\nGET k\r\nGET k\r\nGET k\r\nEXEC\r\n")
    database.advance(NOW + 10)
    assert finish(database, client).endswith(b"*3\r\n" + 3 * b"$1\r\nv\r\n")
    assert lines(client, "GET k") == [b"$-1\r\n"]


def test_time_of_all_slices_is_logged_once() -> None:
    database = sliced()
    database.config.slower_than_us = 3_000_000
    database.timing.configure(database.config)
    seconds = iter(range(1000))
    database.timing.clock = lambda: float(next(seconds))
    client = begin(database, "SMEMBERS s")
    finish(database, client)
    (entry,) = database.timing.slow_log.entries
    assert entry.args == [b"SMEMBERS", b"s"]
    assert entry.microseconds >= 3_000_000
    number = database.commands.by_name[b"smembers"].number
    assert database.statistics.calls[number] == 1
