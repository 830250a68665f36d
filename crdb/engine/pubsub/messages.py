"""Messages in the form in which subscribers receive them.

A message is encoded once for each protocol, however many sessions receive it. In RESP3 it is a
push, so that a client can tell it from a reply. In RESP2 it is an array.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crdb.resp import reply
from crdt.causality.effect import TO_CHANNEL, TO_SHARD_CHANNEL

CHANNEL: Final = TO_CHANNEL
SHARD_CHANNEL: Final = TO_SHARD_CHANNEL
PATTERN: Final = 2
"""The kinds of names that a session subscribes to. The first two are also kinds of messages."""
KINDS: Final = (CHANNEL, SHARD_CHANNEL, PATTERN)


class Message:
    """A message for the subscribers of one channel or pattern."""

    __slots__ = ("parts", "resp2", "resp3")

    def __init__(self, parts: Sequence[bytes]) -> None:
        self.parts = parts
        self.resp2 = b""
        self.resp3 = b""

    def encoded(self, protocol: int) -> bytes:
        """Return the message as bytes of a protocol, 2 or 3."""
        if protocol == 2:
            if not self.resp2:
                self.resp2 = encode(self.parts, protocol)
            return self.resp2
        if not self.resp3:
            self.resp3 = encode(self.parts, protocol)
        return self.resp3


def message_to_channel(kind: int, channel: bytes, payload: bytes) -> Message:
    """Return a message for the subscribers of a channel, or of a shard channel."""
    return Message((b"message" if kind == CHANNEL else b"smessage", channel, payload))


def message_to_pattern(pattern: bytes, channel: bytes, payload: bytes) -> Message:
    """Return a message for the subscribers of a pattern that matches its channel."""
    return Message((b"pmessage", pattern, channel, payload))


def encode(parts: Sequence[bytes], protocol: int) -> bytes:
    """Return strings as an array, or as a push in RESP3."""
    out: list[bytes] = []
    reply.push_header(out, protocol, len(parts))
    for part in parts:
        reply.bulk(out, part)
    return b"".join(out)
