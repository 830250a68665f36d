"""The listener over real sockets: no reply leaves before the journal has returned."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

import pytest
import trio
import trio.lowlevel

from crdb.engine.client import Client
from crdb.engine.execution.executor import BATCH_MAX, receive
from crdb.engine.instance import Instance
from crdb.engine.turns.journal import SyncPolicy
from crdt.embed.replica import RUN_BYTES_MAX
from tests.crdb.engine.turns.fake_journal import FakeJournal, disk_full
from tests.crdb.events import Named, collector
from tests.crdb.listening import Site, Talker, serving
from tests.crdb.raw import instance

MISCONF = (
    b"-MISCONF the journal cannot be written (No space left on device), so writes are refused."
    b" Repair or free the disk, then restart the region.\r\n"
)


class Watch:
    """A journal that checks during each call that no reply has reached the clients' sockets."""

    def __init__(self, database: Instance, policy: SyncPolicy = SyncPolicy.ALWAYS) -> None:
        self.database = database
        self.journal = FakeJournal()
        self.journal.on_call = self.look
        self.descriptors: list[int] = []
        self.early: list[bytes] = []
        database.turn.use_journal(self.journal, policy)

    async def connect(self, site: Site) -> Talker:
        """Connect a client whose socket is checked."""
        talker = await site.connect()
        self.descriptors.append(talker.stream.socket.fileno())
        return talker

    def look(self) -> None:
        """Record what has reached a client's socket, without reading it from there."""
        for descriptor in self.descriptors:
            with socket.socket(fileno=os.dup(descriptor)) as sock, suppress(BlockingIOError):
                self.early.append(sock.recv(100, socket.MSG_PEEK | socket.MSG_DONTWAIT))

    def count_unsynced(self) -> int:
        """Return how many ops of the replica are not on the disk."""
        return self.database.replica.history.stop - self.journal.synced


