"""State hashes follow each change of a keyspace, and are equal for equal states."""

from __future__ import annotations

import pytest

from crdt.causality.op import Op
from crdt.embed.replica import Replica
from crdt.types.hash import HASH
from crdt.types.list import LIST
from crdt.types.set import SET_TYPE
from crdt.types.string import STRING
from sim.nodes.state_hash import Change, StateHash

BASE = 1_700_000_000_000


def mirrored(number: int) -> tuple[Replica, StateHash]:
    replica = Replica(number)
    replica.advance(BASE)
    return replica, StateHash(replica.keyspace)


def send(source: Replica, sink: Replica) -> None:
    """Send `sink` everything that it lacks and `source` has."""
    for op in source.since(sink.vector):
        sink.accept(Op.from_bytes(op.to_bytes()))


def test_only_changed_keys_are_hashed() -> None:
    replica, state_hash = mirrored(1)
    replica.set(b"s").add(b"a")
    replica.hash(b"h")[b"f"] = b"1"
    changes = {change.key: change for change in state_hash.drain_changes()}
    assert changes[b"s"] == Change(b"s", (), ((SET_TYPE, frozenset({b"a"})),))
    assert changes[b"h"].added_elements() == [(HASH, b"f")]
    assert state_hash.hashed == 2
    assert state_hash.drain_changes() == []
    replica.set(b"s").discard(b"a")
    (change,) = state_hash.drain_changes()
    assert (change.added_elements(), change.removed_elements()) == ([], [(SET_TYPE, b"a")])
    assert state_hash.hashed == 2


def test_new_value_of_string_is_change_but_no_new_element() -> None:
    replica, state_hash = mirrored(1)
    replica.string(b"k").set(b"1")
    assert [change.added_elements() for change in state_hash.drain_changes()] == [[(STRING, b"")]]
    before = state_hash.fingerprint()
    replica.string(b"k").set(b"2")
    assert [
        (each.added_elements(), each.removed_elements()) for each in state_hash.drain_changes()
    ] == [([], [])]
    assert state_hash.fingerprint() != before


def test_equal_rewrite_is_not_change() -> None:
    replica, state_hash = mirrored(1)
    replica.string(b"k").set(b"1")
    state_hash.drain_changes()
    before = state_hash.fingerprint()
    replica.string(b"k").set(b"1")
    assert state_hash.drain_changes() == []
    assert state_hash.fingerprint() == before


def test_mirror_begins_with_what_is_there() -> None:
    replica, early = mirrored(1)
    replica.list(b"l").append(b"x")
    late = StateHash(replica.keyspace)
    assert early.drain_changes() == late.drain_changes() != []
    assert early.fingerprint() == late.fingerprint()


def test_comparison_requires_refresh() -> None:
    replica, state_hash = mirrored(1)
    replica.set(b"s").add(b"a")
    with pytest.raises(AssertionError, match="refresh first"):
        state_hash.fingerprint()


def test_equal_data_have_equal_hashes() -> None:
    (here, ours), (there, theirs) = mirrored(1), mirrored(2)
    here.set(b"s").add(b"a")
    there.set(b"s").add(b"b")
    send(here, there)
    ours.drain_changes()
    theirs.drain_changes()
    assert not ours.fingerprint().is_equal_after(theirs.fingerprint(), 0)
    send(there, here)
    ours.drain_changes()
    assert ours.fingerprint().is_equal_after(theirs.fingerprint(), 0)


def test_merged_snapshot_dirties_everything() -> None:
    (here, _), (there, theirs) = mirrored(1), mirrored(2)
    here.set(b"s").add(b"a")
    there.merge(list(here.snapshot()))
    theirs.mark_all_dirty()
    assert [change.key for change in theirs.drain_changes()] == [b"s"]
    fresh = StateHash(there.keyspace)
    fresh.drain_changes()
    assert theirs.fingerprint() == fresh.fingerprint()


