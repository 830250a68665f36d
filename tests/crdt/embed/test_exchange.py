"""Input that a replica refuses, and the error of each."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from crdt import DecodeError, Op, Outcome, Replica, Snapshot
from crdt.causality.op import OP_BYTES


def filled() -> Replica:
    replica = Replica(1)
    replica.set("s").add("a")
    replica.string("t").set("x")
    return replica


@pytest.mark.parametrize(
    ("method", "given", "match"),
    [
        ("accept", b"data", "Op.*bytes"),
        ("accept", None, "Op"),
        ("accept", [1], "Op.*list"),
        ("merge", b"data", "not bytes: use merge_bytes"),
        ("merge", "text", "expected a Snapshot or its pieces, not str"),
        ("merge", 5, "expected a Snapshot or its pieces, not int"),
        ("merge", ["text"], "bytes"),
        ("merge_bytes", "text", "bytes"),
        ("merge_bytes", None, "bytes"),
        ("apply", "text", "expected Changes, not str"),
    ],
)
def test_wrong_types_are_refused(method: str, given: Any, match: str) -> None:
    with pytest.raises(TypeError, match=match):
        getattr(Replica(1), method)(given)


def test_operation_can_be_serialised_and_copied() -> None:
    (op,) = filled().since({})
    twins = [
        Op.from_bytes(op.to_bytes()),
        Op.from_text(op.to_text()),
        pickle.loads(pickle.dumps(op)),
        copy.copy(op),
        copy.deepcopy(op),
    ]
    for twin in twins:
        assert twin == op
        assert twin.to_bytes() == op.to_bytes()
    for reader, odd in ((Op.from_bytes, "x"), (Op.from_text, b"x"), (Snapshot.from_text, 5)):
        read: Any = reader
        with pytest.raises(TypeError):
            read(odd)
    with pytest.raises(DecodeError, match="base64"):
        Op.from_text("!")


@pytest.mark.parametrize("read", [0, 1, 2])
def test_snapshot_can_be_serialised_and_copied(read: int) -> None:
    here = filled()
    snapshot = here.snapshot()
    begun = [next(snapshot) for _ in range(read)]
    twins = [
        pickle.loads(pickle.dumps(snapshot)),
        copy.copy(snapshot),
        copy.deepcopy(snapshot),
        Snapshot.from_bytes(snapshot.to_bytes()),
        Snapshot.from_text(snapshot.to_text()),
    ]
    here.set("s").add("later")
    for rest in (*twins, snapshot):
        there = Replica(2)
        there.merge([*begun, *rest])
        assert set(there.set("s")) == {"a"}
    if not read:
        assert twins[0].vector == {here.origin: 2}
    assert here.keyspace.readers == []


def test_empty_snapshot_brings_nothing() -> None:
    with pytest.raises(DecodeError, match="cut off"):
        Replica(1).merge(Snapshot.from_bytes(b""))
    with pytest.raises(DecodeError):
        Snapshot.from_bytes(b"\0\0\0\1")


def test_effect_too_large_for_operation_is_taken_in_as_it_is() -> None:
    here, there = Replica(1), Replica(2)
    here.string("k").set(bytes(OP_BYTES))
    (op,) = here.since({})
    assert len(op.to_bytes()) > OP_BYTES
    assert there.accept(op) is Outcome.APPLIED
    assert there.digest() == here.digest()


def test_replica_is_not_taken_for_its_snapshot() -> None:
    other: Any = Replica(2)
    with pytest.raises(TypeError, match=r"not Replica: merge its snapshot\(\)"):
        Replica(1).merge(other)


def test_operations_are_reported_for_every_way_of_sealing() -> None:
    one, other = Replica(1), Replica(2)
    sealed: list[list[Op]] = []
    one.watch_seals(sealed.append)
    other.set("s").add("b")
    theirs = other.seal()
    assert theirs is not None
    one.set("s").add("a")
    assert one.accept(theirs) is Outcome.APPLIED
    one.set("s").add("c")
    one.snapshot()
    assert [[op.first for op in parts] for parts in sealed] == [[1], [2]]
    assert [op.deps for (op,) in sealed] == [{}, {other.origin: 1}]


def test_parts_of_large_operation_are_reported_together() -> None:
    replica = Replica(1)
    replica.divide_at(60)
    sealed: list[list[Op]] = []
    replica.watch_seals(sealed.append)
    for name in ("a", "b"):
        replica.set(name).add("x" * 40)
    replica.seal()
    assert [len(parts) for parts in sealed] == [2]


def test_accept_says_what_to_do_with_other_objects() -> None:
    replica: Any = filled()
    changes = replica.changes_for({})
    with pytest.raises(TypeError, match="expected Op, not Changes: use apply"):
        replica.accept(changes)
    with pytest.raises(TypeError, match="expected Op, not list: accept each of them"):
        replica.accept(list(changes.ops))
    with pytest.raises(TypeError, match=r"expected Op, not bytes: read it with Op.from_bytes"):
        replica.accept(b"")
    with pytest.raises(TypeError, match="Snapshot or its pieces, not Changes: use apply"):
        replica.merge(changes)
    with pytest.raises(TypeError, match="expected bytes, not int: a snapshot consists of bytes"):
        replica.merge([5])
    with pytest.raises(TypeError, match=r"not dict: use what Replica.snapshot returned"):
        replica.merge({})
