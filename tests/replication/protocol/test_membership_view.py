"""Membership views: the present incarnation of each region. Rule MEM-2."""

from __future__ import annotations

from crdt.causality.dots import Origin, make_origin
from crdt.causality.op import Op
from crdt.embed.replica import Outcome, Replica
from replication.mesh.links import Links
from replication.protocol.events import Closed, ViewReceived
from replication.protocol.frames import (
    EPOCH_MAX,
    FOLLOWER,
    Ack,
    Heartbeat,
    Hello,
    OpPart,
    Present,
    Resume,
    Resumed,
)
from replication.protocol.membership_view import MembershipView
from replication.protocol.peers import Direction, Member, Peer
from tests.replication.ends import drain, of

IN, OUT = Direction.IN, Direction.OUT
ONE, TWO, THREE = make_origin(1), make_origin(2), make_origin(3)
SECOND_TWO, THIRD_TWO = make_origin(2, 9), make_origin(2, 4)


def membership(region: int = 1) -> MembershipView:
    """Return the view of one of three regions that has just started."""
    return MembershipView(Replica(region, members=(1, 2, 3)))


def links() -> Links:
    """Return the links of region 1 of three."""
    replica = Replica(1, members=(1, 2, 3))
    peers = (Peer("r2", 2, (2,)), Peer("r3", 3, (3,)))
    return Links(replica, Member("r1", 1, replica.origin), peers)


def write(replica: Replica) -> Op:
    """Return an operation of one effect."""
    replica.string("k").set("v")
    op = replica.seal()
    assert op is not None
    return op


def hello_of(region: int, origin: Origin) -> Hello:
    """Return the Hello of an incarnation of a region."""
    return Hello(f"r{region}", region, origin, "", {})


# -- terms ---------------------------------------------------------------------------------


def test_view_begins_with_oneself() -> None:
    here = membership()
    assert here.view == here.view_to_send() == ((1, 0, ONE),)


def test_hello_of_another_incarnation_starts_next_epoch() -> None:
    here = membership()
    assert here.record_origin(2, TWO)
    assert not here.record_origin(2, TWO)
    assert here.view == ((1, 0, ONE), (2, 0, TWO))
    assert here.record_origin(2, SECOND_TWO)
    assert here.record_origin(2, THIRD_TWO), "incarnations have no order"
    assert here.view == ((1, 0, ONE), (2, 2, THIRD_TWO))
    is_over = here.replica.stability.is_over
    assert is_over(TWO)
    assert not is_over(THIRD_TWO)
    assert not is_over(THREE), "nothing is known of region 3"


def test_greater_epoch_wins() -> None:
    here, there = membership(1), membership(3)
    here.record_origin(2, TWO)
    there.record_origin(2, TWO)
    there.record_origin(2, SECOND_TWO)
    assert here.merge_view(there.view)
    assert there.merge_view(here.view)
    assert here.view == there.view == ((1, 0, ONE), (2, 1, SECOND_TWO), (3, 0, THREE))
    assert not here.merge_view(((2, 0, TWO),)), "who comes late says nothing new"


def test_dead_incarnation_takes_next_epoch() -> None:
    here = membership(2)
    assert here.merge_view(((2, 5, SECOND_TWO),))
    assert here.view == ((2, 6, TWO),)
    assert here.merge_view(((2, 8, TWO),)), "somebody has noticed more incarnations than we"
    assert here.view == ((2, 8, TWO),)
    assert not here.merge_view(((2, 7, SECOND_TWO),))


def test_views_of_different_incarnations_agree() -> None:
    """Region 2 has restarted twice. Region 1 knows its second incarnation and region 3 its third,
    under the same epoch."""
    one, two, three = (
        membership(1),
        MembershipView(Replica(THIRD_TWO, members=(1, 2, 3))),
        membership(3),
    )
    one.record_origin(2, TWO)
    one.record_origin(2, SECOND_TWO)
    three.record_origin(2, TWO)
    three.record_origin(2, THIRD_TWO)
    for _ in range(3):
        for here in (one, two, three):
            for there in (one, two, three):
                here.merge_view(there.view)
    assert one.view == two.view == three.view
    assert one.present[2] == (2, THIRD_TWO)


