"""The client's side of RESP: requests to send, and a decoder of replies.

It understands all types of protocol 2 and 3. A map is decoded as `("map", pairs)` and a set as
`("set", members)`, so that the type that was sent stays visible.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import attrs

Reply: TypeAlias = Any
"""bytes, int, float, bool, None, `Status`, `ErrorReply`, or a list or tuple of these."""


@attrs.frozen
class Status:
    """A simple string, such as OK."""

    text: bytes


@attrs.frozen
class ErrorReply:
    """An error reply."""

    text: bytes


def encode_request(args: Sequence[bytes]) -> bytes:
    """Return a command as a client sends it."""
    return b"*%d\r\n" % len(args) + b"".join([b"$%d\r\n%b\r\n" % (len(a), a) for a in args])


class ReplyDecoder:
    """Decodes a stream of replies that arrives in pieces."""

    def __init__(self) -> None:
        self._buffer = b""

    @property
    def pending(self) -> bytes:
        """The bytes of a reply that is not complete yet."""
        return self._buffer

    def feed(self, data: bytes) -> None:
        """Add bytes that have arrived."""
        self._buffer += data

    def next(self) -> tuple[bytes, Reply] | None:
        """Return the next reply, raw and decoded, or None if it is not complete.

        Raises ValueError for bytes that are not a reply.
        """
        try:
            reply, end = _decode(self._buffer, 0)
        except EOFError:
            return None
        raw, self._buffer = self._buffer[:end], self._buffer[end:]
        return raw, reply


def decode_replies(data: bytes) -> list[Reply]:
    """Return all replies in `data`. Raises ValueError if it ends within a reply."""
    found: list[Reply] = []
    position = 0
    while position < len(data):
        try:
            reply, position = _decode(data, position)
        except EOFError:
            raise ValueError(f"{data[position:]!r} ends within a reply") from None
        found.append(reply)
    return found


def _decode(data: bytes, start: int) -> tuple[Reply, int]:
    """Return the reply that begins at `start`, and the position behind it. Raises EOFError if
    `data` ends before."""
    end = data.find(b"\r\n", start)
    if end < 0:
        raise EOFError
    kind, rest = data[start : start + 1], data[start + 1 : end]
    position = end + 2
    if kind in b"$=*>" and rest == b"-1":
        return None, position
    match kind:
        case b"$" | b"=":
            return _decode_text(data, position, int(rest))
        case b":" | b"(":
            return int(rest), position
        case b"+":
            return Status(rest), position
        case b"*" | b">":
            return _decode_items(data, position, int(rest))
        case b"-":
            return ErrorReply(rest), position
        case b"_":
            return None, position
        case b"%":
            flat, position = _decode_items(data, position, 2 * int(rest))
            return ("map", [list(pair) for pair in zip(*[iter(flat)] * 2, strict=True)]), position
        case b"~":
            members, position = _decode_items(data, position, int(rest))
            return ("set", members), position
        case b",":
            return float(rest), position
        case b"#":
            return rest == b"t", position
        case _:
            raise ValueError(f"no reply begins with {data[start:end]!r}")


def _decode_text(data: bytes, start: int, size: int) -> tuple[bytes, int]:
    """Return a text of `size` bytes, and the position behind its line end."""
    end = start + size
    if len(data) < end + 2:
        raise EOFError
    return data[start:end], end + 2


def _decode_items(data: bytes, start: int, count: int) -> tuple[list[Reply], int]:
    """Return `count` replies, and the position behind them."""
    items: list[Reply] = []
    for _ in range(count):
        item, start = _decode(data, start)
        items.append(item)
    return items, start
