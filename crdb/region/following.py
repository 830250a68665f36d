"""Driver: the links of one instance to those that it follows (Replica Of).

`crdb.region.core.following` decides what clients may do during that time.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial

import trio

from crdb.engine.environment.follow_control import Address
from crdb.engine.events.event_bases import Report
from crdb.engine.events.operator_events import ResyncedEvent, SourceDownEvent, SourceUpEvent
from crdb.engine.instance import Instance
from crdb.net.arrivals import Arrivals
from crdb.net.listener import read_clocks
from crdb.region.core.following import FollowerRole
from crdb.region.report.source_lines import Lines, source_lines
from crdb.region.source_address import dialler, join_address
from replication.drivers.links import Driver
from replication.drivers.stream import clock
from replication.follow.follower import Follower
from replication.mesh.links import Links
from replication.protocol.events import Closed, Connected, Event, Resynced
from replication.protocol.secret import LinkSecret


class SourceLinks:
    """The sources of one instance. `links` are those over which it serves others, and `secret` is
    proved to sources; they must know the same."""

    def __init__(
        self,
        instance: Instance,
        links: Links,
        *,
        rng: random.Random,
        secret: LinkSecret,
        report: Report,
    ) -> None:
        self.instance = instance
        self.links = links
        self.arrivals = Arrivals()
        """Watches the links to sources, and all others of the same instance."""
        self.link_port = 0
        """The port at which peers and followers reach this instance."""
        self.rng = rng
        self.report = report
        self.secret = secret
        self.role = FollowerRole(instance, links, report=report, clock=clock)
        self.role.has_secret = secret.is_set
        self.addresses: tuple[Address, ...] = ()
        self.changed = trio.Event()
        instance.following = self
        instance.info_sections.setdefault("replication", []).append(self.lines)

    # -- requests of clients ---------------------------------------------------------------

    def sources(self) -> Sequence[Address]:
        """Return the addresses of the sources that are followed."""
        return self.addresses

    def follow(self, sources: Sequence[Address]) -> None:
        """Start again as a copy of `sources`. Raises CannotBeFollower."""
        names = [join_address(address) for address in sources]
        self.role.follow(names, [host for host, _ in sources])
        self.addresses = tuple(sources)
        self.wake_runner()

    def promote(self) -> None:
        """Stop following. The data stays, and clients may write."""
        self.role.promote()
        if self.addresses:
            self.addresses = ()
            self.wake_runner()

    def wake_runner(self) -> None:
        """Wake `run` to dial the present sources."""
        self.changed.set()
        self.changed = trio.Event()

    # -- running ---------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep links to the present sources, until cancelled."""
        while True:
            changed, follower = self.changed, self.role.follower
            async with trio.open_nursery() as nursery:
                if follower is not None:
                    nursery.start_soon(self.keep_links, follower, self.addresses)
                await changed.wait()
                nursery.cancel_scope.cancel()

    async def keep_links(self, follower: Follower, sources: Sequence[Address]) -> None:
        """Keep a link to each source. The instance may follow others before this has begun."""
        clocks = partial(read_clocks, self.instance)
        driver = Driver(follower, self.rng, self.observe, secret=self.secret, read_clocks=clocks)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(driver.keep_time)
            for address in sources:
                connect = self.arrivals.watching(dialler(address))
                nursery.start_soon(driver.keep_dialling, join_address(address), connect)

    def observe(self, events: list[Event]) -> None:
        """Report events of the links to sources."""
        for event in events:
            match event:
                case Connected(peer=peer):
                    self.report(SourceUpEvent(source=peer))
                case Resynced(peer=peer, full=full):
                    self.report(ResyncedEvent(source=peer, full=full))
                case Closed(peer=peer, reason=reason) if peer:
                    self.report(SourceDownEvent(source=peer, reason=reason))
                case _:
                    pass
        if events:
            self.role.refuse_reads()
            self.instance.serve_dirty_keys()
            self.instance.turn.before_sleep()
            self.links.wake()

    # -- reports ---------------------------------------------------------------------------

    def describe(self) -> str:
        """Return the role for the live view."""
        return self.role.describe()

    def state(self) -> str:
        """Return the state of the link to the first source, in the terms of ROLE."""
        return self.role.first_source_state()

    def lines(self) -> Lines:
        """Return the lines of INFO replication about the sources."""
        lines: Lines = [("crdb_link_port", self.link_port)]
        follower = self.role.follower
        if follower is None:
            return lines
        offset = sum(self.links.replica.keyspace.vector.values())
        return lines + source_lines(self.addresses[0], follower.reports(clock()), offset)
