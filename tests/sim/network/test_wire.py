"""An end of a simulated connection: encoded frames, and a close that both ends receive."""

from __future__ import annotations

import pytest

from crdb.region.core.membership import member_of, peers_of
from crdt.embed.replica import Replica
from geo.latency import Latency
from replication.machines.connections.connection import LinkConnection
from replication.machines.receiving.sink import Sink
from replication.machines.sending.source import Source
from replication.mesh.links import Links
from replication.protocol.channel import Channel
from replication.protocol.frames import (
    Eof,
    Frame,
    Heartbeat,
    Hello,
    Ops,
    Resume,
    SnapshotPiece,
    Truncated,
)
from replication.protocol.limits import Limits
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND, Engine
from sim.engine.rng import SeededRandom
from sim.network.ways import Network, Pipe
from sim.network.wire import Wire, name_frames
from sim.schedule.plan import Plan
from tests.replication.ends import connected_source, replica, write
from tests.replication.secrets import channels, open_channels


def wire_of(machine: Sink | Source, channel: Channel, links: Links) -> Wire:
    """Return an end of a simulated connection, behind a channel."""
    connection = LinkConnection(channel)
    connection.attach(0, machine, links)
    return Wire(machine, connection)


class Line:
    """The dialling end of a connection whose bytes nobody answers."""

    def __init__(self) -> None:
        plan = Plan.of(["eu", "us"])
        self.engine = Engine()
        eu, replica = plan.config.region("eu"), Replica(1)
        member = member_of(plan.config, eu, replica.origin)
        self.links = Links(replica, member, peers_of(plan.config, eu))
        channel, self.far = open_channels()
        self.wire = wire_of(self.links.dial("us", 0), channel, self.links)
        self.got = bytearray()
        self.ends: list[str] = []
        self.over: list[Wire] = []
        self.wire.on_over = self.over.append

    def connect(self) -> None:
        """Connect a pipe that takes 10 ms."""
        rng = SeededRandom(0, "x")
        network = Network(
            self.engine, ["eu", "us"], latency=lambda _a, _b: Latency.constant(10 * MS), rng=rng
        )
        self.wire.out = Pipe(network.way("eu", "us"), self.got.extend, self.ends.append)

    def hang_up(self) -> None:
        """Let the machine end the connection."""
        self.links.receive(self.wire.machine, Eof("tired"), self.engine.now)


@pytest.fixture
def line() -> Line:
    return Line()


def test_output_of_machine_arrives_as_bytes(line: Line) -> None:
    line.connect()
    line.wire.flush(0)
    assert line.wire.sent > 0
    line.engine.run_until(SECOND)
    frames = line.far.receive(bytes(line.got))
    assert [type(frame) for frame in frames] == [Hello]
    assert len(line.got) == line.wire.sent


def test_before_handshake_only_that_is_sent(line: Line) -> None:
    line.connect()
    line.wire.connection.channel, far = channels()
    line.wire.flush(0)
    line.hang_up()
    line.wire.flush(0)
    line.engine.run_until(SECOND)
    assert far.receive(bytes(line.got)) == []
    assert line.ends == ["the peer hung up"]


def test_part_of_frame_is_noticed_until_it_is_complete(line: Line) -> None:
    wire = line.wire
    data = line.far.wrap([Truncated()])
    channel = wire.connection.channel
    assert not wire.has_torn_frame
    assert channel.receive(data[:-1]) == []
    assert wire.has_torn_frame
    assert channel.receive(data[-1:]) == [Truncated()]
    assert not wire.has_torn_frame
    assert not wire_of(wire.machine, channels()[0], line.links).has_torn_frame


def test_ended_machine_hangs_up_once(line: Line) -> None:
    line.connect()
    line.hang_up()
    line.wire.flush(0)
    line.wire.flush(0)
    line.engine.run_until(SECOND)
    assert line.ends == ["the peer hung up"]
    assert line.over == [line.wire]


def test_unconnected_wire_sends_nothing_but_may_end(line: Line) -> None:
    line.wire.flush(0)
    assert (line.wire.sent, line.wire.over) == (0, False)
    assert not line.wire.is_garbled
    line.hang_up()
    line.wire.flush(0)
    assert line.wire.over


