"""Gap repair: the repair peer, and the start and end of a repair."""

from __future__ import annotations

from itertools import pairwise

import pytest

from crdt.causality.dots import Vector
from replication.machines.receiving.sink import FIRST_TRIPS_NS, Sink
from replication.machines.receiving.sink_states import SinkState
from replication.mesh.repair import BACKOFF_MAX, Repair
from replication.protocol.events import GapFound
from replication.protocol.limits import MS, Limits
from tests.replication.ends import AP, EU, US, make_sink, replica

ORPHAN, PATIENCE = Limits().no_link_delay_ns, Limits().repair_delay_ns


def streaming(peer: int, vector: Vector, rtt: int = 0) -> Sink:
    """Return an open sink of region 2 whose source, region `peer`, has `vector`."""
    sink = make_sink(replica(2), peer, routes=(peer,))
    sink.state = SinkState.STREAMING
    sink.vector = vector
    sink.rtt = rtt
    return sink


def helping(repair: Repair) -> dict[int, str]:
    """Return the repair peer of each origin."""
    return {origin: repair_peer.peer for origin, repair_peer in repair.repair_peers.items()}


def table(*sinks: Sink) -> dict[str, Sink]:
    return {sink.peer: sink for sink in sinks}


def test_stalled_gap_is_requested_from_peer() -> None:
    """Rule CAU-3."""
    repair, us = Repair(Limits()), streaming(1, {AP: 3})
    assert repair.check_gaps({}, {}, table(us), 0) == ([], "")
    assert repair.check_gaps({}, {}, table(us), ORPHAN - 1) == ([], "")
    events, peer = repair.check_gaps({AP: 0}, {}, table(us), ORPHAN)
    assert (events, peer) == ([GapFound("r1", AP, "r1")], "")
    assert us.asked == {AP}
    assert helping(repair) == {AP: "r1"}


def test_moving_gap_is_not_requested() -> None:
    repair, us = Repair(Limits()), streaming(1, {AP: 30})
    for step in range(20):
        assert repair.check_gaps({AP: step}, {}, table(us), step * ORPHAN) == ([], "")


def test_link_that_should_bring_it_gets_three_round_trips() -> None:
    repair = Repair(Limits())
    us, ap = streaming(1, {AP: 3}), streaming(3, {AP: 3}, rtt=100 * MS)
    sinks = table(us, ap)
    assert repair.repair_delay(AP, sinks) == 300 * MS
    ap.rtt = 1
    assert repair.repair_delay(AP, sinks) == PATIENCE
    ap.state = SinkState.AWAITING_HELLO
    assert repair.repair_delay(AP, sinks) == ORPHAN


def test_op_that_waits_names_what_is_missing() -> None:
    repair, us = Repair(Limits()), streaming(1, {AP: 2})
    sinks = table(us)
    repair.check_gaps({US: 1}, {AP: 3}, sinks, 0)
    events, _ = repair.check_gaps({US: 1}, {AP: 3}, sinks, ORPHAN)
    assert events == [GapFound("r1", AP, "r1")]


def test_missing_op_without_holder_is_not_requested() -> None:
    repair, us = Repair(Limits()), streaming(1, {})
    found: list[int] = []
    for now in range(0, 20_000 * MS, 10 * MS):
        events, peer = repair.check_gaps({}, {AP: 3}, table(us), now)
        assert peer == ""
        if events:
            assert events == [GapFound("", AP, "")]
            found.append(now)
    gaps = [later - earlier for earlier, later in pairwise(found)]
    assert gaps[0] == 2 * ORPHAN
    assert gaps[-1] == ORPHAN << BACKOFF_MAX


def test_another_is_asked_if_first_does_not_deliver() -> None:
    repair = Repair(Limits())
    us, sa = streaming(1, {AP: 3}, rtt=5), streaming(4, {AP: 3}, rtt=9)
    sinks = table(us, sa)
    repair.check_gaps({}, {}, sinks, 0)
    repair.check_gaps({}, {}, sinks, ORPHAN)
    assert helping(repair) == {AP: "r1"}
    repair.check_gaps({}, {}, sinks, 3 * ORPHAN)
    assert helping(repair) == {AP: "r4"}
    assert (us.asked, sa.asked) == (frozenset(), {AP})
    del sinks["r4"]
    repair.check_gaps({}, {}, sinks, 9 * ORPHAN)
    assert helping(repair) == {AP: "r1"}


