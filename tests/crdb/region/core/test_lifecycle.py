"""The lifecycle of a region: its actions at a start and at each event."""

from __future__ import annotations

import attrs
import pytest

from crdb.commands.table import build_table
from crdb.engine.instance import Instance
from crdb.region.core.incarnations import RegionStart
from crdb.region.core.lifecycle import (
    LOST,
    NO_SPACE,
    RESTARTED,
    RETRY_NS,
    REUSED,
    SHARED,
    RegionLifecycle,
)
from crdb.region.core.recovery import STOP_ONE, RegionRecovery
from crdb.region.core.staleness import Staleness
from crdt.causality.dots import INCARNATION_MAX, Vector, make_origin
from crdt.embed.replica import Replica
from replication.mesh.links import Links
from replication.protocol.events import (
    CaughtUp,
    DisputedStateResolved,
    EarlierIncarnation,
    OriginReused,
    OriginShared,
    Recovered,
    RivalFound,
    RivalGone,
)
from replication.protocol.peers import Member, Peer
from tests.crdb.events import Named, collector

PEERS = [Peer("r2", 2, (2,)), Peer("r3", 3, (3,))]
DRAWN = 40
OLD = make_origin(1, 3)


@attrs.define
class LifecycleHarness:
    """A region's lifecycle, and its reports."""

    recovery: RegionRecovery
    links: Links
    events: list[Named]
    lifecycle: RegionLifecycle = attrs.field(init=False)
    now: int = 5

    def __attrs_post_init__(self) -> None:
        self.lifecycle = RegionLifecycle(self.recovery, draw=lambda: DRAWN, clock=lambda: self.now)

    @property
    def is_ready(self) -> bool:
        return self.recovery.is_ready

    def names(self) -> list[str]:
        return [name for name, _ in self.events]


def region(peers: list[Peer] = PEERS) -> LifecycleHarness:
    replica = Replica(make_origin(1, 4))
    instance = Instance(replica, build_table())
    links = Links(replica, Member("r1", 1, replica.origin), peers)
    events: list[Named] = []

    recovery = RegionRecovery(Staleness(instance, links), links, collector(events))
    return LifecycleHarness(recovery, links, events)


def test_first_start_serves_immediately() -> None:
    here = region()
    assert here.lifecycle.begin(RegionStart(4, is_first=True), {}) == {}
    assert here.is_ready
    assert here.events == []


@pytest.mark.parametrize("held", [{OLD: 2}, {}, None])
def test_restart_waits_for_peers(held: Vector | None) -> None:
    here = region()
    assert here.lifecycle.begin(RegionStart(4, is_first=False), held) is None
    assert not here.is_ready
    assert here.events == [("loading", {"reason": RESTARTED})]
    assert here.recovery.held == held
    here.lifecycle.handle_event(CaughtUp("r2"))
    assert not here.is_ready
    here.lifecycle.handle_event(Recovered("r2"))
    assert here.is_ready


@pytest.mark.parametrize(("held", "writes"), [({OLD: 2, OLD + 1: 3}, 5), (None, 0)])
def test_start_empty_drops_data(held: Vector | None, writes: int) -> None:
    here = region()
    assert here.lifecycle.begin(RegionStart(4, is_first=False), held, start_empty=True) == {}
    assert here.is_ready
    assert here.events == [("started empty", {"writes": writes})]


@pytest.mark.parametrize(("held", "is_lost"), [({OLD: 2}, True), (None, True), ({}, False)])
def test_restart_without_peers_reports_loss(held: Vector | None, is_lost: bool) -> None:
    here = region([])
    assert here.lifecycle.begin(RegionStart(4, is_first=False), held) is None
    assert here.is_ready
    assert here.names() == (["data lost"] if is_lost else [])
    assert all(details == {"everything": True, "peers": []} for _, details in here.events)


def test_earlier_writes_at_peer_stop_region() -> None:
    here = region()
    here.lifecycle.handle_event(EarlierIncarnation("r2"))
    assert here.events == [("loading", {"reason": LOST})]
    assert not here.is_ready


def test_empty_guest_stops_no_recovery() -> None:
    here = region([])
    here.lifecycle.handle_event(EarlierIncarnation("guest"))
    assert here.events == []


def test_merge_of_state_put_aside_is_reported() -> None:
    here = region()
    here.lifecycle.handle_event(DisputedStateResolved("r2", merged=True))
    assert here.events == [("kept", {"moved": False})]


def test_reused_origin_gets_unused_incarnation() -> None:
    here = region()
    assert here.lifecycle.incarnation_to_write() is None
    lost = here.links.replica.origin
    here.lifecycle.handle_event(OriginReused("r2", lost))
    assert here.events == [("loading", {"reason": REUSED})]
    assert here.links.replica.origin == here.links.member.origin == make_origin(1, DRAWN)
    assert here.lifecycle.incarnation_to_write() == DRAWN
    here.lifecycle.record_written()
    assert here.lifecycle.incarnation_to_write() is None
    assert not here.is_ready, "it waits for its peers"
    here.lifecycle.handle_event(OriginReused("r3", lost))
    assert here.links.replica.origin == make_origin(1, DRAWN), "once is enough"
    here.lifecycle.handle_event(Recovered("r2"))
    assert here.is_ready


