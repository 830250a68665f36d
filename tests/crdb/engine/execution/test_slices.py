"""Commands in slices: which requests wait, and what is seen meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crdb.engine.client import Client
from crdb.engine.errors import MEMORY_EXHAUSTED, CommandError
from crdb.engine.execution.executor import receive, run
from crdb.engine.execution.reach import NAMED_MAX
from crdb.engine.execution.slices import run_step
from crdb.engine.instance import Instance
from crdb.engine.metrics.statistics import ServerStatistics
from crdb.engine.session import POSTPONED, WORKING
from crdt.causality import op_pieces
from crdt.embed.replica import Outcome, Replica
from crdt.store.snapshot import Snapshot
from tests.crdb.raw import instance, lines

READ = b"*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"


def sliced(items: int = 1) -> Instance:
    """Return an instance with small slices, and a set of three members."""
    database = instance()
    lines(Client(database), "SADD s a b c")
    database.replica.seal()
    database.slices.items = items
    return database


def begin(database: Instance, request: str) -> Client:
    """Send a request that does not end in its first slice."""
    client = Client(database)
    run(client, request.encode() + b"\r\n")
    assert client.flags & WORKING
    return client


def finish(database: Instance, client: Client) -> bytes:
    """Run all works to their end. Return what `client` gets."""
    database.slices.finish_all()
    return receive(client, b"")


def test_reply_of_a_long_read_is_the_same() -> None:
    database = sliced()
    client = begin(database, "SMEMBERS s")
    assert not database.slices.is_idle()
    assert b"".join(client.out) != READ
    assert finish(database, client) == READ
    assert database.slices.is_idle()


def test_later_requests_of_client_wait() -> None:
    database = sliced()
    client = begin(database, "SMEMBERS s\r\nPING")
    run(client, b"GET k\r\n")
    assert finish(database, client) == READ + b"+PONG\r\n$-1\r\n"


def test_reads_share_keys_and_writes_wait() -> None:
    database = sliced()
    reading = begin(database, "SMEMBERS s")
    other, writing = Client(database), Client(database)
    assert lines(other, "SISMEMBER s a", "SET k v", "DBSIZE") == [b":1\r\n", b"+OK\r\n", b":2\r\n"]
    assert receive(writing, b"SADD s d\r\nPING\r\n") == b""
    assert writing.flags & POSTPONED
    assert lines(other, "SISMEMBER s d") == [b":0\r\n"]
    assert finish(database, reading) == READ
    assert receive(writing, b"") == b":1\r\n+PONG\r\n"


def test_writer_has_its_keys_to_itself() -> None:
    database = sliced()
    writing = begin(database, "SUNIONSTORE t s")
    while not database.keyspace.lookup(b"t"):
        database.slices.run_slice()
    clients = [Client(database) for _ in range(5)]
    requests = ["SCARD t", "SADD t d", "KEYS *", "WATCH t", "FLUSHALL"]
    for client, request in zip(clients, requests, strict=True):
        assert receive(client, request.encode() + b"\r\n") == b""
    assert lines(Client(database), "GET k", "INFO server")[0] == b"$-1\r\n"
    assert finish(database, writing) == b":3\r\n"
    replies = [receive(client, b"") for client in clients]
    assert replies[:2] == [b":3\r\n", b":1\r\n"]
    assert replies[3:] == [b"+OK\r\n", b"+OK\r\n"]
    assert b"$1\r\nt\r\n" in replies[2]


def test_second_writer_begins_after_first() -> None:
    database = sliced()
    first = begin(database, "SUNIONSTORE t s")
    second = Client(database)
    assert receive(second, b"SUNIONSTORE u s\r\n") == b""
    assert second.flags & POSTPONED
    assert database.statistics.calls[database.commands.by_name[b"sunionstore"].number] == 0
    assert finish(database, first) == b":3\r\n"
    assert receive(second, b"") == b":3\r\n"
    assert database.statistics.calls[database.commands.by_name[b"sunionstore"].number] == 2


def test_no_work_begins_while_someone_waits() -> None:
    database = sliced()
    begin(database, "SMEMBERS s")
    writing, late = Client(database), Client(database)
    assert receive(writing, b"SREM s a\r\n") == b""
    run(late, b"SMEMBERS s\r\n")
    assert late.flags & POSTPONED
    database.slices.finish_all()
    assert receive(writing, b"") == b":1\r\n"
    assert receive(late, b"") == READ.replace(b"$1\r\na\r\n", b"").replace(b"*3", b"*2")


def test_whole_read_delays_writes_only() -> None:
    database = sliced()
    lines(Client(database), "SET k v")
    reading = begin(database, "KEYS *")
    writing = Client(database)
    assert receive(writing, b"SET l v\r\n") == b""
    assert lines(Client(database), "GET k", "DBSIZE") == [b"$1\r\nv\r\n", b":2\r\n"]
    assert finish(database, reading) == b"*2\r\n$1\r\ns\r\n$1\r\nk\r\n"
    assert receive(writing, b"") == b"+OK\r\n"


def test_transaction_is_one_op_and_shows_nothing_before_its_end() -> None:
    database = sliced()
    client = Client(database)
    run(client, b"MULTI\r\nSET k 1\r\nSMEMBERS s\r\nINCR k\r\nSET l 1\r\nEXEC\r\n")
    assert client.flags & WORKING
    database.slices.run_slice()
    assert database.keyspace.pending_count()
    assert database.replica.seal() is None
    database.after_command()
    assert database.turn.must_keep_outbox()
    assert database.turn.finish() == float("inf")
    other = Client(database)
    assert receive(other, b"GET k\r\n") == b""
    replies = finish(database, client)
    assert replies.endswith(b"*4\r\n+OK\r\n" + READ + b":2\r\n+OK\r\n")
    op = database.replica.seal()
    assert op is not None
    assert len(op.effects) == 3
    assert receive(other, b"") == b"$1\r\n2\r\n"
    assert client.queue == []


def test_transaction_with_a_whole_read_waits_for_writer() -> None:
    database = sliced()
    writing = begin(database, "SUNIONSTORE t s")
    client = Client(database)
    assert receive(client, b"MULTI\r\nGET k\r\nDBSIZE\r\nEXEC\r\n").endswith(b"+QUEUED\r\n")
    database.slices.items = 1000
    short = Client(database)
    assert receive(short, b"MULTI\r\nDBSIZE\r\nEXEC\r\n").endswith(b"+QUEUED\r\n")
    assert finish(database, writing) == b":3\r\n"
    assert receive(client, b"") == b"*2\r\n$-1\r\n:2\r\n"
    assert receive(short, b"") == b"*1\r\n:2\r\n"


def test_watched_key_that_changes_while_exec_waits_ends_it() -> None:
    database = sliced()
    client = Client(database)
    receive(client, b"WATCH t\r\nMULTI\r\nPING\r\n")
    writing = begin(database, "SUNIONSTORE t s")
    assert receive(client, b"EXEC\r\n") == b""
    assert not client.dirty
    finish(database, writing)
    assert receive(client, b"") == b"*-1\r\n"


def test_blocked_clients_are_served_at_the_end() -> None:
    database = sliced()
    waiting = Client(database)
    run(waiting, b"BLPOP l m 0\r\n")
    client = Client(database)
    run(client, b"MULTI\r\nRPUSH l a\r\nRPUSH l b\r\nLPOP l\r\nEXEC\r\n")
    while database.slices.works:
        assert waiting.blocked
        database.slices.run_slice()
    assert receive(waiting, b"") == b"*2\r\n$1\r\nl\r\n$1\r\nb\r\n"


def test_blocked_clients_are_served_in_the_order_of_the_changes() -> None:
    database = sliced()
    first, second = Client(database), Client(database)
    run(first, b"BLPOP l 0\r\n")
    run(second, b"BLPOP l m 0\r\n")
    client = Client(database)
    run(client, b"MULTI\r\nRPUSH l a\r\nRPUSH m b\r\nEXEC\r\n")
    database.slices.finish_all()
    assert receive(first, b"") == b"*2\r\n$1\r\nl\r\n$1\r\na\r\n"
    assert receive(second, b"") == b"*2\r\n$1\r\nm\r\n$1\r\nb\r\n"


def test_keys_nobody_waits_for_are_served_immediately() -> None:
    database = sliced()
    begin(database, "SMEMBERS s")
    client, other = Client(database), Client(database)
    lines(client, "WATCH k", "MULTI", "PING")
    lines(other, "SET k v")
    assert client.dirty


def test_op_from_elsewhere_waits_for_a_writer() -> None:
    database, there = sliced(), Replica(2)
    for op in database.replica.since({}):
        there.accept(op)
    begin(database, "SUNIONSTORE t s")
    there.string("k").set("x")
    op = there.seal()
    assert op is not None
    assert database.replica.accept(op) is Outcome.HELD
    assert database.keyspace.lookup(b"k") is None
    late = Client(database)
    assert receive(late, b"SMEMBERS s\r\n") == b""
    database.slices.finish_all()
    assert database.keyspace.lookup(b"k") is not None
    assert receive(late, b"") == READ
    for op in database.replica.since(there.vector):
        there.accept(op)
    assert there.digest() == database.replica.digest()


def test_op_from_elsewhere_waits_for_reads_of_its_keys() -> None:
    database, there = sliced(), Replica(2)
    client = begin(database, "SMEMBERS s")
    there.string("k").set("x")
    op = there.seal()
    assert op is not None
    assert database.replica.accept(op) is Outcome.APPLIED
    there.set("s").add("z")
    op = there.seal()
    assert op is not None
    assert database.replica.accept(op) is Outcome.HELD
    assert database.replica.collect() == 0
    assert finish(database, client) == READ
    assert lines(Client(database), "SCARD s") == [b":4\r\n"]


def test_snapshot_runs_works_to_their_end() -> None:
    database, there = sliced(), Replica(2)
    client = begin(database, "SUNIONSTORE t s")
    there.merge(database.replica.snapshot())
    assert receive(client, b"") == b":3\r\n"
    assert sorted(there.set("t")) == ["a", "b", "c"]


def test_nothing_is_pushed_while_a_snapshot_ends_works() -> None:
    """A link that is pushed may need a snapshot itself. That ended the process."""
    database = sliced()
    snapshots: list[Snapshot] = []
    watching, waiting = Client(database), Client(database)
    run(watching, b"WATCH t\r\n")
    run(waiting, b"BLPOP l 0\r\n")
    client = begin(database, "MULTI\r\nSADD t a\r\nSADD t b\r\nRPUSH l a\r\nEXEC")
    database.turn.push = lambda: snapshots.append(database.replica.snapshot())
    database.on_wake = lambda: database.turn.run_phases(seals=True)
    snapshots.append(database.replica.snapshot())
    assert len(snapshots) == 1
    assert waiting in database.woken
    assert not database.turn.defers_push
    assert receive(client, b"").endswith(b"*3\r\n:1\r\n:1\r\n:1\r\n")


@pytest.mark.interpreted("it replaces methods of compiled classes")
def test_work_without_memory_at_its_end_lets_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_memory_error(*_: object) -> None:
        raise MemoryError

    def has_work(_: Replica) -> bool:
        return True

    database = sliced()
    begin(database, "MULTI\r\nSADD t a\r\nSADD t b\r\nEXEC")
    with monkeypatch.context() as patch:
        patch.setattr(ServerStatistics, "count_calls", raise_memory_error)
        patch.setattr(Replica, "has_work", has_work)
        patch.setattr(Replica, "work", raise_memory_error)
        database.slices.finish_all()
    assert database.slices.is_idle()
    assert not database.replica.is_held()
    assert lines(Client(database), "SCARD t") == [b":2\r\n"]


def test_client_that_leaves_drops_its_read() -> None:
    database = sliced()
    client = begin(database, "SMEMBERS s")
    waiting = Client(database)
    receive(waiting, b"SADD s d\r\n")
    client.leave()
    assert database.slices.is_idle()
    assert receive(waiting, b"") == b":1\r\n"


def test_client_that_leaves_does_not_wait() -> None:
    database = sliced()
    begin(database, "SMEMBERS s")
    waiting = Client(database)
    receive(waiting, b"SADD s d\r\n")
    waiting.leave()
    database.slices.finish_all()
    assert waiting not in database.woken


def test_transaction_of_client_that_leaves_is_completed() -> None:
    database = sliced()
    client = Client(database)
    run(client, b"MULTI\r\nSET k 1\r\nSET l 1\r\nEXEC\r\n")
    client.leave()
    database.slices.finish_all()
    assert client.out == []
    assert lines(Client(database), "MGET k l") == [b"*2\r\n$1\r\n1\r\n$1\r\n1\r\n"]


def test_killed_client_is_shown_as_blocked_and_ends_its_read() -> None:
    database = sliced()
    client = begin(database, "SMEMBERS s")
    other = Client(database)
    shown = receive(other, b"CLIENT LIST\r\n").decode()
    assert f"id={client.id} " in shown
    assert " flags=b " in shown
    assert lines(other, f"CLIENT KILL ID {client.id}") == [b":1\r\n"]
    database.slices.run_slice()
    assert database.slices.is_idle()


def test_reply_beyond_limit_closes_client() -> None:
    database = sliced()
    client = Client(database)
    client.output_limit = 10
    database.config.output_limit.hard_bytes = 10
    run(client, b"SMEMBERS s\r\n")
    database.slices.finish_all()
    assert client.killed
    assert client.out == []


@pytest.mark.parametrize(("mode", "replies"), [("OFF", b""), ("SKIP", b"+PONG\r\n")])
def test_muted_client_gets_no_part_of_a_reply(mode: str, replies: bytes) -> None:
    database = sliced()
    client = Client(database)
    run(client, f"CLIENT REPLY {mode}\r\nSMEMBERS s\r\nPING\r\n".encode())
    assert finish(database, client) == replies


def test_pause_does_not_end_the_wait_for_keys() -> None:
    database = sliced()
    begin(database, "SMEMBERS s")
    waiting = Client(database)
    receive(waiting, b"SADD s d\r\n")
    database.pause.begin(database.now + 10, holds_reads=False)
    database.pause.end()
    assert receive(waiting, b"") == b""
    database.pause.begin(database.now + 10, holds_reads=False)
    database.slices.finish_all()
    assert receive(waiting, b"") == b""
    database.pause.end()
    assert receive(waiting, b"") == b":1\r\n"


def test_short_read_ends_in_its_turn() -> None:
    database = sliced(items=4)
    client = Client(database)
    run(client, b"SMEMBERS s\r\n")
    assert b"".join(client.out) == READ


def test_arguments_of_large_request_are_freed_in_slices() -> None:
    database = sliced()
    client = Client(database)
    names = [b"k%d" % number for number in range(25)]
    args = [b"DEL", *names]
    database.slices.begin(client, args, iter([None]))
    database.slices.finish_all()
    sizes: list[int] = []
    while not database.slices.is_idle():
        database.slices.run_slice()
        sizes.append(len(args))
    assert sizes == [16, 6, 0]


def test_request_of_very_many_keys_concerns_all() -> None:
    database = sliced()
    client = Client(database)
    names = [b"k"] * NAMED_MAX
    database.slices.begin(client, [b"DEL", *names], iter([None]))
    assert receive(Client(database), b"GET other\r\n") == b""
    database.slices.finish_all()


# -- errors ----------------------------------------------------------------------------------


def steps_that_raise(client: Client, error: Exception, replied: int) -> Iterator[None]:
    """Reply some lines, then fail."""
    for _ in range(replied):
        client.out.append(b"+part\r\n")
        yield
    yield
    client.out.append(b"+lost\r\n")
    raise error


@pytest.mark.parametrize("error", [CommandError(b"ERR x"), MemoryError()])
@pytest.mark.parametrize("replied", [0, 1])
def test_error_closes_only_after_part_of_reply(error: Exception, replied: int) -> None:
    database = sliced()
    client = Client(database)
    database.slices.begin(client, [b"SMEMBERS", b"s"], steps_that_raise(client, error, replied))
    database.slices.finish_all()
    text = error.text if isinstance(error, CommandError) else MEMORY_EXHAUSTED
    assert b"".join(client.out) == b"+part\r\n" * replied + b"-%b\r\n" % text
    assert client.closing == bool(replied)
    assert database.slices.is_idle()


@pytest.mark.interpreted("replaces a function of a module that is compiled")
def test_write_goes_on_if_it_cannot_be_encoded_in_advance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Found with limited memory: a transaction of long strings ended the process."""

    def raise_memory_error(*_: object) -> bytes:
        raise MemoryError

    database = sliced()
    with monkeypatch.context() as patch:
        patch.setattr(op_pieces.codec, "pack_all", raise_memory_error)
        client = begin(database, "MULTI\r\nSADD t a\r\nSADD t b\r\nSADD t c\r\nEXEC")
        assert finish(database, client).endswith(b"*3\r\n:1\r\n:1\r\n:1\r\n")
    op = database.replica.seal()
    assert op is not None
    assert [effect[2] for effect in op.effects] == [b"t"] * 3


def test_bug_closes_its_client_and_frees_the_keys() -> None:
    database = sliced()
    client = Client(database)
    error = RuntimeError("bug")
    database.slices.begin(client, [b"SMEMBERS", b"s"], steps_that_raise(client, error, 0))
    database.slices.finish_all()
    assert client.closing
    assert lines(Client(database), "SADD s d") == [b":1\r\n"]


def test_first_error_is_the_handlers() -> None:
    database = sliced()
    client = Client(database)
    steps = steps_that_raise(client, CommandError(b"ERR x"), 0)
    assert run_step(steps)
    with pytest.raises(CommandError):
        database.slices.begin(client, [b"SMEMBERS", b"s"], steps)
    assert database.slices.is_idle()