def test_help_ends_when_direct_link_delivers() -> None:
    """Rule CAU-4: only the gap is relayed."""
    repair = Repair(Limits())
    us, ap = streaming(1, {AP: 3}), streaming(3, {})
    ap.state = SinkState.AWAITING_HELLO
    sinks = table(us, ap)
    repair.check_gaps({}, {}, sinks, 0)
    repair.check_gaps({}, {}, sinks, ORPHAN)
    ap.state, ap.vector = SinkState.STREAMING, {AP: 5}
    repair.check_gaps({AP: 3}, {}, sinks, 2 * ORPHAN)
    assert us.asked == {AP}
    repair.check_gaps({AP: 5}, {}, sinks, 3 * ORPHAN)
    assert us.asked == frozenset()
    assert repair.repair_peers == {}
    assert repair.gaps == {}


def test_repair_continues_if_origin_has_lost_ops() -> None:
    repair, us, ap = Repair(Limits()), streaming(1, {AP: 3}), streaming(3, {})
    sinks = table(us, ap)
    repair.check_gaps({}, {}, sinks, 0)
    repair.check_gaps({}, {}, sinks, PATIENCE)
    assert helping(repair) == {AP: "r1"}
    repair.check_gaps({}, {}, sinks, PATIENCE + 1)
    assert us.asked == {AP}, "or its refusal would not be understood"
    repair.check_gaps({AP: 3}, {}, sinks, PATIENCE + 2)
    assert us.asked == frozenset()


def test_refusing_peer_is_asked_for_snapshot_only() -> None:
    repair = Repair(Limits())
    us, sa = streaming(1, {AP: 3}, rtt=5), streaming(4, {AP: 3}, rtt=9)
    sinks = table(us, sa)
    repair.check_gaps({}, {}, sinks, 0)
    repair.check_gaps({}, {}, sinks, ORPHAN)
    us.asked = frozenset()
    repair.record_refusal("r1", AP)
    events, peer = repair.check_gaps({}, {}, sinks, ORPHAN + 1)
    assert (events, peer) == ([GapFound("r4", AP, "r4")], "")
    sa.asked = frozenset()
    repair.record_refusal("r4", AP)
    events, peer = repair.check_gaps({}, {}, sinks, ORPHAN + 2)
    assert (events, peer) == ([GapFound("r1", AP, "")], "r1")
    repair.forget_refusals("r4")
    assert repair.refused == {("r1", AP)}
    repair.forget_refusals()
    assert repair.refused == set()


def test_busy_peer_is_not_asked() -> None:
    repair, us = Repair(Limits()), streaming(1, {AP: 3})
    us.state = SinkState.LOADING
    repair.check_gaps({}, {}, table(us), 0)
    events, peer = repair.check_gaps({}, {}, table(us), ORPHAN)
    assert (events, peer) == ([GapFound("", AP, "")], "")


def test_stalled_link_is_asked_for_gap() -> None:
    repair, us = Repair(Limits()), streaming(1, {AP: 3})
    us.state = SinkState.STALLED
    repair.check_gaps({}, {}, table(us), 0)
    assert repair.check_gaps({}, {}, table(us), ORPHAN)[0] == [GapFound("r1", AP, "r1")]


def test_refusal_of_closed_gap_is_ignored() -> None:
    repair = Repair(Limits())
    repair.record_refusal("r1", EU)
    assert repair.refused == {("r1", EU)}
    assert repair.gaps == {}


def test_ops_in_transit_are_not_requested() -> None:
    repair = Repair(Limits())
    us, ap = streaming(1, {AP: 30}), streaming(3, {AP: 30})
    sinks = table(us, ap)
    for now in range(0, 10_000 * MS, 10 * MS):
        ap.note_bytes(now)
        assert repair.check_gaps({AP: 3}, {}, sinks, now) == ([], "")
    events, _ = repair.check_gaps({AP: 3}, {}, sinks, 10_000 * MS + PATIENCE)
    assert events == [GapFound("r1", AP, "r1")], "the repair peer, and not the silent one"


