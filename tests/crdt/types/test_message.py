"""Messages as effects."""

from __future__ import annotations

import pytest

from crdt.causality.effect import TO_CHANNEL, TO_SHARD_CHANNEL, Effect
from crdt.causality.op import Op
from crdt.embed.replica import Replica
from crdt.errors import DotReused
from crdt.writes import message


@pytest.mark.rule("PUB-1")
def test_message_takes_one_dot_and_changes_nothing() -> None:
    here, there = Replica(1), Replica(2)
    received: list[Effect] = []
    there.watch_messages(received.append)
    here.string("k").set("v")
    digest = here.digest()
    message.publish(here.keyspace, TO_CHANNEL, b"a", b"one")
    message.publish(here.keyspace, TO_SHARD_CHANNEL, b"b", b"two")
    assert here.vector == {here.origin: 3}
    assert here.digest() == digest
    for op in here.since(there.vector):
        there.accept(Op.from_bytes(op.to_bytes()))
    assert [effect[3:] for effect in received] == [(0, b"a", b"one"), (1, b"b", b"two")]
    assert there.digest() == digest


def test_replica_without_subscribers_drops_messages() -> None:
    here, there = Replica(1), Replica(2)
    message.publish(here.keyspace, TO_CHANNEL, b"a", b"one")
    assert there.apply(here.changes_for(there.vector))
    assert there.vector == here.vector


def test_large_write_behind_message_does_not_replace_one_before_it() -> None:
    here, there = Replica(1), Replica(2)
    seen: list[object] = []
    there.watch_messages(lambda _effect: seen.append(len(there.string("k").get() or "")))
    here.string("k").set("x" * 5000)
    message.publish(here.keyspace, TO_CHANNEL, b"a", b"one")
    here.string("k").set("y" * 6000)
    there.apply(here.changes_for(there.vector))
    assert seen == [5000]
    assert there.string("k").get() == "y" * 6000


def test_message_without_a_dot_is_refused() -> None:
    here = Replica(1)
    here.keyspace.seq = (1 << 40) - 1
    with pytest.raises(DotReused):
        message.publish(here.keyspace, TO_CHANNEL, b"a", b"one")
