"""Large values in snapshots: both sides work on a part of them in each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crdt import Replica
from crdt.causality.dots import make_dot, make_origin
from crdt.errors import DecodeError
from crdt.store.snapshot import Snapshot, pack_piece, split, unpack_piece
from tests.crdt.exchange import exchange, regions

COUNT = 20
PART = 3
NAMES = [f"{number:02d}" for number in range(COUNT)]
FAR = 1 << 45
SET = 2


def fill_set(here: Replica, there: Replica) -> None:
    here.set("k").update(NAMES)
    there.set("k").update(NAMES[:4])


def fill_hash(here: Replica, there: Replica) -> None:
    """Leave fields, increments, concurrent writes and removed fields with increments."""
    for name in NAMES:
        here.hash("k")[name] = name
    here.hash("k").increment("sum", 2)
    there.hash("k").increment("gone", 3)
    there.hash("k")["00"] = "other"
    exchange(here, there)
    del here.hash("k")["gone"]


def fill_hash_with_deadlines(here: Replica, there: Replica) -> None:
    fill_hash(here, there)
    here.hash("k").expire_fields_at(FAR, *NAMES[:9])


def fill_sorted_set(here: Replica, there: Replica) -> None:
    here.sorted_set("k").update({name: float(name) for name in NAMES})
    there.sorted_set("k").increment("05", 2)


def fill_list(here: Replica, there: Replica) -> None:
    """Leave runs in the middle, a replaced element, and elements of two regions."""
    here.list("k").extend(NAMES)
    exchange(here, there)
    for name in NAMES[:5]:
        here.list("k").insert(7, name)
        there.list("k").insert(7, "x" + name)
    exchange(here, there)
    here.list("k")[9] = "set"
    del here.list("k")[8]


def fill_stream(here: Replica, there: Replica) -> None:
    here.stream("k").extend([{"field": name} for name in NAMES])
    there.stream("k").extend([{"field": name} for name in NAMES[:7]])
    here.stream("k").group("g").create("0")


def fill_string(here: Replica, there: Replica) -> None:
    """Leave a text that its origin may edit."""
    here.string("k").set("x" * 5000)
    here.string("k").append("y" * 90)


FILLS: tuple[Callable[[Replica, Replica], None], ...] = (
    fill_set,
    fill_hash,
    fill_hash_with_deadlines,
    fill_sorted_set,
    fill_list,
    fill_stream,
    fill_string,
)
CHANGES: dict[Callable[[Replica, Replica], None], Callable[[Replica], object]] = {
    fill_set: lambda here: here.set("k").discard("03"),
    fill_hash: lambda here: here.hash("k").pop("03"),
    fill_hash_with_deadlines: lambda here: here.hash("k").pop("03"),
    fill_sorted_set: lambda here: here.sorted_set("k").pop("03"),
    fill_list: lambda here: here.list("k").pop(0),
    fill_stream: lambda here: here.stream("k").trim(3),
    fill_string: lambda here: here.string("k").append("z"),
}


def filled(fill: Callable[[Replica, Replica], None]) -> Replica:
    """Return a replica with a large value under `k`, and small ones beside it."""
    here, there = regions(2)
    fill(here, there)
    exchange(here, there)
    for name in NAMES[:5]:
        here.set(name).add("a")
        here.string("s" + name).set("b")
    return here


def small_pieces(here: Replica) -> Snapshot:
    """Begin a snapshot whose pieces hold a few elements, or a few hundred bytes."""
    snapshot = here.snapshot()
    snapshot.piece_keys, snapshot.piece_bytes = PART, 500
    return snapshot


def parts_in(pieces: list[bytes]) -> list[Any]:
    """Return the parts of large values, in order."""
    found = [record for piece in pieces[1:-1] for record in unpack_piece(piece)[2]]
    return [record for record in found if type(record[1]) is int]


@pytest.mark.parametrize("fill", FILLS)
def test_copy_equals_origin(fill: Callable[[Replica, Replica], None]) -> None:
    here, copy = filled(fill), Replica(7)
    pieces = list(small_pieces(here))
    assert len(parts_in(pieces)) > COUNT / PART / 2
    copy.merge(pieces)
    assert copy.to_bytes() == here.to_bytes()
    copy.merge(small_pieces(here))
    assert copy.to_bytes() == here.to_bytes()


@pytest.mark.parametrize("fill", FILLS)
def test_no_step_reads_whole_value(fill: Callable[[Replica, Replica], None]) -> None:
    here = filled(fill)
    snapshot = small_pieces(here)
    for piece in list(snapshot)[1:-1]:
        assert len(unpack_piece(piece)[2]) <= PART
        assert len(unpack_piece(piece)[2]) * len(repr(piece)) < 8000


@pytest.mark.parametrize("fill", FILLS)
def test_write_in_between_changes_nothing_in_it(fill: Callable[[Replica, Replica], None]) -> None:
    here = filled(fill)
    before, total = here.to_bytes(), len(list(small_pieces(here)))
    for read in range(1, total):
        origin = filled(fill)
        snapshot = small_pieces(origin)
        pieces = [next(snapshot) for _ in range(read)]
        CHANGES[fill](origin)
        copy = Replica(7)
        copy.merge([*pieces, *snapshot])
        assert copy.to_bytes() == before
        assert origin.keyspace.readers == []


def test_removed_collection_stays_in_it() -> None:
    here = filled(fill_set)
    before = here.to_bytes()
    snapshot = small_pieces(here)
    pieces = [next(snapshot) for _ in range(3)]
    here.keyspace.flush()
    copy = Replica(7)
    copy.merge([*pieces, *snapshot])
    assert copy.to_bytes() == before


def test_snapshot_can_be_closed_between_two_parts() -> None:
    here = filled(fill_set)
    snapshot = small_pieces(here)
    while not snapshot.current:
        next(snapshot)
    snapshot.close()
    assert here.keyspace.readers == []
    here.set("k").add("more")


def test_sorted_snapshot_has_no_parts() -> None:
    here = Replica(1)
    here.set("k").update(map(str, range(5000)))
    assert parts_in(list(split(here.to_bytes()))) == []


def test_types_of_one_key_go_in_parts() -> None:
    here, there = regions(2)
    here.set("k").update(NAMES)
    there.list("k").extend(NAMES)
    exchange(here, there)
    pieces = list(small_pieces(here))
    assert {code for _, code, _ in parts_in(pieces)} == {SET, 5}
    copy = Replica(7)
    copy.merge(pieces)
    assert copy.to_bytes() == here.to_bytes()


HEAD = (0, 2, 0, (make_origin(1), 9), (), 1, ())
SEEN = make_dot(make_origin(1), 5)
UNSEEN = SEEN + 9
PARTS: dict[str, tuple[tuple[Any, ...], str]] = {
    "no record": (((b"k", SET, (b"a", SEEN)),), "cut off"),
    "a dot beyond": (((b"k", SET, (b"a", UNSEEN)), (b"k", (), ())), "has not seen"),
    "an unknown type": (((b"k", 99, ()), (b"k", (), ())), "unknown type 99"),
    "a type without parts": (((b"k", 8, ()), (b"k", (), ())), "type 8 in parts"),
    "a text without beginning": (((b"k", 1, b"x"), (b"k", (), ())), "without its beginning"),
    "runs in the middle": (
        ((b"k", 5, (2, (), 0, SEEN, (1,), (b"x",))), (b"k", 5, (2, (0,))), (b"k", (), ())),
        "list",
    ),
}


@pytest.mark.parametrize("name", PARTS)
def test_invalid_parts_are_refused(name: str) -> None:
    records, reason = PARTS[name]
    sink = Replica(3)
    with pytest.raises(DecodeError, match=reason):
        sink.merge(map(pack_piece, (HEAD, (1, (), records), (2, 1))))
    assert sink.to_bytes() == Replica(3).to_bytes()
