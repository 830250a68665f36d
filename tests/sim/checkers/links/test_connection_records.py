"""Records belong to the latest connection of a process with a peer."""

from __future__ import annotations

from replication.machines.receiving.sink import Sink
from sim.checkers.links.connection_records import ConnectionRecords
from sim.engine.events import SECOND
from tests.sim.planted import fresh


def begin(sink: Sink) -> list[str]:
    return [sink.peer]


def test_record_is_kept_until_next_connection() -> None:
    world = fresh()
    records = ConnectionRecords(begin)
    links = world.sites["us"].links
    first = links.sinks["eu"]
    record = records.find("us", first)
    assert records.find("us", first) is record
    assert records.find("us", links.sinks["ap"]) == ["ap"]
    assert records.find("ap", first) is not record
    world.reset_connections("us", "eu")
    world.sleep(SECOND)
    second = links.sinks["eu"]
    assert second is not first
    assert records.find("us", second) is not record
    assert records.find("us", first) is not record, "only the latest is kept"
