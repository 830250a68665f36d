"""LATENCY."""

from __future__ import annotations

from crdb.commands.server.latency import draw_graph, format_age
from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.info.sections import information
from crdb.resp.decoder import ErrorReply, Reply, Status
from tests.crdb.raw import NOW, instance, lines
from tests.crdb.redis_peer import decode


def asked(client: Client, text: str) -> Reply:
    """Return the reply to one request."""
    return decode(receive(client, text.encode() + b"\r\n"))


def slow_client(*took: float) -> Client:
    """Return a client of a monitored instance, after commands that took so many seconds."""
    database = instance(latency_monitor_threshold="10")
    client = Client(database)
    for seconds in took:
        readings = iter([1.0, 1.0])
        database.timing.clock = lambda readings=readings, end=1.0 + seconds: next(readings, end)
        receive(client, b"KEYS *\r\n")
    database.timing.clock = lambda: 0.0
    return client


def test_latency_monitor_threshold_takes_effect() -> None:
    client = slow_client(0.0099, 0.0101, 0.0251, 0.0151)
    at = NOW // 1000
    assert asked(client, "LATENCY LATEST") == [[b"command", at, 25, 25]]
    assert asked(client, "LATENCY HISTORY command") == [[at, 25]]
    assert asked(client, "LATENCY HISTORY none") == []
    assert asked(client, "LATENCY RESET none") == 0
    assert asked(client, "LATENCY RESET") == 1
    lines(client, "CONFIG SET latency-monitor-threshold 0")
    assert b"off" in asked(client, "LATENCY DOCTOR")


def test_fast_command_has_event_of_its_own() -> None:
    database = instance(latency_monitor_threshold="1")
    client = Client(database)
    readings = iter([1.0, 1.005])
    database.timing.clock = lambda: next(readings, 2.0)
    receive(client, b"GET k\r\n")
    assert list(database.timing.latency.events) == ["fast-command"]


def test_doctor_reports_what_was_seen() -> None:
    client = slow_client(0.0201)
    assert b"command: 1 samples, mean 20 ms, longest 20 ms" in asked(client, "LATENCY DOCTOR")
    asked(client, "LATENCY RESET")
    assert asked(client, "LATENCY DOCTOR") == b"No event took 10 ms or longer.\n"


def test_graph_shows_heights_and_ages() -> None:
    text = draw_graph("command", [(100, 10), (160, 20), (4000, 15), (200_000, 30)], 200_001)
    assert text.startswith("command - high 30 ms, low 10 ms (all time high 30 ms)\n")
    rows = ["   `", "   |", " ` |", "_|`|", "", "2221", "ddds"]
    assert text.splitlines()[2:] == rows
    client = slow_client(0.0201)
    assert b"high 20 ms" in asked(client, "LATENCY GRAPH command")
    assert isinstance(asked(client, "LATENCY GRAPH none"), ErrorReply)


def test_ages() -> None:
    assert [format_age(seconds) for seconds in (-1, 5, 61, 7200, 90_000)] == [
        "0s",
        "5s",
        "1m",
        "2h",
        "1d",
    ]


def test_histograms_are_those_of_commands_that_ran() -> None:
    database = instance()
    client = Client(database)
    readings = iter([1.0, 1.0 + 3e-6, 2.0, 2.0 + 3e-6])
    database.timing.clock = lambda: next(readings, 3.0)
    receive(client, b"GET k\r\n")
    receive(client, b"GET k\r\n")
    reply = asked(client, "LATENCY HISTOGRAM get set nothing")
    assert reply == [b"get", [b"calls", 2, b"histogram_usec", [4, 2]]]
    assert asked(client, "LATENCY HISTOGRAM")[::2] == [b"get", b"latency|histogram"]
    assert asked(client, "LATENCY HISTOGRAM latency")[::2] == [b"latency|histogram"]
    assert asked(client, "LATENCY HISTOGRAM config|get ''") in ([], ErrorReply(b"ERR"))
    lines(client, "CONFIG RESETSTAT")
    assert asked(client, "LATENCY HISTOGRAM get") == []


def test_latency_tracking_and_its_percentiles_take_effect() -> None:
    database = instance(latency_tracking_info_percentiles="50 99.9")
    client = Client(database)
    readings = iter([1.0, 1.0 + 3e-6])
    database.timing.clock = lambda: next(readings, 2.0)
    receive(client, b"GET k\r\n")
    text = information(database, ["latencystats"])
    assert "latency_percentiles_usec_get:p50=3.071,p99.9=3.071\r\n" in text
    lines(client, "CONFIG SET latency-tracking no", "SET k v")
    assert "usec_set" not in information(database, ["latencystats"])


def test_help() -> None:
    reply = asked(slow_client(), "LATENCY HELP")
    assert all(isinstance(line, Status) for line in reply)
