"""A simulated process: its clock, connections, turns and pauses.

A process runs a region (`region`) or a follower (`follower`), with its replica and links. A turn
does the same as `crdb.region.runtime` and `replication.drivers.links`: it receives, serves clients,
seals and sends. After each turn the checkers examine the changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

import attrs

from crdb.commands.table import build_table
from crdb.engine.event_names import EventName
from crdb.engine.executor import receive
from crdb.engine.instance import Instance
from crdb.engine.parameters.table import ParameterTable
from crdt.embed.replica import Replica
from replication.machines.connection import LinkConnection
from replication.machines.multiplexer import GroupEvent
from replication.machines.source import Source
from replication.mesh.links import Links
from replication.protocol.channel import Channel
from replication.protocol.events import Event
from replication.protocol.handshake import NONCE_BYTES, Role
from replication.protocol.peers import Direction
from replication.protocol.secret import NO_SECRET, LinkSecret
from sim.engine.checker import Checker, Violation
from sim.engine.clock import WallClock
from sim.engine.events import MS
from sim.engine.rng import SeededRandom
from sim.engine.trace import Trace
from sim.network.connector import ConnectionContext, Connector
from sim.network.wire import Machine, Wire
from sim.nodes.client import Reply, SimClient, parse_replies
from sim.nodes.run_history import RunHistory
from sim.nodes.session import SimSession
from sim.nodes.state_hash import StateHash
from sim.report.report import Recorder
from sim.schedule.plan import Tuning
from sim.schedule.step import Words

CATCH_UP_NS: Final = 100 * MS  # time after a pause in which overdue work is done
NEVER: Final = 1 << 62
OVERDUE_MAX: Final = 1000  # a server would spin: the timer would fire without progress


@attrs.frozen
class ProcessContext:
    """The objects that all processes of a world share."""

    exchange: ConnectionContext
    rng: SeededRandom
    trace: Trace
    run_history: RunHistory
    checkers: tuple[Checker, ...]
    on_event: Callable[[str, Event], None]
    """Called with each event that the links of a process report."""
    recorder: Recorder | None = None
    secret: LinkSecret = NO_SECRET


@attrs.frozen
class SessionConnection:
    """A session's connection to a process."""

    session: SimSession
    sim_client: SimClient


