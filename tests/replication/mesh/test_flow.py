"""Flow control: the size of the backlog, what is kept for connected peers, and slowed writes."""

from __future__ import annotations

from crdt.causality.op_log import NOTHING_PINNED
from crdt.embed.replica import Replica
from replication.machines.sending.source import Source
from replication.mesh.flow import (
    BACKLOG_NS,
    PAUSE_NS_MAX,
    RATE_MIN,
    SHRINK_SHARE,
    BacklogSize,
    FlowControl,
)
from replication.mesh.links import Links
from replication.protocol.events import PeerBehind
from replication.protocol.frames import (
    FOLLOWER,
    Ack,
    Resume,
    SnapshotRequest,
    Truncated,
)
from replication.protocol.limits import MS, SECOND, Limits
from replication.protocol.peers import Peer
from tests.replication.ends import drain, hello, member, of, replica, write

PINNED = Limits(pinned_bytes_max=8000, window_bytes_max=1, batch_bytes_max=1)
"""Limits with which a source sends one op, and then waits."""


def links_of(here: Replica, limits: Limits = PINNED) -> Links:
    return Links(here, member(1), [Peer("r2", 2), Peer("r3", 3)], limits=limits)


def resumed(links: Links, region: int = 2, *, role: int = 0) -> Source:
    """Return a source whose sink has resumed from nothing."""
    source = links.serve(0)
    links.receive(source, hello(region, role=role), 0)
    links.receive(source, Resume({}, None if role == FOLLOWER else (1,)), 0)
    drain(source)
    return source


# -- the size of the backlog --------------------------------------------------------------------


def test_backlog_holds_what_was_written_in_a_minute() -> None:
    size = BacklogSize(100, 10_000)
    assert size.size(0, 0, 100) == 100
    assert size.size(SECOND, 5000, 100) == 5000
    assert size.size(2 * SECOND, 50_000, 5000) == 10_000, "at most so much"
    after = 2 * SECOND + BACKLOG_NS + 1
    assert size.size(after, 50_000, 10_000) == 10_000 - 10_000 // SHRINK_SHARE, "bit by bit"
    limit = 10_000
    for second in range(100):
        limit = size.size(after + second * SECOND, 50_000, limit)
    assert limit == 100


def test_backlog_is_measured_once_a_second() -> None:
    size = BacklogSize(100, 10_000)
    for moment in range(1000):
        size.size(moment * MS, moment, 100)
    assert len(size.marks) == 1


def test_links_adapt_size_unless_it_is_fixed() -> None:
    here, fixed = replica(1, history_bytes=1000), replica(2, history_bytes=1000)
    growing = links_of(here, Limits(backlog_bytes_max=5000))
    staying = links_of(fixed, Limits())
    for links in (growing, staying):
        links.tick(0)
        write(links.replica, 10)
        links.tick(SECOND)
    assert here.history.limit == here.history.appended_bytes > 3000
    assert fixed.history.limit == 1000


def test_tick_drops_what_is_beyond_limit() -> None:
    here = replica(1)
    links = links_of(here)
    write(here, 3)
    here.history.resize(1)
    links.tick(0)
    assert here.history.stop - here.history.start == 1


# -- what connected peers need ------------------------------------------------------------------


def test_ops_are_kept_for_connected_peer() -> None:
    here = replica(1, history_bytes=1)
    links = links_of(here)
    source = resumed(links)
    write(here, 5)
    assert here.history.stop - here.history.start == 5
    assert not of(Truncated, drain(source))


def test_ops_that_were_sent_are_not_kept() -> None:
    here = replica(1, history_bytes=1)
    links = links_of(here, Limits(pinned_bytes_max=8000))
    source = resumed(links)
    write(here, 5)
    drain(source)
    write(here)
    assert here.history.stop - here.history.start == 1


def test_no_more_is_kept_than_the_bound() -> None:
    here = replica(1, history_bytes=1)
    links = links_of(here)
    source = resumed(links)
    write(here, 100)
    assert 8000 - 400 < here.history.bytes <= 8000
    links.receive(source, Ack({}, source.sent_bytes), 0)
    assert of(Truncated, drain(source))


def test_slowest_of_peers_and_followers_decides() -> None:
    here = replica(1)
    links = links_of(here)
    flow = links.flow
    assert flow.pinned_from() == NOTHING_PINNED
    resumed(links)
    write(here, 2)
    drain(links.sources["r2"])
    assert flow.pinned_from() == 1, "the window has room for one op"
    follower = resumed(links, 7, role=FOLLOWER)
    assert flow.pinned_from() == 1
    follower.cursor.position = 0
    assert flow.pinned_from() == 0
    links.sources["r2"].cursor.position = 0
    follower.cursor.position = 1
    assert flow.pinned_from() == 0


