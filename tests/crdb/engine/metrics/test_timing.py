"""Commands that are timed separately, and the record of slow ones."""

from __future__ import annotations

from crdb.commands.table import build_table
from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.metrics.timing import SUSPICION_MS
from tests.crdb.raw import instance, lines

TABLE = build_table().by_name


def pipelined(client: Client, requests: bytes, *readings: float) -> None:
    """Run requests in one batch, while the clock shows these readings."""
    left = iter(readings)
    client.instance.timing.clock = lambda: next(left)
    receive(client, requests)
    assert list(left) == []


def calls(client: Client, name: bytes) -> tuple[int, float]:
    """Return the number of calls of a command, and its seconds."""
    statistics = client.instance.statistics
    number = TABLE[name].number
    return statistics.calls[number], round(statistics.spent[number], 6)


def test_short_commands_of_pipeline_share_its_time() -> None:
    client = Client(instance())
    pipelined(client, b"SET a 1\r\nSET b 1\r\nGET a\r\nSET c 1\r\n", 1.0, 1.0004)
    assert calls(client, b"set") == (3, 0.0003)
    assert calls(client, b"get") == (1, 0.0001)


def test_command_that_may_take_long_is_timed_by_itself() -> None:
    client = Client(instance())
    pipelined(client, b"GET a\r\nKEYS *\r\nGET a\r\n", 1.0, 1.1, 1.1, 1.5, 1.5, 1.7)
    assert calls(client, b"get") == (2, 0.3)
    assert calls(client, b"keys") == (1, 0.4)


def test_many_arguments_may_take_long() -> None:
    client = Client(instance())
    request = b"SADD k " + b" ".join(b"%d" % n for n in range(20)) + b"\r\n"
    pipelined(client, request, 1.0, 2.0, 2.5)
    assert calls(client, b"sadd") == (1, 0.5)


def test_subcommand_is_timed_by_itself() -> None:
    client = Client(instance())
    pipelined(client, b"GET a\r\nCONFIG GET hz\r\n", 1.0, 1.1, 1.2, 1.4, 1.4)
    assert calls(client, b"get") == (1, 0.1)


def test_one_short_command_that_took_long_is_logged() -> None:
    client = Client(instance())
    pipelined(client, b"GET a\r\n", 1.0, 1.02)
    assert [entry.args for entry in client.instance.timing.slow_log.entries] == [[b"GET", b"a"]]
    assert calls(client, b"get") == (1, 0.02)


def test_exec_is_not_logged_as_slow_itself() -> None:
    client = Client(instance())
    lines(client, "CONFIG SET latency-monitor-threshold 10", "MULTI")
    client.instance.timing.clock = (1.0, 1.0, 1.5, 1.5, 1.5).__iter__().__next__
    receive(client, b"EXEC\r\n")
    timing = client.instance.timing
    assert calls(client, b"exec") == (1, 0.5)
    assert list(timing.slow_log.entries) == []
    assert "command" in timing.latency.events


def test_slow_short_commands_are_timed_individually() -> None:
    client = Client(instance())
    timing, now = client.instance.timing, client.instance.now
    timing.cpu_clock = iter((5.0, 5.02)).__next__
    timing.begin_turn()
    pipelined(client, b"GET a\r\nGET b\r\n", 1.0, 1.02)
    assert timing.slow_log.entries.maxlen is None
    assert list(timing.slow_log.entries) == []
    assert timing.times_each
    pipelined(client, b"GET a\r\nGET b\r\n", 1.0, 1.0, 1.0, 1.0, 1.02)
    assert [entry.args for entry in timing.slow_log.entries] == [[b"GET", b"b"]]
    client.instance.advance(now + SUSPICION_MS)
    client.instance.tick()
    assert not timing.times_each


def test_time_in_which_the_process_did_not_run_raises_no_suspicion() -> None:
    client = Client(instance())
    timing = client.instance.timing
    timing.cpu_clock = iter((5.0, 5.001)).__next__
    timing.begin_turn()
    pipelined(client, b"GET a\r\nGET b\r\n", 1.0, 1.02)
    assert not timing.times_each
    assert calls(client, b"get") == (2, 0.02)


def test_fine_threshold_has_every_command_timed() -> None:
    client = Client(instance())
    lines(client, "CONFIG SET slowlog-log-slower-than 100")
    assert client.instance.timing.times_each
    lines(client, "CONFIG SET slowlog-log-slower-than -1")
    assert not client.instance.timing.times_each
    lines(client, "CONFIG SET latency-monitor-threshold 1")
    assert client.instance.timing.times_each