@pytest.mark.parametrize("state", [SinkState.AWAITING_HELLO, SinkState.RESUMING])
def test_ops_of_connecting_link_are_not_requested(state: SinkState) -> None:
    repair = Repair(Limits())
    us, ap = streaming(1, {AP: 30}), streaming(3, {AP: 30})
    ap.state = state
    ap.note_bytes(0)
    sinks = table(us, ap)
    for now in range(0, FIRST_TRIPS_NS, 10 * MS):
        assert repair.check_gaps({AP: 3}, {}, sinks, now) == ([], "")
    events, _ = repair.check_gaps({AP: 3}, {}, sinks, FIRST_TRIPS_NS)
    assert events == [GapFound("r1", AP, "r1")]


def test_link_that_resumes_may_bring_what_its_hello_did_not_list() -> None:
    repair = Repair(Limits())
    us, ap = streaming(1, {AP: 30}), streaming(3, {})
    ap.state = SinkState.RESUMING
    ap.note_bytes(0)
    sinks = table(us, ap)
    repair.check_gaps({}, {}, sinks, 0)
    assert repair.check_gaps({}, {}, sinks, FIRST_TRIPS_NS - 1) == ([], "")
    events, _ = repair.check_gaps({}, {}, sinks, FIRST_TRIPS_NS)
    assert events == [GapFound("r1", AP, "r1")]


def test_unanswered_link_is_not_awaited() -> None:
    repair = Repair(Limits())
    us, ap = streaming(1, {AP: 30}), streaming(3, {})
    ap.state = SinkState.AWAITING_HELLO
    repair.check_gaps({}, {}, table(us, ap), 0)
    events, _ = repair.check_gaps({}, {}, table(us, ap), ORPHAN)
    assert events == [GapFound("r1", AP, "r1")]


def test_new_link_is_waited_for_only_with_what_it_carries() -> None:
    repair = Repair(Limits())
    us, ap = streaming(1, {EU: 30}), streaming(3, {})
    ap.state = SinkState.AWAITING_HELLO
    ap.note_bytes(0)
    repair.check_gaps({}, {}, table(us, ap), 0)
    events, _ = repair.check_gaps({}, {}, table(us, ap), ORPHAN)
    assert events == [GapFound("r1", EU, "r1")]


def test_ops_of_repair_are_not_requested_again() -> None:
    repair = Repair(Limits())
    us, sa = streaming(1, {AP: 30}, rtt=5), streaming(4, {AP: 30}, rtt=9)
    sinks = table(us, sa)
    repair.check_gaps({}, {}, sinks, 0)
    repair.check_gaps({}, {}, sinks, ORPHAN)
    for now in range(ORPHAN, 10_000 * MS, 10 * MS):
        us.note_bytes(now)
        assert repair.check_gaps({}, {}, sinks, now) == ([], "")
    assert sa.asked == frozenset()


def test_distant_repair_peer_gets_three_round_trips() -> None:
    repair = Repair(Limits())
    us, sa = streaming(1, {AP: 3}, rtt=200 * MS), streaming(4, {AP: 3}, rtt=300 * MS)
    sinks = table(us, sa)
    repair.check_gaps({}, {}, sinks, 0)
    repair.check_gaps({}, {}, sinks, ORPHAN)
    assert repair.check_gaps({}, {}, sinks, ORPHAN + 599 * MS) == ([], "")
    assert sa.asked == frozenset()


def test_link_without_missing_op_is_asked_after_a_minute() -> None:
    repair, ap = Repair(Limits()), streaming(3, {AP: 3})
    sinks = table(ap)
    asked_at = 0
    for now in range(0, 100_000 * MS, 10 * MS):
        ap.note_bytes(now)
        if repair.check_gaps({}, {}, sinks, now)[0] and not asked_at:
            asked_at = now
    assert asked_at == Limits().idle_ns_max