REQUESTS = {
    "one write": (b"SET k v\r\n", b"+OK\r\n"),
    "pipeline": (b"SET k v\r\nGET k\r\nINCR n\r\n", b"+OK\r\n$1\r\nv\r\n:1\r\n"),
    "transaction": (
        b"MULTI\r\nSET k v\r\nINCR n\r\nEXEC\r\n",
        b"+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:1\r\n",
    ),
    "large reply": (
        b"SETRANGE k 999999 v\r\nGET k\r\n",
        b":1000000\r\n$1000000\r\n" + b"\0" * 999_999 + b"v\r\n",
    ),
    "several batches": (
        b"INCR n\r\n" * 2 * BATCH_MAX,
        b"".join(b":%d\r\n" % (n + 1) for n in range(2 * BATCH_MAX)),
    ),
    "large outbox": (
        b"SETRANGE k %d v\r\nSETRANGE l 9 v\r\n" % RUN_BYTES_MAX,
        b":%d\r\n:10\r\n" % (RUN_BYTES_MAX + 1),
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
async def test_reply_leaves_after_sync(name: str) -> None:
    request, reply = REQUESTS[name]
    database = instance()
    watch = Watch(database)
    async with serving(database) as site:
        talker = await watch.connect(site)
        await talker.send(request)
        assert await talker.read(len(reply)) == reply
        assert watch.count_unsynced() == 0
    assert name == "several batches" or not watch.early
    assert database.keyspace.outbox == []


async def test_each_of_many_replies_leaves_after_its_sync() -> None:
    """Send one request after another, with and without busy-polling."""
    for busy_polls in (False, True):
        database = instance()
        watch = Watch(database)
        async with serving(database, busy_polls=busy_polls) as site:
            talker = await watch.connect(site)
            for number in range(50):
                await talker.ask(b"INCR n", b":%d\r\n" % (number + 1))
                assert watch.count_unsynced() == 0
        assert not watch.early
        assert watch.journal.synced == 50


async def test_blocked_client_is_served_after_sync() -> None:
    database = instance()
    watch = Watch(database)
    async with serving(database) as site:
        blocked, writer = await watch.connect(site), await watch.connect(site)
        await blocked.send(b"BLPOP l 0\r\nPING\r\n")
        while not database.blocked.by_client:
            await trio.lowlevel.checkpoint()
        await writer.ask(b"RPUSH l a", b":1\r\n")
        reply = b"*2\r\n$1\r\nl\r\n$1\r\na\r\n+PONG\r\n"
        assert await blocked.read(len(reply)) == reply
        assert watch.count_unsynced() == 0
    assert not watch.early


async def test_client_served_from_outside_of_turn_waits_for_sync() -> None:
    """The list grows as if a link had brought an operation."""
    database = instance()
    watch = Watch(database)
    async with serving(database) as site:
        blocked = await watch.connect(site)
        await blocked.send(b"BLPOP l 0\r\n")
        while not database.blocked.by_client:
            await trio.lowlevel.checkpoint()
        receive(Client(database), b"RPUSH l a\r\n")
        assert watch.count_unsynced() == 0
        assert watch.journal.synced == 1
        reply = b"*2\r\n$1\r\nl\r\n$1\r\na\r\n"
        assert await blocked.read(len(reply)) == reply
    assert not watch.early


async def test_monitor_is_shown_write_after_sync() -> None:
    database = instance()
    watch = Watch(database)
    async with serving(database) as site:
        monitor, writer = await watch.connect(site), await watch.connect(site)
        await monitor.ask(b"MONITOR", b"+OK\r\n")
        await writer.ask(b"SET k v", b"+OK\r\n")
        line = b""
        while not line.endswith(b"\r\n"):
            line += await monitor.read(1)
        assert b'"SET" "k" "v"' in line
    assert not watch.early


async def test_closing_client_gets_its_replies_after_sync() -> None:
    database = instance()
    watch = Watch(database)
    async with serving(database) as site:
        talker = await watch.connect(site)
        await talker.send(b"SET k v\r\nQUIT\r\n")
        assert await talker.read_to_end() == b"+OK\r\n+OK\r\n"
    assert not watch.early


async def test_slow_reader_gets_everything_in_order() -> None:
    """Replies that the socket does not take stay behind those of earlier turns."""
    database = instance()
    Watch(database)
    value = b"$1000000\r\n" + b"\0" * 999_999 + b"v\r\n"
    async with serving(database) as site:
        talker = await site.connect()
        await talker.ask(b"SETRANGE k 999999 v", b":1000000\r\n")
        for number in range(20):
            await talker.send(b"GET k\r\nINCR n\r\n")
            while database.statistics.commands < 3 + 2 * number:
                await trio.lowlevel.checkpoint()
        for number in range(20):
            reply = value + b":%d\r\n" % (number + 1)
            assert await talker.read(len(reply)) == reply


async def test_failed_journal_closes_without_reply() -> None:
    database = instance()
    events: list[Named] = []
    watch = Watch(database)
    async with serving(database) as site:
        database.report = collector(events)
        writer, blocked, other = [await watch.connect(site) for _ in range(3)]
        await blocked.send(b"BLPOP l 0\r\n")
        await other.ask(b"GET k", b"$-1\r\n")
        while not database.blocked.by_client:
            await trio.lowlevel.checkpoint()
        watch.journal.sync_fault = disk_full()
        await writer.send(b"SET k v\r\nQUIT\r\n")
        assert await writer.read_to_end() == b""
        assert await blocked.read(len(MISCONF)) == MISCONF
        for _ in range(2):
            await other.ask(b"SET k w", MISCONF)
            await other.ask(b"GET k", b"$1\r\nv\r\n")
        assert len(database.clients) == 2
    assert not watch.early
    assert events == [("journal failed", {"reason": "No space left on device"})]


async def test_client_that_left_before_sync_is_forgotten() -> None:
    database = instance()
    watch = Watch(database)
    async with serving(database) as site:
        talker = await site.connect()
        await talker.ask(b"PING", b"+PONG\r\n")
        [client] = database.clients.values()
        connection = site.listener.by_client[client.id]
        site.listener._close(connection)  # pyright: ignore[reportPrivateUsage]
        database.turn.hold(client)
        receive(Client(database), b"SET k v\r\n")
        database.turn.finish()
        assert await talker.read_to_end() == b""
        assert watch.count_unsynced() == 0


@pytest.mark.parametrize("policy", [SyncPolicy.EVERY_SECOND, SyncPolicy.NO])
async def test_reply_does_not_wait_for_other_policies(policy: SyncPolicy) -> None:
    database = instance()
    watch = Watch(database, policy)
    async with serving(database) as site:
        talker = await watch.connect(site)
        await talker.send(b"SET k v\r\n")
        while not watch.journal.ops:
            await trio.lowlevel.checkpoint()
        assert watch.early[0] == b"+OK\r\n", "it had left before the op was appended"
        assert await talker.read(5) == b"+OK\r\n"
