"""Consumer groups: delivery, acknowledgements, and what other regions learn of them."""

from __future__ import annotations

from random import Random

import pytest

from crdt import Replica
from crdt.types.components.stream_groups import UNKNOWN, Group
from crdt.types.stream import STREAM, Stream
from crdt.writes import stream, stream_groups
from crdt.writes.stream_groups import GroupPlace
from tests.crdt.types.test_stream import KEY, add, held, replicas, send


def place(replica: Replica) -> GroupPlace:
    value = held(replica)
    return GroupPlace(KEY, b"g", value, value.groups[b"g"])


def read(replica: Replica, count: int = 9, needs_ack: bool = True) -> list[tuple[int, int]]:
    """Deliver entries to a consumer. Return their ids."""
    found = place(replica)
    consumer = found.group.consumer(b"ann", replica.keyspace.now)
    entries = stream_groups.deliver_next(replica.keyspace, found, consumer, count, needs_ack)
    return [entry[:2] for entry in entries]


def acknowledge(replica: Replica, *ids: tuple[int, int]) -> int:
    return stream_groups.acknowledge(replica.keyspace, place(replica), list(ids))


def filled(size: int) -> list[Replica]:
    """Return two replicas of a stream with a group."""
    one, two = replicas()
    for number in range(size):
        one.advance(1000 + number)
        add(one, b"%d" % number)
    stream_groups.create(one.keyspace, KEY, b"g", (0, 0))
    send(one, two)
    return [one, two]


@pytest.mark.rule("STM-18")
def test_gap_holds_acknowledgements_back() -> None:
    one, two = filled(3)
    ids = read(one)
    assert acknowledge(one, ids[0]) == 1
    assert acknowledge(one, ids[2], ids[2], (9, 9)) == 1
    send(one, two)
    assert read(two, 1) == [ids[1]]
    assert acknowledge(one, ids[1]) == 1
    send(one, two)
    assert read(two) == []
    assert acknowledge(two, ids[1]) == 1


@pytest.mark.rule("STM-18")
def test_entry_of_another_region_holds_acknowledgements_back() -> None:
    one, two = filled(1)
    (first,) = read(one)
    two.advance(900)
    stream.add(two.keyspace, b"k", (1000, 2), [b"f", b"v"])
    send(two, one)
    one.advance(2000)
    add(one, b"late")
    assert read(one, 1) == [(1000, 2)]
    assert acknowledge(one, (1000, 2)) == 1
    assert place(one).group.acked == {}
    assert acknowledge(one, first) == 1
    assert sorted(mark[1:] for mark in place(one).group.acked.values()) == [(1000, 1), (1000, 2)]


@pytest.mark.rule("STM-18")
def test_reading_without_acknowledgement_is_shared() -> None:
    one, two = filled(3)
    ids = read(one, 2, needs_ack=False)
    send(one, two)
    assert read(two)[0] > ids[-1]
    assert not place(one).group.pending


@pytest.mark.rule("STM-10")
def test_group_skips_no_entry_in_the_past() -> None:
    one, two = filled(2)
    assert len(read(one)) == 2
    two.advance(5)
    stream.add(two.keyspace, b"other", (1, 1), [b"f", b"v"])
    two.keyspace.emit((STREAM, 0, KEY, 7, 2, 1, b"f", b"v"))
    send(two, one)
    assert read(one) == [(7, 2)]
    assert place(one).group.last_id == (1001, 1)


@pytest.mark.rule("STM-19")
def test_acknowledgement_moves_the_position() -> None:
    one, two = filled(3)
    ids = read(one)
    acknowledge(one, *ids[:2])
    send(one, two)
    group = place(two).group
    assert (group.last_id, group.entries_read) == (ids[1], UNKNOWN)
    assert read(two) == [ids[2]]
    copy = Replica(3)
    copy.merge(one.snapshot())
    assert not place(copy).group.pending.by_id
    assert read(copy) == [ids[2]]


@pytest.mark.rule("STM-22")
def test_position_is_set_in_one_region() -> None:
    one, two = filled(2)
    ids = read(one)
    acknowledge(one, *ids)
    place(one).group.set_position((0, 0), 0)
    send(one, two)
    assert read(one) == ids
    assert read(two) == []


