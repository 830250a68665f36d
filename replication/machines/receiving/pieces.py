"""Collect what was too large for one frame: an op, or a piece of a snapshot.

Only one of them can be under way on a link. Parts that the receiver would drop are not kept. The
parts of an op are read as they come. The buffer of a piece grows with each part and becomes the
whole without a copy.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Final

from crdt.causality.op import OP_BYTES
from crdt.store.snapshot import PIECE_BYTES_MAX
from replication.machines.receiving.applier import Arrival
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.frames import OpPart, SnapshotPiece

REQUEST_BYTES_MAX: Final = 1 << 30
"""The largest request: the default of client-query-buffer-limit. The largest effect is a key and a
string of half of that each."""
OP_BYTES_MAX: Final = REQUEST_BYTES_MAX + OP_BYTES
"""The largest op: one effect may be as large as a request, and several together as `OP_BYTES`."""


class PartBuffer:
    """The parts of one op or piece that have come. `begin_op` returns an op without parts."""

    def __init__(self, begin_op: Callable[[], Arrival]) -> None:
        self.begin_op = begin_op
        self.op: Arrival | None = None
        """The op whose parts come."""
        self.buffer = BytesIO()
        """The parts of a piece."""
        self.size = 0
        """The number of bytes that are kept."""
        self.kind: type[OpPart | SnapshotPiece] | None = None
        """The type of the frames under way; None between two."""
        self.is_kept = True

    def clear(self) -> None:
        """Drop what has come."""
        if self.op is not None:
            self.op.drop()
            self.op = None
        self.buffer = BytesIO()
        self.size = 0
        self.kind = None

    def add(self, frame: OpPart | SnapshotPiece, *, keep: bool) -> Arrival | bytes | None:
        """Add a part. After the last part, return the op, or the piece as bytes, else None; also
        None if the whole is not to be kept, which the `keep` of the first part decides. Raises
        RemoteProtocolError, or DecodeError."""
        kind = type(frame)
        if self.kind is None:
            self.kind, self.is_kept = kind, keep
        if self.kind is not kind:
            raise RemoteProtocolError(f"{kind.__name__} inside another {self.kind.__name__}")
        limit = OP_BYTES_MAX if kind is OpPart else PIECE_BYTES_MAX
        if self.size + len(frame.data) > limit:
            raise RemoteProtocolError(f"more than {limit} bytes in parts of one {kind.__name__}")
        if self.is_kept:
            self.keep(frame)
        if not frame.last:
            return None
        whole = self.buffer.getvalue() if self.op is None else self.op
        self.op = None
        self.clear()
        return whole if self.is_kept else None

    def keep(self, frame: OpPart | SnapshotPiece) -> None:
        """Keep a part. Raises DecodeError."""
        self.size += len(frame.data)
        if isinstance(frame, SnapshotPiece):
            self.buffer.write(frame.data)
            return
        if self.op is None:
            self.op = self.begin_op()
        self.op.feed(frame.data)
