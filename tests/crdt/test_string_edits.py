"""Edits of long strings: what is sent, and what replicas retain to apply them."""

from __future__ import annotations

from typing import Any

import pytest

from crdt import DecodeError, Replica
from crdt.causality.dots import SEQ_BITS, Dot, Origin, make_dot, make_origin
from crdt.causality.op import Op
from crdt.causality.schema import OFFSET_MAX
from crdt.store.keyspace import JOINED_BYTES_MAX, Keyspace
from crdt.structures.large_text import LargeText, overwritten
from crdt.types.components.register import rename_register
from crdt.types.registry import BUILT_IN
from crdt.types.string import EDIT, KEEP, LARGE_TEXT_BYTES, REBASE, SET, STRING, String, encoding
from crdt.writes import set as sets
from crdt.writes import string as strings
from tests.crdt.exchange import converge, deliver_to, exchange, regions
from tests.crdt.store.serialising import SerialisingStore

K = b"k"
LONG = bytes(range(256)) * 20
SIZE = len(LONG)


def edited(*replicas: Replica) -> None:
    """Let the first replica write a long string that it may edit. All receive it."""
    strings.assign(replicas[0].keyspace, K, LONG)
    strings.edit(replicas[0].keyspace, K, SIZE, b"!")
    exchange(*replicas)


def register(replica: Replica) -> String:
    """Return what a replica holds under the key, even if readers see nothing."""
    held = replica.keyspace.remains(K, STRING)
    assert isinstance(held, String)
    return held


def shown(*replicas: Replica) -> bytes | None:
    """Return what the replicas show, which must be the same."""
    texts = [replica.string(K).get() for replica in replicas]
    assert len(set(texts)) == 1
    return texts[0]


def kinds(replica: Replica) -> list[int]:
    """Return the operations in the outbox."""
    return [effect[1] for effect in replica.keyspace.outbox]


def test_only_first_edit_sends_whole_text() -> None:
    here, there = regions(2)
    strings.assign(here.keyspace, K, LONG)
    sizes: list[int] = []
    for _ in range(3):
        here.seal()
        strings.edit(here.keyspace, K, SIZE - 1, b"ab")
        op = here.seal()
        assert op is not None
        sizes.append(len(op.to_bytes()))
    assert sizes[0] > SIZE
    assert max(sizes[1:]) < 60
    exchange(here, there)
    assert shown(here, there) == LONG[:-1] + b"ab"


def test_short_text_is_sent_as_a_whole() -> None:
    here, _ = regions(2)
    assert strings.edit(here.keyspace, K, 2, b"ab") == 4
    assert strings.edit(here.keyspace, K, 1, b"c") == 4
    assert kinds(here) == [KEEP, KEEP]
    assert here.string(K).get() == b"\0cab"


def test_first_edit_far_beyond_the_end_sends_no_zeros() -> None:
    here, there = regions(2)
    strings.edit(here.keyspace, K, 1 << 26, b"x")
    op = here.seal()
    assert op is not None
    assert len(op.to_bytes()) < 60
    there.accept(op)
    assert register(there).size() == (1 << 26) + 1
    assert register(there).part((1 << 26) - 1, 1 << 27) == b"\0x"


def test_very_long_text_needs_no_second_transfer() -> None:
    here, there = regions(2)
    text = bytes(LARGE_TEXT_BYTES)
    strings.assign(here.keyspace, K, text)
    here.seal()
    strings.edit(here.keyspace, K, 5, b"x")
    assert kinds(here) == [EDIT]
    exchange(here, there)
    assert shown(here, there) == bytes(5) + b"x" + text[6:]


def test_edits_of_neighbouring_bytes_are_joined() -> None:
    here, there = regions(2)
    edited(here, there)
    text = LONG + b"!"
    for offset, patch in ((SIZE + 1, b"ab"), (SIZE + 3, b"cd"), (SIZE + 2, b"X"), (SIZE + 1, b"")):
        strings.edit(here.keyspace, K, offset, patch)
        text = overwritten(text, offset, patch)
    assert kinds(here) == [EDIT]
    strings.edit(here.keyspace, K, SIZE, b"y")
    strings.edit(here.keyspace, K, SIZE + 2, b"z")
    strings.edit(here.keyspace, K, SIZE, bytes(JOINED_BYTES_MAX + 1))
    assert kinds(here) == [EDIT] * 4
    sets.add(here.keyspace, b"s", [b"a"])
    strings.edit(here.keyspace, K, SIZE, b"y")
    assert kinds(here)[-2:] == [0, EDIT]
    exchange(here, there)
    assert shown(here, there) == LONG + b"y" + bytes(JOINED_BYTES_MAX)


