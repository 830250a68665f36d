"""Mirrors follow a keyspace change by change, and two that hold the same look the same."""

from __future__ import annotations

import pytest

from crdt.causality.op import Op
from crdt.embed.replica import Replica
from crdt.types.hash import HASH
from crdt.types.list import LIST
from crdt.types.set import SET_TYPE
from crdt.types.string import STRING
from sim.nodes.mirror import Change, Mirror

BASE = 1_700_000_000_000


def mirrored(number: int) -> tuple[Replica, Mirror]:
    replica = Replica(number)
    replica.advance(BASE)
    return replica, Mirror(replica.keyspace)


def send(source: Replica, sink: Replica) -> None:
    """Give `sink` all that it lacks of `source`."""
    for op in source.since(sink.vector):
        sink.accept(Op.from_bytes(op.to_bytes()))


def test_only_what_changed_is_told_and_hashed() -> None:
    replica, mirror = mirrored(1)
    replica.set(b"s").add(b"a")
    replica.hash(b"h")[b"f"] = b"1"
    changes = {change.key: change for change in mirror.refresh()}
    assert changes[b"s"] == Change(b"s", (), ((SET_TYPE, frozenset({b"a"})),))
    assert changes[b"h"].added() == [(HASH, b"f")]
    assert mirror.hashed == 2
    assert mirror.refresh() == []
    replica.set(b"s").discard(b"a")
    (change,) = mirror.refresh()
    assert (change.added(), change.removed()) == ([], [(SET_TYPE, b"a")])
    assert mirror.hashed == 2


def test_a_new_value_of_a_string_is_a_change_but_no_new_element() -> None:
    replica, mirror = mirrored(1)
    replica.string(b"k").set(b"1")
    assert [change.added() for change in mirror.refresh()] == [[(STRING, b"")]]
    before = mirror.fingerprint()
    replica.string(b"k").set(b"2")
    assert [(each.added(), each.removed()) for each in mirror.refresh()] == [([], [])]
    assert mirror.fingerprint() != before


def test_what_is_written_anew_as_it_was_is_no_change() -> None:
    replica, mirror = mirrored(1)
    replica.string(b"k").set(b"1")
    mirror.refresh()
    before = mirror.fingerprint()
    replica.string(b"k").set(b"1")
    assert mirror.refresh() == []
    assert mirror.fingerprint() == before


def test_a_mirror_begins_with_what_is_there() -> None:
    replica, early = mirrored(1)
    replica.list(b"l").append(b"x")
    late = Mirror(replica.keyspace)
    assert early.refresh() == late.refresh() != []
    assert early.fingerprint() == late.fingerprint()


def test_looking_wants_a_refresh_first() -> None:
    replica, mirror = mirrored(1)
    replica.set(b"s").add(b"a")
    with pytest.raises(AssertionError, match="refresh first"):
        mirror.fingerprint()


def test_equal_data_are_the_same_whatever_the_way_there() -> None:
    (here, ours), (there, theirs) = mirrored(1), mirrored(2)
    here.set(b"s").add(b"a")
    there.set(b"s").add(b"b")
    send(here, there)
    ours.refresh()
    theirs.refresh()
    assert not ours.fingerprint().same(theirs.fingerprint(), 0)
    send(there, here)
    ours.refresh()
    assert ours.fingerprint().same(theirs.fingerprint(), 0)


def test_a_merged_snapshot_soils_everything() -> None:
    (here, _), (there, theirs) = mirrored(1), mirrored(2)
    here.set(b"s").add(b"a")
    there.merge(list(here.snapshot()))
    theirs.soil()
    assert [change.key for change in theirs.refresh()] == [b"s"]
    fresh = Mirror(there.keyspace)
    fresh.refresh()
    assert theirs.fingerprint() == fresh.fingerprint()


def test_keys_that_end_before_the_clock_do_not_count() -> None:
    (here, ours), (there, theirs) = mirrored(1), mirrored(2)
    here.set(b"s").add(b"a")
    here.keyspace.expire(b"s", BASE + 100)
    there.keyspace.advance(BASE)
    ours.refresh()
    theirs.refresh()
    mine, other = ours.fingerprint(), theirs.fingerprint()
    assert not mine.same(other, BASE + 99)
    assert mine.same(other, BASE + 100)
    here.keyspace.expire(b"s", None)
    ours.refresh()
    assert not ours.fingerprint().same(other, BASE + 100)


def test_a_forgotten_deadline_is_forgotten() -> None:
    replica, mirror = mirrored(1)
    empty = mirror.fingerprint()
    replica.set(b"s").add(b"a")
    replica.keyspace.expire(b"s", BASE + 100)
    mirror.refresh()
    replica.keyspace.delete(b"s")
    mirror.refresh()
    assert mirror.fingerprint() == empty


def test_all_types_under_a_key_are_elements() -> None:
    (here, ours), (there, _) = mirrored(1), mirrored(2)
    here.set(b"k").add(b"a")
    there.list(b"k").append(b"b")
    send(there, here)
    changed = ours.refresh()[0]
    assert changed.added() == [(SET_TYPE, b"a"), (LIST, b"b")]


def test_a_change_that_nobody_tells_of_is_found() -> None:
    replica, mirror = mirrored(1)
    replica.set(b"s").add(b"a")
    replica.hash(b"h")[b"f"] = b"1"
    replica.list(b"l").append(b"x")
    mirror.refresh()
    assert mirror.untold() == []
    replica.set(b"s").add(b"b")
    assert mirror.untold() == [], "it was told, and is to be taken in"
    mirror.refresh()
    db = replica.keyspace
    db.readers.clear()
    replica.hash(b"h")[b"f"] = b"2"
    replica.list(b"l").append(b"y")
    replica.string(b"new").set(b"v")
    replica.delete(b"s")
    assert [(key, seen and seen[3], held and held[3]) for key, seen, held in mirror.untold()] == [
        (b"h", [(HASH, [(b"f", b"1")])], [(HASH, [(b"f", b"2")])]),
        (b"l", [(LIST, [b"x"])], [(LIST, [b"x", b"y"])]),
        (b"new", None, [(STRING, b"v")]),
        (b"s", [(SET_TYPE, [b"a", b"b"])], None),
    ]
