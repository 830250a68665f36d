"""Merging snapshots: one rule for every key, all or nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from crdt import CRDTError, DecodeError, Replica
from crdt.causality.dots import make_dot, make_origin
from crdt.causality.schema import KEY_BITS
from crdt.embed.replica import split
from crdt.store.keyspace import Keyspace
from crdt.store.merge import Incoming
from crdt.store.snapshot import pack_piece, unpack_piece
from crdt.testing import SUBJECTS
from crdt.testing.builtin_types.commands import TypeCommand
from crdt.testing.builtin_types.subjects import carry_out
from crdt.types.components.contested import Contested
from crdt.types.registry import BUILT_IN, TypeRegistry
from tests.crdt import hostile
from tests.crdt.causality.test_op import check_that_it_works
from tests.crdt.exchange import exchange, held, regions

K = b"k"


def test_empty_replica_takes_everything_over() -> None:
    here, there = regions(2)
    here.string("k").set("a")
    here.counter("c").increment(5)
    here.counter("c").delete()
    here.set("s").add("x")
    here.set("s").expire_at(5000)
    there.merge(here.snapshot())
    assert there.to_bytes() == here.to_bytes()
    assert b"c" in there.keyspace.tombstones
    assert {*there.keyspace.garbage} >= {*here.keyspace.garbage} == {b"c"}
    assert there.keyspace.deadline(b"s") == 5000


def test_merge_leaves_equal_keys_alone() -> None:
    here, there = regions(2)
    here.string("k").set("a")
    exchange(here, there)
    there.keyspace.watched_keys.add(K)
    entry = there.keyspace.data.entry(K)
    here.string("l").set("b")
    there.merge(here.snapshot())
    assert there.keyspace.data.entry(K) is entry
    assert there.keyspace.dirty_keys == []
    assert there.string("l").get() == "b"


def test_merge_reports_changed_keys() -> None:
    here, there = regions(2)
    here.string("k").set("a")
    there.keyspace.watched_keys.add(K)
    there.string("other").set("x")
    there.merge(here.snapshot())
    assert there.keyspace.dirty_keys == [K]


def test_merge_removes_what_peer_removed() -> None:
    here, there = regions(2)
    for name in ("a", "b"):
        here.set(name).add("x")
    exchange(here, there)
    here.set("a").delete()
    there.merge(here.snapshot())
    assert there.keyspace.keys() == [b"b"]
    there.set("b").delete()
    there.merge(here.snapshot())
    assert there.keyspace.keys() == []


def test_flags_and_deadlines_meet() -> None:
    here, there = regions(2)
    here.string("k").set("a")
    exchange(here, there)
    here.string("k").set("b")
    there.string("k").expire_at(5000)
    there.merge(here.snapshot())
    assert there.keyspace.deadline(K) is None
    here.merge(there.snapshot())
    assert here.to_bytes() == there.to_bytes()
    here.string("k").expire_at(6000)
    there.merge(here.snapshot())
    assert there.keyspace.deadline(K) == 6000


def test_types_meet() -> None:
    here, there = regions(2)
    here.string("k").set("a")
    there.set("k").add("x")
    there.hash("k2")["f"] = "y"
    here.merge(there.snapshot())
    there.merge(here.snapshot())
    assert here.to_bytes() == there.to_bytes()
    assert isinstance(held(here), Contested)
    assert there.string("k").get() == "a"
    third = Replica(3)
    third.merge(here.snapshot())
    third.string("k").delete()
    here.merge(third.snapshot())
    assert here.keyspace.lookup(K) is None
    there.hash("k")
    there.merge(here.snapshot())
    assert there.keyspace.lookup(K) is None


def test_key_may_die_in_merge_and_be_remembered() -> None:
    here, there = regions(2)
    here.counter("k").increment(5)
    exchange(here, there)
    here.counter("k").delete()
    there.merge(here.snapshot())
    assert K in there.keyspace.tombstones
    assert K not in there.keyspace.data
    there.merge(here.snapshot())
    assert there.to_bytes() == here.to_bytes()


def test_walk_goes_on_through_merge() -> None:
    """The guarantee of SCAN (D-20)."""
    here, there = regions(2)
    for index in range(20):
        here.set(f"{index}").add("a")
    exchange(here, there)
    cursor, found = here.keyspace.scan(0, 5)
    for index in range(20):
        there.set(f"{index}").add("b")
        there.set(f"new {index}").add("b")
    for _ in range(5):
        here.merge(there.snapshot())
        there.set("0").add("c")
    while cursor:
        cursor, more = here.keyspace.scan(cursor, 5)
        found += more
    assert {b"%d" % index for index in range(20)} <= set(found)


def pieces_of(replica: Replica) -> list[Any]:
    return [unpack_piece(piece) for piece in split(replica.to_bytes())]


def sample() -> Replica:
    """Return a replica with values of every type."""
    here, there = regions(2)
    for index, command in enumerate(
        (*SUBJECTS["keyspace"].commands, *SUBJECTS["embedded"].commands)
    ):
        if command.name not in ("DEL", "FLUSHALL"):
            mover = (here, there)[index % 2]
            carry_out(mover, TypeCommand(command.name, f"{index % 7}", command.args))
    here.merge(there.snapshot())
    return here


Spoil = Callable[[list[Any]], list[Any]]
HEAD, KEYS, END = range(3)

WRONG: dict[str, Spoil] = {
    "nothing": lambda pieces: [],
    "no head": lambda pieces: pieces[1:],
    "two heads": lambda pieces: [pieces[HEAD], *pieces],
    "no end": lambda pieces: pieces[:-1],
    "more after the end": lambda pieces: [*pieces, pieces[END]],
    "a key too few": lambda pieces: [pieces[HEAD], pieces[END]],
    "a wrong count": lambda pieces: [pieces[HEAD], pieces[KEYS], (2, 1)],
    "a short head": lambda pieces: [pieces[HEAD][:3], *pieces[1:]],
    "an unknown piece": lambda pieces: [pieces[HEAD], (7, 1), *pieces[1:]],
    "odd contexts": lambda pieces: [head_of((), 0, ((0, ()),)), (2, 0)],
    "too many keys": lambda pieces: [head_of((), 1 << 60), (2, 1 << 60)],
    "columns that differ": lambda pieces: one_key(
        (1, (0, (b"k",), (1, 2), (0,), (b"v",), b"\0"), ())
    ),
    "flags that are none": lambda pieces: one_key((1, (0, (b"k",), (1,), (0,), (b"v",), ()), ())),
    "a key that is none": lambda pieces: one_key((1, (0, (7,), (1,), (0,), (b"v",), b"\0"), ())),
    "no dot": lambda pieces: one_key((1, (0, (b"k",), (0,), (0,), (None,), b"\0"), ())),
    "a stamp that is none": lambda pieces: one_key(
        (1, (b"0", (b"k",), (1,), (0,), (b"v",), b"\0"), ())
    ),
    "an unknown type": lambda pieces: one_key((1, (), ((b"k", (), ((99, ()),)),))),
    "a type that is none": lambda pieces: one_key((1, (), ((b"k", (), ((b"1", ()),)),))),
    "half a deadline": lambda pieces: one_key((1, (), ((b"k", (1,), ()),))),
    "a deadline without dot": lambda pieces: one_key((1, (), ((b"k", (0, 5), ()),))),
    "a record of two": lambda pieces: one_key((1, (), ((b"k", ()),))),
}


UNSEEN = make_dot(make_origin(2), 6)
UNSEEN_SHARES = ((make_origin(2), 1, 6, 7, 0, 0, 0), (make_origin(2), 1, 5, 7, 5, 7, UNSEEN))
RUN = (0, make_dot(make_origin(2), 0))
KEYS_5_6 = (5 << KEY_BITS, 1 << KEY_BITS)
"""The keys of elements of effects 5 and 6, as a state has them."""

DOTS_BEYOND: dict[str, Any] = {
    "a string": (1, (UNSEEN, 0, b"v", 0)),
    "a loser": (1, (UNSEEN - 1, 0, b"v", 0, (UNSEEN, 0, b"w"), ())),
    "an increment": (1, (0, 0, None, 0, (), UNSEEN_SHARES[0])),
    "a reset": (1, (0, 0, None, 0, (), UNSEEN_SHARES[1])),
    "a member": (2, (b"a", UNSEEN - 1, b"b", UNSEEN)),
    "one of a member's dots": (2, (b"a", (UNSEEN - 1, UNSEEN))),
    "a field": (3, (b"f", (UNSEEN, 0, b"v", 0))),
    "a score": (4, (b"m", (UNSEEN, 0, 1.5, 0))),
    "an element": (5, (2, (), *RUN, KEYS_5_6, (b"v", b"w"))),
    "a removal in the middle": (5, (2, (0, UNSEEN - 1, *RUN, 5 << KEY_BITS, (UNSEEN,)))),
    "an element that was set": (5, (2, (), *RUN, KEYS_5_6[:1], ((UNSEEN, 0, b"v", 0),))),
    "a value": (6, (UNSEEN, b"v")),
    "an add": (7, (b"a", UNSEEN, ())),
    "a remove": (7, (b"a", (), UNSEEN)),
    "a sum": (8, UNSEEN_SHARES[0]),
    "an enable": (9, (UNSEEN, ())),
    "a disable": (10, ((), UNSEEN)),
}


@pytest.mark.parametrize("name", DOTS_BEYOND)
def test_snapshot_holds_only_what_its_vector_covers(name: str) -> None:
    """Otherwise merged data would count as unobserved when its operation arrives, and stay for
    ever."""
    sink = Replica(3)
    sink.set("mine").add("a")
    before = sink.to_bytes()
    vector = (make_origin(2), 5)
    record = (K, (), (DOTS_BEYOND[name],))
    with pytest.raises(DecodeError, match="has not seen"):
        sink.merge(map(pack_piece, (head_of(vector, 1), (1, (), (record,)), (2, 1))))
    assert sink.to_bytes() == before
    wide = (make_origin(2), 6)
    sink.merge(map(pack_piece, (head_of(wide, 1), (1, (), (record,)), (2, 1))))
    assert sink.vector[make_origin(2)] == 6


@pytest.mark.parametrize(
    "piece",
    [
        (1, (0, (K,), (UNSEEN,), (0,), (b"v",), b"\0"), ()),
        (1, (), ((K, (UNSEEN, 5000), ()),)),
    ],
)
def test_nor_do_its_plain_strings_and_deadlines(piece: Any) -> None:
    sink = Replica(3)
    with pytest.raises(DecodeError, match="has not seen"):
        sink.merge(map(pack_piece, (head_of((make_origin(2), 5), 1), piece, (2, 1))))
    assert sink.vector == {}


def test_context_beyond_vector_is_refused() -> None:
    """Otherwise the origin's next removal would remove data that it had not observed."""
    sink = Replica(3)
    for seq, is_right in ((2, False), (1, True)):
        context = (make_origin(2), (make_origin(1), seq))
        head = head_of((make_origin(1), 1, make_origin(2), 5), 0, (context,))
        if is_right:
            sink.merge(map(pack_piece, (head, (2, 0))))
        else:
            with pytest.raises(DecodeError, match="has not seen"):
                sink.merge(map(pack_piece, (head, (2, 0))))
    assert sink.contexts == {make_origin(1): {}, make_origin(2): {make_origin(1): 1}}


