"""The listener over real loopback sockets."""

from __future__ import annotations

import gc
import math
import select
import socket
from types import SimpleNamespace
from typing import Any

import pytest
import trio
import trio.lowlevel
import trio.testing

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.turns.turn import Turn
from crdb.net import listener
from crdb.net.connection import Connection
from crdb.net.listener import SLICE_NS
from tests.crdb.listening import PATIENCE_SECONDS, Site, serving
from tests.crdb.raw import instance


async def test_many_clients_are_served() -> None:
    database = instance()
    async with serving(database) as site:
        talkers = [await site.connect() for _ in range(20)]
        for number, talker in enumerate(talkers):
            await talker.ask(b"SET k%d %d" % (number, number), b"+OK\r\n")
        for talker in talkers:
            await talker.ask(b"GET k7", b"$1\r\n7\r\n")
        assert len(database.clients) == 20
    assert database.clients == {}


async def test_closed_connections_leave_no_cycle() -> None:
    """Python's collector does not examine what has lived for long."""
    database = instance()
    gc.collect()
    before = connections()
    async with serving(database) as site:
        gc.disable()
        try:
            talkers = [await site.connect() for _ in range(20)]
            for number, talker in enumerate(talkers):
                await talker.ask(b"SET k%d %d" % (number, number), b"+OK\r\n")
                await talker.ask(b"WATCH k", b"+OK\r\n")
                await talker.ask(b"MULTI", b"+OK\r\n")
                await talker.ask(b"GET", b"-ERR wrong number of arguments for 'get' command\r\n")
                await talker.ask(b"DISCARD", b"+OK\r\n")
            await talkers[0].send(b"BLPOP l 0\r\n")
            assert connections() == before + 20
            for talker in talkers:
                await talker.stream.aclose()
            while database.clients:
                await trio.lowlevel.checkpoint()
            for _ in range(10):
                await trio.lowlevel.checkpoint()
            assert connections() == before
        finally:
            gc.enable()


def connections() -> int:
    """Return the number of connections in memory. `isinstance` would ask lazy objects of other
    libraries for their class, and they would try to load their settings."""
    return sum(type(each) is Connection for each in gc.get_objects())


async def test_pipeline_comes_back_in_order() -> None:
    async with serving(instance()) as site:
        talker = await site.connect()
        replies = b"".join(b"$%d\r\n%d\r\n" % (len(str(n)), n) for n in range(20_000))
        async with trio.open_nursery() as nursery:
            requests = b"".join(b"ECHO %d\r\n" % n for n in range(20_000))
            nursery.start_soon(talker.send, requests)
            assert await talker.read(len(replies)) == replies


async def test_long_command_runs_between_those_of_others() -> None:
    database = instance()
    database.slices.items = 10
    async with serving(database) as site:
        reader, other = await site.connect(), await site.connect()
        members = b" ".join(b"%d" % n for n in range(2000))
        await reader.ask(b"SADD k " + members, b":2000\r\n")
        replies = b"*2000\r\n" + b"".join(b"$%d\r\n%d\r\n" % (len(str(n)), n) for n in range(2000))
        database.slices.items = 1
        await reader.send(b"SMEMBERS k\r\nPING\r\n")
        assert await reader.read(5) == replies[:5]
        await other.ask(b"PING", b"+PONG\r\n")
        assert database.slices.works
        assert await reader.read(len(replies) + 2) == replies[5:] + b"+PONG\r\n"


async def test_transaction_is_completed_when_listener_closes() -> None:
    database = instance()
    database.slices.items = 1
    async with serving(database) as site:
        talker = await site.connect()
        await talker.send(b"MULTI\r\n" + b"INCR k\r\n" * 500 + b"EXEC\r\n")
        queued = b"+OK\r\n" + b"+QUEUED\r\n" * 500
        assert await talker.read(len(queued) + 1) == queued + b"*"
        assert database.slices.works
    assert receive(Client(database), b"GET k\r\n") == b"$3\r\n500\r\n"


async def test_busy_polling_serves_and_lets_others_run() -> None:
    async with serving(instance(), busy_polls=True) as site:
        talkers = [await site.connect() for _ in range(4)]
        for _ in range(100):
            for talker in talkers:
                await talker.ask(b"PING", b"+PONG\r\n")