def test_message_is_recorded_at_its_last_byte(line: Line) -> None:
    reported: list[tuple[int, str, bool]] = []
    wire = line.wire
    wire.on_message = lambda sent, text, has_come: reported.append((sent, text, has_come))
    wire.marks.extend([(10, 1, "Ops"), (12, 2, ""), (20, 3, "2 Ops"), (30, 4, ""), (31, 5, "x")])
    wire.arrived(9)
    assert reported == []
    wire.arrived(1)
    wire.arrived(10)
    assert reported == [(1, "Ops", True), (3, "2 Ops", True)]
    wire.abandon()
    assert reported[2:] == [(5, "x", False)]
    wire.abandon()
    assert len(reported) == 3


def test_recorder_is_optional(line: Line) -> None:
    line.wire.marks.extend([(10, 1, "Ops"), (20, 1, "Ops")])
    line.wire.arrived(10)
    line.wire.abandon()
    assert not line.wire.marks


def test_peer_records_data_in_transit_if_traced(line: Line) -> None:
    far = wire_of(line.links.serve(0), line.far, line.links)
    line.wire.far = far
    far.on_message = lambda _sent, _text, _has_come: None
    line.connect()
    line.wire.flush(7)
    assert list(far.marks) == [(line.wire.sent, 7, "")]


@pytest.mark.parametrize(
    ("frames", "text"),
    [
        ([], ""),
        ([Resume({}, None), Heartbeat({}, 0)], ""),
        ([Ops((b"a",))], "Ops"),
        ([Ops((b"a", b"b")), Heartbeat({}, 0), Truncated(), Ops((b"c",))], "3 Ops, Truncated"),
    ],
)
def test_frames_show_number_of_operations(frames: list[Frame], text: str) -> None:
    assert name_frames(frames) == text


def test_operations_for_others_do_not_end_a_flush(line: Line) -> None:
    """A source reads one operation at a time here, and does not send the second of three to this
    peer."""
    here, other = replica(1), replica(3)
    write(here)
    write(other)
    here.accept(other.since({})[0])
    write(here)
    line.connect()
    source = connected_source(here, Limits(scan_ops_max=1))
    wire = wire_of(source, line.wire.connection.channel, line.links)
    wire.out = line.wire.out
    wire.flush(0)
    line.engine.run_until(SECOND)
    sent = [frame for frame in line.far.receive(bytes(line.got)) if isinstance(frame, Ops)]
    assert sum(len(frame.batch) for frame in sent) == 2


@pytest.mark.interpreted("gives a link another method, and a constant another value")
def test_machine_that_is_never_done_is_caught(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def one_more(_sink: Sink) -> list[Frame]:
        return [Truncated()]

    line.connect()
    monkeypatch.setattr("sim.network.wire.BATCHES_MAX", 100)
    monkeypatch.setattr(Sink, "frames_to_send", one_more)
    with pytest.raises(Violation, match="a link with us is never done sending"):
        line.wire.flush(0)


def test_line_rests_after_batch_with_piece_of_snapshot(line: Line) -> None:
    rested: list[int] = []
    line.connect()
    wire = line.wire
    wire.on_rested = lambda: rested.append(line.engine.now)
    wire.rest([SnapshotPiece(b"piece", last=True)], 0)
    assert wire.rests_until == 0, "it does not rest by itself"
    wire.rest_ns = 50 * MS
    wire.rest([Truncated()], 0)
    assert wire.rests_until == 0
    wire.rest([Truncated(), SnapshotPiece(b"piece", last=True)], 0)
    wire.flush(49 * MS)
    assert wire.sent == 0
    line.engine.run_until(SECOND)
    assert rested == [50 * MS]
    wire.flush(50 * MS)
    assert wire.sent > 0


def test_ended_line_is_not_idle(line: Line) -> None:
    line.connect()
    line.wire.rests_until = SECOND
    line.hang_up()
    line.wire.flush(0)
    assert line.over == [line.wire]
