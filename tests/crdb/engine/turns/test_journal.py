"""Syncs of a journal in a thread, and the states that are appended where ops alone do not lead to
the present state."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import pytest

from crdb.engine.client import Client
from crdb.engine.turns.journal import SyncPolicy
from crdb.engine.turns.sealing import SealPacing
from crdb.engine.turns.turn import SYNC_SECONDS
from crdt.embed.replica import Replica
from tests.crdb.engine.turns.fake_journal import FakeJournal, disk_full
from tests.crdb.engine.turns.turn_server import MISCONF, Server, fail


def test_every_second_leaves_sync_to_thread() -> None:
    server = Server(SyncPolicy.EVERY_SECOND)
    client = Client(server.instance)
    server.execute(client, b"SET k v\r\n")
    assert server.sent == {client.id: b"+OK\r\n"}, "no reply waits"
    server.turn.finish()
    assert server.log == ["send", "seal", "append", "push"], "no turn waits for the disk"
    assert server.syncing == [server.journal]
    server.execute(client, b"SET k w\r\n")
    server.turn.finish()
    assert (len(server.journal.ops), server.journal.synced) == (2, 0)
    assert len(server.syncing) == 1, "one sync at a time"


def test_every_second_syncs_at_most_once_second() -> None:
    server = Server(SyncPolicy.EVERY_SECOND)
    client = Client(server.instance)
    server.execute(client, b"SET k v\r\n")
    server.turn.finish()
    server.sync_in_thread()
    assert (server.journal.synced, server.timers) == (1, [])
    server.execute(client, b"SET k w\r\n")
    server.turn.finish()
    assert (server.syncing, server.timers) == ([], [100.0 + SYNC_SECONDS])
    server.now += SYNC_SECONDS
    server.turn.finish()
    server.sync_in_thread()
    server.now += SYNC_SECONDS
    server.turn.finish()
    assert (server.log.count("sync"), server.journal.synced, server.syncing) == (2, 2, [])


def test_op_appended_during_sync_is_synced_later() -> None:
    server = Server(SyncPolicy.EVERY_SECOND)
    client = Client(server.instance)
    server.execute(client, b"SET k v\r\n")
    server.turn.finish()
    server.journal.on_call = lambda: None
    journal = server.syncing.pop()
    journal.sync()
    server.execute(client, b"SET k w\r\n")
    server.turn.finish()
    server.turn.end_sync(journal, None)
    assert (server.syncing, server.timers) == ([], [100.0 + SYNC_SECONDS])
    server.now += SYNC_SECONDS
    server.turn.finish()
    server.sync_in_thread()
    assert server.journal.synced == 2


def test_sync_of_thread_that_fails_refuses_writes() -> None:
    server = Server(SyncPolicy.EVERY_SECOND)
    client = Client(server.instance)
    server.execute(client, b"SET k v\r\n")
    server.turn.finish()
    fail(server, "sync")
    server.sync_in_thread()
    assert server.events == [("journal failed", {"reason": "No space left on device"})]
    server.execute(client, b"SET k w\r\n")
    server.turn.finish()
    assert server.sent == {client.id: b"+OK\r\n" + MISCONF}
    assert server.log.count("append") == 1


def test_end_of_sync_is_ignored_after_journal_failed() -> None:
    server = Server(SyncPolicy.EVERY_SECOND)
    client = Client(server.instance)
    server.execute(client, b"SET k v\r\n")
    server.turn.finish()
    server.execute(client, b"SET k w\r\n")
    fail(server, "append")
    server.turn.finish()
    server.turn.end_sync(server.journal, disk_full())
    assert [event for event, _ in server.events] == ["journal failed"]
    other = FakeJournal()
    server.turn.use_journal(other, SyncPolicy.EVERY_SECOND)
    server.turn.end_sync(other, None)
    assert server.turn.synced == 0, "no sync was asked for"


# -- changes that are no ops --------------------------------------------------------------


def test_merged_snapshot_is_appended_as_state() -> None:
    server = Server(SyncPolicy.ALWAYS)
    client = Client(server.instance)
    server.execute(client, b"SET k v\r\n")
    server.turn.finish()
    other = Replica(2)
    other.string("l").set("w")
    server.execute(client, b"SET m x\r\n")
    server.instance.replica.merge(other.snapshot())
    server.log.clear()
    server.turn.before_sleep()
    assert server.log == ["append state", "sync", "send"]
    assert server.journal.restored().digest() == server.instance.replica.digest()
    server.execute(client, b"SET k y\r\n")
    server.turn.finish()
    assert server.log[3:] == ["seal", "append", "sync", "send", "push"], "ops follow"
    assert server.journal.restored().digest() == server.instance.replica.digest()


def test_writes_after_merge_are_sealed_into_state() -> None:
    server = Server(SyncPolicy.NO)
    server.turn.pacing = SealPacing()
    server.turn.pacing.due = math.inf
    other = Replica(2)
    other.string("l").set("w")
    server.instance.replica.merge(other.snapshot())
    server.execute(Client(server.instance), b"SET k v\r\n")
    server.turn.finish()
    assert server.log == ["send", "seal", "append state", "push"]
    assert server.journal.restored().digest() == server.instance.replica.digest()


def test_snapshot_that_brings_nothing_is_not_appended() -> None:
    server = Server(SyncPolicy.ALWAYS)
    server.instance.replica.merge(Replica(2).snapshot())
    server.turn.before_sleep()
    assert server.log == []


def test_replaced_data_are_appended_as_state() -> None:
    server = Server(SyncPolicy.ALWAYS)
    server.execute(Client(server.instance), b"SET k v\r\n")
    server.turn.finish()
    server.instance.replica.reset()
    server.turn.before_sleep()
    assert server.log[5:] == ["append state", "sync"]
    assert not server.journal.restored().vector


def test_state_waits_for_outbox_that_cannot_be_sealed() -> None:
    server = Server(SyncPolicy.ALWAYS)
    client = Client(server.instance)

    def exhaust() -> None:
        raise MemoryError

    other = Replica(2)
    other.string("l").set("w")
    server.instance.replica.merge(other.snapshot())
    server.turn.seal = exhaust
    server.execute(client, b"SET k v\r\n")
    server.turn.finish()
    assert (server.log, server.closed) == (["send"], [client.id])
    server.turn.seal = server.seal
    server.turn.before_sleep()
    assert server.log == ["send", "seal", "append state", "sync", "push"]


def test_state_that_is_not_appended_is_appended_later() -> None:
    server = Server(SyncPolicy.ALWAYS)
    other = Replica(2)
    other.string("l").set("w")
    server.instance.replica.merge(other.snapshot())
    server.journal.append_fault = MemoryError()
    client = Client(server.instance)
    server.execute(client, b"GET l\r\n")
    server.turn.finish()
    assert (server.sent, server.closed) == ({}, [client.id])
    server.journal.append_fault = None
    server.turn.before_sleep()
    assert server.log == ["append state", "send", "append state", "sync"]
    server.execute(Client(server.instance), b"SET l x\r\n")
    server.turn.finish()
    assert server.journal.restored().digest() == server.instance.replica.digest()


@pytest.mark.parametrize("seed", range(20))
def test_journal_always_leads_to_present_state(seed: int) -> None:
    """Change the state at random, and restore it from the journal."""
    rng = Random(seed)
    server = Server(SyncPolicy.ALWAYS)
    client = Client(server.instance)
    here, other = server.instance.replica, Replica(2)

    def write_here() -> None:
        server.execute(client, b"SADD s %d\r\nINCR n\r\n" % rng.randrange(9))

    def remove_here() -> None:
        server.execute(client, b"DEL %b\r\n" % rng.choice([b"s", b"n"]))

    def write_there() -> None:
        other.set("s").add(str(rng.randrange(9)))
        other.counter("n").increment(1)
        other.seal()

    def send() -> None:
        for op in other.since(here.vector):
            here.accept(op)

    def merge() -> None:
        here.merge(other.snapshot())

    steps: list[Callable[[], object]] = [
        write_here,
        remove_here,
        write_there,
        send,
        merge,
        here.reset,
        server.turn.seal_large_outbox,
    ]
    for _ in range(60):
        for step in rng.choices(steps, weights=[9, 3, 9, 6, 2, 1, 2], k=rng.randint(1, 4)):
            step()
        server.turn.finish()
        restored = server.journal.restored(server.journal.synced)
        assert restored.keyspace.vector == here.keyspace.vector
        assert restored.digest() == here.digest()
    assert server.log.count("append state") > 1
    assert server.log.count("append") > 1
