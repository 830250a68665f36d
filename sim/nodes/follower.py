"""One simulated follower: a read-only copy of one or several regions (Replica Of).

It runs the production `Follower` beside the links by which an instance serves followers of its own.
It can lose all that it has and begin again with nothing, as a process does that keeps nothing on
disk; it can be promoted, so that it follows nobody and takes writes; and it can follow again, which
deletes what it had become.

Several sources are followed as databases that know nothing of each other, although they are regions
of one: what comes from each is under names of its own, and counts of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crdt.causality.dots import Vector, make_origin
from crdt.embed.replica import Replica
from replication.follow.follower import Follower
from replication.machines.origin_map import Renaming
from replication.mesh.links import Links
from replication.protocol.events import Event, Recovered, Resynced
from replication.protocol.peers import Member
from sim.nodes.client import Reply
from sim.nodes.host import Host, Surroundings
from sim.schedule.plan import Copy, Tuning

READONLY: Final = b"READONLY this is a copy"


class FollowerSite(Host):
    """A follower."""

    def __init__(self, around: Surroundings, copy: Copy, *, tuning: Tuning) -> None:
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
    def dialling(self) -> Links:
        return self.follower

    @property
    def is_following(self) -> bool:
        """Whether it is a copy now, and not a database of its own."""
        return self.is_up and self.follower.following

    @property
    def renamings(self) -> dict[str, Renaming]:
        """What the regions of each source are called here."""
        return self.follower.renamings

    def claims(self) -> dict[str, Vector]:
        """What has been applied of each source, in its words."""
        vector = self.replica.keyspace.vector
        return {name: renaming.back(vector) for name, renaming in self.renamings.items()}

    # -- lives -----------------------------------------------------------------------------

    def boot(self) -> None:
        """Begin a life with nothing, and follow."""
        assert not self.is_up
        self.life += 1
        self.is_up = True
        origin = make_origin(self.number, self.life - 1)
        replica = Replica(origin, members=(), history_bytes=self.tuning.history_bytes)
        self.tuning.furnish(replica)
        self.furnish(replica)
        member = Member(self.name, self.number, origin, "")
        self.links = Links(replica, member, limits=self.tuning.limits)
        self.watch(self.links)
        self.note("boot", f"life {self.life}, follows {' '.join(self.sources)}")
        self.follow()

    def crash(self) -> None:
        """Lose everything."""
        self.note("crash")
        self.end(is_silent=False)

    def follow(self) -> None:
        """Become a copy: what is here is deleted."""
        self.bidden += 1
        self.follower = Follower(
            self.replica,
            self.links.member,
            self.sources,
            limits=self.tuning.limits,
            serving=self.links,
        )
        self.watch(self.follower)
        self.instance.refuse_writes = READONLY
        self.advance()
        self.begin()
        self.finish_turn()

    def promote(self) -> None:
        """Follow nobody any more; the data stays, and may be written."""
        assert self.is_following
        self.promotions += 1
        self.note("promoted")
        self.report(self.follower.promote(self.engine.now))
        self.instance.refuse_writes = None
        self.finish_turn()
        self.mirror.soil()
        changes = self.mirror.refresh()
        for checker in self.around.checkers:
            checker.promoted(self, changes)

    # -- turns -----------------------------------------------------------------------------

    def run(self, *commands: Sequence[str]) -> list[Reply]:
        """What a client asks, and what it is told."""
        replies = self.ask(*commands)
        self.finish_turn()
        return replies

    def seal(self) -> None:
        """Close what was written into an operation, which a copy never has."""
        if self.replica.keyspace.outbox:
            self.replica.seal()
            self.links.wake()

    def look(self) -> None:
        """Show the checkers what has changed."""
        replica = self.replica
        jumps = replica.merges + replica.history.jumps
        if not self.mirror.dirty and replica.history.stop == self.read_to and jumps == self.merges:
            return
        self.read_to = replica.history.stop
        if jumps != self.merges:
            self.merges = jumps
            self.mirror.soil()
        if replica.gate is not self.gate:
            self.gate = replica.gate  # a replica that loses everything gets another one
            self.beginnings += 1
            self.note("begins", "with nothing")
        self.links.wake()
        changes = self.mirror.refresh()
        for checker in self.around.checkers:
            checker.followed(self, changes)

    def report(self, events: list[Event]) -> None:
        """Hand on what the links say."""
        for event in events:
            if isinstance(event, Resynced):
                self.snapshots += event.full
                self.resumptions += not event.full
            if not isinstance(event, Recovered):  # it has nothing to recover from
                self.around.on_event(self.name, event)
