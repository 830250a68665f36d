"""The phases of a turn: their order, with and without a journal, and failures."""

from __future__ import annotations

import math

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import run
from crdb.engine.turns.journal import SyncPolicy
from crdb.engine.turns.sealing import OP_EFFECTS, PACE_SECONDS, SealPacing
from crdt.embed.hold import Hold
from crdt.embed.replica import RUN_BYTES_MAX, Op, Replica
from tests.crdb.engine.turns.fake_journal import FakeJournal
from tests.crdb.engine.turns.turn_server import MISCONF, Server, fail
from tests.crdb.raw import instance


def test_always_sends_no_reply_before_sync() -> None:
    server = Server(SyncPolicy.ALWAYS)
    client = Client(server.instance)
    server.execute(client, b"SET k v\r\n")
    assert server.log == []
    assert server.turn.finish() == math.inf
    assert server.log == ["seal", "append", "sync", "send", "push"]
    assert server.sent == {client.id: b"+OK\r\n"}
    assert not server.turn.held
    assert server.journal.synced == 1
    [(group, data)] = server.journal.ops
    assert group == 0
    assert len(Op.from_bytes(data).effects) == 1


def test_one_sync_serves_all_clients_of_turn() -> None:
    server = Server(SyncPolicy.ALWAYS)
    writer, reader, blocked = (Client(server.instance) for _ in range(3))
    server.execute(blocked, b"BLPOP list 0\r\n")
    server.execute(writer, b"MULTI\r\nSET k v\r\nINCR n\r\nEXEC\r\n")
    server.execute(writer, b"RPUSH list a\r\n")
    server.execute(reader, b"GET k\r\n")
    assert not server.sent
    server.turn.finish()
    assert server.log == ["seal", "append", "sync", "send", "send", "send", "push"]
    assert server.sent == {
        writer.id: b"+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:1\r\n:1\r\n",
        blocked.id: b"*2\r\n$4\r\nlist\r\n$1\r\na\r\n",
        reader.id: b"$1\r\nv\r\n",
    }


def test_always_syncs_nothing_for_turn_that_writes_nothing() -> None:
    server = Server(SyncPolicy.ALWAYS)
    client = Client(server.instance)
    server.execute(client, b"GET k\r\n")
    server.turn.finish()
    assert server.log == ["send"]


def test_always_does_not_wait_for_pace() -> None:
    server = Server(SyncPolicy.ALWAYS)
    server.turn.pacing = SealPacing()
    server.turn.pacing.due = math.inf
    server.execute(Client(server.instance), b"SET k v\r\n")
    server.turn.before_sleep()
    assert server.log == ["seal", "append", "sync", "send", "push"]


def test_without_journal_replies_leave_at_once() -> None:
    server = Server()
    client = Client(server.instance)
    server.execute(client, b"SET k v\r\n")
    assert server.sent == {client.id: b"+OK\r\n"}
    server.turn.finish()
    assert server.log == ["send", "seal", "push"]
    assert server.turn.finish() == math.inf
    assert server.log == ["send", "seal", "push"], "nothing was written"


def test_without_journal_effects_gather() -> None:
    server = Server()
    server.turn.pacing = SealPacing(early_seconds=PACE_SECONDS / 4)
    client = Client(server.instance)
    server.execute(client, b"SET k v\r\n")
    server.turn.finish()
    server.execute(client, b"SET k w\r\n")
    assert math.isclose(server.turn.finish(), PACE_SECONDS, rel_tol=1e-6)
    server.turn.before_sleep()
    assert server.log.count("seal") == 1
    assert server.timers == [100.0 + PACE_SECONDS]
    server.now += PACE_SECONDS * 0.8
    server.turn.before_sleep()
    assert server.log.count("seal") == server.log.count("push") == 2
    assert len(server.timers) == 1


def test_policy_no_never_syncs() -> None:
    server = Server(SyncPolicy.NO)
    client = Client(server.instance)
    server.execute(client, b"SET k v\r\n")
    server.turn.finish()
    assert server.log == ["send", "seal", "append", "push"]