def test_all_types_of_contested_key_have_their_dots_looked_at() -> None:
    both = Contested()
    for code, state in ((1, (5, 0, b"v", 0)), (2, (b"a", UNSEEN))):
        both.part(code, BUILT_IN.makers[code]).load(state)
    assert not both.covered({0: 5, make_origin(2): 5})
    assert both.covered({0: 5, make_origin(2): 6})


def one_key(piece: Any) -> list[Any]:
    """Return a snapshot of one key."""
    return [head_of((), 1), piece, (2, 1)]


def head_of(vector: Any, keys: int, contexts: Any = ()) -> tuple[Any, ...]:
    """Return the head of a snapshot in the present version."""
    return 0, 1, 0, vector, contexts, keys, ()


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ((0, 3, "whatever"), "a snapshot: format version 3; this program reads version 2"),
        ((0,), "a snapshot: no format version"),
        ((0, 1, 3, (), (), 0, ()), "a snapshot of slot group 3; this replica holds slot group 0"),
        ((0, 1, False, (), (), 0, ()), "a snapshot of slot group False"),
    ],
)
def test_head_of_another_version_or_group_is_refused(head: Any, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        Replica(3).merge([pack_piece(head)])


@pytest.mark.parametrize("name", WRONG)
def test_invalid_snapshot_changes_nothing(name: str) -> None:
    source, sink = sample(), Replica(3)
    sink.set("mine").add("a")
    before = sink.to_bytes()
    with pytest.raises(DecodeError):
        sink.merge([pack_piece(piece) for piece in WRONG[name](pieces_of(source))])
    assert sink.to_bytes() == before


@pytest.mark.parametrize("seed", range(80))
def test_hostile_snapshot_is_refused_or_harmless(seed: int) -> None:
    rng = random.Random(seed)
    pieces = pieces_of(sample())
    for _ in range(rng.choice((1, 1, 3))):
        index = rng.randrange(len(pieces))
        pieces[index] = hostile.spoil(rng, pieces[index])
    sink = Replica(1, members=(1, 2, 3))
    sink.set("mine").add("a")
    before = sink.to_bytes()
    try:
        data = [pack_piece(piece) for piece in pieces]
    except (OverflowError, TypeError, ValueError):
        return
    try:
        sink.merge(data)
    except CRDTError:
        assert sink.to_bytes() == before
    else:
        check_that_it_works(sink)


def test_flipped_bit_in_snapshot_is_noticed() -> None:
    data = sample().to_bytes()
    rng = random.Random(1)
    for _ in range(100):
        spoiled = bytearray(data)
        bit = rng.randrange(8 * len(data))
        spoiled[bit // 8] ^= 1 << bit % 8
        sink = Replica(5)
        with pytest.raises(DecodeError):
            sink.merge_bytes(bytes(spoiled))
        assert sink.vector == {}


def test_snapshot_with_excess_keys_is_refused_early() -> None:
    """It is refused before its end, which may never come."""
    here = Replica(1)
    for number in range(3):
        here.string(f"k{number}").set("v")
    here.seal()
    head, keys, _ = here.snapshot()
    incoming = Replica(2).incoming()
    incoming.feed(head)
    incoming.feed(keys)
    with pytest.raises(DecodeError, match="more than the 3 keys that it announced"):
        incoming.feed(keys)


def test_plain_values_without_plain_type_are_refused() -> None:
    replica = Replica(1)
    replica.string("k").set("v")
    incoming = Incoming(Keyspace(make_origin(2), TypeRegistry(())))
    head, keys, _ = replica.snapshot()
    incoming.feed(head)
    with pytest.raises(DecodeError, match="knows no plain type"):
        incoming.feed(keys)
