"""A snapshot that is being sent: its turn among others, and its pieces, cut to fit the link.

At most `Limits.snapshots_max` snapshots are sent at a time, so one may have to wait.
"""

from __future__ import annotations

from collections.abc import Callable

from crdt.store.snapshot import Snapshot
from replication.machines.sending.log_reader import LogReader
from replication.protocol.frames import SnapshotPiece


class Outgoing:
    """The snapshot that one source sends. `notify` is called when its turn has come."""

    def __init__(self, log_reader: LogReader, notify: Callable[[], None]) -> None:
        self.log_reader = log_reader
        self.notify = notify
        self.snapshot: Snapshot | None = None
        self.data = b""
        self.start = 0

    @property
    def can_go_on(self) -> bool:
        """True unless the snapshot has to wait for its turn, and is in the queue for that."""
        return self.snapshot is not None or not self.log_reader.is_waiting(self.notify)

    def begin(self) -> Snapshot | None:
        """Take the state as it is now; None if it is not our turn."""
        self.snapshot = self.log_reader.take_turn(self.notify)
        return self.snapshot

    def next_part(self, limit_bytes: int) -> SnapshotPiece | None:
        """Return about the next `limit_bytes` bytes; None if all has been sent."""
        assert self.snapshot is not None, "begin first"
        if self.start >= len(self.data):
            self.data, self.start = next(self.snapshot, b""), 0
            if not self.data:
                return None
        begin, self.start = self.start, self.start + limit_bytes
        return SnapshotPiece(self.data[begin : self.start], self.start >= len(self.data))

    def drop(self) -> None:
        """Release the snapshot and our turn."""
        self.data, self.start = b"", 0
        self.log_reader.leave_queue(self.notify)
        if self.snapshot is not None:
            snapshot, self.snapshot = self.snapshot, None
            self.log_reader.end_turn(snapshot)
