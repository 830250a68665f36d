"""An observed connection shows its frames when they are sent, and after they were processed."""

from __future__ import annotations

from replication.machines.sending.source import Source
from replication.protocol.channel import Channel
from replication.protocol.events import Event
from replication.protocol.frames import Eof, Frame, Heartbeat, Refuse
from replication.protocol.handshake import NONCE_BYTES, Role
from replication.protocol.limits import Limits
from replication.protocol.secret import NO_SECRET
from sim.network.observed import ObservedConnection
from tests.sim.planted import fresh


class Owner:
    """An owner that records the frames of its ends."""

    def __init__(self, order: list[object]) -> None:
        self.order = order

    def receive(self, end: object, frame: Frame, now: int) -> list[Event]:
        self.order.append(("processed", frame))
        return []

    def broken(self, end: object, error: object, now: int) -> list[Event]:
        raise AssertionError

    refuse = broken


def test_frames_are_shown() -> None:
    world = fresh()
    order: list[object] = []
    channels = [Channel(NO_SECRET, role, bytes(NONCE_BYTES)) for role in Role]
    here, there = [
        ObservedConnection(
            channel,
            lambda frame: order.append(("sent", frame)),
            lambda frame: order.append(("received", frame)),
        )
        for channel in channels
    ]
    for connection in (here, there):
        end = Source(world.sites["eu"].links.log_reader, 0)
        assert end.limits == Limits()
        connection.attach(0, end, Owner(order))
    while here.channel.has_outgoing or there.channel.has_outgoing:
        there.receive(here.data_to_send(), 0)
        here.receive(there.data_to_send(), 0)
    assert order == []
    here.multiplexer.links[0].end.send(Refuse("why"))
    there.receive(here.data_to_send(), 0)
    frame = Refuse("why")
    assert order == [("sent", frame), ("processed", frame), ("received", frame)]
    assert not isinstance(frame, Heartbeat | Eof)
