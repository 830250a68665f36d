"""All links of a replica: admission, cuts and convergence."""

from __future__ import annotations

import pytest

from crdt.causality.dots import make_origin
from crdt.embed.replica import Replica
from crdt.store.keyspace import Keyspace
from replication.machines.endpoint import NEVER
from replication.machines.receiving.sink_states import SinkState
from replication.machines.sending.source import Source
from replication.machines.sending.source_states import SourceState
from replication.mesh.absence import CUT
from replication.mesh.links import PARTIAL_PARTS, Links
from replication.protocol.errors import LinkCut, RemoteProtocolError, UnknownPeer
from replication.protocol.events import Closed, Event, GapFound, NotDialled
from replication.protocol.frames import (
    FOLLOWER,
    Ack,
    ConvergenceReply,
    ConvergenceRequest,
    Eof,
    Heartbeat,
    Hello,
    Ops,
    Present,
    Refuse,
    Resume,
    SnapshotBegin,
    SnapshotRequest,
)
from replication.protocol.limits import SECOND, Limits
from replication.protocol.peers import Direction, Peer
from tests.replication.ends import (
    EU,
    US,
    alone,
    connected,
    drain,
    hello,
    member,
    of,
    refusal,
    replica,
    write,
)

IN, OUT = Direction.IN, Direction.OUT


# -- waking --------------------------------------------------------------------------------


def test_followers_are_woken_too() -> None:
    links = alone()
    follower = connected(links, Hello("f", 1, US, "", {}, FOLLOWER))
    links.receive(follower, Resume({}, None), 0)
    drain(follower)
    rung: list[int] = []
    follower.notify = lambda: rung.append(1)
    links.wake()
    assert rung == []
    write(links.replica)
    links.wake()
    links.wake()
    assert rung == [1]
    assert len(of(Ops, drain(follower))) == 1
    links.receive(follower, Eof(), 0)
    assert links.followers == []


def test_op_that_snapshot_has_sealed_goes_to_other_links() -> None:
    links = alone()
    behind, up_to_date = connected(links, hello(2)), connected(links, hello(3))
    for source in (behind, up_to_date):
        links.receive(source, Resume({}, (1,)), 0)
        drain(source)
    rung: list[int] = []
    up_to_date.notify = lambda: rung.append(1)
    links.receive(behind, SnapshotRequest(), 0)
    links.replica.string("k").set("v")
    assert of(SnapshotBegin, drain(behind))
    assert rung == [1]
    assert len(of(Ops, drain(up_to_date))) == 1


# -- errors and ends -----------------------------------------------------------------------


def test_frame_out_of_order_ends_link_and_nothing_else() -> None:
    links = alone()
    source = connected(links, hello(2))
    (closed,) = links.receive(source, hello(2), 0)
    assert closed == Closed("r2", OUT, "protocol error: Hello while ready")
    assert links.tallies["r2", OUT].last_error == "protocol error: Hello while ready"
    assert links.receive(source, hello(2), 0) == []


def test_bytes_that_are_not_frames_end_link() -> None:
    links = alone()
    source = links.serve(0)
    (closed,) = links.broken(source, RemoteProtocolError("not a frame"), 0)
    assert closed == Closed("", OUT, "protocol error: not a frame")
    assert links.awaiting_hello == []


def test_end_that_another_took_over_from_is_forgotten_once() -> None:
    links = alone()
    source = connected(links, hello(2))
    del links.sources["r2"]
    assert links.receive(source, Eof(), 0) == [Closed("r2", OUT, "the peer hung up")]
    sink = links.dial("r2", 0)
    del links.sinks["r2"]
    assert links.receive(sink, Eof("gone"), 0) == [Closed("r2", IN, "gone")]


# -- cuts ----------------------------------------------------------------------------------


def test_cut_link_is_closed_and_not_made_again() -> None:
    links = alone()
    sink, source = links.dial("r2", 0), connected(links, hello(2))
    assert links.cut("r2", IN, 0) == [Closed("r2", IN, "the link is cut")]
    assert sink.closed
    assert not source.closed
    with pytest.raises(LinkCut):
        links.dial("r2", 0)
    healed: list[str] = []
    links.healed = healed.append
    links.heal("r2", IN)
    assert healed == ["r2"]
    assert not links.dial("r2", 0).closed


