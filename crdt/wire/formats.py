"""Recognise bytes that one of our methods wrote, to name them in an error.

Every reader refuses the bytes of another format. Its error says what the bytes are and which call
reads them, if they can be recognised. Most bytes are examined only after a reader has refused them.
Of a whole state, the short first piece is always examined.
"""

from __future__ import annotations

import binascii
from typing import Any, Final, NamedTuple, cast

from crdt.errors import DecodeError
from crdt.wire import codec

SAVE_MAGIC: Final = b"crdt replica"
"""The first item of a saved replica."""
PREFIX_BYTES: Final = 4
"""The bytes in front of each piece of a state. They hold its length."""
OPERATION_ITEMS: Final = 7
VECTOR_ITEMS: Final = 4
"""The items of a vector, and of changes."""
SAVE_ITEMS: Final = 3


class Format(NamedTuple):
    """A format of bytes: its name, and the methods that read it."""

    name: str
    reader: str


OPERATION: Final = Format("an operation", "Op.from_bytes, and the result to Replica.accept")
VECTOR: Final = Format("a vector", "Vector.from_bytes, and the result to Replica.changes_for")
CHANGES: Final = Format("changes", "Replica.apply")
STATE: Final = Format("the state of a replica", "Replica.merge_bytes")
PIECE: Final = Format("one piece of a snapshot", "Replica.merge, in a list with the other pieces")
SAVE: Final = Format("a saved replica", "Replica.load")


def explain(error: DecodeError, data: bytes, wanted: Format) -> DecodeError:
    """Return the error to raise for bytes that the reader of `wanted` has refused with `error`.

    It is `error` itself unless the bytes are of another format, or the text of one.
    """
    found = recognise(data)
    if found is not None:
        if found == wanted:
            return error
        return DecodeError(
            f"expected {wanted.name}, and these bytes are {found.name}: pass them to {found.reader}"
        )
    found = recognise(decode_base64(data))
    if found is not None:
        return DecodeError(
            f"expected the bytes of {wanted.name}, and these are the text of {found.name}: "
            "read it with from_text, or decode the base64 first"
        )
    return error


def recognise(data: bytes) -> Format | None:
    """Return the format of `data`, None if it is not known or if the bytes are damaged."""
    if codec.is_envelope(data):
        return recognise_item(codec.unpack(data))
    size = int.from_bytes(data[:PREFIX_BYTES], "big")
    is_state = codec.is_envelope(data[PREFIX_BYTES : PREFIX_BYTES + size])
    return STATE if is_state else None


def recognise_item(item: Any) -> Format | None:
    """Return the format whose envelope holds `item`."""
    if type(item) is bytes:
        return PIECE
    if type(item) is not tuple:
        return None
    items = cast("tuple[Any, ...]", item)
    if len(items) == SAVE_ITEMS and items[0] == SAVE_MAGIC:
        return SAVE
    if len(items) == OPERATION_ITEMS:
        return OPERATION
    if len(items) == VECTOR_ITEMS:
        return VECTOR if type(items[1]) is tuple else CHANGES
    return None


def decode_base64(data: bytes) -> bytes:
    """Return the bytes that the base64 text `data` stands for; empty if it is not base64."""
    try:
        return binascii.a2b_base64(data, strict_mode=True)
    except binascii.Error:
        return b""
