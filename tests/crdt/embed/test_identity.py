"""A reused identity is detected wherever its replicas meet. Distinct identities are never
suspected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt import (
    DotReused,
    HistoryTruncated,
    IdentityReused,
    Op,
    Outcome,
    Replica,
    Vector,
    make_origin,
)
from tests.crdt.exchange import deliver_to


def write(replica: Replica, *values: int, runs: int = 1) -> None:
    """Count some numbers, in operations of `runs` effects."""
    for index, value in enumerate(values, 1):
        replica.counter("c").increment(value)
        if index % runs == 0:
            replica.seal()


def digests(*replicas: Replica) -> list[Any]:
    """Return all that must not change when an exchange is refused."""
    return [
        (replica.to_bytes(), dict(replica.vector), replica.causal_buffer.bytes)
        for replica in replicas
    ]


def twins(ours: tuple[int, ...], theirs: tuple[int, ...], runs: int = 1) -> tuple[Replica, Replica]:
    """Return two replicas of one identity that have written different things."""
    one, other = Replica(1), Replica(1)
    write(one, *ours)
    write(other, *theirs, runs=runs)
    return one, other


def by_since(one: Replica, other: Replica) -> None:
    for op in one.since(other.vector):
        other.accept(op)


def by_all_operations(one: Replica, other: Replica) -> None:
    for op in one.since({}):
        other.accept(Op.from_bytes(op.to_bytes()))


def by_snapshot(one: Replica, other: Replica) -> None:
    other.merge(one.snapshot())


def by_state(one: Replica, other: Replica) -> None:
    other.merge_bytes(one.to_bytes())


def by_changes(one: Replica, other: Replica) -> None:
    other.apply(one.changes_for(other.vector).to_bytes())


def by_text(one: Replica, other: Replica) -> None:
    other.apply(one.changes_for(Vector.from_text(str(other.vector))))


WAYS: list[Callable[[Replica, Replica], None]] = [
    by_since,
    by_all_operations,
    by_snapshot,
    by_state,
    by_changes,
    by_text,
]
COUNTS = [((5,), (7,)), ((5,), (7, 8)), ((5, 6), (7,)), ((5, 6, 7), (5, 6, 8)), ((1, 2, 3), (4,))]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("ours", "theirs"), COUNTS)
@pytest.mark.parametrize("runs", [1, 2, 9])
def test_twins_notice_each_other_at_once(
    way: Callable[[Replica, Replica], None], ours: Any, theirs: Any, runs: int
) -> None:
    one, other = twins(ours, theirs, runs)
    before = digests(one, other)
    with pytest.raises(IdentityReused, match=r"identity 1: .*Nothing was changed.*Replica\(\)"):
        way(one, other)
    assert digests(one, other) == before


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("ours", "theirs"), COUNTS)
@pytest.mark.parametrize("runs", [1, 2])
def test_third_replica_notices_twins(
    way: Callable[[Replica, Replica], None], ours: Any, theirs: Any, runs: int
) -> None:
    one, other = twins(ours, theirs, runs)
    third = Replica(3)
    way(one, third)
    before = digests(third)
    with pytest.raises(IdentityReused):
        way(other, third)
    assert digests(third) == before


@pytest.mark.parametrize("way", WAYS)
def test_third_replica_detects_twins_by_snapshots(
    way: Callable[[Replica, Replica], None],
) -> None:
    one, other = twins((5,), (7,))
    third = Replica(3)
    write(third, 1)
    by_state(one, third)
    with pytest.raises(IdentityReused):
        way(other, third)
    fourth = Replica(4)
    by_state(other, fourth)
    with pytest.raises(HistoryTruncated if way is by_all_operations else IdentityReused):
        way(third, fourth)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("more", "runs"), [((9,), 1), ((9, 9), 1), ((9, 9), 2), ((9, 9, 9), 1)])
def test_copy_that_was_rolled_back_is_noticed(
    way: Callable[[Replica, Replica], None], more: tuple[int, ...], runs: int
) -> None:
    """The original and the peer are at effect 4, and the copy writes on from 3."""
    original, peer = Replica(1), Replica(2)
    write(original, 1, 2, 3)
    saved = original.save()
    write(original, 4)
    deliver_to(original, peer)
    write(peer, 10)
    copy = Replica.load(saved, resume=True)
    write(copy, *more, runs=runs)
    before = digests(copy, peer)
    for source, sink in ((copy, peer), (peer, copy)):
        with pytest.raises(IdentityReused):
            way(source, sink)
    assert digests(copy, peer) == before


def test_lost_writes_are_found_by_plain_vector() -> None:
    here, there = Replica(1), Replica(2)
    write(here, 1, 2)
    deliver_to(here, there)
    with pytest.raises(DotReused, match="a peer has operation 2, we are at 0"):
        Replica(1).since(dict(there.vector))


@pytest.mark.parametrize(("held", "offered"), [(1, 1), (1, 0), (1, 2), (2, 1), (2, 2)])
def test_twin_of_held_op_is_noticed(held: int, offered: int) -> None:
    one, other = twins((1, 2, 3), (4, 5, 6))
    reader = Replica(3)
    assert reader.accept(one.since({})[held]) is Outcome.HELD
    before = digests(reader)
    with pytest.raises(IdentityReused, match="waits"):
        reader.accept(other.since({})[offered])
    assert digests(reader) == before


def test_waiting_ops_are_compared_with_snapshot() -> None:
    one, other = twins((1, 2, 3), (4, 5))
    for position in (1, 2):
        reader = Replica(3)
        assert reader.accept(one.since({})[position]) is Outcome.HELD
        with pytest.raises(IdentityReused):
            reader.merge(other.snapshot())
        assert reader.vector == {}


def test_our_own_operations_come_back_unharmed() -> None:
    here, there = Replica(1), Replica(2)
    write(here, 1, 2, 3, runs=2)
    deliver_to(here, there)
    for op in there.since({}):
        assert here.accept(op) is Outcome.DUPLICATE
    here.merge(there.snapshot())
    here.apply(there.changes_for({}))


def test_vector_may_be_read_while_operation_is_written() -> None:
    here, there = Replica(1), Replica(2)
    write(there, 5)
    deliver_to(there, here)
    here.counter("c").increment(1)
    early = here.vector
    assert early.fingerprints[here.origin] > 0
    here.counter("c").increment(2)
    assert [op.last for op in here.since(early)] == [2]
    deliver_to(here, there)
    assert [op.last for op in there.since(early)] == [2]


def test_parts_of_operations_do_not_contradict() -> None:
    here, there, third = Replica(1), Replica(2), Replica(3)
    write(here, 1, 2, 3, 4, runs=4)
    (op,) = here.since({})
    for part in (op.part(0, 1), op.part(1, 3)):
        assert there.accept(part) is Outcome.APPLIED
    assert there.vector.fingerprints == {}
    assert [each.last for each in here.since(there.vector)] == [4]
    deliver_to(there, third)
    assert there.accept(op) is Outcome.APPLIED
    deliver_to(here, third)
    write(here, 5)
    for source in (here, there, third):
        for sink in (here, there, third):
            if source is not sink:
                deliver_to(source, sink)
                sink.merge(source.snapshot())
    assert here.digest() == there.digest() == third.digest()
    assert here.vector.fingerprints == third.vector.fingerprints


def test_trail_has_same_length_after_merge() -> None:
    here, there = Replica(1), Replica(2)
    write(here, *range(1, 30))
    there.merge(here.snapshot())
    write(here, 1)
    deliver_to(here, there)
    assert there.to_bytes() == here.to_bytes()


def test_first_operation_detects_twins_without_history() -> None:
    one, other = Replica(1, history_bytes=1), Replica(1)
    write(one, *range(1, 30))
    write(other, *range(2, 90))
    third = Replica(3, history_bytes=1)
    third.merge(one.snapshot())
    with pytest.raises(IdentityReused):
        third.merge(other.snapshot())
    with pytest.raises(IdentityReused):
        third.accept(other.since({})[0])


def test_replicas_without_number_have_different_identities() -> None:
    assert len({Replica().origin for _ in range(50)}) > 45
    assert Replica(1).origin == Replica(1).origin == make_origin(1)


def test_fingerprint_detects_duplicate_without_history() -> None:
    here, there = Replica(1), Replica(2, history_bytes=1)
    write(here, 1, 2, 3)
    there.merge(here.snapshot())
    for op in here.since({}):
        assert there.accept(op) is Outcome.DUPLICATE
    part = here.since({})[1].part(0, 1)
    assert there.accept(part) is Outcome.DUPLICATE


def test_snapshot_without_trails_clears_ours() -> None:
    here, there = Replica(1), Replica(2)
    write(here, 1)
    deliver_to(here, there)
    write(here, 2)
    incoming = there.incoming()
    for piece in here.snapshot():
        incoming.feed(piece)
    incoming.trails = {}
    there.merge_incoming(incoming)
    assert there.vector == here.vector
    assert there.vector.fingerprints == {}
    write(here, 3)
    deliver_to(here, there)
    assert there.vector.fingerprints == here.vector.fingerprints


def test_vector_before_history_is_not_evidence() -> None:
    here = Replica(1, history_bytes=1)
    write(here, *range(1, 4))
    early = here.vector
    write(here, *range(1, 30))
    assert here.changes_for(early).state


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "write",
                "seal",
                "deliver",
                "changes",
                "merge",
                "early",
                "save",
                "resume",
                "lose",
                "vector",
            ]
        ),
        st.integers(0, 2),
        st.integers(0, 2),
        st.integers(0, 5),
    ),
    max_size=40,
)


class Honest:
    """Three replicas that exchange in every permitted way."""

    def __init__(self) -> None:
        self.replicas = [Replica(n, history_bytes=(1, 900, 1 << 20)[n - 1]) for n in (1, 2, 3)]
        self.vectors: list[tuple[int, Vector]] = []
        self.loaded = 0

    def do(self, name: str, source: int, sink: int, choice: int) -> None:
        here, there = self.replicas[source], self.replicas[sink]
        if name == "write":
            for _ in range(choice + 1):
                here.set("s").add(f"{source}{choice}")
                here.counter("c").increment(choice)
        elif name == "seal":
            here.seal()
        elif name == "vector":
            self.vectors.append((source, here.vector))
        elif name == "lose":  # an old save, under another name
            self.loaded += 1
            saved = here.save()
            self.replicas[source] = Replica.load(saved)
        elif name == "resume":
            self.replicas[source] = Replica.load(here.close())
        elif name == "save":
            self.replicas[source] = Replica.load(here.save(), resume=True)
        elif source != sink:
            self.exchange(name, here, there, choice)

    def exchange(self, name: str, here: Replica, there: Replica, choice: int) -> None:
        if name == "merge":
            there.merge(here.snapshot())
        elif name == "changes":
            there.apply(here.changes_for(there.vector))
        elif name == "deliver" and self.vectors:
            # A vector of long ago, of somebody else.
            here.changes_for(self.vectors[choice % len(self.vectors)][1])
        else:
            changes = here.changes_for(there.vector)
            for op in changes.ops[choice:] if name == "early" else changes.ops:
                there.accept(op)


@given(STEPS)
def test_honest_replicas_are_never_suspected(steps: list[tuple[str, int, int, int]]) -> None:
    world = Honest()
    for step in steps:
        world.do(*step)
    for _ in range(2):
        for source in range(3):
            for sink in range(3):
                world.do("changes", source, sink, 0)
    first, *others = world.replicas
    for other in others:
        assert other.vector == first.vector
        assert other.digest() == first.digest()
        assert other.statistics().waiting_bytes == 0
        for origin, fingerprint in other.vector.fingerprints.items():
            assert first.vector.fingerprints.get(origin, fingerprint) == fingerprint


def test_operation_that_names_another_previous_one_is_refused() -> None:
    one, other = twins((5,), (7, 8))
    reader = Replica(3)
    deliver_to(one, reader)
    before = digests(reader)
    with pytest.raises(IdentityReused, match="operation 2 does not follow our 1"):
        reader.accept(other.since({})[1])
    assert digests(reader) == before


def test_first_operation_may_name_unknown_previous_one() -> None:
    reader = Replica(3)
    op = Op(make_origin(1), 1, 0, {}, ((2, 0, b"k", b"a"),), previous=77)
    assert reader.accept(op) is Outcome.APPLIED
    assert reader.vector == {make_origin(1): 1}


def test_vector_of_before_trail_is_compared_with_history() -> None:
    one = Replica(1)
    write(one, 1)
    other = Replica.load(one.save(), resume=True)
    write(one, 2)
    early = one.vector
    write(one, *range(20))
    write(other, 3)
    assert [op.first for op in one.since(early)] == list(range(3, 23))
    with pytest.raises(IdentityReused, match="a peer's operation 2 differs from ours"):
        one.since(other.vector)


def test_vector_inside_operation_part_is_not_evidence() -> None:
    here, there = Replica(1), Replica(2)
    here.counter("c").increment(1)
    early = here.vector
    write(here, 2, 3, 4, runs=3)
    (op,) = here.since({})
    assert there.accept(op.part(0, 3)) is Outcome.APPLIED
    assert [(each.first, each.last) for each in there.since(early)] == [(1, 3)]


def test_empty_fingerprint_is_not_evidence() -> None:
    assert Replica(2).since(Vector.from_text("1=0:0000004d")) == []


def test_waiting_ops_are_applied_after_snapshot() -> None:
    here, reader = Replica(1), Replica(3)
    write(here, 1, 2)
    snapshot = here.to_bytes()
    write(here, 3, 4)
    assert reader.accept(here.since({})[2]) is Outcome.HELD
    reader.merge_bytes(snapshot)
    assert reader.counter("c").value == 6
    reader.merge_bytes(snapshot)
    deliver_to(here, reader)
    assert reader.vector.fingerprints == here.vector.fingerprints


def test_shorter_trail_does_not_replace_ours() -> None:
    here, there = Replica(1), Replica(2)
    write(here, 1, 2, 3)
    deliver_to(here, there)
    incoming = there.incoming()
    for piece in here.snapshot():
        incoming.feed(piece)
    (theirs,) = incoming.trails.values()
    marks = theirs.marks[:]
    del theirs.marks[0]
    there.merge_incoming(incoming)
    assert there.identities.trails[here.origin].marks == marks


def test_latest_operation_detects_twin_without_history() -> None:
    one, other = twins((1, 2, 3), (1, 2, 4))
    reader = Replica(3, history_bytes=1)
    reader.merge(one.snapshot())
    with pytest.raises(IdentityReused, match="operation 3 differs from ours"):
        reader.accept(other.since({})[2])


def test_part_of_applied_operation_is_duplicate() -> None:
    here, there = Replica(1), Replica(2)
    write(here, 1, 2, 3, 4, runs=4)
    deliver_to(here, there)
    (op,) = here.since({})
    assert there.accept(op.part(1, 3)) is Outcome.DUPLICATE


def test_snapshot_ending_inside_operation_is_not_evidence() -> None:
    here, there, third = Replica(1), Replica(2), Replica(3)
    write(here, 1)
    deliver_to(here, there)
    write(here, 2, 3, 4, runs=3)
    assert there.accept(here.since({})[1].part(0, 2)) is Outcome.APPLIED
    third.merge(there.snapshot())
    assert (third.vector, third.counter("c").value) == ({make_origin(1): 3}, 6)
    deliver_to(here, third)
    assert third.vector.fingerprints == here.vector.fingerprints


def test_state_without_trails_that_brings_nothing_leaves_ours() -> None:
    here, there = Replica(1), Replica(2)
    write(here, 1, 2)
    deliver_to(here, there)
    incoming = there.incoming()
    for piece in here.snapshot():
        incoming.feed(piece)
    incoming.trails = {}
    there.merge_incoming(incoming)
    assert there.vector.fingerprints == here.vector.fingerprints != {}
