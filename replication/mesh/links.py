"""All links of one replica: what their frames cause, cuts, gap repair, recovery and reports.

Pure: the driver (`drivers.links`) or the simulator owns the streams and the clock, and does this:

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
from replication.machines.endpoint import NEVER
from replication.machines.receiving.applier import with_waiting
from replication.machines.receiving.sink import Sink
from replication.machines.receiving.sink_states import SinkState
from replication.mesh.absence import CUT, Absence
from replication.mesh.connections import Connections
from replication.mesh.flow import FlowControl
from replication.mesh.lost import Losses
from replication.mesh.registry import Machine
from replication.mesh.roster import lists_region
from replication.mesh.skew import Skews
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import (
    CaughtUp,
    ClockSkew,
    Closed,
    Connected,
    ConvergenceReceived,
    EarlierIncarnation,
    Event,
    GapUnfilled,
    LackReported,
    Merged,
    NotDialled,
    OpsReceived,
    Reported,
    Resynced,
    SnapshotWanted,
    Unproven,
    ViewReceived,
)
from replication.protocol.frames import Frame, Hello
from replication.protocol.limits import Limits
from replication.protocol.peers import Direction, Member, Peer

PARTIAL_PARTS: Final = 8
"""The part of the time between two collections after which one follows that may have left expired
keys, because they were not settled."""


def ignore(_peer: str = "") -> None:
    """Ignore a notification."""


def describe_replaced(peer: str) -> str:
    """Return why a connection with an earlier incarnation of a region is closed."""
    return (
        f"incarnation of {peer} is over: it has restarted. If this repeats, several processes run "
        f"as {peer}: stop all but one"
    )


class Links(Connections):
    """The links of one replica. `healed` is called with the name of a peer that may be dialled
    again, `on_rearm` when `deadline` has become earlier since the last `tick`."""

    def __init__(
        self,
        replica: Replica,
        member: Member,
        peers: Iterable[Peer] = (),
        *,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(replica, member, peers, Limits() if limits is None else limits)
        self.log_reader.on_sealed = self.wake
        self.absence = Absence()
        self.refused = 0
        """The number of connections that ended because the other end did not prove the secret."""
        self.healed: Callable[[str], None] = ignore
        self.on_rearm: Callable[[], None] = ignore
        self.skews = Skews()
        self.losses = Losses(replica, self.membership)
        self.flow = FlowControl(replica.history, self, self.limits)
        self.repair_at = NEVER
        """The time (ns) at which gaps are looked for."""
        self.looks_for_gaps = False
        """True if there was a gap, a repair peer or an awaited snapshot at the last look."""
        self.collect_at = 0
        self.next_deadline = NEVER

    # -- what happens ----------------------------------------------------------------------

    def receive(self, end: Machine, frame: Frame, now: int) -> list[Event]:
        """Process a frame of one connection and its consequences. A frame that breaks the protocol
        closes the link and raises nothing."""
        if end.closed:
            return []
        try:
            events = end.receive(frame, now)
        except RemoteProtocolError as error:
            events = end.close(f"protocol error: {error}")
        events = self.handle(end, events, now)
        self.rearm(min(end.deadline, self.repair_at))
        return events + self.notice_recovery(now)

    def rearm(self, deadline: int) -> None:
        """Call `on_rearm` if `deadline` is earlier than the next `tick`."""
        if deadline < self.next_deadline:
            self.next_deadline = deadline
            self.on_rearm()

    def broken(self, end: Machine, error: RemoteProtocolError, now: int) -> list[Event]:
        """Close a connection whose bytes were not frames."""
        return self.handle(end, end.close(f"protocol error: {error}"), now)

    def refuse(self, end: Machine, error: RemoteProtocolError, now: int) -> list[Event]:
        """Close a connection whose other end has not proved that it knows the secret."""
        self.refused += 1
        end.is_refused = True
        refused = Unproven(end.peer, end.direction, end.address, str(error))
        return [refused, *self.handle(end, end.close(f"refused: {error}"), now)]

    def handle(self, end: Machine, events: list[Event], now: int) -> list[Event]:
        """Process the events of one link. Return them with those that they cause."""
        self.notice_events(events, now)
        for event in list(events):
            match event:
                case OpsReceived():
                    self.notice_ops(event, now)
                case Reported():
                    events += self.record_report(end, event, now)
                case Connected():
                    assert end.hello is not None
                    reason = self.admit_peer(end, end.hello, now)
                    if reason:
                        end.is_refused = True
                        return self.handle(end, end.close(reason), now)
                    end.tally.connects += 1
                    events += self.on_connected(end, end.hello)
                    if end.membership is not None:
                        events += self.record_members(end, end.hello, now)
                        if self.membership.record_origin(end.region, end.hello.origin):
                            events += self.drop_old_incarnations(now)
                case ViewReceived() | LackReported():
                    events += self.record_statement(end, event, now)
                case ConvergenceReceived():
                    self.convergence_queries.receive(end, event.frame)
                case CaughtUp():
                    self.memory.record_caught_up(end.peer, end.hello)
                    self.caught_up.add(end.peer)
                case Resynced():
                    self.repair_at = min(self.repair_at, now)
                    events += self.rivals.record_link(end.peer)
                case SnapshotWanted():
                    assert isinstance(end, Sink)
                    end.merges = self.replica.merges
                    self.grant_snapshots(self.replica.merges, now)
                case Merged():
                    self.repair.forget_refusals()
                    self.continue_after_merge(end, self.replica.merges, now)
                    if self.replica.causal_buffer.is_empty():
                        self.end_stalls(event.peer, now)
                    self.wake()
                case GapUnfilled():
                    self.repair.record_refusal(event.peer, event.origin)
                    self.repair_at = now
                case Closed():
                    events += self.record_close(end, event.reason)
                    self.remove_end(end)
                    self.grant_snapshots(self.replica.merges, now)
                case _:
                    pass
        return events

    def record_close(self, end: Machine, reason: str) -> list[Event]:
        """Record why a link has ended, before it is removed."""
        is_member = end.membership is not None or isinstance(end, Sink)
        found = self.rivals.record_close(end, reason) if is_member else []
        if isinstance(end, Sink):
            is_reachable = self.rivals.is_told(end, reason)
            self.recovery.record_failure(
                end.peer, reason, is_refusal=end.is_refused, is_reachable=is_reachable
            )
        return found

    def notice_ops(self, event: OpsReceived, now: int) -> None:
        """Send on what has come, and look for gaps if some of it waits."""
        if not self.replica.causal_buffer.is_empty():
            self.look_soon(now)
        elif event.applied:
            self.end_stalls(event.peer, now)
        self.wake()

    def look_soon(self, now: int) -> None:
        """Look for gaps before `no_link_delay_ns` has passed, since something has happened."""
        self.repair_at = min(self.repair_at, now + self.limits.no_link_delay_ns)
        self.rearm(self.repair_at)

    def end_stalls(self, peer: str, now: int) -> None:
        """Resume the stalled links at once, since data of `peer` has emptied the causal buffer. The
        link of `peer` itself stalls until its time: its next operation may be larger than the
        buffer."""
        for sink in self.sinks.values():
            if sink.state is SinkState.STALLED and sink.peer != peer:
                sink.resume(now)

    def on_connected(self, end: Machine, hello: Hello) -> list[Event]:
        """Start recovery and convergence queries over the link of a peer that was admitted."""
        if isinstance(end, Sink):
            self.recovery.record_hello(end.peer)
        elif end.is_follower:
            return []
        elif self.recovery.expect_peer(end.peer):
            self.healed(end.peer)
        if end.region:
            self.convergence_queries.add_link(
                end,
                inward=end.direction is Direction.IN,
                is_one_way=self.peers[end.peer].is_guest
                or not lists_region(hello.members, self.member.region),
            )
        mine = self.replica.keyspace.vector
        if self.recovery.shows_earlier_incarnation(hello.vector, mine, self.member.origin):
            return [EarlierIncarnation(end.peer)]
        return []

    def record_statement(self, end: Machine, event: Event, now: int) -> list[Event]:
        """Process a membership view, or a statement about a lost effect, of a member."""
        if end.membership is None:
            return []
        if isinstance(event, LackReported):
            return self.losses.receive_statement(event.frame, self.ends())
        changed = self.membership.merge_view(end.view_received)
        return self.drop_old_incarnations(now) if changed else []

    def drop_old_incarnations(self, now: int) -> list[Event]:
        """Close connections with incarnations of members that are over."""
        is_over = self.replica.stability.is_over
        events: list[Event] = []
        for end in self.ends():
            if end.membership is not None and end.hello is not None and is_over(end.hello.origin):
                events += self.handle(end, end.close(describe_replaced(end.peer)), now)
        return events

    def notice_recovery(self, now: int) -> list[Event]:
        """Finish the recovery if nothing is missing. If a state that was put aside has been merged,
        links connect again, so that peers receive our new vector."""
        if self.recovery.is_over:
            return []
        vectors = [end.vector for end in self.ends()]
        events = self.memory.finish_recovery(self.peers_cut_off(), vectors)
        if len(events) > 1:
            self.repair.forget_refusals()
            events += self.close_all("what was put aside is back", now)
        return events

    def awaited(self) -> dict[str, str]:
        """Return the peers whose data the recovery waits for, with the reason."""
        return self.recovery.awaited_peers(self.peers_cut_off())

    def record_report(self, end: Machine, event: Reported, now: int) -> list[Event]:
        """Process a region's report of its vector and clock."""
        counts = event.region != self.member.region and self.membership.is_member(event.region)
        if counts and end.counts and end.view_received == self.membership.view:
            self.replica.count_report(event.region, event.vector, event.clock)
        if isinstance(end, Sink) and not dominates(self.replica.keyspace.vector, end.vector):
            self.look_soon(now)
        ours = self.replica.keyspace.now
        if event.region == end.region and self.skews.record(end.peer, event.clock, ours, end.trip):
            return [ClockSkew(end.peer, self.skews.of[end.peer])]
        return []

    def wake(self) -> None:
        """Wake the links that can send operations that were added to the history."""
        self.end_rest()
        for source in self.sources.values():
            if not source.found and source.skip():
                source.notify()
        for source in self.followers:
            if not source.found and source.skip():
                source.notify()

    def notice_events(self, events: list[Event], now: int) -> None:
        """Look at gaps again, and end the rest if something has happened besides regular
        messages."""
        if self.looks_for_gaps:
            self.look_soon(now)
        for event in events:
            if not isinstance(event, Reported):
                self.end_rest()
                return

    def end_rest(self) -> None:
        """Send regular messages at the usual interval again, since something has happened."""
        activity = self.activity
        activity.count += 1
        if activity.is_resting:
            activity.is_resting = False
            for end in self.ends():
                end.interval_ns = self.limits.heartbeat_ns
            self.rearm(self.deadline)

    # -- time ------------------------------------------------------------------------------

    @property
    def deadline(self) -> int:
        """The time (ns) at which `tick` must be called at the latest."""
        ends = [end.deadline for end in self.ends()]
        return min(self.repair_at, self.collect_at, *ends)

    def tick(self, now: int) -> list[Event]:
        """Do what is due at `now`: heartbeats, time-outs, gap repair, garbage collection."""
        if now > self.next_deadline + self.limits.silence_ns_max // 2:
            for end in self.ends():
                end.reset_silence(now)
        if now >= self.collect_at:
            self.collect_at = now + (self.collect() if self.collects else self.limits.collect_ns)
        with suppress(MemoryError):  # what cannot be encoded now stays in the outbox
            if self.replica.seal() is not None:
                self.wake()
        self.absence.record_absent((name for name in self.peers if self.lacks_incoming(name)), now)
        events: list[Event] = []
        for end in self.ends():
            if now >= end.deadline:
                events += self.handle(end, end.tick(now), now)
        if self.activity.is_resting:
            self.beat_together(now)
        if now >= self.repair_at:
            events += self.repair_gaps(now)
        events += self.flow.tick(now)
        if self.absence.has_long(now):
            unreported = self.absence.find_unreported(self.peers_that_should_dial(), now)
            events += [NotDialled(peer) for peer in unreported]
        if gone := self.roster.drop_gone(now):
            names = ", ".join(name for _, name in gone)
            reason = f"the list of regions has changed: {names} has gone, and no file lists it"
            events += self.reconnect_members(reason, now)
        self.next_deadline = self.deadline
        return events + self.notice_recovery(now)

    def beat_together(self, now: int) -> None:
        """Send the regular messages that may be sent, if any was sent now. The links rest."""
        ends = self.ends()
        if any(end.last_sent_at == now for end in ends):
            for end in ends:
                if not end.closed and end.may_beat(now):
                    end.beat_now(now)

    def collect(self) -> int:
        """Collect some garbage and expired keys. Return the time (ns) until the next collection."""
        garbage = self.replica.garbage
        self.replica.collect(self.limits.collect_keys_max)
        pause = 0 if garbage.is_behind else self.limits.collect_ns
        if garbage.is_partial:
            pause = min(pause, self.limits.collect_ns // PARTIAL_PARTS)
        return pause + garbage.done * self.limits.collect_key_ns

    def repair_gaps(self, now: int) -> list[Event]:
        """Request operations that have been missing for too long. What happens on a link makes the
        next look earlier (see `look_soon`), so this is not called again and again meanwhile."""
        self.repair_at = NEVER
        self.losses.begin_statements(now)
        events = self.losses.apply_statements(self.ends())
        repair = self.repair
        awaiting = (SinkState.LOADING, SinkState.WAITING)
        loads = any(sink.state in awaiting for sink in self.sinks.values())
        if loads:
            repair.release_for_snapshot(self.sinks)
            due = NEVER
        else:
            have = with_waiting(self.replica)
            have[self.replica.origin] = SEQ_MAX
            wanted = self.replica.causal_buffer.missing(self.replica.keyspace.vector)
            found, snapshot_peer = repair.check_gaps(have, wanted, self.sinks, now)
            events += found
            due = repair.due_at
            if snapshot_peer:
                self.sinks[snapshot_peer].load()
                due = now + self.limits.no_link_delay_ns
        self.looks_for_gaps = bool(loads or repair.gaps or repair.repair_peers)
        if self.looks_for_gaps:
            self.repair_at = min(due, self.losses.due_at(now), now + self.limits.heartbeat_ns)
        return events

    def close_all(self, reason: str, now: int) -> list[Event]:
        """Close every link. They may be dialled again."""
        events: list[Event] = []
        for end in self.ends():
            events += self.handle(end, end.close(reason), now)
        return events

    def reincarnate(self, now: int, least: int = 0) -> Origin:
        """Take a new incarnation: number `least`, or one that is not known to be used. All links
        reconnect, and the recovery begins again. Call this at `OriginReused`, before the next
        write. Return the origin, to be noted on disk. Raises ValueError if all are in use.

        If we have written anything, our whole state is put aside until peers have answered, since
        our dots may name other effects elsewhere (see `disputed_state`).
        """
        origin = self.memory.reincarnate([end.vector for end in self.ends()], least)
        self.adopt_origin()
        self.close_all("a new incarnation", now)
        self.memory.begin_recovery()
        return origin

    def adopt_origin(self) -> None:
        """Use the replica's present origin in the Hello of new connections."""
        self.member = self.log_reader.member = attrs.evolve(self.member, origin=self.replica.origin)
        self.membership.renew()

    # -- cuts ------------------------------------------------------------------------------

    def cut(self, peer: str, direction: Direction, now: int) -> list[Event]:
        """Cut one direction: its connection is closed, and no other is made until `heal`."""
        self.known(peer)
        self.cuts.add((peer, direction))
        end = (self.sinks if direction is Direction.IN else self.sources).get(peer)
        events = [] if end is None else self.handle(end, end.close(CUT), now)
        return events + self.notice_recovery(now)

    def heal(self, peer: str, direction: Direction) -> None:
        """Undo `cut`. The link may connect again."""
        self.known(peer)
        self.cuts.discard((peer, direction))
        if direction is Direction.IN:
            self.recovery.expect_peer(peer)
            self.healed(peer)

    # -- queries ---------------------------------------------------------------------------

    def lacks_incoming(self, peer: str) -> bool:
        """Return whether a peer that should dial us is not connected."""
        is_served = peer in self.sources or self.is_cut(peer, Direction.OUT)
        return self.peers[peer].serves and not is_served

    def peers_that_should_dial(self) -> list[str]:
        """Return the peers that are up, since we are connected to them, and that have no reason not
        to dial us: their files list us, and no end has cut the link."""
        return [
            sink.peer
            for sink in self.sinks.values()
            if sink.is_open
            and self.roster.lists_us(sink.peer)
            and self.tally(sink.peer, Direction.OUT).last_error != CUT
        ]

    def is_away(self, peer: str, direction: Direction, now: int) -> bool:
        """Return whether an attempt to connect has failed since that link was lost or healed, or
        whether the peer does not dial us, because its file does not list us."""
        if peer in self.recovery.missed:
            return True
        is_outward = direction is Direction.OUT and self.lacks_incoming(peer)
        return is_outward and (self.absence.is_long(peer, now) or not self.roster.lists_us(peer))
