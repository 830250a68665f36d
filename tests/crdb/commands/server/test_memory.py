"""MEMORY."""

from __future__ import annotations

import attrs

from crdb.commands.server.memory import diagnose
from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.info.memory_report import memory_report
from crdb.resp.decoder import Reply, Status
from tests.crdb.raw import instance
from tests.crdb.redis_peer import decode


def asked(client: Client, text: str) -> Reply:
    """Return the reply to one request."""
    return decode(receive(client, text.encode() + b"\r\n"))


def test_usage_grows_with_value() -> None:
    client = Client(instance())
    asked(client, "SET k " + "x" * 100)
    asked(client, "RPUSH l " + " ".join(str(n) for n in range(100)))
    assert 200 < asked(client, "MEMORY USAGE k") < 600
    assert asked(client, "MEMORY USAGE l SAMPLES 0") > 2_000
    assert asked(client, "MEMORY USAGE none") is None
    assert client.db.misses == 0


def test_stats_add_up() -> None:
    client = Client(instance())
    asked(client, "SET k v")
    reply = asked(client, "MEMORY STATS")
    found = dict(zip(reply[::2], reply[1::2], strict=True))
    assert found[b"keys.count"] == 1
    assert found[b"keys.bytes-per-key"] == found[b"dataset.bytes"]
    assert found[b"overhead.total"] + found[b"dataset.bytes"] == found[b"total.allocated"]
    assert asked(Client(instance()), "MEMORY STATS")[15] == 0


def test_purge_gives_memory_back() -> None:
    database = instance()
    purges: list[int] = []
    database.memory.release = lambda: purges.append(1)
    assert asked(Client(database), "MEMORY PURGE") == Status(b"OK")
    assert purges == [1]


def test_doctor_reports_problems() -> None:
    client = Client(instance())
    assert b"very little data" in asked(client, "MEMORY DOCTOR")
    healthy = attrs.evolve(
        memory_report(client.instance),
        process_bytes=100 << 20,
        peak_bytes=100 << 20,
        used_bytes=100 << 20,
        dataset_bytes=80 << 20,
    )
    assert diagnose(healthy, 1) == "Nothing remarkable was found.\n"
    sick = attrs.evolve(
        healthy, peak_bytes=300 << 20, dataset_bytes=20 << 20, client_bytes=10 << 20
    )
    assert len(diagnose(sick, 1).splitlines()) == 3
    assert len(diagnose(sick, 0).splitlines()) == 2


def test_allocator_statistics_are_not_available() -> None:
    client = Client(instance())
    assert asked(client, "MEMORY MALLOC-STATS") == b"Stats not supported for the current allocator"
    assert asked(client, "MEMORY HELP")[0].text.startswith(b"MEMORY <subcommand>")
