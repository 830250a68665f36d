"""The executor: requests as bytes in, replies as bytes out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdb.engine.client import Client
from crdb.engine.errors import MEMORY_EXHAUSTED, MEMORY_EXHAUSTED_CLOSED
from crdb.engine.execution.executor import BATCH_MAX, BATCH_SECONDS_MAX, UNTIMED_MAX, receive, run
from crdb.resp.parser import Parser
from crdt.causality.op import Op
from crdt.embed.replica import RUN_BYTES_MAX, RUN_MAX, Replica
from tests.crdb.declared import declared
from tests.crdb.raw import instance, lines
from tests.crdb.redis_peer import request

commands = st.lists(
    st.lists(
        st.sampled_from([b"SET", b"get", b"INCR", b"DEL", b"MULTI", b"EXEC", b"FOO", b"k", b"l"])
        | st.binary(max_size=3),
        min_size=1,
        max_size=4,
    ),
    max_size=30,
)


@given(commands, st.integers(1, 40))
def test_cutting_stream_changes_no_reply(requests: list[list[bytes]], size: int) -> None:
    data = b"".join(map(request, requests))
    whole = receive(Client(instance()), data)
    client = Client(instance())
    pieces = [receive(client, data[at : at + size]) for at in range(0, len(data), size)]
    assert b"".join(pieces) == whole


@given(st.lists(st.binary(max_size=30), max_size=8))
def test_any_bytes_leave_other_clients_alone(pieces: list[bytes]) -> None:
    database = instance()
    other = Client(database)
    receive(other, b"SET k v\r\n")
    hostile = Client(database)
    for piece in pieces:
        receive(hostile, piece)
    assert receive(other, b"PING\r\n") == b"+PONG\r\n"


def test_long_batch_lets_others_have_their_turn() -> None:
    database = instance()
    client = Client(database)
    run(client, b"PING\r\n" * (BATCH_MAX + 10))
    assert len(client.out) == BATCH_MAX
    assert database.woken == [client]
    run(client, b"")
    assert len(client.out) == BATCH_MAX + 10


@pytest.mark.parametrize(("request_", "most"), [(b"PING\r\n", UNTIMED_MAX), (b"KEYS x\r\n", 1)])
def test_batch_that_takes_long_lets_others_have_their_turn(request_: bytes, most: int) -> None:
    """`most` requests run after the time is over, since the clock is not read after each
    request."""
    database = instance(slowlog_log_slower_than="-1")
    client = Client(database)
    database.timing.clock = lambda: len(client.out) * BATCH_SECONDS_MAX
    run(client, request_ * 20)
    assert client.parser.pending == (20 - most) * len(request_)
    assert database.woken == [client]
    for _ in range(20 // most):
        database.woken.clear()
        client.out.clear()
        run(client, b"")
    assert client.parser.pending == 0
    assert database.statistics.commands == 20


def test_what_is_counted() -> None:
    database = instance()
    client = Client(database)
    receive(client, b"PING\r\nPING\r\nFOO\r\n")
    assert database.statistics.commands == 2, "the refused request did not run"
    assert database.statistics.input_bytes == client.received_bytes == 17
    run(client, b"PING\r\nECHO abc\r\n")
    assert client.output_bytes == 7 + 9


def test_client_with_too_many_unread_replies_is_closed() -> None:
    database = instance(client_output_buffer_limit="normal 10000 0 0")
    client, other = Client(database), Client(database)
    receive(other, b"SET k " + b"x" * 1000 + b"\r\n")
    run(client, b"GET k\r\n" * 100)
    assert client.killed
    assert client.out == []
    assert database.statistics.dropped_output == 1
    assert not other.closing


def test_transaction_with_too_many_replies_is_executed() -> None:
    """The client is closed as soon as they are too many, not after the last one."""
    database = instance(client_output_buffer_limit="normal 10000 0 0")
    client, other = Client(database), Client(database)
    receive(other, b"SET k " + b"x" * 1000 + b"\r\n")
    most = 0

    def clock() -> float:
        nonlocal most
        most = max(most, sum(map(len, client.out)))
        return 0.0

    database.timing.clock = clock
    receive(client, b"MULTI\r\n" + b"GET k\r\n" * 100 + b"INCR n\r\n")
    run(client, b"EXEC\r\n")
    assert 9_000 < most < 12_000
    assert client.killed
    assert client.out == []
    assert database.statistics.dropped_output == 1
    assert receive(other, b"GET n\r\n") == b"$1\r\n1\r\n"


def test_transaction_within_limit_is_counted_once() -> None:
    database = instance(client_output_buffer_limit="normal 10000 2000 60")
    client, other = Client(database), Client(database)
    receive(other, b"SET k " + b"x" * 1000 + b"\r\n")
    receive(client, b"MULTI\r\n" + b"GET k\r\n" * 5)
    run(client, b"EXEC\r\n")
    assert client.output_bytes == sum(map(len, client.out)) == 4 + 5 * 1009
    assert client.soft_limit_since
    assert not client.killed


def test_unsent_replies_count() -> None:
    database = instance(client_output_buffer_limit="normal 10000 0 0")
    client = Client(database)
    client.output_bytes = 9_990
    run(client, b"PING\r\n")
    assert not client.closing
    client.out.clear()
    client.counted = 0
    run(client, b"PING\r\n")
    assert client.killed


def test_request_that_grows_too_long_is_closed() -> None:
    database = instance(client_query_buffer_limit="1mb", proto_max_bulk_len="4mb")
    client = Client(database)
    run(client, b"*2\r\n$4\r\nECHO\r\n$3000000\r\n")
    for _ in range(10):
        run(client, b"x" * 100_000)
    assert not client.closing
    run(client, b"x" * 100_000)
    assert client.killed
    assert database.statistics.dropped_query == 1


def test_touched_keys_are_served_before_next_request() -> None:
    """A remote operation dirties a watched key even if the driver has not announced it."""
    database = instance()
    client = Client(database)
    receive(client, b"WATCH k\r\n")
    database.keyspace.dirty_keys.append(b"k")
    assert receive(client, b"MULTI\r\nEXEC\r\n") == b"+OK\r\n*-1\r\n"


def test_last_command_of_mixed_pipeline_is_remembered() -> None:
    database = instance()
    client = Client(database)
    receive(client, b"GET k\r\nCONFIG RESETSTAT\r\n")
    assert client.last_command == b"config|resetstat"
    receive(client, b"CONFIG RESETSTAT\r\nGET k\r\n")
    assert client.last_command == b"get"


def test_calls_before_a_command_in_slices_are_counted() -> None:
    database = instance()
    database.slices.items = 1
    receive(Client(database), b"GET k\r\nMGET a b c\r\n")
    number_of = database.commands.by_name
    counts = [database.statistics.calls[number_of[name].number] for name in (b"get", b"mget")]
    assert counts == [1, 1]


def test_calls_are_counted_before_another_command_can_ask() -> None:
    client = Client(instance())
    reported = receive(client, b"PING\r\nPING\r\nECHO a\r\nINFO commandstats\r\n")
    assert b"cmdstat_ping:calls=2," in reported
    assert b"cmdstat_echo:calls=1," in reported


def test_pipeline_on_large_string_keeps_one_copy() -> None:
    """Of many writes of one large string, of any size, the whole string is sent once."""
    database = instance()
    client = Client(database)
    ops: list[Op] = []
    database.replica.watch_seals(ops.extend)
    receive(client, request([b"SET", b"k", b"x" * (2 * RUN_BYTES_MAX)]))
    receive(client, request([b"APPEND", b"k", b"y"]) * 300)
    receive(client, request([b"SETBIT", b"k", b"7", b"1"]) * 300)
    assert len(database.keyspace.outbox) <= 2
    receive(client, request([b"STRLEN", b"k"]))
    assert database.replica.seal() is not None
    other = Replica(2)
    assert sum(len(op.to_bytes()) for op in ops) < 2 * RUN_BYTES_MAX + 1000
    for op in ops:
        other.accept(op)
    assert other.digest() == database.replica.digest()


@pytest.mark.parametrize(
    "commands",
    [
        [[b"BITOP", b"NOT", b"k", b"k"], [b"BITOP", b"NOT", b"l", b"l"]],
        [[b"RPOPLPUSH", b"list", b"list"]],
        [[b"COPY", b"hash", b"copy", b"REPLACE"]],
        [[b"SUNIONSTORE", b"copy", b"set"]],
    ],
    ids=str,
)
def test_outbox_is_bounded_within_batch(commands: list[list[bytes]]) -> None:
    """A turn of 50 small requests must not keep 50 copies of a megabyte."""
    database = instance()
    client = Client(database)
    large = b"x" * (1 << 20)
    for key in (b"k", b"l"):
        receive(client, request([b"SET", key, large]))
    receive(client, request([b"RPUSH", b"list", large, b"a"]))
    receive(client, request([b"HSET", b"hash", b"f", large, b"g", b"v"]))
    receive(client, request([b"SADD", b"set", *(b"%d" % n + b"x" * 1000 for n in range(1000))]))
    database.replica.seal()
    most = 0

    def seal() -> None:
        nonlocal most
        most = max(most, database.keyspace.outbox_bytes)
        database.replica.seal()

    database.turn.seal = seal
    receive(client, b"".join(map(request, commands)) * 50)
    assert RUN_BYTES_MAX <= most < RUN_BYTES_MAX + (3 << 20)
    assert database.keyspace.outbox_bytes < RUN_BYTES_MAX + (3 << 20)


def test_transaction_is_sealed_as_whole() -> None:
    """TXN-2: a transaction becomes one operation, however large, if a link can carry it."""
    database = instance()
    client = Client(database)
    large = b"x" * (RUN_BYTES_MAX - 100)
    receive(client, b"MULTI\r\n")
    for key in (b"a", b"b", b"c"):
        receive(client, request([b"SET", key, large]))
    receive(client, b"EXEC\r\n")
    assert database.replica.history.stop == 1
    assert not database.keyspace.outbox


def test_small_writes_stay_in_one_op_with_transaction() -> None:
    """TXN-2: the number of effects after which an embedded replica seals counts only there."""
    database = instance()
    client = Client(database)
    receive(client, b"MULTI\r\n" + request([b"INCR", b"k"]) * (RUN_MAX + 1) + b"EXEC\r\n")
    op = database.replica.seal()
    assert op is not None
    assert len(op.effects) == RUN_MAX + 1


def exhausted(client: Client, _args: list[bytes]) -> None:
    """Reply something, and then run out of memory."""
    client.out.append(b"+partly\r\n")
    raise MemoryError


def test_command_without_memory_ends_and_nothing_else() -> None:
    database = instance()
    database.commands.by_name[b"PING"] = declared("ping", exhausted, "[message]", "fast")
    events: list[str] = []
    database.report = lambda event: events.append(event.name)
    client = Client(database)
    error = b"-" + MEMORY_EXHAUSTED + b"\r\n"
    assert lines(client, "PING", "ECHO a") == [error, b"$1\r\na\r\n"]
    assert receive(client, b"MULTI\r\nPING\r\nSET k v\r\nEXEC\r\n").endswith(
        b"*2\r\n" + error + b"+OK\r\n"
    )
    assert lines(client, "GET k", "MULTI") == [b"$1\r\nv\r\n", b"+OK\r\n"]
    assert events == ["out of memory"] * 2


@pytest.mark.interpreted("it replaces a method of the parser")
@pytest.mark.parametrize("method", ["feed", "next"])
def test_request_without_memory_closes_connection(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    database = instance()
    events: list[str] = []
    database.report = lambda event: events.append(event.name)
    guilty, innocent = Client(database), Client(database)

    def fail(*_args: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Parser, method, fail)
    assert receive(guilty, b"ECHO a\r\n") == b"-" + MEMORY_EXHAUSTED_CLOSED + b"\r\n"
    assert guilty.closing
    monkeypatch.undo()
    assert receive(innocent, b"ECHO a\r\n") == b"$1\r\na\r\n"
    assert events == ["out of memory"]
