"""What a region waits for that has restarted, and what it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import attrs
import pytest

from crdb.commands.table import build_table
from crdb.engine.instance import Instance
from crdb.engine.parameters.table import ParameterTable
from crdb.region.core.recovery import (
    FIRST_REPORT_NS,
    REPEAT_NS,
    REPEAT_NS_MAX,
    SOME_ANSWER,
    RegionRecovery,
)
from crdb.region.core.staleness import Staleness
from crdt.causality.dots import Vector, make_origin
from crdt.embed.replica import Replica
from replication.machines.sink import Sink
from replication.mesh.links import Links
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import BroughtBack, Recovered
from replication.protocol.frames import Eof, Refuse
from replication.protocol.peers import Direction, Member, Peer
from tests.replication.ends import hello

OLD = make_origin(1, 3)
Event = tuple[str, Mapping[str, object]]


@attrs.define
class Told:
    """A region's recovery, and its reports."""

    recovery: RegionRecovery
    links: Links
    events: list[Event]
    ready: int = 0

    def names(self) -> list[str]:
        return [name for name, _ in self.events]


def region() -> Told:
    replica = Replica(1)
    config = ParameterTable({"replica-serve-stale-data": "no"})
    instance = Instance(replica, build_table(), config=config)
    peers = [Peer("r2", 2, (2,)), Peer("r3", 3, (3,))]
    links = Links(replica, Member("r1", 1, replica.origin), peers)
    events: list[Event] = []
    recovery = RegionRecovery(
        Staleness(instance, links), links, lambda name, details: events.append((name, details))
    )
    told = Told(recovery, links, events)

    def count() -> None:
        told.ready += 1

    recovery.on_ready = count
    return told


def test_region_that_has_all_it_held_loses_nothing() -> None:
    told = region()
    told.recovery.begin("it has restarted", {OLD: 2})
    assert not told.recovery.is_ready
    told.links.replica.keyspace.vector[OLD] = 2
    told.recovery.recover()
    assert told.recovery.is_ready
    assert told.events == [("loading", {"reason": "it has restarted"})]
    assert told.ready == 1
    told.recovery.recover()
    assert told.ready == 1


@pytest.mark.parametrize(
    ("held", "have", "details"),
    [
        ({OLD: 2}, {}, {"everything": True, "writes": 2}),
        ({OLD: 2, OLD + 1: 5}, {OLD: 1, OLD + 1: 9}, {"everything": False, "writes": 1}),
        (None, {}, {"everything": True}),
        (None, {OLD: 1}, None),
        ({}, {}, None),
    ],
)
def test_effects_that_no_peer_has_are_reported(
    held: Vector | None, have: Vector, details: dict[str, object] | None
) -> None:
    told = region()
    told.recovery.begin("it has restarted", held)
    told.links.replica.keyspace.vector |= have
    told.links.recovery.record_caught_up("r3")
    told.recovery.recover()
    expected = [] if details is None else [("data lost", {**details, "peers": ["r3"]})]
    assert told.events[1:] == expected
    assert told.recovery.is_ready


def test_state_put_aside_counts_as_held_data() -> None:
    told = region()
    told.links.replica.string("k").set("v")
    told.links.replica.seal()
    told.recovery.begin_again("reused")
    told.links.reincarnate(0)
    assert told.recovery.held == {told.links.replica.region << 14: 1}
    assert told.links.memory.known_vector() == told.recovery.held
    told.recovery.begin_again("reused")
    assert told.recovery.held == {told.links.replica.region << 14: 1}
    assert told.names() == ["loading"]


def test_held_data_is_kept_after_earlier_incarnation() -> None:
    told = region()
    told.recovery.begin("it has restarted", {OLD: 9, make_origin(2): 4})
    told.recovery.begin_again("a peer knows what it wrote in an earlier life")
    assert told.links.memory.expects_data
    told.links.replica.keyspace.vector[OLD] = 7
    told.recovery.begin_again("reused")
    assert told.recovery.held == {OLD: 9, make_origin(2): 4}
    told.recovery.recover()
    assert told.events[-1] == ("data lost", {"everything": False, "peers": [], "writes": 6})


def test_what_it_held_stays_unknown_if_it_was() -> None:
    told = region()
    told.recovery.begin("it has restarted", None)
    told.recovery.begin_again("a peer knows what it wrote in an earlier life")
    assert told.recovery.held is None
    assert told.links.memory.expects_data


def test_blocked_region_stays_as_it_is_until_it_is_unblocked() -> None:
    told = region()
    told.recovery.begin("it has restarted", {})
    told.recovery.block()
    told.recovery.recover()
    assert not told.recovery.is_ready
    told.recovery.unblock()
    assert not told.recovery.is_ready, "it has not recovered"
    told.recovery.block()
    told.links.recovery.is_over = True
    told.recovery.unblock()
    assert told.recovery.is_ready


@pytest.mark.parametrize(
    ("event", "told_event"),
    [
        (BroughtBack("r2"), None),
        (BroughtBack("r2", merged=True), ("kept", {"moved": False})),
        (BroughtBack("r2", lost_keys=3), ("data lost", {"keys": 3, "everything": False})),
    ],
)
def test_what_becomes_of_state_put_aside(event: BroughtBack, told_event: Event | None) -> None:
    told = region()
    told.recovery.report_merge(event)
    assert told.events == ([] if told_event is None else [told_event])


