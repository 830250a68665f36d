"""The journal of a region over real sockets.

Received data reaches the journal before it is acknowledged. A sync once a second delays nobody.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
import trio.lowlevel

from crdb.deployment.config import Config
from crdb.deployment.config_file import read_config
from crdb.engine.client import Client
from crdb.engine.events.event_bases import OperatorEvent
from crdb.engine.execution.executor import receive
from crdb.engine.turns.journal import SyncPolicy
from crdb.region.region import RegionServer
from crdt.causality.dots import Vector, dominates
from replication.protocol.events import Event
from tests.crdb.engine.turns.fake_journal import FakeJournal, disk_full
from tests.crdb.events import Named, collector
from tests.crdb.listening import PATIENCE_SECONDS, Talker
from tests.ports import free_ports


def ignore(_event: OperatorEvent) -> None:
    """Drop the reports of a region."""


class WatchedSource(RegionServer):
    """A region that compares each acknowledgement of another one with that one's journal."""

    def __init__(self, config: Config, name: str) -> None:
        super().__init__(config, name, emit=ignore, state=None)
        self.durable: Callable[[], Vector] = dict[int, int]
        self.acknowledged: Vector = {}
        self.early: list[Vector] = []

    def observe(self, events: list[Event]) -> None:
        for source in (*self.links.sources.values(), *self.links.followers):
            self.acknowledged = dict(source.progress.acknowledged)
            if not dominates(self.durable(), self.acknowledged):
                self.early.append(self.acknowledged)
        super().observe(events)

    def write(self, request: bytes) -> None:
        """Run a write of a client."""
        receive(Client(self.instance), request)
        self.instance.turn.before_sleep()


@asynccontextmanager
async def running(*regions: RegionServer) -> AsyncGenerator[None]:
    """Run regions while the block runs."""
    for region in regions:
        region.open()
    with trio.fail_after(PATIENCE_SECONDS):
        async with trio.open_nursery() as nursery:
            for region in regions:
                nursery.start_soon(region_run, region)
            yield
            nursery.cancel_scope.cancel()
    for region in regions:
        region.close()


async def region_run(region: RegionServer) -> None:
    await region.run(alone=False)


def watch(source: WatchedSource, sink: RegionServer, policy: SyncPolicy) -> FakeJournal:
    """Give `sink` a journal, and let `source` compare acknowledgements with it."""
    journal = FakeJournal()
    sink.instance.turn.use_journal(journal, policy)

    def durable() -> Vector:
        count = journal.synced if policy is SyncPolicy.ALWAYS else None
        return dict(journal.restored(count).keyspace.vector)

    source.durable = durable
    return journal


async def until_acknowledged(source: WatchedSource, sink: RegionServer) -> None:
    """Wait until the sink has acknowledged all that the source has."""
    source.instance.turn.run_phases(seals=True)
    while not dominates(source.acknowledged, source.replica.keyspace.vector):
        await trio.lowlevel.checkpoint()
    assert source.replica.digest() == sink.replica.digest()


@pytest.mark.parametrize("policy", [SyncPolicy.ALWAYS, SyncPolicy.NO])
async def test_op_is_in_journal_before_it_is_acknowledged(policy: SyncPolicy) -> None:
    config = Config.from_names(["us", "eu"], free_ports(2).start - 1)
    us = WatchedSource(config, "us")
    eu = RegionServer(config, "eu", emit=ignore, state=None)
    journal = watch(us, eu, policy)
    async with running(us, eu):
        for number in range(20):
            us.write(b"INCR n\r\nSADD s %d\r\n" % number)
            await until_acknowledged(us, eu)
    assert us.early == []
    assert journal.restored().digest() == us.replica.digest()