def test_ops_of_other_regions_are_appended() -> None:
    server = Server(SyncPolicy.ALWAYS)
    other = Replica(2)
    for _ in range(3):
        other.counter("n").increment(1)
        other.seal()
    for op in other.since({}):
        server.instance.replica.accept(op)
    server.turn.before_sleep()
    assert server.log == ["append"] * 3 + ["sync"]
    assert [data for _, data in server.journal.ops] == [op.to_bytes() for op in other.since({})]


def test_large_outbox_is_appended_before_it_is_pushed() -> None:
    server = Server(SyncPolicy.ALWAYS)
    client = Client(server.instance)
    server.set_large(client)
    assert server.log == ["seal", "append", "sync", "push"]
    server.turn.finish()
    assert server.log[4:] == ["send"]


# -- a journal that fails -----------------------------------------------------------------


@pytest.mark.parametrize("where", ["append", "sync"])
def test_failed_journal_disconnects_without_reply(where: str) -> None:
    server = Server(SyncPolicy.ALWAYS)
    writer, reader, idle = (Client(server.instance) for _ in range(3))
    fail(server, where)
    server.execute(writer, b"SET k v\r\n")
    server.execute(reader, b"GET k\r\n")
    server.turn.finish()
    assert server.closed == [writer.id, reader.id]
    assert not server.sent
    assert not idle.closing
    assert server.events == [("journal failed", {"reason": "No space left on device"})]


@pytest.mark.parametrize("policy", list(SyncPolicy))
def test_failed_journal_refuses_writes_for_good(policy: SyncPolicy) -> None:
    server = Server(policy)
    server.execute(Client(server.instance), b"SET k v\r\n")
    fail(server, "append")
    server.turn.finish()
    server.journal.append_fault = None
    client = Client(server.instance)
    for _ in range(2):
        server.execute(client, b"SET k w\r\nGET k\r\nMULTI\r\nINCR n\r\nEXEC\r\n")
        server.turn.finish()
    replies = MISCONF + b"$1\r\nv\r\n+OK\r\n" + MISCONF + b"-EXECABORT Transaction discarded"
    assert server.sent[client.id].startswith(replies)
    assert server.sent[client.id].count(MISCONF) == 4
    assert server.log.count("append") == 1
    assert [event for event, _ in server.events] == ["journal failed"]


def test_failed_journal_ends_waiting_of_blocked_clients() -> None:
    server = Server(SyncPolicy.ALWAYS)
    blocked, writer = Client(server.instance), Client(server.instance)
    server.execute(blocked, b"BLPOP list 0\r\n")
    server.execute(writer, b"SET k v\r\n")
    fail(server, "sync")
    server.turn.finish()
    assert server.instance.woken == [blocked]
    server.execute(writer, b"")
    assert server.sent == {blocked.id: MISCONF}


def test_journal_that_fails_within_turn_sends_nothing_of_it() -> None:
    server = Server(SyncPolicy.ALWAYS)
    client, other = Client(server.instance), Client(server.instance)
    fail(server, "append")
    server.set_large(client)
    assert [event for event, _ in server.events] == ["journal failed"]
    server.execute(other, b"GET k\r\n")
    server.turn.finish()
    assert not server.sent
    assert server.closed == [client.id, other.id]
    server.execute(Client(server.instance), b"STRLEN k\r\n")
    assert list(server.sent.values()) == [b":%d\r\n" % RUN_BYTES_MAX]


def test_reason_without_text_of_system_is_named() -> None:
    server = Server(SyncPolicy.ALWAYS)
    server.journal.append_fault = OSError("the file is gone")
    server.execute(Client(server.instance), b"SET k v\r\n")
    server.turn.finish()
    assert server.events == [("journal failed", {"reason": "the file is gone"})]


# -- no memory ----------------------------------------------------------------------------


