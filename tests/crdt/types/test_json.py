"""JSON documents: the effects of writes, and conflicts as the rules resolve them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crdt import Replica
from crdt.causality.observed import Observed
from crdt.errors import CounterOverflow, DecodeError
from crdt.store.keyspace import Keyspace
from crdt.types.json import ADD, ASSIGN, CLEAR, CUT, INSERT, JSON, REMOVE, JsonDocument
from crdt.types.json_tree.addresses import Address
from crdt.types.json_tree.places import root_of
from crdt.types.json_tree.texts import DEPTH_MAX, InvalidJson, text_of
from crdt.types.registry import BUILT_IN
from crdt.writes import json as documents

Write = Callable[[Keyspace, Address], None]


def pair(text: bytes) -> tuple[Replica, Replica]:
    """Return two replicas that hold a document."""
    here, there = Replica(1), Replica(2)
    documents.assign(here.keyspace, b"k", (), text)
    exchange(here, there)
    return here, there


def exchange(here: Replica, there: Replica) -> None:
    """Send each the ops of the other, and check that a merge of snapshots leads to the same."""
    ours, theirs = list(here.snapshot()), list(there.snapshot())
    for source, sink in ((here, there), (there, here)):
        for op in source.since(sink.vector):
            sink.accept(op)
    for first, second in ((ours, theirs), (theirs, ours)):
        merged = Replica(3)
        merged.merge(first)
        merged.merge(second)
        assert merged.keyspace.lookup(b"k") is not None or here.keyspace.lookup(b"k") is None
        assert merged.digest() == here.digest() == there.digest()


def root(db: Keyspace) -> Address:
    """Return the address of the document's root."""
    return root_of(documents.document(db, b"k")).node_address()


def both(text: bytes, here_writes: Write, there_writes: Write) -> Any:
    """Return what readers see after two concurrent writes; None for no document."""
    here, there = pair(text)
    here_writes(here.keyspace, root(here.keyspace))
    there_writes(there.keyspace, root(there.keyspace))
    exchange(here, there)
    value = here.keyspace.lookup(b"k")
    return value.value() if isinstance(value, JsonDocument) else None


def setting(text: bytes, *steps: bytes) -> Write:
    """Return a write of the place to which names lead."""

    def write(db: Keyspace, address: Address) -> None:
        way: list[Any] = list(address)
        for step in steps:
            way += (step, 0)
        documents.assign(db, b"k", tuple(way[:-1]) if steps else (), text)

    return write


def delete(db: Keyspace, _address: Address) -> None:
    db.delete(b"k")


@pytest.mark.rule("JSN-2")
def test_lower_region_creates() -> None:
    here, there = Replica(1), Replica(2)
    documents.assign(there.keyspace, b"k", (), b'"late"')
    documents.assign(here.keyspace, b"k", (), b'"early"')
    exchange(here, there)
    document = documents.document(there.keyspace, b"k")
    assert document.value() == "early"
    assert [value for _, value in document.siblings()] == [b'"early"', b'"late"']
    documents.assign(there.keyspace, b"k", (), b"1")
    exchange(here, there)
    assert documents.document(here.keyspace, b"k").siblings() == [(2 << 54 | 2, b"1")]


@pytest.mark.rule("JSN-1")
def test_lower_region_wins_with_what_it_wrote_below() -> None:
    def nested(db: Keyspace, address: Address) -> None:
        documents.assign(db, b"k", (*address, b"a"), b"{}")
        place = root_of(documents.document(db, b"k")).member("a")
        assert place is not None
        documents.assign(db, b"k", (*place.node_address(), b"x"), b"1")

    assert both(b"{}", nested, setting(b"[2]", b"a")) == {"a": {"x": 1}}


@pytest.mark.rule("JSN-3")
def test_replacement_wins_over_change_inside() -> None:
    assert both(b'{"a":1}', setting(b'{"b":2}'), setting(b"3", b"a")) == {"b": 2}


@pytest.mark.rule("JSN-4")
def test_creation_wins_over_removal() -> None:
    assert both(b'{"a":1}', delete, setting(b"7")) == 7


@pytest.mark.rule("JSN-5")
def test_removal_wins_over_change_inside() -> None:
    assert both(b'{"a":1}', delete, setting(b"3", b"a")) is None


@pytest.mark.rule("JSN-6")
def test_lower_region_writes_member() -> None:
    assert both(b'{"a":1}', setting(b'"x"', b"a"), setting(b'"y"', b"a")) == {"a": "x"}


