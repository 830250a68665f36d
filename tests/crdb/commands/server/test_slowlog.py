"""SLOWLOG."""

from __future__ import annotations

from collections.abc import Iterator

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.resp.decoder import Reply, Status
from tests.crdb.raw import NOW, instance, lines
from tests.crdb.redis_peer import decode


def ticking(*seconds: float) -> Iterator[float]:
    """Yield readings of a clock, each so many seconds after the previous one. Then the clock stands
    still."""
    now = 0.0
    for each in seconds:
        now += each
        yield now
    while True:
        yield now


def asked(client: Client, text: str) -> Reply:
    """Return the reply to one request."""
    return decode(receive(client, text.encode() + b"\r\n"))


def timed_client(*seconds: float) -> Client:
    """Return a client whose commands take so long. The clock is read before a batch, and before and
    after each command."""
    database = instance(slowlog_log_slower_than="1000")
    readings = ticking(*seconds)
    database.timing.clock = lambda: next(readings)
    return Client(database, b"127.0.0.1:5000")


def test_slow_command_in_pipeline_is_one_that_is_logged() -> None:
    client = timed_client(0, 0, 0.0001, 0, 0.0025, 0, 0.0001)
    receive(client, b"SET a 1\r\nSET b 2\r\nSET c 3\r\n")
    logged = asked(client, "SLOWLOG GET")
    assert logged == [[0, NOW // 1000, 2500, [b"SET", b"b", b"2"], b"127.0.0.1:5000", b""]]
    assert asked(client, "SLOWLOG LEN") == 1
    assert client.instance.statistics.calls.count(3) == 1
    assert asked(client, "SLOWLOG RESET") == Status(b"OK")
    assert asked(client, "SLOWLOG GET -1") == []


def test_slowlog_parameters_take_effect() -> None:
    client = timed_client()
    lines(client, "CONFIG SET slowlog-log-slower-than 0 slowlog-max-len 2", "SET a 1", "GET a")
    lines(client, "GET b")
    entries = asked(client, "SLOWLOG GET 10")
    assert [entry[3] for entry in entries] == [[b"GET", b"b"], [b"GET", b"a"]]
    lines(client, "CONFIG SET slowlog-log-slower-than -1", "GET c")
    assert [b"GET", b"c"] not in [entry[3] for entry in asked(client, "SLOWLOG GET -1")]


def test_password_is_not_logged() -> None:
    client = timed_client()
    lines(client, "CONFIG SET slowlog-log-slower-than 0", "CONFIG SET requirepass hidden")
    lines(client, "AUTH hidden", "AUTH default wrong", "HELLO 2 AUTH default hidden")
    assert b"hidden" not in receive(client, b"SLOWLOG GET -1\r\n")
    assert b"wrong" not in receive(client, b"SLOWLOG GET -1\r\n")


def test_exec_is_not_logged_but_its_commands_are() -> None:
    client = timed_client()
    lines(client, "CONFIG SET slowlog-log-slower-than 0", "MULTI", "SET a 1", "EXEC")
    names = [entry[3][0] for entry in asked(client, "SLOWLOG GET -1")]
    assert names == [b"SET", b"MULTI", b"CONFIG"]


def test_help() -> None:
    client = timed_client()
    assert asked(client, "SLOWLOG HELP")[0].text.startswith(b"SLOWLOG <subcommand>")