def test_other_direction_is_another_link() -> None:
    links = alone()
    sink, source = links.dial("r2", 0), connected(links, hello(2))
    assert links.cut("r2", OUT, 0) == [Closed("r2", OUT, "the link is cut")]
    assert source.closed
    assert not sink.closed
    assert refusal(links, hello(2)) == "the link is cut"
    assert links.cut("r2", OUT, 0) == []
    links.heal("r2", OUT)
    assert not connected(links, hello(2)).closed
    assert [(row.peer, row.cut) for row in links.statistics(0)] == [
        ("r2", False),
        ("r2", False),
        ("r3", False),
        ("r3", False),
    ]


@pytest.mark.parametrize("direction", Direction)
def test_unknown_peer_is_not_cut_or_healed(direction: Direction) -> None:
    with pytest.raises(UnknownPeer):
        alone().cut("r9", direction, 0)
    with pytest.raises(UnknownPeer):
        alone().heal("r9", direction)


# -- time ----------------------------------------------------------------------------------


def test_earlier_deadline_is_reported() -> None:
    links = alone()
    links.tick(0)
    on_rearm: list[int] = []
    links.on_rearm = lambda: on_rearm.append(links.next_deadline)
    source = connected(links, hello(2))
    assert on_rearm == [links.limits.collect_ns] or on_rearm == [links.limits.heartbeat_ns]
    assert links.deadline == links.limits.heartbeat_ns
    links.tick(links.deadline)
    assert source.ready


def test_own_absence_resets_silence() -> None:
    links = alone()
    source = connected(links, hello(2))
    links.tick(0)
    links.tick(20 * SECOND)
    assert not source.closed
    for step in range(60):
        links.tick(20 * SECOND + step * links.limits.heartbeat_ns)
    assert source.closed


def resting() -> Links:
    """Return links that rest while nothing happens."""
    peers = [Peer("r2", 2), Peer("r3", 3)]
    return Links(replica(1), member(1), peers, limits=Limits(rest_ns=2 * SECOND))


def rested(links: Links) -> list[Source]:
    """Return two sources of `links` whose sinks have been told nothing new for a minute."""
    sources = [connected(links, hello(2)), connected(links, hello(3))]
    links.tick(0)
    while links.next_deadline < 60 * SECOND:
        now = links.next_deadline
        for source in sources:
            drain(source)
            links.receive(source, Ack({}, 0, pause=2 * SECOND), now)
        links.tick(now)
    return sources


def test_idle_links_rest_and_send_together() -> None:
    links = resting()
    one, other = rested(links)
    assert links.activity.is_resting
    assert one.last_sent_at == other.last_sent_at
    assert links.deadline == min(links.collect_at, one.last_sent_at + 2 * SECOND)
    drain(one)
    links.tick(one.last_sent_at + SECOND - 1)
    assert not one.ready, "nothing is due"


def test_resting_end_that_is_due_later_sends_with_the_others() -> None:
    links = resting()
    one, other = rested(links)
    now = links.next_deadline = one.last_sent_at + 2 * SECOND
    other.last_sent_at += SECOND
    links.tick(now)
    assert one.last_sent_at == other.last_sent_at == now


@pytest.mark.parametrize("way", ["write", "event"])
def test_change_ends_rest_at_once(way: str) -> None:
    links = resting()
    (one, other), moments = rested(links), list[int]()
    links.on_rearm = lambda: moments.append(links.next_deadline)
    if way == "write":
        write(links.replica)
        links.wake()
    else:
        links.receive(other, Eof("gone"), 60 * SECOND)
    assert not links.activity.is_resting
    assert one.deadline == one.last_sent_at + links.limits.heartbeat_ns
    assert moments == [one.deadline]
    links.wake()
    assert len(moments) == 1


def test_closed_end_sends_no_regular_message() -> None:
    links = resting()
    one, other = rested(links)
    other.state = SourceState.CLOSED
    drain(other)
    now = links.next_deadline = one.last_sent_at + 2 * SECOND
    links.tick(now)
    assert one.last_sent_at == now
    assert not other.ready


