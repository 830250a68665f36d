"""One region in a process: restarts, and stale writes."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import pytest
import trio
import trio.lowlevel

from crdb.deployment.config import Config
from crdb.deployment.config_file import read_config
from crdb.engine.client import Client
from crdb.engine.events.event_bases import OperatorEvent
from crdb.engine.execution.executor import receive
from crdb.engine.info.sections import information
from crdb.net.arrivals import Arrivals
from crdb.region.region import RegionServer
from crdt.causality.dots import INCARNATION_MAX, incarnation_of, make_origin
from crdt.embed.replica import Replica
from replication.drivers.stream import clock
from replication.protocol.events import CaughtUp, Connected, OriginReused, Recovered, Resynced
from replication.protocol.frames import Hello, Ops, Resumed
from replication.protocol.peers import Direction
from tests.crdb.events import Named, named
from tests.crdb.listening import PATIENCE_SECONDS
from tests.ports import free_ports

TWO = Config.from_names(["us", "eu"])


class Reported:
    """A record of the events of a region."""

    def __init__(self) -> None:
        self.events: list[Named] = []

    def report(self, event: OperatorEvent) -> None:
        self.events.append(named(event))


def region(config: Config = TWO, state: Path | None = None) -> tuple[RegionServer, Reported]:
    reported = Reported()
    return RegionServer(config, config.regions[0].name, emit=reported.report, state=state), reported


def send(here: RegionServer, request: bytes) -> bytes:
    return receive(Client(here.instance, b"there:1", b"here:1"), request)


async def test_restarted_region_writes_under_new_incarnation(
    tmp_path: Path,
) -> None:
    """Rules STL-1 to STL-3."""
    first, _ = region(state=tmp_path)
    assert send(first, b"SET k v\r\n") == b"+OK\r\n", "a first start is never stale"
    again, _ = region(state=tmp_path)
    assert incarnation_of(again.replica.origin) == next_incarnation(first)
    assert send(again, b"SET k v\r\n").startswith(b"-LOADING ")
    assert send(again, b"GET k\r\n").startswith(b"-LOADING "), "nothing is better than wrong"
    again.observe([Resynced("eu", Direction.IN, full=False), CaughtUp("eu")])
    assert send(again, b"SET k v\r\n").startswith(b"-LOADING "), "not all of it has come yet"
    assert warned_of_staleness(again) == ("1", "0")
    again.observe([Recovered("eu")])
    assert send(again, b"SET k v\r\n") == b"+OK\r\n"
    assert warned_of_staleness(again) == ("0", "0")


def next_incarnation(here: RegionServer) -> int:
    """Return the number of the next incarnation."""
    return (incarnation_of(here.replica.origin) + 1) & INCARNATION_MAX


def warned_of_staleness(here: RegionServer) -> tuple[str, str]:
    """Return from INFO whether the region is stale, and whether a full sync ended that."""
    lines = information(here.instance, ["crdt"]).splitlines()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    return fields["crdt_stale"], fields["crdt_stale_released_with_merge"]


async def test_full_sync_after_loss_is_reported(tmp_path: Path) -> None:
    """Rule STL-1."""
    region(state=tmp_path)
    again, _ = region(state=tmp_path)
    other = Replica(2)
    other.string("k").set("v")
    again.replica.merge(other.snapshot())
    again.observe([Resynced("eu", Direction.IN, full=True), Recovered("eu")])
    assert warned_of_staleness(again) == ("0", "1")


def test_restart_without_peers_does_not_wait(tmp_path: Path) -> None:
    alone = Config.from_names(["us"])
    region(alone, tmp_path)
    again, _ = region(alone, tmp_path)
    assert again.instance.refuse_writes is None


async def test_peer_with_unknown_own_writes_stops_writes(tmp_path: Path) -> None:
    """No dot is issued twice: later writes have a new incarnation."""
    here, reported = region(state=tmp_path)
    lost = here.replica.origin
    here.observe([Recovered("eu")])
    here.observe([OriginReused("eu", lost)])
    assert here.instance.is_stale
    assert not here.links.collects
    assert [event for event, _ in reported.events] == ["origin reused", "loading"]
    taken = here.replica.origin
    assert taken == here.links.member.origin != lost
    here.observe([OriginReused("ap", lost)])
    assert here.replica.origin == taken, "once is enough"
    here.observe([Recovered("eu")])
    assert here.links.collects
    again, _ = region(state=tmp_path)
    assert incarnation_of(again.replica.origin) == next_incarnation(here), (
        "remembered over a restart"
    )


async def test_region_whose_counter_was_lost_finds_out_from_peer(tmp_path: Path) -> None:
    """The region starts as a new one, under a random incarnation, until a peer reports that it has
    existed."""
    first, _ = region(state=tmp_path / "lost")
    send(first, b"SET k v\r\n")
    first.instance.turn.run_phases(seals=True)
    again, reported = region(state=tmp_path / "new")
    assert again.replica.origin != first.replica.origin
    assert send(again, b"INCR n\r\n") == b":1\r\n", "for all it knows this is the first start"
    sink = again.links.dial("eu", clock())
    member = again.links.member
    hello = Hello("eu", 2, make_origin(2), member.cluster, first.replica.vector)
    again.observe(again.links.receive(sink, hello, clock()))
    assert send(again, b"INCR n\r\n").startswith(b"-LOADING ")
    send(again, b"CONFIG SET replica-serve-stale-data yes\r\n")
    assert send(again, b"INCR n\r\n").startswith(b"-STALE ")
    assert send(again, b"GET n\r\n") == b"$1\r\n1\r\n"
    again.observe(again.links.receive(sink, Resumed(), clock()))
    (op,) = first.replica.since({})
    again.observe(again.links.receive(sink, Ops((op.to_bytes(),)), clock()))
    assert send(again, b"GET k\r\n") == b"$1\r\nv\r\n"
    assert send(again, b"INCR n\r\n") == b":2\r\n", "nothing that was acknowledged is lost"
    events = [event for event, _ in reported.events]
    assert events == ["link up", "earlier incarnation", "loading", "resynced", "caught up"]


def test_regions_without_state_draw_new_incarnations() -> None:
    """Followers and waiting clients could otherwise mistake them for the earlier incarnation."""
    assert len({region()[0].replica.origin for _ in range(20)}) > 10


def test_events_name_their_region() -> None:
    here, reported = region()
    here.observe([Connected("eu", Direction.IN, 2, 5)])
    assert reported.events == [("link up", {"region": "us", "peer": "eu", "direction": "in"})]


def test_region_that_follows_is_read_only_from_start() -> None:
    config = read_config('[[region]]\nname = "copy"\nreplica_of = ["127.0.0.1:1"]\n')
    here, reported = region(config)
    assert send(here, b"SET k v\r\n").startswith(b"-READONLY ")
    assert reported.events == [("following", {"region": "copy", "sources": ["127.0.0.1:1"]})]


def test_delays_are_for_regions_only() -> None:
    far = Config.from_names(["us-east-1", "eu-west-1"])
    here, _ = region(far)
    assert here.delay_ns("eu-west-1") > 0
    assert here.delay_ns("") == 0


async def test_listener_knows_links_of_peers_and_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """It lets the tasks run that read from them."""
    known: Counter[Arrivals] = Counter()
    watch = Arrivals.watch

    def count(arrivals: Arrivals, stream: trio.abc.Stream) -> trio.abc.Stream:
        known[arrivals] += 1
        return watch(arrivals, stream)

    monkeypatch.setattr(Arrivals, "watch", count)
    us, _, copied = free_ports(3)
    copy = f'[[region]]\nname = "copy"\nport = {copied}\nreplica_of = ["127.0.0.1:{us}"]\n'
    pair = Config.from_names(["us", "eu"], us - 1)
    configs = {"us": pair, "eu": pair, "copy": read_config(copy)}
    servers = [
        RegionServer(config, name, emit=Reported().report, state=None)
        for name, config in configs.items()
    ]
    for server in servers:
        server.open()
    with trio.fail_after(PATIENCE_SECONDS):
        async with trio.open_nursery() as nursery:
            for server in servers:
                nursery.start_soon(partial(server.run, alone=False))
            while [known[server.arrivals] for server in servers] != [3, 2, 1]:
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
    for server in servers:
        server.close()