def test_edit_joins_the_first_one() -> None:
    here, there = regions(2)
    strings.assign(here.keyspace, K, LONG)
    for _ in range(3):
        strings.edit(here.keyspace, K, register(here).size(), b"x")
    assert kinds(here) == [SET, REBASE]
    assert here.keyspace.outbox[-1][4:6] == (SIZE, b"xxx")
    exchange(here, there)
    assert shown(here, there) == LONG + b"xxx"


def test_joined_edit_is_a_change_of_its_key() -> None:
    here, there = regions(2)
    edited(here, there)
    db = here.keyspace
    strings.edit(db, K, 0, b"a")
    db.watch(K)
    snapshot = there.snapshot()
    edits = (here.string(K).append("b"), here.string(K).set_range(SIZE + 2, "c"))
    assert edits == (SIZE + 2, SIZE + 3)
    assert db.drain_changes() == [K]
    assert db.is_rewritable()
    there.merge(snapshot)
    exchange(here, there)
    assert shown(here, there) == b"a" + LONG[1:] + b"!bc"


def test_only_large_writes_and_edits_may_be_replaced() -> None:
    here, _ = regions(2)
    db = here.keyspace
    assert not db.is_rewritable()
    strings.assign(db, K, b"small")
    assert not db.is_rewritable()
    strings.assign(db, K, LONG)
    assert db.is_rewritable()
    assert db.pending_count() == 2, "a large string does not replace a small one under its dot"
    strings.assign(db, K, LONG + b"!")
    assert db.pending_count() == 2


def test_snapshot_in_progress_does_not_see_later_edits() -> None:
    here, there = regions(2)
    edited(here)
    snapshot = here.snapshot()
    strings.edit(here.keyspace, K, 0, b"later")
    strings.edit(here.keyspace, K, 5, b"and joined")
    there.merge(snapshot)
    assert there.string(K).get() == LONG + b"!"
    exchange(here, there)
    assert shown(here, there) == b"laterand joined" + LONG[15:] + b"!"


@pytest.mark.rule("STR-4")
@pytest.mark.parametrize("later", [0, 1])
def test_of_edit_and_concurrent_write_the_later_whole_value_wins(later: int) -> None:
    here, there, third = regions(3)
    edited(here, there, third)
    (here, there)[later].advance(2000)
    strings.edit(here.keyspace, K, 0, b"edit")
    there.string(K).set("other")
    deliver_to(there, third)
    exchange(here, there, third)
    expected = (b"edit" + LONG[4:] + b"!", b"other")
    assert shown(here, there, third) == expected[later]
    values = [value for _, value in register(third).siblings()]
    assert values == [expected[later], expected[1 - later]]


@pytest.mark.rule("STR-4")
def test_of_concurrent_edits_the_later_whole_value_wins() -> None:
    here, there, third = regions(3)
    edited(here, there, third)
    strings.edit(there.keyspace, K, 1, b"there")
    here.advance(2000)
    strings.edit(here.keyspace, K, 0, b"x")
    strings.edit(there.keyspace, K, 9, b"again")
    exchange(there, third, here)
    assert shown(here, there, third) == b"x" + LONG[1:] + b"!"


@pytest.mark.parametrize("removal", ["delete", "flush"])
def test_edit_survives_removal_that_has_not_seen_it(removal: str) -> None:
    here, there, third = regions(3)
    edited(here, there, third)
    if removal == "flush":
        there.keyspace.flush()
    else:
        there.keyspace.delete(K)
    deliver_to(there, third)
    assert third.string(K).get() is None
    assert [base.dot >> SEQ_BITS for base in register(third).retained()] == [here.origin]
    strings.edit(here.keyspace, K, 0, b"edit")
    exchange(here, there, third)
    assert shown(here, there, third) == b"edit" + LONG[4:] + b"!"
    assert not register(third).retained()


def test_base_is_dropped_when_its_origin_has_seen_what_replaced_it() -> None:
    here, there, third = regions(3)
    edited(here, there, third)
    there.string(K).set("other")
    third.accept(there.since(third.vector)[0])
    assert third.collect() == 0
    assert register(third).has_garbage()
    converge(here, there, third)
    assert not any(register(each).sibling_writes for each in (here, there, third))
    assert {len(each.to_bytes()) for each in (here, there, third)} == {len(here.to_bytes())}
    assert not third.keyspace.garbage


def test_origin_drops_base_that_it_removes() -> None:
    here, there = regions(2)
    edited(here, there)
    there.string(K).set("other")
    here.string(K).delete()
    exchange(here, there)
    assert shown(here, there) == b"other"
    assert not register(there).sibling_writes


