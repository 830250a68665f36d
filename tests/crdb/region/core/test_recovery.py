"""The recovery of a restarted region: the peers it waits for, and its events."""

from __future__ import annotations

from collections.abc import Callable
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
from replication.machines.receiving.sink import Sink
from replication.mesh.links import Links
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import DisputedStateResolved, Recovered
from replication.protocol.frames import Eof, Refuse
from replication.protocol.peers import Direction, Member, Peer
from tests.crdb.events import Named, collector
from tests.replication.ends import hello

OLD = make_origin(1, 3)


@attrs.define
class Reported:
    """A region's recovery, and its reports."""

    recovery: RegionRecovery
    links: Links
    events: list[Named]
    ready: int = 0

    def names(self) -> list[str]:
        return [name for name, _ in self.events]


def region() -> Reported:
    replica = Replica(1)
    config = ParameterTable({"replica-serve-stale-data": "no"})
    instance = Instance(replica, build_table(), config=config)
    peers = [Peer("r2", 2, (2,)), Peer("r3", 3, (3,))]
    links = Links(replica, Member("r1", 1, replica.origin), peers)
    events: list[Named] = []
    recovery = RegionRecovery(Staleness(instance, links), links, collector(events))
    reported = Reported(recovery, links, events)

    def count() -> None:
        reported.ready += 1

    recovery.on_ready = count
    return reported


def test_region_that_has_all_it_held_loses_nothing() -> None:
    reported = region()
    reported.recovery.begin("it has restarted", {OLD: 2})
    assert not reported.recovery.is_ready
    reported.links.replica.keyspace.vector[OLD] = 2
    reported.recovery.recover()
    assert reported.recovery.is_ready
    assert reported.events == [("loading", {"reason": "it has restarted"})]
    assert reported.ready == 1
    reported.recovery.recover()
    assert reported.ready == 1


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
    reported = region()
    reported.recovery.begin("it has restarted", held)
    reported.links.replica.keyspace.vector |= have
    reported.links.recovery.record_caught_up("r3")
    reported.recovery.recover()
    expected = [] if details is None else [("data lost", {**details, "peers": ["r3"]})]
    assert reported.events[1:] == expected
    assert reported.recovery.is_ready


def test_state_put_aside_counts_as_held_data() -> None:
    reported = region()
    reported.links.replica.string("k").set("v")
    reported.links.replica.seal()
    reported.recovery.begin_again("reused")
    reported.links.reincarnate(0)
    assert reported.recovery.held == {reported.links.replica.region << 14: 1}
    assert reported.links.memory.known_vector() == reported.recovery.held
    reported.recovery.begin_again("reused")
    assert reported.recovery.held == {reported.links.replica.region << 14: 1}
    assert reported.names() == ["loading"]


def test_held_data_is_kept_after_earlier_incarnation() -> None:
    reported = region()
    reported.recovery.begin("it has restarted", {OLD: 9, make_origin(2): 4})
    reported.recovery.begin_again("a peer knows what it wrote in an earlier incarnation")
    assert reported.links.memory.expects_data
    reported.links.replica.keyspace.vector[OLD] = 7
    reported.recovery.begin_again("reused")
    assert reported.recovery.held == {OLD: 9, make_origin(2): 4}
    reported.recovery.recover()
    assert reported.events[-1] == ("data lost", {"everything": False, "peers": [], "writes": 6})


def test_unknown_held_vector_stays_unknown() -> None:
    reported = region()
    reported.recovery.begin("it has restarted", None)
    reported.recovery.begin_again("a peer knows what it wrote in an earlier incarnation")
    assert reported.recovery.held is None
    assert reported.links.memory.expects_data


def test_blocked_region_stays_as_it_is_until_it_is_unblocked() -> None:
    reported = region()
    reported.recovery.begin("it has restarted", {})
    reported.recovery.block()
    reported.recovery.recover()
    assert not reported.recovery.is_ready
    reported.recovery.unblock()
    assert not reported.recovery.is_ready, "it has not recovered"
    reported.recovery.block()
    reported.links.recovery.is_over = True
    reported.recovery.unblock()
    assert reported.recovery.is_ready


@pytest.mark.parametrize(
    ("event", "expected_event"),
    [
        (DisputedStateResolved("r2"), None),
        (DisputedStateResolved("r2", merged=True), ("kept", {"moved": False})),
        (DisputedStateResolved("r2", lost_keys=3), ("data lost", {"keys": 3, "everything": False})),
    ],
)
def test_disputed_state_is_reported(
    event: DisputedStateResolved, expected_event: Named | None
) -> None:
    reported = region()
    reported.recovery.report_merge(event)
    assert reported.events == ([] if expected_event is None else [expected_event])