def test_concurrent_creations_begin_at_the_lower_id() -> None:
    one, two = replicas()
    first = add(one, b"a")
    send(one, two)
    stream_groups.create(one.keyspace, KEY, b"g", first)
    stream_groups.create(two.keyspace, KEY, b"g", (0, 0))
    send(one, two)
    send(two, one)
    for each in (one, two):
        assert place(each).group.start()[:2] == (0, 0)
        assert read(each) == [first]


def receive_late(one: Replica, two: Replica) -> None:
    """Let an entry arrive whose id is lower than all others."""
    two.advance(900)
    stream.add(two.keyspace, KEY, (1, 1), [b"f", b"v"])
    send(two, one)


@pytest.mark.rule("STM-18")
def test_late_entry_before_a_pending_one_is_sent() -> None:
    one, two = filled(3)
    ids = read(one)
    acknowledge(one, ids[1])
    receive_late(one, two)
    assert read(one) == [(1, 1)]
    acknowledge(one, (1, 1))
    assert [mark[1:] for mark in place(one).group.acked.values()] == [(1, 1)]


@pytest.mark.rule("STM-18")
def test_deleted_entry_before_a_pending_one_holds_nothing_back() -> None:
    one, two = filled(3)
    ids = read(one)
    receive_late(one, two)
    acknowledge(one, ids[0])
    assert place(one).group.acked == {}, "the late one was not delivered"
    stream.remove(one.keyspace, KEY, [(1, 1)])
    acknowledge(one, ids[2])
    assert [mark[1:] for mark in place(one).group.acked.values()] == [ids[0]]


@pytest.mark.rule("STM-18")
@pytest.mark.parametrize("seed", range(2))
def test_nothing_that_can_be_sent_is_left_behind(seed: int) -> None:
    """An acknowledgement behind a pending entry is not even looked at, as long as nothing else can
    have changed what is to be sent."""
    one, two = filled(5)
    rng = Random(seed)
    for step in range(150):
        one.advance(3000 + step)
        two.advance(2000 + step)  # so its entries arrive late
        group, action = place(one).group, rng.randrange(8)
        pending = sorted(group.pending.by_id)
        if action == 0:
            add(one, b"here")
        elif action == 1:
            add(two, b"there")
            send(two, one)
        elif action == 2:
            read(one, rng.randrange(1, 4), needs_ack=rng.random() < 0.9)
        elif action == 3 and held(one).size:
            entry = rng.choice(list(held(one).forward())[-4:])
            stream.remove(one.keyspace, KEY, [entry[:2]])
        elif action == 4 and pending:
            group.drop_pending(rng.choice(pending))
        elif pending and acknowledge(one, *rng.sample(pending, min(len(pending), 2))):
            assert group.ack_frontier(held(one).trees) == []


def test_delivery_changes_the_owner() -> None:
    group = Group()
    ann, bob = group.consumer(b"ann", 1), group.consumer(b"bob", 1)
    group.deliver((1, 1), ann, 5)
    group.deliver((1, 1), bob, 6)
    assert (list(ann.pending.by_id), list(bob.pending.by_id)) == ([], [(1, 1)])
    assert group.pending.by_id[1, 1].delivered_ms == 6
    assert group.drop_consumer(b"bob") == 1
    assert group.drop_consumer(b"bob") == 0
    assert not group.drop_pending((1, 1))


def test_lag_is_known_while_nothing_behind_was_deleted() -> None:
    one, _ = filled(4)
    group = place(one).group
    assert stream_groups.lag(held(one), group) == 4
    ids = read(one, 2)
    assert stream_groups.lag(held(one), group) == 2
    stream.remove(one.keyspace, KEY, [(1003, 1)])
    assert stream_groups.lag(held(one), group) is None
    group.set_position((1003, 1), UNKNOWN)
    assert stream_groups.lag(held(one), group) == 0
    assert ids == [(1000, 1), (1001, 1)]
    assert stream_groups.lag(Stream(), group) == 0
    assert stream_groups.distance_from_first(held(one), (1000, 1)) == UNKNOWN
    assert stream_groups.distance_from_first(held(one), (9999, 1)) == UNKNOWN
    assert stream_groups.distance_from_first(Stream(), (1, 1)) == 0