def test_help_ends_when_regular_link_resumes() -> None:
    repair = Repair(Limits())
    us, ap = streaming(1, {AP: 9}), streaming(3, {})
    ap.state = SinkState.AWAITING_HELLO
    sinks = table(us, ap)
    repair.check_gaps({}, {}, sinks, 0)
    repair.check_gaps({}, {}, sinks, ORPHAN)
    ap.note_bytes(2 * ORPHAN)
    repair.check_gaps({AP: 3}, {}, sinks, 2 * ORPHAN)
    assert us.asked == {AP}, "it has not said what it has"
    ap.state, ap.vector = SinkState.RESUMING, {AP: 9}
    repair.check_gaps({AP: 3}, {}, sinks, 2 * ORPHAN)
    assert us.asked == frozenset(), "what it brings now would come twice"


def test_help_ends_when_regular_link_brings_data_again() -> None:
    repair = Repair(Limits())
    us, ap = streaming(1, {AP: 9}), streaming(3, {})
    ap.state = SinkState.AWAITING_HELLO
    sinks = table(us, ap)
    repair.check_gaps({}, {}, sinks, 0)
    repair.check_gaps({}, {}, sinks, ORPHAN)
    ap.state, ap.vector = SinkState.STREAMING, {AP: 9}
    repair.check_gaps({AP: 3}, {}, sinks, 2 * ORPHAN)
    assert us.asked == {AP}, "it may be silent"
    ap.note_bytes(2 * ORPHAN + 1)
    ap.vector = {AP: 8}
    repair.check_gaps({AP: 3}, {}, sinks, 2 * ORPHAN + 2)
    assert us.asked == {AP}, "it has less than the repair peer"
    ap.vector = {AP: 9}
    repair.check_gaps({AP: 3}, {}, sinks, 2 * ORPHAN + 3)
    assert us.asked == frozenset()
    assert repair.repair_peers == {}


def test_help_ends_when_snapshot_brings_same() -> None:
    repair = Repair(Limits())
    us, sa = streaming(1, {AP: 3, EU: 2}), streaming(4, {AP: 2, EU: 2})
    sinks = table(us, sa)
    repair.check_gaps({}, {}, table(us), 0)
    repair.check_gaps({}, {}, table(us), ORPHAN)
    assert us.asked == {AP, EU}
    repair.release_for_snapshot(sinks)
    assert us.asked == {AP, EU}, "nobody loads a snapshot"
    sa.state = SinkState.LOADING
    repair.release_for_snapshot(sinks)
    assert us.asked == {AP}, "the snapshot need not have all of it"
    sa.vector = {AP: 3}
    repair.release_for_snapshot(sinks)
    assert (us.asked, repair.repair_peers) == (frozenset(), {})


def test_help_of_peer_that_sends_snapshot_goes_on() -> None:
    repair, us = Repair(Limits()), streaming(1, {AP: 3})
    repair.check_gaps({}, {}, table(us), 0)
    repair.check_gaps({}, {}, table(us), ORPHAN)
    us.state = SinkState.LOADING
    repair.release_for_snapshot(table(us))
    assert helping(repair) == {AP: "r1"}
    repair.release_for_snapshot(table(streaming(4, {})))
    assert helping(repair) == {AP: "r1"}, "its link is lost, which is noticed elsewhere"


def test_peer_is_asked_once_over_one_connection() -> None:
    """The peer may be paused. Then it would later reply to each request."""
    repair, us = Repair(Limits()), streaming(1, {AP: 3})
    found = [now for now in range(0, 80_000 * MS, 10 * MS) if is_found(repair, us, now)]
    assert found[0] == ORPHAN
    assert found[1] >= Limits().idle_ns_max, "something is wrong with that connection"
    again = streaming(1, {AP: 3})
    assert is_found(repair, again, 160_000 * MS), "a new connection knows of no request"


def is_found(repair: Repair, sink: Sink, now: int) -> bool:
    """Look for gaps of which only one link can bring the ops. Return whether the peer was asked."""
    events, _ = repair.check_gaps({AP: 1}, {}, table(sink), now)
    assert all(event == GapFound("r1", AP, "r1") for event in events)
    return bool(events)