def test_waiting_is_told_rarely_with_each_peers_reason() -> None:
    told = region()
    told.recovery.report_waiting(0)
    assert told.events == []
    told.recovery.begin("it has restarted", {OLD: 1})
    told.links.receive(told.links.dial("r2", 0), Eof("cannot connect: no"), 0)
    told.links.receive(told.links.dial("r3", 0), Refuse("never"), 0)
    told.recovery.report_waiting(5)
    told.recovery.report_waiting(4 + FIRST_REPORT_NS)
    assert told.names() == ["loading"]
    told.recovery.report_waiting(5 + FIRST_REPORT_NS)
    (_, details) = told.events[-1]
    assert details["peers"] == {"r2": "cannot connect: no", "r3": "never"}
    assert "does not serve" in str(details["reason"])
    assert "--start-empty" in str(details["remedy"])
    told.recovery.report_waiting(4 + FIRST_REPORT_NS + REPEAT_NS)
    assert len(told.events) == 2
    told.recovery.report_waiting(5 + FIRST_REPORT_NS + REPEAT_NS)
    assert len(told.events) == 3
    for _ in range(9):
        told.recovery.pause_ns *= 2
    told.recovery.report_waiting(told.recovery.report_at or 0)
    assert told.recovery.pause_ns == REPEAT_NS_MAX
    told.links.receive(told.links.dial("r2", 0), hello(2, {OLD: 1}), 0)
    told.recovery.report_waiting(told.recovery.report_at or 0)
    (_, details) = told.events[-1]
    assert "reason" not in details
    assert details["peers"] == {"r2": "it has not sent all that it has", "r3": "never"}


def answer(links: Links, peer: str, vector: Vector | None = None) -> Sink:
    """A peer that we dial greets us; if it holds nothing, that is its answer."""
    sink = links.dial(peer, 0)
    links.receive(sink, hello(int(peer[1:]), vector or {}), 0)
    links.handle(sink, sink.look(), 0)
    return sink


def refuse(links: Links) -> None:
    links.receive(links.dial("r3", 0), Refuse("never"), 0)


def fail_to_connect(links: Links) -> None:
    links.receive(links.dial("r3", 0), Eof("cannot connect: no"), 0)


def break_protocol(links: Links) -> None:
    links.broken(links.dial("r3", 0), RemoteProtocolError("no frame"), 0)


def cut_link(links: Links) -> None:
    links.cut("r3", Direction.IN, 0)


def say_nothing(_links: Links) -> None:
    pass


@pytest.mark.parametrize("held", [{OLD: 1}, None], ids=["held", "unknown"])
@pytest.mark.parametrize(
    "stay_away", [refuse, fail_to_connect, break_protocol, cut_link, say_nothing]
)
def test_region_that_held_something_waits_until_every_peer_has_answered(
    stay_away: Callable[[Links], None], held: Vector | None
) -> None:
    told = region()
    told.recovery.begin("it has restarted", held)
    links = told.links
    stay_away(links)
    answer(links, "r2")
    assert links.notice_recovery(0) == [], "r3 may have it"
    told.recovery.report_waiting(0)
    told.recovery.report_waiting(FIRST_REPORT_NS)
    (_, details) = told.events[-1]
    assert list(cast("dict[str, str]", details["peers"])) == ["r3"]
    assert details["reason"] == SOME_ANSWER
    assert "--start-empty" in str(details["remedy"])
    assert not told.recovery.is_ready
    links.cuts.clear()
    answer(links, "r3")
    assert links.notice_recovery(0) == [Recovered("r3")]
    told.recovery.report_waiting(FIRST_REPORT_NS)
    assert told.names()[-1] == "data lost"
    assert told.recovery.is_ready


def test_region_that_held_nothing_does_not_wait_for_peers_that_are_away() -> None:
    told = region()
    told.recovery.begin("it has restarted", {})
    fail_to_connect(told.links)
    answer(told.links, "r2")
    assert told.links.notice_recovery(0) == [Recovered("r2")]


def test_peer_that_holds_data_ends_wait_for_those_that_are_away() -> None:
    told = region()
    told.recovery.begin("it has restarted", {OLD: 1})
    fail_to_connect(told.links)
    told.links.replica.keyspace.vector[OLD] = 1
    answer(told.links, "r2", {OLD: 1})
    assert told.links.notice_recovery(0) == [Recovered("r2")]
    told.recovery.recover()
    assert told.names() == ["loading"]


def test_peer_that_we_refuse_counts_as_one_that_refuses() -> None:
    told = region()
    told.recovery.begin("it has restarted", None)
    told.links.receive(told.links.dial("r3", 0), hello(2), 0)
    assert told.links.recovery.refused == {"r3": "r1 did not expect 'r2'"}
    assert told.links.awaited()["r2"] == "it has not answered yet"
    told.links.cuts.add(("r2", told.links.dial("r3", 0).direction))
    assert told.links.awaited()["r2"] == "the link is cut"
