"""Follow other instances (Replica Of), and refuse writes of clients during that time. Pure.

An instance that follows is a read-only copy: a snapshot of its sources replaces what it held, and
their operations follow, over links like those between regions. Clients get READONLY for writes.
Promotion ends the links and keeps the data (sections 20.1 to 20.4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from crdb.engine.command import DENY_STALE
from crdb.engine.environment.follow_control import CannotBeFollower
from crdb.engine.errors import READ_ONLY
from crdb.engine.events.event_bases import Report
from crdb.engine.events.operator_events import FollowingEvent, PromotedEvent
from crdb.engine.instance import Instance
from replication.follow.follower import Follower, SourceStatus, check_sources
from replication.machines.receiving.sink_states import SinkState
from replication.mesh.links import Links
from replication.protocol.errors import CannotFollow
from replication.protocol.events import Event
from replication.protocol.limits import Limits
from replication.protocol.secret import is_loopback

HAS_PEERS: Final = (
    "this region is linked with others that take writes; only an instance without peers can follow"
)
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


class FollowerRole:
    """The role of one instance: active, or a read-only copy.

    `links` are those over which it serves others. `clock` returns the time of a monotonic clock in
    ns.
    """

    def __init__(
        self, instance: Instance, links: Links, *, report: Report, clock: Callable[[], int]
    ) -> None:
        self.instance = instance
        self.links = links
        self.report = report
        self.clock = clock
        self.has_secret = False
        """True if it can prove a secret to sources on other machines."""
        self.limits: Limits | None = None
        """The limits of the links to sources; None for the usual ones."""
        self.follower: Follower | None = None
        """The links to the sources; None while it follows nobody."""
        instance.config.on_change.append(self.refuse_reads)

    def follow(self, names: Sequence[str], hosts: Sequence[str]) -> Follower:
        """Become a copy of the sources of these names, which run on `hosts`. An earlier copy begins
        again. Return the links to dial.

        Raises CannotBeFollower, and changes nothing then.
        """
        if self.links.peers:
            raise CannotBeFollower(HAS_PEERS)
        try:
            check_sources(names)
        except CannotFollow as fault:
            raise CannotBeFollower(str(fault)) from None
        if not self.has_secret and not all(is_loopback(host) for host in hosts):
            raise CannotBeFollower(WITHOUT_SECRET)
        if self.follower is not None:
            self.follower.promote(self.clock())
        links = self.links
        follower = Follower(links.replica, links.member, names, limits=self.limits, serving=links)
        self.follower = follower
        self.instance.role = b"replica"
        self.instance.refuse_writes = READ_ONLY
        self.instance.blocked.refuse_waiting(BECAME_REPLICA)
        self.refuse_reads()
        self.report(FollowingEvent(sources=list(names)))
        return follower

    def promote(self) -> list[Event]:
        """Stop following: the data stays, and clients may write. Return the events of the links
        that close. Do nothing in an active instance."""
        if self.follower is None:
            return []
        events = self.follower.promote(self.clock())
        self.follower = None
        self.instance.role = b"master"
        self.instance.refuse_writes = None
        self.refuse_reads()
        self.report(PromotedEvent())
        return events

    def refuse_reads(self) -> None:
        """Refuse reads with MASTERDOWN while a source is away, unless stale reads are allowed. Call
        this after each event of the links to sources."""
        follower = self.follower
        is_down = follower is not None and not all(
            peer in follower.sinks and follower.sinks[peer].state is SinkState.STREAMING
            for peer in follower.peers
        )
        refuses = is_down and not self.instance.config.serves_stale
        self.instance.refuse(DENY_STALE, MASTERDOWN if refuses else None)

    def describe(self) -> str:
        """Return the role for the live view. A copy adds its worst source status."""
        if self.follower is None:
            return "active"
        found = {report.status for report in self.follower.reports(self.clock())}
        worst = next(status for status in SourceStatus if status in found)  # the worst come first
        return f"read-only copy, {worst.value}"

    def first_source_state(self) -> str:
        """Return the state of the link to the first source, in the terms of ROLE."""
        assert self.follower is not None
        return STATES[self.follower.reports(self.clock())[0].status]
