"""The bytes of one connection, for the machine at its end. Pure.

Whoever owns the stream calls these functions: the driver, or the simulator.
"""

from __future__ import annotations

from replication.mesh.links import Links
from replication.mesh.registry import Machine
from replication.protocol.channel import Channel
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import Event
from replication.protocol.frames import Frame


def receive_bytes(end: Machine, channel: Channel, data: bytes, now: int) -> list[Frame]:
    """Return the frames that `data` completes. A peer that sends a part of a frame is not silent.

    Raises RemoteProtocolError.
    """
    frames = channel.receive(data)
    if not frames:
        end.note_bytes(now)
    return frames


def fail_connection(
    links: Links, end: Machine, channel: Channel, error: RemoteProtocolError, now: int
) -> list[Event]:
    """Close a connection whose bytes were not valid. Before the peer has proved the secret, it
    counts as refused."""
    fail = links.broken if channel.is_proven else links.refuse
    return fail(end, error, now)
