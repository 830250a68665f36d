"""Buffered operations are dropped if no region has their dependencies, and only then."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crdt.causality.dots import make_origin
from crdt.causality.op import Op
from crdt.embed.replica import Outcome, Replica
from replication.machines.endpoint import NEVER
from replication.machines.receiving.sink import Sink
from replication.mesh.links import Links
from replication.mesh.lost import ASK_NS, STATEMENTS_MAX, Dropped, Effect, Losses
from replication.protocol.events import OpsDropped
from replication.protocol.frames import Hello, Lacking, Present, View
from replication.protocol.membership_view import MembershipView
from replication.protocol.peers import Member, Peer
from tests.replication.ends import drain, of

OLD_ONE, OLD_THREE = make_origin(1), make_origin(3)
NEW_ONE, TWO, NEW_THREE = make_origin(1, 5), make_origin(2), make_origin(3, 5)
E = (OLD_THREE, 1)
VIEW = ((1, 1, NEW_ONE), (2, 0, TWO), (3, 1, NEW_THREE))


def operation(origin: int, first: int = 1, deps: dict[int, int] | None = None) -> Op:
    """Return an operation of one effect."""
    effect = (2, 0, b"s", b"%d" % first)
    return Op(origin, first, 1, deps or {}, (effect,))


def losses(origin: int = TWO, members: tuple[int, ...] | None = (1, 2, 3)) -> Losses:
    """Return the statements of one member, whose view has the second incarnations of regions 1 and
    3."""
    replica = Replica(origin, members=members)
    membership = MembershipView(replica)
    membership.merge_view(VIEW)
    return Losses(replica, membership)


def waiting() -> Losses:
    """Return region 2, in which an operation of region 1 waits for one of region 3, which is
    lost."""
    here = losses()
    assert here.replica.accept(operation(OLD_ONE, 1, {OLD_THREE: 1})) is Outcome.HELD
    assert here.replica.accept(operation(OLD_ONE, 2)) is Outcome.HELD
    return here


def statement(origin: int, seq: int, *regions: int, view: View = VIEW) -> Lacking:
    return Lacking(view, origin, seq, regions)


def test_long_waiting_op_starts_query() -> None:
    here = waiting()
    assert not here.begin_statements(0)
    assert not here.begin_statements(ASK_NS - 1)
    assert here.due_at(0) == ASK_NS
    assert here.begin_statements(ASK_NS)
    assert here.due_at(ASK_NS) == NEVER
    assert not here.begin_statements(ASK_NS + 1)
    assert here.list_statements() == [statement(*E, 2)]
    assert here.drop_lost_ops() == []


def test_op_that_all_lack_is_dropped_with_dependents() -> None:
    here = waiting()
    here.begin_statements(0)
    here.begin_statements(ASK_NS)
    assert here.record_statement(statement(*E, 1))
    assert here.drop_lost_ops() == []
    assert here.record_statement(statement(*E, 3))
    (dropped,) = here.drop_lost_ops()
    assert dropped == Dropped(OLD_ONE, 2, 2, E)
    assert here.replica.causal_buffer.queues == {}
    assert here.replica.causal_buffer.bytes == 0
    assert here.dropped == 2
    assert not here.replica.awaits_lost_effects
    assert OLD_ONE not in here.replica.vector


def test_statement_of_another_view_is_ignored() -> None:
    here = waiting()
    assert not here.record_statement(statement(*E, 1, 3, view=VIEW[:2]))
    assert here.lacking == {}


def test_statements_are_void_in_new_view() -> None:
    here = waiting()
    here.record_statement(statement(*E, 1))
    here.membership.record_origin(3, make_origin(3, 6))
    here.begin_statements(0)
    assert here.lacking == {}


def test_region_with_op_does_not_join() -> None:
    here = losses(NEW_ONE)
    here.replica.accept(operation(OLD_THREE))
    assert here.record_statement(statement(*E, 2))
    assert here.lacking[E] == {2}
    assert not here.record_statement(statement(*E, 2))


def test_region_that_holds_op_joins_after_dropping() -> None:
    """The second effect of region 3 waits for the first, which is lost too."""
    here = losses(NEW_ONE)
    assert here.replica.accept(operation(OLD_THREE, 2)) is Outcome.HELD
    here.record_statement(statement(OLD_THREE, 2, 2))
    assert here.lacking[OLD_THREE, 2] == {2}
    here.record_statement(statement(OLD_THREE, 1, 2, 3))
    (dropped,) = here.drop_lost_ops()
    assert (dropped.origin, dropped.awaited) == (OLD_THREE, E)
    assert here.lacking[OLD_THREE, 2] == {1, 2}


def test_region_with_state_aside_does_not_join() -> None:
    here = losses(NEW_ONE)
    here.membership.is_withheld = True
    here.record_statement(statement(*E, 2))
    assert here.lacking[E] == {2}


def test_lost_effect_makes_later_ones_of_its_origin_lost() -> None:
    here = losses()
    here.replica.accept(operation(OLD_ONE, 1, {OLD_THREE: 7}))
    here.record_statement(statement(OLD_THREE, 8, 1, 3))
    assert here.drop_lost_ops() == []
    here.record_statement(statement(OLD_THREE, 6, 1, 3))
    assert len(here.drop_lost_ops()) == 1


def test_op_of_present_incarnation_is_never_dropped() -> None:
    here = losses()
    here.replica.accept(operation(NEW_ONE, 1, {OLD_THREE: 1}))
    assert not here.begin_statements(0)
    assert not here.begin_statements(ASK_NS)
    here.record_statement(statement(*E, 1, 3))
    assert here.drop_lost_ops() == []
    assert here.waiting()[0].awaited == (E,)


def test_ops_of_live_incarnations_are_not_queried() -> None:
    here = losses()
    here.replica.accept(operation(OLD_ONE, 1, {NEW_THREE: 1}))
    here.begin_statements(0)
    assert not here.begin_statements(ASK_NS)


@pytest.mark.parametrize("members", [None, (1, 2, 3, 4)])
def test_no_op_is_dropped_while_member_is_unknown(members: tuple[int, ...] | None) -> None:
    here = losses(members=members)
    here.replica.accept(operation(OLD_ONE, 1, {OLD_THREE: 1}))
    here.record_statement(statement(*E, 1, 2, 3, 4))
    assert here.drop_lost_ops() == []


def test_statements_are_bounded() -> None:
    here = losses()
    for seq in range(1, STATEMENTS_MAX + 10):
        here.record_statement(statement(OLD_THREE, seq, 1))
    assert len(here.list_statements()) == STATEMENTS_MAX


def test_waiting_ops_are_reported_with_their_age() -> None:
    here = waiting()
    here.record_waiting(7)
    here.record_waiting(9)
    (row,) = here.waiting()
    assert (row.origin, row.operations, row.since, row.awaited) == (OLD_ONE, 2, 7, (E,))


# -- beside a naive model --------------------------------------------------------------------

EFFECTS: list[Effect] = [(origin, seq) for origin in (OLD_ONE, OLD_THREE) for seq in (1, 2, 3)]


def seen_by(effect: Effect, most: int) -> dict[int, int]:
    """Return the effects of the other incarnation that an effect had observed. The incarnations
    write in turn."""
    origin, seq = effect
    other, bound = (OLD_THREE, seq - 1) if origin == OLD_ONE else (OLD_ONE, seq)
    return {other: min(most, bound)} if min(most, bound) else {}


@example(
    deps=[0, 0, 0, 1, 2, 0],
    have=[
        set(),
        {(OLD_THREE, 3), (OLD_ONE, 1)},
        {(OLD_THREE, 1), (OLD_ONE, 3), (OLD_THREE, 2)},
    ],
    talks=[],
).via("an operation that waits behind one that can be applied and one that cannot")
@given(
    deps=st.lists(st.integers(0, 3), min_size=6, max_size=6),
    have=st.lists(st.sets(st.sampled_from(EFFECTS)), min_size=3, max_size=3),
    talks=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=30),
)
def test_only_unappliable_ops_are_dropped(
    deps: list[int], have: list[set[Effect]], talks: list[tuple[int, int]]
) -> None:
    """Compare with a model which operations can still be applied.

    Each member has received some operations of two ended incarnations. The model assumes that all
    members receive what any member has.
    """
    operations = {
        effect: operation(*effect, seen_by(effect, most))
        for effect, most in zip(EFFECTS, deps, strict=True)
    }
    members = [losses(origin) for origin in (NEW_ONE, TWO, NEW_THREE)]
    for member, received in zip(members, have, strict=True):
        for effect in sorted(received):
            member.replica.accept(operations[effect])
    twin = Replica(9)
    applied = {o: max(m.replica.vector.get(o, 0) for m in members) for o in (OLD_ONE, OLD_THREE)}
    for effect in EFFECTS:
        if effect[1] <= applied[effect[0]]:
            twin.accept(operations[effect])
    for member in members:
        for queue in member.replica.causal_buffer.queues.values():
            for op in queue:
                twin.accept(op)
    possible = twin.vector
    now = 0
    rounds = [(a, b) for _ in range(8) for a in range(3) for b in range(3)]
    for step, (one, other) in enumerate([*talks, *rounds]):
        now += ASK_NS
        if step >= len(talks):  # at first only statements arrive, later also the operations
            vector = members[one].replica.vector
            for effect in EFFECTS:
                if effect[1] <= vector.get(effect[0], 0):
                    members[other].replica.accept(operations[effect])
        members[one].begin_statements(now)
        for frame in members[one].list_statements():
            if one != other:
                members[other].record_statement(frame)
        for member in (members[one], members[other]):
            held = {o: list(q) for o, q in member.replica.causal_buffer.queues.items()}
            for dropped in member.drop_lost_ops():
                first = held[dropped.origin][0].first
                assert possible.get(dropped.origin, 0) < first
    for member in members:
        for origin, queue in member.replica.causal_buffer.queues.items():
            assert possible.get(origin, 0) >= queue[0].first, "or it waits for ever"


# -- over links ------------------------------------------------------------------------------


def linked() -> tuple[Links, Sink]:
    """Return the links of region 2, and its connection with the second incarnation of region 1."""
    replica = Replica(TWO, members=(1, 2, 3))
    peers = (Peer("r1", 1, (1,)), Peer("r3", 3, (3,)))
    links = Links(replica, Member("r2", 2, TWO), peers)
    sink = links.dial("r1", 0)
    links.receive(sink, Hello("r1", 1, NEW_ONE, "", {}), 0)
    links.receive(sink, Present(VIEW), 0)
    drain(sink)
    return links, sink


def test_members_are_sent_once_per_change() -> None:
    links, sink = linked()
    statement = Lacking(links.membership.view, *E, (1,))
    links.receive(sink, statement, 0)
    assert of(Lacking, drain(sink)) == [Lacking(links.membership.view, *E, (1, 2))]
    links.receive(sink, statement, 0)
    assert of(Lacking, drain(sink)) == []
    links.receive(sink, Lacking(links.membership.view, *E, (3,)), 0)
    assert of(Lacking, drain(sink)) == [Lacking(links.membership.view, *E, (1, 2, 3))]


def test_dropping_is_reported_and_reports_count_again() -> None:
    links, sink = linked()
    links.replica.accept(operation(OLD_ONE, 1, {OLD_THREE: 1}))
    sink.send_view()
    assert [each.counts for each in of(Present, drain(sink))] == [False]
    events = links.receive(sink, Lacking(links.membership.view, *E, (1, 3)), 0)
    assert OpsDropped("", OLD_ONE, 1, *E) in events
    sink.send_view()
    assert [each.counts for each in of(Present, drain(sink))] == [True]


def test_statement_of_follower_is_ignored() -> None:
    links, sink = linked()
    sink.membership = None
    links.receive(sink, Lacking(links.membership.view, *E, (1,)), 0)
    assert links.losses.lacking == {}


def test_view_is_sent_to_connected_members_only() -> None:
    links, sink = linked()
    stranger = links.serve(0)
    links.losses.receive_statement(Lacking(links.membership.view, *E, (1,)), [stranger, sink])
    assert of(Lacking, stranger.outbox) == []
    assert of(Lacking, drain(sink)) == [Lacking(links.membership.view, *E, (1, 2))]
