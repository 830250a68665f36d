"""The bytes of one connection: frames, parts of frames, and bytes that are not valid."""

from __future__ import annotations

from crdt.embed.replica import Replica
from replication.mesh.connection import fail_connection, receive_bytes
from replication.mesh.links import Links
from replication.protocol.channel import Channel
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import Closed, Unproven
from replication.protocol.frames import Heartbeat
from replication.protocol.peers import Direction, Member, Peer, link_ends
from tests.replication.ends import hello
from tests.replication.secrets import channels, open_channels

ERROR = RemoteProtocolError("no frame")


def region() -> Links:
    replica = Replica(1)
    return Links(replica, Member("us", 1, replica.origin), [Peer("eu", 2, (2,))])


def test_part_of_frame_breaks_silence() -> None:
    links, (ours, theirs) = region(), open_channels()
    end = links.dial("eu", 0)
    end.hello = hello(2)
    data = theirs.wrap([Heartbeat({}, 1, (), 0, 0, 0)])
    assert receive_bytes(end, ours, data[:3], 7) == []
    assert end.heard_at == 7
    (frame,) = receive_bytes(end, ours, data[3:], 9)
    assert isinstance(frame, Heartbeat)


def events_after_failure(channel: Channel) -> list[type]:
    links = region()
    events = fail_connection(links, links.dial("eu", 0), channel, ERROR, 0)
    return [type(event) for event in events]


def test_invalid_bytes_close_connection() -> None:
    assert events_after_failure(open_channels()[0]) == [Closed]


def test_peer_without_proof_is_refused() -> None:
    assert events_after_failure(channels()[0]) == [Unproven, Closed]


def test_link_has_end_in_each_region() -> None:
    assert link_ends("us", "eu") == (
        ("us", "eu", Direction.OUT),
        ("eu", "us", Direction.IN),
    )