@pytest.mark.interpreted("it replaces a method of the turn")
@pytest.mark.parametrize(
    ("patience", "deadline", "runnable", "longest"),
    [
        (math.inf, math.inf, 0, SLICE_NS / 1e9),
        (0.000_2, math.inf, 0, 0.000_2),
        (math.inf, 0.000_3, 0, 0.000_3),
        (0.000_2, -0.1, 0, None),
        (0.0, math.inf, 0, None),
        (math.inf, math.inf, 1, None),
    ],
)
async def test_busy_polling_delays_no_task(
    patience: float,
    deadline: float,
    runnable: int,
    longest: float | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    wait = select.select

    def look(*arguments: Any) -> Any:
        waits.append(arguments[3])
        return wait(*arguments)

    others = SimpleNamespace(seconds_to_next_deadline=deadline, tasks_runnable=runnable)
    monkeypatch.setattr(select, "select", look)
    monkeypatch.setattr(trio.lowlevel, "current_statistics", lambda: others)
    database = instance()

    def finish(_turn: Turn) -> float:
        return patience

    monkeypatch.setattr(Turn, "finish", finish)
    async with serving(database, busy_polls=True) as site:
        talker = await site.connect()
        for _ in range(50):
            await talker.ask(b"PING", b"+PONG\r\n")
    if longest is None:
        assert not waits
    else:
        assert 0 < max(waits) <= longest


class Link:
    """A link that the listener knows. Its task is slow to run in a long time slice."""

    def __init__(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        here, self.there = socket.socketpair()
        self.stream = trio.SocketStream(trio.socket.from_stdlib_socket(here))
        site.arrivals.watch(self.stream)
        self.is_sent = False
        monkeypatch.setattr(listener, "SLICE_NS", 2 * PATIENCE_SECONDS * 1_000_000_000)

    def send_once(self) -> None:
        """Let the peer send an op, unless it has done so."""
        if not self.is_sent:
            self.is_sent = True
            self.there.sendall(b"op")

    async def read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Read the op, and end the long time slices."""
        assert await self.stream.receive_some() == b"op"
        monkeypatch.setattr(listener, "SLICE_NS", SLICE_NS)

    def close(self) -> None:
        """Close both ends."""
        self.stream.socket.close()
        self.there.close()


async def test_busy_polling_ends_when_link_is_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = select.select
    async with serving(instance(), busy_polls=True) as site:
        link = Link(site, monkeypatch)

        def look(*arguments: Any) -> Any:
            link.send_once()
            return wait(*arguments)

        monkeypatch.setattr(select, "select", look)
        talker = await site.connect()
        while not link.is_sent:  # it does not poll while another task can run
            await talker.ask(b"PING", b"+PONG\r\n")
        await link.read(monkeypatch)
        link.close()


@pytest.mark.interpreted("it replaces methods of the turn")
async def test_link_is_read_before_listener_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    database = instance()
    async with serving(database) as site:
        link = Link(site, monkeypatch)
        monkeypatch.setattr(listener, "LINKS_NS", listener.SLICE_NS)
        let_tasks_run = site.arrivals.let_tasks_run

        def finish(_turn: Turn) -> float:
            if database.statistics.commands:
                link.send_once()
                order.append("turn")
            return math.inf

        def before_sleep(_turn: Turn) -> None:
            order.append("sleep")

        async def note_and_let_run() -> None:
            order.append("others")
            await let_tasks_run()

        monkeypatch.setattr(Turn, "finish", finish)
        monkeypatch.setattr(Turn, "before_sleep", before_sleep)
        monkeypatch.setattr(site.arrivals, "let_tasks_run", note_and_let_run)
        talker = await site.connect()
        await talker.send(b"PING\r\n")
        await link.read(monkeypatch)
        assert await talker.read(7) == b"+PONG\r\n"
        first = order.index("turn")
        assert "sleep" not in order[first : order.index("others", first)]
        link.close()


@pytest.mark.interpreted("it replaces a method of the turn")
async def test_link_is_read_between_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    database = instance()
    database.slices.items = 1
    async with serving(database) as site:
        link = Link(site, monkeypatch)

        def finish(_turn: Turn) -> float:
            if database.slices.works:
                link.send_once()
            return math.inf

        async def read_during_transaction() -> None:
            await link.read(monkeypatch)
            assert database.slices.works, "the transaction still runs"

        monkeypatch.setattr(Turn, "finish", finish)
        talker = await site.connect()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read_during_transaction)
            await trio.testing.wait_all_tasks_blocked()  # it waits for the op before that is sent
            await talker.send(b"MULTI\r\n" + b"INCR k\r\n" * 500 + b"EXEC\r\n")
        link.close()


async def test_big_values_pass() -> None:
    value = b"x" * 5_000_000
    async with serving(instance()) as site:
        talker = await site.connect()
        await talker.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n%b\r\n" % (len(value), value))
        assert await talker.read(5) == b"+OK\r\n"
        reply = b"$%d\r\n%b\r\n" % (len(value), value)
        await talker.ask(b"GET k", reply)


async def test_waiting_client_is_served_by_another() -> None:
    database = instance()
    async with serving(database) as site:
        waiter, pusher = await site.connect(), await site.connect()
        await waiter.send(b"BLPOP l 0\r\nPING\r\n")
        await pusher.ask(b"ECHO x", b"$1\r\nx\r\n")
        await pusher.ask(b"RPUSH l a", b":1\r\n")
        reply = b"*2\r\n$1\r\nl\r\n$1\r\na\r\n+PONG\r\n"
        assert await waiter.read(len(reply)) == reply


async def test_waiting_client_is_served_from_outside_of_turn() -> None:
    """The list grows as if a link had brought an operation."""
    database = instance()
    async with serving(database) as site:
        waiter = await site.connect()
        await waiter.send(b"BLPOP l 0\r\n")
        while not database.blocked.by_client:
            await trio.lowlevel.checkpoint()
        receive(Client(database), b"RPUSH l a\r\n")
        reply = b"*2\r\n$1\r\nl\r\n$1\r\na\r\n"
        assert await waiter.read(len(reply)) == reply


async def test_time_runs_out() -> None:
    async with serving(instance()) as site:
        waiter = await site.connect()
        await waiter.ask(b"BLPOP l 0.01", b"*-1\r\n")


async def test_leaving_client_is_forgotten() -> None:
    database = instance()
    async with serving(database) as site:
        talker = await site.connect()
        await talker.send(b"BLPOP l 0\r\n")
        while not database.blocked.by_client:
            await trio.lowlevel.checkpoint()
        await talker.stream.aclose()
        while database.clients:
            await trio.lowlevel.checkpoint()
        assert database.blocked.by_client == {}


async def test_malformed_request_gets_error_and_close() -> None:
    async with serving(instance()) as site:
        talker, other = await site.connect(), await site.connect()
        await talker.send(b"*1\r\nnonsense\r\n")
        assert await talker.read_to_end() == b"-ERR Protocol error: expected '$', got 'n'\r\n"
        await other.ask(b"PING", b"+PONG\r\n")


async def test_killed_client_is_closed() -> None:
    async with serving(instance()) as site:
        talker, other = await site.connect(), await site.connect()
        await talker.ask(b"CLIENT ID", b":1\r\n")
        await other.ask(b"CLIENT KILL ID 1", b":1\r\n")
        assert await talker.read_to_end() == b""


async def test_client_that_does_not_read_is_closed_alone() -> None:
    database = instance(client_output_buffer_limit="normal 10mb 0 0")
    async with serving(database) as site:
        talker, other = await site.connect(), await site.connect()
        await other.ask(b"SET k " + b"x" * 60_000, b"+OK\r\n")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(talker.send, b"GET k\r\n" * 2_000)
            while len(database.clients) == 2:
                await other.ask(b"PING", b"+PONG\r\n")
        assert database.statistics.dropped_output == 1


async def test_links_send_after_each_turn() -> None:
    database = instance()
    pushed: list[int] = []
    database.turn.push = lambda: pushed.append(database.replica.history.stop)
    async with serving(database) as site:
        talker = await site.connect()
        await talker.ask(b"MSET a 1 b 2", b"+OK\r\n")
        while not pushed:
            await trio.lowlevel.checkpoint()
    assert pushed == [1]