def test_another_origin_is_another_incarnation() -> None:
    here = membership()
    assert not here.renew()
    here.replica.reincarnate(make_origin(1, 3))
    assert here.renew()
    assert here.view == ((1, 1, make_origin(1, 3)),)


def test_non_members_are_not_entered() -> None:
    here = membership()
    assert not here.record_origin(4, make_origin(4))
    assert not here.merge_view(((4, 1, make_origin(4)),))
    assert here.view == ((1, 0, ONE),)
    unknown = MembershipView(Replica(1))
    assert unknown.record_origin(4, make_origin(4)), "all are, while members are not known"


def test_epoch_that_only_liar_reaches_is_kept_out() -> None:
    here = membership()
    here.merge_view(((2, EPOCH_MAX, TWO),))
    assert here.record_origin(2, SECOND_TWO)
    assert here.view[1] == (2, EPOCH_MAX, SECOND_TWO)


def test_view_waits_for_ops_of_ended_incarnations() -> None:
    """Such an operation would otherwise be applied after the report, and appear in no later one."""
    here, other = membership(), Replica(2, members=(1, 2, 3))
    here.record_origin(2, TWO)
    first, late = write(other), Replica(3)
    late.accept(first)
    assert here.replica.accept(write(late)) is Outcome.HELD
    assert here.view_to_send() == here.view, "the incarnation of region 3 goes on"
    here.record_origin(3, THREE)
    here.record_origin(3, make_origin(3, 1))
    assert here.view_to_send() == ()
    here.replica.accept(first)
    assert here.view_to_send() == here.view


# -- links ---------------------------------------------------------------------------------


def test_report_counts_in_our_own_view_only() -> None:
    here = links()
    sink = here.dial("r2", 0)
    here.receive(sink, hello_of(2, TWO), 0)
    here.receive(sink, Heartbeat({}, 5), 0)
    assert here.replica.stability.reports == {}
    events = here.receive(sink, Present(here.membership.view), 0)
    assert events == [ViewReceived("r2")]
    here.receive(sink, Heartbeat({}, 6), 0)
    assert here.replica.stability.clocks == {2: 6}
    here.receive(sink, Present((*here.membership.view, (3, 0, THREE))), 0)
    assert here.replica.stability.clocks == {}, "ours has changed as well"
    here.receive(sink, Heartbeat({}, 7), 0)
    assert here.replica.stability.clocks == {2: 7}
    here.receive(sink, Present(()), 0)
    here.receive(sink, Heartbeat({}, 8), 0)
    assert here.replica.stability.clocks == {2: 7}


def test_view_is_sent_once_before_its_reports() -> None:
    here = links()
    source, sink = here.serve(0), here.dial("r3", 0)
    here.receive(source, hello_of(2, TWO), 0)
    here.receive(source, Resume({}, (1,)), 0)
    here.receive(sink, hello_of(3, THREE), 0)
    drain(source)
    drain(sink)
    source.heartbeat(0)
    sink.ack(0)
    assert [type(frame) for frame in drain(source)] == [Present, Heartbeat]
    assert [type(frame) for frame in drain(sink)] == [Present, Ack]
    source.heartbeat(1)
    sink.ack(1)
    assert [type(frame) for frame in drain(source)] == [Heartbeat]
    assert [type(frame) for frame in drain(sink)] == [Ack]
    here.receive(sink, Present(((2, 4, SECOND_TWO),)), 2)
    sink.ack(3)
    assert of(Present, drain(sink)) == [Present(((1, 0, ONE), (2, 4, SECOND_TWO), (3, 0, THREE)))]


def test_followers_receive_no_view() -> None:
    here = links()
    source = here.serve(0)
    here.receive(source, Hello("f", 255, make_origin(255), "", {}, FOLLOWER), 0)
    here.receive(source, Resume({}, None), 0)
    source.heartbeat(0)
    assert of(Present, drain(source)) == []
    here.receive(source, Present(((2, 9, TWO),)), 0)
    assert here.membership.view == ((1, 0, ONE),), "nor is theirs believed"


