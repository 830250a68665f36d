"""Read an operation while its bytes come, so that a large one stalls nobody.

Whatever cannot be read in this way is read again as a whole at the end: bytes that are damaged or
of another version, which then raises the error, effects with many items, and long byte strings that
are not the last item.
"""

from __future__ import annotations

from typing import Any, Final
from zlib import crc32

import msgpack

from crdt.causality.effect import Effect
from crdt.causality.long_string import LongString, find_long_string
from crdt.causality.op import HEAD_ITEMS, VERSION, Op, check_head, make_op
from crdt.causality.op_pieces import PIECE_BYTES, OpPieces
from crdt.causality.schema import check_form
from crdt.errors import DecodeError
from crdt.wire import codec
from crdt.wire.decoding import check_version

UNREADABLE: Final = (DecodeError, ValueError, TypeError, RecursionError, msgpack.BufferFull)


class OpReader:
    """An operation whose bytes are coming."""

    __slots__ = (
        "checksum",
        "count",
        "effects",
        "gathered",
        "gathered_bytes",
        "has_begun",
        "head",
        "is_readable",
        "pieces",
        "size",
        "string",
        "unpacker",
    )

    def __init__(self) -> None:
        self.size: int = 0
        """The number of bytes that have come."""
        self.pieces: list[bytes] = []
        self.gathered: list[bytes] = []
        """The bytes behind the last piece. They become a piece when they are enough."""
        self.gathered_bytes: int = 0
        self.checksum: int = 0
        """The CRC-32 of what has come, without the envelope."""
        self.unpacker: Any = codec.new_unpacker()
        self.has_begun: bool = False
        """True if the beginning of the array has come."""
        self.head: list[Any] = []
        """The items before the effects."""
        self.count: int = -1
        """The number of effects that the operation announces; -1 before that."""
        self.effects: list[Effect] = []
        """The effects that have come. Their form was checked."""
        self.is_readable: bool = True
        """False if the operation has to be read as a whole."""
        self.string: LongString | None = None
        """The string with which the operation ends, if it is too long to be read in steps."""

    def feed(self, data: bytes) -> None:
        """Read the effects that end in `data`, the next bytes of the operation."""
        start = self.size
        self.size += len(data)
        if self.string is not None:
            self.checksum = crc32(data, self.checksum)
            self.string.feed(data)
            return
        self.gathered.append(data)
        self.gathered_bytes += len(data)
        if self.gathered_bytes >= PIECE_BYTES:
            self.end_piece()
        if self.is_readable:
            self.read(data[max(0, codec.OVERHEAD - start) :])

    def end_piece(self) -> None:
        """Make a piece of what was gathered."""
        self.pieces.append(b"".join(self.gathered))
        self.gathered = []
        self.gathered_bytes = 0

    def read(self, body: bytes) -> None:
        """Read the items that end in `body`."""
        self.checksum = crc32(body, self.checksum)
        for start in range(0, len(body), codec.READ_BYTES_MAX):
            try:
                self.unpacker.feed(body[start : start + codec.READ_BYTES_MAX])
                self.read_items()
            except msgpack.OutOfData:
                continue
            except UNREADABLE:
                self.begin_string()
                return

    def begin_string(self) -> None:
        """Continue with a long string, if the operation ends with one. Otherwise give up."""
        effects, whole = self.effects, b"".join([*self.pieces, *self.gathered])
        self.give_up()
        if self.count < 0:
            return
        try:
            found = find_long_string(whole[codec.OVERHEAD :], len(effects))
        except msgpack.OutOfData:
            return
        except UNREADABLE:
            return
        if found is not None:
            start, self.string = found[0] + codec.OVERHEAD, found[1]
            self.effects = effects
            self.pieces, self.gathered = [whole[:start]], []
            self.string.feed(whole[start:])

    def give_up(self) -> None:
        """Read the operation as a whole when all of it has come."""
        self.is_readable = False
        self.unpacker = None
        self.effects = []
        if self.string is not None:
            self.pieces.append(self.string.buffer.getvalue())
            self.string = None

    def read_items(self) -> None:
        """Read items. Raises OutOfData at the end of what has come, and errors of UNREADABLE."""
        unpacker, head, effects = self.unpacker, self.head, self.effects
        if not self.has_begun:
            if unpacker.read_array_header() != HEAD_ITEMS + 1:
                raise DecodeError("another number of items")
            self.has_begun = True
        while len(head) < HEAD_ITEMS:
            head.append(unpacker.unpack())
        if self.count < 0:
            count = unpacker.read_array_header()
            check_version(head[0], VERSION, "an operation")
            check_head(tuple(head), count)
            self.count = count
        unpack = unpacker.unpack
        while len(effects) < self.count:
            effect = unpack()
            check_form(effect)
            effects.append(effect)

    def finish(self) -> Op:
        """Return the operation, all of which has come. Raises DecodeError."""
        if self.string is not None:
            return self.finish_string(self.string)
        self.end_piece()
        data = OpPieces(self.pieces)
        if not self.is_readable or len(self.effects) != self.count or not self.is_whole(data):
            self.give_up()
            return Op.from_bytes(data.joined())
        op = make_op(tuple(self.head), tuple(self.effects))
        op.encoded = data
        return op

    def finish_string(self, string: LongString) -> Op:
        """Return the operation, which ends with a long string. Raises DecodeError."""
        value = string.buffer.getvalue()
        data = OpPieces([*self.pieces, value])
        if string.left or not self.has_right_envelope(data):
            return Op.from_bytes(data.joined())
        effect: Effect = (*string.items, value)
        check_form(effect)
        op = make_op(tuple(self.head), (*self.effects, effect))
        op.encoded = data
        return op

    def is_whole(self, data: OpPieces) -> bool:
        """Return whether the envelope is right and nothing follows the effects."""
        is_end = self.unpacker.tell() == data.size - codec.OVERHEAD
        return is_end and self.has_right_envelope(data)

    def has_right_envelope(self, data: OpPieces) -> bool:
        """Return whether the envelope has our version, and the checksum of what has come."""
        envelope = data.cut(0, codec.OVERHEAD)
        return envelope[:1] == codec.VERSION_BYTE and codec.checksum(envelope) == self.checksum