async def test_snapshot_is_in_journal_before_it_is_acknowledged() -> None:
    config = Config.from_names(["us", "eu"], free_ports(2).start - 1)
    us = WatchedSource(config, "us")
    us.replica.history.resize(0)
    for number in range(20):
        us.write(b"SADD s %d\r\n" % number)
        us.replica.seal()
    eu = RegionServer(config, "eu", emit=ignore, state=None)
    journal = watch(us, eu, SyncPolicy.ALWAYS)
    async with running(us, eu):
        await until_acknowledged(us, eu)
    assert us.early == []
    assert "append state" in journal.log
    assert journal.restored().digest() == us.replica.digest()


async def test_follower_journals_before_it_acknowledges() -> None:
    base = free_ports(2)
    us = WatchedSource(Config.from_names(["us"], base[0] - 1), "us")
    us.write(b"SET k v\r\n")
    text = f'[[region]]\nname = "copy"\nport = {base[1]}\nreplica_of = ["127.0.0.1:{base[0]}"]\n'
    copy = RegionServer(read_config(text), "copy", emit=ignore, state=None)
    journal = FakeJournal()
    copy.instance.turn.use_journal(journal, SyncPolicy.ALWAYS)
    seen: list[tuple[bytes, bytes]] = []

    def durable() -> Vector:
        if us.acknowledged:
            seen.append((journal.restored(journal.synced).digest(), copy.replica.digest()))
        return us.acknowledged

    us.durable = durable
    async with running(us, copy):
        for number in range(20):
            us.write(b"SADD s %d\r\n" % number)
            await until_acknowledged(us, copy)
    assert seen
    assert all(on_disk == shown for on_disk, shown in seen)


class SlowJournal(FakeJournal):
    """A journal whose disk is busy until `released` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.released = threading.Event()

    def sync(self) -> None:
        self.begun.set()
        assert self.released.wait(PATIENCE_SECONDS)
        super().sync()


async def connect(region: RegionServer) -> Talker:
    """Connect a client of a region."""
    return Talker(await trio.open_tcp_stream("127.0.0.1", region.region.port))


async def test_client_does_not_wait_for_sync_of_every_second() -> None:
    here = RegionServer(
        Config.from_names(["us"], free_ports(1).start - 1), "us", emit=ignore, state=None
    )
    journal = SlowJournal()
    here.instance.turn.use_journal(journal, SyncPolicy.EVERY_SECOND)
    async with running(here):
        talker = await connect(here)
        try:
            await talker.ask(b"SET k v", b"+OK\r\n")
            while not journal.begun.is_set():
                await trio.lowlevel.checkpoint()
            for number in range(20):
                await talker.ask(b"INCR n", b":%d\r\n" % (number + 1))
            assert journal.synced == 0, "the disk is busy all the time"
        finally:
            journal.released.set()
        here.instance.turn.run_phases(seals=True)
        while journal.synced < len(journal.records):
            await trio.lowlevel.checkpoint()
        assert journal.restored().digest() == here.replica.digest()
        talker.stream.socket.close()


async def test_thread_that_cannot_sync_stops_writes_and_waiting() -> None:
    reported: list[Named] = []
    here = RegionServer(
        Config.from_names(["us"], free_ports(1).start - 1),
        "us",
        emit=collector(reported),
        state=None,
    )
    journal = SlowJournal()
    journal.sync_fault = disk_full()
    here.instance.turn.use_journal(journal, SyncPolicy.EVERY_SECOND)
    async with running(here):
        writer, blocked = await connect(here), await connect(here)
        try:
            await blocked.send(b"BLPOP l 0\r\n")
            while not here.instance.blocked.by_client:
                await trio.lowlevel.checkpoint()
            await writer.ask(b"SET k v", b"+OK\r\n")
        finally:
            journal.released.set()
        assert (await blocked.read(9)) == b"-MISCONF "
        await writer.send(b"SET k w\r\n")
        assert (await writer.read(9)) == b"-MISCONF "
        for talker in (writer, blocked):
            talker.stream.socket.close()
    failed = {"region": "us", "reason": "No space left on device"}
    assert ("journal failed", failed) in reported
