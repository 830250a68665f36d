"""A client next to its region: commands in, replies out, without delay.

Clients have no delay on purpose: it would hide what regions disagree about. Requests and replies
are bytes in the Redis protocol, so the whole path of a request is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import attrs

from crdb.engine.client import Client
from crdb.engine.executor import receive
from crdb.engine.instance import Instance

Word: TypeAlias = str | bytes | int | float
Reply: TypeAlias = Any
"""bytes, str (a status), int, float, None, `Refusal`, or a list, tuple or dict of these."""


@attrs.frozen
class Refusal:
    """An error reply."""

    text: str


def encode_request(words: Sequence[Word]) -> bytes:
    """Return a command as a client sends it."""
    args = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(args) + b"".join(b"$%d\r\n%b\r\n" % (len(a), a) for a in args)


def parse_replies(data: bytes) -> list[Reply]:
    """Return the replies in `data`, which must be complete, in protocol 2."""
    found: list[Reply] = []
    position = 0
    while position < len(data):
        reply, position = parse_reply(data, position)
        found.append(reply)
    return found


def parse_reply(data: bytes, start: int) -> tuple[Reply, int]:
    """Return the reply that begins at `start`, and the position of the next one."""
    end = data.index(b"\r\n", start)
    kind, rest = data[start : start + 1], data[start + 1 : end]
    position = end + 2
    match kind:
        case b"+":
            return rest.decode(), position
        case b"-":
            return Refusal(rest.decode(errors="replace")), position
        case b":":
            return int(rest), position
        case b"$":
            size = int(rest)
            if size < 0:
                return None, position
            return data[position : position + size], position + size + 2
        case b"*":
            count = int(rest)
            if count < 0:
                return None, position
            items: list[Reply] = []
            for _ in range(count):
                item, position = parse_reply(data, position)
                items.append(item)
            return items, position
        case _:
            raise AssertionError(f"no reply: {data[start:end]!r}")


class SimClient:
    """A client's connection to an instance."""

    def __init__(self, instance: Instance) -> None:
        self.client = Client(instance)
        self.late = b""
        """Replies to commands that had to wait."""

    def send_commands(self, *commands: Sequence[Word]) -> list[Reply]:
        """Send commands together. Return a reply for each that does not block."""
        return parse_replies(receive(self.client, b"".join(map(encode_request, commands))))

    def run_command(self, *words: Word) -> Reply:
        """Run one command. Return its reply, or None if the command blocks."""
        replies = self.send_commands(words)
        return replies[0] if replies else None