@pytest.mark.rule("JSN-7")
def test_assignment_wins_over_change_inside() -> None:
    text = b'{"o":{"a":1}}'
    assert both(text, setting(b"2", b"o", b"b"), setting(b"{}", b"o")) == {"o": {}}


@pytest.mark.rule("JSN-8")
def test_clear_keeps_what_it_had_not_seen() -> None:
    def clear(db: Keyspace, address: Address) -> None:
        documents.clear(db, b"k", (*address, b"o", 0))
        documents.clear(db, b"k", (*address, b"l", 0))

    def add(db: Keyspace, address: Address) -> None:
        documents.assign(db, b"k", (*address, b"o", 0, b"b"), b"2")
        documents.insert(db, b"k", (*address, b"l", 0), 1, ["new"])

    found = both(b'{"o":{"a":1},"l":[1,2]}', clear, add)
    assert found == {"o": {"b": 2}, "l": ["new"]}


@pytest.mark.rule("JSN-9")
def test_insertions_of_lower_region_stand_first() -> None:
    def insert(*values: str) -> Write:
        def write(db: Keyspace, address: Address) -> None:
            for number, value in enumerate(values, 1):
                documents.insert(db, b"k", address, number, [value])

        return write

    assert both(b"[1,2]", insert("a", "b"), insert("c", "d")) == [1, "a", "b", "c", "d", 2]


@pytest.mark.rule("JSN-10")
def test_removal_of_element_wins_over_change_inside() -> None:
    def remove(db: Keyspace, address: Address) -> None:
        documents.remove_elements(db, b"k", address, 0, 1)

    def change(db: Keyspace, address: Address) -> None:
        element = root_of(documents.document(db, b"k")).element(0)
        assert element is not None
        documents.assign(db, b"k", (*element.node_address(), b"done"), b"true")

    assert both(b'[{"done":false},2]', remove, change) == [2]


def test_write_of_element_wins_over_its_removal() -> None:
    def remove(db: Keyspace, address: Address) -> None:
        documents.remove_elements(db, b"k", address, 0, 1)

    def write(db: Keyspace, address: Address) -> None:
        element = root_of(documents.document(db, b"k")).element(0)
        assert element is not None
        documents.assign(db, b"k", element.slot_address(), b"9")

    assert both(b"[1,2]", remove, write) == [9, 2]


@pytest.mark.rule("JSN-11")
def test_changes_of_different_members_merge() -> None:
    found = both(b'{"a":1,"b":2}', setting(b"3", b"a"), setting(b"4", b"c"))
    assert found == {"a": 3, "b": 2, "c": 4}


@pytest.mark.rule("JSN-12")
def test_increments_add_up() -> None:
    def grow(delta: float) -> Write:
        def write(db: Keyspace, address: Address) -> None:
            documents.increment(db, b"k", (*address, b"n", 0), delta)

        return write

    assert both(b'{"n":1}', grow(5), grow(7)) == {"n": 13}
    assert both(b'{"n":0.1}', grow(0.2), grow(1)) == {"n": 1.3}
    assert both(b'{"n":1}', grow(5), setting(b"100", b"n")) == {"n": 100}


@pytest.mark.rule("JSN-13")
def test_other_writes_of_scalar_are_whole() -> None:
    text = b'{"s":"x"}'
    assert both(text, setting(b'"x1"', b"s"), setting(b'"x2"', b"s")) == {"s": "x1"}


def test_increment_beyond_64_bits_is_refused() -> None:
    here, _ = pair(b"9223372036854775807")
    db = here.keyspace
    with pytest.raises(CounterOverflow):
        documents.increment(db, b"k", root(db), 1)
    assert not db.outbox
    assert documents.increment(db, b"k", root(db), 0.5) == float(2**63)


def test_sum_that_cannot_be_sent_becomes_write() -> None:
    here, there = pair(b"-9223372036854775808")
    for _ in range(3):
        for replica, delta in ((here, 2**62), (there, -(2**62))):
            db = replica.keyspace
            documents.increment(db, b"k", root(db), delta)
            exchange(here, there)
    assert documents.document(here.keyspace, b"k").value() == -(2**63)


