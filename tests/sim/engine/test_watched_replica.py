"""A replica that reports its operations, also those that it seals by itself."""

from __future__ import annotations

from crdt.causality.op import Op
from crdt.embed.replica import Outcome
from sim.engine.watched_replica import WatchedReplica


def test_ops_are_reported_for_every_way_of_sealing() -> None:
    one, other = WatchedReplica(1), WatchedReplica(2)
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


def test_parts_of_large_op_are_reported_together() -> None:
    replica = WatchedReplica(1)
    replica.divide_at(60)
    sealed: list[list[Op]] = []
    replica.watch_seals(sealed.append)
    for name in ("a", "b"):
        replica.set(name).add("x" * 40)
    replica.seal()
    assert [len(parts) for parts in sealed] == [2]
