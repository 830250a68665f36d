"""Reassemble what was too large for one frame: an op, or a piece of a snapshot.

Only one of them can be under way on a link. Parts that the receiver would drop are not kept. The
buffer grows with each part and becomes the whole without a copy.
"""

from __future__ import annotations

from io import BytesIO
from typing import Final

from crdt.causality.op import OP_BYTES
from crdt.store.snapshot import PIECE_BYTES_MAX
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.frames import OpPart, SnapshotPiece

REQUEST_BYTES_MAX: Final = 1 << 30
"""The largest request: the default of client-query-buffer-limit. The largest effect is a key and a
string of half of that each."""
OP_BYTES_MAX: Final = REQUEST_BYTES_MAX + OP_BYTES
"""The largest op: one effect may be as large as a request, and several together as `OP_BYTES`."""


class PartBuffer:
    """The parts of one op or piece that have come."""

    def __init__(self) -> None:
        self.buffer = BytesIO()
        self.size = 0
        """The number of bytes in `buffer`."""
        self.kind: type[OpPart | SnapshotPiece] | None = None
        """The type of the frames under way; None between two."""
        self.is_kept = True

    def clear(self) -> None:
        """Drop what has come."""
        self.buffer = BytesIO()
        self.size = 0
        self.kind = None

    def add(self, frame: OpPart | SnapshotPiece, *, keep: bool) -> bytes | None:
        """Add a part. Return the whole after the last part, else None; also None if the whole is
        not to be kept, which the `keep` of the first part decides. Raises RemoteProtocolError."""
        kind = type(frame)
        if self.kind is None:
            self.kind, self.is_kept = kind, keep
        if self.kind is not kind:
            raise RemoteProtocolError(f"{kind.__name__} inside another {self.kind.__name__}")
        limit = OP_BYTES_MAX if kind is OpPart else PIECE_BYTES_MAX
        if self.size + len(frame.data) > limit:
            raise RemoteProtocolError(f"more than {limit} bytes in parts of one {kind.__name__}")
        if self.is_kept:
            self.size += self.buffer.write(frame.data)
        if not frame.last:
            return None
        whole = self.buffer.getvalue()
        self.clear()
        return whole if self.is_kept else None
