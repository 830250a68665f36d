"""All links of one replica: which there are, which are cut, who repairs a gap, what is stable.

Pure: the driver (`link.py`) or the simulator owns the streams and the clock, and does this:

    links = Links(replica, Member("eu", 2, replica.origin, "shop"), [Peer("us", 1, (1,)), ...])
    to dial:       sink = links.dial("us", now)        raises LinkCut
    to serve:      source = links.serve(now)
    both:          end.notify = wake_the_writer
                   when the `channel` is proven: while end.ready: send(end.frames_to_send())
    frame comes:   events = links.receive(end, frame, now)
    stream ends:   events = links.receive(end, Eof("reset"), now)
    op sealed:     links.wake()                        once per turn is enough
    in time:       events = links.tick(now)            at `links.deadline` at the latest

After each of these, some ends may have frames to send; their `notify` was called. An end that is
`closed` sends what is left, and hangs up. `now` is nanoseconds of a monotone clock. The wall clock
is the replica's: call `replica.advance(ms)` before `tick`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

import attrs

from crdt.causality.dots import SEQ_MAX, Origin, dominates
from crdt.embed.replica import Replica
from replication.machines.applier import Direct, Inlet, with_waiting
from replication.machines.endpoint import NEVER
from replication.machines.log_reader import Feed
from replication.machines.sink import Sink, SinkState
from replication.machines.source import Source
from replication.mesh.absence import Absence
from replication.mesh.admission import FOLLOWERS_MAX, refuse_circle, refuse_follower, refuse_region
from replication.mesh.fairness import follower_to_replace, oldest_of_most_frequent
from replication.mesh.lost import Losses
from replication.mesh.memory import Memory
from replication.mesh.recovery import Recovery
from replication.mesh.registry import Machine, Registry
from replication.mesh.repair import Repair
from replication.mesh.roster import Roster
from replication.mesh.settle_query import Questions
from replication.mesh.skew import Skews
from replication.protocol.errors import LinkCut, RemoteProtocolError
from replication.protocol.events import (
    CaughtUp,
    ClockSkew,
    Closed,
    Connected,
    EarlierLife,
    Event,
    GapUnfilled,
    Inquiry,
    LackHeard,
    Merged,
    OpsTaken,
    Reported,
    Resynced,
    SnapshotWanted,
    Unlisted,
    Unproven,
    ViewHeard,
)
from replication.protocol.frames import FOLLOWER, Frame, Hello
from replication.protocol.limits import Limits
from replication.protocol.membership_view import Lives
from replication.protocol.peers import Direction, Member, Peer

GREETING_MAX: Final = 64  # connections that have not said who they are; then one must go


def ignore(_peer: str = "") -> None:
    """News that nobody wants."""


class Links(Registry):
    """The links of one replica. `healed` is called with the peer's name when a link that we dial
    may be dialled again, `sooner` when `deadline` has come nearer since the last `tick`."""

    def __init__(
        self,
        replica: Replica,
        member: Member,
        peers: Iterable[Peer] = (),
        *,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(peers)
        self.replica = replica
        self.member = member
        self.limits = Limits() if limits is None else limits
        self.feed = Feed(replica, member, self.limits)
        self.direct = Direct(replica)
        self.lives = Lives(replica)
        self.repair = Repair(self.limits)
        self.roster = Roster(replica, self.lives, member.members)
        dialled = [peer.name for peer in self.peers.values() if peer.routes != ()]
        self.memory = Memory(replica, self.feed, self.lives, dialled)
        self.absence = Absence()
        self.refused = 0
        """The number of connections that ended because the other end did not prove the secret."""
        self.healed: Callable[[str], None] = ignore
        self.sooner: Callable[[], None] = ignore
        self.questions = Questions(replica)
        self.skews = Skews()
        self.losses = Losses(replica, self.lives)
        self.collects = True
        """Whether garbage is collected: not while a replica may not write (see `collect`)."""
        self.repair_at = NEVER
        self.collect_at = 0
        self.promised = NEVER

    @property
    def recovery(self) -> Recovery:
        """The recovery that must be over before we may write again."""
        return self.memory.recovery

    # -- connections -----------------------------------------------------------------------

    def dial(self, peer: str, now: int) -> Sink:
        """A machine for a new connection to `peer`. Raises LinkCut, UnknownPeer. An older one to
        the same peer is closed."""
        expected = self.known(peer)
        if self.is_cut(peer, Direction.IN):
            raise LinkCut(peer)
        self.retire(self.sinks.get(peer), now)
        sink = Sink(self.inlet(peer), expected, self.introduction(peer), now, self.limits)
        sink.tally = self.tally(peer, Direction.IN)
        self.sinks[peer] = sink
        self.hasten(sink.deadline)
        return sink

    def missed(self, peer: str) -> None:
        """An attempt to reach `peer` has come to nothing, before there was a machine for it."""
        self.recovery.lost(peer)

    def serve(self, now: int, address: str = "") -> Source:
        """Return a machine for a connection that has come in from `address`."""
        while len(self.greeting) >= GREETING_MAX:
            self.retire(oldest_of_most_frequent(self.greeting), now)
        source = Source(self.feed, now)
        source.address = address
        self.greeting.append(source)
        self.hasten(source.deadline)
        return source

    def inlet(self, _peer: str) -> Inlet:
        """Where what comes from a peer is put."""
        return self.direct

    def introduction(self, _peer: str) -> Hello:
        """What we say of ourselves to a peer that we dial."""
        return self.feed.hello()

    def retire(self, end: Machine | None, now: int) -> None:
        """A newer connection takes the place of this one."""
        if end is not None:
            self.handle(end, end.close("replaced by a newer connection"), now)

    def admit(self, end: Machine, hello: Hello, now: int) -> str:
        """Take a peer that has said who it is; or why not."""
        if isinstance(end, Source) and hello.role == FOLLOWER:
            return self.admit_follower(end, hello, now)
        expected = end.expected.name if isinstance(end, Sink) else ""
        if reason := refuse_region(self.member, self.peers, hello, expected):
            return reason
        peer = self.peers.get(hello.name) or Peer(hello.name, hello.region, is_guest=True)
        if self.is_cut(peer.name, end.direction):
            return "the link is cut"
        end.lives = self.lives
        if isinstance(end, Source):
            self.retire(self.sources.get(peer.name), now)
            self.greeting.remove(end)
            self.sources[peer.name] = end
            self.peers[peer.name] = peer
            end.tally = self.tally(peer.name, end.direction)
            end.pace = self.feed.pace(end.peer)
        else:
            self.repair.forget(peer.name)
        return ""

    def admit_follower(self, end: Source, hello: Hello, now: int) -> str:
        """Take a follower; or why not. Some that is there may have to go for it."""
        count = len(self.followers)
        victim = follower_to_replace(self.followers, end) if count >= FOLLOWERS_MAX else None
        count -= victim is not None
        reason = refuse_follower(self.member, hello, followers=count, has_recovered=self.collects)
        reason = reason or refuse_circle(self.member, hello, self.upstream)
        if reason:
            return reason
        self.retire(victim, now)
        self.greeting.remove(end)
        self.followers.append(end)
        return ""

    def forget(self, end: Machine) -> None:
        """A link is over."""
        self.questions.leave(end)
        if isinstance(end, Sink):
            if self.sinks.get(end.peer) is end:
                del self.sinks[end.peer]
            return
        if self.sources.get(end.peer) is end:
            del self.sources[end.peer]
            if self.peers[end.peer].is_guest:
                self.forget_guest(end.peer)
        for waiting in (self.followers, self.greeting):
            if end in waiting:
                waiting.remove(end)

    def forget_guest(self, name: str) -> None:
        """A guest is gone. It is known again when it comes back."""
        del self.peers[name]
        self.tallies.pop((name, Direction.OUT), None)
        self.roster.forget(name)
        self.feed.others = self.roster.others

    def record_members(self, end: Machine, hello: Hello, now: int) -> list[Event]:
        """Take note of the regions that a peer lists. If our peers do not know of them, links
        connect again, so that they do before they get anything of such a region from us."""
        events: list[Event] = []
        listed = dict(hello.members).values()
        if isinstance(end, Sink) and listed and self.member.name not in listed:
            events.append(Unlisted(end.peer))
        if self.roster.record(hello):
            self.feed.others = self.roster.others
            for other in self.ends():
                if other is not end and other.hello is not None and other.lives is not None:
                    events += self.handle(
                        other, other.close("the list of regions has changed"), now
                    )
        return events

    # -- what happens ----------------------------------------------------------------------

    def receive(self, end: Machine, frame: Frame, now: int) -> list[Event]:
        """Take in a frame of one connection, and do all that follows from it. Never raises for
        what a peer sends: the link is closed instead."""
        if end.closed:
            return []
        try:
            events = end.receive(frame, now)
        except RemoteProtocolError as error:
            events = end.close(f"protocol error: {error}")
        events = self.handle(end, events, now)
        self.hasten(min(end.deadline, self.repair_at))
        return events + self.look(now)

    def hasten(self, deadline: int) -> None:
        """Something is due at `deadline`."""
        if deadline < self.promised:
            self.promised = deadline
            self.sooner()

    def broken(self, end: Machine, error: RemoteProtocolError, now: int) -> list[Event]:
        """The bytes that came over a connection were not frames."""
        return self.handle(end, end.close(f"protocol error: {error}"), now)

    def refuse(self, end: Machine, error: RemoteProtocolError, now: int) -> list[Event]:
        """The other end has not proved that it knows the secret of our links, or cannot."""
        self.refused += 1
        end.is_refused = True
        refused = Unproven(end.peer, end.direction, end.address, str(error))
        return [refused, *self.handle(end, end.close(f"refused: {error}"), now)]

    def handle(self, end: Machine, events: list[Event], now: int) -> list[Event]:
        """Do what follows from what has happened on one link."""
        for event in list(events):
            match event:
                case OpsTaken():
                    if self.replica.gate.queues:
                        self.repair_at = min(self.repair_at, now + self.limits.orphan_ns)
                    self.wake()
                case Reported():
                    events += self.hear(end, event, now)
                case Connected():
                    assert end.hello is not None
                    reason = self.admit(end, end.hello, now)
                    if reason:
                        end.is_refused = True
                        return self.handle(end, end.close(reason), now)
                    end.tally.connects += 1
                    events += self.meet(end, end.hello)
                    if end.lives is not None:
                        events += self.record_members(end, end.hello, now)
                        if self.lives.greeted(end.region, end.hello.origin):
                            events += self.part(now)
                case ViewHeard() | LackHeard():
                    events += self.take_statement(end, event, now)
                case Inquiry():
                    self.questions.hear(end, event.frame)
                case CaughtUp():
                    self.memory.record_caught_up(end.peer, end.hello)
                    self.caught_up.add(end.peer)
                case Resynced():
                    self.repair_at = min(self.repair_at, now)
                case SnapshotWanted():
                    assert isinstance(end, Sink)
                    end.merges = self.replica.merges
                    self.grant(self.replica.merges, now)
                case Merged():
                    self.repair.forget()
                    self.grant(self.replica.merges, now)
                    self.wake()
                case GapUnfilled():
                    self.repair.refuse(event.peer, event.origin)
                    self.repair_at = now
                case Closed():
                    if isinstance(end, Sink):
                        self.recovery.lost(end.peer, event.reason, is_refusal=end.is_refused)
                    self.forget(end)
                    self.grant(self.replica.merges, now)
                case _:
                    pass
        return events

    def meet(self, end: Machine, hello: Hello) -> list[Event]:
        """A peer has been admitted."""
        if isinstance(end, Sink):
            self.recovery.greeted(end.peer)
        elif end.is_follower:
            return []
        elif self.recovery.expect(end.peer):
            self.healed(end.peer)
        if end.region:
            self.questions.join(end, inward=end.direction is Direction.IN)
        mine = self.replica.keyspace.vector
        if self.recovery.shows_earlier_life(hello.vector, mine, self.member.origin):
            return [EarlierLife(end.peer)]
        return []

    def take_statement(self, end: Machine, event: ViewHeard | LackHeard, now: int) -> list[Event]:
        """A member has said which view it has, or who lacks an effect. Others are not asked."""
        if end.lives is None:
            return []
        if isinstance(event, LackHeard):
            return self.losses.take(event.frame, self.ends())
        return self.part(now) if self.lives.heard(end.view_heard) else []

    def part(self, now: int) -> list[Event]:
        """Let go of connections with a member's life that is over."""
        is_over = self.replica.stability.is_over
        events: list[Event] = []
        for end in self.ends():
            if end.lives is not None and end.hello is not None and is_over(end.hello.origin):
                events += self.handle(end, end.close(f"this life of {end.peer} is over"), now)
        return events

    def look(self, now: int) -> list[Event]:
        """Notice if we have recovered just now. If a state came back that had been put aside, links
        connect again, so that peers learn what we hold."""
        if self.recovery.is_over:
            return []
        cut = {peer for peer in self.peers if self.is_cut(peer, Direction.IN)}
        events = self.memory.look(cut, [end.vector for end in self.ends()])
        if len(events) > 1:
            self.repair.forget()
            events += self.close_all("what was put aside is back", now)
        return events

    def awaited(self) -> dict[str, str]:
        """Return the peers whose data we still wait for, and why it is not here."""
        return self.recovery.awaited(
            {peer for peer in self.peers if self.is_cut(peer, Direction.IN)}
        )

    def hear(self, end: Machine, event: Reported, now: int) -> list[Event]:
        """A region says what it has reached."""
        counts = event.region != self.member.region and self.lives.is_member(event.region)
        if counts and end.counts and end.view_heard == self.lives.view:
            self.replica.heard(event.region, event.vector, event.clock)
        if isinstance(end, Sink) and not dominates(self.replica.keyspace.vector, end.vector):
            self.repair_at = min(self.repair_at, now + self.limits.orphan_ns)
        ours = self.replica.keyspace.now
        if event.region == end.region and self.skews.record(end.peer, event.clock, ours, end.trip):
            return [ClockSkew(end.peer, self.skews.of[end.peer])]
        return []

    def wake(self) -> None:
        """The history has grown."""
        for source in self.sources.values():
            if not source.found and source.skip():
                source.notify()
        for source in self.followers:
            if not source.found and source.skip():
                source.notify()

    # -- time ------------------------------------------------------------------------------

    @property
    def deadline(self) -> int:
        """When `tick` wants to be called."""
        ends = [end.deadline for end in self.ends()]
        return min(self.repair_at, self.collect_at, *ends)

    def tick(self, now: int) -> list[Event]:
        """Do what is due on all links: heartbeats, time-outs, gap repair, garbage collection."""
        if now > self.promised + self.limits.silence_ns_max // 2:
            for end in self.ends():
                end.forgive(now)
        if now >= self.collect_at:
            self.collect_at = now + (self.collect() if self.collects else self.limits.collect_ns)
        with suppress(MemoryError):  # what cannot be encoded now stays in the outbox
            if self.replica.seal() is not None:
                self.wake()
        self.absence.look((name for name in self.peers if self.lacks(name)), now)
        events: list[Event] = []
        for end in self.ends():
            if now >= end.deadline:
                events += self.handle(end, end.tick(now), now)
        if now >= self.repair_at:
            events += self.mend(now)
        self.promised = self.deadline
        return events + self.look(now)

    def collect(self) -> int:
        """Forget what nobody needs, and delete what has expired everywhere, or some of it; in how
        many nanoseconds to go on."""
        garbage = self.replica.garbage
        self.replica.collect(self.limits.collect_keys_max)
        pause = 0 if garbage.is_behind else self.limits.collect_ns
        return pause + garbage.done * self.limits.collect_key_ns

    def mend(self, now: int) -> list[Event]:
        """Ask for what has been missing for too long."""
        self.repair_at = NEVER
        self.losses.ask(now)
        events = self.losses.settle(self.ends())
        if any(s.state in (SinkState.LOADING, SinkState.WAITING) for s in self.sinks.values()):
            self.repair_at = now + self.limits.orphan_ns
            return events
        have = with_waiting(self.replica)
        have[self.replica.origin] = SEQ_MAX
        wanted = self.replica.gate.missing(self.replica.keyspace.vector)
        found, donor = self.repair.check(have, wanted, self.sinks, now)
        if donor:
            self.sinks[donor].load()
        if self.repair.gaps or self.repair.helpers:
            self.repair_at = now + self.limits.orphan_ns
        return events + found

    def close_all(self, reason: str, now: int) -> list[Event]:
        """Close every link; they may be dialled again."""
        events: list[Event] = []
        for end in self.ends():
            events += self.handle(end, end.close(reason), now)
        return events

    def reincarnate(self, now: int, least: int = 0) -> Origin:
        """Take a new incarnation, number `least` or one that nobody is known to have used; links
        connect again, and we recover from the beginning. Call it at `OriginReused`, before the next
        write. Return the origin, to be noted on disk. Raises ValueError if none is left.

        If we have written anything, all that is here is put aside until peers have answered, as
        our dots may stand for something else elsewhere (see `aside`).
        """
        origin = self.memory.reincarnate([end.vector for end in self.ends()], least)
        self.take_name()
        self.close_all("a new incarnation", now)
        self.memory.begin_recovery()
        return origin

    def take_name(self) -> None:
        """Introduce ourselves by the origin that the replica has by now."""
        self.member = self.feed.member = attrs.evolve(self.member, origin=self.replica.origin)
        self.lives.renew()

    # -- cuts ------------------------------------------------------------------------------

    def cut(self, peer: str, direction: Direction, now: int) -> list[Event]:
        """Cut one direction: an open link is closed, and none is made until `heal`."""
        self.known(peer)
        self.cuts.add((peer, direction))
        end = (self.sinks if direction is Direction.IN else self.sources).get(peer)
        events = [] if end is None else self.handle(end, end.close("the link is cut"), now)
        return events + self.look(now)

    def heal(self, peer: str, direction: Direction) -> None:
        """Let the link connect again."""
        self.known(peer)
        self.cuts.discard((peer, direction))
        if direction is Direction.IN:
            self.recovery.expect(peer)
            self.healed(peer)

    # -- looking ---------------------------------------------------------------------------

    def lacks(self, peer: str) -> bool:
        """Whether a peer that ought to dial us is not connected."""
        is_served = peer in self.sources or self.is_cut(peer, Direction.OUT)
        return self.peers[peer].serves and not is_served

    def is_away(self, peer: str, direction: Direction, now: int) -> bool:
        """Whether a first attempt to connect has failed since that link was lost or healed."""
        if peer in self.recovery.missed:
            return True
        is_outward = direction is Direction.OUT and self.lacks(peer)
        return is_outward and self.absence.is_long(peer, now)
