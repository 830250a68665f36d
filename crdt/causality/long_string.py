"""Receive a long byte string at the end of an operation without a copy of it.

The last item of an operation's last effect is often a long string, as SET of a large value makes
one. It is collected in a buffer that becomes the string. The history keeps this object, too.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

from crdt.causality.op import HEAD_ITEMS
from crdt.wire import codec

HEADER_BYTES: Final = 5
"""The size of the header of a string of 2^16 bytes or more."""
HEADER_BYTE: Final = 0xDB


class LongString:
    """The last string of an operation, while it comes."""

    __slots__ = ("buffer", "items", "left")

    def __init__(self, items: list[Any], size: int) -> None:
        self.items: list[Any] = items
        """The items of the last effect before the string."""
        self.left: int = size
        """The number of bytes that are missing; negative if more has come."""
        self.buffer: BytesIO = BytesIO()

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self.left -= len(data)
        self.buffer.write(data)


def find_long_string(body: bytes, done: int) -> tuple[int, LongString] | None:
    """Return the position behind the header of the string with which an operation ends, and the
    string without its bytes; None if it does not end so.

    `body` is what has come of the operation, without the envelope. It holds `done` effects as a
    whole, and no other string that is too long to be read in steps. Raises what an unpacker raises.
    """
    unpacker = codec.new_unpacker(len(body))
    unpacker.feed(body)
    unpacker.read_array_header()
    for _ in range(HEAD_ITEMS):
        unpacker.skip()
    if unpacker.read_array_header() != done + 1:
        return None
    for _ in range(done):
        unpacker.skip()
    items = [unpacker.unpack() for _ in range(unpacker.read_array_header() - 1)]
    position: int = unpacker.tell()
    stop = position + HEADER_BYTES
    if len(body) < stop or body[position] != HEADER_BYTE:
        return None
    return stop, LongString(items, int.from_bytes(body[position + 1 : stop], "big"))
