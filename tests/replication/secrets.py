"""Channels for tests: two ends of a connection, with equal or different secrets."""

from __future__ import annotations

import trio

from replication.protocol.channel import Channel
from replication.protocol.handshake import NONCE_BYTES, Role
from replication.protocol.secret import NO_SECRET, LinkSecret

SECRET = LinkSecret.from_text("correct horse battery staple")
OTHER = LinkSecret.from_text("wrong horse battery staple")


def channels(dials: LinkSecret = SECRET, serves: LinkSecret = SECRET) -> tuple[Channel, Channel]:
    """Return both ends of a connection, before the handshake."""
    return (
        Channel(dials, Role.DIALS, bytes([1]) * NONCE_BYTES),
        Channel(serves, Role.SERVES, bytes([2]) * NONCE_BYTES),
    )


def exchange(one: Channel, other: Channel) -> None:
    """Carry the messages of a handshake both ways."""
    for _ in range(2):
        assert other.receive(one.bytes_to_send()) == []
        assert one.receive(other.bytes_to_send()) == []


def open_channels(secret: LinkSecret = SECRET) -> tuple[Channel, Channel]:
    """Return both ends of a connection, after the handshake."""
    one, other = channels(secret, secret)
    exchange(one, other)
    assert one.is_proven
    assert other.is_proven
    return one, other


async def prove(stream: trio.abc.Stream, secret: LinkSecret = NO_SECRET) -> Channel:
    """Complete the handshake at the dialling end of a stream."""
    channel = Channel(secret, Role.DIALS, bytes([3]) * NONCE_BYTES)
    while not channel.is_proven:
        await stream.send_all(channel.bytes_to_send())
        assert channel.receive(bytes(await stream.receive_some(channel.read_bytes_max))) == []
    return channel