def test_outbox_without_memory_to_seal_it_is_sealed_later() -> None:
    server = Server(SyncPolicy.ALWAYS)
    client, later = Client(server.instance), Client(server.instance)

    def exhaust() -> None:
        raise MemoryError

    server.turn.seal = exhaust
    server.execute(client, b"SET k v\r\n")
    server.turn.finish()
    assert (server.sent, server.closed, server.log) == ({}, [client.id], ["send"])
    assert server.events == [("out of memory", {"where": "sending to other regions"})]
    server.turn.seal = server.seal
    server.execute(later, b"GET k\r\n")
    server.turn.finish()
    assert server.log[1:] == ["seal", "append", "sync", "send", "push"]
    assert server.sent == {later.id: b"$1\r\nv\r\n"}


def test_large_outbox_is_sealed_at_end_of_turn() -> None:
    server = Server(SyncPolicy.ALWAYS)
    client = Client(server.instance)
    faults = [MemoryError()]

    def seal() -> None:
        if faults:
            raise faults.pop()
        server.seal()

    server.turn.seal = seal
    server.set_large(client)
    assert server.log == []
    server.turn.finish()
    assert server.log == ["seal", "append", "sync", "send", "push"]
    assert server.sent == {client.id: b"+OK\r\n+OK\r\n"}, "the journal has everything"
    assert server.events == [("out of memory", {"where": "sending to other regions"})]


def test_full_outbox_is_sealed_during_turn() -> None:
    server = Server()
    replica = server.instance.replica
    for number in range(OP_EFFECTS):
        server.turn.seal_full_outbox()
        assert server.log == []
        replica.counter(f"k{number}").increment(1)
    replica.hold = Hold(lambda: None)
    replica.hold.is_writing = True
    server.turn.seal_full_outbox()
    assert server.log == [], "a command writes in slices"
    replica.hold = None
    server.turn.seal_full_outbox()
    assert server.log == ["seal", "push"]


def test_op_without_memory_to_append_it_is_appended_later() -> None:
    server = Server(SyncPolicy.ALWAYS)
    client, later = Client(server.instance), Client(server.instance)
    server.journal.append_fault = MemoryError()
    server.execute(client, b"SET k v\r\n")
    server.turn.finish()
    assert (server.sent, server.closed) == ({}, [client.id])
    assert server.events == [("out of memory", {"where": "appending to the journal"})]
    server.journal.append_fault = None
    server.execute(later, b"GET k\r\n")
    server.turn.finish()
    assert (len(server.journal.ops), server.journal.synced) == (1, 1)
    assert server.sent == {later.id: b"$1\r\nv\r\n"}


def test_deferred_push_comes_with_next_turn() -> None:
    server = Server()
    server.execute(Client(server.instance), b"SET k v\r\n")
    server.turn.defers_push = True
    server.turn.run_phases(seals=True)
    server.turn.defers_push = False
    assert server.log == ["send", "seal"]
    server.turn.finish()
    server.turn.finish()
    assert server.log == ["send", "seal", "push"]


def test_push_without_memory_is_reported() -> None:
    server = Server()

    def exhaust() -> None:
        raise MemoryError

    server.turn.push = exhaust
    server.execute(Client(server.instance), b"SET k v\r\n")
    server.turn.finish()
    assert server.events == [("out of memory", {"where": "sending to other regions"})]
    assert server.instance.replica.history.stop == 1


def test_turn_without_driver_keeps_replies_and_seals() -> None:
    database = instance()
    client = Client(database)
    database.turn.use_journal(FakeJournal(), SyncPolicy.ALWAYS)
    run(client, b"SET k v\r\n")
    database.turn.hold(client)
    database.turn.before_sleep()
    assert client.out == [b"+OK\r\n"]
    assert database.replica.history.stop == 1
    other = instance()
    other.turn.pacing = SealPacing()
    other.turn.pacing.due = 1.0
    run(Client(other), b"SET k v\r\n")
    other.turn.before_sleep()
    assert other.turn.finish() == 1.0
