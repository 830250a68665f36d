"""One simulated follower: a read-only copy of one or several regions (Replica Of).

It runs the production `Follower` next to the links by which an instance serves its followers.
It can lose all that it has and begin again with nothing, as a process does that keeps nothing on
disk; it can be promoted, so that it follows nobody and takes writes; and it can follow again, which
deletes what it had become.

Several sources are followed as databases that know nothing of each other, although they are regions
of one: what comes from each has separate names and separate counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crdt.causality.dots import Vector, make_origin
from replication.follow.follower import Follower
from replication.machines.origin_map import Renaming
from replication.mesh.links import Links
from replication.protocol.events import Event, Recovered, Resynced
from replication.protocol.peers import Member
from sim.nodes.client import Reply
from sim.nodes.process import ProcessContext, SimProcess
from sim.schedule.plan import Copy, Tuning

READONLY: Final = b"READONLY this is a copy"


class SimFollower(SimProcess):
    """A follower."""

    def __init__(self, around: ProcessContext, copy: Copy, *, tuning: Tuning) -> None:
        super().__init__(around, copy.name, copy.sources, tuning=tuning)
        self.number = copy.number
        self.sources = copy.sources
        self.beginnings = 0
        """How often it has begun with nothing, `bidden` of them by us."""
        self.bidden = 0
        self.promotions = 0
        self.snapshots = 0
        self.resumptions = 0
        """How often it went on from a backlog."""

    @property
    def dialling_links(self) -> Links:
        return self.follower

    @property
    def is_following(self) -> bool:
        """True if it follows its sources; False after a promotion."""
        return self.is_up and self.follower.following

    @property
    def renamings(self) -> dict[str, Renaming]:
        """The origin map of each source."""
        return self.follower.renamings

    def claims(self) -> dict[str, Vector]:
        """Return the vector applied from each source, with that source's origins."""
        vector = self.replica.keyspace.vector
        return {name: renaming.back(vector) for name, renaming in self.renamings.items()}

    # -- lives -----------------------------------------------------------------------------

    def start_incarnation(self) -> None:
        """Begin a life with nothing, and follow."""
        assert not self.is_up
        self.life += 1
        self.is_up = True
        origin = make_origin(self.number, self.life - 1)
        replica = self.tuning.make_replica(origin, ())
        self.install_replica(replica)
        member = Member(self.name, self.number, origin, "")
        self.links = Links(replica, member, limits=self.tuning.limits)
        self.watch_links(self.links)
        self.add_trace_record("boot", f"life {self.life}, follows {' '.join(self.sources)}")
        self.start_following()

    def lose_memory(self) -> None:
        """Lose everything."""
        self.add_trace_record("crash")
        self.stop_process(is_silent=False)

    def start_following(self) -> None:
        """Become a copy: the snapshot of a source is to replace what is here."""
        self.bidden += 1
        self.follower = Follower(
            self.replica,
            self.links.member,
            self.sources,
            limits=self.tuning.limits,
            serving=self.links,
        )
        self.watch_links(self.follower)
        self.instance.refuse_writes = READONLY
        self.advance_clocks()
        self.start_links()
        self.finish_turn()

    def stop_following(self) -> None:
        """Follow nobody any more; the data stays, and may be written."""
        assert self.is_following
        self.promotions += 1
        self.add_trace_record("promoted")
        self.handle_events(self.follower.promote(self.engine.now))
        self.instance.refuse_writes = None
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

    def seal_outbox(self) -> None:
        """Close what was written into an operation, which a copy never has."""
        if self.replica.keyspace.outbox:
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
        """Hand on what the links say."""
        for event in events:
            if isinstance(event, Resynced):
                self.snapshots += event.full
                self.resumptions += not event.full
            if not isinstance(event, Recovered):  # it has nothing to recover from
                self.around.on_event(self.name, event)
