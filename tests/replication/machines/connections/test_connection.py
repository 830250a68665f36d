"""An end of a connection: the events do not depend on how the bytes are divided."""

from __future__ import annotations

import pytest

from crdt.causality.dots import make_origin
from crdt.embed.replica import Replica
from replication.machines.connections.connection import LinkConnection
from replication.machines.endpoint import NEVER
from replication.mesh.links import Links
from replication.protocol.channel import Channel
from replication.protocol.events import Closed, Connected, Event, Unproven
from replication.protocol.frames import Refuse
from replication.protocol.handshake import CHALLENGE_BYTES, UNREAD_BYTES_MAX, Role
from replication.protocol.peers import Member, Peer
from tests.replication.ends import hello
from tests.replication.secrets import OTHER, SECRET, channels, open_channels

GROUPS = (0, 1, 16383)


class Half:
    """A process: links for each slot group, behind one end of a connection."""

    def __init__(self, region: int, channel: Channel) -> None:
        self.connection = LinkConnection(channel)
        self.events: list[tuple[int, Event]] = []
        self.replicas: dict[int, Replica] = {}
        self.links: dict[int, Links] = {}
        other = 3 - region
        for group in GROUPS:
            replica = self.replicas[group] = Replica(region, members=(1, 2), group=group)
            member = Member(f"r{region}", region, make_origin(region), "test")
            links = self.links[group] = Links(replica, member, [Peer(f"r{other}", other, (other,))])
            is_sink = channel.role is Role.DIALS
            end = links.dial(f"r{other}", 0) if is_sink else links.serve(0)
            self.connection.attach(group, end, links)

    def receive(self, data: bytes, now: int = 1) -> None:
        """Pass bytes to the connection, and end the batch."""
        self.events += self.connection.receive(data, now)
        while self.connection.pending:
            self.events += self.connection.receive(b"", now)

    def groups_of(self, kind: type[Event]) -> set[int]:
        """Return the groups that have had events of a kind."""
        return {group for group, event in self.events if isinstance(event, kind)}


def halves(*, same_secret: bool = True) -> tuple[Half, Half]:
    """Return the two ends of a connection, the dialling one first."""
    dials, serves = channels(SECRET, SECRET if same_secret else OTHER)
    return Half(2, dials), Half(1, serves)


def exchange(one: Half, other: Half, size: int = 1 << 20) -> None:
    """Carry bytes both ways, in pieces of a size, until neither end has anything to send."""
    while one.connection.ready or other.connection.ready:
        for here, there in ((one, other), (other, one)):
            data = here.connection.data_to_send()
            for start in range(0, len(data), size):
                there.receive(data[start : start + size])


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_bytes_in_any_pieces_give_the_same_links(size: int) -> None:
    dials, serves = halves()
    for group in GROUPS:
        serves.replicas[group].set("k").add(f"of {group}")
        serves.replicas[group].seal()
    exchange(dials, serves, size)
    assert dials.groups_of(Connected) == serves.groups_of(Connected) == set(GROUPS)
    assert {g: set(replica.set("k")) for g, replica in dials.replicas.items()} == {
        group: {f"of {group}"} for group in GROUPS
    }
    assert not dials.connection.closed
    assert dials.connection.deadline == NEVER
    assert dials.connection.tick(5) == []


def test_frames_of_one_piece_are_processed_one_by_one() -> None:
    dials, serves = halves()
    for here, there in ((dials, serves), (serves, dials)) * 2:
        there.receive(here.connection.data_to_send())
    data = b"".join(dials.connection.data_to_send() for _ in GROUPS)
    serves.connection.receive(data, 2)
    assert serves.connection.pending
    assert len(serves.connection.frames) == len(GROUPS) - 1
    serves.receive(b"")
    assert not serves.connection.pending
    assert serves.connection.receive(b"", 2) == []


def test_frames_wait_for_the_handshake() -> None:
    dials, _ = halves()
    rung: list[None] = []
    dials.connection.start(lambda: rung.append(None))
    assert dials.connection.multiplexer.ready
    assert dials.connection.read_bytes_max == UNREAD_BYTES_MAX
    assert len(dials.connection.data_to_send()) == CHALLENGE_BYTES
    assert not dials.connection.ready
    assert dials.connection.data_to_send() == b""
    _, serves = halves()
    dials.receive(serves.connection.data_to_send())
    assert rung
    assert dials.connection.ready


def test_wrong_secret_refuses_the_links_of_all_groups() -> None:
    dials, serves = halves(same_secret=False)
    exchange(dials, serves)
    assert serves.groups_of(Unproven) == set(GROUPS)
    assert serves.connection.closed
    dials.events += dials.connection.end("", 2)
    assert dials.groups_of(Unproven) == set(GROUPS)


def test_changed_frame_closes_the_links_of_all_groups() -> None:
    dials, serves = halves()
    exchange(dials, serves)
    serves.replicas[0].set("k").add("a")
    serves.replicas[0].seal()
    serves.links[0].wake()
    data = bytearray(serves.connection.data_to_send())
    data[-1] ^= 1
    assert dials.connection.fault is None
    dials.receive(bytes(data))
    assert str(dials.connection.fault).startswith("a frame was changed")
    assert dials.groups_of(Closed) == set(GROUPS)
    reasons = {event.reason for _, event in dials.events if isinstance(event, Closed)}
    assert all(reason.startswith("protocol error: a frame was changed") for reason in reasons)


def test_frame_of_unknown_group_closes_connection() -> None:
    dials, serves = halves()
    exchange(dials, serves)
    del dials.connection.multiplexer.links[1]
    serves.links[1].cut("r2", serves.connection.multiplexer.turns[0].end.direction, 2)
    exchange(dials, serves)
    assert dials.groups_of(Closed) == set(GROUPS)


def test_end_of_the_stream_ends_all_links() -> None:
    for reason in ("", "connection lost"):
        dials, serves = halves()
        exchange(dials, serves)
        dials.events += dials.connection.end(reason, 2)
        serves.events += serves.connection.hang_up("we hang up", 2)
        assert dials.groups_of(Closed) == serves.groups_of(Closed) == set(GROUPS)


def test_part_of_frame_breaks_silence() -> None:
    ours, theirs = open_channels()
    replica = Replica(1)
    links = Links(replica, Member("us", 1, replica.origin), [Peer("eu", 2, (2,))])
    end = links.dial("eu", 0)
    end.hello = hello(2)
    connection = LinkConnection(ours)
    connection.attach(0, end, links)
    data = theirs.wrap([Refuse("tired")])
    assert connection.receive(data[:3], 7) == []
    assert end.last_received_at == 7
    events = connection.receive(data[3:], 9)
    assert [event for _, event in events if isinstance(event, Closed)]
    assert connection.fault is None


def test_damaged_length_ends_connection_that_sends_heartbeats() -> None:
    one, other = halves()
    exchange(one, other)
    frame = bytearray(other.connection.channel.wrap([Refuse("x")]))
    frame[1] ^= 0x10  # 1 MiB more
    one.receive(bytes(frame))
    now = 0
    while not one.groups_of(Closed):
        now += 200_000_000
        one.receive(other.connection.channel.wrap([Refuse("heartbeat")]), now)
    assert one.groups_of(Closed) == set(GROUPS)
    assert now < 6_000_000_000
