"""Large snapshots: pieces of bounded size, merged like single operations."""

from __future__ import annotations

import random

import pytest

from crdt import Replica
from crdt.store.key_merge import MergedVectors, merge_plain
from crdt.store.snapshot import pack_piece, unpack_piece
from tests.crdt.exchange import exchange, regions

MB = 1 << 20


def test_large_values_go_in_pieces_of_bounded_size() -> None:
    """Pieces were once bounded in keys alone. A piece of 2,000 keys of a megabyte was refused by
    every sink."""
    here, there = regions(2)
    for index in range(6):
        here.string(f"s{index}").set(bytes(MB // 2))
        here.hash(f"h{index}")["f"] = bytes(MB // 2)
    snapshot = here.snapshot()
    snapshot.piece_bytes = MB
    pieces = list(snapshot)
    assert len(pieces) == 2 + 6
    assert max(map(len, pieces)) < 2 * MB
    there.merge(pieces)
    assert there.to_bytes() == here.to_bytes()


def test_flushed_state_is_freed_in_pieces() -> None:
    here, there = regions(2)
    for index in range(30):
        here.set(f"{index}").add("a")
    snapshot = here.snapshot()
    snapshot.piece_keys = 4
    before = here.to_bytes()
    here.keyspace.flush()
    pieces = list(snapshot)
    keys = [len(unpack_piece(piece)[2]) for piece in pieces[1:-1]]
    assert keys == [4] * 7 + [2]
    there.merge(pieces)
    assert there.to_bytes() == before


def test_takeover_by_empty_replica_reports_watched_key() -> None:
    here, there = regions(2)
    here.list("l").append("a")
    here.string("other").set("b")
    there.keyspace.watched_keys |= {b"l", b"m"}
    there.merge(here.snapshot())
    assert there.keyspace.dirty_keys == [b"l"]


def test_string_that_is_nothing_leaves_nothing() -> None:
    here = Replica(2)
    record = (b"k", (), ((1, (0, 0, None, 0)),))
    here.merge(
        [pack_piece(piece) for piece in ((0, 1, 0, (), (), 1, ()), (1, (), (record,)), (2, 1))]
    )
    assert not here.keyspace.tombstones
    assert len(list(here.snapshot())) == 2


@pytest.mark.parametrize("seed", range(40))
def test_lone_strings_merge_as_their_operations_would(seed: int) -> None:
    """The fast path for plain strings and the general path both give what the operations give."""
    rng = random.Random(seed)
    one, other = regions(2)
    for _ in range(rng.randrange(1, 4)):
        for here in (one, other):
            for _ in range(rng.randrange(6)):
                key = f"{rng.randrange(4)}"
                act = rng.randrange(5)
                if act < 3:
                    here.string(key).set(f"{rng.random()}")
                elif act == 3:
                    here.string(key).delete()
                elif here.string(key).get() is not None:
                    here.string(key).expire_at(5000 + rng.randrange(3))
        if rng.random() < 0.5:
            break
        exchange(one, other)
    third, fourth = Replica(3), Replica(4)
    for op in [*one.since({}), *other.since({})]:
        third.accept(op)
    for here in (one, other):
        fourth.merge(here.snapshot())
    one.merge(other.snapshot())
    other.merge(one.snapshot())
    assert third.to_bytes() == fourth.to_bytes() == one.to_bytes() == other.to_bytes()


def test_reader_gets_what_was_there_before_merge() -> None:
    here, there = regions(2)
    for key in ("replaced", "removed", "kept"):
        here.string(key).set("old")
    exchange(here, there)
    there.string("replaced").set("new")
    there.string("removed").delete()
    there.string("added").set("new")
    here.keyspace.watched_keys |= {b"replaced", b"removed", b"kept", b"added"}
    before = here.to_bytes()
    snapshot = here.snapshot(sort=True)
    here.merge(there.snapshot())
    copy = Replica(3)
    copy.merge(snapshot)
    assert copy.to_bytes() == before
    assert sorted(here.keyspace.dirty_keys) == [b"added", b"removed", b"replaced"]
    assert here.to_bytes() == there.to_bytes()


def test_merge_collects_flag_of_lone_persistent_string() -> None:
    """Both replicas hold the same write. For one of them, a PERSIST has ended its time to live."""
    here, there = regions(2)
    here.string("k").set("a")
    exchange(here, there)
    here.string("k").expire_at(None)
    here.keyspace.forget(b"k")
    assert here.to_bytes() != there.to_bytes()
    there.merge(here.snapshot())
    assert here.to_bytes() == there.to_bytes()


def test_other_values_are_merged_in_full() -> None:
    here, there = regions(2)
    here.set("set").add("a")
    here.counter("counter").increment(1)
    here.string("ends").set("a")
    here.string("ends").expire_at(9)
    there.set("theirs").add("a")
    there.counter("their counter").increment(1)
    incoming = here.incoming()
    for piece in there.snapshot():
        incoming.feed(piece)
    db = here.keyspace
    vectors = MergedVectors(db.vector, incoming.vector, 0)
    for key in (b"set", b"counter", b"ends", b"theirs", b"their counter"):
        deadlines = incoming.deadlines.get(key) or ()
        assert not merge_plain(db, key, incoming.values.get(key), deadlines, vectors)


def fill(here: Replica) -> None:
    """Make a key of every type, some with deadlines, and some deleted but not forgotten."""
    here.counter("counter").increment(5)
    here.counter("deleted").increment(5)
    here.counter("deleted").delete()
    here.set("set").add("a", "b")
    here.hash("hash")["f"] = "v"
    here.hash("hash").increment("n", 3)
    here.sorted_set("zset")["m"] = 1.5
    here.list("list").append("a")
    here.list("list").append("b")
    here.list("list").expire_at(5000)
    here.multi_value("values").set(b"v")
    here.set_remove_wins("removes").add("a")
    here.counter_grow("grows").increment(2)
    here.flag("flag").enable()


def test_keys_of_all_types_that_are_alike_are_left_alone() -> None:
    """Merging them would take ten times as long as comparing them."""
    here, there = regions(2)
    fill(here)
    exchange(here, there)
    before = {key: there.keyspace.data[key] for key in there.keyspace.data}
    there.keyspace.watched_keys |= before.keys()
    snapshot = there.snapshot(sort=True)
    there.merge(here.snapshot())
    assert there.keyspace.dirty_keys == []
    assert len(snapshot.pending) == len(before) + 1, "nobody took anything out before a change"
    assert there.to_bytes() == here.to_bytes()
    here.counter("counter").increment(1)
    here.list("list").expire_at(6000)
    here.set("set").expire_at(6000)
    there.merge(here.snapshot())
    assert sorted(there.keyspace.dirty_keys) == [b"counter", b"list", b"set"]
    assert there.to_bytes() == here.to_bytes()


def test_old_state_does_not_bring_back_removed() -> None:
    here, there = regions(2)
    here.string("k").set("a")
    exchange(here, there)
    there.string("k").delete()
    there.keyspace.watched_keys.add(b"k")
    there.merge(here.snapshot())
    assert there.string("k").get() is None
    assert there.keyspace.dirty_keys == []


def test_deadline_without_value_is_merged_too() -> None:
    here, there, third = regions()
    here.set("k").add("a")
    exchange(here, there)
    here.set("k").delete()
    there.set("k").expire_at(5000)
    exchange(here, there)
    assert here.keyspace.keys() == []
    assert b"k" in here.keyspace.deadlines.table
    third.string("other").set("x")
    third.merge(here.snapshot())
    ends = [dict(each.keyspace.deadlines.table.items()) for each in (third, here)]
    assert ends[0] == ends[1]