def test_keys_that_end_before_clock_do_not_count() -> None:
    (here, ours), (there, theirs) = mirrored(1), mirrored(2)
    here.set(b"s").add(b"a")
    here.keyspace.expire(b"s", BASE + 100)
    there.keyspace.advance(BASE)
    ours.drain_changes()
    theirs.drain_changes()
    mine, other = ours.fingerprint(), theirs.fingerprint()
    assert not mine.is_equal_after(other, BASE + 99)
    assert mine.is_equal_after(other, BASE + 100)
    here.keyspace.expire(b"s", None)
    ours.drain_changes()
    assert not ours.fingerprint().is_equal_after(other, BASE + 100)


def test_forgotten_deadline_is_forgotten() -> None:
    replica, state_hash = mirrored(1)
    empty = state_hash.fingerprint()
    replica.set(b"s").add(b"a")
    replica.keyspace.expire(b"s", BASE + 100)
    state_hash.drain_changes()
    replica.keyspace.delete(b"s")
    state_hash.drain_changes()
    assert state_hash.fingerprint() == empty


def test_all_types_under_key_are_elements() -> None:
    (here, ours), (there, _) = mirrored(1), mirrored(2)
    here.set(b"k").add(b"a")
    there.list(b"k").append(b"b")
    send(there, here)
    changed = ours.drain_changes()[0]
    assert changed.added_elements() == [(SET_TYPE, b"a"), (LIST, b"b")]


def test_unreported_state_change_is_found() -> None:
    replica, state_hash = mirrored(1)
    replica.set(b"s").add(b"a")
    replica.hash(b"h")[b"f"] = b"1"
    replica.list(b"l").append(b"x")
    state_hash.drain_changes()
    assert state_hash.unreported_changes() == []
    replica.set(b"s").add(b"b")
    assert state_hash.unreported_changes() == [], "it was told, and is to be taken in"
    state_hash.drain_changes()
    db = replica.keyspace
    db.readers.clear()
    replica.hash(b"h")[b"f"] = b"2"
    replica.list(b"l").append(b"y")
    replica.string(b"new").set(b"v")
    replica.delete(b"s")
    assert [
        (key, seen and seen[3], held and held[3])
        for key, seen, held in state_hash.unreported_changes()
    ] == [
        (b"h", [(HASH, [(b"f", b"1")])], [(HASH, [(b"f", b"2")])]),
        (b"l", [(LIST, [b"x"])], [(LIST, [b"x", b"y"])]),
        (b"new", None, [(STRING, b"v")]),
        (b"s", [(SET_TYPE, [b"a", b"b"])], None),
    ]


@pytest.mark.rule("EXP-4")
def test_field_that_has_ended_leaves_rest_of_hash_comparable() -> None:
    """The whole key was once left out."""
    early, hash_early = mirrored(1)
    late, hash_late = mirrored(2)
    for field in (b"f", b"g", b"h"):
        early.hash(b"k")[field] = b"1"
    early.hash(b"k").expire_fields_at(BASE + 100, b"f")
    early.hash(b"k").expire_fields_at(BASE + 300, b"g")
    send(early, late)
    late.advance(BASE + 200)
    for each in (hash_early, hash_late):
        each.drain_changes()
    assert hash_early.fingerprint() != hash_late.fingerprint()
    assert hash_early.fingerprint().is_equal_after(hash_late.fingerprint(), BASE + 200)
    late.hash(b"k")[b"h"] = b"2"
    hash_late.drain_changes()
    assert not hash_early.fingerprint().is_equal_after(hash_late.fingerprint(), BASE + 200)


def test_hash_of_ending_fields_ends_with_last_of_them() -> None:
    early, hash_early = mirrored(1)
    late, hash_late = mirrored(2)
    for number, field in enumerate((b"f", b"g"), 1):
        early.hash(b"k")[field] = b"1"
        early.hash(b"k").expire_fields_at(BASE + 100 * number, field)
    send(early, late)
    late.advance(BASE + 300)
    for each in (hash_early, hash_late):
        each.drain_changes()
    assert not hash_late.held
    assert hash_early.fingerprint().is_equal_after(hash_late.fingerprint(), BASE + 300)
    assert not hash_early.fingerprint().is_equal_after(hash_late.fingerprint(), BASE + 150)
