"""Driver: a running region, with its sockets for clients and peers, and its links.

Clients are served by a `Listener`, peers by a `replication.drivers.links.Driver`; both work on one
`Instance`, and `Sending` brings what clients write to the peers.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import trio

from crdb.commands.table import build_table
from crdb.deployment.config import Config
from crdb.deployment.errors import ConfigError
from crdb.engine.environment.follow_control import CannotBeFollower
from crdb.engine.events.event_bases import Emit, RegionEvent
from crdb.engine.events.operator_events import LinkRefusedEvent, LinksFullEvent
from crdb.engine.instance import Instance
from crdb.net.collector import examine_new
from crdb.net.listener import Listener, read_clocks
from crdb.net.ports import Sockets, open_ports
from crdb.net.process import usable_bytes
from crdb.region.core.incarnations import RegionStart
from crdb.region.core.lifecycle import RegionLifecycle
from crdb.region.core.link_limits import link_limits
from crdb.region.core.link_secret import ReportedAddresses
from crdb.region.core.membership import member_of, parameters, peers_of
from crdb.region.core.recovery import RegionRecovery
from crdb.region.core.staleness import Staleness
from crdb.region.following import SourceLinks
from crdb.region.keeper import Keeper
from crdb.region.report.link_events import link_event
from crdb.region.report.link_lines import add_link_lines
from crdb.region.sending import Sending
from crdb.region.state_directory import begin_incarnation, draw_incarnation
from crdt.causality.dots import make_origin
from crdt.embed.replica import Replica
from replication.drivers.links import Driver
from replication.drivers.stream import clock
from replication.mesh.links import Links
from replication.protocol.events import Event, Unproven
from replication.protocol.secret import LinkSecret

ACCEPT_AGAIN_SECONDS: Final = 0.5
SLICE_KEYS: Final = 500
"""The keys that a slice of work settles: about a millisecond."""


class RegionServer:
    """A region of a CRDB. `state` is the directory where it counts its restarts, if any."""

    def __init__(self, config: Config, name: str, *, emit: Emit, state: Path | None) -> None:
        self.config = config
        self.region = config.region(name)
        self.emit = emit
        start = begin_incarnation(state)
        moment = time.time_ns() if config.seed == 0 else 0 if start.is_first else start.incarnation
        self.rng = random.Random(f"{config.seed}/{name}/{moment}")
        self.replica = Replica(
            make_origin(self.region.id, start.incarnation),
            members=[region.id for region in config.regions],
            history_bytes=config.link.backlog_least,
        )
        self.replica.work_in_slices(SLICE_KEYS)
        self.instance = Instance(
            self.replica,
            build_table(),
            name=name,
            config=parameters(config, self.region),
            rng=self.rng,
        )
        self.instance.report = self.report
        self.instance.allows_test_clock = config.test_clock
        member = member_of(config, self.region, self.replica.origin)
        limits = link_limits(config, usable_bytes())
        self.links = Links(self.replica, member, peers_of(config, self.region), limits=limits)
        add_link_lines(self.instance, self.links, clock)
        secret = LinkSecret.from_text(config.secret)
        self.driver = Driver(
            self.links,
            self.rng,
            self.observe,
            self.delay_ns,
            secret=secret,
            read_clocks=partial(read_clocks, self.instance),
            examine_new=examine_new,
        )
        self.refusals = ReportedAddresses()
        self.sending = Sending(self.instance, self.driver)
        self.following = SourceLinks(
            self.instance, self.links, rng=self.rng, secret=secret, report=self.report
        )
        self.arrivals = self.following.arrivals
        self.following.link_port = self.region.link_port
        staleness = Staleness(self.instance, self.links)
        self.recovery = RegionRecovery(staleness, self.links, self.report)
        lifecycle = RegionLifecycle(self.recovery, draw=draw_incarnation, clock=clock)
        self.keeper = Keeper(state, lifecycle)
        self.delays = {peer: config.delay_ns(name, peer) for peer in self.links.peers}
        self.sockets: Sockets = ([], [])
        self.begin(start)

    @property
    def name(self) -> str:
        """The region's name."""
        return self.region.name

    def begin(self, start: RegionStart) -> None:
        """Follow the sources that the file names, or begin an incarnation. Raises ConfigError."""
        if self.region.replica_of:
            try:
                self.following.follow(self.region.replica_of)
            except CannotBeFollower as fault:
                raise ConfigError(f"region {self.name}: replica_of: {fault}") from None
        else:
            self.keeper.begin(start, start_empty=self.config.start_empty)

    # -- sockets ---------------------------------------------------------------------------

    def open(self) -> None:
        """Take the ports for clients and peers. Raises CannotListen."""
        self.sockets = open_ports(self.region)

    def close(self) -> None:
        """Give the ports back."""
        self.keeper.write_held()
        for sock in (*self.sockets[0], *self.sockets[1]):
            sock.close()
        self.arrivals.close()

    async def run(self, *, alone: bool) -> None:
        """Serve clients and peers until cancelled; `alone` if the process has no other region."""
        for_clients, for_peers = self.sockets
        listeners = [trio.SocketListener(trio.socket.from_stdlib_socket(s)) for s in for_peers]
        async with trio.open_nursery() as nursery:
            listener = Listener(self.instance, for_clients, self.arrivals, busy_polls=alone)
            nursery.start_soon(listener.serve)
            nursery.start_soon(self.sending.run)
            for each in listeners:
                nursery.start_soon(self.accept_links, each, nursery)
            nursery.start_soon(self.driver.keep_time)
            nursery.start_soon(self.following.run)
            nursery.start_soon(self.keeper.run)
            for peer in self.links.peers.values():
                if peer.routes != ():
                    nursery.start_soon(
                        self.driver.keep_dialling, peer.name, self.dialler(peer.name)
                    )

    async def accept_links(self, listener: trio.SocketListener, nursery: trio.Nursery) -> None:
        """Serve peers that connect, until cancelled. Without a free file descriptor they wait."""
        while True:
            try:
                stream = await listener.accept()
            except OSError as fault:
                self.report(LinksFullEvent(reason=fault.strerror or str(fault)))
                await trio.sleep(ACCEPT_AGAIN_SECONDS)
            else:
                nursery.start_soon(self.driver.serve, self.arrivals.watch(stream))

    def dialler(self, peer: str) -> Callable[[], Awaitable[trio.abc.Stream]]:
        """Return the function that connects to a peer."""
        there = self.config.region(peer)
        return self.arrivals.watching(partial(trio.open_tcp_stream, there.host, there.link_port))

    def delay_ns(self, peer: str) -> int:
        """Return the delay (ns) that is added on the way to a peer; 0 for followers and guests."""
        return self.delays.get(peer, 0)

    # -- events ----------------------------------------------------------------------------

    def observe(self, events: list[Event]) -> None:
        """Report events of links, and act on those that concern the region."""
        if not events:
            return
        for event in events:
            shown = link_event(event)
            if shown is not None:
                self.report(shown)
            self.keeper.handle_event(event)
            if isinstance(event, Unproven) and not event.peer:
                self.report_unproven(event)
        self.instance.serve_dirty_keys()
        self.instance.turn.before_sleep()

    def report_unproven(self, event: Unproven) -> None:
        """Report the first connection from an address that did not prove the secret."""
        if self.refusals.is_new(event.address):
            self.report(LinkRefusedEvent(address=event.address, reason=event.reason))

    def report(self, event: RegionEvent) -> None:
        """Emit an event with the name of this region."""
        self.emit(attrs.evolve(event, region=self.name))
