"""The links of a simulated process, and their connections to other processes.

A process runs a region (`region`) or a follower (`follower`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from replication.machines.connections.multiplexer import GroupEvent
from replication.machines.receiving.sink_states import SinkState
from replication.machines.sending.source import Source
from replication.machines.sending.source_states import SourceState
from replication.mesh.links import Links
from replication.protocol.channel import Channel
from replication.protocol.events import Event
from replication.protocol.frames import Frame
from replication.protocol.handshake import NONCE_BYTES, Role
from replication.protocol.peers import Direction
from sim.engine.checker import Violation
from sim.engine.frame_checker import FrameChecker
from sim.engine.hooks import overrides_any
from sim.network.connector import Connector
from sim.network.observed import ObservedConnection
from sim.network.wire import Machine, Wire
from sim.nodes.process import ProcessContext, SimProcess
from sim.schedule.plan import Tuning


class LinkedProcess(SimProcess):
    """A process with links. Subclasses define `show_changes` and `handle_events`."""

    links: Links
    """The links that serve other processes."""

    def __init__(
        self, around: ProcessContext, name: str, peers: Iterable[str], *, tuning: Tuning
    ) -> None:
        """Create a process that is down. `peers` are the processes that it dials."""
        super().__init__(around, name, tuning)
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
        frame_checkers = [each for each in around.checkers if isinstance(each, FrameChecker)]
        self.sent_checkers = listening_to(frame_checkers, "on_frame_sent")
        self.received_checkers = listening_to(frame_checkers, "on_frame_received")
        self.wires: list[Wire] = []
        self.unflushed: list[Wire] = []
        self.has_earlier_deadline = False
        self.frames = 0
        self.damaged = 0
        self.rejected: int = 0
        """The number of connections that ended because of a wrong frame."""

    # -- links -----------------------------------------------------------------------------

    @property
    def dialling_links(self) -> Links:
        """The links that dial other processes."""
        return self.links

    def handle_events(self, events: list[Event]) -> None:
        """Act on the events of the links, and pass them on."""
        raise NotImplementedError

    def links_of(self, machine: Machine) -> Links:
        """Return the links that own one end of a connection."""
        return self.links if isinstance(machine, Source) else self.dialling_links

    def all_links(self) -> tuple[Links, ...]:
        """Return the links that serve and the links that dial. In a region they are the same."""
        dialling = self.dialling_links
        return (self.links,) if dialling is self.links else (self.links, dialling)

    @property
    def snapshot_peers(self) -> list[str]:
        """The peers from which a snapshot is being received, sorted."""
        if not self.is_up:
            return []
        sinks = self.dialling_links.sinks.values()
        return sorted(sink.peer for sink in sinks if sink.state is SinkState.LOADING)

    @property
    def is_sending_snapshot(self) -> bool:
        """True if a snapshot is being sent to another process."""
        sources = self.links.sources.values()
        return any(source.state is SourceState.SNAPSHOT for source in sources)

    def links_deadline(self) -> int:
        """Return the time (ns) at which the links next need `tick`."""
        next_deadline = self.links.next_deadline
        dialling = self.dialling_links
        return (
            next_deadline if dialling is self.links else min(next_deadline, dialling.next_deadline)
        )

    def tick_links(self, now: int) -> None:
        """Call `tick` of the links for which it is due."""
        for links in self.all_links():
            if now >= links.next_deadline:
                self.handle_events(links.tick(now))

    def wake_links(self) -> None:
        """Let the links send what was sealed."""
        self.links.wake()

    def watch_links(self, links: Links) -> None:
        """Subscribe to the links' requests for an earlier tick and for dialling."""
        links.on_rearm = self.note_earlier_deadline
        links.healed = self.connect_soon

    def note_earlier_deadline(self) -> None:
        """Record that the links need `tick` earlier than their last reported deadline."""
        self.has_earlier_deadline = True

    def start_links(self) -> None:
        """Start to dial the peers, and arm the timer."""
        for connector in self.connectors.values():
            connector.start_dialling()
        self.arm_timer(self.engine.now)

    def stop_process(self, is_silent: bool) -> None:
        """Lose everything in memory. Unless it `is_silent`, peers see their connections reset."""
        self.shut_down()
        for connector in self.connectors.values():
            connector.abandon_attempts()
        for wire in self.wires:
            wire.over = True
            if wire.out is not None:
                wire.out.break_off("" if is_silent else "connection reset by peer")
        self.wires.clear()
        self.unflushed.clear()

    # -- receiving and sending -------------------------------------------------------------

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
            self.handle_group_events(connection.receive(b"", self.engine.now))
        self.finish_turn()
        self.check_bad_frame(wire)
        self.check_good_frames(wire)

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

    def check_good_frames(self, wire: Wire) -> None:
        """Check that no frame counts as wrong that the other end has sent as it should and nothing
        has changed on its way. Raises Violation if one does."""
        machine, far = wire.machine, wire.far
        if not machine.closed or machine.is_refused or far is None or far.out is None:
            return
        error = machine.tally.last_error
        is_right = far.bad_until < 0 and not far.out.way.tally.flipped
        if is_right and error.startswith("protocol error"):
            raise Violation("bad frames", f"{self.name} closes the link with {wire.peer}: {error}")

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

    def push(self) -> None:
        """Send what the links have to send, and arm the timer for them."""
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
        channel = Channel(self.around.secret, role, nonce)
        connection = ObservedConnection(
            channel, partial(self.show_sent, machine), partial(self.show_received, machine)
        )
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

    def show_sent(self, machine: Machine, frame: Frame) -> None:
        """Show a frame that this process sends to the checkers."""
        for checker in self.sent_checkers:
            checker.on_frame_sent(self, machine, frame)

    def show_received(self, machine: Machine, frame: Frame) -> None:
        """Show a frame that this process has processed to the checkers."""
        for checker in self.received_checkers:
            checker.on_frame_received(self, machine, frame)

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


def listening_to(checkers: list[FrameChecker], hook: str) -> list[FrameChecker]:
    """Return the checkers that do something at a hook for frames."""
    return [each for each in checkers if overrides_any(each, FrameChecker, (hook,))]