def test_base_goes_with_the_last_thing_under_its_key() -> None:
    here, there = regions(2)
    edited(here, there)
    there.string(K).delete()
    assert K in there.keyspace.tombstones
    converge(here, there)
    assert not there.keyspace.tombstones.index


def test_base_travels_in_snapshots() -> None:
    here, there, third = regions(3)
    edited(here, there)
    there.string(K).set("other")
    third.merge(there.snapshot())
    assert register(third).retained()
    here.advance(2000)
    strings.edit(here.keyspace, K, 0, b"edit")
    exchange(here, there, third)
    assert shown(here, there, third) == b"edit" + LONG[4:] + b"!"


def test_replica_that_holds_the_write_retains_it_when_a_snapshot_has_replaced_it() -> None:
    here, there, third = regions(3)
    edited(here, there, third)
    there.string(K).delete()
    third.merge(there.snapshot())
    assert third.string(K).get() is None
    there.merge(third.snapshot())
    here.string(K).append("edit")
    exchange(here, there, third)
    assert shown(here, there, third) == LONG + b"!edit"


def test_snapshot_with_a_later_write_of_its_origin_replaces_a_base() -> None:
    here, there, third = regions(3)
    edited(here, there, third)
    there.string(K).set("other")
    here.advance(2000)
    here.string(K).append("edit")
    there.merge(here.snapshot())
    assert not register(there).retained()
    exchange(here, there, third)
    assert shown(here, there, third) == LONG + b"!edit"


def test_write_over_a_retained_base_gives_equal_bytes_by_operation_and_by_snapshot() -> None:
    first, second, third = regions(3)
    strings.assign(first.keyspace, K, bytes(LARGE_TEXT_BYTES))
    exchange(first, second, third)
    strings.assign(second.keyspace, K, b"a")
    deliver_to(second, first)
    third.merge_bytes(second.to_bytes())
    assert not register(first).no_expiry  # the base is a sibling, so the deadline is written out
    assert third.to_bytes() == first.to_bytes() == second.to_bytes()
    converge(first, second, third)
    assert register(third).no_expiry
    assert third.to_bytes() == first.to_bytes() == second.to_bytes()


def test_bases_say_the_same_whatever_came_first() -> None:
    here, one, two = regions(3)
    edited(here, one, two)
    one.string(K).set("one")
    two.string(K).set("two")
    third, fourth = Replica(4), Replica(5)
    for sink, first in ((third, one), (fourth, two)):
        deliver_to(here, sink)
        deliver_to(first, sink)
    third.merge(two.snapshot())
    fourth.merge(one.snapshot())
    assert register(third).state() == register(fourth).state()
    fourth.merge(third.snapshot())
    assert register(third).state() == register(fourth).state()


def test_edit_keeps_time_to_live() -> None:
    here, there = regions(2)
    edited(here, there)
    here.string(K).expire_at(9000)
    here.string(K).append("x")
    exchange(here, there)
    assert (there.keyspace.deadline(K), here.keyspace.deadline(K)) == (9000, 9000)


def test_write_that_another_region_sees_is_sent_as_a_whole() -> None:
    here, there = regions(2)
    edited(here, there)
    there.string(K).append("x")
    assert kinds(there) == [REBASE]
    there.string(K).append(bytes(JOINED_BYTES_MAX + 1))
    here.advance(2000)
    here.string(K).append(b"y" * (JOINED_BYTES_MAX + 1))
    assert kinds(here) == [EDIT]
    exchange(here, there)
    assert shown(here, there) == LONG + b"!" + b"y" * (JOINED_BYTES_MAX + 1)


def test_long_patch_of_foreign_text_is_sent_once() -> None:
    here, there = regions(2)
    edited(here, there)
    patch = b"y" * (JOINED_BYTES_MAX + 1)
    there.string(K).append(patch)
    assert there.keyspace.outbox[0][4:] == (SIZE + 1 + len(patch), b"", LONG + b"!" + patch)
    exchange(here, there)
    assert shown(here, there) == LONG + b"!" + patch


def test_new_incarnation_sends_whole_text() -> None:
    here, there = regions(2)
    edited(here, there)
    here.reincarnate(make_origin(1, 9))
    here.string(K).append("x")
    assert kinds(here) == [REBASE]
    exchange(here, there)
    assert shown(here, there) == LONG + b"!x"


def test_text_under_increments_is_sent_as_a_whole() -> None:
    here, there = regions(2)
    strings.assign(here.keyspace, K, b"11")
    strings.edit(here.keyspace, K, 0, b"2", 0)
    exchange(here, there)
    strings.add_to(there.keyspace, K, register(there), 1)
    exchange(here, there)
    assert shown(here, there) == b"22"
    assert (register(there).integer(), register(there).size()) == (22, 2)
    assert (register(there).part(1, 2), register(there).part(1, 0)) == (b"2", b"")
    strings.edit(here.keyspace, K, 2, b"x", 0)
    assert kinds(here) == [KEEP]
    exchange(here, there)
    assert shown(here, there) == b"22x"