def test_region_waits_until_incarnation_is_written() -> None:
    here = region()
    here.lifecycle.handle_event(OriginReused("r2", here.links.replica.origin))
    here.lifecycle.record_not_written("no space left")
    (name, details) = here.events[-1]
    assert (name, details["reason"]) == ("state not written", "no space left")
    here.links.recovery.is_over = True
    here.lifecycle.handle_event(Recovered("r2"))
    assert not here.is_ready
    here.now = 4 + RETRY_NS
    assert here.lifecycle.incarnation_to_write() is None
    here.now = 5 + RETRY_NS
    assert here.lifecycle.incarnation_to_write() == DRAWN
    here.lifecycle.record_written()
    assert here.is_ready


def test_region_without_peers_waits_for_disk_only() -> None:
    """Such a region once served writes under an incarnation that was not on disk."""
    here = region([])
    here.lifecycle.handle_event(OriginReused("guest", here.links.replica.origin))
    here.lifecycle.record_not_written("no space left")
    assert not here.is_ready
    here.lifecycle.record_written()
    assert here.is_ready


def test_state_put_aside_is_awaited_without_peers() -> None:
    here = region([])
    ready: list[bool] = []
    here.recovery.on_ready = lambda: ready.append(True)
    here.links.replica.string("k").set("v")
    here.links.replica.seal()
    here.lifecycle.handle_event(OriginReused("guest", here.links.replica.origin))
    here.lifecycle.record_not_written("no space left")
    for event in here.links.tick(6):
        here.lifecycle.handle_event(event)
    assert here.links.memory.disputed_state is None
    assert not here.is_ready
    here.lifecycle.record_written()
    assert here.is_ready
    assert ready == [True]


def test_used_up_incarnations_stop_region_for_good() -> None:
    here = region()
    origin = here.links.replica.origin
    every: dict[int, int] = {make_origin(1, number): 1 for number in range(INCARNATION_MAX + 1)}
    here.links.replica.keyspace.vector |= every
    here.lifecycle.handle_event(OriginReused("r2", origin))
    assert here.names() == ["loading", "no incarnation left"]
    assert here.links.replica.origin == origin
    assert here.lifecycle.incarnation_to_write() is None
    here.lifecycle.handle_event(Recovered("r2"))
    assert not here.is_ready


def test_vector_is_written_when_changed_and_complete() -> None:
    here = region()
    lifecycle = here.lifecycle
    assert lifecycle.vector_to_write() == {}
    assert lifecycle.vector_to_write() is None
    here.links.replica.string("k").set("v")
    assert lifecycle.vector_to_write() == here.links.replica.keyspace.vector
    assert lifecycle.vector_to_write() is None
    lifecycle.record_vector_not_written("no space left")
    assert here.events == [("state not written", {"reason": "no space left", "remedy": NO_SPACE})]
    assert lifecycle.vector_to_write() == here.links.replica.keyspace.vector
    assert lifecycle.vector_to_write() is None
    here.links.replica.string("k").set("w")
    here.recovery.begin(RESTARTED, {})
    assert lifecycle.vector_to_write() is None


def test_region_with_rival_refuses_clients_until_it_is_gone() -> None:
    here = region()
    ready: list[bool] = []
    here.recovery.on_ready = lambda: ready.append(True)
    here.links.replica.string("k").set("v")
    here.lifecycle.handle_event(RivalFound("r2"))
    assert here.events == [("region runs twice", {"peer": "r2", "keys": 1, "remedy": STOP_ONE})]
    assert not here.is_ready
    here.lifecycle.handle_event(EarlierIncarnation("r2"))
    here.lifecycle.handle_event(Recovered("r2"))
    assert not here.is_ready
    assert ready == []
    here.lifecycle.handle_event(RivalGone("r2"))
    assert here.is_ready
    assert ready == [True]


def test_region_with_rival_may_lack_data_when_that_is_gone() -> None:
    here = region()
    here.lifecycle.handle_event(RivalFound("r2"))
    here.lifecycle.handle_event(EarlierIncarnation("r2"))
    here.lifecycle.handle_event(RivalGone("r2"))
    assert not here.is_ready
    here.lifecycle.handle_event(Recovered("r2"))
    assert here.is_ready


def test_shared_origin_gets_unused_incarnation() -> None:
    here = region()
    here.lifecycle.handle_event(OriginShared("r2"))
    assert here.events == [("loading", {"reason": SHARED})]
    assert here.links.replica.origin == make_origin(1, DRAWN)
    assert here.lifecycle.incarnation_to_write() == DRAWN