def test_only_the_change_is_sent() -> None:
    text = text_of({"rows": [{"n": number, "s": "x" * 90} for number in range(10_000)]})
    here, there = pair(text)
    db = here.keyspace
    place = root_of(documents.document(db, b"k")).member("rows")
    assert place is not None
    row = place.element(5000)
    assert row is not None
    documents.increment(db, b"k", (*row.node_address(), b"n", 0), 1)
    op = here.seal()
    assert op is not None
    assert len(op.to_bytes()) < 100
    exchange(here, there)
    document = documents.document(there.keyspace, b"k")
    assert document.value()["rows"][5000]["n"] == 5001


def test_garbage_of_arrays_is_collected() -> None:
    here, there = pair(b"[1,2,3]")
    db = here.keyspace
    documents.insert(db, b"k", root(db), 1, ["x"])
    documents.remove_elements(db, b"k", root(db), 1, 2)
    exchange(here, there)
    document = documents.document(db, b"k")
    assert document.has_garbage()
    assert not document.collect(dict(here.vector))
    assert document.state() == (1, ((1 << 54 | 1, 0, b"[1,2,3]", ()),))
    assert not document.keeps_traces()


def test_arrays_that_are_replaced_are_not_noted_any_more() -> None:
    here, _ = pair(b'{"a":[1,2]}')
    db = here.keyspace
    documents.insert(db, b"k", (*root(db), b"a", 0), 1, ["x"])
    document = documents.document(db, b"k")
    assert len(document.arrays) == 1
    documents.assign(db, b"k", (*root(db), b"a"), b"0")
    assert document.arrays == []


def test_large_content_is_freed_in_slices() -> None:
    here, _ = pair(text_of(["x" * 20] * 20_000))
    document = documents.document(here.keyspace, b"k")
    assert document.take_content() is not None
    document.remove(here.keyspace.local, None)
    dropped = document.take_dropped()
    assert dropped is not None
    assert dropped.free_slice()
    assert document.take_dropped() is None
    assert document.min_dot() == 0


def test_effects_that_lead_nowhere_change_nothing() -> None:
    here, _ = pair(b'{"a":[1],"s":"x"}')
    document = documents.document(here.keyspace, b"k")
    before = document.state()
    address = root(here.keyspace)
    observed = Observed(dict(here.vector), 2 << 14, 1, 0)
    dot = 2 << 54 | 1
    deep = b"[" * DEPTH_MAX + b"]" * DEPTH_MAX
    for effect in (
        (JSON, ASSIGN, b"k", (*address, (0, 1 << 54, 1 << 22)), b"1"),
        (JSON, ASSIGN, b"k", (*address, b"a", 0, b"b"), b"1"),
        (JSON, ASSIGN, b"k", (*address, b"s", 0, b"b"), b"1"),
        (JSON, ASSIGN, b"k", (dot, b"a"), b"1"),
        (JSON, ASSIGN, b"k", (*address, b"z"), deep),
        (JSON, INSERT, b"k", (*address, b"a", 0), (), 0, 1, deep),
        (JSON, REMOVE, b"k", (*address, b"z"), (*address, b"a", 0, b"b")),
        (JSON, CUT, b"k", (*address, b"s", 0), (0, 1 << 54, 1 << 22)),
        (JSON, CLEAR, b"k", (*address, b"s", 0)),
        (JSON, ADD, b"k", (*address, b"s", 0), 1),
        (JSON, ADD, b"k", address, 1),
    ):
        BUILT_IN.check_effect(effect)
        document.apply(effect, dot, observed)
        assert document.state() == before


@pytest.mark.parametrize(
    "effect",
    [
        *((JSON, ASSIGN, b"k", (), b"{"), (JSON, ASSIGN, b"k", (1 << 54,), b"1")),
        *((JSON, ASSIGN, b"k", ()), (JSON, REMOVE, b"k", ()), (JSON, CUT, b"k", (1 << 54,), 5)),
        *((JSON, ADD, b"k", (1 << 54,), 1.5), (JSON, CLEAR, b"k", ()), (JSON, 6, b"k")),
        (JSON, INSERT, b"k", (1 << 54,), (), 0, 1, b"{}"),
        (JSON, INSERT, b"k", (1 << 54,), (), 0, 1, 5),
        (JSON, ASSIGN, b"k", (), 5),
    ],
)
def test_hostile_effect_is_refused(effect: tuple[Any, ...]) -> None:
    with pytest.raises(DecodeError):
        BUILT_IN.check_effect(effect)


def test_values_are_checked_with_their_place() -> None:
    assert documents.parsed(b"[[1]]") == [[1]]
    with pytest.raises(InvalidJson):
        documents.parsed(b"[" * DEPTH_MAX + b"]" * DEPTH_MAX, (1 << 54, b"a"))
