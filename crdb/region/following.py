"""Driver: follow other instances (Replica Of), and refuse clients' writes meanwhile.

An instance that follows is a read-only copy: a snapshot of its sources replaces what it held, and
their operations follow, over links like those between regions. Clients get READONLY for writes.
Promotion ends the links and keeps the data (sections 20.1 to 20.4).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from typing import Final

import trio

from crdb.engine.command import DENY_STALE
from crdb.engine.environment.follow_control import Address, CannotBeFollower
from crdb.engine.event_names import Emit
from crdb.engine.instance import Instance
from crdb.net.listener import read_clocks
from crdb.region.report.source_lines import Lines, source_lines
from crdb.region.source_address import dialler, join_address
from replication.drivers.stream import Driver, clock
from replication.follow.follower import Follower, SourceStatus, check_sources
from replication.machines.sink import SinkState
from replication.mesh.links import Links
from replication.protocol.errors import CannotFollow
from replication.protocol.events import Closed, Connected, Event, Resynced
from replication.protocol.secret import NO_SECRET, is_loopback

READONLY: Final = b"READONLY You can't write against a read only replica."
WITHOUT_SECRET: Final = (
    "this instance has no secret, so it can follow only what runs on this machine; set the "
    "source's `secret` (or `secret_file`, or CRDB_SECRET) here too, and restart"
)
MASTERDOWN: Final = (
    b"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
)
BECAME_REPLICA: Final = (
    b"UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"
)
STATES: Final = {
    SourceStatus.OUT_OF_SYNC: "connect",
    SourceStatus.SYNCING: "sync",
    SourceStatus.IN_SYNC: "connected",
}


class SourceLinks:
    """The sources of one instance. `links` are those over which it serves others."""

    def __init__(
        self,
        instance: Instance,
        links: Links,
        link_port: int,
        *,
        rng: random.Random,
        report: Emit,
    ) -> None:
        self.instance = instance
        self.links = links
        self.link_port = link_port
        self.rng = rng
        self.report = report
        self.secret = NO_SECRET
        """The secret that is proved to sources; they must know the same."""
        self.follower: Follower | None = None
        self.addresses: tuple[Address, ...] = ()
        self.changed = trio.Event()
        instance.following = self
        instance.config.on_change.append(self.refuse_reads)
        instance.info_sections.setdefault("replication", []).append(self.lines)

    # -- what clients ask for --------------------------------------------------------------

    def sources(self) -> Sequence[Address]:
        """Return the addresses of the sources that are followed."""
        return self.addresses

    def follow(self, sources: Sequence[Address]) -> None:
        """Start again as a copy of `sources`. Raises CannotBeFollower."""
        if self.links.peers:
            raise CannotBeFollower(
                "this region is linked with others that take writes; "
                "only an instance without peers can follow"
            )
        names = [join_address(address) for address in sources]
        try:
            check_sources(names)
        except CannotFollow as fault:
            raise CannotBeFollower(str(fault)) from None
        if not self.secret.is_set and not all(is_loopback(host) for host, _ in sources):
            raise CannotBeFollower(WITHOUT_SECRET)
        self.stop()
        self.follower = Follower(self.links.replica, self.links.member, names, serving=self.links)
        self.addresses = tuple(sources)
        self.instance.role = b"replica"
        self.instance.refuse_writes = READONLY
        self.instance.blocked.refuse_waiting(BECAME_REPLICA)
        self.refuse_reads()
        self.report("following", {"sources": names})
        self.wake_runner()

    def promote(self) -> None:
        """Stop following. The data stays, and clients may write."""
        if self.follower is not None:
            self.stop()
            self.instance.role = b"master"
            self.instance.refuse_writes = None
            self.refuse_reads()
            self.report("promoted", {})
            self.wake_runner()

    def stop(self) -> None:
        """Close the links to the sources."""
        if self.follower is not None:
            self.follower.promote(clock())
        self.follower = None
        self.addresses = ()

    def wake_runner(self) -> None:
        """Wake `run` to dial the present sources."""
        self.changed.set()
        self.changed = trio.Event()

    # -- running ---------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep links to the present sources, until cancelled."""
        while True:
            changed, follower = self.changed, self.follower
            async with trio.open_nursery() as nursery:
                if follower is not None:
                    nursery.start_soon(self.drive, follower, self.addresses)
                await changed.wait()
                nursery.cancel_scope.cancel()

    async def drive(self, follower: Follower, sources: Sequence[Address]) -> None:
        """Keep a link to each source. The instance may follow others before this has begun."""
        clocks = partial(read_clocks, self.instance)
        driver = Driver(follower, self.rng, self.observe, secret=self.secret, read_clocks=clocks)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(driver.keep_time)
            for address in sources:
                nursery.start_soon(driver.keep_dialling, join_address(address), dialler(address))

    def observe(self, events: list[Event]) -> None:
        """Report events of the links to sources."""
        for event in events:
            match event:
                case Connected(peer=peer):
                    self.report("source up", {"source": peer})
                case Resynced(peer=peer, full=full):
                    self.report("resynced", {"source": peer, "full": full})
                case Closed(peer=peer, reason=reason) if peer:
                    self.report("source down", {"source": peer, "reason": reason})
                case _:
                    pass
        if events:
            self.refuse_reads()
            self.instance.serve_touched()
            self.links.wake()

    def refuse_reads(self) -> None:
        """Refuse reads with MASTERDOWN while a source is away, unless stale reads are allowed."""
        follower = self.follower
        is_down = follower is not None and not all(
            peer in follower.sinks and follower.sinks[peer].state is SinkState.STREAMING
            for peer in follower.peers
        )
        refuses = is_down and not self.instance.config.serves_stale
        self.instance.refuse(DENY_STALE, MASTERDOWN if refuses else None)

    # -- looking ---------------------------------------------------------------------------

    def role(self) -> str:
        """Return the role for the live view. A copy adds its worst source status."""
        if self.follower is None:
            return "active"
        found = {report.status for report in self.follower.reports(clock())}
        worst = next(status for status in SourceStatus if status in found)  # the worst come first
        return f"read-only copy, {worst.value}"

    def state(self) -> str:
        """Return the state of the link to the first source, in the terms of ROLE."""
        assert self.follower is not None
        return STATES[self.follower.reports(clock())[0].status]

    def lines(self) -> Lines:
        """Return the lines of INFO replication about the sources."""
        lines: Lines = [("crdb_link_port", self.link_port)]
        if self.follower is None:
            return lines
        offset = sum(self.links.replica.keyspace.vector.values())
        return lines + source_lines(self.addresses[0], self.follower.reports(clock()), offset)