def test_text_beside_another_type_is_sent_as_a_whole() -> None:
    here, there = regions(2)
    edited(here)
    sets.add(there.keyspace, K, [b"member"])
    exchange(here, there)
    here.string(K).append("x")
    assert SET in kinds(here)
    exchange(here, there)
    assert shown(here, there) == LONG + b"!x"


def test_lone_writes_of_one_name_are_equal() -> None:
    here, there = regions(2)
    edited(here, there)
    assert register(here).equals(register(there))
    register(here).no_expiry = True
    assert not register(here).equals(register(there))
    register(here).no_expiry = False
    there.string(K).set("other")
    assert not register(here).equals(register(there))
    assert not register(there).equals(register(here))
    exchange(here, there)
    assert register(here).equals(register(there))


def test_encoding_of_long_text() -> None:
    here, _ = regions(2)
    edited(here)
    assert encoding(register(here), {}) == b"raw"


@pytest.mark.interpreted("the store derives from a compiled class")
def test_edits_in_store_that_returns_copies() -> None:
    db = Keyspace(make_origin(1), BUILT_IN, SerialisingStore)
    strings.assign(db, K, LONG)
    for offset in (0, 2, 1, 4):
        strings.edit(db, K, offset, b"ab")
    value = db.lookup(K)
    assert isinstance(value, String)
    assert value.read() == b"aabbab" + LONG[6:]


class Shifted:
    """Names in which each origin is of the next region."""

    def origin(self, origin: Origin) -> Origin:
        return origin + make_origin(1)

    def dot(self, dot: Dot) -> Dot:
        return dot + (make_origin(1) << SEQ_BITS) if dot else 0


def test_bases_are_renamed() -> None:
    here, there = regions(2)
    edited(here, there)
    there.string(K).set("other")
    rename_register(register(there), Shifted())
    (base,) = register(there).retained()
    assert base.dot >> SEQ_BITS == there.origin
    assert base.replaced_by == make_dot(make_origin(3), there.keyspace.seq)


def test_edit_of_unknown_text_begins_with_an_empty_one() -> None:
    """Only a replica that breaks the rules sends it."""
    replica = Replica(1)
    for key in (K, b"s"):
        effect = (STRING, EDIT, key, 0, 1, b"x")
        seq = replica.vector.get(make_origin(2), 0) + 1
        replica.accept(Op(make_origin(2), seq, 1000, {}, (effect,), 0))
    assert replica.string(K).get() == b"\0x"


@pytest.mark.parametrize(
    "effect",
    [
        (STRING, EDIT, K, 0, -1, b"x"),
        (STRING, EDIT, K, 0, OFFSET_MAX + 1, b"x"),
        (STRING, EDIT, K, 0, b"0", b"x"),
        (STRING, EDIT, K, 0, 0, 1),
        (STRING, EDIT, K, 0, 0, b"x", b"y"),
        (STRING, REBASE, K, 0, 0, b"x"),
    ],
)
def test_malformed_edit_is_refused(effect: Any) -> None:
    with pytest.raises(DecodeError):
        BUILT_IN.check_effect(effect)


DOT = make_dot(make_origin(1), 1)
WRITE = (DOT, 5, b"v", 0)


@pytest.mark.parametrize(
    "state",
    [
        (DOT, 5, (), 0),
        (DOT, 5, (1,), 0),
        (DOT, 5, (b"a", b"b"), 0),
        (*WRITE, (), ()),
        (*WRITE, (), (), (DOT,)),
        (*WRITE, (), (), (0, DOT, b"x")),
        (*WRITE, (), (), (DOT, 0, b"x")),
        (*WRITE, (), (), (DOT, DOT, 5)),
        (*WRITE, (), (), (), ()),
    ],
)
def test_malformed_state_is_refused(state: Any) -> None:
    if state == (*WRITE, (), ()):
        String().load(state)
        return
    with pytest.raises(DecodeError):
        String().load(state)


def test_state_holds_bases_and_vector_covers_them() -> None:
    here, there = regions(2)
    edited(here, there)
    there.string(K).set("other")
    held, copy = register(there), String()
    copy.load(held.state())
    assert copy.state() == held.state()
    vector = there.keyspace.vector
    assert copy.covered(vector)
    assert not copy.covered({**vector, here.origin: 1})
    assert not copy.covered({**vector, there.origin: 0})
    assert not copy.plain()
    assert type(held.retained()[0].value) is LargeText
