"""A simulated region: the production database, its links and its policies, with a simulated disk.

A region can lose everything in memory (a crash). It restarts empty or from a kept snapshot, under a
new incarnation. All decisions are made by `crdb.region.core`. The simulator chooses the content of
the disk at a restart. The parts common to all processes are in `process`.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from functools import partial
from typing import Final

import attrs

from crdb.deployment.config import Config
from crdb.engine.events.event_bases import RegionEvent
from crdb.engine.events.operator_events import DataLostEvent
from crdb.region.core.incarnations import RegionStart, choose_incarnation
from crdb.region.core.lifecycle import RegionLifecycle
from crdb.region.core.membership import member_of, peers_of
from crdb.region.core.recovery import RegionRecovery
from crdb.region.core.staleness import Staleness
from crdb.region.report.link_info import ProcessLinks
from crdb.region.report.link_lines import add_link_lines
from crdt.causality.dots import (
    INCARNATION_MAX,
    Origin,
    Vector,
    incarnation_of,
    lacking,
    make_origin,
)
from crdt.causality.op import Op
from crdt.embed.replica import Replica
from crdt.testing.peeking import Peek
from replication.machines.sending.source import Source
from replication.mesh.links import Links
from replication.protocol.events import (
    Closed,
    Connected,
    Event,
    GapFound,
    OriginReused,
    Recovered,
)
from replication.protocol.frames import Hello
from sim.engine.checker import Violation
from sim.nodes.client import Reply, SimClient
from sim.nodes.linked_process import LinkedProcess
from sim.nodes.process import ProcessContext
from sim.nodes.run_history import Entry
from sim.schedule.plan import CLUSTER, Tuning
from sim.schedule.step import Words

STARTS_MAX: Final = 1000  # starts of one region in one run


class Start(enum.Enum):
    """The content of a region's state directory at a restart."""

    COUNTED = "counted"
    """The directory is as the region left it."""
    REUSED = "reused"
    """The incarnation number is one too low, as in a backup from before the last start. The region
    uses the number of its latest incarnation again."""
    UNAWARE = "unaware"
    """The directory is empty. The region draws a number and writes immediately, like a new one."""


@attrs.define
class SimStateDirectory:
    """The files of a region: the number of its latest incarnation, and its held vector."""

    incarnation: int | None = None
    held: Vector | None = None


