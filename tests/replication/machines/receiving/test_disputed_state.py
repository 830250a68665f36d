"""A state whose origin is disputed: dropped, merged, or moved to another origin."""

from __future__ import annotations

import attrs
import pytest

from crdt.causality.dots import INCARNATION_MAX, Origin, make_origin
from crdt.causality.op import Op
from crdt.embed.replica import Outcome, Replica
from crdt.types.flag import ENABLE_WINS
from replication.machines.receiving.disputed_state import DisputedState, put_aside
from replication.protocol.events import DisputedStateResolved

OLD, NEW, FREE = make_origin(1, 4), make_origin(1, 5), make_origin(1, 6)


def unused() -> Origin:
    return FREE


def writer(origin: int = OLD) -> Replica:
    """Return a replica with values of every type that a server has."""
    replica = Replica(origin)
    replica.string("s").set("v")
    replica.counter("n").increment(5)
    replica.hash("h")["f"] = "1"
    replica.set("t").add("a", "b")
    replica.sorted_set("z")["m"] = 2.0
    replica.list("l").extend(["x", "y"])
    replica.string("gone").set("v")
    replica.seal()
    return replica


def emptied(replica: Replica) -> DisputedState:
    """Put everything aside, as `Memory.reincarnate` does."""
    aside = put_aside(replica)
    replica.reincarnate(NEW)
    replica.reset()
    assert replica.keyspace.size() == 0
    return aside


def copy_of(replica: Replica, number: int = 2) -> Replica:
    """Return a peer that has everything."""
    peer = Replica(number)
    peer.merge(replica.snapshot())
    return peer


def test_state_that_no_peer_has_comes_back_as_it_was() -> None:
    replica = writer()
    digest, vector = replica.digest(), replica.vector
    aside = emptied(replica)
    assert (aside.keys, aside.written, aside.disputed) == (7, vector[OLD], OLD)
    assert aside.bytes > 0
    assert aside.merge_back(replica, unused) == DisputedStateResolved("", merged=True)
    assert (replica.digest(), replica.vector) == (digest, vector)


def test_state_that_peers_have_is_dropped() -> None:
    replica = writer()
    peer = copy_of(replica)
    aside = emptied(replica)
    replica.merge(peer.snapshot())
    assert aside.merge_back(replica, unused, "r2") == DisputedStateResolved("r2")
    assert replica.digest() == peer.digest()


def test_part_that_peers_lack_comes_back_under_its_own_dots() -> None:
    replica = writer()
    peer = copy_of(replica)
    replica.counter("n").increment(2)
    peer.set("t").remove("a")
    aside = emptied(replica)
    replica.merge(peer.snapshot())
    assert aside.merge_back(replica, unused) == DisputedStateResolved("", merged=True)
    assert replica.counter("n").value == 7
    assert set(replica.set("t")) == {"b"}
    assert replica.vector == {OLD: aside.written, peer.origin: 1}


def test_own_writes_move_if_dots_are_used_elsewhere() -> None:
    earlier = writer()
    earlier.counter("n").increment(1)
    earlier.list("l").append("z")
    peer = copy_of(earlier)
    replica = Replica(OLD)
    replica.counter("n").increment(30)
    replica.set("t").add("c")
    replica.set("t").remove("c")
    replica.set("t").add("d")
    aside = emptied(replica)
    replica.merge(peer.snapshot())
    assert aside.merge_back(replica, unused) == DisputedStateResolved("", merged=True, moved=True)
    assert replica.counter("n").value == 36
    assert set(replica.set("t")) == {"a", "b", "d"}
    assert replica.string("s").get() == "v"
    assert list(replica.list("l")) == ["x", "y", "z"]
    assert replica.vector == {OLD: earlier.keyspace.seq, FREE: aside.written}
    third = copy_of(replica, 3)
    peer.merge(replica.snapshot())
    assert peer.digest() == third.digest() == replica.digest()


def test_ops_that_waited_come_back_too() -> None:
    far, between = Replica(3), Replica(2)
    far.string("k").set("v")
    (first,) = far.since({})
    between.accept(first)
    between.string("k").set("w")
    (second,) = between.since({far.origin: 1})
    replica = writer()
    assert replica.accept(second) is Outcome.HELD
    aside = emptied(replica)
    assert not replica.causal_buffer.queues
    assert aside.merge_back(replica, unused).merged
    assert replica.accept(Op.from_bytes(first.to_bytes())) is Outcome.APPLIED
    assert replica.string("k").get() == "w"


def test_keys_that_cannot_be_moved_are_counted() -> None:
    earlier = writer()
    replica = Replica(OLD)
    replica.flag("f").enable()
    assert replica.keyspace.data[b"f"].code() == ENABLE_WINS
    aside = emptied(replica)
    replica.merge(copy_of(earlier).snapshot())
    assert aside.merge_back(replica, unused) == DisputedStateResolved("", lost_keys=1)


def test_without_origin_left_writes_cannot_be_moved() -> None:
    def exhausted() -> Origin:
        raise ValueError(f"all {INCARNATION_MAX} are used")

    earlier = writer()
    replica = Replica(OLD)
    replica.counter("n").increment(1)
    aside = emptied(replica)
    replica.merge(copy_of(earlier).snapshot())
    assert aside.merge_back(replica, exhausted) == DisputedStateResolved("", lost_keys=1)


@pytest.mark.parametrize("have", [0, 5])
def test_origin_without_own_writes_is_ignored(have: int) -> None:
    aside = attrs.evolve(put_aside(Replica(OLD)), vector={NEW: 1})
    replica = Replica(FREE)
    replica.keyspace.vector[OLD] = have
    assert not aside.covered_by(replica.vector)
    assert not aside.merge_back(replica, unused).moved


def test_state_moves_if_peer_has_other_writes_under_dots() -> None:
    """Fingerprints show the difference even if the peer has no more writes of the origin than
    we."""
    replica, impostor = writer(), Replica(OLD)
    for number in range(replica.keyspace.seq):
        impostor.set("theirs").add(f"{number}")
    assert impostor.keyspace.seq == replica.keyspace.seq
    aside = emptied(replica)
    replica.merge(copy_of(impostor).snapshot())
    assert aside.is_contradicted(replica)
    assert aside.merge_back(replica, unused) == DisputedStateResolved("", merged=True, moved=True)
    assert set(replica.set("t")) == {"a", "b"}
    assert len(replica.set("theirs")) == impostor.keyspace.seq
