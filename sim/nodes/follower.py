"""A simulated follower: a read-only copy of one or several regions (Replica Of).

It runs the production `FollowerRole`, and also the links that serve other followers. A follower
can crash and restart empty, like a process without persistence. It can be promoted: it then stops
following and accepts writes. It can also follow again, which deletes its data.

A follower treats several sources as unrelated databases, although they are regions of one database.
The data of each source gets its own origins and its own counters.
"""

from __future__ import annotations

from collections.abc import Sequence

from crdb.engine.environment.follow_control import Address, CannotBeFollower
from crdb.region.core.following import FollowerRole
from crdb.region.report.link_lines import add_link_lines
from crdb.region.report.source_lines import Lines, source_lines
from crdt.causality.dots import Vector, make_origin
from crdt.testing.peeking import Peek
from replication.machines.receiving.origin_map import OriginMap
from replication.machines.receiving.sink_states import SinkState
from replication.mesh.links import Links
from replication.protocol.events import Event, Recovered, Resynced
from replication.protocol.peers import Member
from sim.network.wire import Wire
from sim.nodes.client import Reply
from sim.nodes.linked_process import LinkedProcess
from sim.nodes.process import ProcessContext
from sim.schedule.plan import Copy, Tuning
from sim.schedule.step import Words


class SimFollowControl:
    """The reply to ROLE of a simulated follower. REPLICAOF is not simulated."""

    def __init__(self, role: FollowerRole) -> None:
        self.role = role
        self.link_port = 0

    def follow(self, sources: Sequence[Address]) -> None:
        raise CannotBeFollower("the run itself decides who follows whom")

    def promote(self) -> None:
        raise CannotBeFollower("the run itself decides who is promoted")

    def sources(self) -> Sequence[Address]:
        follower = self.role.follower
        return () if follower is None else [(name, 0) for name in follower.peers]

    def state(self) -> str:
        return self.role.first_source_state()


class SimFollower(LinkedProcess):
    """A simulated follower."""

    def __init__(self, around: ProcessContext, copy: Copy, *, tuning: Tuning) -> None:
        super().__init__(around, copy.name, copy.sources, tuning=tuning)
        self.number = copy.number
        self.sources = copy.sources
        self.beginnings = 0
        """The number of times that the follower began empty."""
        self.commanded_starts = 0
        """The number of times that the run itself made the follower begin empty."""
        self.promotions = 0
        self.snapshots = 0
        self.resumptions = 0
        """The number of partial resyncs."""
        self.heard: dict[str, tuple[Wire, int]] = {}
        """The connection over which each source has sent something last, and when (ns)."""

    @property
    def dialling_links(self) -> Links:
        return self.follower

    @property
    def is_following(self) -> bool:
        """True if the follower is up and follows its sources; False after a promotion."""
        return self.is_up and self.role.follower is not None

    @property
    def process_starts(self) -> int:
        """The number of times that the process has started, each time without data."""
        return self.starts

    @property
    def holds_old(self) -> bool:
        """True while the follower still holds the data from before it followed its sources."""
        return self.follower.holds_old

    @property
    def keeps_old_data(self) -> bool:
        """True while the follower follows, and still holds the data from before."""
        return self.is_following and self.holds_old

    @property
    def is_loading(self) -> bool:
        """True while the snapshot of the first source is under way."""
        sink = self.follower.sinks.get(self.sources[0])
        return sink is not None and sink.state in {SinkState.WAITING, SinkState.LOADING}

    def silence_ns(self) -> int | None:
        """Return the time (ns) since the first source has sent something over the present
        connection; None if there is no connection."""
        wire, at = self.heard.get(self.sources[0], (None, 0))
        is_present = wire is not None and self.connectors[self.sources[0]].wire is wire
        return self.engine.now - at if is_present else None

    @property
    def origin_maps(self) -> dict[str, OriginMap]:
        """The origin map of each source."""
        return self.follower.origin_maps

    def claims(self) -> dict[str, Vector]:
        """Return the vector applied from each source, in the origins of that source."""
        vector = self.replica.keyspace.vector
        return {name: origin_map.back(vector) for name, origin_map in self.origin_maps.items()}

    # -- incarnations -----------------------------------------------------------------------------

    def start_incarnation(self) -> None:
        """Start the process empty, and follow its sources."""
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
        self.instance.following = SimFollowControl(self.role)
        add_link_lines(self.instance, self.links, self.read_clock)
        self.instance.info_sections["replication"].append(self.info_lines)
        self.add_trace_record("boot", f"life {self.starts}, follows {' '.join(self.sources)}")
        self.start_following()

    def info_lines(self) -> Lines:
        """Return the lines of INFO about the sources. Sources have names in place of addresses."""
        follower = self.role.follower
        if follower is None:
            return []
        reports = follower.reports(self.engine.now)
        return source_lines(
            (self.sources[0], 0), reports, sum(self.replica.keyspace.vector.values())
        )

    def lose_memory(self) -> None:
        """Crash: lose everything in memory."""
        self.add_trace_record("crash")
        self.stop_process(is_silent=False)

    def start_following(self) -> None:
        """Follow the sources. The snapshot of a source replaces the present data."""
        self.commanded_starts += 1
        self.follower = self.role.follow(self.sources, ())
        self.watch_links(self.follower)
        self.advance_clocks()
        self.start_links()
        self.finish_turn()

    def stop_following(self) -> None:
        """Promote the follower: it keeps its data, and clients can write."""
        assert self.is_following
        self.promotions += 1
        self.handle_events(self.role.promote())
        self.finish_turn()
        self.state_hash.mark_all_dirty()
        changes = self.state_hash.drain_changes()
        for checker in self.examining("on_promotion"):
            checker.on_promotion(self, changes)

    # -- turns -----------------------------------------------------------------------------

    def receive_bytes(self, wire: Wire, data: bytes) -> None:
        if not wire.over:
            self.heard[wire.peer] = wire, self.engine.now
        super().receive_bytes(wire, data)

    def run_commands(self, *commands: Sequence[str]) -> list[Reply]:
        """Run a client's commands as one turn. Return the replies."""
        replies = self.run_in_turn(*commands)
        self.finish_turn()
        return replies

    def before_commands(self, session: int, commands: Sequence[Words]) -> None:
        for checker in self.examining("before_follower_commands"):
            checker.before_follower_commands(self, session, commands)

    def after_commands(
        self, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        for checker in self.examining("on_follower_replies"):
            checker.on_follower_replies(self, session, commands, replies)

    def show_changes(self) -> None:
        """Pass the changes of this turn to the checkers, if there are any."""
        replica = self.replica
        jumps = replica.merges + replica.history.jumps
        self.note_begun_steps()
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
        with Peek(replica.keyspace):
            changes = self.state_hash.drain_changes()
            for checker in self.around.hooks.listening("on_follower_turn"):
                checker.on_follower_turn(self, changes)

    def handle_events(self, events: list[Event]) -> None:
        """Pass the events of the links on to the policies and the world."""
        for event in events:
            if isinstance(event, Resynced):
                self.snapshots += event.full
                self.resumptions += not event.full
            if not isinstance(event, Recovered):  # a follower has no writes to recover
                self.around.on_event(self.name, event)
        if self.role.follower is not None:
            self.role.refuse_reads()