class SimProcess:
    """A process. Subclasses define `seal_outbox`, `show_changes` and `handle_events`."""

    instance: Instance
    replica: Replica
    state_hash: StateHash
    links: Links
    """The links that serve other processes."""

    def __init__(
        self, around: ProcessContext, name: str, peers: Iterable[str], *, tuning: Tuning
    ) -> None:
        """Create a process that is down. `peers` are the processes that it dials."""
        self.around = around
        self.engine = around.exchange.engine
        self.name = name
        self.tuning = tuning
        self.clock = WallClock()
        self.starts: int = 0
        self.is_up = False
        self.paused_until = 0
        self.kept_back: list[Callable[[], None]] = []
        """The calls that arrived while the process was paused, in order."""
        self.connectors = {
            peer: Connector(
                self,
                peer,
                exchange=around.exchange,
                rng=around.rng.substream(f"dial/{name}<{peer}"),
            )
            for peer in peers
        }
        self.nonces = around.rng.substream(f"nonces/{name}")
        self.wires: list[Wire] = []
        self.unflushed: list[Wire] = []
        self.timer_at = 0
        self.overdue = 0
        """The number of consecutive timer runs after which something was still due."""
        self.has_earlier_deadline = False
        self.frames = 0
        self.damaged = 0
        self.rejected: int = 0
        """The number of connections that ended because of a wrong frame."""

    # -- for subclasses --------------------------------------------------------------------

    @property
    def dialling_links(self) -> Links:
        """The links that dial other processes."""
        return self.links

    def seal_outbox(self) -> None:
        """Seal pending effects into an op, and wake the links."""
        raise NotImplementedError

    def show_changes(self) -> None:
        """Pass the changes of this turn to the checkers."""
        raise NotImplementedError

    def handle_events(self, events: list[Event]) -> None:
        """Act on the events of the links, and pass them on."""
        raise NotImplementedError

    def before_commands(self, session: int, commands: Sequence[Words]) -> None:
        """Notify the checkers of the commands that a client is about to send."""

    def after_commands(
        self, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Notify the checkers of a client's replies."""

    def after_late_reply(self, session: int, command: Words, reply: Reply) -> None:
        """Notify the checkers of the reply to a command that had blocked."""

    def links_of(self, machine: Machine) -> Links:
        """Return the links that own one end of a connection."""
        return self.links if isinstance(machine, Source) else self.dialling_links

    def all_links(self) -> tuple[Links, ...]:
        """Return the links that serve and the links that dial. In a region they are the same."""
        dialling = self.dialling_links
        return (self.links,) if dialling is self.links else (self.links, dialling)

    def links_deadline(self) -> int:
        """Return the time (ns) at which the links next need `tick`."""
        next_deadline = self.links.next_deadline
        dialling = self.dialling_links
        return (
            next_deadline if dialling is self.links else min(next_deadline, dialling.next_deadline)
        )

    # -- start and stop --------------------------------------------------------------------

    def install_replica(self, replica: Replica) -> None:
        """Install a replica, with an instance and a client for it."""
        self.replica = replica
        serves_stale = "no" if self.tuning.refuses_stale else "yes"
        self.instance = Instance(
            replica,
            build_table(),
            name=self.name,
            config=ParameterTable({"replica-serve-stale-data": serves_stale}),
            rng=self.around.rng.substream(f"instance/{self.name}").generator,
        )
        self.instance.turn.seal = self.seal_outbox
        self.sim_client = SimClient(self.instance)
        self.session_connections: dict[int, SessionConnection] = {}
        self.state_hash = StateHash(replica.keyspace)
        self.read_to = 0
        self.merges = 0
        self.causal_buffer = replica.causal_buffer

    def watch_links(self, links: Links) -> None:
        """Subscribe to the links' requests for an earlier tick and for dialling."""
        links.on_rearm = self.note_earlier_deadline
        links.healed = self.connect_soon

    def start_links(self) -> None:
        """Start to dial the peers, and arm the timer."""
        for connector in self.connectors.values():
            connector.start_dialling()
        self.arm_timer(self.engine.now)

    def stop_process(self, is_silent: bool) -> None:
        """Lose everything in memory. Unless it `is_silent`, peers see their connections reset."""
        assert self.is_up
        self.is_up = False
        self.kept_back.clear()
        self.paused_until = 0
        for connector in self.connectors.values():
            connector.abandon_attempts()
        for wire in self.wires:
            wire.over = True
            if wire.out is not None:
                wire.out.break_off("" if is_silent else "connection reset by peer")
        self.wires.clear()
        self.unflushed.clear()

    def pause_until(self, until: int) -> None:
        """Pause until `until` (ns), like a stopped process or a long garbage collection."""
        self.add_trace_record("pause", f"{(until - self.engine.now) // MS} ms")
        self.paused_until = max(until, self.paused_until)
        self.engine.at(self.paused_until, self.resume_after_pause)

    @property
    def is_paused(self) -> bool:
        """True while the process is paused."""
        return self.engine.now < self.paused_until

    @property
    def now_ms(self) -> int:
        """The monotonic time in ms, as of the present turn."""
        return self.instance.now

    @property
    def has_waiters(self) -> bool:
        """True if a client is blocked."""
        return bool(self.instance.blocked.by_client)

    @property
    def was_paused(self) -> bool:
        """True if the process is paused, or was paused within the last CATCH_UP_NS."""
        return self.engine.now < self.paused_until + CATCH_UP_NS

    def resume_after_pause(self) -> None:
        """Make the calls that arrived during the pause."""
        if self.is_up and not self.is_paused:
            held, self.kept_back = self.kept_back, []
            for act in held:
                act()

    # -- turns -----------------------------------------------------------------------------

    def advance_clocks(self) -> None:
        """Set the database's clocks to the time of this process."""
        keyspace = self.replica.keyspace
        before = keyspace.expiry_clock
        self.instance.advance(self.engine.now // MS, self.clock.read_ms(self.engine.now))
        if keyspace.expiry_clock < before:
            for checker in self.around.checkers:
                checker.on_expiry_set_back(self.name, keyspace, before)

    def run_in_turn(self, *commands: Sequence[str]) -> list[Reply]:
        """Run a client's commands. Return the replies. The caller must call `finish_turn`."""
        assert self.is_up
        self.advance_clocks()
        return self.sim_client.send_commands(*commands)

    def connect_session(self, session: SimSession) -> SimClient:
        """Return a new connection for a session."""
        sim_client = SimClient(self.instance)
        self.session_connections[sim_client.client.id] = SessionConnection(session, sim_client)
        return sim_client

    def disconnect_session(self, sim_client: SimClient) -> None:
        """Close a session's connection."""
        del self.session_connections[sim_client.client.id]
        self.instance.forget(sim_client.client)

    def run_session(self, session: SimSession, commands: Sequence[Words]) -> list[Reply]:
        """Run the commands that a session sends together. Return the immediate replies."""
        assert self.is_up
        assert session.sim_client is not None
        self.advance_clocks()
        self.before_commands(session.number, commands)
        replies = session.sim_client.send_commands(*commands)
        for words, reply in zip(commands, replies, strict=False):
            session.remember_reply(words, reply)
        session.waiting = commands[len(replies)] if len(replies) < len(commands) else None
        self.after_commands(session.number, commands, replies)
        self.finish_turn()
        return replies

    def deliver_late_replies(self, connection: SessionConnection) -> None:
        """Deliver the replies to a session's blocked commands."""
        session = connection.session
        for reply in parse_replies(receive(connection.sim_client.client, b"")):
            command, session.waiting = session.waiting, None
            assert command is not None, "one command waits at a time, and no other follows it"
            session.remember_reply(command, reply)
            self.add_trace_record("woken", f"session {session.number}: {' '.join(command)}")
            self.after_late_reply(session.number, command, reply)

    def receive_bytes(self, wire: Wire, data: bytes) -> None:
        """Receive bytes over a connection."""
        if wire.over or not self.is_up:
            return
        if self.is_paused:
            self.kept_back.append(lambda: self.receive_bytes(wire, data))
            return
        connection = wire.connection
        wire.arrived(len(data))
        self.advance_clocks()
        before = connection.channel.frames_received
        events = connection.receive(data, self.engine.now)
        self.frames += connection.channel.frames_received - before
        if connection.fault is not None:
            self.damaged += 1
            self.add_trace_record("damaged", f"{wire.machine.peer}: {connection.fault}")
        self.handle_group_events(events)
        while connection.pending:
            self.seal_outbox()
            self.handle_group_events(connection.receive(b"", self.engine.now))
        self.seal_outbox()
        self.finish_turn()
        self.check_bad_frame(wire)

    def handle_group_events(self, events: list[GroupEvent]) -> None:
        """Act on the events of a connection, which carries slot group 0 alone."""
        self.handle_events([event for _, event in events])

    def check_bad_frame(self, wire: Wire) -> None:
        """Check that a wrong frame has ended its connection. Raises Violation if not."""
        far = wire.far
        if far is not None and 0 <= far.bad_until <= wire.received and not far.is_garbled:
            if not wire.over:
                raise Violation(
                    "bad frames", f"{self.name} goes on after a wrong frame of {wire.peer}"
                )
            self.rejected += 1

    def connection_lost(self, wire: Wire, reason: str) -> None:
        """Handle the end of a connection."""
        if wire.over or not self.is_up:
            return
        if self.is_paused:
            self.kept_back.append(lambda: self.connection_lost(wire, reason))
            return
        self.advance_clocks()
        self.handle_group_events(wire.connection.end(reason, self.engine.now))
        self.finish_turn()

    def run_timer(self) -> None:
        """Handle everything that is due now, and arm the timer again."""
        if self.engine.now < self.timer_at:
            return
        if not self.is_up:
            self.timer_at = 0
            return
        if self.is_paused:
            self.engine.at(self.paused_until, self.run_timer)
            return
        self.timer_at = 0
        now = self.engine.now
        self.advance_clocks()
        for links in self.all_links():
            if now >= links.next_deadline:
                self.handle_events(links.tick(now))
        if self.instance.blocked.by_client:
            self.instance.tick()
        self.finish_turn()
        due = min(self.links_deadline(), self.clients_deadline())
        self.overdue = self.overdue + 1 if due <= now else 0
        if self.overdue > OVERDUE_MAX:
            raise Violation("liveness", f"{self.name} is woken for what it does not do")
        self.arm_timer(due)

    def clients_deadline(self) -> int:
        """Return the time (ns) at which a blocked client times out or must be polled again."""
        blocked, polling = self.instance.blocked, self.instance.polling
        due = [at for at in (blocked.deadline, polling.deadline) if at is not None]
        return min(due) * MS if due else NEVER

    def arm_timer(self, deadline: int) -> None:
        """Schedule `run_timer` at `deadline`, unless it is scheduled for then or earlier."""
        now = self.engine.now
        deadline = max(deadline, now)
        if not (self.timer_at and now <= self.timer_at <= deadline):
            self.timer_at = max(deadline, now + 1)
            self.engine.at(self.timer_at, self.run_timer)

    def finish_turn(self) -> None:
        """Finish a turn like a server: serve blocked clients, seal, append, flush and push.

        The checkers run before the links send anything."""
        instance = self.instance
        if self.replica.keyspace.has_changes() or instance.woken:
            instance.serve_dirty_keys()
            while instance.woken:
                woken = instance.woken.pop()
                if woken is self.sim_client.client:
                    self.sim_client.late += receive(self.sim_client.client, b"")
                else:
                    self.deliver_late_replies(self.session_connections[woken.id])
        instance.turn.finish()
        self.show_changes()
        if instance.blocked.by_client:
            self.arm_timer(self.clients_deadline())
        if self.has_earlier_deadline:
            self.has_earlier_deadline = False
            self.arm_timer(self.links_deadline())
        while self.unflushed:
            wire = self.unflushed.pop()
            wire.flush(self.engine.now)
            if wire.over and wire in self.wires:
                self.wires.remove(wire)

    # -- connections -----------------------------------------------------------------------

    def accept_connection(self) -> Wire:
        """Accept a connection. Return this process's end."""
        wire = self.attach_wire(self.links.serve(self.engine.now), Role.SERVES)
        self.finish_turn()
        return wire

    def open_connection(self, peer: str) -> Wire | None:
        """Open a connection to a peer. Return this end, or None if the link has been cut."""
        if self.is_cut(peer):
            return None
        wire = self.attach_wire(self.dialling_links.dial(peer, self.engine.now), Role.DIALS)
        self.finish_turn()
        return wire

    def attach_wire(self, machine: Machine, role: Role) -> Wire:
        """Create one end of a connection, and register its callbacks."""
        nonce = self.nonces.generator.randbytes(NONCE_BYTES)
        connection = LinkConnection(Channel(self.around.secret, role, nonce))
        connection.attach(self.replica.group, machine, self.links_of(machine))
        wire = Wire(machine, connection)
        connection.start(lambda: self.unflushed.append(wire))
        wire.rest_ns = self.tuning.snapshot_rest_ns
        wire.on_rested = partial(self.continue_snapshot, wire)
        if self.around.recorder is not None:
            wire.on_message = partial(self.record_message, wire)
        self.wires.append(wire)
        self.unflushed.append(wire)
        return wire

    def continue_snapshot(self, wire: Wire) -> None:
        """Send the next piece of a snapshot after its pause."""
        if self.is_paused:
            self.kept_back.append(partial(self.continue_snapshot, wire))
        elif self.is_up and not wire.over:
            self.advance_clocks()
            self.unflushed.append(wire)
            self.finish_turn()

    def record_message(self, wire: Wire, sent: int, text: str, has_come: bool) -> None:
        """Record a message to this process that has arrived or was lost."""
        recorder = self.around.recorder
        assert recorder is not None
        tell = recorder.record_message if has_come else recorder.record_lost
        tell(sent, self.engine.now, (wire.peer, self.name), text)

    def connect_soon(self, peer: str) -> None:
        """Dial `peer` immediately, because its link was healed."""
        self.connectors[peer].connect_soon()

    def peer_unreachable(self, peer: str) -> None:
        """Record that a peer could not be reached."""
        self.dialling_links.missed(peer)

    def is_cut(self, peer: str) -> bool:
        """Return whether a command has cut the link from `peer` to this process."""
        return self.dialling_links.is_cut(peer, Direction.IN)

    # -- reports ---------------------------------------------------------------------------

    def read_clock(self) -> int:
        """Return the monotonic clock, in ns."""
        return self.engine.now

    def report_event(self, event: EventName, details: Mapping[str, object]) -> None:
        """Add an operator event to the trace."""
        self.add_trace_record(event, " ".join(f"{name}={value}" for name, value in details.items()))

    def note_earlier_deadline(self) -> None:
        """Record that the links need `tick` earlier than their last reported deadline."""
        self.has_earlier_deadline = True

    def add_trace_record(self, what: str, detail: str = "") -> None:
        """Add a record to the trace."""
        self.around.trace.add_record(self.engine.now, self.name, what, detail)
