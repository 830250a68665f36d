"""Records belong to one end of a connection, in one incarnation of a process."""

from __future__ import annotations

from replication.machines.receiving.sink import Sink
from replication.machines.sending.source import Source
from sim.checkers.links.connection_records import ConnectionRecords
from sim.engine.events import SECOND
from tests.sim.planted import fresh


def begin(end: Sink | Source) -> list[str]:
    return [end.peer]


def test_record_is_kept_until_connection_ends() -> None:
    world = fresh()
    us, records = world.sites["us"], ConnectionRecords(begin)
    first, other = us.links.sinks["eu"], us.links.sinks["ap"]
    record = records.find(us, first)
    assert records.find(us, first) is record
    assert records.find(us, other) == ["ap"]
    world.reset_connections("us", "eu")
    world.sleep(SECOND)
    assert set(records.of(us)) == {first, other}
    second = us.links.sinks["eu"]
    assert records.find(us, second) == ["eu"]
    assert set(records.of(us)) == {other, second}


def test_two_connections_with_one_peer_have_records() -> None:
    """The source has not noticed that the peer has lost the first one."""
    world = fresh()
    eu, us, records = world.sites["eu"], world.sites["us"], ConnectionRecords(begin)
    first = eu.links.sources["us"]
    second = eu.links.serve(world.now)
    second.hello = first.hello
    record = records.find(eu, first)
    assert records.find(eu, second) is not record
    assert records.find(eu, first) is record
    assert records.of(us) == {}


def test_record_is_kept_for_last_frame() -> None:
    world = fresh()
    us, records = world.sites["us"], ConnectionRecords(begin)
    first = us.links.sinks["eu"]
    record = records.find(us, first)
    first.close("it refuses to go on")
    records.find(us, us.links.sinks["ap"])
    assert records.find(us, first) is record
    us.finish_turn()
    world.sleep(SECOND)
    records.find(us, us.links.sinks["eu"])
    assert first not in records.of(us)


def test_restart_begins_without_records() -> None:
    world = fresh()
    us, records = world.sites["us"], ConnectionRecords(begin)
    records.find(us, us.links.sinks["eu"])
    world.crash_process("us")
    world.restart_process("us")
    assert records.of(us) == {}
