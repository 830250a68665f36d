"""The connections of one replica, from their first byte to their last.

A replica dials some of its peers and serves others. A connection that has come in is anonymous
until its Hello. Then it is admitted or refused. An older connection to the same peer, or of the
follower that is the least needed, makes room for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from crdt.embed.replica import Replica
from replication.machines.endpoint import Activity
from replication.machines.receiving.applier import Applier, LocalApplier
from replication.machines.receiving.sink import Sink
from replication.machines.sending.log_reader import LogReader
from replication.machines.sending.source import Source
from replication.mesh.absence import CUT
from replication.mesh.admission import (
    FOLLOWERS_MAX,
    refuse_circle,
    refuse_follower,
    refuse_region,
    refuse_rival,
)
from replication.mesh.convergence_query import ConvergenceQueries
from replication.mesh.fairness import follower_to_replace, oldest_of_most_frequent
from replication.mesh.memory import RecoveryState
from replication.mesh.recovery import Recovery
from replication.mesh.registry import Machine, Registry
from replication.mesh.repair import Repair
from replication.mesh.rivals import REPLACED, Rivals, describe_rival
from replication.mesh.roster import Roster, describe_change
from replication.protocol.errors import LinkCut
from replication.protocol.events import Event, Unlisted
from replication.protocol.frames import FOLLOWER, Hello
from replication.protocol.limits import Limits
from replication.protocol.membership_view import MembershipView
from replication.protocol.peers import Direction, Member, Peer

AWAITING_HELLO_MAX: Final = 64  # connections without a Hello; beyond it the oldest is closed


class Connections(Registry):
    """The connections of one replica. `Links` adds what their frames cause."""

    def __init__(
        self, replica: Replica, member: Member, peers: Iterable[Peer], limits: Limits
    ) -> None:
        super().__init__(peers)
        self.replica = replica
        self.member = member
        self.limits = limits
        self.log_reader = LogReader(replica, member, limits)
        self.local_applier = LocalApplier(replica)
        self.membership = MembershipView(replica)
        self.repair = Repair(limits)
        self.roster = Roster(replica, self.membership, member.members)
        dialled = [peer.name for peer in self.peers.values() if peer.routes != ()]
        self.memory = RecoveryState(replica, self.log_reader, self.membership, dialled)
        self.convergence_queries = ConvergenceQueries(replica)
        self.rivals = Rivals(member.name)
        self.activity = Activity()
        self.collects = True
        """True if garbage is collected. False while the replica may not write (see `collect`)."""

    @property
    def recovery(self) -> Recovery:
        """The recovery that must be over before we may write again."""
        return self.memory.recovery

    # -- for `Links` to implement --------------------------------------------------------------

    def handle(self, end: Machine, events: list[Event], now: int) -> list[Event]:
        """Process the events of one link. Return them with those that they cause."""
        raise NotImplementedError

    def rearm(self, deadline: int) -> None:
        """Let `tick` be called at `deadline` (ns) at the latest."""
        raise NotImplementedError

    # -- opening -------------------------------------------------------------------------------

    def dial(self, peer: str, now: int) -> Sink:
        """Return a machine for a new connection to `peer`. An older connection to the same peer is
        closed. Raises LinkCut, UnknownPeer."""
        expected = self.known(peer)
        if self.is_cut(peer, Direction.IN):
            raise LinkCut(peer)
        self.replace_connection(self.sinks.get(peer), now)
        sink = Sink(self.applier_for(peer), expected, self.make_hello(peer), now, self.limits)
        sink.tally = self.tally(peer, Direction.IN)
        sink.activity = self.activity
        sink.defers = lambda: self.is_loading() and not self.recovery.is_over
        self.sinks[peer] = sink
        self.rearm(sink.deadline)
        return sink

    def missed(self, peer: str) -> None:
        """Record that an attempt to reach `peer` failed before there was a machine for it."""
        self.recovery.record_failure(peer)

    def serve(self, now: int, address: str = "") -> Source:
        """Return a machine for a connection that has come in from `address`."""
        while len(self.awaiting_hello) >= AWAITING_HELLO_MAX:
            self.replace_connection(oldest_of_most_frequent(self.awaiting_hello), now)
        source = Source(self.log_reader, now)
        source.address = address
        source.activity = self.activity
        self.awaiting_hello.append(source)
        self.rearm(source.deadline)
        return source

    def applier_for(self, _peer: str) -> Applier:
        """Return the applier of the operations that a peer sends."""
        return self.local_applier

    def make_hello(self, _peer: str) -> Hello:
        """Return the Hello for a peer that we dial."""
        return self.log_reader.hello()

    def replace_connection(self, end: Machine | None, now: int) -> None:
        """Close a connection that a newer one replaces."""
        if end is not None:
            self.handle(end, end.close(REPLACED), now)

    # -- admission -----------------------------------------------------------------------------

    def admit_peer(self, end: Machine, hello: Hello, now: int) -> str:
        """Admit a peer that has sent its Hello. Return the reason if it is refused."""
        if isinstance(end, Source) and hello.role == FOLLOWER:
            return self.admit_follower(end, hello, now)
        expected = end.expected.name if isinstance(end, Sink) else ""
        if reason := refuse_region(self.member, self.peers, hello, expected):
            return reason
        linked = [other.peer for other in self.ends() if other.membership is not None]
        if reason := self.roster.find_contradiction(hello, linked):
            return reason
        peer = self.peers.get(hello.name) or Peer(hello.name, hello.region, is_guest=True)
        if self.is_cut(peer.name, end.direction):
            return CUT
        if reason := self.settle_rivalry(end, peer.name, hello, now):
            return reason
        end.membership = self.membership
        if isinstance(end, Source):
            self.replace_connection(self.sources.get(peer.name), now)
            self.awaiting_hello.remove(end)
            self.sources[peer.name] = end
            self.peers[peer.name] = peer
            end.tally = self.tally(peer.name, end.direction)
            end.pace = self.log_reader.pace(end.peer)
        else:
            self.repair.forget_refusals(peer.name)
        return ""

    def settle_rivalry(self, end: Machine, peer: str, hello: Hello, now: int) -> str:
        """Keep links with one process of a region that seems to run twice. Return the reason if the
        one that has sent `hello` is refused.

        The process that we have dialled is kept, as our file gives its address, and only it can
        send us what it writes. Else the process that we are linked with is kept while it is alive.
        """
        source = self.sources.get(peer)
        if isinstance(end, Source):
            return refuse_rival(hello, [self.sinks.get(peer), source], now)
        if source is not None and source.hello is not None and source.hello.origin != hello.origin:
            self.handle(source, source.close(describe_rival(peer)), now)
        return ""

    def admit_follower(self, end: Source, hello: Hello, now: int) -> str:
        """Admit a follower; another may be closed for it. Return the reason if it is refused."""
        count = len(self.followers)
        victim = follower_to_replace(self.followers, end) if count >= FOLLOWERS_MAX else None
        count -= victim is not None
        reason = refuse_follower(self.member, hello, followers=count, has_recovered=self.collects)
        reason = reason or refuse_circle(self.member, hello, self.upstream)
        if reason:
            return reason
        self.replace_connection(victim, now)
        self.awaiting_hello.remove(end)
        self.followers.append(end)
        return ""

    # -- removal -------------------------------------------------------------------------------

    def remove_end(self, end: Machine) -> None:
        """Remove the end of a link that has closed."""
        self.convergence_queries.remove_link(end)
        if isinstance(end, Sink):
            if self.sinks.get(end.peer) is end:
                del self.sinks[end.peer]
            return
        if self.sources.get(end.peer) is end:
            del self.sources[end.peer]
            if self.peers[end.peer].is_guest:
                self.forget_guest(end.peer)
        for waiting in (self.followers, self.awaiting_hello):
            if end in waiting:
                waiting.remove(end)

    def forget_guest(self, name: str) -> None:
        """Remove a guest whose link has closed. It is added again when it connects."""
        del self.peers[name]
        self.tallies.pop((name, Direction.OUT), None)
        self.roster.forget_peer(name)
        self.log_reader.others = self.roster.others

    def record_members(self, end: Machine, hello: Hello, now: int) -> list[Event]:
        """Record the regions that a peer lists. If our other peers do not know of them, their links
        connect again, so that they do before they receive an operation of such a region."""
        events: list[Event] = []
        listed = dict(hello.members).values()
        if isinstance(end, Sink) and listed and self.member.name not in listed:
            events.append(Unlisted(end.peer))
        before = self.roster.others
        must_announce = self.roster.record_lists(hello)
        difference = self.roster.compare_with(hello.name)
        events += [] if difference is None else [difference]
        if must_announce:
            self.log_reader.others = self.roster.others
            reason = describe_change(hello.name, before, self.roster.others)
            events += self.reconnect_members(reason, now, besides=end)
        return events

    def reconnect_members(
        self, reason: str, now: int, *, besides: Machine | None = None
    ) -> list[Event]:
        """Close the links with members, except `besides`. They receive our lists when they connect
        again."""
        events: list[Event] = []
        for end in self.ends():
            if end is not besides and end.hello is not None and end.membership is not None:
                events += self.handle(end, end.close(reason), now)
        return events
