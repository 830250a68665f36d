"""Streams: entries and groups under concurrency, merges and garbage collection."""

from __future__ import annotations

import pytest

from crdt import Replica
from crdt.causality.dots import make_dot
from crdt.causality.op import Op
from crdt.errors import DecodeError
from crdt.types.registry import BUILT_IN
from crdt.types.stream import ACK, ADD, DEFINITION, DESTROY, SET_ID, STREAM, TRIM, Stream
from crdt.writes import stream, stream_groups
from crdt.writes.stream import REGION_STEP, IdMode

KEY = b"k"


def replicas(count: int = 2) -> list[Replica]:
    made = [Replica(number, members=range(1, count + 1)) for number in range(1, count + 1)]
    for each in made:
        each.advance(1000)
    return made


def send(source: Replica, sink: Replica) -> None:
    source.seal()
    for op in source.since(sink.vector):
        sink.accept(Op.from_bytes(op.to_bytes()))


def add(replica: Replica, text: bytes) -> tuple[int, int]:
    """Add an entry with a generated id."""
    db = replica.keyspace
    new = stream.next_id(stream.held_stream(db, KEY), IdMode.STRICT, db.origin, db.now)
    assert new is not None
    stream.add(db, KEY, new, [b"f", text])
    return new


def held(replica: Replica) -> Stream:
    value = replica.keyspace.lookup(KEY)
    assert isinstance(value, Stream)
    return value


def texts(replica: Replica) -> list[bytes]:
    return [entry[3].split(b"\r\n")[-2] for entry in held(replica).forward()]


@pytest.mark.rule("D-11")
@pytest.mark.rule("STM-4")
def test_ids_contain_the_region() -> None:
    one, two = replicas()
    assert [add(one, b"a"), add(one, b"b")] == [(1000, 1), (1000, 1 + REGION_STEP)]
    assert add(two, b"c") == (1000, 2)
    send(one, two)
    assert add(two, b"d") == (1000, 2 + REGION_STEP)


def test_ids_end_at_the_greatest() -> None:
    (one,) = replicas(1)
    db = one.keyspace
    greatest = (1 << 64) - 1
    stream.add(db, KEY, (greatest - 1, greatest), [b"a", b"b"])
    value = held(one)
    assert stream.next_id(value, IdMode.LIBERAL, db.origin, 1) == (greatest, 0)
    stream.add(db, KEY, (greatest, greatest), [b"a", b"b"])
    assert stream.next_id(value, IdMode.LIBERAL, db.origin, 1) is None
    assert stream.next_id(value, IdMode.STRICT, db.origin, 1) is None
    assert stream.next_minor(value.last_id(), IdMode.LIBERAL, db.origin, 5) is None


@pytest.mark.rule("STM-2")
def test_removals_leave_concurrent_entries() -> None:
    one, two = replicas()
    first = add(one, b"a")
    send(one, two)
    add(two, b"b")
    assert stream.remove(one.keyspace, KEY, [first, first, (9, 9)]) == 1
    send(two, one)
    send(one, two)
    assert texts(one) == texts(two) == [b"b"]
    assert held(one).max_deleted_id() == held(two).max_deleted_id() == first


@pytest.mark.rule("STM-7")
def test_equal_ids_are_removed_and_trimmed_together() -> None:
    one, two = replicas()
    for replica in (one, two):
        for ms in (1, 2):
            stream.add(replica.keyspace, KEY, (ms, 0), [b"f", b"%d" % replica.region])
    send(one, two)
    send(two, one)
    assert [entry[:2] for entry in held(one).forward()] == [(1, 0), (1, 0), (2, 0), (2, 0)]
    assert len(held(one).at_id((1, 0))) == 2
    assert stream.trim_point(held(one), 1) is None
    assert stream.trim_point(held(one), 3) == (1, 0)
    assert stream.remove(one.keyspace, KEY, [(2, 0)]) == 1
    assert stream.trim(one.keyspace, KEY, (1, 0)) == 2
    assert stream.trim(one.keyspace, b"missing", (1, 0)) == 0
    send(one, two)
    assert held(two).length() == 0


def test_entry_that_does_not_ascend_is_dropped() -> None:
    value = Stream()
    observed = Replica(1).keyspace.local
    for seq, ms in ((1, 5), (2, 4), (2, 6), (2, 7)):
        value.apply((STREAM, ADD, KEY, ms, 0, 1, b"f", b"%d" % ms), make_dot(3, seq), observed)
    assert [entry[0] for entry in value.forward()] == [5, 6]