class SimRegion(LinkedProcess):
    """A simulated region."""

    def __init__(
        self,
        around: ProcessContext,
        name: str,
        *,
        tuning: Tuning,
        config: Config,
    ) -> None:
        """Create a region that is down. `config` lists all regions."""
        self.config = attrs.evolve(config, id=CLUSTER)
        region = self.config.region(name)
        dialled = [peer.name for peer in peers_of(self.config, region) if peer.routes != ()]
        super().__init__(around, name, dialled, tuning=tuning)
        self.number = region.id
        self.file = self.config
        """The configuration file that the next start reads."""
        self.incarnations: set[int] = set()
        """The numbers of all incarnations of the region so far."""
        self.incarnation_rng = around.rng.substream(f"lives/{name}")
        self.writes = 0
        self.divided = 0
        """The number of turns whose effects were divided into several ops."""
        self.written_meanwhile = 0
        """The number of ops that the region made during a full resync."""
        self.is_unaware = False
        self.directory = SimStateDirectory()
        self.complete: Vector = {}
        """The region's vector when it last stopped and lacked nothing that it had held before."""
        self.missing: Vector | None = {}
        """The vector that the region must recover; None if its state was put aside."""
        self.reported_lost = 0
        """The number of effects that the region has reported as lost."""
        self.was_ready = True
        """True if the region served clients at the end of the latest turn that was examined."""
        self.before: Vector = {}
        """The region's vector before the commands that run now."""
        self.install_links(Replica(make_origin(self.number)))

    def install_links(self, replica: Replica) -> None:
        """Install a replica, its links and its policies."""
        self.install_replica(replica)
        replica.watch_seals(self.record_sealed_ops)
        region = self.file.region(self.name)
        member = member_of(self.file, region, replica.origin)
        peers = peers_of(self.file, region)
        links = Links(replica, member, peers, limits=self.tuning.limits)
        if self.starts > 1:
            links.cuts = self.links.cuts
        self.links = links
        self.watch_links(links)
        self.recovery = RegionRecovery(Staleness(self.instance, links), links, self.report_event)
        self.lifecycle = RegionLifecycle(
            self.recovery, draw=self.draw_incarnation, clock=self.read_clock
        )
        self.instance.links = ProcessLinks(self.config, {self.name: links}, clock=self.read_clock)
        add_link_lines(self.instance, links, self.read_clock)

    def list_regions(self, names: Collection[str]) -> None:
        """Let the configuration file list only these regions from the next start on."""
        regions = tuple(each for each in self.config.regions if each.name in names)
        self.file = attrs.evolve(self.config, regions=regions)

    @property
    def is_on_disk(self) -> bool:
        """True if the number of the present incarnation is on disk."""
        return self.directory.incarnation == incarnation_of(self.replica.origin)

    @property
    def can_write(self) -> bool:
        """True while the region accepts writes: it is up, not paused, and has caught up."""
        return self.is_responding and self.has_caught_up

    @property
    def has_caught_up(self) -> bool:
        """True if the region has caught up with its peers. Writes are refused until then."""
        return self.recovery.is_ready

    # -- incarnations ----------------------------------------------------------------------

    def start_incarnation(self, kept: Sequence[bytes] = (), start: Start = Start.COUNTED) -> None:
        """Start the process, empty or with `kept`, a snapshot of an earlier incarnation."""
        assert not self.is_up
        assert self.starts < STARTS_MAX
        begun = self.choose_start(start)
        self.incarnations.add(begun.incarnation)
        members = [region.id for region in self.file.regions]
        replica = self.tuning.make_replica(make_origin(self.number, begun.incarnation), members)
        self.starts += 1
        self.is_up = True
        self.install_links(replica)
        self.is_unaware = start is Start.UNAWARE
        self.missing = self.complete = {} if begun.is_first else self.complete
        self.reported_lost = 0
        self.directory.incarnation = begun.incarnation
        vector = self.lifecycle.begin(begun, self.directory.held)
        if vector is not None:
            self.directory.held = vector
        self.advance_clocks()
        if kept:
            replica.merge(kept)
            self.state_hash.mark_all_dirty()
        self.state_hash.drain_changes()
        self.merges = replica.merges
        self.read_to = replica.history.stop
        self.add_trace_record("boot", f"life {self.starts}{' from a snapshot' if kept else ''}")
        for checker in self.examining("on_region_started"):
            checker.on_region_started(self)
        self.start_links()

    def choose_start(self, start: Start) -> RegionStart:
        """Choose the incarnation of a start: an unused one, except if `start` is REUSED.

        A real region draws a used number once in 16,384 starts. No invariant holds in that case.
        """
        last = self.directory.incarnation
        if last is not None and start is Start.REUSED:
            return choose_incarnation(last - 1 & INCARNATION_MAX, self.draw_incarnation)
        chosen = choose_incarnation(None if start is Start.UNAWARE else last, self.draw_incarnation)
        while chosen.incarnation in self.incarnations:
            chosen = RegionStart(self.draw_incarnation(), chosen.is_first)
        return chosen

    def draw_incarnation(self) -> int:
        """Return a random incarnation, or 0 for the first start to keep traces readable."""
        return self.incarnation_rng.integer_below(INCARNATION_MAX + 1) if self.incarnations else 0

    def peer_unreachable(self, peer: str) -> None:
        for checker in self.examining("on_unreachable"):
            checker.on_unreachable(self, peer)
        super().peer_unreachable(peer)

    def is_held_up(self, peer: str) -> bool:
        """Return whether a network fault delays data from `peer` to this region."""
        return self.around.exchange.network.way(peer, self.name).is_held_up

    def is_cut(self, peer: str) -> bool:
        """Return whether this region must not dial `peer`.

        Either its configuration does not list `peer`, or a command has cut the link.
        """
        return peer not in self.links.peers or super().is_cut(peer)

    def lose_memory(self, survivors: Sequence[SimRegion], is_silent: bool = False) -> None:
        """Lose everything in memory; see `stop_process`."""
        assert self.is_up
        self.add_trace_record("crash", "silent" if is_silent else "")
        for checker in self.examining("on_region_stopped"):
            checker.on_region_stopped(self, survivors)
        if self.has_caught_up:
            self.complete = dict(self.replica.keyspace.vector)
        self.write_vector()
        self.stop_process(is_silent)

    def take_snapshot(self) -> list[bytes]:
        """Return a snapshot of the whole state, as it would be stored on disk."""
        return list(self.replica.snapshot())

    # -- turns -----------------------------------------------------------------------------

    def run_commands(self, *commands: Sequence[str]) -> list[Reply]:
        """Run a client's commands in this region as one turn. Return the replies."""
        words = [tuple(command) for command in commands]
        self.advance_clocks()
        self.before_commands(0, words)
        replies = self.run_in_turn(*commands)
        self.after_commands(0, words, replies)
        self.finish_turn()
        return replies

    def before_commands(self, session: int, commands: Sequence[Words]) -> None:
        """Notify the checkers of the commands that a client is about to send."""
        self.before = dict(self.replica.keyspace.vector)
        for checker in self.examining("before_commands"):
            checker.before_commands(self, session, commands)

    def after_commands(
        self, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Notify the checkers of a client's replies."""
        for checker in self.examining("on_replies"):
            checker.on_commands_run(self, commands, self.before)
            checker.on_replies(self, session, commands, replies)

    def after_late_reply(self, session: int, command: Words, reply: Reply) -> None:
        for checker in self.examining("on_late_reply"):
            checker.on_late_reply(self, session, command, reply)

    def after_messages(self, session: int, messages: Sequence[Reply]) -> None:
        for checker in self.examining("on_messages"):
            checker.on_messages(self, session, messages)

    def before_connection(self, session: int, identity: int, commands: Sequence[Words]) -> None:
        """Notify the checkers of commands whose replies depend on the connection."""
        self.before = dict(self.replica.keyspace.vector)
        for checker in self.examining("on_connection_request"):
            checker.on_connection_request(self, session, identity, commands)

    def before_late_run(self) -> None:
        self.before = dict(self.replica.keyspace.vector)

    def after_connection(self, session: int, replies: Sequence[Reply]) -> None:
        for checker in self.examining("on_connection_replies"):
            checker.on_commands_run(self, (), self.before)
            checker.on_connection_replies(self, session, replies)

    def disconnect_session(self, sim_client: SimClient) -> None:
        """Close a session's connection."""
        session = self.session_connections[sim_client.client.id].session.number
        super().disconnect_session(sim_client)
        for checker in self.examining("on_client_left"):
            checker.on_client_left(self, session)

    def note_effects(self) -> None:
        """Record the effects in the outbox that were made since the last call."""
        op = self.replica.keyspace.pending()
        if op is not None:
            self.note_effects_of(op)

    def note_effects_of(self, op: Op) -> None:
        """Record the effects of an op that is perhaps not sealed yet, and notify the checkers."""
        new = self.around.run_history.record_effects(self.replica.keyspace, op, self.engine.now)
        if new:
            for checker in self.examining("on_effects_made"):
                checker.on_effects_made(self, op.last + 1 - len(new), new)

    def record_sealed_ops(self, parts: list[Op]) -> None:
        """Record the ops into which the outbox was sealed."""
        self.divided += len(parts) > 1
        for part in parts:
            self.record_own_op(part)

    def record_own_op(self, op: Op) -> None:
        """Record an op of this region in the run history, and notify the checkers."""
        self.note_effects_of(op)
        self.writes += 1
        if self.is_sending_snapshot or self.snapshot_peers:
            self.written_meanwhile += 1
        entry = self.around.run_history.record_op(op, self.engine.now, self.name)
        for checker in self.examining("on_op_made"):
            checker.on_op_made(self, entry)

    def show_changes(self) -> None:
        """Pass the changes of this turn to the checkers, if there are any. It is a change too if
        the region refuses clients from now on, or serves them again."""
        replica = self.replica
        is_same = self.recovery.is_ready == self.was_ready
        self.note_begun_steps()
        if not self.state_hash.dirty and replica.merges == self.merges and is_same:
            return
        self.was_ready = self.recovery.is_ready
        with Peek(replica.keyspace):
            self.examine_changes()

    def examine_changes(self) -> None:
        """Pass the changes of this turn to the checkers, while work may wait."""
        replica = self.replica
        history = replica.history
        hooks = self.around.hooks
        has_jumped = replica.merges != self.merges or self.read_to < history.start
        self.merges = replica.merges
        start = max(self.read_to, history.start)
        for origin, first, _, data in history.read(start, history.stop - start):
            if origin == replica.origin:
                continue
            entry = self.around.run_history.find_by_first(origin, first)
            if entry is None or entry.data != data:
                entry = Entry(Op.from_bytes(data), self.engine.now, -1)
            for checker in hooks.listening("on_op_received"):
                checker.on_op_received(self, entry)
                if not has_jumped:
                    checker.on_op_applied(self, entry)
        if has_jumped:
            for checker in hooks.listening("on_history_jump"):
                checker.on_history_jump(self)
        self.read_to = history.stop
        changes = self.state_hash.drain_changes()
        for checker in hooks.listening("on_turn_end"):
            checker.on_turn_end(self, changes)

    def handle_events(self, events: list[Event]) -> None:
        """Pass the events of the links on to the policies, the checkers and the world."""
        for event in events:
            if isinstance(event, Connected | Closed):
                for checker in self.examining("on_link_event"):
                    checker.on_link_event(self, event)
            if isinstance(event, OriginReused):
                assert event.origin == self.replica.origin
                self.take_new_incarnation(event)
            elif isinstance(event, Recovered) and not self.recovery.is_recovered:
                self.finish_recovery(event)
            else:
                self.lifecycle.handle_event(event)
            if isinstance(event, GapFound) and event.asked:
                for checker in self.examining("on_repair_asked"):
                    checker.on_repair_asked(self, event.origin)
            self.around.on_event(self.name, event)

    def finish_recovery(self, event: Recovered) -> None:
        """Let the region accept writes again, unless it would reuse dots.

        Dots can be reused after Start.REUSED, if no reachable peer holds the earlier writes. The
        region cannot detect this, and no invariant would hold. The simulator therefore reports the
        reused origin to it.
        """
        made = self.around.run_history.latest_effect(self.replica.origin)
        if made > self.replica.keyspace.seq:
            self.take_new_incarnation(OriginReused(event.peer, self.replica.origin))
            return
        for checker in self.examining("on_recovered"):
            checker.on_recovered(self)
        self.lifecycle.handle_event(event)
        if self.recovery.is_recovered:
            self.end_recovery(event.peer)
        else:
            assert not self.lifecycle.is_written, "only its disk can hold it up"

    def end_recovery(self, peer: str) -> None:
        """Check what the region has reported as lost. It serves its clients again."""
        assert self.recovery.is_recovered
        self.check_loss()
        self.add_trace_record("caught up", peer)

    def report_event(self, event: RegionEvent) -> None:
        """Add an operator event to the trace, and note the number of lost effects."""
        if isinstance(event, DataLostEvent):
            self.reported_lost = event.writes or 0
        super().report_event(event)

    def check_loss(self) -> None:
        """Check that the region has reported exactly the effects that it has lost.

        Raises Violation if not.
        """
        if self.missing is not None:
            lost = lacking(self.replica.keyspace.vector, self.missing)
            if self.reported_lost != lost:
                raise Violation(
                    "loss reports",
                    f"{self.name} lacks {lost} effects that it had, and says {self.reported_lost}",
                )
        self.missing = {}

    def take_new_incarnation(self, event: OriginReused) -> None:
        """Begin another incarnation of the region. Its number is on disk after a while, unless the
        region crashes before."""
        self.missing = None
        self.lifecycle.handle_event(event)
        number = self.lifecycle.incarnation_to_write()
        assert number is not None, "every incarnation is used up"
        self.incarnations.add(number)
        if self.tuning.disk_ns:
            write = partial(self.write_incarnation, number, self.starts)
            self.engine.schedule_after(self.tuning.disk_ns, write)
        else:
            self.write_incarnation(number, self.starts)
        if self.links.memory.disputed_state is not None:  # it can come back later
            self.state_hash.mark_all_dirty()
            self.state_hash.drain_changes()
            self.read_to = self.replica.history.stop
            for checker in self.examining("on_region_started"):
                checker.on_region_started(self)

    def write_incarnation(self, number: int, start: int) -> None:
        """Write the number of an incarnation to disk, if the region still runs under it since its
        start number `start`."""
        if not self.is_up or self.starts != start or incarnation_of(self.replica.origin) != number:
            return
        if self.is_paused:
            self.kept_back.append(partial(self.write_incarnation, number, start))
            return
        self.directory.incarnation = number
        self.lifecycle.record_written()
        if self.tuning.disk_ns:
            if self.recovery.is_recovered:
                self.end_recovery("its disk")
            self.finish_turn()

    def write_vector(self) -> None:
        """Write the region's vector to disk, if its state is complete."""
        vector = self.lifecycle.vector_to_write()
        if vector is not None:
            self.directory.held = vector

    def receive_forged_hello(self, name: str, number: int, origin: Origin) -> None:
        """Receive a forged Hello that claims one more write of this region than it has made.

        It names the origin of the process that is linked here, if there is one, and else `origin`.
        Another one would be refused as that of a second process.
        """
        linked = self.links.sinks.get(name) or self.links.sources.get(name)
        if linked is not None and linked.hello is not None:
            origin = linked.hello.origin
        vector = dict(self.replica.keyspace.vector)
        vector[self.replica.origin] = self.replica.keyspace.seq + 1
        hello = Hello(name, number, origin, CLUSTER, vector)
        self.add_trace_record("forged", name)
        self.receive_hello(hello)

    def receive_hello(self, hello: Hello) -> Source:
        """Receive a Hello over a new connection. Return the source that serves it."""
        now = self.engine.now
        source = self.links.serve(now)
        self.handle_events(self.links.receive(source, hello, now))
        self.finish_turn()
        return source

    def receive_operation(self, data: bytes) -> None:
        """Receive an operation another way than over a link."""
        self.advance_clocks()
        self.links.local_applier.accept(data)
        self.finish_turn()

    def receive_stranger(self, hello: Hello) -> None:
        """Receive a Hello that must be refused. Raises Violation if it is accepted."""
        self.add_trace_record("stranger", hello.name)
        if not self.receive_hello(hello).closed:
            raise Violation("bad frames", f"{self.name} accepts protocol {hello.protocol}")
        self.rejected += 1
