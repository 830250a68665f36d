"""The writer of a connection: when and how much it sends, and nothing before the handshake."""

from __future__ import annotations

import trio
import trio.testing

from crdt.causality.dots import make_origin
from replication.drivers.delayed_writer import Line
from replication.drivers.writer import PACE_SECONDS, SEND_BYTES, Writer, address_of
from replication.machines.connections.connection import LinkConnection
from replication.mesh.links import Links
from replication.mesh.registry import Machine
from replication.protocol.channel import Channel
from replication.protocol.handshake import HandshakeState
from replication.protocol.peers import Member
from tests.replication.ends import connected_source, make_sink, replica, write
from tests.replication.secrets import channels, exchange, open_channels


def connection_of(end: Machine, channel: Channel) -> LinkConnection:
    """Return the machine of a connection with one link that receives nothing."""
    connection = LinkConnection(channel)
    connection.attach(0, end, Links(replica(3), Member("r3", 3, make_origin(3)), []))
    return connection


class Swift(Line):
    """A writer that accepts everything immediately."""

    taken: bytes = b""

    def put(self, data: bytes, seconds: float) -> None:
        self.taken += data


async def test_writer_waits_for_handshake() -> None:
    sink = make_sink(replica(2))
    ours, theirs = trio.testing.memory_stream_pair()
    channel, other = channels()
    line = Swift(ours)
    writer = Writer(connection_of(sink, channel), line, lambda: 0.0)
    assert sink.ready
    assert writer.is_due
    writer.push(0)
    assert len(line.taken) == 42
    assert not writer.is_due
    channel.handshake.outgoing, line.taken = line.taken, b""
    exchange(channel, other)
    assert writer.is_due
    writer.push(0)
    assert len(other.receive(line.taken)) == 1
    sink.close("tired")
    assert not writer.is_due
    await writer.finish(ours)
    assert len(other.receive(bytes(await theirs.receive_some()))) == 1
    await writer.finish(ours)
    line.size = 1
    await writer.finish(ours)


async def test_challenge_is_sent_before_refused_end_closes() -> None:
    """The other end can then name both versions if they differ."""
    ours, theirs = trio.testing.memory_stream_pair()
    channel, other = channels()
    sink = make_sink(replica(2))
    writer = Writer(connection_of(sink, channel), Line(ours), lambda: 1.0)
    writer.push(0)
    sink.close("another version")
    await writer.finish(ours)
    assert other.receive(bytes(await theirs.receive_some())) == []
    assert other.handshake.state is HandshakeState.PROVING


async def test_address_is_known_of_sockets_that_are_connected() -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    stream = await trio.testing.open_stream_to_socket_listener(listener)
    assert address_of(stream) == "127.0.0.1"
    await stream.aclose()
    await listener.aclose()
    assert address_of(stream) == ""
    assert address_of(trio.testing.memory_stream_pair()[0]) == ""


async def test_others_get_their_turn_while_much_goes_out(
    mock_clock: trio.testing.MockClock,
) -> None:
    """This also holds if gathering takes longer than the pause between pushes, and the peer accepts
    everything immediately."""
    here = replica(1, history_bytes=8 * SEND_BYTES)
    write(here, 16, SEND_BYTES // 4)
    source = connected_source(here)
    source.pace.window_bytes = source.limits.window_bytes_max
    turns = 0
    sent_at: list[int] = []

    class Counting(Line):
        """A writer that accepts everything and records the times."""

        def put(self, data: bytes, seconds: float) -> None:
            mock_clock.jump(2 * PACE_SECONDS)
            sent_at.append(turns)

    ours, _ = trio.testing.memory_stream_pair()
    writer = Writer(connection_of(source, open_channels()[0]), Counting(ours), lambda: 0.0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(writer.run)
        while source.ready:
            await trio.lowlevel.checkpoint()
            turns += 1
        nursery.cancel_scope.cancel()
    assert len(sent_at) > 3
    # Trio runs the tasks of a round in any order, so two pushes may be adjacent, but not three.
    assert all(before < after for before, after in zip(sent_at, sent_at[2:], strict=False))