@pytest.mark.rule("STM-14")
def test_delete_beats_groups_in_every_order() -> None:
    one, two, three = replicas(3)
    add(one, b"a")
    send(one, two)
    send(one, three)
    one.keyspace.delete(KEY)
    stream_groups.create(two.keyspace, KEY, b"g", (0, 0))
    add(two, b"b")
    send(two, three)
    assert list(held(three).groups) == [b"g"]
    send(one, three)
    send(one, two)
    two.merge(one.snapshot())
    one.merge(two.snapshot())
    assert [list(held(each).groups) for each in (one, two, three)] == [[], [], []]
    assert texts(one) == texts(two) == texts(three) == [b"b"]
    stream_groups.create(three.keyspace, KEY, b"g", (0, 0))
    send(three, one)
    assert list(held(one).groups) == [b"g"]


@pytest.mark.rule("STM-16")
def test_stream_ends_with_its_last_group() -> None:
    (one,) = replicas(1)
    db = one.keyspace
    stream.remove(db, KEY, [add(one, b"a")])
    assert held(one).length() == 0
    stream_groups.create(db, KEY, b"g", (0, 0))
    assert not stream_groups.destroy(db, KEY, b"other")
    assert stream_groups.destroy(db, KEY, b"g")
    assert db.lookup(KEY) is None
    assert not stream_groups.destroy(db, KEY, b"g")


def test_traces_of_removals_are_forgotten() -> None:
    one, two = replicas()
    add(one, b"a")
    stream_groups.create(one.keyspace, KEY, b"g", (0, 0))
    stream_groups.destroy(one.keyspace, KEY, b"g")
    one.keyspace.delete(KEY)
    send(one, two)
    for each in (one, two):
        tombstone = each.keyspace.remains(KEY, STREAM)
        assert isinstance(tombstone, Stream)
        assert not tombstone.is_empty()
        assert tombstone.has_garbage()
    one.record_report(2, two.vector, 1000)
    one.collect()
    assert one.keyspace.remains(KEY, STREAM) is None


@pytest.mark.rule("STM-11")
def test_last_id_is_set_everywhere() -> None:
    one, two = replicas()
    add(one, b"a")
    stream.set_id(one.keyspace, KEY, (2000, 0), 7, (1500, 0))
    send(one, two)
    for each in (one, two):
        assert held(each).last_id() == (2000, 0)
        assert held(each).entries_added() == 7
        assert held(each).max_deleted_id() == (1500, 0)
    assert add(two, b"b") == (2000, 2)


@pytest.mark.rule("STM-26")
def test_copies_have_no_groups() -> None:
    (one,) = replicas(1)
    db = one.keyspace
    add(one, b"a")
    add(one, b"b")
    stream_groups.create(db, KEY, b"g", (0, 0))
    assert DEFINITION.content is not None
    assert DEFINITION.content_pieces is not None
    content = DEFINITION.content(held(one))
    assert [item for piece in DEFINITION.content_pieces(held(one), 1) for item in piece] == content
    stream.assign(db, b"copy", content)
    copy = db.lookup(b"copy")
    assert isinstance(copy, Stream)
    assert next(iter(copy.forward()))[:2] == (1000, 1)
    assert copy.entries_added() == 2
    assert copy.groups == {}
    assert len(held(one).siblings()) == 2


def test_state_comes_back() -> None:
    one, two = replicas()
    add(one, b"a")
    add(one, b"b")
    send(one, two)
    add(two, b"c")
    stream.remove(two.keyspace, KEY, [(1000, 1)])
    stream_groups.create(two.keyspace, KEY, b"g", (0, 0))
    stream_groups.destroy(two.keyspace, KEY, b"g")
    stream_groups.create(two.keyspace, KEY, b"h", (0, 0))
    copy = Stream()
    copy.load(held(two).state())
    assert copy.state() == held(two).state()
    assert copy.equals(held(two))
    assert copy.covered(two.vector)
    for origin in two.vector:
        assert not copy.covered({**two.vector, origin: 0})


def test_effects_of_another_form_are_refused() -> None:
    BUILT_IN.check_effect((STREAM, TRIM, KEY, 1, 1))
    BUILT_IN.check_effect((STREAM, SET_ID, KEY, 1, 1, -1))
    for effect in (
        (STREAM, TRIM, KEY, -1, 1),
        (STREAM, TRIM, KEY, 1, 1 << 64),
        (STREAM, ADD, KEY, 1, 1, 1, b"field"),
        (STREAM, DESTROY, KEY, b"g", 2),
        (STREAM, ACK, KEY, b"g", 0, 1, 1),
    ):
        with pytest.raises(DecodeError):
            BUILT_IN.check_effect(effect)
