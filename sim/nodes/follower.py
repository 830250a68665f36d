"""A simulated follower: a read-only copy of one or several regions (Replica Of).

It runs the production `FollowerRole`, next to the links over which an instance serves its
followers. It can lose all that it has and start again with nothing, as a process does that keeps
nothing on disk. It can be promoted: then it follows nobody and takes writes. It can follow again,
which deletes the data that it has then.

Several sources are followed as databases that do not know of each other, although they are regions
of one. Each source's data has origins and counts of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from crdb.region.core.following import FollowerRole
from crdt.causality.dots import Vector, make_origin
from replication.machines.origin_map import Renaming
from replication.mesh.links import Links
from replication.protocol.events import Event, Recovered, Resynced
from replication.protocol.peers import Member
from sim.nodes.client import Reply
from sim.nodes.process import ProcessContext, SimProcess
from sim.schedule.plan import Copy, Tuning
from sim.schedule.step import Words


class SimFollower(SimProcess):
    """A simulated follower."""

    def __init__(self, around: ProcessContext, copy: Copy, *, tuning: Tuning) -> None:
        super().__init__(around, copy.name, copy.sources, tuning=tuning)
        self.number = copy.number
        self.sources = copy.sources
        self.beginnings = 0
        """The number of times that it began with nothing."""
        self.bidden = 0
        """The number of times that the run made it begin with nothing."""
        self.promotions = 0
        self.snapshots = 0
        self.resumptions = 0
        """The number of partial resyncs."""

    @property
    def dialling_links(self) -> Links:
        return self.follower

    @property
    def is_following(self) -> bool:
        """True if it follows its sources; False after a promotion."""
        return self.is_up and self.role.follower is not None

    @property
    def holds_old(self) -> bool:
        """True while it still holds what it had before it followed its sources."""
        return self.follower.holds_old

    @property
    def renamings(self) -> dict[str, Renaming]:
        """The origin map of each source."""
        return self.follower.renamings

    def claims(self) -> dict[str, Vector]:
        """Return the vector applied from each source, with that source's origins."""
        vector = self.replica.keyspace.vector
        return {name: renaming.back(vector) for name, renaming in self.renamings.items()}

    # -- incarnations -----------------------------------------------------------------------------

    def start_incarnation(self) -> None:
        """Start the process with nothing, and follow."""
        assert not self.is_up
        self.starts += 1
        self.is_up = True
        origin = make_origin(self.number, self.starts - 1)
        replica = self.tuning.make_replica(origin, ())
        self.install_replica(replica)
        member = Member(self.name, self.number, origin, "")
        self.links = Links(replica, member, limits=self.tuning.limits)
        self.watch_links(self.links)
        self.role = FollowerRole(
            self.instance, self.links, report=self.report_event, clock=self.read_clock
        )
        self.role.limits = self.tuning.limits
        self.add_trace_record("boot", f"life {self.starts}, follows {' '.join(self.sources)}")
        self.start_following()

    def lose_memory(self) -> None:
        """Lose everything."""
        self.add_trace_record("crash")
        self.stop_process(is_silent=False)

    def start_following(self) -> None:
        """Become a copy: the snapshot of a source replaces the data that is here."""
        self.bidden += 1
        self.follower = self.role.follow(self.sources, ())
        self.watch_links(self.follower)
        self.advance_clocks()
        self.start_links()
        self.finish_turn()

    def stop_following(self) -> None:
        """Follow nobody any more. The data stays, and clients may write."""
        assert self.is_following
        self.promotions += 1
        self.handle_events(self.role.promote())
        self.finish_turn()
        self.state_hash.mark_all_dirty()
        changes = self.state_hash.take_changes()
        for checker in self.around.checkers:
            checker.on_promotion(self, changes)

    # -- turns -----------------------------------------------------------------------------

    def run_commands(self, *commands: Sequence[str]) -> list[Reply]:
        """Run a client's commands as one turn. Return the replies."""
        replies = self.run_in_turn(*commands)
        self.finish_turn()
        return replies

    def before_commands(self, session: int, commands: Sequence[Words]) -> None:
        for checker in self.around.checkers:
            checker.before_follower_commands(self, session, commands)

    def after_commands(
        self, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        for checker in self.around.checkers:
            checker.on_follower_replies(self, session, commands, replies)

    def seal_outbox(self) -> None:
        """Seal what was written into an op. Only a promoted follower has writes."""
        if self.replica.keyspace.pending_count():
            self.replica.seal()
            self.links.wake()

    def show_changes(self) -> None:
        """Show the checkers what has changed."""
        replica = self.replica
        jumps = replica.merges + replica.history.jumps
        if (
            not self.state_hash.dirty
            and replica.history.stop == self.read_to
            and jumps == self.merges
        ):
            return
        self.read_to = replica.history.stop
        if jumps != self.merges:
            self.merges = jumps
            self.state_hash.mark_all_dirty()
        if replica.causal_buffer is not self.causal_buffer:
            self.causal_buffer = (
                replica.causal_buffer
            )  # a replica that loses everything gets another one
            self.beginnings += 1
            self.add_trace_record("begins", "with nothing")
        self.links.wake()
        changes = self.state_hash.take_changes()
        for checker in self.around.checkers:
            checker.on_follower_turn(self, changes)

    def handle_events(self, events: list[Event]) -> None:
        """Pass the events of the links on to the policies and the world."""
        for event in events:
            if isinstance(event, Resynced):
                self.snapshots += event.full
                self.resumptions += not event.full
            if not isinstance(event, Recovered):  # it has nothing to recover from
                self.around.on_event(self.name, event)
        self.role.refuse_reads()
