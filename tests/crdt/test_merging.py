"""Merging states: it gives what the operations give, and refuses what is no whole snapshot."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.dots import make_dot, make_origin
from crdt.errors import DecodeError
from crdt.expiry import FOREVER
from crdt.merging import Incoming, check_deadlines, merge_into
from crdt.replica import Replica
from crdt.snapshot import END, HEAD, KEYS, pack_piece
from tests.crdt.exchange import exchange, tell

NAMES = ("a", "b")
DOT = make_dot(make_origin(9), 1)


def write_something(rng: Random, replica: Replica) -> None:
    """A random write of any type on few keys, so that types meet too."""
    replica.advance(rng.randrange(100))
    name, db = rng.choice(NAMES), replica.keyspace
    held = type(db.lookup(name.encode())).__name__
    action = rng.randrange(7)
    if action == 0:
        replica.string(name).set(rng.choice(("7", "text")))
    elif action == 1 and held in ("NoneType", "Set"):
        replica.set(name).add(rng.choice("xyz"))
    elif action == 2 and held in ("NoneType", "Hash"):
        replica.hash(name).increment(rng.choice("fg"), rng.randrange(9))
    elif action == 3 and held == "NoneType":
        replica.counter(name).increment(rng.randrange(9))
    elif action == 4:
        replica.keyspace.delete(name.encode())
    elif action == 5 and held != "NoneType":
        db.expire(name.encode(), rng.choice((5_000, 6_000, None)))
    elif action == 6:
        replica.collect()


@given(st.randoms(use_true_random=False))
def test_a_merge_gives_what_the_operations_give(rng: Random) -> None:
    """Rule ORD-4."""
    by_state = [Replica(1), Replica(2)]
    for _ in range(rng.randrange(25)):
        if rng.random() < 0.2:
            exchange(*by_state)
        write_something(rng, rng.choice(by_state))
    by_operations = Replica(3)
    for replica in by_state:
        tell(replica, by_operations)
    by_state[0].merge(by_state[1].snapshot())
    by_state[1].merge(by_state[0].snapshot())
    by_state[1].merge(by_state[0].snapshot())
    assert by_state[0].digest() == by_state[1].digest() == by_operations.digest()
    assert by_state[0].vector == by_state[1].vector


def filled(region: int) -> Replica:
    """A replica with plain strings, a set, a counter that was deleted, and deadlines."""
    replica = Replica(region)
    for n in range(5):
        replica.string(f"{region}:{n}").set("v")
    replica.set(f"{region}:set").add("m")
    replica.set(f"{region}:set").expire_at(9_999)
    replica.counter(f"{region}:counter").increment()
    replica.counter(f"{region}:counter").delete()
    return replica


def pieces_of(replica: Replica) -> list[bytes]:
    taken = replica.snapshot()
    taken.piece_keys = 2
    return list(taken)


@given(st.data())
def test_a_snapshot_that_is_damaged_changes_nothing(data: st.DataObject) -> None:
    pieces, sink = pieces_of(filled(1)), filled(2)
    before = (sink.digest(), sink.vector, sink.to_bytes())
    index = data.draw(st.integers(0, len(pieces) - 1))
    damage = data.draw(st.sampled_from(("cut", "lose", "twice", "flip", "shorten", "more")))
    if damage == "cut":
        del pieces[index:]
    elif damage == "lose":
        del pieces[index]
    elif damage == "twice":
        pieces.insert(index, pieces[index])
    elif damage == "flip":
        place = data.draw(st.integers(0, len(pieces[index]) - 1))
        flipped = bytearray(pieces[index])
        flipped[place] ^= data.draw(st.integers(1, 255))
        pieces[index] = bytes(flipped)
    elif damage == "shorten":
        pieces[index] = pieces[index][:-1]
    else:
        pieces.append(pieces[index])
    with pytest.raises(DecodeError):
        sink.merge(pieces)
    assert (sink.digest(), sink.vector, sink.to_bytes()) == before


@pytest.mark.parametrize("is_empty", [True, False])
def test_a_whole_snapshot_is_taken_over(is_empty: bool) -> None:
    source = filled(1)
    sink = Replica(2) if is_empty else filled(2)
    keys = {*source.keyspace.keys(), *sink.keyspace.keys()}
    sink.merge(pieces_of(source))
    assert set(sink.keyspace.keys()) == keys
    assert sink.keyspace.deadline(b"1:set") == 9_999
    assert b"1:counter" in sink.keyspace.graves
    assert b"1:counter" in sink.keyspace.litter


def feed(*pieces: Any) -> Incoming:
    incoming = Incoming(Replica(2).keyspace)
    for piece in pieces:
        incoming.feed(pack_piece(piece))
    return incoming


EMPTY = (HEAD, (), (), 0)
COLUMNS = (10, (b"k",), (DOT,), (5,), (b"v",), b"\x01")


def test_the_columns_are_read_back() -> None:
    incoming = feed((HEAD, (9, 1), ((9, (8, 7)),), 1), (KEYS, COLUMNS, ()), (END, 1))
    assert incoming.complete
    assert incoming.vector == {9: 1}
    assert incoming.contexts == {9: {8: 7}}
    assert incoming.values[b"k"].state() == (DOT, 15, b"v", 1)


@pytest.mark.parametrize(
    "pieces",
    [
        [(KEYS, (), ())],
        [EMPTY, EMPTY],
        [EMPTY, (END, 0), (END, 0)],
        [EMPTY, (END, 1)],
        [(HEAD, (), (), 1), (END, 0)],
        [EMPTY, (7, 1)],
        [(HEAD, (), ())],
        [EMPTY, (KEYS, ())],
        [(HEAD, (1,), (), 0)],
        [(HEAD, (1, 1, 1, 1), (), 0)],
        [(HEAD, (), ((1,),), 0)],
        [(HEAD, (), ((0, ()),), 0)],
        [(HEAD, (), (), -1)],
    ],
)
def test_pieces_out_of_order_or_form_are_refused(pieces: list[Any]) -> None:
    with pytest.raises(DecodeError):
        feed(*pieces)


@pytest.mark.parametrize(
    "columns",
    [
        b"",
        COLUMNS[:5],
        (1 << 60, *COLUMNS[1:]),
        (10, b"k", *COLUMNS[2:]),
        (*COLUMNS[:5], (1,)),
        (*COLUMNS[:5], b""),
        (10, (7,), *COLUMNS[2:]),
        (10, (b"k",), (0,), (5,), (None,), b"\x00"),
        (10, (b"k",), (DOT,), (5,), (7,), b"\x00"),
        (10, (b"k",), (DOT,), (1 << 60,), (b"v",), b"\x00"),
    ],
)
def test_columns_of_another_form_are_refused(columns: Any) -> None:
    with pytest.raises(DecodeError):
        feed((HEAD, (), (), 1), (KEYS, columns, ()))


@pytest.mark.parametrize(
    "record",
    [
        (b"k", ()),
        (7, (), ()),
        (b"k", (DOT,), ()),
        (b"k", (0, 5), ()),
        (b"k", (DOT, FOREVER + 1), ()),
        (b"k", (), ((2,),)),
        (b"k", (), ((99, ()),)),
        (b"k", (), ((b"2", ()),)),
        (b"k", (), ((2, (b"m",)),)),
    ],
)
def test_records_of_another_form_are_refused(record: Any) -> None:
    with pytest.raises(DecodeError):
        feed((HEAD, (), (), 1), (KEYS, (), (record,)))


def test_deadlines_are_dots_and_milliseconds() -> None:
    assert check_deadlines((DOT, FOREVER)) == (DOT, FOREVER)


def test_whoever_watches_a_key_hears_of_a_merge_that_may_change_it() -> None:
    here, there = Replica(1), Replica(2)
    here.string("same").set("v")
    exchange(here, there)
    there.string("new").set("v")
    here.keyspace.interest.update((b"same", b"new"))
    here.merge(there.snapshot())
    assert here.keyspace.touched == [b"new"]


def test_a_snapshot_under_way_is_not_disturbed_by_a_merge() -> None:
    here, there, later = Replica(1), Replica(2), Replica(3)
    here.set("s").add("old")
    exchange(here, there)
    there.set("s").add("new")
    taken, before = here.snapshot(), here.digest()
    here.merge(there.snapshot())
    later.merge(taken)
    assert later.digest() == before
    assert set(here.set("s")) == {"old", "new"}


def test_keys_that_come_with_a_merge_are_walked_too() -> None:
    here, there = Replica(1), Replica(2)
    here.string("old").set("v")
    assert here.keyspace.scan(0, 10) == (0, [b"old"])
    there.string("new").set("v")
    here.merge(there.snapshot())
    assert sorted(here.keyspace.scan(0, 10)[1]) == [b"new", b"old"]


def test_an_incomplete_snapshot_is_never_merged() -> None:
    incoming = feed(EMPTY)
    with pytest.raises(AssertionError):
        merge_into(incoming.db, incoming)


def test_types_that_meet_in_a_merge_contest_the_key() -> None:
    """Rules KEY-5, D-02."""
    here, there = Replica(1), Replica(2)
    here.string("k").set("v")
    there.set("k").add("m")
    there.merge(here.snapshot())
    here.merge(there.snapshot())
    assert here.digest() == there.digest()
    assert here.string("k").get() == "v"
    assert len(here.keyspace.data[b"k"].siblings()) == 2
    third = Replica(3)
    third.merge(there.snapshot())
    third.merge(here.snapshot())
    assert third.digest() == here.digest()
    third.string("k").delete()
    here.merge(third.snapshot())
    assert here.keyspace.size() == 0


def test_the_deadline_of_a_key_that_is_gone_is_merged_too() -> None:
    here, there, empty = Replica(1), filled(2), Replica(3)
    here.keyspace.expire(b"gone", 5_000)
    there.merge(here.snapshot())
    empty.merge(here.snapshot())
    for replica in (there, empty):
        assert replica.keyspace.deadline(b"gone") == 5_000
        assert b"gone" in replica.keyspace.litter
        assert replica.keyspace.lookup(b"gone") is None


def test_the_same_write_with_another_time_to_live_is_merged() -> None:
    """Rule EXP-1."""
    here, there = Replica(1), Replica(2)
    here.string("k").set("v")
    here.string("k").expire_at(5_000)
    exchange(here, there)
    there.string("k").expire_at(6_000)
    here.merge(there.snapshot())
    assert here.keyspace.deadline(b"k") == 6_000