def reports_of_absence(links: Links, seconds: int) -> list[Event]:
    """Let so many seconds pass, and return the reports of peers that do not dial."""
    events: list[Event] = []
    now = links.next_deadline
    for _ in range(seconds * SECOND // links.limits.heartbeat_ns):
        now += links.limits.heartbeat_ns
        for sink in links.sinks.values():
            links.receive(sink, Heartbeat({}, 0), now)
        events += links.tick(now)
    return of(NotDialled, events)


@pytest.mark.parametrize("is_cut", [False, True])
def test_peer_that_never_dials_is_reported_unless_it_is_cut(*, is_cut: bool) -> None:
    """A peer that we reach is up. If it does not dial us, its file gives another address for us, or
    a firewall is in between, and our writes stay here."""
    links = alone()
    if is_cut:
        links.receive(connected(links, hello(2)), Refuse(CUT), 0)
    links.receive(links.dial("r2", 0), hello(2), 0)
    links.tick(0)
    assert reports_of_absence(links, 6) == []
    expected = [] if is_cut else [NotDialled("r2")]
    assert reports_of_absence(links, 2) == expected
    assert reports_of_absence(links, 9) == [], "once"


def test_peer_that_is_down_is_not_reported_for_not_dialling() -> None:
    links = alone()
    links.tick(0)
    assert reports_of_absence(links, 20) == []


def test_unsealed_writes_leave_at_next_tick() -> None:
    links = alone()
    source = connected(links, hello(2))
    links.receive(source, Resume({}, (1,)), 0)
    links.replica.string("k").set("v")
    links.tick(1)
    assert len(of(Ops, drain(source))) == 1


@pytest.mark.interpreted("it replaces a method of the replica")
def test_seal_without_memory_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    links = alone()
    links.replica.set("s").add("a")

    def fail(*_args: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(Keyspace, "pending", fail)
        links.tick(0)
    assert links.replica.history.stop == 0
    links.tick(1)
    assert links.replica.history.stop == 1


def test_garbage_is_collected_only_while_writable() -> None:
    links = alone(())
    links.replica.stability.members = set()
    links.collects = False
    links.tick(0)
    assert links.collect_at == links.limits.collect_ns
    links.replica.counter("k").increment(1)
    links.replica.seal()
    links.replica.keyspace.delete(b"k")
    links.tick(links.collect_at)
    assert links.replica.keyspace.garbage
    assert links.collect_at == 2 * links.limits.collect_ns
    links.collects = True
    links.tick(links.collect_at)
    assert not links.replica.keyspace.garbage
    assert links.collect_at == 3 * links.limits.collect_ns + links.limits.collect_key_ns


def test_much_garbage_is_collected_in_short_steps() -> None:
    links = alone(())
    links.replica.stability.members = set()
    counts = links.limits.collect_keys_max, 5
    for index in range(sum(counts)):
        links.replica.counter(f"{index}").increment(1)
        links.replica.counter(f"{index}").delete()
    links.replica.seal()
    links.tick(0)
    assert len(links.replica.keyspace.garbage) == counts[1]
    assert links.collect_at == counts[0] * links.limits.collect_key_ns
    begun = links.collect_at
    links.tick(begun)
    assert not links.replica.keyspace.garbage
    assert links.collect_at == begun + links.limits.collect_ns + 5 * links.limits.collect_key_ns


def test_collection_of_unsettled_keys_is_repeated() -> None:
    links = alone(())
    here = links.replica
    here.stability.members = set()
    here.work_in_slices(1)
    there = Replica(2)
    there.advance(1000)
    there.set("k").add(*[f"m{index}" for index in range(50)])
    there.set("k").expire_at(2000)
    here.set("k").add("a")
    here.merge(there.snapshot())
    here.advance(3000)
    links.tick(0)
    assert here.garbage.is_partial
    assert links.collect_at == links.limits.collect_ns // PARTIAL_PARTS
    while here.work():
        pass
    links.tick(links.collect_at)
    assert here.keyspace.size() == 0


# -- gaps, names, questions ----------------------------------------------------------------


def test_gaps_wait_while_snapshot_is_loaded() -> None:
    links = alone()
    sink = links.dial("r2", 0)
    sink.state = SinkState.WAITING
    links.repair_at = 0
    assert links.repair_gaps(5) == []
    assert links.repair_at == 5 + links.limits.heartbeat_ns
    links.receive(sink, Eof(), 10)
    assert links.repair_at == 10 + links.limits.no_link_delay_ns


def test_gap_is_looked_at_when_it_is_due() -> None:
    """Rule CAU-3. Until then only what happens on a link makes the links look."""
    links = alone()
    sink = links.dial("r2", 0)
    links.receive(sink, hello(2, {make_origin(3): 4}), 0)
    sink.state = SinkState.STREAMING
    links.repair_gaps(0)
    assert links.repair_at == links.limits.no_link_delay_ns
    assert links.repair_gaps(links.repair_at) == [GapFound("r2", make_origin(3), "r2")]
    assert sink.asked == {make_origin(3)}
    asked_at = links.limits.no_link_delay_ns
    assert links.repair_at == asked_at + 2 * links.limits.no_link_delay_ns
    links.receive(sink, Heartbeat({make_origin(3): 4}, 0), asked_at + 1)
    assert links.repair_at == asked_at + 1 + links.limits.no_link_delay_ns


def test_cut_link_makes_links_look_for_gaps() -> None:
    links = alone()
    sink = links.dial("r2", 0)
    links.receive(sink, hello(2, {make_origin(3): 4}), 0)
    links.repair_gaps(0)
    links.repair_at = links.next_deadline = NEVER
    links.cut("r2", Direction.IN, 7)
    assert links.repair_at == links.next_deadline == 7 + links.limits.no_link_delay_ns


def test_snapshot_peer_is_asked_while_resuming() -> None:
    links = alone()
    sink = links.dial("r2", 0)
    links.receive(sink, hello(2, {make_origin(3): 4}), 0)
    links.repair.record_refusal("r2", make_origin(3))
    links.repair_gaps(0)
    assert sink.state is SinkState.RESUMING
    events = links.repair_gaps(links.limits.no_link_delay_ns)
    assert events == [GapFound("r2", make_origin(3), "")]
    assert sink.state is SinkState.LOADING
    assert links.repair_at == 2 * links.limits.no_link_delay_ns


def test_new_name_is_newer_than_any_that_is_known() -> None:
    links = alone()
    links.replica.keyspace.vector[make_origin(1, 4)] = 1
    links.dial("r2", 0).vector = {make_origin(1, 6): 1, make_origin(2, 9): 1}
    assert links.reincarnate(0) == make_origin(1, 7)
    assert links.reincarnate(0, least=30) == make_origin(1, 30)
    assert list(links.ends()) == []


def test_incoming_peer_is_dialled_immediately() -> None:
    links = alone()
    dialled: list[str] = []
    links.healed = dialled.append
    connected(links, hello(2))
    assert dialled == [], "there was no attempt yet"
    links.receive(links.dial("r2", 0), Eof("refused"), 0)
    assert links.is_away("r2", IN, 0)
    connected(links, hello(2))
    assert dialled == ["r2"]
    assert not links.is_away("r2", IN, 0)
    assert not links.is_away("r2", OUT, 0)


def test_neighbours_are_asked_while_they_are_there() -> None:
    links = alone()
    source = connected(links, hello(2))
    sink = links.dial("r3", 0)
    links.receive(sink, hello(3), 0)
    assert links.convergence_queries.edges == {source: False, sink: True}
    turn = links.convergence_queries.start_query()
    ask = ConvergenceRequest(US, links.convergence_queries.own.number, 1, {})
    assert of(ConvergenceRequest, drain(source)) == of(ConvergenceRequest, drain(sink)) == [ask]
    links.receive(source, ConvergenceReply(US, ask.number, True), 0)
    assert links.convergence_queries.find_result(turn) is None
    links.receive(sink, Eof(), 0)
    assert links.convergence_queries.find_result(turn) is False
    assert links.convergence_queries.edges == {source: False}


def test_followers_are_asked_nothing_and_get_no() -> None:
    links = alone()
    follower = connected(links, hello(2, role=FOLLOWER))
    drain(follower)
    links.convergence_queries.start_query()
    assert links.convergence_queries.find_result(1) is True
    links.receive(follower, ConvergenceRequest(EU, 1, 1, {}), 0)
    assert drain(follower) == [ConvergenceReply(EU, 1, False)]


def test_reports_about_ourselves_are_ignored() -> None:
    links = alone()
    sink = links.dial("r2", 0)
    links.receive(sink, hello(2), 0)
    links.receive(sink, Present(links.membership.view), 0)
    links.receive(sink, Heartbeat({}, 5, ((1, {US: 0}, 7), (3, {US: 0}, 8))), 0)
    assert links.replica.stability.clocks == {2: 5, 3: 8}


def test_link_without_hello_gets_no_query() -> None:
    links = alone()
    sink = links.dial("r2", 0)
    drain(sink)
    links.convergence_queries.start_query()
    assert of(ConvergenceRequest, drain(sink)) == []


def test_peers_whose_data_is_awaited_are_named_with_reason() -> None:
    links = alone()
    assert links.awaited() == {
        "r2": "it has not answered yet",
        "r3": "it has not answered yet",
    }
    links.receive(links.dial("r2", 0), Eof("refused"), 0)
    links.cut("r3", IN, 0)
    assert links.awaited() == {"r2": "refused", "r3": "the link is cut"}