def test_connections_with_ended_incarnation_are_closed() -> None:
    here = links()
    sink, source, other = here.dial("r2", 0), here.serve(0), here.serve(0)
    here.receive(sink, hello_of(2, TWO), 0)
    here.receive(source, hello_of(2, TWO), 0)
    here.receive(other, hello_of(3, THREE), 0)
    events = here.receive(other, Present(((2, 1, SECOND_TWO),)), 0)
    reason = (
        "incarnation of r2 is over: it has restarted. If this repeats, several processes run as "
        "r2: stop all but one"
    )
    assert events == [ViewReceived("r3"), Closed("r2", IN, reason), Closed("r2", OUT, reason)]
    assert sink.closed
    assert source.closed
    assert not other.closed


def test_follower_with_number_of_member_is_none() -> None:
    """The follower belongs to another cluster, whose incarnations do not matter here."""
    here = links()
    source, follower = here.serve(0), here.serve(0)
    here.receive(follower, Hello("f", 2, TWO, "", {}, FOLLOWER), 0)
    here.receive(source, hello_of(2, SECOND_TWO), 0)
    assert not follower.closed
    assert not source.closed


def test_own_new_incarnation_voids_received_reports() -> None:
    here = links()
    sink = here.dial("r2", 0)
    here.receive(sink, hello_of(2, TWO), 0)
    here.receive(sink, Present(here.membership.view), 0)
    here.receive(sink, Heartbeat({}, 5), 0)
    assert 2 in here.replica.stability.reports
    here.reincarnate(0)
    assert here.replica.stability.reports == {}
    assert here.replica.stability.is_over(ONE)
    assert here.membership.view[0] == (1, 1, here.replica.origin)


def test_reset_is_kept_until_lost_writes_arrive() -> None:
    """Region 2 has lost its memory. Region 3 has its second increment, which had not observed the
    reset."""
    here, dead = links(), Replica(2, members=(1, 2, 3))
    dead.counter("n").increment(5)
    first = dead.seal()
    dead.counter("n").increment(35)
    second = dead.seal()
    assert first is not None
    assert second is not None
    here.replica.accept(first)
    here.replica.keyspace.delete(b"n")
    here.replica.seal()
    two, three = here.dial("r2", 0), here.dial("r3", 0)
    here.receive(two, hello_of(2, SECOND_TWO), 0)
    here.receive(three, hello_of(3, THREE), 0)
    seen = here.replica.vector
    for sink, vector in ((two, seen), (three, seen | {TWO: 2})):
        here.receive(sink, Resumed(), 0)
        here.receive(sink, Present(here.membership.view), 0)
        here.receive(sink, Heartbeat(vector, 5), 0)
    here.collect()
    assert list(here.replica.keyspace.garbage) == [b"n"]
    assert here.replica.stable() == {}
    here.receive(three, OpPart(second.to_bytes(), True), 0)
    assert here.replica.counter("n").value == 35
    here.receive(two, Heartbeat(here.replica.vector, 6), 0)
    assert here.replica.stable() == here.replica.vector
    here.replica.keyspace.delete(b"n")
    here.replica.seal()
    for sink in (two, three):
        here.receive(sink, Heartbeat(here.replica.vector, 7), 0)
    here.collect()
    assert not here.replica.keyspace.garbage
    assert here.replica.keyspace.held_keys() == []


def test_waiting_op_of_lost_incarnation_blocks_stability() -> None:
    here, dead, late = links(), Replica(2), Replica(3)
    late.accept(write(dead))
    waiting = write(late)
    here.membership.record_origin(2, TWO)
    here.membership.record_origin(3, THREE)
    here.replica.accept(waiting)
    here.membership.record_origin(3, make_origin(3, 1))
    for region in (2, 3):
        here.replica.record_report(region, {ONE: 1})
    here.replica.string("k").set("v")
    here.replica.seal()
    assert here.replica.stable() == {}
    assert here.replica.keyspace.vector == {ONE: 1}