def test_waiting_is_reported_with_reasons() -> None:
    reported = region()
    reported.recovery.report_waiting(0)
    assert reported.events == []
    reported.recovery.begin("it has restarted", {OLD: 1})
    reported.links.receive(reported.links.dial("r2", 0), Eof("cannot connect: no"), 0)
    reported.links.receive(reported.links.dial("r3", 0), Refuse("never"), 0)
    reported.recovery.report_waiting(5)
    reported.recovery.report_waiting(4 + FIRST_REPORT_NS)
    assert reported.names() == ["loading"]
    reported.recovery.report_waiting(5 + FIRST_REPORT_NS)
    (_, details) = reported.events[-1]
    assert details["peers"] == {"r2": "cannot connect: no", "r3": "never"}
    assert "does not serve" in str(details["reason"])
    assert "--start-empty" in str(details["remedy"])
    reported.recovery.report_waiting(4 + FIRST_REPORT_NS + REPEAT_NS)
    assert len(reported.events) == 2
    reported.recovery.report_waiting(5 + FIRST_REPORT_NS + REPEAT_NS)
    assert len(reported.events) == 3
    for _ in range(9):
        reported.recovery.pause_ns *= 2
    reported.recovery.report_waiting(reported.recovery.report_at or 0)
    assert reported.recovery.pause_ns == REPEAT_NS_MAX
    reported.links.receive(reported.links.dial("r2", 0), hello(2, {OLD: 1}), 0)
    reported.recovery.report_waiting(reported.recovery.report_at or 0)
    (_, details) = reported.events[-1]
    assert "reason" not in details
    assert details["peers"] == {"r2": "it has not sent all that it has", "r3": "never"}


def answer(links: Links, peer: str, vector: Vector | None = None) -> Sink:
    """Let a peer that we dial send its Hello. If the peer holds nothing, that is its answer."""
    sink = links.dial(peer, 0)
    links.receive(sink, hello(int(peer[1:]), vector or {}), 0)
    links.handle(sink, sink.check_caught_up(), 0)
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
def test_region_that_held_data_waits_for_every_peer(
    stay_away: Callable[[Links], None], held: Vector | None
) -> None:
    reported = region()
    reported.recovery.begin("it has restarted", held)
    links = reported.links
    stay_away(links)
    answer(links, "r2")
    assert links.notice_recovery(0) == [], "r3 may have it"
    reported.recovery.report_waiting(0)
    reported.recovery.report_waiting(FIRST_REPORT_NS)
    (_, details) = reported.events[-1]
    assert list(cast("dict[str, str]", details["peers"])) == ["r3"]
    assert details["reason"] == SOME_ANSWER
    assert "--start-empty" in str(details["remedy"])
    assert not reported.recovery.is_ready
    links.cuts.clear()
    answer(links, "r3")
    assert links.notice_recovery(0) == [Recovered("r3")]
    reported.recovery.report_waiting(FIRST_REPORT_NS)
    assert reported.names()[-1] == "data lost"
    assert reported.recovery.is_ready


def test_new_region_does_not_wait_for_absent_peers() -> None:
    reported = region()
    reported.recovery.begin("it has restarted", {})
    fail_to_connect(reported.links)
    answer(reported.links, "r2")
    assert reported.links.notice_recovery(0) == [Recovered("r2")]


def test_peer_with_data_ends_wait_for_absent_peers() -> None:
    reported = region()
    reported.recovery.begin("it has restarted", {OLD: 1})
    fail_to_connect(reported.links)
    reported.links.replica.keyspace.vector[OLD] = 1
    answer(reported.links, "r2", {OLD: 1})
    assert reported.links.notice_recovery(0) == [Recovered("r2")]
    reported.recovery.recover()
    assert reported.names() == ["loading"]


def test_peer_that_we_refuse_counts_as_one_that_refuses() -> None:
    reported = region()
    reported.recovery.begin("it has restarted", None)
    reported.links.receive(reported.links.dial("r3", 0), hello(2), 0)
    (refused,) = reported.links.recovery.refused.items()
    assert refused[0] == "r3"
    assert refused[1].startswith("r2 has answered at the address of r3")
    assert reported.links.awaited()["r2"] == "it has not answered yet"
    reported.links.cuts.add(("r2", reported.links.dial("r3", 0).direction))
    assert reported.links.awaited()["r2"] == "the link is cut"