def test_nothing_is_kept_for_peer_that_takes_nothing() -> None:
    here = replica(1)
    links = links_of(here)
    source = resumed(links)
    write(here, 2)
    drain(source)
    assert source.needs_history
    now = links.limits.silence_ns_max
    source.last_received_at = now
    source.tick(now + 1)
    assert not source.needs_history
    assert links.flow.unsent_bytes(source) == 0
    source.receive(Ack({}, source.sent_bytes), now + 2)
    assert source.needs_history


def test_ops_are_kept_while_a_snapshot_is_sent() -> None:
    here = replica(1, history_bytes=1)
    links = links_of(here)
    write(here, 2)
    source = resumed(links)
    assert not source.needs_history, "the backlog does not reach back"
    links.receive(source, SnapshotRequest(), 0)
    assert not source.needs_history, "the snapshot has not begun"
    source.frames_to_send()
    write(here, 3)
    assert links.flow.pinned_from() == here.history.stop - 3


def test_of_two_peers_the_slower_one_counts() -> None:
    here = replica(1, history_bytes=1)
    links = links_of(here)
    slow, quick = resumed(links, 2), resumed(links, 3)
    write(here, 15)
    quick.cursor.position = here.history.stop - 1
    assert links.flow.pinned_from() == slow.cursor.position == 0
    assert links.flow.pause_ns(0) > 0
    slow.cursor.position = here.history.stop
    links.flow.written = 0
    assert links.flow.pinned_from() == quick.cursor.position
    assert links.flow.pause_ns(0) == 0


# -- reports and slowed writes ------------------------------------------------------------------


def behind(links: Links, now: int = 0) -> list[tuple[bool, bool]]:
    """Return `slows` and `over` of each report about a peer that is behind."""
    return [(event.slows, event.over) for event in of(PeerBehind, links.flow.tick(now))]


def test_peer_that_falls_behind_is_reported() -> None:
    here = replica(1, history_bytes=1)
    links = links_of(here)
    source = resumed(links)
    write(here, 2)
    assert behind(links) == []
    write(here, 4)
    assert behind(links) == [(False, False)]
    assert links.flow.count_behind() == 1
    assert behind(links) == [], "once"
    write(here, 20)
    assert behind(links) == [(True, False)]
    source.cursor.position = here.history.stop - 8
    assert behind(links) == [], "it is left at half of the bound"
    source.cursor.position = here.history.stop - 5
    assert behind(links) == [(False, False)]
    source.cursor.position = here.history.stop
    assert behind(links) == [(False, True)]
    assert links.flow.count_behind() == 0
    links.receive(source, Resume({}, (1,)), 0)
    del links.sources["r2"]
    assert behind(links) == []
    assert links.flow.standings == {}, "a new connection begins anew"


def test_peer_is_reported_though_nothing_is_kept_for_it() -> None:
    here = replica(1, history_bytes=4000)
    links = links_of(here, Limits(window_bytes_max=1))
    resumed(links)
    write(here, 9)
    assert behind(links) == [(False, False)]


def slowed(links: Links, count: int, now: int) -> int:
    """Write `count` ops, and return the pause that follows."""
    write(links.replica, count)
    return links.flow.pause_ns(now)


def test_writes_are_slowed_to_rate_of_slowest_peer() -> None:
    here = replica(1, history_bytes=1)
    links = links_of(here)
    source = resumed(links)
    assert slowed(links, 10, 0) == 0, "there is room"
    assert slowed(links, 5, SECOND) > 0
    first = slowed(links, 1, 2 * SECOND)
    size = here.history.bytes // 16
    assert first >= size * SECOND // (2 * RATE_MIN)
    assert slowed(links, 3, 3 * SECOND) > 3 * first, "the less room, the slower"
    assert links.flow.slowed_ns > 4 * first
    source.cursor.position = here.history.stop
    assert slowed(links, 1, 4 * SECOND) == 0, "the peer has caught up"


def test_pause_is_bounded() -> None:
    here = replica(1, history_bytes=1)
    links = links_of(here)
    resumed(links)
    write(here, 15)
    links.flow.written = -(1 << 40)
    assert links.flow.pause_ns(5) == PAUSE_NS_MAX


def test_short_pauses_add_up() -> None:
    here = replica(1, history_bytes=1)
    links = links_of(here)
    source = resumed(links)
    source.pace.rate = 1 << 30
    write(here, 15)
    links.flow.pause_ns(0)
    links.flow.free_at = 0
    assert slowed(links, 1, 0) == 0
    assert 0 < links.flow.free_at < MS


def test_nobody_is_slowed_without_bound_or_by_followers() -> None:
    here = replica(1, history_bytes=1)
    links = links_of(here, Limits(window_bytes_max=1))
    resumed(links)
    assert slowed(links, 30, 0) == 0
    there = replica(1, history_bytes=1)
    links = links_of(there)
    resumed(links, 7, role=FOLLOWER)
    assert slowed(links, 15, 0) == 0
    assert there.history.bytes > links.flow.slow_bytes


def test_flow_of_second_links_leaves_history_alone() -> None:
    here = replica(1)
    links = links_of(here)
    FlowControl(here.history, links, Limits())
    assert here.history.pinned_limit == 8000
